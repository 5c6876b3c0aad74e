/* Where payloads come from: text, files, lists of files, lines. */
#include "cli/payloads.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/values.h"
#include "tap.h"

static char dir[] = "/tmp/pgcrew-payloads.XXXXXX";
static struct buf got;
static struct err err;

static const char *
in_dir(const char *name)
{
    static char path[256];

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    return path;
}

static void
write_file(const char *name, const char *text, size_t len)
{
    FILE *f = fopen(in_dir(name), "w");

    if (f == NULL || fwrite(text, 1, len, f) != len)
        exit(1);
    fclose(f);
}

static void
texts(void)
{
    struct payloads *p = payloads_of_text("{\"a\": [1, 2.50]}");

    is_int(payloads_next(p, &got, &err), PAYLOAD_GOT, "a payload");
    is_str(buf_text(&got), "{\"a\": [1, 2.50]}", "stays as it was written");
    is_int(payloads_next(p, &got, &err), PAYLOAD_END, "and is the only one");
    payloads_free(p);

    p = payloads_of_text(NULL);
    is_int(payloads_next(p, &got, &err), PAYLOAD_GOT, "without a payload");
    is_str(buf_text(&got), "{}", "it is an empty object");
    payloads_free(p);

    p = payloads_of_text("{\n \"a\": }");
    is_int(payloads_next(p, &got, &err), PAYLOAD_BAD, "one that is not JSON");
    has_str(err.text, "line 2, column 7", "is refused with line and column");
    payloads_free(p);
}

static void
lines(void)
{
    static const char text[] =
        "{\"n\": 1}\n\n  \r\n\"text\"\n{\"n\": \n3\r\n{\"a\":\"\\u0000\"}\n\0\n[1]";
    static const enum payload_next expected[] = {PAYLOAD_GOT, PAYLOAD_GOT, PAYLOAD_BAD,
                                                 PAYLOAD_GOT, PAYLOAD_BAD, PAYLOAD_BAD,
                                                 PAYLOAD_GOT, PAYLOAD_END};
    struct payloads *p;

    write_file("lines", text, sizeof(text) - 1);
    p = payloads_of_lines(in_dir("lines"));
    for (size_t i = 0; i < LENGTH(expected); i++) {
        is_int(payloads_next(p, &got, &err), expected[i], "payload %zu of lines", i + 1);
        if (i == 2)
            has_str(err.text, "line 5, column 6", "the bad line is named");
        if (i == 4)
            has_str(err.text, "line 7", "a NUL in a text is refused: PostgreSQL keeps none");
        if (i == 5)
            has_str(err.text, "line 8", "so is a NUL byte");
    }
    payloads_free(p);

    p = payloads_of_lines(in_dir("missing"));
    is_int(payloads_next(p, &got, &err), PAYLOAD_BROKEN, "a file that is not there");
    has_str(err.text, "missing': No such file", "is named");
    payloads_free(p);
    p = payloads_of_lines(dir);
    is_int(payloads_next(p, &got, &err), PAYLOAD_BROKEN, "a folder has no lines");
    payloads_free(p);
}

static void
one_file(void)
{
    struct buf json = {0};
    json_t *payload = NULL;

    write_file("a b\xc3\xbc\".txt", "four", 4);
    ok(payload_of_file(in_dir("a b\xc3\xbc\".txt"), &json, &err) &&
           value_parse(buf_text(&json), json.len, &payload, &err),
       "a file is a payload");
    is_str(value_text(payload, "name"), "a b\xc3\xbc\".txt", "its name");
    is_int((int64_t)value_real(payload, "size"), 4, "its size");
    ok(value_text(payload, "path")[0] == '/', "its absolute path");
    json_decref(payload);
    buf_clear(&json);

    ok(!payload_of_file(dir, &json, &err), "a folder is none");
    has_str(err.text, "is a folder", "and is called one");
    ok(!payload_of_file("/dev/null", &json, &err), "a device is none");
    mkfifo(in_dir("fifo"), 0600);
    ok(!payload_of_file(in_dir("fifo"), &json, &err), "a FIFO is none, and nobody waits for it");
    write_file("bad\xff", "", 0);
    ok(!payload_of_file(in_dir("bad\xff"), &json, &err), "a name that is not UTF-8");
    has_str(err.text, "not UTF-8", "cannot be written as JSON");
    buf_release(&json);
}

static void
lists(void)
{
    static const char list[] = "/dev/null\0\0/nonexistent\n\0";
    const char *first = in_dir("lines");
    char *kept = strdup(first);
    const char *files[] = {kept};
    struct payloads *p;

    write_file("list", list, sizeof(list) - 1);
    p = payloads_of_files(files, 1, in_dir("list"), '\0');
    is_int(payloads_next(p, &got, &err), PAYLOAD_GOT, "names on the command line come first");
    is_int(payloads_next(p, &got, &err), PAYLOAD_BAD, "then those of the list");
    has_str(err.text, "/dev/null", "by NUL bytes");
    is_int(payloads_next(p, &got, &err), PAYLOAD_BAD, "an empty name is passed over");
    has_str(err.text, "nonexistent", "and a bad one ends nothing");
    is_int(payloads_next(p, &got, &err), PAYLOAD_END, "the end");
    payloads_free(p);
    free(kept);
}

int
main(void)
{
    char *remove;

    if (mkdtemp(dir) == NULL)
        return 1;
    texts();
    lines();
    one_file();
    lists();
    buf_release(&got);
    remove = xasprintf("rm -rf '%s'", dir);
    ok(system(remove) == 0, "cleaned up");
    free(remove);
    return done_testing();
}
