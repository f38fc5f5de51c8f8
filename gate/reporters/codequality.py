"""GitLab's code quality report: an entry for each problem, in the policy file.

https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format
"""

import json
from typing import Final

from gate.decision.decision import Decision
from gate.policy.findings import Verdict
from gate.reporters.ansi import Style
from gate.reporters.decision_page import Problem, problems, repository_path
from gate.reporters.escape import plain

_SEVERITIES: Final = {
    Verdict.BLOCK: "blocker",
    Verdict.UNDECIDED: "critical",
    Verdict.WARN: "minor",
}


def render(decision: Decision, _style: Style) -> str:
    """Return the report on a decision; an empty list without problems."""
    entries = [_entry(problem, decision) for problem in problems(decision)]
    return json.dumps(entries, indent=2, allow_nan=False) + "\n"


def _entry(problem: Problem, decision: Decision) -> dict[str, object]:
    finding = problem.finding
    return {
        "description": plain(problem.text),
        "check_name": f"gate/{finding.rule}",
        "fingerprint": problem.fingerprint,
        "severity": _SEVERITIES[finding.verdict],
        "location": {
            "path": repository_path(problem.decided.source, decision),
            "lines": {"begin": 1},
        },
    }
