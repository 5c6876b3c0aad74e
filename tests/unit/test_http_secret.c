/* References to secrets. */
#include "base/secret.h"
#include "http/secret.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tap.h"

static struct arena arena;
static struct http_secrets known;
static char folder[] = "/tmp/pgcrew-secret-XXXXXX";

static const char *
path_of(const char *name)
{
    return arena_printf(&arena, "%s/%s", folder, name);
}

static void
write_file(const char *name, const char *data, size_t len)
{
    FILE *f = fopen(path_of(name), "we");

    if (f == NULL || fwrite(data, 1, len, f) != len || fclose(f) != 0)
        abort();
}

/* The secret, or what is wrong with it. */
static const char *
get(const char *reference)
{
    const struct http_secret *secret;
    struct err err;

    known.first = NULL;
    if (!http_secret_get(reference, &arena, &known, &secret, &err)) {
        is_int(err.class, ERR_CONFIG, "a person has to act");
        return arena_strdup(&arena, err.text);
    }
    is_int(strlen(secret->data), secret->len, "its length is known");
    ok(known.first == secret, "it is noted");
    return secret->data;
}

static const char *
expand(const char *value)
{
    const char *ret;
    struct err err;

    known.first = NULL;
    if (!http_secret_expand(value, &arena, &known, &ret, &err))
        return arena_strdup(&arena, err.text);
    return ret;
}

static void
test_env(void)
{
    setenv("A_KEY", "sesame", 1);
    setenv("EMPTY_KEY", "", 1);
    unsetenv("NO_KEY");
    is_str(get("env:A_KEY"), "sesame", "a variable");
    is_str(get("env:NO_KEY"), "no secret 'env:NO_KEY': it is not set", "one that is not set");
    is_str(get("env:EMPTY_KEY"), "no secret 'env:EMPTY_KEY': it is empty", "an empty one");
}

static void
test_file(void)
{
    static char large[SECRET_MAX + 2];
    const char *reference = arena_printf(&arena, "file:%s", path_of("key"));

    write_file("key", "open\n", 5);
    is_str(get(reference), "open", "a file, without its line end");
    write_file("key", "shut\r\n", 6);
    is_str(get(reference), "shut", "read anew each time");
    write_file("key", " a b \n\n", 7);
    is_str(get(reference), " a b ", "blanks belong to it");
    write_file("key", "\n", 1);
    has_str(get(reference), "it is empty", "nothing but a line end");
    memset(large, 'x', sizeof(large));
    write_file("key", large, SECRET_MAX);
    is_int(strlen(get(reference)), SECRET_MAX, "as long as may be");
    write_file("key", large, SECRET_MAX + 1);
    has_str(get(reference), "it is longer than 16 KiB", "longer than that");
    has_str(get("file:/nonexistent/key"),
            "no secret 'file:/nonexistent/key': cannot read it: No such file or directory",
            "a missing file");
    has_str(get(arena_printf(&arena, "file:%s", folder)), "it is not a file", "a folder");
    if (mkfifo(path_of("fifo"), 0600) != 0)
        abort();
    has_str(get(arena_printf(&arena, "file:%s", path_of("fifo"))), "it is not a file",
            "a FIFO: nobody waits for it");
    has_str(get("file:relative"), "it must be env:NAME, file:/PATH or credential:NAME",
            "a relative path");
    has_str(get("sesame"), "it must be env:NAME", "no reference at all");
}

static void
test_credential(void)
{
    unsetenv("CREDENTIALS_DIRECTORY");
    has_str(get("credential:token"), "CREDENTIALS_DIRECTORY is not set", "without systemd");
    setenv("CREDENTIALS_DIRECTORY", folder, 1);
    write_file("token", "abc123\n", 7);
    is_str(get("credential:token"), "abc123", "a credential");
    has_str(get("credential:none"), "No such file", "a missing one");
    has_str(get("credential:../token"), "no name of a credential", "one that leads elsewhere");
    has_str(get("credential:x/token"), "no name of a credential", "or deeper");
    has_str(get("credential:"), "no name of a credential", "or nowhere");
}

static void
test_expand(void)
{
    const struct http_secret *second;

    setenv("A_KEY", "sesame", 1);
    setenv("LINES", "a\r\nX-Evil: 1", 1);
    is_str(expand("plain, $1 {x}"), "plain, $1 {x}", "no reference");
    is_str(expand("Bearer ${env:A_KEY}"), "Bearer sesame", "one");
    is_str(expand("${env:A_KEY}:${credential:token}!"), "sesame:abc123!", "two");
    second = known.first;
    is_str(second->data, "abc123", "the last is noted");
    is_str(second->next->data, "sesame", "and the first");
    is_str(expand("${env:LINES}"), "secret 'env:LINES' has control characters in it",
           "a line end in a secret: named, not shown");
    is_str(expand("a\tb"), "a header has control characters in it", "a tab in the text");
    is_str(expand("x${env:A_KEY"), "a '${' has no '}'", "an open one");
    has_str(expand("${A_KEY}"), "it must be env:NAME", "one without a place");
    write_file("nul", "a\0b", 3);
    has_str(expand("${credential:nul}"), "control characters", "a NUL in a secret");
}

static void
test_mask(void)
{
    char text[] = "sesame, Sesame, sesamesesame, sesam; abc12 abc123";

    setenv("A_KEY", "sesame", 1);
    setenv("SHORT", "abc12", 1);
    expand("${env:A_KEY} ${env:SHORT} ${credential:token}");
    http_secrets_mask(&known, text, strlen(text));
    is_str(text, "******, Sesame, ************, sesam; abc12 ******",
           "what repeats a secret is masked, short ones are not");
    http_secrets_mask(&known, NULL, 0);
    http_secrets_mask(&(struct http_secrets){.first = NULL}, text, strlen(text));
    ok(true, "nothing to mask is fine");
}

int
main(void)
{
    if (mkdtemp(folder) == NULL)
        abort();
    arena_init(&arena);
    test_env();
    test_file();
    test_credential();
    test_expand();
    test_mask();
    unlink(path_of("key"));
    unlink(path_of("fifo"));
    unlink(path_of("token"));
    unlink(path_of("nul"));
    rmdir(folder);
    arena_release(&arena);
    return done_testing();
}
