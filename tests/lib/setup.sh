# What every system test begins with: . "$(dirname "$0")/../lib/setup.sh"
# shellcheck shell=bash
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/lib/tap.sh
. "$here/tap.sh"
# shellcheck source=tests/lib/postgres.sh
. "$here/postgres.sh"
# shellcheck source=tests/lib/daemon.sh
. "$here/daemon.sh"
