/*
 * Configuration files for tests: written to a folder of this test, loaded by
 * their text.
 */
#ifndef PGCREW_TESTS_CONF_FILE_H
#define PGCREW_TESTS_CONF_FILE_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/conf.h"

static char conf_dir[] = "/tmp/pgcrew-conf.XXXXXX";

static int
conf_remove_entry(const char *path, const struct stat *st, int type, struct FTW *where)
{
    (void)st, (void)type, (void)where;
    return remove(path);
}

__attribute__((unused)) static void
conf_dir_remove(void)
{
    if (nftw(conf_dir, conf_remove_entry, 8, FTW_DEPTH | FTW_PHYS) != 0)
        fprintf(stderr, "cannot remove %s\n", conf_dir);
}

/* Nothing of the caller's environment may decide a test. */
__attribute__((unused)) static void
conf_dir_make(void)
{
    const char *path = getenv("PATH");
    char *keep = strdup(path != NULL ? path : "/usr/bin:/bin");

    clearenv();
    setenv("PATH", keep, 1);
    free(keep);
    if (mkdtemp(conf_dir) == NULL)
        abort();
    atexit(conf_dir_remove);
}

/* A file in the folder; returns its path, valid until the next call. */
__attribute__((unused)) static const char *
conf_write(const char *name, const char *text, mode_t mode)
{
    static char path[128];
    FILE *f;

    snprintf(path, sizeof(path), "%s/%s", conf_dir, name);
    unlink(path);
    f = fopen(path, "w");
    if (f == NULL || fputs(text, f) < 0 || fclose(f) != 0 || chmod(path, mode) < 0)
        abort();
    return path;
}

/* Load pgcrew.yaml with this text; NULL and a filled err when it is refused. */
__attribute__((unused)) static struct conf *
conf_from(const char *text, struct err *err)
{
    struct conf_source from = {.path = conf_write("pgcrew.yaml", text, 0644)};
    struct conf *conf = NULL;

    err_clear(err);
    if (!conf_load(&from, &conf, err))
        return NULL;
    return conf;
}

/* The error of a text that must be refused, without the folder's name. */
__attribute__((unused)) static const char *
conf_error(const char *text)
{
    static struct err err;
    struct conf *conf = conf_from(text, &err);

    if (conf != NULL) {
        conf_free(conf);
        return "(accepted)";
    }
    if (strncmp(err.text, conf_dir, strlen(conf_dir)) == 0)
        return err.text + strlen(conf_dir) + 1;
    return err.text;
}

#endif
