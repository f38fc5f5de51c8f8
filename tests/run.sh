#!/usr/bin/env bash
# Runs lanes of tests, each whatever became of the others, and names every failure of all at the end.
# Ends with 1 where any of them has failed.
#
# Usage: run.sh PYTHON LANE...
#   quick   all that is not marked slow; with the branch coverage of gate/
#   slow    what is marked so: more scenarios of the runners, long simulations, what is crossed with
#           one another beyond a diagonal; and more examples of what Hypothesis looks for
#   newer   the presets against newer Prometheus servers, where Debian's other suites can be had
set -uo pipefail
cd "$(dirname "$0")/.."

python=$1
shift
# By module: what one starts is started once. (xdist 3.8's groups do nothing under pytest 9.2.)
# In order (tests/conftest.py): what is real comes first, which takes long for few tests.
pytest=("$python" -m pytest --dist loadscope --no-loadscope-reorder)
said=$(mktemp -d)
folder=""
trap 'rm -rf "$said" "$folder"' EXIT

# Where memory has room, it holds the temporary files: a lane writes 1.5 GB in 50,000 of them, and a
# disk may take milliseconds for each of them. Programs among them must be able to run.
use_memory() {
  [ "$(df --output=avail --block-size=1M /dev/shm 2>/dev/null | tail -n 1)" -ge 4000 ] 2>/dev/null &&
    [ "$(awk '/^MemAvailable/ {print int($2 / 1024)}' /proc/meminfo)" -ge 10000 ] &&
    folder=$(mktemp -d /dev/shm/gate.XXXXXX) &&
    # PostgreSQL looks into it as another user.
    chmod 711 "$folder" &&
    printf '#!/bin/sh\n' >"$folder/run" && chmod +x "$folder/run" && "$folder/run" &&
    export TMPDIR=$folder
}

run_lane() {
  case $1 in
    quick) HYPOTHESIS_PROFILE=quick "${pytest[@]}" -n auto -p tests.branch_coverage -m "not slow" ;;
    slow) HYPOTHESIS_PROFILE=${HYPOTHESIS_PROFILE:-fixed} "${pytest[@]}" -n auto -m "slow or hypothesis" ;;
    newer) bash tests/newer-servers.sh "$python" ;;
    *) echo "there is no lane $1" && return 2 ;;
  esac
}

failed=()
original=${TMPDIR-/tmp}
for lane in "$@"; do
  use_memory || export TMPDIR=$original
  run_lane "$lane" 2>&1 | tee "$said/$lane"
  [ "${PIPESTATUS[0]}" -eq 0 ] || failed+=("$lane")
  rm -rf "$folder"
done

echo
for lane in "$@"; do
  echo "$lane: $(tail -n 1 "$said/$lane")"
  grep --extended-regexp '^(FAILED|ERROR|ERROR:|FAIL|SKIPPED:) ' "$said/$lane" | sed 's/^/  /'
done
[ ${#failed[@]} -eq 0 ] || { echo "failed: ${failed[*]}" && exit 1; }
