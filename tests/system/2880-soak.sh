#!/usr/bin/env bash
# Rounds of work of every kind: memory and descriptors of all processes are flat.  For a short
# time here; by hand for as long as wanted.
# timeout: 300
exec "$(dirname "$0")/../soak/run" --seconds 15
