#!/usr/bin/env bash
# A job that is a SQL function: its effect and its end are one transaction.  On plain
# PostgreSQL and in a Supabase project.
set -u
repo=$(cd "$(dirname "$0")/../.." && pwd)
. "$repo/tests/lib/tap.sh"
. "$repo/tests/lib/postgres.sh"
. "$repo/tests/lib/queue.sh"
. "$repo/tests/lib/supabase.sh"

# --- words ----------------------------------------------------------------------------

as_app() { PGUSER=$app sql "$@"; }

# start [column,... value,...]: a job of kind a, claimed; sets id and token.
start() {
    local claim
    sql "insert into jobs (kind${1:+, $1}) values ('a'${2:+, $2})"
    claim=$(claim "$holder" 1)
    token=$(token_of "$claim")
    id=$(ids_of "$claim")
}

# call FUNCTION [ROLE [AS_OWNER [KEEP [PATH]]]]: the statement; ROLE and PATH may be null
call() {
    local role=null path=null
    [ "${2:-null}" = null ] || role="'$2'"
    [ "${5:-null}" = null ] || path="'$5'"
    echo "select job_id, status, attempts, max_attempts
            from pgcrew.run_sql($holder, $token, $id, \$f\$$1\$f\$, $role, ${3:-false}, ${4:-false}, $path)"
}
run() { sql "$(call "$@")"; }
state() { sqlstate_of "$(call "$@")"; }
result() { sql "select result from jobs where id = $id"; }
effects() { as_app "select count(*) from app.effects where job = $id"; }
give_back() { finish "$holder" "$token" "$id" failed >/dev/null; }

# refuses CODE WHAT call...: it is refused so, and the job is where it was; then it ends.
refuses() {
    local code=$1 what=$2
    shift 2
    is "$(state "$@") $(place "$id")" "$code queued claimed" "$what"
    give_back
}

# A function that says what it sees.
seen() { sql "select result ->> '$1' from jobs where id = $id"; }

waits_for_lock() {
    [ "$(PGUSER=$super sql "select count(*) from pg_locks where locktype = 'advisory' and objid = 4711 and not granted")" = 1 ]
}

# --- the functions ------------------------------------------------------------------------

make_functions() {
    PGUSER=$super sql "grant create on database \"$PGDATABASE\" to $app"
    as_app "
      create schema app;
      grant usage on schema app to pgcrew_worker, authenticated;
      create table app.effects (job bigint, payload jsonb, who text default current_user);
      grant select, insert on app.effects to pgcrew_worker;
      create function app.note(p jsonb) returns text language sql as
        \$\$insert into app.effects (job, payload) values (current_setting('pgcrew.job_id')::bigint, p);
            select 'noted ' || (p ->> 'n')\$\$;
      create function app.settings(p jsonb) returns jsonb language sql as
        \$\$select jsonb_object_agg(name, current_setting('pgcrew.' || name))
              from unnest(array['job_id', 'kind', 'attempt', 'batch_id', 'user_id']) name\$\$;
      create function app.number(p jsonb) returns int language sql as 'select 42';
      create function app.nothing(p jsonb) returns jsonb language sql as 'select null::jsonb';
      create function app.json_null(p jsonb) returns jsonb language sql as \$\$select 'null'::jsonb\$\$;
      create function app.old_json(p jsonb) returns json language sql as \$\$select '{\"a\":  1}'::json\$\$;
      create function app.many(p jsonb) returns int[] language sql as 'select array[1, 2]';
      create function app.a_record(p jsonb) returns record language sql as \$\$select 1 as a, 'two'::text as b\$\$;
      create function app.outs(p jsonb, out a int, out b text) language sql as \$\$select 1, 'two'::text\$\$;
      create function app.a_row(p jsonb) returns app.effects language sql as \$\$select 7::bigint, p, 'me'::text\$\$;
      create function app.quiet(p jsonb) returns void language sql as
        \$\$insert into app.effects (job, payload) values (current_setting('pgcrew.job_id')::bigint, p)\$\$;
      create function app.two(p jsonb, q int) returns int language sql as 'select q';
      create function app.texts(p text) returns int language sql as 'select 1';
      create function app.set_of(p jsonb) returns setof int language sql as 'select 1 union select 2';
      create function app.a_table(p jsonb) returns table (a int) language sql as 'select 1';
      create procedure app.proc(p jsonb) language sql as 'select 1';
      create function app.over(p jsonb) returns text language sql as \$\$select 'jsonb'::text\$\$;
      create function app.over(p text) returns text language sql as \$\$select 'text'::text\$\$;
      create function app.over(p json) returns text language sql as \$\$select 'json'::text\$\$;
      create function app.unclear(p jsonb) returns int language sql as 'select 1';
      create function app.unclear(p jsonb, q int default 1) returns int language sql as 'select 2';
      create function app.\"Send it, %s \"\"now\"\"\"(p jsonb) returns int language sql as 'select 5';
      create function app.raises(p jsonb) returns int language plpgsql as
        \$\$begin
             insert into app.effects (job, payload) values (current_setting('pgcrew.job_id')::bigint, p);
             raise exception 'no ink' using errcode = p ->> 'code';
           end\$\$;
      create function app.waits(p jsonb) returns int language plpgsql as
        \$\$begin
             insert into app.effects (job, payload) values (current_setting('pgcrew.job_id')::bigint, p);
             perform pg_advisory_xact_lock(4711);
             return 1;
           end\$\$;
      create function app.secret(p jsonb) returns int language sql as 'select 1';
      revoke execute on function app.secret(jsonb) from public;
      create function app.who(p jsonb) returns jsonb language sql as
        \$\$select jsonb_build_object('user', current_user, 'session', session_user, 'path', current_setting('search_path'),
                                     'uid', auth.uid(), 'jwt', auth.jwt(), 'attempts', current_setting('pgcrew.attempt'))\$\$;
      create function app.leaves_role(p jsonb) returns text language plpgsql as
        \$\$begin perform set_config('role', 'helper', false); return current_user; end\$\$;
      create function app.leaves_path(p jsonb) returns text language plpgsql as
        \$\$begin perform set_config('search_path', 'hostile', true); return 1; end\$\$;
      create function app.me(p jsonb) returns jsonb language sql as
        \$\$select jsonb_build_object('user', current_user, 'path', current_setting('search_path'))\$\$;
      create schema shut;
      create function shut.f(p jsonb) returns int language sql as 'select 1';
      create schema closed;
      create function closed.f(p jsonb) returns text language sql as 'select current_user::text';
      create table app.papers (id int, user_id uuid, title text);
      alter table app.papers enable row level security;
      grant select, insert on app.papers to authenticated;
      create policy own on app.papers to authenticated using (auth.uid() = user_id) with check (auth.uid() = user_id);
      insert into app.papers values (1, '$user', 'mine'), (2, '$user2', 'not mine'), (3, '$user', 'mine too');
      create function app.my_papers(p jsonb) returns jsonb language sql as
        \$\$select jsonb_agg(title order by id) from app.papers\$\$;
      create function app.put_paper(p jsonb) returns void language sql as
        \$\$insert into app.papers values (9, (p ->> 'for')::uuid, 'put')\$\$" || bail 'cannot make the functions'
    PGUSER=$super sql "
      create role helper;
      create role stranger;
      grant usage on schema closed to helper;
      grant helper to pgcrew_worker;
      grant usage on schema app to helper, stranger;
      grant insert on app.effects to helper"
}

# Everything that we call, once more, where a session's path would find it first.
make_traps() {
    PGUSER=$super sql "
      create schema hostile;
      grant usage on schema hostile to public;
      create table hostile.fell (into_trap text);
      grant insert on hostile.fell to public;
      create function hostile.trap(what text) returns void language sql security definer as
        \$\$insert into hostile.fell values (what)\$\$;
      create function hostile.to_jsonb(text) returns jsonb language sql as \$\$select hostile.trap('to_jsonb'); select '1'::jsonb\$\$;
      create function hostile.to_jsonb(int) returns jsonb language sql as \$\$select hostile.trap('to_jsonb'); select '1'::jsonb\$\$;
      create function hostile.format(text, name, name) returns text language sql as \$\$select hostile.trap('format'); select 'x'\$\$;
      create function hostile.set_config(text, text, boolean) returns text language sql as \$\$select hostile.trap('set_config'); select 'x'\$\$;
      create function hostile.clock_timestamp() returns timestamptz language sql as \$\$select hostile.trap('clock_timestamp'); select now()\$\$;
      create function hostile.coalesced(text) returns text language sql as 'select \$1';
      create function hostile.eq(bigint, bigint) returns boolean language sql as \$\$select hostile.trap('='); select true\$\$;
      create function hostile.eq(oid, oid) returns boolean language sql as \$\$select hostile.trap('='); select true\$\$;
      create function hostile.eq(name, text) returns boolean language sql as \$\$select hostile.trap('='); select true\$\$;
      create function hostile.eq(text, text) returns boolean language sql as \$\$select hostile.trap('='); select true\$\$;
      create function hostile.cat(jsonb, jsonb) returns jsonb language sql as \$\$select hostile.trap('||'); select '{}'::jsonb\$\$;
      create operator hostile.= (leftarg = bigint, rightarg = bigint, function = hostile.eq);
      create operator hostile.= (leftarg = oid, rightarg = oid, function = hostile.eq);
      create operator hostile.= (leftarg = name, rightarg = text, function = hostile.eq);
      create operator hostile.= (leftarg = text, rightarg = text, function = hostile.eq);
      create operator hostile.|| (leftarg = jsonb, rightarg = jsonb, function = hostile.cat);
      create type hostile.jsonb as (a int);
      create function hostile.word() returns text language sql as \$\$select 'of the session'::text\$\$;
      create function app.says_word(p jsonb) returns text language plpgsql as 'begin return word(); end'"
    # Where everybody's path leads, too.
    PGUSER=$super sql "
      create function public.to_jsonb(text) returns jsonb language sql as \$\$select hostile.trap('public.to_jsonb'); select '1'::jsonb\$\$;
      create operator public.= (leftarg = text, rightarg = text, function = hostile.eq)"
}

# --- what is promised ---------------------------------------------------------------------------

check_effect() {
    start payload "'{\"n\": 3}'"
    is "$(run app.note)" "$id|succeeded|1|5" "$at: the end of the job comes back"
    is "$(place "$id") $(result) $(effects)" 'succeeded "noted 3" 1' "$at: it has succeeded with the function's value, and its effect is there"
    is "$(sql "select count(*) from pgcrew.claims where token = $token")" 0 "$at: the claim is gone"
    is "$(sql "select started_at <= finished_at and error is null and progress = 100 from jobs where id = $id")" t "$at: as after any success"
    is "$(run app.note)$(effects)" 1 "$at: called again, nothing comes back and nothing is done"

    start
    sql "begin; $(call app.note); rollback" >/dev/null
    is "$(place "$id") $(effects)" 'queued claimed 0' "$at: rolled back: neither is"
    is "$(sql "select count(*) from pgcrew.run_sql($((holder + 1)), $token, $id, 'app.note', null, false, false, null)")$(effects)" 00 \
        "$at: another holder runs nothing"
    is "$(sql "select count(*) from pgcrew.run_sql($holder, $((token + 1)), $id, 'app.note', null, false, false, null)")$(effects)" 00 \
        "$at: so does another token"
    sql "select pgcrew.cancel_jobs('{$id}')" >/dev/null
    run app.note >/dev/null
    is "$(place "$id")" succeeded "$at: a cancellation that comes too late is forgotten"

    # One of several in a claim.
    sql "insert into jobs (kind, payload) select 'a', jsonb_build_object('n', i) from generate_series(1, 3) i"
    local claim
    claim=$(claim "$holder" 3)
    token=$(token_of "$claim")
    IFS=, read -r first id last <<<"$(ids_of "$claim")"
    run app.note >/dev/null
    is "$(place "$first"), $(place "$id"), $(place "$last") $(result)" 'queued claimed, succeeded, queued claimed "noted 2"' \
        "$at: of a claim of three, the one that was meant"
    finish "$holder" "$token" "$first,$last" succeeded,succeeded >/dev/null

    start attempts 1
    run app.settings >/dev/null
    is "$(seen job_id) $(seen kind) $(seen attempt) [$(seen batch_id)] [$(seen user_id)]" "$id a 2 [] []" "$at: the function can ask which job it is"
    start batch_id,user_id "'$user2', '$user'"
    run app.settings >/dev/null
    is "$(seen batch_id) $(seen user_id)" "$user2 $user" "$at: whose, and of which batch"

    start
    run app.note null false true >/dev/null
    is "$(sql "select attempt, cause, holder_name from pgcrew.attempts where job_id = $id")" "1|succeeded|host/1" "$at: the attempt is noted if that is asked for"
    start
    run app.note >/dev/null
    is "$(sql "select count(*) from pgcrew.attempts where job_id = $id")" 0 "$at: else it is not"
}

holds_lock() {
    [ "$(sql "select count(*) from pg_locks where locktype = 'advisory' and objid = 4711 and granted")" = 1 ]
}

check_fence() {
    local other
    start
    sql "select pgcrew.release_unknown($holder, '{}')" >/dev/null
    is "$(run app.note)$(effects)" 0 "$at: a claim that is gone: nothing is run"
    claim "$holder" 1 >/dev/null

    other=$(worker 2)
    sql "insert into jobs (kind) values ('a')"
    token=$(claim "$other" 1)
    id=${token#*:} token=${token%%:*}
    # Somebody holds the lock until his input ends; the function waits for it.
    coproc holding { psql -XAtq; }
    # shellcheck disable=SC2154  # made by coproc
    echo 'select pg_advisory_lock(4711);' >&"${holding[1]}"
    wait_for 10 holds_lock
    local holder_before=$holder said=$pg_dir/said pid
    holder=$other
    psql -XAtq -v VERBOSITY=sqlstate -c "$(call app.waits)" >"$said" 2>&1 &
    pid=$!
    ok "$at: a function runs" wait_for 10 waits_for_lock
    is "$(sql "select pgcrew.reap_process('$(process 2)', '{$id}')")" 1 "$at: its worker is thought dead, and reaping does not wait for it"
    is "$(place "$id")" 'queued ready' "$at: the job is somebody else's"
    echo '\q' >&"${holding[1]}"
    wait "$pid"
    like "$(cat "$said")" 'PC003$' "$at: the function ends and is told that the job was taken away"
    is "$(place "$id") $(effects)" 'queued ready 0' "$at: nothing of it remains"
    holder=$holder_before
    token=$(token_of "$(claim "$holder" 1)")
    run app.note >/dev/null
    is "$(place "$id") $(effects)" 'succeeded 1' "$at: the other runs it, once"

    start
    sql "delete from jobs where id = $id"
    is "$(run app.note)$(effects)" 0 "$at: a job that was deleted: nothing is run"
    is "$(finish "$holder" "$token" "$id" failed)" "$id not-ours  " "$at: and finish says so"
}

check_values() {
    local function value what
    while IFS='|' read -r function value what; do
        start
        run "$function" >/dev/null
        is "$(place "$id") $(result)" "succeeded $value" "$at: $what"
    done <<'END'
app.number|42|a number
app.nothing||no value: no result
app.json_null|null|the null of JSON is one
app.old_json|{"a": 1}|json
app.many|[1, 2]|an array
app.a_record|{"a": 1, "b": "two"}|a record
app.outs|{"a": 1, "b": "two"}|out parameters
app.a_row|{"job": 7, "who": "me", "payload": {}}|a row of a table
app.quiet||void: no result
app.over|"jsonb"|of functions with one name, that of one jsonb
app."Send it, %s ""now"""|5|a name that has to be quoted
APP.Number|42|a name as SQL reads it
END
    start
    run app.quiet >/dev/null
    is "$(effects)" 1 "$at: what returns nothing is run, once"
}

check_refusals() {
    start; refuses PC002 "$at: no such function" app.nope
    start; refuses PC002 "$at: no such schema" nope.note
    start; refuses PC002 "$at: no schema said" note
    start; refuses PC002 "$at: of two arguments" app.two
    start; refuses PC002 "$at: of an argument of another type" app.texts
    start; refuses PC002 "$at: it returns a set" app.set_of
    start; refuses PC002 "$at: it returns a table" app.a_table
    start; refuses PC002 "$at: a procedure" app.proc
    start; refuses PC002 "$at: another could be meant, of a second argument that may be left out" app.unclear
    start; refuses PC002 "$at: an aggregate" pg_catalog.jsonb_agg
    for name in '' . app. .note 'app.note(jsonb)' 'app.note; select 1' 'app."note' 'a.b.c' "app.note'" 'app.note--'; do
        start; refuses PC002 "$at: no name at all: <$name>" "$name"
    done
    start; refuses PC002 "$at: the session may not execute it" app.secret
    start; refuses PC002 "$at: the session may not use its schema" shut.f
    start; refuses PC002 "$at: nor may a role" shut.f helper
    start
    is "$(run closed.f helper | cut -d '|' -f 2) $(result)" 'succeeded "helper"' "$at: a role that may use the schema can"
    start; refuses PC002 "$at: the role may not execute it" app.secret helper
    start; refuses PC002 "$at: there is no such role" app.note 'no such role'
    start; refuses PC002 "$at: the session is no member of the role" app.note stranger
    start; refuses PC002 "$at: nor of the superuser" app.note "$super"

    start payload "'{\"code\": \"P0001\"}'"
    like "$(sql "$(call app.raises)" 2>&1)" 'ERROR:  no ink' "$at: what the function raises is what comes back"
    is "$(effects)" 0 "$at: its effect is gone"
    refuses P0001 "$at: the job can be retried" app.raises
    start payload "'{\"code\": \"PC065\"}'"
    refuses PC065 "$at: so it says 'never again'" app.raises
    start payload "'{\"code\": \"42501\"}'"
    refuses 42501 "$at: and that something in it is not allowed is its own error" app.raises
    start; refuses PC065 "$at: as the owner of a job of nobody" app.who null true
}

check_roles() {
    start
    run app.note helper >/dev/null
    is "$(as_app "select who from app.effects where job = $id")" helper "$at: it runs as the role"
    start
    is "$(sql "begin; $(call app.note helper); select current_user, current_setting('role'), current_setting('search_path'); commit" | tail -n 1)" \
        "$(sql "select current_user, current_setting('role'), current_setting('search_path')")" "$at: role and path are as before in the same transaction"
    start
    is "$(sql "set role pgcrew_worker; $(call app.me helper); select current_user, current_setting('role')" | tail -n 1)" \
        'pgcrew_worker|pgcrew_worker' "$at: a role that was set stays set"
    start
    is "$(sql "$(call app.leaves_role); select current_user" | tail -n 1) $(place "$id")" 'pgcrew_worker succeeded' \
        "$at: a function that sets the role for good does not keep it"
    start
    is "$(psql -XAtq -c "$(call app.leaves_role)" -c 'select current_user' | tail -n 1)" pgcrew_worker "$at: nor in the next transaction"
    start
    is "$(psql -XAtq -c "$(call app.leaves_path)" -c 'show search_path' | tail -n 1)" "$(sql 'show search_path')" "$at: nor does the path stay"
}

check_owner() {
    local own
    if [ "$(sql "select pg_has_role('authenticated', 'member')")" = f ]; then
        start user_id "'$user'"
        refuses PC002 "$at: as the owner, when the session may not become a user" app.who null true
        PGUSER=$super sql 'grant authenticated to pgcrew_worker'
    fi
    start user_id "'$user'"
    run app.who null true >/dev/null
    is "$(seen user) $(seen uid)" "authenticated $user" "$at: as the owner: a signed-in user, this one"
    is "$(sql "select result -> 'jwt' from jobs where id = $id")" "{\"aud\": \"authenticated\", \"sub\": \"$user\", \"role\": \"authenticated\"}" \
        "$at: with claims of its own"
    start user_id "'$user2'"
    run app.who stranger true >/dev/null
    is "$(seen user) $(seen uid)" "authenticated $user2" "$at: whatever role is said"
    start user_id "'$user'"
    run app.my_papers null true >/dev/null
    is "$(result)" '["mine", "mine too"]' "$at: row level security holds: only own rows are seen"
    start user_id,payload "'$user', '{\"for\": \"$user2\"}'"
    refuses 42501 "$at: only own rows are written" app.put_paper null true
    start user_id,payload "'$user', '{\"for\": \"$user\"}'"
    is "$(run app.put_paper null true | cut -d '|' -f 2)" succeeded "$at: those can be"
    start user_id "'$user'"
    refuses 42501 "$at: what users may not do, it may not" app.note null true

    PGUSER=$app sql "insert into pgcrew.kinds (kind, keep_claims) values ('kept', true)"
    own=$(PGUSER=$super psql -XAtq -v ON_ERROR_STOP=1 \
        -c "select set_config('request.jwt.claims', '{\"sub\":\"$user\",\"role\":\"service_role\",\"org\":\"acme\",\"exp\":1}', false)" \
        -c 'set role authenticated' -c "insert into jobs (kind) values ('kept') returning id" | tail -n 1)
    token=$(claim "$holder" 1)
    id=${token#*:} token=${token%%:*}
    is "$id" "$own" "$at: (the user's job is claimed)"
    run app.who null true >/dev/null
    is "$(sql "select result #>> '{jwt,org}', result #>> '{jwt,sub}', result #>> '{jwt,role}', result #>> '{jwt,exp}' from jobs where id = $id")" \
        "acme|$user|authenticated|1" "$at: what the user's token said is said again; never another role"

    start user_id "'$user'"
    is "$(psql -XAtq -c "$(call app.who null true)" \
        -c "select current_user, coalesce(auth.uid()::text, 'nobody'), coalesce(nullif(current_setting('request.jwt.claims', true), ''), 'none'),
                   coalesce(nullif(current_setting('pgcrew.job_id', true), ''), 'none')" | tail -n 1)" \
        'pgcrew_worker|nobody|none|none' "$at: nothing of it is left in the next transaction"
    start user_id "'$user'"
    is "$(psql -XAtq -c "$(call app.raises null true)" -c "select current_user, coalesce(auth.uid()::text, 'nobody')" 2>/dev/null | tail -n 1)" \
        'pgcrew_worker|nobody' "$at: nor when it has failed"
    give_back
    start
    run app.who >/dev/null
    is "$(seen user) [$(seen uid)]" 'pgcrew_worker []' "$at: the next job runs as the session"
}

check_path() {
    local path='hostile, pg_catalog, public'
    make_traps
    start payload "'{\"n\": 1}'"
    is "$(PGOPTIONS="-c search_path=hostile,pg_catalog,public" sqlstate_of "$(call app.note null false true "$path")") $(result)" \
        '00000 "noted 1"' "$at: the session's path leads into traps: the job succeeds"
    start user_id "'$user'"
    PGOPTIONS="-c search_path=hostile,pg_catalog,public" run app.me null true false "$path" >/dev/null
    is "$(seen path)" "$path" "$at: the function sees the session's path"
    is "$(PGUSER=$super sql 'select string_agg(into_trap, $$ $$) from hostile.fell')" '' "$at: nothing of ours fell into them"
    start
    run app.says_word null false false "$path" >/dev/null
    is "$(result)" '"of the session"' "$at: and finds what is there"
    start
    refuses 42883 "$at: which is nowhere else" app.says_word null false false public
    start
    run app.number null false false public >/dev/null
    is "$(result)" 42 "$at: a trap in public is none either"
    start
    PGOPTIONS='-c search_path=app' run app.me >/dev/null
    is "$(seen path)" app "$at: without a path it is what the session began with"
    is "$(PGUSER=$super sql 'select count(*) from hostile.fell')" 0 "$at: no trap was sprung"
    PGUSER=$super sql "select hostile.to_jsonb('x')" >/dev/null
    is "$(PGUSER=$super sql 'select into_trap from hostile.fell')" to_jsonb "$at: (they can be)"
}

check_all() {
    holder=$(worker 1)
    make_functions
    check_effect
    check_fence
    check_values
    check_refusals
    check_roles
    check_owner
    check_path
    is "$(broken)" '' "$at: everything agrees"
}

at=plain app=owner super=postgres
queue_start
check_all
pg_cleanup

at=supabase app=postgres super=supabase_admin
supabase_start new
migrate || bail 'cannot migrate'
sql 'alter role pgcrew_worker login'
export PGUSER=pgcrew_worker
check_all

done_testing
