/* A worker that writes anything to its half of the board: what the supervisor makes of it. */
#include "fuzz.h"

#include "base/clock.h"
#include "metrics/facts.h"
#include "supervisor/internal.h"

static struct supervisor sup;
static struct member member;
static struct conf *conf;

static void
start(void)
{
    struct board_roster who = {.role = BOARD_WORKER, .slot = 1, .pid = getpid()};
    struct conf_source from = {.flags = CONF_FOR_TOOL};
    struct err err;

    must(conf_load(&from, &conf, &err));
    log_set_level(LOG_LEVEL_ERROR);
    sup.conf = conf;
    sup.board = board_new();
    sup.workers_made = sup.workers_wanted = 1;
    slot_init(&sup.janitor, &sup, BOARD_JANITOR, 0);
    slot_init(&sup.workers[0], &sup, BOARD_WORKER, 1);
    sup.workers[0].state = SLOT_READY;
    sup.workers[0].member = &member;
    member = (struct member){.slot = &sup.workers[0], .pid = getpid(), .memory_socket = -1};
    for (int i = 0; i < MEMORY_FILES; i++)
        member.memory_fds[i] = -1;
    member.place = board_take(sup.board, &who);
    must(member.place == 0);
}

static void
must_be_value(const struct buf *packed)
{
    struct rpc_scan scan = {0};
    msgpack_unpacked value;
    json_t *json;
    size_t end = 0;

    must(rpc_scan(&scan, packed->data, packed->len, packed->len) == RPC_WHOLE);
    must(scan.at == packed->len);
    msgpack_unpacked_init(&value);
    must(msgpack_unpack_next(&value, packed->data, packed->len, &end) == MSGPACK_UNPACK_SUCCESS);
    json = facts_from_msgpack(&value.data);
    must(json != NULL);
    json_decref(json);
    msgpack_unpacked_destroy(&value);
}

static void
report(void (*what)(struct supervisor *sup, msgpack_packer *pk))
{
    AUTO(buf) struct buf packed = {0};
    msgpack_packer pk;

    rpc_packer(&pk, &packed);
    what(&sup, &pk);
    must_be_value(&packed);
}

static void
fuzz(const char *data, size_t len)
{
    struct board_score written = {0}, score;
    struct board_roster who;
    struct counts counts;

    if (conf == NULL)
        start();
    memcpy(&written, data, len < sizeof(written) ? len : sizeof(written));
    board_publish(sup.board, member.place, &written);
    must(board_read(sup.board, member.place, &who, &score));
    must(who.pid == getpid());
    must(score.n_running >= 0 && score.n_running <= BOARD_RUNNING);
    must(board_state_name(score.state)[0] != '\0');
    must(strlen(score.text) < sizeof(score.text));
    member.beat_seen_mono_ms = clock_mono_ms();
    member.pss_mono_ms = clock_mono_ms();
    count_workers(&sup, &counts);
    report(report_workers);
    report(report_stats);
    report_to_log(&sup);
    pulse_check(&sup, false);
    report_add_score(&sup.past, &score);
}
