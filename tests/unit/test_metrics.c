/* Metrics: facts in, text for Prometheus out, to the letter. */
#include "metrics/metrics.h"

#include <string.h>

#include "metrics/path.h"
#include "tap.h"

/* clang-format off */
static const char facts[] =
    "{'daemon': {'name': 'host', 'version': '1.2.3', 'state': 'running', 'uptime_ms': 1500,"
    "  'stall': {'ms': 5}, 'lease_ok_ms': null,"
    "  'workers': {'wanted': 3, 'idle': 1, 'busy': 2},"
    "  'totals': {'claims': 9007199254740991},"
    "  'bounds': {'time_us': [1000, 2500, 3600000000], 'jobs': [0, 1]},"
    "  'claim_jobs': {'sum': 7, 'counts': [1, 2, 3]},"
    "  'jobs': [{'queue': 'a \\\\ \\'b\\'\\nc', 'kind': 'k', 'succeeded': 5, 'failed': 0,"
    "            'wait_us': 1250000, 'wait': [1, 0, 2, 3], 'run': [1, 2], 'run_us': 1}],"
    "  'processes': {'worker': {'n': 2, 'restarts': {'crash': 1, 'signal': 0}}}},"
    " 'database': {'counted_up_to': 10, 'live': 1, 'lost': 0,"
    "  'queues': [{'queue': 'one', 'ready': 4, 'oldest_ms': null, 'paused_at': null},"
    "             {'queue': 'two', 'ready': 0, 'oldest_ms': 2500, 'paused_at': '2026-11-24T00:00:00Z'},"
    "             {'ready': 1}, 7],"
    "  'health': [{'name': 'dead_rows', 'subject': 'public.jobs', 'level': 'warn', 'value': 12.0},"
    "             {'name': 'horizon_seconds', 'subject': '', 'level': 'ok', 'value': 0.25}]}}";

static const char golden[] =
    "# HELP pgcrew_up Whether the daemon of this host answers.\n"
    "# TYPE pgcrew_up gauge\n"
    "pgcrew_up 1\n"
    "# HELP pgcrew_database_up Whether the database answered in time.\n"
    "# TYPE pgcrew_database_up gauge\n"
    "pgcrew_database_up 1\n"
    "# HELP pgcrew_build_info Always 1; its labels say what runs.\n"
    "# TYPE pgcrew_build_info gauge\n"
    "pgcrew_build_info{version='1.2.3',daemon='host'} 1\n"
    "# HELP pgcrew_state 1 for what the daemon does: starting, running, stalled, draining, stopping.\n"
    "# TYPE pgcrew_state gauge\n"
    "pgcrew_state{state='running'} 1\n"
    "# HELP pgcrew_uptime_seconds Since the daemon was started.\n"
    "# TYPE pgcrew_uptime_seconds gauge\n"
    "pgcrew_uptime_seconds 1.5\n"
    "# HELP pgcrew_workers Workers of this host by what they do.\n"
    "# TYPE pgcrew_workers gauge\n"
    "pgcrew_workers{state='idle'} 1\n"
    "pgcrew_workers{state='busy'} 2\n"
    "# HELP pgcrew_workers_wanted Workers that there should be on this host.\n"
    "# TYPE pgcrew_workers_wanted gauge\n"
    "pgcrew_workers_wanted 3\n"
    "# HELP pgcrew_stalled 1 while jobs wait, workers are idle, and nothing is claimed.\n"
    "# TYPE pgcrew_stalled gauge\n"
    "pgcrew_stalled 1\n"
    "# HELP pgcrew_restarts_total Processes that were replaced, by why they had ended.\n"
    "# TYPE pgcrew_restarts_total counter\n"
    "pgcrew_restarts_total{role='worker',reason='crash'} 1\n"
    "pgcrew_restarts_total{role='worker',reason='signal'} 0\n"
    "# HELP pgcrew_processes Processes of this daemon.\n"
    "# TYPE pgcrew_processes gauge\n"
    "pgcrew_processes{role='worker'} 2\n"
    "# HELP pgcrew_jobs_total Attempts that ended on this host, by what became of the job; stale: its claim had been taken away.\n"
    "# TYPE pgcrew_jobs_total counter\n"
    "pgcrew_jobs_total{queue='a \\\\ \\'b\\'\\nc',kind='k',outcome='succeeded'} 5\n"
    "pgcrew_jobs_total{queue='a \\\\ \\'b\\'\\nc',kind='k',outcome='failed'} 0\n"
    "# HELP pgcrew_job_wait_seconds From the time a job could have run to the start of an attempt.\n"
    "# TYPE pgcrew_job_wait_seconds histogram\n"
    "pgcrew_job_wait_seconds_bucket{queue='a \\\\ \\'b\\'\\nc',kind='k',le='0.001'} 1\n"
    "pgcrew_job_wait_seconds_bucket{queue='a \\\\ \\'b\\'\\nc',kind='k',le='0.0025'} 1\n"
    "pgcrew_job_wait_seconds_bucket{queue='a \\\\ \\'b\\'\\nc',kind='k',le='3600'} 3\n"
    "pgcrew_job_wait_seconds_bucket{queue='a \\\\ \\'b\\'\\nc',kind='k',le='+Inf'} 6\n"
    "pgcrew_job_wait_seconds_sum{queue='a \\\\ \\'b\\'\\nc',kind='k'} 1.25\n"
    "pgcrew_job_wait_seconds_count{queue='a \\\\ \\'b\\'\\nc',kind='k'} 6\n"
    "# HELP pgcrew_claims_total Claims of the workers.\n"
    "# TYPE pgcrew_claims_total counter\n"
    "pgcrew_claims_total 9007199254740991\n"
    "# HELP pgcrew_claim_jobs How many jobs a claim found.\n"
    "# TYPE pgcrew_claim_jobs histogram\n"
    "pgcrew_claim_jobs_bucket{le='0'} 1\n"
    "pgcrew_claim_jobs_bucket{le='1'} 3\n"
    "pgcrew_claim_jobs_bucket{le='+Inf'} 6\n"
    "pgcrew_claim_jobs_sum 7\n"
    "pgcrew_claim_jobs_count 6\n"
    "# HELP pgcrew_queue_ready Jobs that could run now, on any host, up to pgcrew_queue_counted_max.\n"
    "# TYPE pgcrew_queue_ready gauge\n"
    "pgcrew_queue_ready{queue='one'} 4\n"
    "pgcrew_queue_ready{queue='two'} 0\n"
    "# HELP pgcrew_queue_oldest_seconds How long the job has waited that has waited longest, of the next of each priority; 0: none waits.\n"
    "# TYPE pgcrew_queue_oldest_seconds gauge\n"
    "pgcrew_queue_oldest_seconds{queue='one'} 0\n"
    "pgcrew_queue_oldest_seconds{queue='two'} 2.5\n"
    "# HELP pgcrew_queue_paused 1 while nothing is claimed from the queue because somebody said so.\n"
    "# TYPE pgcrew_queue_paused gauge\n"
    "pgcrew_queue_paused{queue='one'} 0\n"
    "pgcrew_queue_paused{queue='two'} 1\n"
    "# HELP pgcrew_queue_counted_max Jobs of a queue are counted up to here.\n"
    "# TYPE pgcrew_queue_counted_max gauge\n"
    "pgcrew_queue_counted_max 10\n"
    "# HELP pgcrew_lease_holders Workers of all hosts, by whether their lease lasts.\n"
    "# TYPE pgcrew_lease_holders gauge\n"
    "pgcrew_lease_holders{state='live'} 1\n"
    "pgcrew_lease_holders{state='lost'} 0\n"
    "# HELP pgcrew_health_level How the server is, as pgcrew doctor judges: 0 ok, 1 warn, 2 error.\n"
    "# TYPE pgcrew_health_level gauge\n"
    "pgcrew_health_level{name='dead_rows',subject='public.jobs'} 1\n"
    "pgcrew_health_level{name='horizon_seconds',subject=''} 0\n"
    "# HELP pgcrew_horizon_age_seconds Age of the oldest transaction that keeps dead rows from being removed.\n"
    "# TYPE pgcrew_horizon_age_seconds gauge\n"
    "pgcrew_horizon_age_seconds 0.25\n"
    "# HELP pgcrew_dead_tuples Dead rows of the queue's tables.\n"
    "# TYPE pgcrew_dead_tuples gauge\n"
    "pgcrew_dead_tuples{table='public.jobs'} 12\n";
/* clang-format on */

/* Double quotes are written as single ones above, but the apostrophe of "queue's". */
static char *
with_quotes(const char *text)
{
    char *copy = xstrdup(text);

    for (char *at = copy; *at != '\0'; at++) {
        if (*at == '\'' && !(at > copy && at[-1] == 'e' && at[1] == 's'))
            *at = '"';
    }
    return copy;
}

static void
write_facts(const char *text, struct buf *ret)
{
    AUTO(mem) char *quoted = with_quotes(text);
    json_error_t why;
    json_t *all = json_loads(quoted, 0, &why);

    ok(all != NULL, "facts can be read: %s", all != NULL ? "" : why.text);
    metrics_write(all, ret);
    json_decref(all);
}

static void
test_golden(void)
{
    AUTO(buf) struct buf text = {0};
    AUTO(mem) char *wanted = with_quotes(golden);

    write_facts(facts, &text);
    is_str(buf_text(&text), wanted, "the text is the one it was");
}

static void
test_nothing(void)
{
    static const char *const nothing[] = {"{}", "{'daemon': null, 'database': null}",
                                          "{'daemon': 5, 'database': []}", "[]"};

    for (size_t i = 0; i < LENGTH(nothing); i++) {
        AUTO(buf) struct buf text = {0};

        write_facts(nothing[i], &text);
        ok(strstr(buf_text(&text), "pgcrew_workers") == NULL, "no facts, no values: %s",
           nothing[i]);
        if (i < 2)
            ok(strstr(buf_text(&text), "\npgcrew_up 0\n") != NULL, "but that there is no daemon");
    }
}

static bool
ends_in(const char *text, const char *end)
{
    size_t len = strlen(text), end_len = strlen(end);

    return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

static void
test_table(void)
{
    for (size_t i = 0; i < n_metrics; i++) {
        const struct metric *m = &metrics[i];
        bool is_good = strncmp(m->name, "pgcrew_", 7) == 0 && ends_in(m->help, ".") &&
                       ends_in(m->name, "_total") == (m->type == METRIC_COUNTER) &&
                       (m->buckets != NULL) == (m->type == METRIC_HISTOGRAM) && m->scale > 0 &&
                       strspn(m->name, "abcdefghijklmnopqrstuvwxyz_") == strlen(m->name);

        for (size_t k = 0; k < i; k++)
            is_good &= strcmp(metrics[k].name, m->name) != 0;
        ok(is_good, "%s is as metrics are", m->name);
    }
}

static void
count_visits(void *arg, const struct path_label *labels, size_t n, const json_t *value,
             double number)
{
    int *visits = arg;

    (void)value, (void)number;
    for (size_t i = 0; i < n; i++)
        *visits += labels[i].name_len > 0;
}

static void
test_paths(void)
{
    json_t *all = json_loads("{\"a\": {\"b\": {\"c\": {\"d\": {\"e\": {\"f\": 1}}}}}}", 0, NULL);
    int visits = 0;

    path_walk("{one} {two} {three} {four} {five} f", all, count_visits, &visits);
    is_int(visits, PATH_LABELS, "more labels than there is room for are left out");
    visits = 0;
    path_walk("a b [x=1,y] =1", all, count_visits, &visits);
    path_walk("nothing of it", all, count_visits, &visits);
    path_walk("a (label:) x", all, count_visits, &visits);
    path_walk("a b|x,y", all, count_visits, &visits);
    is_int(visits, 0, "what is not there is not found");
    json_decref(all);
}

int
main(void)
{
    test_golden();
    test_nothing();
    test_table();
    test_paths();
    return done_testing();
}
