#include "cli/migrate_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "sqltext.h"

#define STAMP_LENGTH 14 /* YYYYMMDDhhmmss */
#define STAMP_SIZE (STAMP_LENGTH + 1)

/* What lies in the folder already. */
struct folder {
    char newest[STAMP_SIZE];
    bool has[64]; /* by place in migrations[] */
};

/* "..._pgcrew_004_create_jobs_table.sql" */
static bool
is_file_of(const char *name, const struct migration *m)
{
    char end[256];
    size_t len = strlen(name), end_len;

    snprintf(end, sizeof(end), "_pgcrew_%s", m->file);
    end_len = strlen(end);
    return len > end_len && strcmp(name + len - end_len, end) == 0;
}

static void
folder_see(struct folder *f, const char *name)
{
    if (strspn(name, "0123456789") >= STAMP_LENGTH && strncmp(name, f->newest, STAMP_LENGTH) > 0)
        memcpy(f->newest, name, STAMP_LENGTH);
    for (size_t i = 0; i < n_migrations && i < LENGTH(f->has); i++)
        f->has[i] = f->has[i] || is_file_of(name, &migrations[i]);
}

static bool
folder_read(const char *dir, struct folder *ret, struct err *err)
{
    AUTO(dir) DIR *d = opendir(dir);
    const struct dirent *entry;

    *ret = (struct folder){.newest = ""};
    if (d == NULL)
        return err_errno(err, ERR_CONFIG, "cannot read '%s'", dir);
    while ((entry = readdir(d)) != NULL)
        folder_see(ret, entry->d_name);
    return true;
}

/* Now, or a second after the newest file, whichever is later. */
static time_t
first_time(const struct folder *f)
{
    time_t now = time(NULL), after = 0;
    struct tm tm = {0};

    if (f->newest[0] != '\0' && strptime(f->newest, "%Y%m%d%H%M%S", &tm) != NULL)
        after = timegm(&tm) + 1;
    return after > now ? after : now;
}

static bool
write_file(const char *path, const char *text, struct err *err)
{
    AUTO(fd) int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    size_t len = strlen(text);

    if (fd < 0)
        return err_errno(err, ERR_CONFIG, "cannot make '%s'", path);
    while (len > 0) {
        ssize_t n = write(fd, text, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_errno(err, ERR_CONFIG, "cannot write '%s'", path);
        text += n;
        len -= (size_t)n;
    }
    return true;
}

static bool
write_one(const char *dir, const struct migration *m, time_t at, json_t *written, struct err *err)
{
    AUTO(mem) char *path = NULL;
    char stamp[STAMP_SIZE];
    struct tm tm;

    gmtime_r(&at, &tm);
    strftime(stamp, sizeof(stamp), "%Y%m%d%H%M%S", &tm);
    path = xasprintf("%s/%s_pgcrew_%s", dir, stamp, m->file);
    if (!write_file(path, m->text, err))
        return false;
    json_array_append_new(written, json_string(path));
    return true;
}

/* A project's folder stands for the migrations in it. */
static char *
migrations_folder(const char *dir)
{
    AUTO(mem) char *inside = xasprintf("%s/supabase/migrations", dir);
    struct stat st;

    if (stat(inside, &st) == 0 && S_ISDIR(st.st_mode))
        return TAKE(inside);
    return xstrdup(dir);
}

bool
migrate_write_files(const char *dir, json_t **ret, struct err *err)
{
    AUTO(mem) char *folder = migrations_folder(dir);
    json_t *written = json_array();
    struct folder f;
    time_t at;

    if (!folder_read(folder, &f, err)) {
        json_decref(written);
        return false;
    }
    at = first_time(&f);
    for (size_t i = 0; i < n_migrations && i < LENGTH(f.has); i++) {
        /* The file for plain PostgreSQL does nothing there. */
        if (migrations[i].version == 0 || f.has[i])
            continue;
        if (!write_one(folder, &migrations[i], at++, written, err)) {
            json_decref(written);
            return false;
        }
    }
    *ret = written;
    return true;
}
