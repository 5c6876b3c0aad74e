/*
 * The list of worker processes whose jobs were not given back yet.
 *
 * Records have a size that divides a page, so none is ever seen half written.  The first says
 * which boot it is: records of another one may be another machine's, whose locks we do not see.
 */
#include "ipc/kin.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/lifeline.h"

#define RECORD_SIZE 64
#define BOOT_ID "/proc/sys/kernel/random/boot_id"

struct record {
    char text[RECORD_SIZE]; /* a UUID or nothing, blanks, a newline */
};

struct kin {
    int fd;
    size_t n;                     /* records up to here have been used */
    struct uuid process[KIN_MAX]; /* zero: free */
};

/* --- records -------------------------------------------------------------------------- */

static struct record
record_of(const struct uuid *u)
{
    struct record r;
    char text[UUID_TEXT_SIZE];

    memset(r.text, ' ', sizeof(r.text) - 1);
    r.text[sizeof(r.text) - 1] = '\n';
    if (!uuid_is_zero(u))
        memcpy(r.text, uuid_text(text, u), sizeof(text) - 1);
    return r;
}

/* Zero when it is anything else. */
static struct uuid
uuid_of(const struct record *r)
{
    struct uuid u, none = {{0}};
    struct record same;
    char text[UUID_TEXT_SIZE];

    memcpy(text, r->text, sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    if (!uuid_parse(text, &u))
        return none;
    same = record_of(&u);
    return memcmp(same.text, r->text, sizeof(same.text)) == 0 ? u : none;
}

static bool
write_record(const struct kin *kin, size_t nth, const struct uuid *u)
{
    struct record r = record_of(u);

    return pwrite(kin->fd, r.text, sizeof(r.text), (off_t)(nth * RECORD_SIZE)) ==
           (ssize_t)sizeof(r.text);
}

static struct flock
lock_of(size_t nth)
{
    return (struct flock){
        .l_type = F_WRLCK,
        .l_whence = SEEK_SET,
        .l_start = (off_t)(nth * RECORD_SIZE),
        .l_len = RECORD_SIZE,
    };
}

/* --- reading what is there -------------------------------------------------------------- */

/* Under systemd's ProcSubset=pid there is no number of the boot; then the minute it was in. */
static struct uuid
boot_by_clock(void)
{
    struct timespec since;
    struct uuid u = {{0}};
    int64_t minute;

    clock_gettime(CLOCK_BOOTTIME, &since);
    minute = (clock_real_ms() - (int64_t)since.tv_sec * 1000 - since.tv_nsec / 1000000) / 60000;
    memcpy(&u, &minute, sizeof(minute));
    return u;
}

static struct uuid
read_boot(void)
{
    AUTO(fd) int fd = open(BOOT_ID, O_RDONLY | O_CLOEXEC);
    char text[UUID_TEXT_SIZE] = "";
    struct uuid u;

    if (fd < 0 || read(fd, text, sizeof(text) - 1) < 0 || !uuid_parse(text, &u))
        return boot_by_clock();
    return u;
}

static bool
check_file(int fd, bool *ret_trusted, struct err *err)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return err_errno(err, ERR_RETRY, "cannot look at it");
    if (!S_ISREG(st.st_mode) || st.st_uid != geteuid() || st.st_nlink > 1)
        return err_set(err, ERR_CONFIG, "it is not a file of ours alone");
    *ret_trusted = (st.st_mode & (S_IWGRP | S_IWOTH)) == 0;
    return true;
}

/* False when it is no list of this boot. */
static bool
read_list(struct kin *kin, const struct uuid *boot)
{
    size_t room = (KIN_MAX + 1) * sizeof(struct record);
    AUTO(mem) struct record *there = xmalloc(room);
    ssize_t bytes = pread(kin->fd, there, room, 0);
    size_t n = bytes > 0 ? (size_t)bytes / sizeof(*there) : 0;
    struct uuid first;

    if (n == 0)
        return false;
    first = uuid_of(&there[0]);
    if (!uuid_equal(&first, boot))
        return false;
    kin->n = n;
    for (size_t i = 1; i < n; i++)
        kin->process[i - 1] = uuid_of(&there[i]);
    return true;
}

static bool
begin_list(const struct kin *kin, const struct uuid *boot, struct err *err)
{
    if (ftruncate(kin->fd, 0) < 0 || fchmod(kin->fd, 0600) < 0 || !write_record(kin, 0, boot))
        return err_errno(err, ERR_RETRY, "cannot write it");
    return true;
}

struct kin *
kin_new(int fd, struct err *err)
{
    struct kin *kin;
    struct uuid boot = read_boot();
    bool trusted = false;

    if (!check_file(fd, &trusted, err))
        return NULL;
    kin = xcalloc(1, sizeof(*kin));
    kin->fd = fd;
    kin->n = 1;
    if ((!trusted || !read_list(kin, &boot)) && !begin_list(kin, &boot, err)) {
        free(kin);
        return NULL;
    }
    return kin;
}

void
kin_free(struct kin *kin)
{
    free(kin);
}

/* --- who is in it ------------------------------------------------------------------------- */

/* The number of its record; 0: it has none. */
static size_t
find(const struct kin *kin, const struct uuid *process)
{
    for (size_t nth = 1; kin != NULL && nth < kin->n; nth++) {
        if (uuid_equal(&kin->process[nth - 1], process))
            return nth;
    }
    return 0;
}

size_t
kin_list(const struct kin *kin, struct uuid **ret)
{
    size_t n = 0;

    *ret = xcalloc(kin != NULL ? kin->n : 1, sizeof(**ret));
    for (size_t nth = 1; kin != NULL && nth < kin->n; nth++) {
        if (!uuid_is_zero(&kin->process[nth - 1]))
            (*ret)[n++] = kin->process[nth - 1];
    }
    return n;
}

/* A description of its own, whose lock lasts as long as anybody has a copy of it. */
static int
open_again(const struct kin *kin, struct err *err)
{
    AUTO(fd) int first = -1;
    char path[32];
    int fd;

    snprintf(path, sizeof(path), "/proc/self/fd/%d", kin->fd);
    first = open(path, O_RDWR | O_CLOEXEC);
    fd = first < 0 ? -1 : fcntl(first, F_DUPFD_CLOEXEC, LIFELINE_LEAST);
    if (fd < 0)
        err_errno(err, ERR_RETRY, "cannot open it again");
    return fd;
}

/* A free record, locked; what is left of somebody may still have the lock of one. */
static size_t
lock_free_one(const struct kin *kin, int fd, struct err *err)
{
    for (size_t nth = 1; nth <= KIN_MAX; nth++) {
        struct flock lock = lock_of(nth);

        if (!uuid_is_zero(&kin->process[nth - 1]))
            continue;
        if (fcntl(fd, F_OFD_SETLK, &lock) == 0)
            return nth;
        if (errno != EAGAIN && errno != EACCES) {
            err_errno(err, ERR_RETRY, "cannot lock a record");
            return 0;
        }
    }
    err_set(err, ERR_RETRY, "all %d records are taken", KIN_MAX);
    return 0;
}

int
kin_add(struct kin *kin, const struct uuid *process, struct err *err)
{
    AUTO(fd) int fd = -1;
    size_t nth;

    if (kin == NULL) {
        err_set(err, ERR_RETRY, "there is no list");
        return -1;
    }
    fd = open_again(kin, err);
    nth = fd >= 0 ? lock_free_one(kin, fd, err) : 0;
    if (nth == 0)
        return -1;
    if (fault_fails("kin.write", ENOSPC) || !write_record(kin, nth, process)) {
        err_errno(err, ERR_RETRY, "cannot write to it");
        return -1;
    }
    fault_here("kin.written");
    kin->process[nth - 1] = *process;
    if (nth >= kin->n)
        kin->n = nth + 1;
    return TAKE_FD(fd);
}

void
kin_remove(struct kin *kin, const struct uuid *process)
{
    const struct uuid none = {{0}};
    size_t nth = find(kin, process);

    if (nth == 0)
        return;
    /* Should that fail: to be reaped once more does no harm. */
    (void)write_record(kin, nth, &none);
    kin->process[nth - 1] = none;
    fault_here("kin.removed");
}

bool
kin_lives(const struct kin *kin, const struct uuid *process)
{
    size_t nth = find(kin, process);
    struct flock lock = lock_of(nth);

    return nth != 0 && (fcntl(kin->fd, F_OFD_GETLK, &lock) < 0 || lock.l_type != F_UNLCK);
}
