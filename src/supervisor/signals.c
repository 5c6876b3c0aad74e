/*
 * What a person says with kill(1).
 */
#include <signal.h>

#include "base/log.h"
#include "supervisor/internal.h"

static void
on_term(struct supervisor *sup)
{
    if (sup->ending == ENDING_NOT || (sup->ending == ENDING_DRAIN && !sup->ending_has_limit))
        ending_drain(sup, true);
    else
        ending_stop(sup);
}

static void
on_hup(struct supervisor *sup)
{
    AUTO(buf) struct buf changed = {0};
    struct err err = {0};

    if (!reload(sup, &changed, &err))
        log_error("reload: %s; everything stays as it is", err.text);
}

static void
change_by(struct supervisor *sup, int difference)
{
    struct err err = {0};
    int workers = sup->workers_wanted + difference;

    if (scale_to(sup, workers, &err))
        log_info("%d workers from now on", workers);
    else
        log_warn("the number of workers stays %d: %s", sup->workers_wanted, err.text);
}

static void
on_ttin(struct supervisor *sup)
{
    change_by(sup, +1);
}

static void
on_ttou(struct supervisor *sup)
{
    change_by(sup, -1);
}

/* clang-format off */
static struct {
    int number;
    void (*act)(struct supervisor *sup);
    ev_signal watcher;
} table[] = {
    {.number = SIGTERM, .act = on_term},
    {.number = SIGINT,  .act = ending_stop},
    {.number = SIGQUIT, .act = ending_stop},
    {.number = SIGHUP,  .act = on_hup},
    {.number = SIGUSR1, .act = report_to_log},
    {.number = SIGTTIN, .act = on_ttin},
    {.number = SIGTTOU, .act = on_ttou},
};
/* clang-format on */

static void
on_signal(UNUSED struct ev_loop *loop, ev_signal *w, UNUSED int events)
{
    for (size_t i = 0; i < LENGTH(table); i++) {
        if (table[i].number == w->signum)
            table[i].act(w->data);
    }
}

void
signals_start(struct supervisor *sup)
{
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    for (size_t i = 0; i < LENGTH(table); i++) {
        loop_signal_init(&table[i].watcher, on_signal, table[i].number);
        LOOP_START(sup->loop, signal, &table[i].watcher, sup);
    }
}

void
signals_ignore(void)
{
    sigset_t ours;

    sigemptyset(&ours);
    for (size_t i = 0; i < LENGTH(table); i++)
        sigaddset(&ours, table[i].number);
    sigprocmask(SIG_BLOCK, &ours, NULL);
}

void
signals_stop(struct supervisor *sup)
{
    for (size_t i = 0; i < LENGTH(table); i++)
        ev_signal_stop(sup->loop, &table[i].watcher);
}
