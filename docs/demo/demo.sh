#!/usr/bin/env bash
# A month of request logs, and the gate's answers before, after and at the end of it. From the top: make demo
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
SILENCE=2026-11-01T03:00:00Z

# truth.json is written last: without it the logs are not whole.
if [ ! -f "$LOGS/truth.json" ]; then
  echo "Writing a month of request logs (October 2026) into $LOGS, which takes some seconds ..."
  "$PYTHON" docs/demo/generate.py "$LOGS"
fi

wrong=0
# run EXPECTED_EXIT_CODE WHAT_IT_SHOWS ARGUMENTS...
run() {
  local expected=$1 title=$2 code=0
  shift 2
  printf '\n== %s\n$ gate %s\n' "$title" "$*"
  "$GATE" --quiet "$@" || code=$?
  printf 'exit code %s\n' "$code"
  if [ "$code" -ne "$expected" ]; then
    printf 'That is wrong: exit code %s was expected.\n' "$expected"
    wrong=1
  fi
}

# These are questions about the past: --dry-run looks, and lets nothing ship.
run 0 "A quiet Monday: may a canary ship? Yes." \
  check "$POLICY" --change canary --at "$MONDAY" --dry-run --format brief
run 10 "The bad Friday, after an outage and a bad prompt: the same canary is blocked." \
  check "$POLICY" --change canary --at "$FRIDAY" --format brief --write markdown=demo/comment.md
run 0 "A security patch still ships." \
  check "$POLICY" --change security-patch --at "$FRIDAY" --dry-run --format brief
run 3 "The logs end at midnight: nobody knows how the service is, so nothing ships." \
  check "$POLICY" --change security-patch --at "$SILENCE" --format brief
run 0 "Which prompt used up the budget of hallucinations? support-v8." \
  cohorts "$POLICY" --by prompt_template --at "$FRIDAY" --format brief
run 0 "Everything on one HTML page, with charts." \
  report "$POLICY" --at "$FRIDAY" --last 8d --by prompt_template -o demo/report.html

if [ "$wrong" -ne 0 ]; then
  printf '\nThe demo did not go as announced. Were the logs or the policy changed? To begin anew: rm -r %s\n' "$LOGS"
  exit 1
fi
cat <<END

The comment:  demo/comment.md   (what gate check --comment keeps on a pull request)
The page:     file://$PWD/demo/report.html   (open it in a browser)
The policy:   $POLICY   (change a number, and run a command again)
Try next:     $GATE init   writes gate.yaml, a first policy for a service of your own
END
