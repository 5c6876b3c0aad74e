#!/usr/bin/env bash
# timeout: 400
# Every third of the failure points that the program has: see tests/lib/points.sh.
. "$(dirname "$0")/../lib/setup.sh"
. "$here/points.sh"
points_built || skip_all 'built without --enable-faults'
pg_start && migrate || bail 'no database'
walk_points 2 3
done_testing
