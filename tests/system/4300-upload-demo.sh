#!/usr/bin/env bash
# The page for end users, contrib/supabase/upload-demo, in headless Chromium: from the choice
# of files to 100 %, worked on by a real worker.
. "$(dirname "$0")/../lib/setup.sh"
# shellcheck source=tests/lib/gateway.sh
. "$here/gateway.sh"
# shellcheck source=tests/lib/web.sh
. "$here/web.sh"

command -v chromium >/dev/null || bail 'chromium is not installed'
web_install
gateway_database
sql "insert into pgcrew.kinds (kind, user_enqueue) values ('upload', true), ('secret', false)"
daemon_setup
export GO=$daemon_dir/go

# Reports 40 % and waits, so that a browser can be seen to see it.
cat >"$daemon_dir/upload" <<'HANDLER'
#!/bin/sh
name=$(jq -r .name)
[ "$name" != fails.csv ] || { echo 'fails.csv has <b>no columns</b>' >&2; exit 65; }
echo "40 looks at $name" >&3
until [ -e "$1" ]; do sleep 0.05; done
echo '{}'
HANDLER
chmod +x "$daemon_dir/upload"
handlers "  upload: {exec: ['$daemon_dir/upload', '$GO']}"

page_port=$(free_port)
python3 -m http.server --bind 127.0.0.1 --directory "$repo/contrib/supabase/upload-demo" "$page_port" >"$daemon_dir/page.log" 2>&1 &
page_pid=$!
at_exit 'kill $page_pid 2>/dev/null'
export PAGE=http://127.0.0.1:$page_port/ PAGE_FILE=$repo/contrib/supabase/upload-demo/index.html
wait_for 20 curl -s -o /dev/null "$PAGE" || bail 'the page is not served'

gateway_start "gateway.origins=http://127.0.0.1:$page_port" worker.slots=8
TOKEN=$(mint $user)
export TOKEN GATEWAY=$gateway GATEWAY_SECRET=$gateway_secret USER_A=$user
web_tap upload-demo.mjs
done_testing
