"""SARIF 2.1.0, for code scanning: a result for each problem, in the policy file.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

import json
from collections.abc import Mapping
from pathlib import PurePath
from typing import Final
from urllib.parse import quote

from gate.decision.decision import Decision
from gate.policy.findings import Rule, Verdict
from gate.reporters.ansi import Style
from gate.reporters.decision_page import Problem, problems, repository_path
from gate.reporters.escape import plain

_LEVELS: Final = {Verdict.BLOCK: "error", Verdict.UNDECIDED: "error", Verdict.WARN: "warning"}
_RULES: Final[Mapping[Rule, str]] = {
    Rule.MEASUREMENT: "Every budget must be measured well enough.",
    Rule.TIER: "The worst remaining budget must allow this class of change.",
    Rule.SAMPLES: "There must be enough samples to know the tier.",
    Rule.REQUIREMENT: "The requirements of the tier must be met first.",
    Rule.BURN_RATE: "The budget must not burn too fast right now.",
    Rule.EXHAUSTION: "The budget must last long enough at its current burn rate.",
    Rule.FREEZE: "There must be no freeze.",
    Rule.POSTMORTEM: "Each costly incident must have a reviewed record.",
    Rule.CONTROL_CHART: "The indicators must not have become worse than usual.",
}


def render(decision: Decision, _style: Style) -> str:
    """Return the report on a decision."""
    driver = {
        "name": "gate",
        "version": decision.tool_version,
        "rules": [_rule(rule) for rule in Rule],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(problem, decision) for problem in problems(decision)],
        "properties": {
            "verdict": str(decision.verdict),
            "exitCode": int(decision.exit_code),
            "enforced": not decision.observe,
        },
    }
    document = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [run],
    }
    return json.dumps(document, indent=2, allow_nan=False) + "\n"


def _rule(rule: Rule) -> dict[str, object]:
    return {"id": str(rule), "shortDescription": {"text": _RULES[rule]}}


def _result(problem: Problem, decision: Decision) -> dict[str, object]:
    finding = problem.finding
    return {
        "ruleId": str(finding.rule),
        "level": _LEVELS[finding.verdict],
        "message": {"text": plain(problem.text)},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {
                        "uri": _uri(repository_path(problem.decided.source, decision))
                    },
                    "region": {"startLine": 1},
                }
            }
        ],
        "partialFingerprints": {"gate/v1": problem.fingerprint},
    }


def _uri(path: str) -> str:
    """Write a path as a URI reference; a relative path stays relative to the checkout."""
    pure = PurePath(path)
    posix = quote(pure.as_posix(), safe="/:")
    return f"file:///{posix.lstrip('/')}" if pure.is_absolute() else posix
