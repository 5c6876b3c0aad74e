/*
 * scale, reload, drain, stop: what the daemon is told over its socket.
 */
#include <stdio.h>
#include <time.h>

#include "base/text.h"
#include "cli/commands.h"
#include "cli/out.h"
#include "cli/values.h"

#define WORKERS_MAX 1024
#define WAIT_STEP_NS 100000000

const struct cli_option wait_options[] = {
    {.name = "wait", .help = "come back when the daemon has ended"},
    {.name = NULL},
};
const struct cli_option stop_options[] = {
    {.name = "fast", .help = "end running jobs now; they run again later"},
    {.name = "wait", .help = "come back when the daemon has ended"},
    {.name = NULL},
};

/* One parameter; msgpack-rpc wants an array of them. */
static void
pack_begin(msgpack_packer *pk, struct buf *params)
{
    rpc_packer(pk, params);
    msgpack_pack_array(pk, 1);
}

enum cli_exit
scale_run(struct cli *cli, const struct args *args)
{
    AUTO(buf) struct buf params = {0};
    msgpack_packer pk;
    json_t *answer;
    int64_t n;

    if (!text_to_int(args->words[0], &n) || n < 0 || n > WORKERS_MAX)
        return cli_failf(cli, CLI_USAGE, "the number of workers must be from 0 to %d, not '%s'",
                         WORKERS_MAX, args->words[0]);
    pack_begin(&pk, &params);
    msgpack_pack_int64(&pk, n);
    if (!cli_ask_daemon(cli, "scale", &params, &answer))
        return cli->status;
    if (cli->json) {
        out_json(cli, answer);
        return CLI_DONE;
    }
    printf("%d workers wanted, until the next reload or restart\n",
           (int)value_int(answer, "workers"));
    json_decref(answer);
    return CLI_DONE;
}

enum cli_exit
reload_run(struct cli *cli, UNUSED const struct args *args)
{
    json_t *answer;

    if (!cli_ask_daemon(cli, "reload", NULL, &answer))
        return cli->status;
    if (cli->json) {
        out_json(cli, answer);
        return CLI_DONE;
    }
    printf("reloaded: ");
    out_printable(stdout,
                  value_text(answer, "changed")[0] != '\0' ? value_text(answer, "changed")
                                                           : "nothing has changed",
                  false);
    putchar('\n');
    json_decref(answer);
    return CLI_DONE;
}

/* Until nobody answers on the socket any more. */
static void
wait_for_end(struct cli *cli)
{
    const struct timespec step = {.tv_nsec = WAIT_STEP_NS};
    struct err err;

    for (;;) {
        AUTO(ctl_answer) struct ctl_answer answer = {0};

        if (!ctl_call(cli_conf(cli)->socket_path, "ping", NULL, &answer, &err) &&
            err.class == ERR_RETRY)
            return;
        nanosleep(&step, NULL);
    }
}

static enum cli_exit
ask_to_end(struct cli *cli, const struct args *args, const char *method, const struct buf *params)
{
    json_t *answer;

    if (!cli_ask_daemon(cli, method, params, &answer))
        return cli->status;
    if (args_has(args, "wait")) {
        wait_for_end(cli);
        json_object_set_new(answer, "state", json_string("ended"));
    }
    if (cli->json)
        out_json(cli, answer);
    else {
        printf("the daemon is ");
        out_printable(stdout, value_text(answer, "state"), false);
        putchar('\n');
        json_decref(answer);
    }
    return CLI_DONE;
}

enum cli_exit
drain_run(struct cli *cli, const struct args *args)
{
    return ask_to_end(cli, args, "drain", NULL);
}

enum cli_exit
stop_run(struct cli *cli, const struct args *args)
{
    AUTO(buf) struct buf params = {0};
    msgpack_packer pk;

    pack_begin(&pk, &params);
    rpc_pack_bool(&pk, args_has(args, "fast"));
    return ask_to_end(cli, args, "stop", &params);
}
