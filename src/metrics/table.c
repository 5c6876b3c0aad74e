/*
 * All metrics.
 *
 * Adding one?  A row here, and one in the table of dashboard/pgcrew-dashboard.7.  Names follow
 * Prometheus: base units at the end, _total for what only rises.
 */
#include "metrics/metrics.h"

#define MS 0.001
#define US 0.000001
#define PERCENT 0.01

/* clang-format off */
#define GAUGE(name, scale, path, help)   {name, METRIC_GAUGE, help, path, scale, NULL, NULL, NULL},
#define COUNTER(name, scale, path, help) {name, METRIC_COUNTER, help, path, scale, NULL, NULL, NULL},
#define HISTOGRAM(name, scale, path, buckets, sum, bounds, help) \
    {name, METRIC_HISTOGRAM, help, path, scale, buckets, sum, bounds},

const struct metric metrics[] = {
    GAUGE("pgcrew_up", 1, "?daemon",
     "Whether the daemon of this host answers.")
    GAUGE("pgcrew_database_up", 1, "?database",
     "Whether the database answered in time.")
    GAUGE("pgcrew_build_info", 1, "daemon [version,name:daemon] =1",
     "Always 1; its labels say what runs.")
    GAUGE("pgcrew_state", 1, "daemon [state] =1",
     "1 for what the daemon does: starting, running, stalled, draining, stopping.")
    GAUGE("pgcrew_uptime_seconds", MS, "daemon uptime_ms",
     "Since the daemon was started.")
    COUNTER("pgcrew_reloads_total", 1, "daemon reloads",
     "Reloads of the configuration.")
    COUNTER("pgcrew_reloads_refused_total", 1, "daemon reloads_refused",
     "Reloads refused, because the configuration was wrong.")

    GAUGE("pgcrew_workers", 1, "daemon workers (state:idle,busy,connecting,held,leaving)",
     "Workers of this host by what they do.")
    GAUGE("pgcrew_workers_wanted", 1, "daemon workers wanted",
     "Workers that there should be on this host.")
    GAUGE("pgcrew_workers_ready", 1, "daemon workers ready",
     "Workers of this host that have said they are ready.")
    GAUGE("pgcrew_janitor_state", 1, "daemon [janitor:state] =1",
     "1 for what the janitor does.")
    GAUGE("pgcrew_lease_age_seconds", MS, "daemon lease_ok_ms",
     "Since the leases of this host were renewed.")
    GAUGE("pgcrew_lease_seconds", MS, "daemon lease_ms",
     "How long a lease lasts, as it is configured.")
    GAUGE("pgcrew_stalled", 1, "daemon ?stall",
     "1 while jobs wait, workers are idle, and nothing is claimed.")
    COUNTER("pgcrew_stalls_total", 1, "daemon stalls",
     "How often that began.")
    COUNTER("pgcrew_restarts_total", 1, "daemon processes {role} restarts {reason}",
     "Processes that were replaced, by why they had ended.")
    GAUGE("pgcrew_reaps_waiting", 1, "daemon reaps_waiting",
     "Dead workers whose jobs are not back in the queue yet.")
    GAUGE("pgcrew_processes", 1, "daemon processes {role} n",
     "Processes of this daemon.")
    GAUGE("pgcrew_process_resident_bytes", 1, "daemon processes {role} rss_bytes",
     "Resident memory; what processes share is counted for each.")
    GAUGE("pgcrew_process_proportional_bytes", 1, "daemon processes {role} pss_bytes",
     "Memory, with what processes share divided among them.")
    COUNTER("pgcrew_process_cpu_seconds_total", MS, "daemon processes {role} cpu_ms",
     "CPU time, without that of handlers.")

    GAUGE("pgcrew_jobs_running", 1, "daemon running",
     "Jobs that run on this host.")
    COUNTER("pgcrew_jobs_total", 1, "daemon jobs [queue,kind] (outcome:succeeded,failed,retried,cancelled,released,stale)",
     "Attempts that ended on this host, by what became of the job; stale: its claim had been taken away.")
    HISTOGRAM("pgcrew_job_wait_seconds", US, "daemon jobs [queue,kind]", "wait", "wait_us", "time_us",
     "From the time a job could have run to the start of an attempt.")
    HISTOGRAM("pgcrew_job_run_seconds", US, "daemon jobs [queue,kind]", "run", "run_us", "time_us",
     "How long attempts ran.")
    COUNTER("pgcrew_job_cpu_seconds_total", US, "daemon jobs [queue,kind] cpu_us",
     "CPU time of handlers that are programs.")
    COUNTER("pgcrew_claims_total", 1, "daemon totals claims",
     "Claims of the workers.")
    COUNTER("pgcrew_empty_claims_total", 1, "daemon totals empty_claims",
     "Claims that found nothing.")
    HISTOGRAM("pgcrew_claim_jobs", 1, "daemon claim_jobs", "counts", "sum", "jobs",
     "How many jobs a claim found.")
    COUNTER("pgcrew_stale_finishes_total", 1, "daemon totals stale",
     "Attempts whose claim had been taken away before they were finished.")

    COUNTER("pgcrew_db_round_trips_total", 1, "daemon processes {role} round_trips",
     "Questions to the database and their answers.")
    COUNTER("pgcrew_db_errors_total", 1, "daemon processes {role} db_errors",
     "Errors that the database answered, or lost connections.")
    COUNTER("pgcrew_db_connects_total", 1, "daemon processes {role} connects",
     "Sessions with the database that were begun.")

    COUNTER("pgcrew_http_requests_total", 1, "daemon http {role} requests [route,status] n",
     "Requests answered.")
    HISTOGRAM("pgcrew_http_request_seconds", US, "daemon http {role} routes [route]", "run", "run_us", "time_us",
     "From the whole request to the answer; event streams are not counted.")
    COUNTER("pgcrew_http_connections_total", 1, "daemon http {role} connections",
     "Connections accepted.")
    COUNTER("pgcrew_http_connections_refused_total", 1, "daemon http {role} refused",
     "Connections refused, because their address had too many.")
    GAUGE("pgcrew_http_connections_open", 1, "daemon http {role} open",
     "Connections that are open.")
    GAUGE("pgcrew_http_streams", 1, "daemon http {role} streams",
     "Event streams that are open.")

    GAUGE("pgcrew_queue_ready", 1, "database queues [queue] ready",
     "Jobs that could run now, on any host, up to pgcrew_queue_counted_max.")
    GAUGE("pgcrew_queue_scheduled", 1, "database queues [queue] scheduled",
     "Jobs that wait for their time, up to pgcrew_queue_counted_max.")
    GAUGE("pgcrew_queue_oldest_seconds", MS, "database queues [queue] oldest_ms~",
     "How long the job has waited that has waited longest, of the next of each priority; 0: none waits.")
    GAUGE("pgcrew_queue_paused", 1, "database queues [queue] ?paused_at",
     "1 while nothing is claimed from the queue because somebody said so.")
    GAUGE("pgcrew_queue_workers", 1, "database queues [queue] workers",
     "Workers, on any host, that claim from the queue.")
    GAUGE("pgcrew_queue_counted_max", 1, "database counted_up_to",
     "Jobs of a queue are counted up to here.")
    GAUGE("pgcrew_claimed_jobs", 1, "database claimed",
     "Jobs in the hands of workers, on all hosts.")
    GAUGE("pgcrew_lease_holders", 1, "database (state:live,lost)",
     "Workers of all hosts, by whether their lease lasts.")

    GAUGE("pgcrew_health_level", 1, "database health [name,subject] level|ok,warn,error",
     "How the server is, as pgcrew doctor judges: 0 ok, 1 warn, 2 error.")
    GAUGE("pgcrew_horizon_age_seconds", 1, "database health [name=horizon_seconds] value",
     "Age of the oldest transaction that keeps dead rows from being removed.")
    GAUGE("pgcrew_horizon_age_transactions", 1, "database health [name=horizon_transactions] value",
     "The same in transactions since.")
    GAUGE("pgcrew_dead_tuples", 1, "database health [name=dead_rows,subject:table] value",
     "Dead rows of the queue's tables.")
    GAUGE("pgcrew_sequence_used_ratio", PERCENT, "database health [name=sequence_used_percent,subject:sequence] value",
     "How much of its numbers a sequence has given out.")
    GAUGE("pgcrew_wraparound_age_transactions", 1, "database health [name=wraparound_transactions] value",
     "Age of the oldest transaction id of the database.")
    GAUGE("pgcrew_wraparound_age_multixacts", 1, "database health [name=wraparound_multixacts] value",
     "Age of the oldest multixact id of the database.")
    GAUGE("pgcrew_clock_ahead_seconds", MS, "database health [name=clock_ahead_ms] value",
     "How far the server's clock is ahead of this host's for sure.")
};
/* clang-format on */
const size_t n_metrics = LENGTH(metrics);
