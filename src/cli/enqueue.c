/*
 * enqueue: put jobs in.  Many go as arrays of a thousand in one transaction:
 * all of them, or none.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/out.h"
#include "cli/payloads.h"
#include "cli/values.h"
#include "cli/when.h"
#include "sqltext.h"

#define CHUNK_JOBS 1000
#define CHUNK_BYTES (8 << 20) /* one statement holds at most about so much */
#define SHOWN_IDS 20
#define SHOWN_BAD 20
#define ATTEMPTS_DEFAULT 5

const struct cli_option enqueue_options[] = {
    {.name = "file",
     .value = "FILE",
     .many = true,
     .help = "a job for each file; its path and size are the payload"},
    {.name = "files-from",
     .value = "LIST",
     .help = "the same for each line of a file (-: standard input)"},
    {.name = "null",
     .letter = '0',
     .help = "names in LIST end with a NUL byte, as find -print0 writes them"},
    {.name = "jsonl",
     .value = "FILE",
     .help = "a job for each line, which is its payload (-: standard input)"},
    {.name = "skip-bad", .help = "leave out what cannot be a job instead of enqueueing nothing"},
    {.name = "queue", .value = "NAME", .help = "the queue (default: default)"},
    {.name = "priority", .value = "0..9", .help = "9 is claimed first (default 0)"},
    {.name = "in", .value = "TIME", .help = "not before so long from now: 90s, 5min, 1h30min, 2d"},
    {.name = "at",
     .value = "TIME",
     .help = "not before: 2026-12-24 18:00, 18:00, 2026-12-24T17:00:00Z"},
    {.name = "batch",
     .value = "ID",
     .help = "the batch; new makes one, none is none (default for one job)"},
    {.name = "user", .value = "UUID", .help = "the user who may see it"},
    {.name = "unique", .value = "KEY", .help = "not if an unfinished job has the same key"},
    {.name = "max-attempts", .value = "N", .help = "attempts before it fails for good (default 5)"},
    {.name = NULL},
};

struct enqueue {
    struct cli *cli;
    const char *kind, *queue, *unique_key;
    int64_t priority, max_attempts;
    bool has_at, has_in, has_batch, has_user;
    int64_t at_us, in_ms;
    struct uuid batch, user;
    bool skip_bad, is_bulk, shows_progress;

    struct arena arena; /* of the chunk */
    const char *chunk[CHUNK_JOBS];
    size_t n_chunk, chunk_bytes;

    int64_t *ids;
    size_t n_ids, ids_room;
    int64_t n_bad;
    bool existing; /* the unique job was there */
};

/* --- what was asked for -------------------------------------------------------------- */

static bool
read_batch(struct enqueue *e, const struct args *args)
{
    const char *word = args_value(args, "batch");

    if (word == NULL)
        word = e->is_bulk ? "new" : "none";
    e->has_batch = strcmp(word, "none") != 0;
    if (e->has_batch && strcmp(word, "new") == 0)
        e->batch = uuid_random();
    else if (e->has_batch)
        return cli_uuid(e->cli, "batch", word, &e->batch);
    return true;
}

static bool
read_times(struct enqueue *e, const struct args *args)
{
    const char *at = args_value(args, "at"), *in = args_value(args, "in");
    struct err err;

    if (at != NULL && in != NULL) {
        cli_failf(e->cli, CLI_USAGE, "--at and --in exclude each other");
        return false;
    }
    e->has_at = at != NULL;
    e->has_in = in != NULL;
    if ((at != NULL && !when_parse_at(at, (int64_t)time(NULL), &e->at_us, &err)) ||
        (in != NULL && !when_parse_in(in, &e->in_ms, &err))) {
        cli_fail(e->cli, CLI_USAGE, &err);
        return false;
    }
    return true;
}

static bool
read_source(struct enqueue *e, const struct args *args)
{
    bool files = args_has(args, "file") || args_has(args, "files-from");
    bool lines = args_has(args, "jsonl");
    int sources = files + lines + (args->n_words > 1);

    if (sources > 1)
        cli_failf(e->cli, CLI_USAGE, "PAYLOAD, --file and --jsonl exclude each other");
    else if (args_has(args, "null") && !args_has(args, "files-from"))
        cli_failf(e->cli, CLI_USAGE, "--null goes with --files-from");
    else if (e->unique_key != NULL && (files || lines))
        cli_failf(e->cli, CLI_USAGE, "--unique is for one job, not for many");
    else {
        e->is_bulk = files || lines;
        return true;
    }
    return false;
}

static bool
enqueue_read(struct enqueue *e, struct cli *cli, const struct args *args)
{
    const char *user = args_value(args, "user"), *queue = args_value(args, "queue");

    *e = (struct enqueue){.cli = cli, .kind = args->words[0]};
    arena_init(&e->arena);
    e->queue = queue != NULL ? queue : "default";
    e->unique_key = args_value(args, "unique");
    e->skip_bad = args_has(args, "skip-bad");
    e->has_user = user != NULL;
    e->shows_progress = isatty(STDERR_FILENO) == 1 && !cli->json;
    return read_source(e, args) && read_batch(e, args) && read_times(e, args) &&
           (user == NULL || cli_uuid(cli, "user", user, &e->user)) &&
           cli_int(cli, args, "priority", 0, 9, 0, &e->priority) &&
           cli_int(cli, args, "max-attempts", 1, INT16_MAX, ATTEMPTS_DEFAULT, &e->max_attempts);
}

static void
enqueue_release(struct enqueue *e)
{
    arena_release(&e->arena);
    free(e->ids);
}

static struct payloads *
open_payloads(struct enqueue *e, const struct args *args)
{
    const char *const *files;
    size_t n = args_all(args, "file", &e->cli->arena, &files);

    if (args_has(args, "jsonl"))
        return payloads_of_lines(args_value(args, "jsonl"));
    if (e->is_bulk)
        return payloads_of_files(files, n, args_value(args, "files-from"),
                                 args_has(args, "null") ? '\0' : '\n');
    return payloads_of_text(args->n_words > 1 ? args->words[1] : NULL);
}

/* --- into the database ---------------------------------------------------------------- */

static void
fill_params(const struct enqueue *e, struct params *p)
{
    param_text(p, e->kind);
    param_texts(p, e->chunk, e->n_chunk);
    param_text(p, e->queue);
    param_int4(p, (int32_t)e->priority);
    if (e->has_at)
        param_int8(p, e->at_us);
    else
        param_null(p);
    if (e->has_in)
        param_int8(p, e->in_ms);
    else
        param_null(p);
    if (e->has_batch)
        param_uuid(p, &e->batch);
    else
        param_null(p);
    if (e->has_user)
        param_uuid(p, &e->user);
    else
        param_null(p);
    param_int4(p, (int32_t)e->max_attempts);
    if (e->unique_key != NULL)
        param_text(p, e->unique_key);
}

static void
keep_ids(struct enqueue *e, const PGresult *res)
{
    size_t n = (size_t)PQntuples(res);

    if (e->n_ids + n > e->ids_room) {
        e->ids_room = e->n_ids + n + e->ids_room;
        e->ids = xrealloc(e->ids, e->ids_room * sizeof(*e->ids));
    }
    for (size_t i = 0; i < n; i++)
        e->ids[e->n_ids++] = row_int(res, (int)i, 0);
    if (e->unique_key != NULL && n == 1)
        e->existing = row_bool(res, 0, 1);
}

static bool
send_chunk(struct enqueue *e, struct err *err)
{
    AUTO(result) PGresult *res = NULL;
    AUTO(params) struct params p = {.n = 0};

    if (e->n_chunk == 0)
        return true;
    params_init(&p);
    fill_params(e, &p);
    if (!session_run(e->cli->session,
                     e->unique_key != NULL ? sql_cli_enqueue_unique : sql_cli_enqueue_many, &p,
                     &res, err))
        return false;
    keep_ids(e, res);
    e->n_chunk = e->chunk_bytes = 0;
    arena_release(&e->arena);
    if (e->shows_progress && e->n_ids >= CHUNK_JOBS)
        fprintf(stderr, "\r%zu jobs", e->n_ids);
    return true;
}

static void
say_bad(struct enqueue *e, const struct err *err)
{
    if (++e->n_bad <= SHOWN_BAD)
        out_note(err->text);
}

/* Everything of the source; once something was bad the rest is only looked at. */
static bool
send_all(struct enqueue *e, struct payloads *source, struct err *err)
{
    AUTO(buf) struct buf payload = {0};

    for (;;) {
        switch (payloads_next(source, &payload, err)) {
        case PAYLOAD_BROKEN:
            return false;
        case PAYLOAD_END:
            return e->n_bad > 0 && !e->skip_bad ? true : send_chunk(e, err);
        case PAYLOAD_BAD:
            say_bad(e, err);
            continue;
        case PAYLOAD_GOT:
            break;
        }
        if (e->n_bad > 0 && !e->skip_bad)
            continue;
        e->chunk[e->n_chunk++] = arena_memdup(&e->arena, payload.data, payload.len);
        e->chunk_bytes += payload.len;
        if ((e->n_chunk == CHUNK_JOBS || e->chunk_bytes > CHUNK_BYTES) && !send_chunk(e, err))
            return false;
    }
}

static enum cli_exit
refuse_bad(struct enqueue *e)
{
    if (!e->is_bulk)
        return cli_failf(e->cli, CLI_USAGE, "nothing was enqueued");
    return cli_failf(e->cli, CLI_NOT_DONE,
                     "nothing was enqueued: %" PRId64 " cannot be a job (--skip-bad leaves "
                     "them out)",
                     e->n_bad);
}

static enum cli_exit
run_transaction(struct enqueue *e, struct payloads *source)
{
    struct session *db = cli_database(e->cli);
    enum cli_exit status;
    struct err err;

    if (db == NULL)
        return e->cli->status;
    if (!session_begin(db, &err))
        return cli_fail_database(e->cli, &err);
    if (!session_run(db, "select set_config('statement_timeout', '0', true)", NULL, NULL, &err) ||
        !send_all(e, source, &err)) {
        status = cli_fail_database(e->cli, &err);
        session_rollback(db);
        return status;
    }
    if (e->n_bad > 0 && !e->skip_bad) {
        session_rollback(db);
        return refuse_bad(e);
    }
    if (!session_commit(db, &err))
        return cli_fail_database(e->cli, &err);
    return CLI_DONE;
}

/* --- the answer ------------------------------------------------------------------------ */

static void
answer_json(struct enqueue *e)
{
    json_t *ids = json_array(), *doc;
    char batch[UUID_TEXT_SIZE];

    for (size_t i = 0; i < e->n_ids; i++)
        json_array_append_new(ids, json_integer(e->ids[i]));
    doc = json_pack("{s:I, s:o, s:s?, s:I}", "count", (json_int_t)e->n_ids, "ids", ids, "batch_id",
                    e->has_batch ? uuid_text(batch, &e->batch) : NULL, "skipped",
                    (json_int_t)e->n_bad);
    if (e->unique_key != NULL)
        json_object_set_new(doc, "existing", json_boolean(e->existing));
    out_json(e->cli, doc);
}

static void
answer(struct enqueue *e)
{
    char batch[UUID_TEXT_SIZE];

    if (e->shows_progress && e->n_ids >= CHUNK_JOBS)
        fputs("\r\033[K", stderr);
    if (e->cli->json) {
        answer_json(e);
        return;
    }
    if (e->n_ids > SHOWN_IDS)
        printf("%zu jobs\n", e->n_ids);
    for (size_t i = 0; i < e->n_ids && e->n_ids <= SHOWN_IDS; i++)
        printf("%" PRId64 "\n", e->ids[i]);
    if (e->has_batch && e->n_ids > 0 && !e->existing)
        printf("batch %s\n", uuid_text(batch, &e->batch));
    if (e->existing)
        out_note("an unfinished job has this key already");
    if (e->n_bad > 0)
        fprintf(stderr, "pgcrew: %" PRId64 " left out\n", e->n_bad);
}

enum cli_exit
enqueue_run(struct cli *cli, const struct args *args)
{
    enum cli_exit status;
    struct payloads *source;
    struct enqueue e;

    if (!enqueue_read(&e, cli, args)) {
        enqueue_release(&e);
        return cli->status;
    }
    source = open_payloads(&e, args);
    status = run_transaction(&e, source);
    payloads_free(source);
    if (status == CLI_DONE)
        answer(&e);
    if (status == CLI_DONE && e.n_ids == 0)
        status = cli_failf(cli, CLI_NOT_DONE, "there was nothing to enqueue");
    enqueue_release(&e);
    return status;
}
