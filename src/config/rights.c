/*
 * Whose the file is and who else may read or change it; and secrets that are kept
 * elsewhere.
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

static const char **
secret_of(const struct option *o, struct conf *conf)
{
    return (const char **)(void *)((char *)conf + o->field);
}

/* Has the file itself a secret, in its own text? */
static bool
holds_secret(struct conf *conf)
{
    for (size_t i = 0; i < conf_options.n; i++) {
        const struct option *o = &conf_options.rows[i];
        const char *text = o->flags & CONF_SECRET ? *secret_of(o, conf) : NULL;

        if (text != NULL && !secret_is_reference(text) &&
            (!(o->flags & CONF_URL) || has_password(text)))
            return true;
    }
    return false;
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
    if (conf->doubt == NULL && st.st_mode & S_IROTH && holds_secret(conf))
        conf->doubt = arena_printf(
            &conf->arena, "everybody can read '%s', and there is a password in it", conf->path);
    return true;
}

static bool
look_up(const struct option *o, struct conf *conf, bool for_tool, struct err *err)
{
    AUTO(buf) struct buf text = {.data = NULL};
    const char **secret = secret_of(o, conf);
    bool good;

    if (*secret == NULL || !secret_is_reference(*secret))
        return true;
    good = secret_read(*secret, &text, err);
    if (good)
        *secret = arena_memdup(&conf->arena, buf_text(&text), text.len);
    if (text.data != NULL)
        explicit_bzero(text.data, text.len);
    /* A credential is the service's alone; most commands need no database, or have --database. */
    return good || for_tool || err_before(err, "%s", o->name);
}

bool
conf_look_up_secrets(struct conf *conf, bool for_tool, struct err *err)
{
    for (size_t i = 0; i < conf_options.n; i++) {
        const struct option *o = &conf_options.rows[i];

        if (o->flags & CONF_SECRET && !look_up(o, conf, for_tool, err))
            return false;
    }
    return true;
}
