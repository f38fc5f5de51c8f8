"""Decisions that the past stopped are recorded with the rules that fired, in place of the past."""

import json
from typing import Any

import pytest

from gate.analysis.cases import CaseResult
from gate.analysis.cases.record import add_case
from gate.analysis.cases.run import run_cases
from gate.config.cases_schema import read_cases
from gate.decision.document import to_document
from gate.errors import UsageError
from gate.measure import Cause
from gate.policy.findings import Rule, Verdict
from tests.analysis.cases.trying import fired, mistakes_of, policy_file, tried

HOUR = "start: 2026-11-18T10:00:00Z, end: 2026-11-18T11:00:00Z"
POSTMORTEMS = "postmortems: {share: 20%, known_incidents: incidents/*.yaml}\n"
CHARTS = "control_charts: block\n"
INCIDENT = f"slos: {{availability: {{remaining: 60%, incidents: [{{{HOUR}, share: 35%}}]}}}}\n"
SIGNAL = (
    "slos: {availability: {remaining: 60%, signals:"
    " [{start: 2026-11-20T12:00:00Z, end: 2026-11-20T13:00:00Z}]}}\n"
)


def document_of(result: CaseResult) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(json.dumps(to_document(result.decision)))
    return document


@pytest.mark.variants(4)
@pytest.mark.parametrize(
    ("body", "more", "rule"),
    [
        (INCIDENT, POSTMORTEMS, Rule.POSTMORTEM),
        (INCIDENT, POSTMORTEMS + CHARTS.replace("block", "warn"), Rule.POSTMORTEM),
        (SIGNAL, CHARTS, Rule.CONTROL_CHART),
    ],
)
@pytest.mark.parametrize("change", ["canary", "rollback"])
def test_a_rule_on_the_past_that_fired_is_stated_and_comes_to_the_same(
    body: str, more: str, rule: Rule, change: str
) -> None:
    before = tried(f"change: {change}\n{body}", more=more)
    file = policy_file(more)

    added = add_case(b"", "gate.test.yaml", file, document_of(before), None)

    (case,) = read_cases(added.encode(), "gate.test.yaml", {}).cases
    (decided,) = before.decision.policies
    assert [(each.rule, each.slo) for each in case.findings] == [(rule, "availability")]
    assert case.expect.verdict is decided.verdict
    assert case.expect.allowed_now == frozenset(decided.allowed_now)
    assert case.slos["availability"].incidents == ()


def test_the_recorded_rule_is_the_policys_own_and_follows_its_changes() -> None:
    added = add_case(b"", "a", policy_file(CHARTS), document_of(tried(SIGNAL, more=CHARTS)), None)
    cases = read_cases(added.encode(), "a", {})

    (strict,) = run_cases(policy_file(CHARTS), cases).results
    (lenient,) = run_cases(policy_file("control_charts: warn\n"), cases).results

    assert strict.passed
    assert fired(strict) == [("control-chart", "availability", "block")]
    assert fired(lenient) == [("control-chart", "availability", "warn")]
    assert lenient.decision.policies[0].verdict is Verdict.WARN


def test_what_did_not_fire_is_not_stated() -> None:
    calm = tried("slos: {availability: {remaining: 60%}}\n", more=POSTMORTEMS)

    added = add_case(b"", "a", policy_file(POSTMORTEMS), document_of(calm), None)

    assert "findings" not in added


UNKNOWN = "slos: {{availability: {{remaining: {left}, history: {cause}}}}}\n"


@pytest.mark.parametrize("change", ["canary", "rollback"])
@pytest.mark.parametrize("left", ["60%", "5%"])
@pytest.mark.parametrize("on", ["", "on: {stale: warn}\n", "on: {stale: allow}\n"])
@pytest.mark.parametrize(
    ("more", "rules"),
    [
        (POSTMORTEMS, {Rule.POSTMORTEM}),
        (CHARTS, {Rule.CONTROL_CHART}),
        (POSTMORTEMS + CHARTS, {Rule.POSTMORTEM, Rule.CONTROL_CHART}),
    ],
)
def test_a_past_that_was_not_known_is_stated_as_that(
    more: str, rules: set[Rule], on: str, left: str, change: str
) -> None:
    body = UNKNOWN.format(left=left, cause="stale")
    before = tried(f"change: {change}\n{body}", more=more + on)
    file = policy_file(more + on)

    added = add_case(b"", "a", file, document_of(before), None)

    (case,) = read_cases(added.encode(), "a", {}).cases
    if change == "canary" and "allow" not in on:
        assert {(each.rule, each.unknown) for each in case.findings} == {
            (rule, Cause.STALE) for rule in rules
        }
    (again,) = run_cases(file, read_cases(added.encode(), "a", {})).results
    assert fired(again) == fired(before)


def test_too_few_failures_for_a_chart_are_stated_as_that() -> None:
    document = document_of(tried("slos: {availability: {remaining: 60%}}\n", more=CHARTS))
    (part,) = document["policies"]
    finding = {
        **part["findings"][0],
        "rule": "measurement",
        "slo": "availability",
        "verdict": "warn",
        "cause": "low_traffic",
        "unchecked": "control-chart",
    }
    part["findings"].append(finding)
    part["verdict"] = "warn"

    added = add_case(b"", "a", policy_file(CHARTS), document, None)

    (result,) = run_cases(policy_file(CHARTS), read_cases(added.encode(), "a", {})).results
    assert fired(result) == [("measurement", "availability", "warn")]
    assert "{rule: control-chart, slo: availability, unknown: low_traffic}" in added


def test_what_a_record_released_is_not_made_up() -> None:
    document = document_of(tried("slos: {availability: {remaining: 5%}}\n"))
    (part,) = document["policies"]
    part["findings"][0]["verdict"] = part["verdict"] = "warn"

    with pytest.raises(UsageError, match="such as the past of an incident that is excused; write"):
        add_case(b"", "a", policy_file(), document, None)


@pytest.mark.parametrize(
    ("finding", "more", "message"),
    [
        ("rule: postmortem, slo: availability", "", "never fires: the policy has no postmortems"),
        ("rule: postmortem, slo: avail", POSTMORTEMS, "the policy has no SLO 'avail'"),
        ("rule: tier, slo: availability", "", "'tier' is not a valid value"),
    ],
)
def test_a_finding_that_the_policy_cannot_have_is_a_mistake(
    finding: str, more: str, message: str
) -> None:
    (mistake,) = mistakes_of(f"findings: [{{{finding}}}]\n", more=more)

    assert message in mistake
