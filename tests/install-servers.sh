#!/bin/sh
# Installs the servers that tests/live needs: Prometheus (with promtool), VictoriaMetrics and nginx.
# Does nothing when they are there; says what is missing when it cannot install. Never fails the
# caller: a test whose server is missing is skipped, or fails under GATE_REQUIRE_SERVERS=1.
set -u

PATH="$PATH:/usr/sbin"
missing=""
want() { # a program, and Debian's package that has it
    command -v "$1" >/dev/null 2>&1 || case " $missing " in
    *" $2 "*) ;;
    *) missing="$missing $2" ;;
    esac
}
want prometheus prometheus
want promtool prometheus
want victoria-metrics victoria-metrics
want nginx nginx-light

if [ -z "$missing" ]; then
    exit 0
fi
if ! command -v apt-get >/dev/null 2>&1; then
    echo "install-servers: no apt-get here; not installed:$missing (their tests are skipped)" >&2
    exit 0
fi
if [ "$(id -u)" -ne 0 ]; then
    echo "install-servers: not root; not installed:$missing (their tests are skipped)" >&2
    echo "install-servers: as root: apt-get install -y --no-install-recommends$missing" >&2
    exit 0
fi

# The tests start servers of their own. Debian's way to keep a package from starting its service is
# /usr/sbin/policy-rc.d (https://manpages.debian.org/invoke-rc.d): one that is there is left alone.
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
exit 0
