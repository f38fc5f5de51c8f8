#!/usr/bin/env bash
# A month of request logs, and the gate's answers before and after a bad week. From the top: make demo
set -euo pipefail
cd "$(dirname "$0")/../.."
GATE=${GATE:-gate}
PYTHON=${PYTHON:-python3}
POLICY=docs/demo/policy.yaml
LOGS=demo/logs
# It is run by hand, in a CI job too: the policy is that of the checkout.
unset CI CONTINUOUS_INTEGRATION BUILD_NUMBER TF_BUILD TEAMCITY_VERSION GITHUB_ACTIONS GITLAB_CI BUILDKITE JENKINS_URL CIRCLECI
BEFORE=2026-10-19T09:00:00Z
AFTER=2026-10-23T12:00:00Z

# truth.json is written last: without it the logs are not whole.
if [ ! -f "$LOGS/truth.json" ]; then
  echo "Writing October 2026 into $LOGS ..."
  "$PYTHON" docs/demo/generate.py "$LOGS"
fi

wrong=0
# run EXPECTED_EXIT_CODE WHAT_IT_SHOWS ARGUMENTS...
run() {
  local expected=$1 title=$2 code=0
  shift 2
  printf '\n== %s\n\n$ gate %s\n' "$title" "$*"
  "$GATE" "$@" || code=$?
  printf '\nexit code %s\n' "$code"
  if [ "$code" -ne "$expected" ]; then
    printf 'That is wrong: %s was expected.\n' "$expected"
    wrong=1
  fi
}

run 0 "The budgets on a quiet Monday" status "$POLICY" --at "$BEFORE"
# These are questions about the past: --dry-run looks, and lets nothing ship.
run 0 "Could a canary ship? Yes" check "$POLICY" --change canary --at "$BEFORE" --dry-run
run 10 "The same on Friday, after an outage, a bad prompt and a slow afternoon: no" \
  check "$POLICY" --change canary --at "$AFTER"
run 0 "A security patch still could" \
  check "$POLICY" --change security-patch --at "$AFTER" --dry-run
run 0 "What happened: three incidents" \
  incidents "$POLICY" --at "$AFTER" --last 22d
run 0 "All of it on a page, demo/report.html" \
  report "$POLICY" --at "$AFTER" --last 22d -o demo/report.html

if [ "$wrong" -ne 0 ]; then
  printf '\nThe demo did not go as announced. Were the logs or the policy changed? To begin anew: rm -r %s\n' "$LOGS"
  exit 1
fi
printf '\nThe logs are in %s, the policy is %s. Change either and ask again.\n' "$LOGS" "$POLICY"
