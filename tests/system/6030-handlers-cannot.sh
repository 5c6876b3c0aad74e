#!/usr/bin/env bash
# What a handler gets, and what it cannot do to the daemon, whose user it has.
. "$(dirname "$0")/../lib/setup.sh"
pg_start && migrate || bail 'no database'
[ -x /usr/bin/python3 ] || skip_all 'python3 is not installed'
daemon_setup

cat >"$daemon_dir/probe.py" <<'END'
# Tries all that is forbidden to the processes above it, and says what it could do.
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long] * 4
ATTACH, SEIZE = 16, 0x4206

def stat(pid):
    with open(f'/proc/{pid}/stat') as f:
        name, rest = f.read().rsplit(')', 1)
        return name.split('(', 1)[1], int(rest.split()[1])

class iovec(ctypes.Structure):
    _fields_ = [('base', ctypes.c_void_p), ('len', ctypes.c_size_t)]

def can(what, pid, call):
    try:
        if call() not in (None, -1):
            print('could', what, stat(pid)[0])
    except OSError:
        pass

def vm(pid, call):
    here = ctypes.create_string_buffer(8)
    # This program is not where the daemon is, but EPERM comes before EFAULT.
    local, remote = iovec(ctypes.addressof(here), 8), iovec(ctypes.addressof(here), 8)
    if call(pid, ctypes.byref(local), 1, ctypes.byref(remote), 1, 0) >= 0 or ctypes.get_errno() == 14:
        return 1
    return -1

def probe(pid):
    for name in 'environ', 'mem', 'maps', 'auxv', 'syscall', 'stack', 'io':
        can(name, pid, lambda: open(f'/proc/{pid}/{name}', 'rb').read(1) is None and -1 or 1)
    can('mem-write', pid, lambda: os.open(f'/proc/{pid}/mem', os.O_WRONLY))
    for name in 'fd', 'fdinfo', 'map_files':
        can(name, pid, lambda: len(os.listdir(f'/proc/{pid}/{name}')))
    for name in 'exe', 'cwd', 'root':
        can(name, pid, lambda: len(os.readlink(f'/proc/{pid}/{name}')))
    can('root-of', pid, lambda: len(os.listdir(f'/proc/{pid}/root/')))
    can('ptrace', pid, lambda: libc.ptrace(ATTACH, pid, 0, 0))
    can('seize', pid, lambda: libc.ptrace(SEIZE, pid, 0, 0))
    can('readv', pid, lambda: vm(pid, libc.process_vm_readv))
    can('writev', pid, lambda: vm(pid, libc.process_vm_writev))
    pidfd = libc.syscall(434, pid, 0)
    can('getfd', pid, lambda: libc.syscall(438, pidfd, 3, 0))

# Up to the supervisor, then its other child.
chain = [os.getppid()]
while stat(chain[-1])[0] != 'pgcrewd':
    chain.append(stat(chain[-1])[1])
for other in filter(str.isdigit, os.listdir('/proc')):
    try:
        if stat(other) == ('janitor', chain[-1]):
            chain.append(int(other))
    except OSError:
        pass
for pid in chain:
    probe(pid)
print('seen', ' '.join(stat(pid)[0] for pid in chain))
END
cat >"$daemon_dir/self.py" <<'END'
# What this program was given.
import os, resource, signal
print('descriptors', ' '.join(sorted(f for f in os.listdir('/proc/self/fd') if os.path.exists(f'/proc/self/fd/{f}'))))
print('variables', ' '.join(sorted(os.environ)))
status = dict(line.split(':', 1) for line in open('/proc/self/status'))
for key in 'SigBlk', 'CapInh', 'CapPrm', 'CapEff', 'CapAmb', 'NoNewPrivs', 'Groups', 'TracerPid':
    print(key, status[key].strip())
# Python ignores these two itself.
print('ignored', hex(int(status['SigIgn'], 16) & ~(1 << signal.SIGPIPE - 1 | 1 << signal.SIGXFSZ - 1)))
mask = os.umask(0)
print('umask', oct(mask))
print('core', resource.getrlimit(resource.RLIMIT_CORE))
print('session', os.getsid(0) == os.getpid())
try:
    os.open('/dev/tty', os.O_RDWR)
    print('terminal yes')
except OSError:
    print('terminal no')
print('shared', [line for line in open('/proc/self/maps') if line.split()[1][1::2] == 'ws'])
END
chmod 755 "$daemon_dir"
handlers "  probe: {exec: [/usr/bin/python3, -I, $daemon_dir/probe.py]}
  self: {exec: [/usr/bin/python3, -I, $daemon_dir/self.py], env: [DECLARED, ALSO=this]}
  other: {exec: [/usr/bin/python3, -I, $daemon_dir/self.py], user: daemon}"
result_of() { job "$1" "result #>> '{}'"; }
facts() { result_of "$1" | sed -n "s/^$2 *//p"; }

ordinary=()
if [ "$(id -u)" -eq 0 ]; then
    ordinary=(setpriv --reuid nobody --regid nogroup --groups games --inh-caps=-all)
    chown nobody "$daemon_dir"
fi
export DECLARED=yes CREDENTIALS_DIRECTORY=/nonexistent NOTIFY_SOCKET=@nobody-listens WATCHDOG_USEC=100000000 \
    PGPASSWORD=none DATABASE_URL_OF_OTHERS=planted JOURNAL_STREAM=1:1 LISTEN_FDS=0
# The daemon is started as carelessly as may be: signals ignored and blocked, descriptors open, a mask of 0.
run_daemon() {
    chmod 644 "$daemon_config"
    (trap '' HUP INT QUIT USR1 USR2 TERM; umask 0
        exec 7<"$daemon_dir" 8>>"$daemon_dir/log8" "${ordinary[@]}" /usr/bin/python3 -c '
import os, signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGCHLD, signal.SIGUSR1, signal.SIGALRM})
os.set_inheritable(7, True); os.set_inheritable(8, True)
os.execv(sys.argv[1], sys.argv[1:])' "$build/pgcrewd" -c "$daemon_config" </dev/null >>"$daemon_out" 2>&1) &
    daemon_pid=$!
}
start_daemon worker.count=1 handler.keep_attempts=all "handler.env=[PATH, DECLARED]"

# --- what it gets -------------------------------------------------------------------------

id=$(enqueue self)
ok 'a handler looks at itself'           wait_for 20 job_is "$id" succeeded
is "$(facts "$id" descriptors)" '0 1 2 3' 'it has standard input, output, error and the one for progress'
is "$(facts "$id" variables)" 'ALSO DECLARED HOME LANG PATH PGCREW_ATTEMPT PGCREW_BATCH_ID PGCREW_DEADLINE PGCREW_JOB_ID PGCREW_JOB_KIND PGCREW_MAX_ATTEMPTS PGCREW_PROGRESS_FD PGCREW_QUEUE PGCREW_TIMEOUT_MS PGCREW_TOKEN PGCREW_USER_ID TEMP TMP TMPDIR TRACEPARENT' \
    'variables that were declared, and the facts of its job'
is "$(facts "$id" SigBlk) $(facts "$id" ignored)" '0000000000000000 0x0' 'no signal is blocked or ignored'
is "$(for set in CapInh CapPrm CapEff CapAmb; do facts "$id" $set; done | sort -u)" 0000000000000000 'it has no capability'
is "$(facts "$id" NoNewPrivs)" 1         'and cannot get one'
is "$(facts "$id" umask)" 0o77           'its files are its own'
is "$(facts "$id" core)" '(0, 0)'        'it leaves no core'
is "$(facts "$id" session)" True         'it has a session of its own'
is "$(facts "$id" terminal)" no          'and no terminal to type into'
is "$(facts "$id" shared)" '[]'          'no memory is shared with it'

# --- what it cannot do ---------------------------------------------------------------------

id=$(enqueue probe)
ok 'a handler attacks what is above it'  wait_for 20 job_is "$id" succeeded
like "$(facts "$id" seen)" '^guard [0-9]+ worker 1 pgcrewd janitor$' 'it finds guard, worker, supervisor and janitor'
is "$(result_of "$id" | grep -v '^seen')" '' 'and can look into none of them'
is "$(worker_pids | wc -l)" 1            'which are alive'
not_ok 'and were not replaced'           logged 'starting it again'
for pid in "$daemon_pid" $(worker_pids) "$(janitor_pid)"; do
    is "$(stat -c %U "/proc/$pid/environ")" root "process $pid is hidden from its own user"
    is "$(sed -n 's/^Max core file size *\([0-9a-z]*\) .*/\1/p' "/proc/$pid/limits" | sed 's/unlimited/any/')" \
        "$([ "$pid" = "$daemon_pid" ] && ulimit -c | sed 's/unlimited/any/' || echo 0)" "process $pid: the core that it may write"
done
ok 'it ends' stop_daemon

# --- with a user of its own ------------------------------------------------------------------

if [ "$(id -u)" -eq 0 ]; then
    ordinary=()
    start_daemon worker.count=1 handler.keep_attempts=all
    id=$(enqueue other)
    ok 'a handler with a user of its own runs' wait_for 20 job_is "$id" succeeded
    is "$(facts "$id" Groups)" "$(id -G daemon)" 'it has the groups of that user, none of ours'
    is "$(for set in CapInh CapPrm CapEff CapAmb; do facts "$id" $set; done | sort -u)" 0000000000000000 'and no capability of root'
    is "$(facts "$id" variables | grep -o 'HOME LANG LOGNAME PATH')" 'HOME LANG LOGNAME PATH' 'and is told its name'
    ok 'it ends' stop_daemon
fi
done_testing
