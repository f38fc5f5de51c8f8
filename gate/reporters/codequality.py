"""GitLab's code quality report: an entry for each objection, in the policy file.

https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format
"""

import json
from typing import Final

from gate.decision.decision import Decision
from gate.policy.findings import Verdict
from gate.reporters.ansi import Style
from gate.reporters.escape import plain
from gate.reporters.problems import Objection, objections, place

_SEVERITIES: Final = {
    Verdict.BLOCK: "blocker",
    Verdict.UNDECIDED: "critical",
    Verdict.WARN: "minor",
}


def render(decision: Decision, _style: Style) -> str:
    """Return the report on a decision; an empty list where nothing is objected to."""
    entries = [_entry(one, decision) for one in objections(decision)]
    return json.dumps(entries, indent=2, allow_nan=False) + "\n"


def _entry(objection: Objection, decision: Decision) -> dict[str, object]:
    finding = objection.finding
    return {
        "description": plain(objection.text),
        "check_name": f"gate/{finding.rule}",
        "fingerprint": objection.fingerprint,
        "severity": _SEVERITIES[finding.verdict],
        "location": {"path": place(objection.decided.source, decision), "lines": {"begin": 1}},
    }
