# The protocol of the workers, spoken by hand.  Needs tests/lib/postgres.sh.
#
#   queue_start            a migrated database of a plain, non-superuser owner
#   as user-uuid 'query'   what a signed-in browser may do (user, user2: two of them)
#   process N              the uuid that stands for worker process N
#   worker N [lease_ms [queues [kinds]]]    register; its holder
#   claim holder want [queue]               "token:id,id"; nothing if there is nothing
#   places queues priorities ids [last]     the two arrays of pgcrew.claim(), as SQL: from a priority
#                          and id of each queue to the end of its last priority (0)
#   token_of, ids_of claim                  the parts of it
#   finish holder token ids outcomes [name=value...]    "id status attempts wait" a line
#   place id               where a job is: status and table
#   broken                 what contradicts itself in the whole database; nothing, one hopes
#
# shellcheck shell=bash
# shellcheck disable=SC2034  # used by the tests

user=11111111-1111-1111-1111-111111111111
user2=22222222-2222-2222-2222-222222222222

queue_start() {
    pg_start
    sql 'create role owner login createrole'
    sql 'create database app owner owner'
    export PGDATABASE=app
    PGUSER=owner migrate || bail 'cannot migrate'
    sql 'alter role pgcrew_worker login'
    export PGUSER=pgcrew_worker
}

as() {
    local who=$1 query=$2
    shift 2
    PGUSER=postgres psql -XAtq -v ON_ERROR_STOP=1 "$@" \
        -c "select set_config('request.jwt.claims', '{\"sub\":\"$who\",\"role\":\"authenticated\"}', false)" \
        -c 'set role authenticated' -c "$query" | tail -n +2
    return "${PIPESTATUS[0]}"
}

as_sqlstate() {
    local said
    if said=$(as "$1" "$2" -v VERBOSITY=sqlstate 2>&1 >/dev/null); then
        echo 00000
    else
        printf '%s\n' "$said" | sed -n 's/^.*ERROR:  \([0-9A-Z]\{5\}\)$/\1/p' | head -n 1
    fi
}

process() {
    printf '00000000-0000-0000-0000-%012d' "$1"
}

worker() {
    local kinds=${4:-null}
    [ "$kinds" = null ] || kinds="'{$kinds}'"
    sql "select holder from pgcrew.register_worker('$(process "$1")', 'host', $1, 100, 'test',
                '{${3:-default}}', $kinds, 2, ${2:-30000})"
}

places() {
    local from="unnest('{$1}'::text[], '{$2}'::int[], '{$3}'::bigint[], '{${4:-0}}'::int[])
                    with ordinality l (queue, priority, id, last, nth) join pgcrew.queues q using (queue)"
    echo "array(select pgcrew.place(q.number, l.priority, l.id) from $from order by l.nth),
          array(select pgcrew.place(q.number, coalesce(l.last, 0) - 1, 0) - 1 from $from order by l.nth)"
}

claim() {
    sql "select min(token) || ':' || string_agg(job_id::text, ',' order by nth)
           from pgcrew.claim($1, $(places "${3:-default}" 9 0), null, $2)
                with ordinality c (token, job_id, queue, priority, kind, payload, attempt, max_attempts,
                                   batch_id, user_id, tempfails, waited_us, nth)
         having count(*) > 0"
}

token_of() {
    echo "${1%%:*}"
}

ids_of() {
    echo "${1#*:}"
}

# Arrays are written 1,2,3 and a,b,c; results and errors take PostgreSQL's array syntax.
finish() {
    local holder=$1 token=$2 ids=$3 outcomes=$4 more='' arg
    shift 4
    for arg; do
        more="$more, p_${arg%%=*} => '{${arg#*=}}'"
    done
    case $more in *p_ran_ms*) ;; *) more="$more, p_ran_ms => array_fill(10, array[cardinality('{$ids}'::bigint[])])" ;; esac
    for arg in waits_ms results errors causes exits signals stderrs; do
        case $more in *"p_$arg "*) ;; *) more="$more, p_$arg => null" ;; esac
    done
    sql "select job_id, coalesce(status, 'not-ours'), attempts, wait_ms
           from pgcrew.finish(p_holder => $holder, p_token => $token, p_ids => '{$ids}', p_outcomes => '{$outcomes}'$more)
          order by job_id" -F ' '
}

place() {
    sql "select concat_ws(' ', (select status from public.jobs where id = $1),
                (select 'ready' from pgcrew.ready where job_id = $1),
                (select 'scheduled' from pgcrew.scheduled where job_id = $1),
                (select 'claimed' from pgcrew.claims where $1 = any (job_ids)),
                (select 'cancel-asked' from pgcrew.cancels where job_id = $1))"
}

broken() {
    PGUSER=postgres sql "
      with places as (
        select job_id as id, 'ready' as place from pgcrew.ready
        union all select job_id, 'scheduled' from pgcrew.scheduled
        union all select i, 'claimed' from pgcrew.claims, unnest(job_ids) i),
      n as (
        select coalesce(j.id, p.id) as id, j.status, array_agg(p.place order by p.place) filter (where p.place is not null) as places
          from public.jobs j full join places p on p.id = j.id group by 1, 2)
      select 'job ' || id || ': ' || coalesce(status, 'no such job') || ' in ' || coalesce(places::text, 'none') from n
       -- A job may be deleted while it is claimed: its worker learns it at the end.
       where status is null and places <> '{claimed}'
          or status in ('queued', 'running') and cardinality(places) is distinct from 1
          or status = 'running' and places <> '{claimed}'
          or status not in ('queued', 'running') and places is not null
      union all
      select 'key ' || coalesce(k.key, j.unique_key) || ' of job ' || coalesce(k.job_id, j.id)
        from pgcrew.unique_keys k
             full join (select * from public.jobs where status in ('queued', 'running') and unique_key is not null) j
                    on j.id = k.job_id and j.unique_key = k.key
       where k.key is null or j.id is null
      union all
      select 'cancel of job ' || job_id from pgcrew.cancels x
       where not exists (select from pgcrew.claims c where x.job_id = any (c.job_ids))
      union all
      select 'claim ' || token || ' of nothing' from pgcrew.claims where job_ids = '{}'
      union all
      select 'job ' || r.job_id || ' waits elsewhere: ' || r.queue || ' ' || r.place
        from pgcrew.ready r join public.jobs j on j.id = r.job_id join pgcrew.queues q on q.queue = j.queue
       where (r.queue, r.kind, r.place) <> (j.queue, j.kind, pgcrew.place(q.number, j.priority, j.id))
      union all
      select 'job ' || id || ' ended ' || status || ' at ' || coalesce(finished_at::text, 'no time') from public.jobs
       where (finished_at is not null) <> (status in ('succeeded', 'failed', 'cancelled'))"
}
