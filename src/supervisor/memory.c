/*
 * How much memory a child has.
 *
 * Children are hidden (proc_hide): under ProtectProc=invisible not even a process of
 * the same user finds them in /proc.  So each opens its own files there, right after
 * the fork, and hands them to us; what is read from them later is asked of nobody.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/proc.h"
#include "supervisor/internal.h"

static const char *const files[MEMORY_FILES] = {
    [MEMORY_STATUS] = "/proc/self/status",
    [MEMORY_ROLLUP] = "/proc/self/smaps_rollup",
};

union packet {
    struct cmsghdr align;
    char room[CMSG_SPACE(sizeof(int) * MEMORY_FILES)];
};

void
memory_hand_over(int socket)
{
    union packet packet = {.room = ""};
    char byte = 'm';
    struct iovec data = {.iov_base = &byte, .iov_len = 1};
    struct msghdr message = {.msg_iov = &data,
                             .msg_iovlen = 1,
                             .msg_control = packet.room,
                             .msg_controllen = sizeof(packet.room)};
    struct cmsghdr *head = CMSG_FIRSTHDR(&message);
    int fds[MEMORY_FILES];

    for (int i = 0; i < MEMORY_FILES; i++)
        fds[i] = open(files[i], O_RDONLY | O_CLOEXEC);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(sizeof(fds));
    memcpy(CMSG_DATA(head), fds, sizeof(fds));
    /* Who cannot hand over is not measured. */
    sendmsg(socket, &message, MSG_NOSIGNAL);
    for (int i = 0; i < MEMORY_FILES; i++)
        auto_fd(&fds[i]);
}

static void
take(struct member *m)
{
    union packet packet;
    char byte;
    struct iovec data = {.iov_base = &byte, .iov_len = 1};
    struct msghdr message = {.msg_iov = &data,
                             .msg_iovlen = 1,
                             .msg_control = packet.room,
                             .msg_controllen = sizeof(packet.room)};
    const struct cmsghdr *head;

    if (m->memory_socket < 0 || recvmsg(m->memory_socket, &message, MSG_DONTWAIT) <= 0)
        return;
    head = CMSG_FIRSTHDR(&message);
    if (head != NULL && head->cmsg_type == SCM_RIGHTS &&
        head->cmsg_len == CMSG_LEN(sizeof(m->memory_fds)))
        memcpy(m->memory_fds, CMSG_DATA(head), sizeof(m->memory_fds));
    close(m->memory_socket);
    m->memory_socket = -1;
}

int64_t
memory_rss_bytes(struct member *m)
{
    take(m);
    return proc_read_bytes(m->memory_fds[MEMORY_STATUS], "VmRSS:");
}

int64_t
memory_pss_bytes(struct member *m)
{
    take(m);
    return proc_read_bytes(m->memory_fds[MEMORY_ROLLUP], "Pss:");
}

void
memory_release(struct member *m)
{
    auto_fd(&m->memory_socket);
    for (int i = 0; i < MEMORY_FILES; i++)
        auto_fd(&m->memory_fds[i]);
}
