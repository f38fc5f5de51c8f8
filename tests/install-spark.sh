#!/usr/bin/env bash
# Installs Apache Spark, against which the slow lane checks what the quick one sees of Sail, in
# .servers/spark (800 MB). Does nothing where it is there. It runs on Java 17 or newer, which it does
# not install.
#
# Usage: install-spark.sh [PYTHON]
set -euo pipefail
cd "$(dirname "$0")/.."

python=${1:-python3}
place=.servers/spark

[ ! -e "$place/.installed" ] || exit 0
command -v java >/dev/null || echo "install-spark: no java; its tests are skipped" >&2
echo "install-spark: installing Apache Spark" >&2
"$python" -m venv "$place"
"$place/bin/python" -m pip install --quiet --no-compile --disable-pip-version-check pyspark==4.3.0
touch "$place/.installed"
