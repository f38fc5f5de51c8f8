#!/usr/bin/env bash
# A month of request logs and judge scores, and the gate's answers before, in and at the end of it. From the top: make demo
set -euo pipefail
cd "$(dirname "$0")/../.."
GATE=${GATE:-gate}
PYTHON=${PYTHON:-python3}
POLICY=docs/demo/policy.yaml
LOGS=demo/logs
# It is run by hand, in a CI job too: the policy is that of the checkout.
unset CI CONTINUOUS_INTEGRATION BUILD_NUMBER TF_BUILD TEAMCITY_VERSION GITHUB_ACTIONS GITLAB_CI BUILDKITE JENKINS_URL CIRCLECI
MONDAY=2026-10-19T09:00:00Z
FRIDAY=2026-10-23T12:00:00Z
CANARY=2026-10-27T10:30:00Z
SILENCE=2026-11-01T03:00:00Z

# truth.json is written last: without it the logs are not whole.
if [ ! -f "$LOGS/truth.json" ]; then
  echo "Writing a month of request logs and judge scores (October 2026) ..."
  "$PYTHON" docs/demo/generate.py demo
fi

wrong=0
blank=
# run EXPECTED_EXIT_CODE WHAT_IT_SHOWS ARGUMENTS...
run() {
  local expected=$1 title=$2 code=0
  shift 2
  printf '%s== %s (exit code %s)\n$ gate %s\n' "$blank" "$title" "$expected" "$*"
  blank=$'\n'
  "$GATE" --quiet "$@" || code=$?
  if [ "$code" -ne "$expected" ]; then
    printf 'That is wrong: the exit code was %s.\n' "$code"
    wrong=1
  fi
}

# These are questions about the past: --dry-run looks, and lets nothing ship.
run 0 "A quiet Monday: may a canary ship? Yes" \
  check "$POLICY" --change canary --at "$MONDAY" --dry-run --format brief
run 10 "Friday, after an outage and a bad prompt: it is blocked" \
  check "$POLICY" --change canary --at "$FRIDAY" --format brief --write markdown=demo/comment.md
run 0 "A security patch still ships" \
  check "$POLICY" --change security-patch --at "$FRIDAY" --dry-run --format brief
run 10 "A canary of the next prompt is watched, and rolled back" \
  watch "$POLICY" --slo availability --canary prompt_template=support-v9 \
  --baseline prompt_template=support-v7 --for 30m --at "$CANARY" --format brief
run 3 "The logs end at midnight: nobody can tell, so nothing ships" \
  check "$POLICY" --change security-patch --at "$SILENCE" --format brief
run 0 "Which prompt used up the budget of hallucinations? support-v8" \
  cohorts "$POLICY" --by prompt_template --at "$FRIDAY" --format brief
run 0 "Everything on one HTML page, with charts" \
  report "$POLICY" --at "$FRIDAY" --last 8d --by prompt_template -o demo/report.html

if [ "$wrong" -ne 0 ]; then
  printf '\nThe demo did not go as announced. Were the logs or the policy changed? To begin anew: rm -r demo\n'
  exit 1
fi
cat <<END

Comment  demo/comment.md (gate check --comment keeps it on a pull request)
Page     file://$PWD/demo/report.html
Next     $GATE init (or change $POLICY)
END
