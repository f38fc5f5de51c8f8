#!/bin/sh
# Installs what the vendors of SLO platforms publish of their APIs, which the tests of tests/backends hold
# their fakes against: Datadog's client, and Google's discovery documents. (Amazon's models come with
# botocore.) They are in .servers/models, without what they depend on, which the tests' environment has.
# Does nothing when they are there. Never fails the caller: a test that needs them is skipped, or fails under
# GATE_REQUIRE_SERVERS=1.
set -u

MODELS="datadog-api-client==2.62.0 google-api-python-client==2.202.0"
place="$(dirname "$0")/../.servers/models"
[ "$(cat "$place/.installed" 2>/dev/null)" != "$MODELS" ] || exit 0
echo "install-models: installing $MODELS" >&2
rm -rf "$place"
# shellcheck disable=SC2086 - a list
if "${1:-python3}" -m pip install --quiet --no-compile --no-deps --disable-pip-version-check \
    --target "$place" $MODELS >&2; then
    echo "$MODELS" >"$place/.installed"
else
    echo "install-models: could not install $MODELS (their tests are skipped)" >&2
fi
exit 0
