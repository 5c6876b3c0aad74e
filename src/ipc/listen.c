#include "ipc/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#define INHERITED "systemd"

static bool
listens(int fd, struct err *err)
{
    /* The kernel makes less of it where net.core.somaxconn says so. */
    return listen(fd, 4096) == 0 || err_errno(err, ERR_CONFIG, "cannot listen");
}

static void
add(struct listen_set *set, const char *text, int fd, struct ctl_place place)
{
    set->sockets = xrealloc(set->sockets, (set->n + 1) * sizeof(*set->sockets));
    set->sockets[set->n++] =
        (struct listen_socket){.text = xstrdup(text), .fd = fd, .place = place};
}

static void
close_socket(struct listen_socket *s)
{
    if (s->place.path != NULL)
        ctl_place_release(&s->place); /* its fd is ours */
    else
        close(s->fd);
    free(s->text);
}

/* --- TCP --------------------------------------------------------------------------- */

/* "host:port" or "[host]:port"; the answer of getaddrinfo() is the caller's. */
static bool
read_address(const char *text, struct addrinfo **ret, struct err *err)
{
    static const struct addrinfo wish = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
                                         .ai_socktype = SOCK_STREAM};
    const char *colon = strrchr(text, ':');
    size_t len = colon != NULL ? (size_t)(colon - text) : 0;
    bool in_brackets = len > 2 && text[0] == '[' && text[len - 1] == ']';
    AUTO(mem) char *host = xstrndup(text + in_brackets, len - 2 * (size_t)in_brackets);

    if (len == 0 || colon[1] < '0' || colon[1] > '9' || strtol(colon + 1, NULL, 10) > 65535 ||
        (strchr(host, ':') != NULL) != in_brackets || getaddrinfo(host, colon + 1, &wish, ret) != 0)
        return err_set(err, ERR_CONFIG,
                       "this is no address like 127.0.0.1:8480 or [::1]:8480, no path that begins "
                       "with / and not '" INHERITED "'");
    return true;
}

static bool
open_address(const struct addrinfo *to, int *ret_fd, struct err *err)
{
    AUTO(fd) int fd = socket(to->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int on = 1;

    if (fd < 0)
        return err_errno(err, errno == EAFNOSUPPORT ? ERR_CONFIG : ERR_RETRY,
                         "cannot make a socket");
    /* Ports of connections that have just ended are no hindrance. */
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (to->ai_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
    if (bind(fd, to->ai_addr, to->ai_addrlen) < 0)
        return err_errno(err, ERR_CONFIG, "cannot take this address");
    if (!listens(fd, err))
        return false;
    *ret_fd = TAKE_FD(fd);
    return true;
}

static bool
add_tcp(struct listen_set *set, const char *text, struct err *err)
{
    struct addrinfo *to = NULL;
    int fd = -1;
    bool opened;

    if (!read_address(text, &to, err) || to == NULL)
        return false;
    opened = open_address(to, &fd, err);
    freeaddrinfo(to);
    if (opened)
        add(set, text, fd, CTL_NOWHERE);
    return opened;
}

/* --- the others -------------------------------------------------------------------- */

static bool
add_file(struct listen_set *set, const char *text, struct err *err)
{
    struct ctl_place place = CTL_NOWHERE;

    if (!ctl_listen(text, NULL, &place, err))
        return false;
    if (!listens(place.fd, err)) {
        ctl_place_release(&place);
        return false;
    }
    add(set, text, place.fd, place);
    return true;
}

static bool
add_inherited_one(struct listen_set *set, int inherited, struct err *err)
{
    AUTO(fd) int fd = -1;

    if (sd_is_socket(inherited, AF_UNSPEC, SOCK_STREAM, 1) <= 0)
        return err_set(err, ERR_CONFIG, "descriptor %d is no listening stream socket", inherited);
    /* A copy: the number must not become something else when this one is closed. */
    fd = fcntl(inherited, F_DUPFD_CLOEXEC, 3);
    if (fd < 0)
        return err_errno(err, ERR_RETRY, "cannot copy descriptor %d", inherited);
    if (fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) < 0)
        return err_errno(err, ERR_CONFIG, "cannot use descriptor %d", inherited);
    add(set, INHERITED, TAKE_FD(fd), CTL_NOWHERE);
    return true;
}

static bool
add_inherited(struct listen_set *set, const char *fd_name, struct err *err)
{
    char **names = NULL;
    int n = sd_listen_fds_with_names(0, &names);
    size_t before = set->n;
    bool good = true;

    for (int i = 0; i < n; i++) {
        if (good && names != NULL && strcmp(names[i], fd_name) == 0)
            good = add_inherited_one(set, SD_LISTEN_FDS_START + i, err);
    }
    for (int i = 0; names != NULL && names[i] != NULL; i++)
        free(names[i]);
    free(names);
    if (good && set->n == before)
        return err_set(err, ERR_CONFIG,
                       "systemd has passed no socket of the name '%s' (FileDescriptorName=)",
                       fd_name);
    return good;
}

/* --- sets -------------------------------------------------------------------------- */

/* Those of set with this text are given away: their text is NULL in it. */
static bool
move_known(struct listen_set *set, const char *text, struct listen_set *to)
{
    bool found = false;

    for (size_t i = 0; i < set->n; i++) {
        struct listen_socket *s = &set->sockets[i];

        if (s->text == NULL || strcmp(s->text, text) != 0)
            continue;
        add(to, text, s->fd, s->place);
        free(s->text);
        s->text = NULL;
        found = true;
    }
    return found;
}

static bool
is_in(const struct listen_set *set, const char *text)
{
    for (size_t i = 0; i < set->n; i++) {
        if (set->sockets[i].text != NULL && strcmp(set->sockets[i].text, text) == 0)
            return true;
    }
    return false;
}

static bool
add_new(struct listen_set *set, const char *text, const char *fd_name, struct err *err)
{
    bool good = text[0] == '/'                 ? add_file(set, text, err)
                : strcmp(text, INHERITED) == 0 ? add_inherited(set, fd_name, err)
                                               : add_tcp(set, text, err);

    return good || err_before(err, "'%s'", text);
}

bool
listen_open(struct listen_set *set, const char *const *texts, size_t n, const char *fd_name,
            struct err *err)
{
    struct listen_set fresh = {0};

    for (size_t i = 0; i < n; i++) {
        if (!is_in(set, texts[i]) && !is_in(&fresh, texts[i]) &&
            !add_new(&fresh, texts[i], fd_name, err)) {
            listen_release(&fresh);
            return false;
        }
    }
    for (size_t i = 0; i < n; i++)
        move_known(set, texts[i], &fresh);
    listen_release(set);
    *set = fresh;
    return true;
}

void
listen_release(struct listen_set *set)
{
    for (size_t i = 0; i < set->n; i++) {
        if (set->sockets[i].text != NULL)
            close_socket(&set->sockets[i]);
    }
    free(set->sockets);
    *set = (struct listen_set){0};
}

/* The name of a Unix socket need not end with a NUL. */
static const char *
path_of(const struct sockaddr_un *un, socklen_t len, char ret[128])
{
    size_t offset = offsetof(struct sockaddr_un, sun_path);
    int most = len > offset ? (int)(len - offset) : 0;

    snprintf(ret, 128, "%.*s", most, un->sun_path);
    return ret;
}

const char *
listen_bound_to(int fd, char ret[128])
{
    union {
        struct sockaddr any;
        struct sockaddr_un un;
        struct sockaddr_storage space;
    } at = {0};
    socklen_t len = sizeof(at);
    char host[NI_MAXHOST], port[NI_MAXSERV];

    snprintf(ret, 128, "descriptor %d", fd);
    if (getsockname(fd, &at.any, &len) < 0)
        return ret;
    if (at.any.sa_family == AF_UNIX)
        return path_of(&at.un, len, ret);
    if (getnameinfo(&at.any, len, host, sizeof(host), port, sizeof(port),
                    NI_NUMERICHOST | NI_NUMERICSERV) == 0)
        snprintf(ret, 128, at.any.sa_family == AF_INET6 ? "[%.90s]:%s" : "%.90s:%s", host, port);
    return ret;
}
