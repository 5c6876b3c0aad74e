/*
 * Whose the file is and who else may read or change it; and a database URL that is kept in
 * another file.
 *
 * Who can change the configuration says what the daemon runs, so root takes none that
 * others can change.  Other users are only warned: a file of another owner is what every
 * container has.
 */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/secret.h"
#include "config/internal.h"

static bool
has_password(const char *url)
{
    const char *user = strstr(url, "://"), *at = user != NULL ? strchr(user + 3, '@') : NULL;
    const char *colon = at != NULL ? memchr(user + 3, ':', (size_t)(at - user - 3)) : NULL;

    return colon != NULL || strstr(url, "password=") != NULL;
}

/* Has the file itself a password, in its own text? */
static bool
holds_password(const struct conf *conf)
{
    return conf->db_url != NULL && !secret_is_in_file(conf->db_url) && has_password(conf->db_url);
}

bool
conf_check_rights(struct conf *conf, bool for_tool, struct err *err)
{
    bool is_root = geteuid() == 0 && !for_tool;
    struct stat st;

    if (stat(conf->path, &st) < 0)
        return err_errno(err, ERR_CONFIG, "cannot look at '%s'", conf->path);
    if (!S_ISREG(st.st_mode))
        return true; /* a pipe or a device was asked for by name */
    if (st.st_uid != 0 && st.st_uid != geteuid())
        conf->doubt = arena_printf(&conf->arena, "'%s' belongs to user %u, who can change it",
                                   conf->path, st.st_uid);
    else if (st.st_mode & S_IWOTH)
        conf->doubt = arena_printf(&conf->arena, "everybody can change '%s'", conf->path);
    if (conf->doubt != NULL && is_root)
        return err_set(err, ERR_CONFIG, "%s: not for a daemon of root", conf->doubt);
    if (conf->doubt == NULL && st.st_mode & S_IROTH && holds_password(conf))
        conf->doubt = arena_printf(
            &conf->arena, "everybody can read '%s', and there is a password in it", conf->path);
    return true;
}

bool
conf_look_up_url(struct conf *conf, bool for_tool, struct err *err)
{
    AUTO(buf) struct buf text = {.data = NULL};

    if (conf->db_url == NULL || !secret_is_in_file(conf->db_url))
        return true;
    if (!secret_read(conf->db_url, &text, err)) {
        /* A credential is the service's alone; most commands need no database, or have --database. */
        return for_tool || err_before(err, "database.url");
    }
    conf->db_url = arena_memdup(&conf->arena, buf_text(&text), text.len);
    return true;
}
