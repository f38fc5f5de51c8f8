#!/usr/bin/env bash
# The presets against newer Prometheus servers than Debian 12's 2.42: 2.53 and 3.x, from other suites
# of Debian, unpacked beside the tests and not installed. Where they cannot be had, says so and goes on.
#
# Usage: newer-servers.sh PYTHON
set -euo pipefail
cd "$(dirname "$0")/.."

PYTHON=$1
SOURCES=/etc/apt/sources.list.d/debian.sources

# fetch SUITE FOLDER: unpack the suite's Prometheus, with lists and archives of its own.
fetch() {
  mkdir -p "$2/lists/partial" "$2/archives/partial" "$2/sources"
  awk 'BEGIN { RS = "" } NR == 1' "$SOURCES" | sed "s/^Suites:.*/Suites: $1/" >"$2/sources/debian.sources"
  local options=(
    -o APT::Sandbox::User=root
    -o Dir::Etc::SourceList=/dev/null -o "Dir::Etc::SourceParts=$2/sources"
    -o "Dir::State::Lists=$2/lists" -o "Dir::Cache::Archives=$2/archives"
  )
  apt-get "${options[@]}" update -qq || return 1
  (cd "$2" && rm -f ./*.deb && apt-get "${options[@]}" download -qq prometheus promtool) || return 1
  local package
  for package in "$2"/*.deb; do dpkg -x "$package" "$2/root" || return 1; done
}

for suite in trixie sid; do
  folder="$PWD/.servers/$suite"
  if ! [ -e "$SOURCES" ] || ! fetch "$suite" "$folder"; then
    echo "SKIPPED: Debian's suite $suite cannot be had here, so its Prometheus was not tried" >&2
    continue
  fi
  PATH="$folder/root/usr/bin:$PATH" prometheus --version 2>&1 | head -n 1
  PATH="$folder/root/usr/bin:$PATH" "$PYTHON" -m pytest -q -p no:cacheprovider \
    tests/presets/test_{presets,histograms,names,native_histograms}_live.py -k "not victoria"
done
