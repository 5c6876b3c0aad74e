#!/usr/bin/env bash
# What callers plant in pg_temp, in their own schema or in public, and put before everything
# in their search path, is never taken for ours: every function that runs as the owner is
# called among such plants.
set -u
repo=$(cd "$(dirname "$0")/../.." && pwd)
. "$repo/tests/lib/tap.sh"
. "$repo/tests/lib/postgres.sh"
. "$repo/tests/lib/queue.sh"

queue_start
export PGUSER=postgres
sql "insert into pgcrew.kinds (kind, keep_claims) values ('photo', true);
     create table public.loot (who text, via text);
     grant insert on public.loot to public;
     create role mallory login in role pgcrew_worker;
     create role eve login in role authenticated;
     create schema mallory authorization mallory; create schema eve authorization eve;
     grant create on schema public to mallory, eve;
     create function pgcrew.careless(p text) returns bool language plpgsql security definer set search_path = '' as
       \$\$ declare v text := p; begin return v = 'x'; end \$\$;
     create function pgcrew.more_careless(p text) returns bool language plpgsql security definer as
       \$\$ begin return length(p) = 1 and now() is not null; end \$\$;
     create function public.handler(p jsonb) returns int language sql as 'select 1';
     revoke execute on function pgcrew.careless(text), pgcrew.more_careless(text) from public;
     grant execute on function pgcrew.careless(text), pgcrew.more_careless(text) to mallory;
     alter function pgcrew.careless(text) owner to owner;
     alter function pgcrew.more_careless(text) owner to owner"

# among_plants USER QUERY...: in one session of that user
among_plants() {
    local who=$1 args=() query
    shift
    for query; do args+=(-c "$query"); done
    sql 'truncate public.loot; drop schema if exists mallory, eve cascade;
         create schema mallory authorization mallory; create schema eve authorization eve;
         drop function if exists public.evil(text) cascade' >/dev/null 2>&1
    sql "do \$\$ declare f regprocedure; begin
           for f in select oid from pg_proc where pronamespace = 'public'::regnamespace and proowner in ('mallory'::regrole, 'eve'::regrole) loop
             execute 'drop function ' || f || ' cascade';
           end loop; end \$\$" >/dev/null 2>&1
    psql -XAtq -v ON_ERROR_STOP=1 -U "$who" -f "$repo/tests/lib/shadows.sql" \
        -c "select pg_catalog.set_config('search_path', 'pg_temp, $who, public, pg_catalog', false)" \
        -c "select pg_catalog.set_config('request.jwt.claims', '{\"sub\": \"$user\", \"role\": \"authenticated\"}', false)" \
        "${args[@]}" 2>&1
}
loot() { sql "select distinct who || ' ' || via from public.loot where who <> '${1:-}' order by 1"; }

among_plants mallory "select pgcrew.careless('x'::pg_catalog.text)" >/dev/null
like "$(loot)" '^owner type text$' 'a function without pg_temp in its path takes what is planted there for its own'
among_plants mallory "select pgcrew.more_careless('x'::pg_catalog.text)" >/dev/null
like "$(loot)" '^owner function (length|now)$' 'one without a path takes the functions, too'

# The arrays are written out, or it would be our own query that meets the plants.
calls=(
    "insert into public.jobs (kind, user_id, unique_key) select 'photo', '$user', 'key ' operator(pg_catalog.||) i from pg_catalog.generate_series(1, 6) i"
    "insert into public.jobs (kind, run_at) values ('later', pg_catalog.now() operator(pg_catalog.+) '1 hour')"
    "insert into public.jobs (kind, run_at) values ('soon', pg_catalog.now() operator(pg_catalog.+) '10 ms')"
    "select pgcrew.register_worker('$(process 1)', 'host', 1, 1, 'test', '{default}', null, 1, 30000)"
    "select pgcrew.enqueue('x', unique_key => 'k')" "select pgcrew.enqueue('x', unique_key => 'k')"
    "select pgcrew.enqueue('x', run_at => 'infinity')"
    "select pgcrew.claim(1, '{0}', '{9223372036854775807}', null, 3)"
    "select pgcrew.heartbeat('{$(process 1)}')"
    "select pgcrew.report(1, '{1,1}', '{1,2}', '{500,500}', '{50,null}', '{note,null}')"
    "select pgcrew.cancel_jobs('{1,4,8,99}')"
    "select pgcrew.finish(1, 1, '{1,2}', '{succeeded,retry}', '{1,1}', '{1,1}', '{1,2}', '{null,no}', '{succeeded,failed}', null, null, null)"
    "select pgcrew.run_sql(1, 1, 3, 'public.handler', null, false, false, 'pg_catalog')"
    "select pgcrew.claim(1, '{0}', '{9223372036854775807}', null, 2)"
    "select pgcrew.finish(1, 2, '{5}', '{release}', '{1}', null, null, null, null, null, null, null)"
    "select pgcrew.release_unknown(1, '{}')"
    "select pgcrew.promote(10)" "select pgcrew.waits_for('{$(process 1)}')" "select pgcrew.survey('{default}')"
    "select pgcrew.stalled('{$(process 1)}')" "select pgcrew.health()"
    "select pgcrew.claim(1, '{0}', '{9223372036854775807}', null, 1)"
    "select pgcrew.reap_process('$(process 1)', '{5}', true)"
    "select pgcrew.register_worker('$(process 2)', 'host', 1, 1, 'test', '{default}', null, 1, 0)"
    "select pgcrew.claim(2, '{0}', '{9223372036854775807}', null, 1)"
    "select pg_catalog.pg_sleep(0.01)" "select pgcrew.reap_expired()"
    "select pgcrew.unregister_worker('$(process 2)')"
    "select pgcrew.retry_jobs('{4,99}')"
    "insert into public.jobs (kind, batch_id, user_id) values ('photo', '$(process 9)', '$user')"
    "select public.batch_status('$(process 9)'::pg_catalog.uuid)"
    "select pgcrew.cancel_batch_jobs('$(process 9)')" "select pgcrew.retry_batch('$(process 9)')"
    "select pgcrew.put_schedule('x', '@every 1s', 'x', p_overlap => false)" "select pgcrew.run_schedule('x')"
    "select pg_catalog.pg_sleep(1)" "select pgcrew.run_schedules(10)"
    "select pgcrew.put_schedule('x', '*/5 2 * * mon', 'x', p_timezone => 'europe/berlin')"
    "select pgcrew.pause_schedule('x')" "select pgcrew.resume_schedule('x')" "select pgcrew.remove_schedule('x')"
    "select pgcrew.cron_next('0 0 1 1 *', pgcrew.timezone_name('UTC'), pg_catalog.now())"
    "select pgcrew.cron_next('30 2 29 3 *', 'Europe/Berlin', '2026-03-01'::pg_catalog.timestamptz)"
    "select pgcrew.pause_queue('made')" "select pgcrew.resume_queue('made')"
    "delete from public.jobs"
)
sql 'truncate jobs restart identity; alter sequence pgcrew.workers_holder_seq restart; alter sequence pgcrew.claims_token_seq restart'
said=$(among_plants mallory 'grant usage on schema mallory to public' 'set role pgcrew_worker' "${calls[@]}")
is "$(grep ERROR <<<"$said")" '' 'a worker: every call does its work'
is "$(loot pgcrew_worker)" '' 'and none runs a plant as the owner'

user_calls=(
    "insert into public.jobs (kind, batch_id, payload) values ('photo', '$(process 8)', '{\"a\": 1}')"
    "select public.enqueue_jobs('photo', '[1,2]', '$(process 8)')"
    "select public.batch_status('$(process 8)')"
    "select public.cancel_batch('$(process 8)')"
)
said=$(among_plants eve "${user_calls[@]}")
is "$(grep ERROR <<<"$said")" '' 'a user: every call does its work'
is "$(loot eve)" '' 'and none runs a plant as the owner'

# Who is called only by those above; a function without a line here or a call there is missing.
inner='drop_ended end_cancelled finish_others jobs_enter jobs_leave jobs_truncated jobs_user_limit jobs_user_row
       lock_claims lock_schedule put_back queue_number run_due schedule_job undo_claims wake wake_at'
called=$(printf '%s\n' "${calls[@]}" "${user_calls[@]}" | grep -oE '(pgcrew|public)\.[a-z_]+\(' | sed 's/.*\.//; s/(//' | sort -u)
is "$(sql "select proname from pg_proc where prosecdef and pronamespace in ('pgcrew'::regnamespace, 'public'::regnamespace)
             and proname !~ 'careless' order by 1" | grep -vxF "$called" | grep -vxFf <(tr -s ' \n' '\n' <<<"$inner"))" '' \
    'no function that runs as the owner was left out'
is "$(sql "select proname from pg_proc where pronamespace = 'pgcrew'::regnamespace and proname !~ 'careless' and proname <> 'place'
             and not coalesce('search_path=pg_catalog, pg_temp' = any (proconfig), false)")" '' 'each has its own path'
done_testing
