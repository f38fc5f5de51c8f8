"""Why a verdict is what it is, said once, and what to do next."""

from dataclasses import replace

import pytest

from gate.decision.decision import PolicyDecision
from gate.measure import Cause
from gate.measure.remedies import REMEDIES
from gate.policy.findings import Finding, Rule, Verdict
from gate.reporters import render
from gate.reporters.ansi import Style
from gate.reporters.budget_rows import decision_rows
from gate.reporters.budget_table import budget_table
from gate.reporters.outlook import next_step, remedies
from gate.reporters.reasons import not_looked_at, reasons
from tests.reporters.builders import (
    TIERS,
    availability,
    burning,
    counts,
    decided,
    decision,
    finding,
    healthy,
    overspent,
    policy_of,
    sampled,
    source,
    unmeasured,
)

BLOCK, WARN, UNDECIDED = Verdict.BLOCK, Verdict.WARN, Verdict.UNDECIDED
WIDE = Style(width=200)


def by_tier(slo: str, verdict: Verdict = BLOCK) -> Finding:
    return finding(Rule.TIER, verdict, f"{slo} is in a bad tier", slo)


def lost(slo: str, reason: str, cause: Cause = Cause.NO_DATA) -> Finding:
    return replace(finding(Rule.MEASUREMENT, UNDECIDED, reason, slo), cause=cause)


def overspent_slos(*names: str) -> list[PolicyDecision]:
    """Return a decision in which the budget of each SLO is overspent by half."""
    slos = [overspent(name=name) for name in names]
    findings = tuple(by_tier(name) for name in names)
    return [decided(*slos, findings=findings, tier="exhausted")]


def test_after_the_worst_budget_the_others_whose_tiers_object_are_one_sentence() -> None:
    (two,) = overspent_slos("a", "b")
    assert reasons(two, BLOCK) == [
        "a: a is in a bad tier",
        "b (overspent by 50.0%) is in a tier that does not allow it either",
    ]
    (three,) = overspent_slos("a", "b", "c")
    assert reasons(three, BLOCK)[1] == (
        "b (overspent by 50.0%), c (overspent by 50.0%) are in tiers that do not allow it either"
    )


def test_tiers_that_warn_are_one_sentence_too() -> None:
    warning = tuple(replace(tier, warn=frozenset({"full-rollout"})) for tier in TIERS)
    slos = [availability(counts(288, 1_200_000), name=name) for name in ("a", "b", "c")]
    policy = policy_of(tuple(slos), tiers=warning)
    findings = tuple(by_tier(name, WARN) for name in ("a", "b"))
    two = decided(*slos, findings=findings, tier="healthy", policy=policy)
    assert reasons(two, WARN)[1:] == ["b (76.0% left) is in a tier that warns of it, too"]
    every = replace(two.judgement, findings=(*findings, by_tier("c", WARN)))
    three = replace(two, judgement=every)
    assert reasons(three, WARN)[1].endswith("are in tiers that warn of it, too")


def test_an_advisory_slo_and_one_that_is_excused_have_sentences_of_their_own() -> None:
    advisory = sampled()
    findings = (by_tier("availability"), by_tier("faithfulness", WARN))
    made = decided(advisory, overspent(), findings=findings, tier="exhausted")
    assert reasons(made, WARN) == ["faithfulness: faithfulness is in a bad tier"]
    excused = tuple(by_tier(name, WARN) for name in ("a", "b"))
    slos = [overspent(name=name) for name in ("a", "b")]
    made = decided(*slos, findings=excused, tier="exhausted")
    assert reasons(made, WARN) == ["a: a is in a bad tier", "b: b is in a bad tier"]


def test_what_is_the_same_of_several_slos_is_reported_once() -> None:
    slos = [availability(counts(1, 1_200_000), name=name) for name in "abcde"]

    def said(*names: str) -> list[str]:
        findings = tuple(lost(name, "it is down", Cause.BACKEND_ERROR) for name in names)
        return reasons(decided(*slos, findings=findings, tier=None), UNDECIDED)

    assert said("a", "b", "b") == ["a, b: backend error: it is down"]
    assert said(*"abcd") == ["4 of 5 SLOs (a, b, c, d): backend error: it is down"]
    assert said(*"abcde") == ["5 of 5 SLOs: backend error: it is down"]


def test_many_findings_with_one_cause_are_the_first_and_how_many_more() -> None:
    slos = [availability(counts(1, 1_200_000), name=name) for name in "abc"]
    findings = tuple(lost(name, f"no {name} over {hours}h") for name in "ab" for hours in (1, 6))
    made = decided(*slos, findings=findings, tier=None)
    assert reasons(made, UNDECIDED) == [
        "a: no data: no a over 1h",
        "a, b: no data, 3 more of these",
    ]


def test_one_cause_is_reported_once_whatever_query_or_burn_rate_window_it_was() -> None:
    slos = [availability(counts(1, 1_200_000), name=name) for name in "abc"]
    refused = "http://prom:9090: connection refused"

    def said(*findings: tuple[str, str]) -> list[str]:
        lost_ones = tuple(lost(name, why, Cause.BACKEND_ERROR) for name, why in findings)
        return reasons(decided(*slos, findings=lost_ones, tier=None), UNDECIDED)

    assert said(("a", f"total: {refused}"), ("b", refused)) == [f"a, b: backend error: {refused}"]
    assert said(("a", f"total: {refused}")) == [f"a: backend error: total: {refused}"]
    windows = [(name, f"burn rate over {at}: {refused}") for name in "ab" for at in ("5m", "1h")]
    assert said(*windows) == [f"a, b: backend error: burn rates over 5m, 1h: {refused}"]
    assert said(*windows[:1]) == [f"a: backend error: burn rate over 5m: {refused}"]


def test_an_slo_that_is_not_measured_decides_before_one_in_doubt() -> None:
    slos = [healthy(), unmeasured()]
    findings = tuple(lost(name, "no data for an hour") for name in ("availability", "answers"))
    rows = decision_rows(decided(*slos, findings=findings, tier=None))

    assert [(row.assessment.slo.name, row.decides) for row in rows] == [
        ("answers", True),
        ("availability", False),
    ]


def test_an_overspent_budget_is_never_green_and_its_tier_says_that_it_allows() -> None:
    blocked = decided(overspent(), findings=(), tier="exhausted")
    recognition = replace(blocked.recognition, change="rollback")
    spent = replace(blocked, recognition=recognition)
    table = budget_table(decision_rows(spent))
    left, tier = (
        next(
            cell
            for column, cell in zip(table.columns, table.rows[0], strict=True)
            if column.title == title
        )
        for title in ("Left", "Tier")
    )

    assert (left.text, left.tone) == ("overspent by 50.0%", BLOCK)
    assert tier.text == "✔ exhausted, allows it"


def test_what_no_rule_looks_at_and_changes_nothing_is_left_to_the_details() -> None:
    missing = replace(
        finding(Rule.MEASUREMENT, Verdict.ALLOW, "burn rates: there are none", "availability"),
        cause=Cause.NOT_COVERED,
    )
    fine = finding(Rule.TIER, Verdict.ALLOW, "fine", "availability")
    made = decided(healthy(), findings=(missing, fine), tier="healthy")
    assert reasons(made, Verdict.ALLOW) == ["availability: fine"]
    assert not_looked_at(made, "availability") == ["burn rates: there are none"]
    assert "burn rates: there are none" not in render("terminal", decision(made), WIDE)
    _, folded = render("markdown", decision(made), WIDE).split("<details>")
    assert "burn rates: there are none" in folded


def test_each_cause_of_an_undecided_verdict_has_its_remedy_once() -> None:
    findings = (
        lost("answers", "nothing came back"),
        lost("answers", "nothing came back either"),
        lost("answers", "counters began above zero; wait", Cause.BORN),
        lost("answers", f"refused; {REMEDIES['connection-refused'].hint}", Cause.BACKEND_ERROR),
        finding(Rule.FREEZE, UNDECIDED, "no cause"),
    )
    path = source(path="our policies/chat.yaml")
    made = decided(unmeasured(), findings=findings, tier=None, source=path)
    (remedy,) = remedies(made)
    expected = REMEDIES["no_data"].hint.replace("gate.yaml", "'our policies/chat.yaml'")
    assert remedy == expected != REMEDIES["no_data"].hint
    text = render("terminal", decision(made), WIDE)
    assert text.splitlines()[-1] == "  Next           gate doctor 'our policies/chat.yaml'"


@pytest.mark.parametrize(
    "rule, keeps_history, command",
    [
        (Rule.TIER, True, "gate incidents policies/chat.yaml"),
        (Rule.TIER, False, "gate status policies/chat.yaml"),
        (Rule.EXHAUSTION, True, "gate forecast policies/chat.yaml"),
        (Rule.CONTROL_CHART, True, "gate anomalies policies/chat.yaml"),
        (Rule.MEASUREMENT, False, "gate doctor policies/chat.yaml"),
        (Rule.FREEZE, True, None),
    ],
)
def test_the_next_command_answers_the_rule_that_objects_first(
    rule: Rule, keeps_history: bool, command: str | None
) -> None:
    findings = (finding(rule, BLOCK, "no", "availability"),)
    made = decided(healthy(), findings=findings, tier="healthy", keeps_history=keeps_history)
    step = next_step(made)
    assert (None if step is None else step.command) == command


def test_a_change_that_is_allowed_needs_no_next_command() -> None:
    fine = finding(Rule.TIER, Verdict.ALLOW, "fine", "availability")
    assert next_step(decided(healthy(), findings=(fine,), tier="healthy")) is None


def test_the_row_that_is_marked_is_that_of_the_first_reason() -> None:
    fast = availability(counts(100, 1_200_000), burning(29, 2_000), name="fast")

    def marked(*findings: Finding, tier: str | None = "healthy") -> list[str]:
        made = decided(fast, healthy(), findings=findings, tier=tier)
        return [row.assessment.slo.name for row in decision_rows(made) if row.decides]

    burn = finding(Rule.BURN_RATE, BLOCK, "burns", "fast")
    needs = finding(Rule.REQUIREMENT, BLOCK, "needs shadow")
    frozen = finding(Rule.FREEZE, BLOCK, "frozen")
    assert marked(burn) == ["fast"]
    assert marked(needs) == ["availability"]  # the worst budget's tier requires it
    assert marked(needs, tier=None) == []
    assert marked(frozen) == []
    assert marked(frozen, burn) == ["fast"]


def test_what_burns_has_the_colour_of_the_rule_and_comes_first() -> None:
    fast = availability(counts(1, 1_200_000), burning(29, 2_000), name="fast")
    burn = finding(Rule.BURN_RATE, BLOCK, "burns", "fast")
    calm = finding(Rule.BURN_RATE, Verdict.ALLOW, "no traffic over 5m", "availability")
    made = decided(healthy(), fast, findings=(burn, calm), tier="healthy")
    first, second = decision_rows(made)
    assert (first.assessment.slo.name, first.burns, first.verdict) == ("fast", BLOCK, BLOCK)
    assert (first.says, second.burns, second.verdict) == (Verdict.ALLOW, None, Verdict.ALLOW)
