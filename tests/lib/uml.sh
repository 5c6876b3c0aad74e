# A Debian machine with a kernel of its own, for what the kernel of this host lacks:
# User-Mode Linux on a folder made as in nspawn.sh, with systemd as PID 1 and control
# groups of version 2.
#
#   uml_why_not               a reason why this host cannot; empty when it can
#   uml_unpack FOLDER         what nspawn_fetch made, into a folder
#   uml_run FOLDER MiB <script   boot it, run the script there as root, power off; what
#                             the script printed comes back
#
# Needs root.  The folder is the root of the machine's file system, but users other than
# root cannot make files there: give them a tmpfs.  The machine has no network.
#
# shellcheck shell=bash

# shellcheck source=tests/lib/nspawn.sh
. "$(dirname "${BASH_SOURCE[0]}")/nspawn.sh"

uml_why_not() {
    local why
    why=$(nspawn_why_not)
    if [ -n "$why" ]; then
        echo "$why"
    elif [ "$(uname -m)" != x86_64 ]; then
        echo 'User-Mode Linux is for x86 only'
    elif ! command -v linux.uml >/dev/null && ! install_debian user-mode-linux; then
        echo 'cannot install user-mode-linux'
    elif ! uml_boots; then
        echo 'User-Mode Linux does not run here'
    fi
}

# Its own check of the host comes before anything is booted; a host that forbids ptrace fails it.
uml_boots() {
    timeout 20 linux.uml mem=32M root=/dev/root rootfstype=hostfs rootflags=/nonexistent con=null \
        con0=fd:0,fd:1 panic=-1 </dev/null 2>&1 | grep -q 'Linux version'
}

uml_unpack() {
    mkdir -p "$1" && tar -xf "$nspawn_tarball" -C "$1" --numeric-owner
}

uml_run() {
    local root
    root=$(readlink -f "$1")
    {
        echo "exec 2>&1; echo '@@ begins'"
        cat
        echo "echo '@@ ends'"
    } >"$root/uml-script"
    cat >"$root/etc/systemd/system/uml-script.service" <<'END'
[Unit]
After=multi-user.target
[Service]
Type=oneshot
ExecStart=/bin/bash /uml-script
StandardOutput=tty
StandardError=tty
TTYPath=/dev/console
Environment=LC_ALL=C.UTF-8
ExecStopPost=/bin/systemctl poweroff --force
END
    ln -sf ../uml-script.service "$root/etc/systemd/system/multi-user.target.wants/"
    # The console ends lines with CR LF.
    timeout "${uml_timeout:-240}" linux.uml "mem=$2M" root=/dev/root rootfstype=hostfs "rootflags=$root" rw \
        init=/lib/systemd/systemd con=null con0=fd:0,fd:1 quiet systemd.show_status=0 \
        </dev/null 2>"$root/uml-stderr" | tr -d '\r' | sed -n '/^@@ begins$/,/^@@ ends$/p' | grep -v '^@@'
}
