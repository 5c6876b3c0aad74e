# A private PostgreSQL for one test file: own data directory, unix socket only, so any
# number of them run at once.  It is gone when the shell that started it ends.
#
#   pg_start [superuser]   a new cluster; exports PGHOST PGPORT PGUSER PGDATABASE
#                          PG_CONF: more lines of postgresql.conf; PG_TCP_PORT: listen
#                          there on 127.0.0.1, too; PG_KEEP: leave it behind
#   pg_stop [immediate]    stop it (fast, if not said otherwise)
#   pg_restart [immediate] stop it and start it again, same data
#   pg_cleanup             stop and remove; runs by itself at the end
#   sql 'query' [psql option...]        the bare answer
#   sql_as role 'query' [option...]     the same after SET ROLE
#   sqlstate_of 'query' [option...]     the SQLSTATE of its error, or 00000
#   apply file...          each file as one simple query, as an editor would send it
#   migrate                all of migrations/
#   free_port              one that nobody listens on just now
#   wait_for seconds cmd...             until cmd succeeds
#   at_exit cmd            more to do at the end, before the cluster goes
#
# shellcheck shell=bash

repo=${repo:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}

pg_bindir() {
    local dir
    dir=$(printf '%s\n' /usr/lib/postgresql/*/bin/postgres | sort -V | tail -n 1)
    if [ -x "$dir" ]; then
        dirname "$dir"
    else
        dirname "$(command -v postgres)"
    fi
}

# The server refuses to run as root; Debian's package brings a user for it.
pg_as_server() {
    if [ "$(id -u)" -eq 0 ]; then
        setpriv --reuid=postgres --regid=postgres --clear-groups env HOME=/tmp "$@"
    else
        "$@"
    fi
}

pg_start() {
    local user=${1:-postgres}

    pg_bin=$(pg_bindir)
    [ -x "$pg_bin/initdb" ] || bail 'no PostgreSQL server is installed'
    pg_dir=$(mktemp -d "${TMPDIR:-/tmp}/pgcrew-pg.XXXXXX")
    chmod 755 "$pg_dir"
    mkdir -m 777 "$pg_dir/run"
    [ "$(id -u)" -ne 0 ] || chown postgres "$pg_dir" "$pg_dir/run"
    trap pg_on_exit EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM

    pg_as_server "$pg_bin/initdb" -D "$pg_dir/data" -U "$user" -A trust -E UTF8 --locale=C.UTF-8 -N \
        >"$pg_dir/initdb.log" 2>&1 || { cat "$pg_dir/initdb.log"; bail 'initdb failed'; }
    # Nothing here survives the machine: no need to wait for the disk.
    cat >>"$pg_dir/data/postgresql.conf" <<-CONF
	listen_addresses = '${PG_TCP_PORT:+127.0.0.1}'
	port = ${PG_TCP_PORT:-5432}
	unix_socket_directories = '$pg_dir/run'
	unix_socket_permissions = 0777
	fsync = off
	full_page_writes = off
	max_connections = 100
	shared_buffers = 64MB
	wal_level = logical
	max_wal_size = 1GB
	timezone = 'UTC'
	log_min_messages = warning
	log_line_prefix = '%m [%p] %q%u@%d %a '
	CONF
    if [ -n "${PG_CONF:-}" ]; then
        printf '%s\n' "$PG_CONF" >>"$pg_dir/data/postgresql.conf"
    fi
    export PGHOST=$pg_dir/run PGPORT=${PG_TCP_PORT:-5432} PGUSER=$user PGDATABASE=postgres
    unset PGSERVICE PGPASSWORD PGSSLMODE PGOPTIONS PGAPPNAME DATABASE_URL SUPABASE_DB_URL
    pg_up
}

pg_up() {
    pg_as_server "$pg_bin/pg_ctl" -D "$pg_dir/data" -l "$pg_dir/server.log" -w -t 60 start \
        >"$pg_dir/ctl.log" 2>&1 || { cat "$pg_dir/server.log"; bail 'PostgreSQL did not start'; }
}

pg_stop() {
    pg_as_server "$pg_bin/pg_ctl" -D "$pg_dir/data" -m "${1:-fast}" -w -t 60 stop >>"$pg_dir/ctl.log" 2>&1
}

pg_restart() {
    pg_stop "$@"
    pg_up
}

pg_cleanup() {
    [ -n "${pg_dir:-}" ] || return 0
    pg_stop immediate || true
    if [ -n "${PG_KEEP:-}" ]; then
        echo "# kept: $pg_dir"
    else
        rm -rf "$pg_dir"
    fi
    pg_dir=
}

pg_exit_commands=()

at_exit() {
    pg_exit_commands+=("$1")
}

pg_on_exit() {
    local status=$? cmd
    # A subshell inherits the trap, not the cluster.
    [ "$BASHPID" = "$$" ] || return "$status"
    trap - EXIT
    for cmd in "${pg_exit_commands[@]}"; do
        eval "$cmd"
    done
    pg_cleanup
    exit "$status"
}

sql() {
    local query=$1
    shift
    psql -XAtq -v ON_ERROR_STOP=1 "$@" -c "$query"
}

sql_as() {
    local role=$1 query=$2
    shift 2
    psql -XAtq -v ON_ERROR_STOP=1 "$@" -c "set role $role" -c "$query"
}

sqlstate_of() {
    local query=$1 said
    shift
    if said=$(psql -XAtq -v ON_ERROR_STOP=1 -v VERBOSITY=sqlstate "$@" -c "$query" 2>&1 >/dev/null); then
        echo 00000
    else
        printf '%s\n' "$said" | sed -n 's/^.*ERROR:  \([0-9A-Z]\{5\}\)$/\1/p' | head -n 1
    fi
}

apply() {
    local file
    for file; do
        PGOPTIONS='-c client_min_messages=warning' psql -Xq -v ON_ERROR_STOP=1 -c "$(cat "$file")" 2>&1 || return 1
    done
}

migrate() {
    apply "$repo"/migrations/[0-9]*.sql
}

free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])' 2>/dev/null ||
        echo $((20000 + RANDOM % 20000))
}

wait_for() {
    local seconds=$1 end
    shift
    end=$((${EPOCHREALTIME//[!0-9]/} + seconds * 1000000))
    until "$@" >/dev/null 2>&1; do
        [ "${EPOCHREALTIME//[!0-9]/}" -lt "$end" ] || return 1
        sleep 0.05
    done
}
