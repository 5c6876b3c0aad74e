/*
 * What starting a program for each job costs at best: a bare loop that makes the pipes of
 * an exec handler, forks, executes, reads each pipe to its end and waits.
 *
 *     forks RUNS PROCESSES SLOTS HOW PROGRAM
 *
 * PROCESSES of these side by side, each with SLOTS programs at once, RUNS in all.  HOW is
 * fork, vfork or spawn (posix_spawn).  Prints runs/s.
 */
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MOST_SLOTS 64

/* Descriptors of the program: what it reads, what it says, its log, its progress. */
enum { N_PIPES = 4 };

struct child {
    pid_t pid;
    int ours[N_PIPES];
};

static const char *how, *program;
static char *const no_environment[] = {NULL};

static void
die(const char *what)
{
    perror(what);
    exit(1);
}

static double
now_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Runs in the child, after vfork in the memory of its parent. */
static void
become(const int *theirs, char *const *argv)
{
    for (int i = 0; i < N_PIPES; i++)
        dup2(theirs[i], i);
    execve(program, argv, no_environment);
    _exit(127);
}

static pid_t
spawn(const int *theirs, char *const *argv)
{
    posix_spawn_file_actions_t actions;
    pid_t pid;

    posix_spawn_file_actions_init(&actions);
    for (int i = 0; i < N_PIPES; i++)
        posix_spawn_file_actions_adddup2(&actions, theirs[i], i);
    if (posix_spawn(&pid, program, &actions, NULL, argv, no_environment) != 0)
        die("posix_spawn");
    posix_spawn_file_actions_destroy(&actions);
    return pid;
}

static pid_t
begin(const int *theirs)
{
    char name[] = "handler";
    char *argv[] = {name, NULL};
    pid_t pid;

    if (strcmp(how, "spawn") == 0)
        return spawn(theirs, argv);
    pid = strcmp(how, "vfork") == 0 ? vfork() : fork();
    if (pid == 0)
        become(theirs, argv);
    if (pid < 0)
        die("fork");
    return pid;
}

static void
start(struct child *c)
{
    int theirs[N_PIPES];

    for (int i = 0; i < N_PIPES; i++) {
        int ends[2];

        if (pipe2(ends, O_CLOEXEC) < 0)
            die("pipe2");
        /* Out of the way of the places 0 to 3. */
        c->ours[i] = ends[i == 0];
        theirs[i] = fcntl(ends[i != 0], F_DUPFD_CLOEXEC, 100);
        close(ends[i != 0]);
    }
    if (write(c->ours[0], "{}", 2) != 2)
        die("write");
    close(c->ours[0]);
    c->pid = begin(theirs);
    for (int i = 0; i < N_PIPES; i++)
        close(theirs[i]);
}

/* It has ended: its pipes are read to the end. */
static void
end(struct child *c)
{
    char data[4096];

    for (int i = 1; i < N_PIPES; i++) {
        while (read(c->ours[i], data, sizeof(data)) > 0)
            ;
        close(c->ours[i]);
    }
    c->pid = 0;
}

static void
run_all(long runs, int slots)
{
    struct child children[MOST_SLOTS] = {{0}};
    long started = 0, ended = 0;
    int status;

    while (started < slots && started < runs)
        start(&children[started++]);
    while (ended < runs) {
        pid_t pid = wait(&status);
        struct child *c = children;

        if (pid < 0 || status != 0)
            die(program);
        while (c->pid != pid)
            c++;
        end(c);
        ended++;
        if (started < runs) {
            start(c);
            started++;
        }
    }
    exit(0);
}

int
main(int argc, char **argv)
{
    long runs, processes, slots;
    int status, failed = 0;
    double begun;

    if (argc != 6 || atol(argv[2]) < 1 || atol(argv[3]) < 1 || atol(argv[3]) > MOST_SLOTS) {
        fprintf(stderr, "usage: see the head of tests/bench/forks.c\n");
        return 2;
    }
    runs = atol(argv[1]);
    processes = atol(argv[2]);
    slots = atol(argv[3]);
    how = argv[4];
    program = argv[5];
    /* So that no pipe gets a place of the program. */
    for (int fd = open("/dev/null", O_RDWR | O_CLOEXEC); fd <= N_PIPES; fd = dup(fd))
        ;
    begun = now_s();
    for (long i = 0; i < processes; i++) {
        if (fork() == 0)
            run_all(runs / processes, (int)slots);
    }
    while (wait(&status) > 0)
        failed |= status != 0;
    printf("%.1f\n", (double)(runs / processes * processes) / (now_s() - begun));
    return failed;
}
