#!/usr/bin/env bash
# Installs the evaluation tools whose files tests/evaluations/real has them write, each in a folder of its
# own in .servers/evaluations (2.7 GB): they do not agree on the versions of what they need. Does nothing
# where they are there. The versions are those that the readers in gate/evaluations were written for.
#
# Usage: install-evaluations.sh [PYTHON]
set -euo pipefail
cd "$(dirname "$0")/.."

python=${1:-python3}
folder=.servers/evaluations

install_python() { # a name, and what it is to have
    local place=$folder/$1
    shift
    [ ! -e "$place/.installed" ] || return 0
    echo "install-evaluations: installing $*" >&2
    "$python" -m venv "$place"
    "$place/bin/python" -m pip install --quiet --no-compile --disable-pip-version-check "$@"
    touch "$place/.installed"
}

# Without its optional dependencies it is 280 MB and not 1.4 GB. One of these, its database's binary for
# this machine, is needed anyway.
install_promptfoo() {
    local place=$folder/promptfoo machine
    [ ! -e "$place/.installed" ] || return 0
    machine=$(node -p 'process.platform + "-" + process.arch + (process.platform == "linux" ? "-gnu" : "")')
    echo "install-evaluations: installing promptfoo" >&2
    mkdir -p "$place"
    npm install --prefix "$place" --omit=optional --omit=peer --no-package-lock --no-audit --no-fund \
        --loglevel=error promptfoo@0.121.20 "@libsql/$machine@0.5.29" >&2
    touch "$place/.installed"
}

# Two at a time, which is what the network and a small machine are good for.
{
    install_promptfoo
    install_python braintrust braintrust==0.48.1
    install_python inspect inspect_ai==0.3.285
} &
first=$!
install_python deepeval deepeval==4.3.1
install_python lm-eval lm_eval==0.4.13
install_python ragas ragas==0.4.3 'langchain-community<0.4'
install_python evidently evidently==0.7.23 'pandas<3'
wait "$first"
