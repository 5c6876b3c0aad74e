/*
 * The sessions of operators, and what opens one.
 */
#include "dashboard/login.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tap.h"

static const char secret[] = "0123456789abcdef0123456789abcdef";
static const char other[] = "fedcba9876543210fedcba9876543210";
static char path[] = "/tmp/pgcrew-token.XXXXXX";

static void
write_token(const char *text, mode_t mode)
{
    FILE *f = fopen(path, "w");

    if (f == NULL || fputs(text, f) < 0 || fclose(f) != 0 || chmod(path, mode) != 0)
        abort();
}

static void
test_session(void)
{
    char text[PASS_TEXT_SIZE], csrf[PASS_CSRF_SIZE], csrf2[PASS_CSRF_SIZE];
    struct pass s, read;

    pass_begin(&s, 1000, 600);
    pass_write(&s, secret, text);
    ok(pass_read(text, secret, 1000, &read), "a session is read back");
    ok(strcmp(read.id, s.id) == 0 && read.began_s == 1000 && read.ends_s == 1600, "as it was");
    ok(!pass_read(text, other, 1000, &read), "not with another secret");
    ok(pass_read(text, secret, 1599, &read), "it lives until its end");
    ok(!pass_read(text, secret, 1600, &read), "and not longer");
    pass_csrf(&s, secret, csrf);
    ok(strlen(csrf) == PASS_CSRF_SIZE - 1 && strstr(text, csrf) == NULL,
       "what a page has to say is not in the cookie");
    ok(strcmp(csrf, pass_csrf(&s, other, csrf2)) != 0, "and depends on the secret");
    pass_begin(&read, 1000, 600);
    ok(strcmp(s.id, read.id) != 0 && strcmp(csrf, pass_csrf(&read, secret, csrf2)) != 0,
       "each session has an id of its own");
}

static void
test_forged(void)
{
    char text[PASS_TEXT_SIZE], forged[PASS_TEXT_SIZE + 8];
    struct pass s, read;
    size_t len, opened = 0;

    pass_begin(&s, 1000, 600);
    pass_write(&s, secret, text);
    len = strlen(text);
    for (size_t i = 0; i < len; i++) {
        memcpy(forged, text, len + 1);
        forged[i] = forged[i] == '1' ? '2' : '1';
        opened += pass_read(forged, secret, 1000, &read);
        memcpy(forged, text, len + 1);
        forged[i] = '\0';
        opened += pass_read(forged, secret, 1000, &read);
    }
    ok(opened == 0, "no changed and no shortened cookie opens anything");
    snprintf(forged, sizeof(forged), "%s0", text);
    ok(!pass_read(forged, secret, 1000, &read), "nor a longer one");
    ok(!pass_read("", secret, 1000, &read) && !pass_read("1.", secret, 1000, &read) &&
           !pass_read("1...", secret, 1000, &read),
       "nor half of one");
    snprintf(forged, sizeof(forged), "1.%s.01000.1600%s", s.id, strrchr(text, '.'));
    ok(!pass_read(forged, secret, 1000, &read), "a time has one form");
}

static void
test_prolonged(void)
{
    struct pass s;
    int64_t now = 1000;

    pass_begin(&s, 1000, 600);
    ok(!pass_prolong(&s, 1200, 600), "a young session is left alone");
    ok(pass_prolong(&s, 1400, 600) && s.ends_s == 2000, "one in use lives on");
    while (now < s.ends_s) {
        now = s.ends_s - 1;
        if (!pass_prolong(&s, now, 600))
            break;
    }
    ok(s.ends_s == 1000 + PASS_LONGEST_S, "but not for ever");
}

static void
test_token(void)
{
    AUTO(buf) struct buf token = {0};
    struct err err;

    write_token("0123456789abcdef0123456789abcdef\n", 0600);
    ok(login_read_token(path, &token, &err) && strcmp(buf_text(&token), secret) == 0,
       "the token of the file, without its line end");
    write_token("0123456789abcdef0123456789abcdef\n", 0640);
    ok(login_read_token(path, &token, &err), "its group may read it");
    write_token("0123456789abcdef0123456789abcdef\n", 0644);
    ok(!login_read_token(path, &token, &err) && strstr(err.text, "chmod") != NULL && token.len == 0,
       "not everybody");
    write_token("short\n", 0600);
    ok(!login_read_token(path, &token, &err) && strstr(err.text, "short") == NULL,
       "a short one is refused, and not said");
    write_token("0123456789abcdef 0123456789abcdef\n", 0600);
    ok(!login_read_token(path, &token, &err), "so is one with a blank");
    ok(!login_read_token("/nonexistent", &token, &err), "so is a file that is not there");
}

static void
test_login(void)
{
    struct conf conf = {.dashboard_token_file = path, .service_key = other};
    const char *opens = NULL;
    struct pass s, read;
    char text[PASS_TEXT_SIZE];
    struct login l;
    int64_t wait_ms = 0;
    int wrong = 0;

    write_token(secret, 0600);
    login_init(&l, &conf);
    ok(login_try(&l, secret, 1000, &opens, &wait_ms) == LOGIN_GOOD, "the token opens it");
    ok(login_try(&l, other, 1000, &opens, &wait_ms) == LOGIN_WRONG,
       "the service key does not, unless it is said");
    conf.dashboard_service_key_login = CONF_YES;
    ok(login_try(&l, other, 1000, &opens, &wait_ms) == LOGIN_GOOD, "then it does");
    login_try(&l, secret, 1000, &opens, &wait_ms);
    pass_begin(&s, 1000, 600);
    pass_write(&s, opens, text);
    ok(login_session(&l, text, 1000, &read, &opens), "a session of the token is known");
    while (wrong < 100 && login_try(&l, "wrong", 1000, &opens, &wait_ms) == LOGIN_WRONG)
        wrong++;
    ok(wrong < 20, "many wrong ones are refused unseen");
    ok(login_try(&l, secret, 1000, &opens, &wait_ms) == LOGIN_TOO_MANY && wait_ms > 0,
       "and right ones with them");
    ok(login_session(&l, text, 1000, &read, &opens), "sessions go on");
    ok(login_try(&l, secret, 1000 + wait_ms, &opens, &wait_ms) == LOGIN_GOOD,
       "soon it opens again");
    login_end(&l, &s);
    ok(!login_session(&l, text, 1000, &read, &opens), "who has logged out is out");
    pass_begin(&s, 1000, 600);
    pass_write(&s, secret, text);
    write_token("another-token-another-token-another", 0600);
    ok(!login_session(&l, text, 1000, &read, &opens),
       "another token ends the sessions of the first");
    conf.dashboard_service_key_login = CONF_NO;
    write_token("another-token-another-token-another", 0666);
    ok(login_try(&l, secret, 9000, &opens, &wait_ms) == LOGIN_CLOSED && l.why_not[0] != '\0',
       "without a usable secret nothing opens");
    ok(!login_session(&l, NULL, 1000, &read, &opens), "no cookie is no session");
    login_release(&l);
}

int
main(void)
{
    int fd = mkstemp(path);

    if (fd < 0)
        return 1;
    close(fd);
    test_session();
    test_forged();
    test_prolonged();
    test_token();
    test_login();
    unlink(path);
    return done_testing();
}
