"""JUnit XML, which CI systems show as tests: a suite for each policy, a case for each finding.

The format has no specification of its own; this module writes what GitLab and Jenkins read, by the
latter's schema: https://docs.gitlab.com/ci/testing/unit_test_reports/,
https://github.com/jenkinsci/xunit-plugin/blob/master/src/main/resources/org/jenkinsci/plugins/xunit/types/model/xsd/junit-10.xsd
"""

from collections import Counter
from typing import Final
from xml.etree import ElementTree as ET

from gate.decision.decision import Decision, PolicyDecision
from gate.policy.findings import Finding, Verdict
from gate.reporters import summary
from gate.reporters.ansi import Style
from gate.reporters.escape import plain
from gate.reporters.reasons import reason

_OUTCOMES: Final = {Verdict.BLOCK: "failure", Verdict.UNDECIDED: "error"}


def render(decision: Decision, _style: Style) -> str:
    """Return the report on a decision."""
    root = ET.Element("testsuites", name="gate")
    for decided in decision.policies:
        root.append(_suite(decided, decision))
    ET.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _suite(decided: PolicyDecision, decision: Decision) -> ET.Element:
    outcomes = _OUTCOMES | ({Verdict.WARN: "failure"} if decision.fail_on_warn else {})
    findings = decided.judgement.findings
    outcome_counts = Counter(outcomes.get(finding.verdict) for finding in findings)
    suite = ET.Element(
        "testsuite",
        name=plain(summary.subject(decided)),
        tests=str(len(findings)),
        failures=str(outcome_counts["failure"]),
        errors=str(outcome_counts["error"]),
        skipped="0",
        time="0",
        timestamp=f"{decision.evaluated_at:%Y-%m-%dT%H:%M:%S}",
    )
    names = Counter[str]()
    for finding in findings:
        name = f"{finding.rule} {finding.slo or decided.change_class}"
        names[name] += 1  # GitLab ignores a second case of the same name
        unique = name if names[name] == 1 else f"{name} ({names[name]})"
        suite.append(_case(unique, finding, decided, outcomes.get(finding.verdict)))
    return suite


def _case(name: str, finding: Finding, decided: PolicyDecision, outcome: str | None) -> ET.Element:
    service, why = plain(decided.policy.service), plain(reason(finding))
    case = ET.Element("testcase", name=plain(name), classname=f"gate.{service}", time="0")
    if outcome is None:
        ET.SubElement(case, "system-out").text = f"{finding.verdict}: {why}"
    else:
        element = ET.SubElement(case, outcome, message=why, type=str(finding.verdict))
        element.text = f"{plain(decided.source.path)}: {why}"
    return case
