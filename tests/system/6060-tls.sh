#!/usr/bin/env bash
# A server that is not on this host must prove who it is, unless its URL says otherwise.
. "$(dirname "$0")/../lib/setup.sh"
. "$(dirname "$0")/../lib/tool.sh"
[ "$(id -u)" -eq 0 ] || skip_all 'only root can make a network of its own'
# Another address of this host is elsewhere, as far as the daemon can tell; a network of its own for that.
if [ -z "${IN_NETWORK:-}" ]; then
    unshare --net true 2>/dev/null || skip_all 'no network namespaces here'
    IN_NETWORK=yes exec unshare --net "$0"
fi
ip link set lo up && ip address add 192.0.2.1/32 dev lo || skip_all 'no ip(8)'
PG_TCP_PORT=5432 PG_CONF="listen_addresses = '192.0.2.1'"
pg_start && migrate || bail 'no database'
daemon_setup
unset PGCREW_CONTROL_SOCKET PGSSLROOTCERT PGSSLMODE
export HOME=$daemon_dir/home
mkdir "$HOME"
socket=$PGHOST
sql "alter role pgcrew_worker login"
printf 'local all all trust\nhost all all 192.0.2.1/32 trust\n' >"$pg_dir/data/pg_hba.conf"
sql 'select pg_reload_conf()' >/dev/null

# --- an authority, another one, and what they say --------------------------------------------------

ca=$daemon_dir/ca
mkdir "$ca"
authority() { # NAME
    openssl req -x509 -newkey rsa:2048 -nodes -keyout "$ca/$1.key" -out "$ca/$1.crt" -days 2 -subj "/CN=$1" 2>/dev/null
}
certificate() { # NAME AUTHORITY ALTERNATIVE-NAME DAYS
    openssl req -newkey rsa:2048 -nodes -keyout "$ca/$1.key" -out "$ca/$1.csr" -subj "/CN=$1" 2>/dev/null
    openssl x509 -req -in "$ca/$1.csr" -CA "$ca/$2.crt" -CAkey "$ca/$2.key" -CAcreateserial -out "$ca/$1.crt" -days "$4" \
        -extfile <(echo "subjectAltName=$3") 2>/dev/null
}
authority ours && authority theirs || bail 'openssl makes no authority'
certificate good ours IP:192.0.2.1 2
certificate elsewhere ours DNS:db.example.com 2
certificate expired ours IP:192.0.2.1 -1
certificate foreign theirs IP:192.0.2.1 2
[ -s "$ca/foreign.crt" ] || bail 'openssl makes no certificate'

present() { # NAME: the server shows this one from now on; - for none
    if [ "$1" = - ]; then
        sql "alter system set ssl = off" -h "$socket"
    else
        install -o postgres -m 600 "$ca/$1.key" "$pg_dir/data/server.key"
        install -o postgres -m 600 "$ca/$1.crt" "$pg_dir/data/server.crt"
        sql "alter system set ssl = on" -h "$socket"
    fi
    sql 'select pg_reload_conf()' -h "$socket" >/dev/null
    pg_restart
}
url="postgresql://pgcrew_worker@192.0.2.1/postgres"
full="$url?sslrootcert=$ca/ours.crt"
# connects URL: 'ok', or what is wrong
connects() {
    tool --database "$1" migrate status
    [ "$status" = 0 ] && echo ok || echo "$errors"
}
hint='a server elsewhere must prove who it is: sslrootcert=FILE'

like "$(connects "$url")" "SSL was required.*$hint"      'a server without encryption is refused'
is "$(connects "$url?sslmode=disable")" ok               'but when the URL wants it so'
present good
like "$(connects "$url")" "certificate.*$hint"           'one of an authority that nobody knows is refused'
is "$(connects "$url?sslmode=require")" ok               'but when the URL wants it so'
is "$(connects "$full")" ok                              'with its authority named it is fine'
is "$(PGSSLROOTCERT=$ca/ours.crt connects "$url")" ok    'by a variable, too'
is "$(PGSSLMODE=require connects "$url")" ok             'a variable may say that anybody will do'
mkdir "$HOME/.postgresql" && cp "$ca/ours.crt" "$HOME/.postgresql/root.crt"
is "$(connects "$url")" ok                               "libpq's own file of authorities counts"
rm -r "$HOME/.postgresql"
is "$(connects "postgresql://pgcrew_worker@/postgres?host=$socket")" ok 'the local socket needs nothing'
like "$(connects "postgresql://pgcrew_worker@/postgres?host=$pg_dir,192.0.2.1")" "$hint" 'a list of hosts is as safe as its last'
like "$(connects "postgresql://pgcrew_worker@/postgres?hostaddr=192.0.2.1")" "certificate.*$hint" 'so is an address'

found() { # REGEX WHAT: of the check of encryption
    tool --database "$2" doctor --json
    like "$(field '.checks[] | select(.check == "encryption") | .level + " " + .finding')" "$1" "$3"
}
found '^ok encrypted with TLSv1\.[23]' "$full"           'doctor: all is well'
found '^warn encrypted, but 192.0.2.1 may be anybody' "$url?sslmode=require" 'doctor: encrypted, but with whom?'
found '^warn .* is not encrypted' "$url?sslmode=disable" 'doctor: not encrypted'
tool --database "$url" doctor --json
is "$(field '.checks[] | select(.check == "database") | .level')" error 'doctor: refused'

# --- and the daemon, through its life ---------------------------------------------------------------

daemon_url=$full
export PGHOST=$socket
handlers '  quick: {exec: [/bin/true]}'
start_daemon queue.poll_interval=200ms
ok 'a job runs' wait_for 20 job_is "$(enqueue quick)" succeeded
is "$(sql "select bool_and(ssl) from pg_stat_ssl join pg_stat_activity using (pid) where usename = 'pgcrew_worker'")" t 'over an encrypted connection'
for wrong in "elsewhere:does not match host name" "expired:certificate has expired|certificate verify failed" "foreign:certificate verify failed"; do
    : >"$daemon_out"
    present "${wrong%%:*}"
    ok "a certificate that is ${wrong%%:*} is refused" wait_for 20 logged "(${wrong#*:}).*$hint"
done
is "$(sql "select count(*) from pg_stat_activity where usename = 'pgcrew_worker'")" 0 'nobody works with that one'
present good
ok 'with a good one it goes on' wait_for 30 job_is "$(enqueue quick)" succeeded
stop_daemon
is "$daemon_status" 0 'and ends well'
done_testing
