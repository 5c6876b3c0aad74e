#!/usr/bin/env bash
# The real supabase-js works against the gateway as it is.
. "$(dirname "$0")/../lib/setup.sh"
# shellcheck source=tests/lib/gateway.sh
. "$here/gateway.sh"
# shellcheck source=tests/lib/web.sh
. "$here/web.sh"

web_install
gateway_database
sql "insert into pgcrew.kinds (kind, user_enqueue) values ('secret', false)"
# Jobs 1 to 6 are batch 1, up to 12 batch 2; nobody runs them, they are put into their states.
sql "insert into public.jobs (user_id, batch_id, kind, payload, priority, unique_key, created_at)
     select '$user', ('00000000-0000-4000-8000-00000000000' || 1 + (n > 6)::int)::uuid,
            case when n % 3 = 0 then 'report' else 'mail' end, jsonb_build_object('n', n, 'name', 'a,b (c)'),
            n % 4, case when n = 12 then 'key-12' end, '2026-01-01 00:00:00+00'::timestamptz + n * interval '1 s'
       from generate_series(1, 12) n"
sql "update public.jobs
        set status = case when id <= 4 then 'succeeded' when id = 5 then 'failed' else 'running' end,
            progress = case when id <= 4 then 100 when id = 5 then 10 else 42.5 end,
            progress_note = case when id = 6 then '50 % of \"all\" & more = ü' end,
            error = case when id = 5 then 'smtp, refused (550)' end,
            result = case when id <= 4 then jsonb_build_object('n', id) end,
            finished_at = case when id <= 5 then now() end
      where id <= 6"
sql "insert into public.jobs (user_id, batch_id, kind) select '$user2', '00000000-0000-4000-8000-00000000000b', 'mail' from generate_series(1, 3)"

user3=33333333-3333-4333-8333-333333333333
sql "insert into public.jobs (user_id, kind, payload)
     select '$user3', 'large', jsonb_build_object('text', repeat('x', 4000000)) from generate_series(1, 3)"

service_key=sb_secret_of_the_project
gateway_start gateway.origins=https://app.example.com gateway.service_key=$service_key
export GATEWAY=$gateway GATEWAY_SECRET=$gateway_secret SERVICE_KEY=$service_key USER_A=$user USER_B=$user2 USER_C=$user3
pid=$(pgrep -P "$daemon_pid" gateway)
web_tap supabase.mjs

not_ok 'the log has no token' logged 'eyJ'
is "$(pgrep -P "$daemon_pid" gateway)" "$pid" 'it is still the same gateway'
done_testing
