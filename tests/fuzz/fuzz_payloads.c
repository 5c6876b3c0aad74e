/* Payloads of `pgcrew enqueue`: a text, lines of JSON, a list of files. */
#include "fuzz.h"

#include "cli/payloads.h"
#include "cli/values.h"

static char dir[] = "/tmp/pgcrew-fuzz.XXXXXX";

static void
clean_up(void)
{
    must(unlink("a.txt") == 0 && rmdir(dir) == 0);
}

/* Names in a list are looked for in a folder of our own. */
static void
start(void)
{
    static bool started;
    int fd;

    if (started)
        return;
    started = true;
    must(mkdtemp(dir) != NULL && chdir(dir) == 0);
    fd = open("a.txt", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    must(fd >= 0 && close(fd) == 0);
    atexit(clean_up);
}

static void
read_all(struct payloads *p, size_t most)
{
    AUTO(buf) struct buf payload = {0};
    enum payload_next got;
    size_t n = 0;

    do {
        struct err err = {0};

        got = payloads_next(p, &payload, &err);
        if (got == PAYLOAD_GOT)
            must(value_parse(buf_text(&payload), payload.len, NULL, &err));
        if (got == PAYLOAD_BAD || got == PAYLOAD_BROKEN)
            must_say(&err);
        must(n++ <= most);
    } while (got == PAYLOAD_GOT || got == PAYLOAD_BAD);
    payloads_free(p);
}

static bool
stays_here(const char *data, size_t len)
{
    return memchr(data, '/', len) == NULL;
}

static void
fuzz(const char *data, size_t len)
{
    struct input in = {data, len};
    uint8_t how = take_byte(&in) % 4;
    size_t most = in.left + 1;
    const char *path;
    char *text;

    start();
    file_of(in.at, in.left, &path);
    if (how == 0) {
        read_all(payloads_of_lines(path), most);
    } else if (how == 1 && stays_here(in.at, in.left)) {
        read_all(payloads_of_files(NULL, 0, path, '\n'), most);
    } else if (how == 2 && stays_here(in.at, in.left)) {
        read_all(payloads_of_files(NULL, 0, path, '\0'), most);
    } else {
        text = take_text(&in);
        if (strcmp(text, "-") != 0)
            read_all(payloads_of_text(text), most);
        free(text);
    }
}
