#!/usr/bin/env bash
# Unpacks the ClickHouse server of Debian bookworm (18.16, 101 MB) in .servers/clickhouse, for the tests of a
# cluster: two servers, one of which dies. Nothing is installed, and no service is started. Does nothing where
# it is there. Never fails the caller: a test whose server is missing is skipped, or fails under
# GATE_REQUIRE_SERVERS=1.
set -uo pipefail
cd "$(dirname "$0")/.."

folder=$PWD/.servers/clickhouse
[ ! -e "$folder/.installed" ] || exit 0
if ! command -v apt-get >/dev/null 2>&1 || ! command -v dpkg >/dev/null 2>&1; then
    echo "install-clickhouse: no apt-get here; not installed (its tests are skipped)" >&2
    exit 0
fi

echo "install-clickhouse: unpacking clickhouse-server" >&2
mkdir -p "$folder/packages"
cd "$folder/packages"
# With what it is linked to. What the machine has of these is left as it is.
if apt-get download -qq -o APT::Sandbox::User=root \
    clickhouse-server clickhouse-common libcapnp-0.9.2 libcctz2 libcpuinfo0 libfarmhash0 libjemalloc2 \
    libltdl7 libmariadb3 libmetrohash1 libodbc2 libpcre3 libpococrypto80 libpocodata80 \
    libpocodataodbc80 libpocofoundation80 libpocojson80 libpocomongodb80 libpoconet80 libpoconetssl80 \
    libpocoutil80 libpocoxml80 librdkafka1 libre2-9 >&2 &&
    for package in *.deb; do dpkg -x "$package" "$folder" || exit 1; done; then
    touch "$folder/.installed"
else
    echo "install-clickhouse: not installed (its tests are skipped); apt-get update may help" >&2
fi
rm -rf "$folder/packages"
