/*
 * What a table and a connection can do at best, to set our figures against: bare loops in
 * the database that PGHOST and the like name, on the tables of tests/bench/limit.sql.
 *
 *     loop take BATCH CLIENTS              delete so many rows a statement until none is left
 *     loop claim BATCH CLIENTS             mark, commit, delete, commit
 *     loop life ROWS CHUNK BATCH CLIENTS   take while another client inserts
 *     loop repeat COUNT STATEMENT [CLIENTS]  the same statement, one after another
 *     loop listen COUNT PAUSE_MS [row]     from NOTIFY to the listener: ms, a line each;
 *                                          row: the transaction inserts one, too
 *     loop stamp COUNT PAUSE_MS KIND       enqueue jobs whose payload is the time of the call
 *
 * The first three print rows/s, `repeat` calls/s.
 */
#include <libpq-fe.h>
#include <poll.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static struct {
    atomic_long taken; /* rows, or calls */
} * shared;
static long batch, rows_wanted, chunk;
/* What clients prepare; without a text, nothing. */
static struct {
    const char *name;
    char text[2000];
} statements[] = {{"take", ""}, {"mark", ""}, {"done", ""}, {"insert", ""}, {"statement", ""}};
enum { TAKE, MARK, DONE, INSERT, STATEMENT, N_STATEMENTS };

static double
now_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void
pause_ms(long ms)
{
    struct timespec wait = {ms / 1000, ms % 1000 * 1000000};

    nanosleep(&wait, NULL);
}

static void
die(const char *what, const char *why)
{
    fprintf(stderr, "loop: %s: %s\n", what, why);
    exit(1);
}

static PGconn *
open_session(void)
{
    PGconn *db = PQconnectdb("");

    if (PQstatus(db) != CONNECTION_OK)
        die("cannot connect", PQerrorMessage(db));
    return db;
}

static PGresult *
checked(PGconn *db, PGresult *res)
{
    if (PQresultStatus(res) != PGRES_TUPLES_OK && PQresultStatus(res) != PGRES_COMMAND_OK)
        die("refused", PQerrorMessage(db));
    return res;
}

static void
prepare(PGconn *db, const char *name, const char *text)
{
    PQclear(checked(db, PQprepare(db, name, text, 0, NULL)));
}

static PGresult *
run(PGconn *db, const char *name, const char *arg)
{
    return checked(db, PQexecPrepared(db, name, arg != NULL, &arg, NULL, NULL, 0));
}

/* --- clients: each a process, told by a closed pipe to begin ------------------------ */

typedef void client_body(PGconn *db);

static void
take_all(PGconn *db)
{
    PGresult *res;
    long rows;

    do {
        res = run(db, "take", NULL);
        rows = PQntuples(res);
        PQclear(res);
        atomic_fetch_add(&shared->taken, rows);
    } while (rows > 0);
}

static void
claim_all(PGconn *db)
{
    PGresult *res;
    long rows;

    do {
        res = run(db, "mark", NULL);
        rows = atol(PQgetvalue(res, 0, 0));
        if (rows > 0)
            PQclear(run(db, "done", PQgetvalue(res, 0, 1)));
        PQclear(res);
        atomic_fetch_add(&shared->taken, rows);
    } while (rows > 0);
}

static void
take_what_comes(PGconn *db)
{
    while (atomic_load(&shared->taken) < rows_wanted) {
        PGresult *res = run(db, "take", NULL);

        atomic_fetch_add(&shared->taken, PQntuples(res));
        if (PQntuples(res) == 0)
            pause_ms(1);
        PQclear(res);
    }
}

static void
insert_all(PGconn *db)
{
    for (long n = 0; n < rows_wanted; n += chunk)
        PQclear(run(db, "insert", NULL));
}

/* rows_wanted calls by all clients together. */
static void
repeat_all(PGconn *db)
{
    while (atomic_fetch_add(&shared->taken, 1) < rows_wanted)
        PQclear(run(db, "statement", NULL));
    atomic_fetch_sub(&shared->taken, 1);
}

__attribute__((format(printf, 2, 3))) static void
write_text(int which, const char *format, ...)
{
    size_t size = sizeof(statements[which].text);
    va_list args;

    va_start(args, format);
    if ((size_t)vsnprintf(statements[which].text, size, format, args) >= size)
        die("statement", "too long");
    va_end(args);
}

static void
write_texts(void)
{
    write_text(TAKE,
               "delete from bench.bare where id = any (array(select id from bench.bare order by id "
               "limit %ld for update skip locked)) returning id, payload",
               batch);
    write_text(MARK,
               "with u as (update bench.marked set state = 1 where id = any (array(select id from "
               "bench.marked where state = 0 order by id limit %ld for update skip locked)) "
               "returning id, payload) select count(*), array_agg(id) from u",
               batch);
    write_text(DONE, "delete from bench.marked where id = any ($1::bigint[])");
    write_text(INSERT, "insert into bench.bare (payload) select '{}' from generate_series(1, %ld)",
               chunk);
}

static void
client(client_body *body, int begin)
{
    PGconn *db = open_session();
    char c;

    for (int i = 0; i < N_STATEMENTS; i++) {
        if (statements[i].text[0] != '\0')
            prepare(db, statements[i].name, statements[i].text);
    }
    if (write(begin, "", 1) != 1 || read(begin, &c, 1) != 0)
        exit(1);
    body(db);
    PQfinish(db);
    exit(0);
}

/* Runs body in so many clients, and one more that inserts; prints how many rows a second. */
static int
together(client_body *body, int n, client_body *more)
{
    int pipes[64][2], status, failed = 0, all = n + (more != NULL);
    double start;
    char c;

    if (n < 1 || all > 64)
        die("clients", "1 to 63");
    for (int i = 0; i < all; i++) {
        if (socketpair(AF_UNIX, SOCK_STREAM, 0, pipes[i]) < 0)
            die("socketpair", "failed");
        if (fork() == 0) {
            for (int k = 0; k <= i; k++)
                close(pipes[k][0]);
            client(i < n ? body : more, pipes[i][1]);
        }
        close(pipes[i][1]);
        failed |= read(pipes[i][0], &c, 1) != 1; /* connected */
    }
    start = now_s();
    for (int i = 0; i < all; i++)
        close(pipes[i][0]);
    while (wait(&status) > 0)
        failed |= status != 0;
    printf("%.1f\n", (double)atomic_load(&shared->taken) / (now_s() - start));
    return failed;
}

/* --- repeating, listening ------------------------------------------------------------ */

static int
repeat(long count, const char *text, int clients)
{
    rows_wanted = count;
    write_text(STATEMENT, "%s", text);
    return together(repeat_all, clients, NULL);
}

static void
hear(PGconn *db)
{
    PGnotify *note = NULL;

    while ((note = PQnotifies(db)) == NULL) {
        struct pollfd ready = {.fd = PQsocket(db), .events = POLLIN};

        if (poll(&ready, 1, 10000) <= 0 || !PQconsumeInput(db))
            die("listen", "nothing was heard");
    }
    PQfreemem(note);
}

static int
listen_to(long count, long wait, const char *insert)
{
    PGconn *ear = open_session(), *mouth = open_session();
    char text[200];
    double start;

    PQclear(checked(ear, PQexec(ear, "listen bench")));
    snprintf(text, sizeof(text), "%sselect pg_notify('bench', '')", insert);
    prepare(mouth, "say", text);
    for (long i = 0; i < count; i++) {
        start = now_s();
        if (!PQsendQueryPrepared(mouth, "say", 0, NULL, NULL, NULL, 0) || PQflush(mouth) != 0)
            die("notify", PQerrorMessage(mouth));
        hear(ear);
        printf("%.4f\n", (now_s() - start) * 1000);
        for (PGresult *res; (res = PQgetResult(mouth)) != NULL;)
            PQclear(checked(mouth, res));
        pause_ms(wait);
    }
    PQfinish(ear);
    PQfinish(mouth);
    return 0;
}

static int
stamp(long count, long wait, const char *kind)
{
    PGconn *db = open_session();
    char time[40], text[200];

    snprintf(text, sizeof(text),
             "insert into public.jobs (kind, payload) values ('%s', to_jsonb($1::bigint))", kind);
    prepare(db, "enqueue", text);
    for (long i = 0; i < count; i++) {
        snprintf(time, sizeof(time), "%.0f", now_s() * 1e6);
        PQclear(run(db, "enqueue", time));
        pause_ms(wait);
    }
    PQfinish(db);
    return 0;
}

int
main(int argc, char **argv)
{
    const char *mode = argc > 1 ? argv[1] : "";
    long n[4] = {0};

    for (int i = 0; i < 4 && i + 2 < argc; i++)
        n[i] = atol(argv[i + 2]);
    shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        die("mmap", "failed");
    batch = n[0];
    chunk = 1;
    if (strcmp(mode, "life") == 0) {
        rows_wanted = n[0];
        chunk = n[1];
        batch = n[2];
    }
    if (strcmp(mode, "repeat") == 0 && (argc == 4 || argc == 5))
        return repeat(n[0], argv[3], argc == 5 ? atoi(argv[4]) : 1);
    write_texts();
    if (strcmp(mode, "take") == 0 && argc == 4)
        return together(take_all, (int)n[1], NULL);
    if (strcmp(mode, "claim") == 0 && argc == 4)
        return together(claim_all, (int)n[1], NULL);
    if (strcmp(mode, "life") == 0 && argc == 6)
        return together(take_what_comes, (int)n[3], insert_all);
    if (strcmp(mode, "listen") == 0 && argc == 4)
        return listen_to(n[0], n[1], "");
    if (strcmp(mode, "listen") == 0 && argc == 5)
        return listen_to(n[0], n[1], "with i as (insert into bench.bare (payload) values ('{}')) ");
    if (strcmp(mode, "stamp") == 0 && argc == 5)
        return stamp(n[0], n[1], argv[4]);
    fprintf(stderr, "usage: see the head of tests/bench/loop.c\n");
    return 2;
}
