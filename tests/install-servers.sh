#!/bin/sh
# Installs what tests need beyond Python's packages: the servers of tests/live (Prometheus with
# promtool, VictoriaMetrics, nginx), the runner of tests/gitlab (gitlab-ci-local, which needs rsync), a
# browser with what drives it (tests/browser), the schemas of Argo Rollouts (tests/rollouts), and the
# engines of tests/backends: PostgreSQL, the engine of ClickHouse as a library, chdb (560 MB in
# .servers/chdb), and Sail, which speaks Spark Connect (.servers/engines);
# and an S3 server, moto (.servers/moto). Also what vendors publish of their APIs (tests/install-models.sh).
# Does nothing when they are there; says what is missing when it cannot install. Never fails the
# caller: a test whose program is missing is skipped, or fails under GATE_REQUIRE_SERVERS=1.
set -u

# The newest that runs on Node 20.
GITLAB_CI_LOCAL=4.68.1

# Engines, in a virtual environment of their own: .servers/engines.
ENGINES="pysail==0.7.2"
# The engine of ClickHouse. The lighter build chdb-core-lite lacks numbers of 128 bits.
CHDB=26.9.0

# Folders whose package.json says what tests run with Node: a browser's driver, schemas of manifests.
TESTS="$(dirname "$0")"

PATH="$PATH:/usr/sbin"
missing=""
want() { # a program, and Debian's package that has it
    command -v "$1" >/dev/null 2>&1 || case " $missing " in
    *" $2 "*) ;;
    *) missing="$missing $2" ;;
    esac
}

install_packages() {
    if ! command -v apt-get >/dev/null 2>&1; then
        echo "install-servers: no apt-get here; not installed:$missing (their tests are skipped)" >&2
        return
    fi
    if [ "$(id -u)" -ne 0 ]; then
        echo "install-servers: not root; not installed:$missing (their tests are skipped)" >&2
        echo "install-servers: as root: apt-get install -y --no-install-recommends$missing" >&2
        return
    fi

    # The tests start servers of their own. Debian's way to keep a package from starting its service
    # is /usr/sbin/policy-rc.d (https://manpages.debian.org/invoke-rc.d): one that is there stays.
    policy=/usr/sbin/policy-rc.d
    if [ ! -e "$policy" ]; then
        printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod 755 "$policy"
        trap 'rm -f "$policy"' EXIT
        trap 'exit 130' INT
        trap 'exit 143' TERM
    fi

    echo "install-servers: installing$missing" >&2
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq >/dev/null || echo "install-servers: apt-get update failed; going on" >&2
    for package in $missing; do
        if apt-get install -y -qq --no-install-recommends "$package" >/dev/null; then
            # Nor at the next boot.
            [ ! -d /run/systemd/system ] || systemctl disable --quiet "${package%-light}" || :
        else
            echo "install-servers: could not install $package (its tests are skipped)" >&2
        fi
    done
}

install_runner() {
    if [ "$(id -u)" -ne 0 ] || ! command -v npm >/dev/null 2>&1; then
        echo "install-servers: no npm, or not root; not installed: gitlab-ci-local" \
            "(its tests are skipped)" >&2
        return
    fi
    npm install --global --silent --no-fund --no-audit "gitlab-ci-local@$GITLAB_CI_LOCAL" >&2 ||
        echo "install-servers: could not install gitlab-ci-local (its tests are skipped)" >&2
}

install_node_packages() { # of a folder
    if ! command -v npm >/dev/null 2>&1; then
        echo "install-servers: no npm; not installed: the packages of $1 (its tests are skipped)" >&2
        return
    fi
    npm ci --prefix "$1" --silent --no-fund --no-audit >&2 ||
        echo "install-servers: could not install the packages of $1 (its tests are skipped)" >&2
}

install_moto() { # 115 MB; "moto[server]" brings 180 MB more, for services that no test asks
    folder="$TESTS/../.servers/moto"
    if ! python3 -m venv "$folder" >&2 ||
        ! "$folder/bin/pip" install --quiet 'moto>=5.2' flask flask-cors PyYAML >&2; then
        echo "install-servers: could not install moto (its tests are skipped)" >&2
        rm -rf "$folder"
    fi
}

install_engines() { # those of ENGINES, again where the list is another one than last time
    place="$TESTS/../.servers/engines"
    [ "$(cat "$place/.installed" 2>/dev/null)" != "$ENGINES" ] || return 0
    echo "install-servers: installing $ENGINES" >&2
    # shellcheck disable=SC2086 - a list
    if python3 -m venv "$place" &&
        "$place/bin/python" -m pip install --quiet --no-compile --disable-pip-version-check \
            $ENGINES >&2; then
        echo "$ENGINES" >"$place/.installed"
    else
        echo "install-servers: could not install $ENGINES (its tests are skipped)" >&2
    fi
}

# It waits for the network, as apt does.
install_engines &
engines=$!
sh "$TESTS/install-models.sh" &
models=$!
install_chdb() { # in a virtual environment of its own
    place="$TESTS/../.servers/chdb"
    [ ! -e "$place/.installed" ] || return 0
    echo "install-servers: installing chdb-core" >&2
    python3 -m venv "$place" &&
        "$place/bin/python" -m pip install --quiet --no-deps --no-compile \
            --disable-pip-version-check "chdb-core==$CHDB" >&2 &&
        touch "$place/.installed" ||
        echo "install-servers: could not install chdb-core (its tests are skipped)" >&2
}

want prometheus prometheus
want promtool prometheus
want victoria-metrics victoria-metrics
want nginx nginx-light
# Debian puts initdb and pg_ctl beside each other by version, and not into the PATH.
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || want initdb postgresql
want git git
want rsync rsync
want npm npm
# GitHub's runners have a Chrome, and a package chromium that is none.
command -v google-chrome >/dev/null 2>&1 || want chromium chromium
[ -z "$missing" ] || install_packages
command -v gitlab-ci-local >/dev/null 2>&1 || install_runner
[ -x "$TESTS/../.servers/moto/bin/moto_server" ] || install_moto
wait "$engines" "$models"
for folder in "$TESTS/browser" "$TESTS/rollouts"; do
    [ -d "$folder/node_modules" ] || install_node_packages "$folder"
done
install_chdb
exit 0
