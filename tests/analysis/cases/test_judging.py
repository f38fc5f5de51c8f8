"""A policy judges a case as ``gate check`` judges the same counts, changes and past."""

from fractions import Fraction
from pathlib import Path

import pytest

from gate.analysis.cases import CaseResult
from gate.analysis.cases.run import run_cases
from gate.config.cases_schema import read_cases
from gate.errors import ExitCode
from gate.policy.findings import Verdict
from tests.analysis.cases.trying import AT, fired, policy_file, tried
from tests.command import Run

TWO = """\
slos:
  - {name: availability, objective: 99.9%, window: 30d, sli: {bad: b, total: t}}
  - {name: latency, objective: 95%, window: 30d, sli: {bad: b, total: t}}
  - {name: whole, composite: [{slo: availability, weight: 0.5}, {slo: latency, weight: 0.5}]}
"""
MONTH = """\
slos:
  - {name: latency, objective: 95%, window: {calendar: month}, sli: {bad: b, total: t}}
"""
SLICES = """\
slos:
  - {name: up, objective: 99.9%, window: 30d, sli: {gauge: up}}
"""
SAMPLED = """\
slos:
  - {name: quality, objective: 98%, window: 30d, sampled: true, sli: {bad: b, total: t}}
"""
SPEND = """\
slos:
  - {name: money, allowance: 5000 USD, window: {calendar: month}, sli: {spent: s}}
"""


def left(result: CaseResult, name: str = "availability") -> Fraction | None:
    """Return what is left of a budget in a case."""
    (assessment,) = [a for a in result.decided.assessments if a.slo.name == name]
    return assessment.remaining


def test_an_slo_that_is_not_named_has_a_full_budget() -> None:
    result = tried("")

    assert result.passed
    assert left(result) == 1
    assert (result.decided.verdict, result.firing) == (Verdict.ALLOW, ())


@pytest.mark.parametrize(
    ("stated", "remaining", "tier"),
    [
        # 1,000 of a million may fail at 99.9%.
        ("{total: 1000000, bad: 499}", Fraction(501, 1000), "healthy"),
        ("{total: 1000000, bad: 500}", Fraction(1, 2), "caution"),
        ("{total: 1000000, bad: 1200}", Fraction(-1, 5), "exhausted"),
        ("{remaining: 50%}", Fraction(1, 2), "caution"),
        ("{remaining: 0.51}", Fraction(51, 100), "healthy"),
        ("{remaining: -20%}", Fraction(-1, 5), "exhausted"),
        ("{remaining: 100%}", Fraction(1), "healthy"),
    ],
)
def test_what_is_left_follows_exactly_from_what_is_stated(
    stated: str, remaining: Fraction, tier: str
) -> None:
    result = tried(f"slos: {{availability: {stated}}}\n")

    assert left(result) == remaining
    assert result.decided.judgement.tier is not None
    assert result.decided.judgement.tier.name == tier


@pytest.mark.parametrize(
    ("slos", "name", "share"),
    [
        (MONTH, "latency", Fraction(42, 100)),
        (MONTH.replace("month", "month, denominator: to-date"), "latency", Fraction(-3)),
        (SLICES, "up", Fraction(-2)),
        (SAMPLED, "quality", Fraction(1, 2)),
        (SPEND, "money", Fraction(-1, 4)),
        (TWO, "latency", Fraction(1, 10)),
    ],
    ids=["month", "to-date", "slices", "sampled", "spend", "with a composite"],
)
def test_a_share_can_be_stated_of_every_kind_of_budget(
    slos: str, name: str, share: Fraction
) -> None:
    result = tried(f"slos: {{{name}: {{remaining: {float(share * 100)}%}}}}\n", slos=slos)

    assert left(result, name) == share
    (assessment,) = [a for a in result.decided.assessments if a.slo.name == name]
    assert assessment.compared == share


def test_a_composite_follows_from_its_members() -> None:
    body = "slos: {availability: {remaining: 60%}, latency: {remaining: 20%}}\n"

    assert left(tried(body, slos=TWO), "whole") == 1 - Fraction(4 + 8, 10) / 2


def test_counts_of_a_sample_have_their_interval() -> None:
    result = tried("slos: {quality: {total: 400, bad: 3}}\n", slos=SAMPLED)

    assert ("samples", "quality", "warn") in fired(result)


def test_what_is_spent_is_stated_as_an_amount() -> None:
    assert left(tried("slos: {money: {spent: 1250}}\n", slos=SPEND), "money") == Fraction(3, 4)


@pytest.mark.parametrize("cause", ["no_data", "no_traffic", "backend_error", "stale"])
def test_what_is_not_measured_is_what_on_makes_of_it(cause: str) -> None:
    body = f"slos: {{availability: {{unmeasured: {cause}}}}}\n"
    result = tried(body)

    assert result.decision.exit_code == ExitCode.UNDECIDED
    assert fired(result) == [("measurement", "availability", "undecided")]
    warned = tried(body, more=f"on: {{{cause}: warn}}\n")
    assert fired(warned) == [("measurement", "availability", "warn")]


def test_others_states_all_slos_that_are_not_named() -> None:
    body = "slos: {latency: {remaining: 80%}}\nothers: {unmeasured: no_data}\n"
    result = tried(body, slos=TWO)

    assert (left(result, "latency"), left(result)) == (Fraction(4, 5), None)


@pytest.mark.parametrize(
    ("evidence", "cause"),
    [
        ("newest: 11m", "undecided"),
        ("newest: 10m", None),
        ("coverage: 49%", "undecided"),
        ("coverage: 89%", "warn"),
        ("coverage: 90%", None),
        ("partial: true", "undecided"),
        ("partial: false", None),
        ("suspicions: [{cause: born, hidden: 200}]", "undecided"),
        ("suspicions: [{cause: born, hidden: any}]", "undecided"),
        ("suspicions: [{cause: lost, doubtful: 10}]", None),
    ],
)
def test_evidence_is_compared_with_the_policys_guards(evidence: str, cause: str | None) -> None:
    change = "change: full-rollout\n"
    body = f"{change}slos: {{availability: {{total: 1000000, bad: 400, {evidence}}}}}\n"
    verdicts = [verdict for _, _, verdict in fired(tried(body))]

    assert verdicts == ([] if cause is None else [cause])


@pytest.mark.parametrize(
    ("rates", "expected"),
    [
        ("{1h: 14.4, 5m: 14.4}", [("burn-rate", "availability", "block")]),
        ("{60m: 14.4, 5m: 14.4}", [("burn-rate", "availability", "block")]),
        ("{1h: 14.4, 5m: 14.3}", []),
        ("{1h: 14.4}", []),
        ("{3d: 1, 6h: 1}", [("burn-rate", "availability", "warn")]),
        ("{1h: 20, 5m: no_traffic}", []),
        ("{1h: 20, 5m: stale}", [("measurement", "availability", "undecided")]),
    ],
)
def test_burn_rates_are_stated_by_window(
    rates: str, expected: list[tuple[str, str | None, str]]
) -> None:
    body = f"slos: {{availability: {{remaining: 90%, burn_rates: {rates}}}}}\n"

    assert fired(tried(body, more="burn_rates: google-30d\n")) == expected


def test_burn_rates_of_what_is_not_measured_are_not_known_either() -> None:
    (assessment,) = tried("others: {unmeasured: stale}\n").decided.assessments

    assert {str(rate.cause) for rate in assessment.burn_rates.values()} == {"stale"}  # type: ignore[union-attr]


def test_a_fast_burn_blocks_although_the_budget_is_not_measured() -> None:
    stated = "{unmeasured: no_data, burn_rates: {1h: 20, 5m: 20}}"
    result = tried(f"slos: {{availability: {stated}}}\n", more="burn_rates: google-30d\n")

    assert ("burn-rate", "availability", "block") in fired(result)


def test_slices_burn_as_fast_as_is_stated() -> None:
    body = "slos: {up: {remaining: 90%, burn_rates: {1h: 15, 5m: 15}}}\n"

    assert fired(tried(body, slos=SLICES, more="burn_rates: google-30d\n")) == [
        ("burn-rate", "up", "block")
    ]


def test_freezes_are_those_of_the_policy() -> None:
    more = "freezes: [{from: 2026-12-20, to: 2027-01-02, reason: year end, allow: [rollback]}]\n"

    assert fired(tried("", more=more)) == []
    assert fired(tried("at: 2026-12-24T00:00:00Z\n", more=more)) == [("freeze", None, "block")]


def test_a_freeze_of_the_ci_system_is_stated() -> None:
    expect = "{verdict: block, rules: [freeze]}"

    assert tried("ci_freeze: true\n", expect).passed
    assert tried("ci_freeze: true\nchange: rollback\n").passed


def test_a_requirement_is_met_where_the_case_says_so() -> None:
    body = "change: security-patch\nslos: {availability: {remaining: 0%}}\n"

    assert fired(tried(body)) == [("requirement", None, "block")]
    assert fired(tried(f"{body}satisfied: [shadow]\n")) == []


def test_the_impact_is_taken_as_spent() -> None:
    # All of the traffic fails for 12 h of 30 d: a sixtieth of the events, of which a thousandth
    # is the budget.
    body = "slos: {availability: {remaining: 60%}}\nimpact: {detect: 12h}\n"
    (assessment,) = tried(body).decided.assessments

    assert assessment.compared == Fraction(6, 10) - Fraction(1000, 60)


def test_a_warning_is_exit_code_11_where_the_case_asks_for_it() -> None:
    body = "change: bug-fix\nslos: {availability: {remaining: 30%}}\n"

    assert tried(body).decision.exit_code == ExitCode.ALLOW
    assert tried(f"{body}fail_on: warn\n").decision.exit_code == ExitCode.WARN


CHANGES = """\
changes:
  model-update: {paths: ["models/**"]}
  prompt-update: {trailers: {Change-Class: prompt}, branches: ["prompt/*"]}
  bug-fix: {types: [fix]}
  security-patch: {labels: [security], approved_by: ["@acme/security"]}
"""


@pytest.mark.parametrize(
    ("change", "recognised"),
    [
        ("{paths: [models/a]}", "model-update"),
        ("{paths: [src/a]}", "full-rollout"),
        ("{commits: [{message: it, paths: [models/a]}]}", "model-update"),
        ("{}", "full-rollout"),
        ("{branch: prompt/new}", "prompt-update"),
        ('{title: "fix: it"}', "full-rollout"),  # a title makes no change less risky
        ('{title: "fix: it", commits: [{message: "fix: it"}]}', "bug-fix"),
        ('{commits: [{message: "fix: it", paths: [src/a]}]}', "bug-fix"),
        ('{commits: [{message: "it", paths: [src/a]}]}', "full-rollout"),
        ("{commits: [{message: it, trailers: {Change-Class: prompt}}]}", "prompt-update"),
        ('{labels: [security], approved_by: ["@acme/security"]}', "security-patch"),
        ("{labels: [security]}", "full-rollout"),
        ("{paths: [src/a], was_live: true}", "rollback"),
    ],
)
def test_a_change_is_recognised_by_what_the_case_says_of_it(change: str, recognised: str) -> None:
    expect = f"{{verdict: allow, change: {recognised}}}"

    assert tried(f"change: {change}\n", expect, more=CHANGES).mismatches == ()


@pytest.mark.parametrize(
    ("rule", "fires"),
    [
        ("tier", True),
        ("{rule: tier, slo: availability}", True),
        ("{rule: tier, slo: latency}", False),
        ("{rule: tier, verdict: warn}", False),
        ("measurement", False),
    ],
)
def test_a_rule_is_expected_of_its_slo_and_with_its_verdict(rule: str, fires: bool) -> None:
    body = "slos: {availability: {remaining: 0%}}\n"

    assert tried(body, f"{{verdict: block, rules: [{rule}]}}", slos=TWO).passed is fires


@pytest.mark.slow
def test_cases_together_come_to_what_each_comes_to_alone() -> None:
    more = "postmortems: {share: 20%, known_incidents: i/*.yaml}\ncontrol_charts: block\n"
    incident = "{start: 2026-11-18T10:00:00Z, end: 2026-11-18T11:00:00Z, share: 35%}"
    bodies = [
        f"slos: {{availability: {{{stated}}}}}"
        for stated in (
            "remaining: 90%",
            f"remaining: 50%, incidents: [{incident}]",
            "remaining: 0%",
            "unmeasured: stale",
            "total: 2000, bad: 1",
            "remaining: 90%, signals: [{start: 2026-11-20T10:00:00Z}]",
            f"remaining: 60%, incidents: [{incident}]",
        )
    ]
    expect = "change: canary, expect: {verdict: allow}"
    cases = "".join(f"  - {{name: c{n}, {body}, {expect}}}\n" for n, body in enumerate(bodies))
    text = f"version: 1\nat: {AT}\ncases:\n{cases}"
    together = run_cases(policy_file(more), read_cases(text.encode(), "a", {})).results

    alone = [tried(f"{body}\n", more=more) for body in bodies]
    assert [fired(result) for result in together] == [fired(result) for result in alone]
    assert len({str(fired(result)) for result in alone}) > 4


def test_a_case_says_what_gate_check_says(gate: Run, tmp_path: Path) -> None:
    """The same counts through a backend: one verdict, tier, rules and classes."""
    (tmp_path / "counts.yaml").write_text(
        "counts: {availability: {total: 1000000, bad: 420, windows: {1h: {total: 1000, bad: 20},"
        " 5m: {total: 100, bad: 3}, 6h: {total: 6000, bad: 21}, 30m: {total: 500, bad: 10},"
        " 1d: {total: 24000, bad: 30}, 2h: {total: 2000, bad: 20}, 3d: {total: 72000, bad: 80}}}}"
    )
    (tmp_path / "gate.yaml").write_text(
        "version: 1\nservice: chat\nbackend: {type: static, path: counts.yaml}\n"
        "slos: [{name: availability, objective: 99.9%, window: 30d}]\n"
        'tiers: [{name: healthy, remaining: "> 50%", allow: all}, '
        "{name: rest, otherwise: true, allow: [rollback]}]\nburn_rates: google-30d\n"
    )
    (tmp_path / "gate.test.yaml").write_text(
        "version: 1\nat: 2026-11-20T14:00:00Z\ncases:\n  - name: it\n    change: canary\n"
        "    slos:\n      availability:\n        {total: 1000000, bad: 420, burn_rates: {1h: 20,"
        " 5m: 30, 6h: 3.5, 30m: 20, 1d: 1.25, 2h: 10, 3d: 10/9}}\n"
        "    expect: {verdict: block, rules: [{rule: burn-rate, verdict: block}, {rule: burn-rate,"
        " verdict: warn}], no_other_rule: true,"
        " allowed_now: [bug-fix, reliability-fix, rollback, security-patch]}\n"
    )

    done = gate("check", "gate.yaml", "--change", "canary", "--at", "2026-11-20T14:00:00Z")
    assert (done.exit_code, "healthy" in done.stdout) == (10, True)
    assert gate("test", "gate.yaml").exit_code == 0
