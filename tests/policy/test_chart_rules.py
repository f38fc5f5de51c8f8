"""The rule that an indicator must not have become worse than it usually is."""

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from gate.budget.composite import assess_composite
from gate.history.charts.build import BaselineSettings, build_chart
from gate.history.charts.chart import ChartKind, ChartResult, NoChart
from gate.history.charts.signals import DEFAULT, RULES
from gate.history.records import IncidentRecord, RecordStatus
from gate.measure import Cause, Unmeasured
from gate.measure.history import SeriesRequest
from gate.policy.case import Case, Past
from gate.policy.findings import Finding, Rule, Verdict
from gate.policy.judge import allowed_now, judge
from gate.policy.policy import DEFAULT_ACTIONS, Action
from gate.policy.rule_settings import ControlChartRule, Effect
from gate.slo.indicator import Histogram, Sli
from gate.slo.objective import CompositeSlo, Member, Span
from tests.budget.building import AT, DAY, HOUR, MINUTES, counts, lost, ratio, spend
from tests.policy.building import judged, left, policy_of, said

ALLOW, WARN, UNDECIDED, BLOCK = Verdict
CALM = [10.0 + hour % 5 for hour in range(9 * 24)]
"""Bad events of 1,000 in each hour of nine days, of which seven are the baseline."""
LATENCY = Sli(histogram=Histogram(good="x", total="x", threshold=2, unit="s"))  # type: ignore[arg-type]  # whole


def chart(
    bad: list[float], kind: ChartKind = ChartKind.RATIO, records: tuple[IncidentRecord, ...] = ()
) -> ChartResult:
    span = Span(AT - len(bad) * HOUR, AT)
    baseline = BaselineSettings(until=span.start + 7 * DAY, incidents=(), records=records)
    request = SeriesRequest(sli=LATENCY, span=span, step=HOUR)
    return build_chart(kind, [(one, 1000.0) for one in bad], request, baseline, RULES[DEFAULT])


def findings(
    told: tuple[ChartResult, ...] | Unmeasured,
    change: str = "canary",
    rule: ControlChartRule | None = None,
    **fields: Any,
) -> list[Finding]:
    """Return what the rule says of one SLO, named availability."""
    slo = {name: fields.pop(name) for name in ("advisory",) if name in fields}
    return of_past({"availability": told}, change, rule, left("0.6", **slo), **fields)


def of_past(
    charts: Mapping[str, tuple[ChartResult, ...] | Unmeasured],
    change: str,
    rule: ControlChartRule | None,
    *known: Any,
    **fields: Any,
) -> list[Finding]:
    policy = policy_of(known, control_charts=rule or ControlChartRule(), **fields)
    judgement = judge(
        Case(policy=policy, assessments=known, change=change, at=AT, past=Past(charts=charts))
    )
    own = {Rule.CONTROL_CHART}
    return [
        one
        for one in judgement.findings
        if one.rule in own or (one.rule is Rule.MEASUREMENT and "chart" in one.reason)
    ]


def only(found: list[Finding]) -> tuple[Verdict, str]:
    (finding,) = found
    return finding.verdict, finding.reason


OUTAGE = chart([*CALM[:-5], *[100.0] * 5])
SINCE = "2026-11-20 09:00 UTC"
WORDS = (
    f"the ratio of bad events is worse than usual since about {SINCE}: up to 10%"
    " (limit 2.38%, usually 1.2%); Western Electric 1, EWMA"
)


def test_what_is_in_control_is_reported_and_lets_the_change_pass() -> None:
    assert only(findings((chart(CALM),))) == (
        ALLOW,
        "no control chart of availability is out of control",
    )


def test_a_signal_that_goes_on_warns_with_since_when_and_how_far() -> None:
    verdict, reason = only(findings((OUTAGE,)))

    # Usually (10 + ... + 14) / 5 of 1,000; the limit of a p chart by hand: 12 + 3 x 3.443 + 1.301
    # of 1,000, where 3.443 is the root of 12 x 0.988, and 1.301 is 4 x 0.976 / 3.
    assert (verdict, reason) == (WARN, WORDS)


def test_it_blocks_where_the_policy_says_so_but_not_for_an_advisory_slo() -> None:
    rule = ControlChartRule(effect=Effect.BLOCK)

    assert only(findings((OUTAGE,), rule=rule))[0] is BLOCK
    assert only(findings((OUTAGE,), rule=rule, advisory=True))[0] is WARN


def test_a_repair_ships_all_the_same_and_the_report_says_why() -> None:
    verdict, reason = only(findings((OUTAGE,), "rollback", ControlChartRule(effect=Effect.BLOCK)))

    assert verdict is ALLOW
    assert reason.endswith("EWMA; rollback may ship")
    assert only(findings((OUTAGE,), rule=ControlChartRule(allow=frozenset({"canary"}))))[0] is ALLOW


def test_a_known_incident_is_named() -> None:
    record = IncidentRecord(
        id="INC-42",
        title="t",
        services=("chat",),
        start=AT,
        end=None,
        status=RecordStatus.OPEN,
    )
    known = replace(record, start=AT - 3 * HOUR)

    assert only(findings((chart([*CALM[:-5], *[100.0] * 5], records=(known,)),)))[1] == (
        f"{WORDS}, known as INC-42"
    )


def test_a_mean_is_reported_in_its_unit() -> None:
    seconds = [400.0 + 10 * (hour % 5) for hour in range(9 * 24)]
    worse = chart([*seconds[:-6], *[700.0] * 6], ChartKind.MEAN)

    _, reason = only(findings((chart(CALM), worse)))

    assert reason.startswith("the mean is worse than usual since about 2026-11-20 0")
    assert "up to 0.7 s (limit 0.4" in reason


def test_what_is_over_counts_until_a_day_after() -> None:
    over = chart([*CALM[:-20], *[100.0] * 3, *CALM[-17:]])
    (finding,) = findings((over,))
    (forgotten,) = findings((over,), rule=ControlChartRule(signal_ttl=3 * HOUR))

    assert finding.verdict is WARN
    assert "the ratio of bad events was worse than usual since about" in finding.reason
    assert " until 2026-11-19 23:00 UTC: up to 10%" in finding.reason
    assert finding.until is not None
    assert finding.until > AT
    assert finding.if_calm
    assert forgotten.verdict is ALLOW
    (open_,) = findings((OUTAGE,))
    assert (open_.until, open_.if_calm) == (None, False)


def test_what_is_better_is_not_a_finding() -> None:
    assert only(findings((chart([*CALM[:-9], *[0.0] * 9]),)))[0] is ALLOW


def test_a_chart_that_could_not_be_drawn_does_not_pass_in_silence() -> None:
    none = NoChart(kind=ChartKind.MEAN, reason="too few", cause=Cause.LOW_TRAFFIC)
    strict = {**DEFAULT_ACTIONS, Cause.LOW_TRAFFIC: Action.BLOCK}

    assert only(findings((chart(CALM), none))) == (
        WARN,
        "nothing was measured: control chart of the mean: too few; the policy allows that"
        " (on.low_traffic)",
    )
    assert only(findings((none,), on=strict)) == (UNDECIDED, "control chart of the mean: too few")
    assert only(findings((none,), "rollback")) == (
        ALLOW,
        "control chart of the mean: too few; rollback may ship",
    )


def test_without_a_single_failure_there_is_nothing_to_doubt() -> None:
    none = NoChart(kind=ChartKind.RATIO, reason="nothing failed at all", cause=None)

    assert only(findings((none,)))[0] is ALLOW


def test_a_chart_that_ended_before_the_newest_time_says_nothing_of_it() -> None:
    old = chart(CALM)
    later = AT + 2 * DAY
    known = [replace(left("0.6"))]
    policy = policy_of(known, control_charts=ControlChartRule())

    judgement = judge(
        Case(
            policy=policy,
            assessments=known,
            change="canary",
            at=later,
            past=Past(charts={"availability": (old,)}),
        )
    )

    (finding,) = [one for one in judgement.findings if "control chart" in one.reason]
    assert finding.verdict is UNDECIDED
    assert finding.reason == (
        "control chart of the ratio: it has no point since 2026-11-20 14:00 UTC"
    )


@pytest.mark.parametrize("told", [Unmeasured(cause=Cause.PARTIAL, reason="half is missing"), None])
def test_a_history_that_is_not_available_is_undecided(told: Unmeasured | None) -> None:
    charts = {} if told is None else {"availability": told}

    verdict, reason = only(of_past(charts, "canary", None, left("0.6")))

    assert verdict is UNDECIDED
    why = "the history was not checked" if told is None else "half is missing"
    assert reason == f"control charts: {why}"


def test_what_the_budget_has_said_already_is_not_said_again() -> None:
    unknown = ratio(lost())

    charts = {"availability": Unmeasured(cause=Cause.BACKEND_ERROR, reason="503")}
    assert of_past(charts, "canary", None, unknown) == []


def test_what_may_ship_now_is_asked_with_the_charts_too() -> None:
    known = (left("0.6"),)
    policy = policy_of(known, control_charts=ControlChartRule(effect=Effect.BLOCK))
    past = Past(charts={"availability": (OUTAGE,)})

    now = allowed_now(Case(policy=policy, assessments=known, change="rollback", at=AT, past=past))

    assert "full-rollout" not in now
    assert "rollback" in now


def test_the_chart_of_timeslices_speaks_of_slices() -> None:
    sliced = ratio(counts(bad=0, total=1000), name="sliced", slices=MINUTES)

    (finding,) = of_past({"sliced": (OUTAGE,)}, "canary", None, sliced)

    assert finding.verdict is WARN
    assert finding.reason.startswith("the ratio of bad slices ")


@pytest.mark.parametrize(
    "action, verdict", [("block", UNDECIDED), ("warn", WARN), ("allow", ALLOW)]
)
def test_that_an_slo_has_no_charts_is_reported_and_on_decides(
    action: str, verdict: Verdict
) -> None:
    on = DEFAULT_ACTIONS | {Cause.NOT_COVERED: Action(action)}

    judgement = judged("canary", spend(1), control_charts=ControlChartRule(), on=on)

    found, reason = said(judgement, Rule.MEASUREMENT)
    assert judgement.verdict is found is verdict
    assert "control charts: none is drawn, since " in reason
    assert reason.startswith("not checked: ") is (verdict is not UNDECIDED)


def test_without_the_policys_word_it_only_warns() -> None:
    assert judged("canary", spend(1), control_charts=ControlChartRule()).verdict is WARN


def test_what_ships_anyway_and_what_is_advisory_does_not_wait_for_charts_that_cannot_be() -> None:
    on = DEFAULT_ACTIONS | {Cause.NOT_COVERED: Action.BLOCK}
    spared = judged("rollback", spend(1), control_charts=ControlChartRule(), on=on)
    money = spend(1)
    advisory = replace(money, slo=replace(money.slo, advisory=True))
    warned = judged("canary", advisory, control_charts=ControlChartRule(), on=on)

    assert spared.verdict is ALLOW
    assert said(warned, Rule.MEASUREMENT)[0] is WARN


def test_a_composite_has_the_charts_of_its_members() -> None:
    member = left("0.9", "a")
    composite = CompositeSlo(name="all", members=(Member(slo="a", weight=Fraction(1)),))
    whole = assess_composite(composite, {"a": member})
    chart_of_a = {"a": (chart(CALM),)}

    rules = of_past(chart_of_a, "canary", None, member, whole)

    assert [finding.verdict for finding in rules] == [ALLOW]
