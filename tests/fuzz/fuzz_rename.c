/* The text of a migration for a queue in another schema. */
#include "fuzz.h"

#include "db/rename.h"

static void
fuzz(const char *data, size_t len)
{
    struct input in = {data, len};
    char *sql = take_text(&in);
    AUTO(buf) struct buf once = {0}, twice = {0}, other = {0};

    rename_queue(sql, "bench_1", &once);
    rename_queue(buf_text(&once), "bench_1", &twice);
    rename_queue(sql, "bench_2", &other);
    /* What is renamed has nothing left to be renamed; and another name is as long. */
    must(strcmp(buf_text(&once), buf_text(&twice)) == 0);
    must(once.len == other.len && once.len <= strlen(sql) * 7);
    if (strstr(sql, "public") == NULL && strstr(sql, "pgcrew") == NULL &&
        strstr(sql, "pgrst") == NULL && strstr(sql, "18858238") == NULL)
        must(strcmp(buf_text(&once), sql) == 0);
    free(sql);
}
