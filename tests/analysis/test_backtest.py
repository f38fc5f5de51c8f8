"""Replaying the past: each verdict is that of a check at that instant, and counted as it is."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from random import Random

import pytest

from gate.analysis.backtest import BacktestReport, PolicyBacktest
from gate.analysis.backtest.freezes import Standing, months
from gate.analysis.backtest.run import BacktestOptions, replay
from gate.analysis.incidents import IncidentOptions
from gate.backends.static import StaticSettings
from gate.check import instants
from gate.check.options import Options
from gate.check.run import run_check
from gate.config.load import PolicyFile
from gate.errors import ExitCode, UsageError
from gate.history.records import Deployment, IncidentRecord, RecordStatus
from gate.measure import Cause
from gate.policy.findings import Finding, Rule, Verdict
from gate.policy.rule_settings import PostmortemRule
from gate.slo.objective import Span
from tests.analysis.memory import AT, Memory, Opening, file, slo
from tests.analysis.minutes import MINUTE, ByTheMinute, Ledger, ManyAtOnce, Minute

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
START = AT - 12 * DAY
"""The start of all ledgers."""
SEED = 20261129


def minutes(random: Random, failing: float, outages: int, gaps: int) -> list[Minute]:
    """Return 12 days of traffic in which some outages and some gaps are."""
    count = 12 * DAY // MINUTE
    made: list[Minute] = [
        (events := random.randrange(40), sum(random.random() < failing for _ in range(events)))
        for _ in range(count)
    ]
    for _ in range(outages):
        first, length = random.randrange(count), random.randrange(5, 90)
        for place in range(first, min(first + length, count)):
            events, _ = made[place] or (0, 0)
            made[place] = events, int(events * random.random() / 12)
    for _ in range(gaps):
        first, length = random.randrange(count), random.randrange(30, 2000)
        made[first : first + length] = [None] * (min(first + length, count) - first)
    return made


RULES = """\
burn_rates:
  - {long: 1h, short: 5m, rate: 6, effect: block}
  - {long: 6h, short: 30m, rate: 2, effect: warn}
exhaustion: {within: 8h, effect: warn}
control_charts: {last: 36h, step: 30m, baseline: 24h, effect: warn}
on: {low_coverage: block, stale: warn, low_traffic: allow}
freezes:
  - {from: 2026-10-24, to: 2026-10-25, time_zone: UTC, reason: a fair, allow: [rollback]}
"""
SLOS = (
    slo("a").replace("30d", "1d"),
    slo("b", budget="objective: 99.5%").replace("30d", "12h"),
    slo("c", budget="objective: 99%", more="sampled: true").replace("30d", "1d"),
    slo("d", budget="objective: 99%", more="timeslices: {length: 5m, target: 95%}").replace(
        "30d", "12h"
    ),
    "  - {name: money, allowance: 400000 USD, window: {calendar: week}, sli: {spent: a}}\n",
    "  - {name: all, composite: [{slo: a, weight: 0.5}, {slo: b, weight: 0.5}]}\n",
)
HISTORIES = {"a": (0.0003, 5, 2), "b": (0.0003, 4, 0), "c": (0.005, 9, 2), "d": (0.0003, 4, 1)}
"""Which share fails without an outage, how many of those there are, and how many gaps."""
DEPLOYED = ("canary", "bug-fix", "full-rollout", "rollback", "security-patch", "of-no-policy", None)


def postmortems(random: Random) -> PostmortemRule:
    """Return a rule with records of some hours, by which it excuses."""
    starts = [AT - random.random() * 12 * DAY for _ in range(6)]
    records = tuple(
        IncidentRecord(
            id=f"INC-{place}",
            title="known",
            services=("chat",),
            start=start,
            end=start + 4 * HOUR,
            status=RecordStatus.REVIEWED,
            cause="a cause",
            remediation="a remedy" if place % 2 else None,
        )
        for place, start in enumerate(starts)
    )
    return PostmortemRule(
        share=Fraction(1, 10),
        threshold=Fraction(6),
        patterns=("incidents/*.yaml",),
        records=records,
        last=DAY,
        excuse_reviewed=True,
    )


def policy(random: Random, *slos: str, more: str = RULES) -> PolicyFile:
    read = file("chat", *slos, more=more)
    return replace(read, policy=replace(read.policy, postmortems=postmortems(random)))


def options(*deploys: Deployment, last: timedelta = 10 * DAY, **fields: object) -> BacktestOptions:
    search = IncidentOptions(
        at=AT,
        last=last,
        step=timedelta(minutes=5),
        threshold=Fraction(6),
        timeout=timedelta(seconds=3),
        deploys=deploys,
    )
    given: dict[str, object] = {"every": None, "by_deploys": bool(deploys), **fields}
    return BacktestOptions(search=search, **given)  # type: ignore[arg-type]  # by name


def tried(report: BacktestReport) -> PolicyBacktest:
    (service,) = report.services
    return service.tried


MANY = 100
"""Instants at which every rule fires once, and every verdict comes up."""


@pytest.mark.variants(1)
@pytest.mark.parametrize(
    ("kind", "count"),
    [
        (ByTheMinute, 4),
        (ManyAtOnce, 10),
        pytest.param(ByTheMinute, 20, marks=pytest.mark.slow),
        pytest.param(ManyAtOnce, MANY, marks=pytest.mark.slow),
    ],
)
def test_at_random_instants_it_says_what_a_check_says(kind: type[ByTheMinute], count: int) -> None:
    random = Random(SEED)
    read = policy(random, *SLOS)
    backend = kind(
        {name: Ledger(START, minutes(random, *shape)) for name, shape in HISTORIES.items()}
    )
    opening = Opening({"chat": backend})
    deploys = [
        Deployment(
            time=AT - random.random() * 10 * DAY,
            revision=str(place),
            change=random.choice(DEPLOYED),
        )
        for place in range(count)
    ]

    backtest = tried(replay([read], options(*deploys), open_with=opening))

    assert len(backtest.verdicts) == count
    for past in backtest.verdicts:
        assert past.deploy is not None
        known_class = past.deploy.change in read.policy.change_classes
        assert past.change == (past.deploy.change if known_class else "full-rollout")
        checked = Options(at=past.at, change=past.change, observe=True, stated=True)
        (decided,) = run_check([read], checked, open_with=opening).policies
        tier = decided.judgement.tier
        assert past.verdict is decided.verdict
        assert past.tier == (None if tier is None else tier.name)
        assert said(past.findings) == said(decided.judgement.findings)
    if count < MANY:
        return
    verdicts = Counter(past.verdict for past in backtest.verdicts)
    assert set(verdicts) == set(Verdict), "the histories have everything in them"
    firing = {
        finding.rule
        for past in backtest.verdicts
        for finding in past.findings
        if finding.verdict is not Verdict.ALLOW
    }
    assert firing == {*Rule}


def said(findings: Iterable[Finding]) -> list[tuple[Rule, str | None, Verdict, str]]:
    """Return all of findings but when they end: a check also asks when a budget recovers."""
    return [(one.rule, one.slo, one.verdict, one.reason) for one in findings]


WEEK = 7 * DAY
OUTAGES = [AT - 21 * DAY, AT - 17 * DAY - 4 * HOUR, AT - 9 * DAY, AT - 8 * DAY, AT - 2 * HOUR]
"""When half of an hour's events fail, each on a bound of a step."""
TRAFFIC = 10
"""Events of each minute."""


def with_outages(length: timedelta = HOUR) -> Ledger:
    """Return 40 days in which nothing fails but half of the events of each outage."""
    start = AT - 40 * DAY
    made: list[Minute] = [(TRAFFIC, 0)] * (40 * DAY // MINUTE)
    for outage in OUTAGES:
        first = (outage - start) // MINUTE
        for place in range(first, min(first + length // MINUTE, len(made))):
            made[place] = TRAFFIC, TRAFFIC // 2
    return Ledger(start, made)


def left(at: datetime, window: timedelta = WEEK) -> Fraction:
    """Return what is left of 1% of a window's events, by the outages and nothing else."""
    failed = sum(
        max((min(at, outage + HOUR) - max(at - window, outage)) // MINUTE, 0) * TRAFFIC // 2
        for outage in OUTAGES
    )
    return 1 - Fraction(failed) / (Fraction(1, 100) * TRAFFIC * (window // MINUTE))


def test_blocked_allowed_and_preceded_are_what_a_plain_count_says() -> None:
    random = Random(SEED)
    # To the minute, as the ledger is: what a check sees is then what the arithmetic says.
    times = sorted(AT - random.randrange(28 * DAY // MINUTE) * MINUTE for _ in range(300))
    near = [
        any(outage - HOUR <= at <= outage + timedelta(minutes=5) for outage in OUTAGES)
        for at in times
    ]
    stopped = [left(at) <= Fraction(1, 2) for at in times]
    assert 10 < sum(stopped) < 290
    assert sum(near) > 0
    deploys = [Deployment(time=at, revision=str(at)) for at in times]
    read = file("chat", slo("a", budget="objective: 99%").replace("30d", "7d"))
    opening = Opening({"chat": ManyAtOnce({"a": with_outages()})})

    backtest = tried(replay([read], options(*deploys, last=28 * DAY), open_with=opening))

    blocked, allowed = backtest.outcomes[Verdict.BLOCK], backtest.outcomes[Verdict.ALLOW]
    assert blocked.count == sum(stopped)
    assert allowed.count == 300 - sum(stopped)
    assert blocked.before == sum(a and b for a, b in zip(stopped, near, strict=True))
    assert allowed.before == sum(b and not a for a, b in zip(stopped, near, strict=True))
    assert [incident.start for incident in backtest.nearness.incidents] == OUTAGES
    for row in backtest.candidates:
        by_row = [left(at) <= row.threshold for at in times]
        assert row.stopped == sum(by_row)
        assert row.through == 300 - sum(by_row)
        assert row.before == sum(a and b for a, b in zip(by_row, near, strict=True))
        assert row.through_before == sum(b and not a for a, b in zip(by_row, near, strict=True))
    (objection,) = backtest.blocked_by
    assert (objection.rule, objection.slo) == (Rule.TIER, "a")
    assert objection.stopped == objection.alone == sum(stopped)


@pytest.mark.parametrize("phase", [timedelta(), 17 * MINUTE, 59 * MINUTE])
def test_without_deploys_every_hour_of_the_clock_is_asked_about(phase: timedelta) -> None:
    at = AT - phase
    hours = [
        AT - hour * HOUR
        for hour in range(28 * 24 + 1, 0, -1)
        if at - 28 * DAY <= AT - hour * HOUR < at
    ]
    stopped = [hour for hour in hours if left(hour) <= Fraction(1, 2)]
    read = file("chat", slo("a", budget="objective: 99%").replace("30d", "7d"))
    search = replace(options(last=28 * DAY).search, at=at)
    asked = replace(options(), search=search, every=HOUR)
    ledger = Opening({"chat": ByTheMinute({"a": with_outages()})})

    backtest = tried(replay([read], asked, open_with=ledger))

    assert [past.at for past in backtest.verdicts] == hours
    assert backtest.outcomes[Verdict.BLOCK].count == len(stopped)
    assert backtest.unit == "hour"
    # The last of them stands until the end and not for a whole hour.
    assert backtest.frozen == sum((min(hour + HOUR, at) - hour for hour in stopped), timedelta())
    firsts = [hour for hour in stopped if hour - HOUR not in stopped]
    assert [freeze.span.start for freeze in backtest.freezes] == firsts
    by_month = Counter(f"{hour:%Y-%m}" for hour in stopped)
    assert {
        f"{month.start:%Y-%m}": month.frozen // HOUR for month in backtest.months if month.frozen
    } == by_month
    assert sum((month.judged for month in backtest.months), timedelta()) == at - hours[0]


def test_a_freeze_over_the_end_of_a_month_is_shared_out_by_the_calendar_of_utc() -> None:
    start = datetime(2026, 12, 30, tzinfo=UTC)
    freeze = Standing(
        span=Span(start, datetime(2027, 3, 1, 6, tzinfo=UTC)), verdict=Verdict.BLOCK, reasons=()
    )

    assert [(f"{month.start:%Y-%m}", month.frozen, month.judged) for month in months([freeze])] == [
        ("2026-12", 2 * DAY, 2 * DAY),
        ("2027-01", 31 * DAY, 31 * DAY),
        ("2027-02", 28 * DAY, 28 * DAY),
        ("2027-03", 6 * HOUR, 6 * HOUR),
    ]


def test_beside_deploys_the_clock_counts_for_the_frozen_time_only() -> None:
    read = file("chat", slo("a", budget="objective: 99%").replace("30d", "7d"))
    deploy = Deployment(time=AT - 30 * MINUTE, revision="v1", change="rollback")
    opening = Opening({"chat": ByTheMinute({"a": with_outages()})})

    alone = tried(replay([read], options(deploy, last=28 * DAY), open_with=opening))
    both = tried(replay([read], options(deploy, last=28 * DAY, every=HOUR), open_with=opening))

    assert len(alone.verdicts) == len(alone.counted) == len(both.counted) == 1
    assert len(both.verdicts) == 28 * 24 + 1
    assert alone.outcomes[Verdict.ALLOW].count == both.outcomes[Verdict.ALLOW].count == 1
    assert alone.unit == both.unit == "deploy"
    assert both.frozen > DAY
    assert alone.frozen == timedelta()


def test_the_frozen_time_is_that_of_one_class_whatever_the_deploys_are() -> None:
    # Both lie in the freeze of the second and third outage, which stops everything but repairs.
    frozen_at = AT - 7 * DAY
    assert left(frozen_at) <= Fraction(1, 2)
    read = file("chat", slo("a", budget="objective: 99%").replace("30d", "7d"))
    deploys = [
        Deployment(time=frozen_at, revision="v1", change="rollback"),
        Deployment(time=frozen_at + HOUR, revision="v2", change="canary"),
    ]
    opening = Opening({"chat": ByTheMinute({"a": with_outages()})})

    by_default = tried(replay([read], options(*deploys), open_with=opening))
    rollbacks = tried(replay([read], options(*deploys, change="rollback"), open_with=opening))

    assert [past.verdict for past in by_default.verdicts] == [Verdict.ALLOW, Verdict.ALLOW]
    (freeze,) = by_default.freezes
    assert freeze.span == Span(frozen_at, AT)
    assert freeze.reasons[0].endswith("tier caution (> 10%) does not allow full-rollout")
    assert rollbacks.freezes == ()
    assert rollbacks.change == "rollback"


def test_all_instants_are_asked_about_in_one_call_and_a_history_each_rule_and_the_incidents() -> (
    None
):
    read = policy(Random(SEED), *SLOS)
    backend = ManyAtOnce({name: with_outages() for name in "abcd"})
    deploys = [Deployment(time=AT - hour * HOUR, revision="v1") for hour in range(1, 6)]

    replay([read], options(*deploys), open_with=Opening({"chat": backend}))

    assert backend.calls == 1
    # The incidents of five SLOs over all the time; for each check those and four SLOs' charts.
    assert backend.rounds == [5, 6 * 9]


def test_where_no_more_is_offered_each_instant_is_a_call_of_its_own() -> None:
    backend = ByTheMinute({"a": with_outages()})
    deploys = [Deployment(time=AT - hour * HOUR, revision="v1") for hour in range(1, 51)]

    replay([file("chat", slo("a"))], options(*deploys), open_with=Opening({"chat": backend}))

    assert backend.calls == 51
    assert backend.rounds == [1]


def test_no_more_is_held_at_once_than_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    read = policy(Random(SEED), *SLOS)
    backend = ManyAtOnce({name: with_outages() for name in "abcd"})
    deploys = [Deployment(time=AT - hour * HOUR, revision="v1") for hour in range(1, 11)]
    whole = tried(replay([read], options(*deploys), open_with=Opening({"chat": backend})))
    monkeypatch.setattr(instants, "MOST_COUNTS", 60)
    monkeypatch.setattr(instants, "MOST_STEPS", 2000)
    backend.calls, backend.rounds = 0, []

    parts = tried(replay([read], options(*deploys), open_with=Opening({"chat": backend})))

    assert parts.verdicts == whole.verdicts
    assert parts.last == whole.last
    # A check asks for 29 counts, three of them for 87: four calls for 11 checks.
    assert backend.calls == 4
    assert len(backend.rounds) > 5
    assert max(backend.rounds[1:]) <= 3 * 8


@pytest.mark.slow
def test_two_policies_are_tried_at_the_same_instants_and_incidents() -> None:
    strict = file("chat", slo("a", budget="objective: 99%").replace("30d", "7d"))
    tiers = (replace(strict.policy.tiers[0], condition=None),)
    lax = replace(strict, policy=replace(strict.policy, tiers=tiers))
    backend = ManyAtOnce({"a": with_outages()})
    opening = Opening({"chat": backend})

    (service,) = replay(
        [strict], options(last=28 * DAY, every=HOUR), lax, open_with=opening
    ).services

    assert backend.calls == 1  # the counts of both
    assert service.against is not None
    blocked = service.tried.outcomes[Verdict.BLOCK].count
    assert blocked > 0
    assert service.against.outcomes[Verdict.BLOCK].count == 0
    assert len(list(service.differing)) == blocked
    assert service.against.nearness == service.tried.nearness
    assert list(replace(service, against=None).differing) == []


def test_a_policy_of_another_backend_is_asked_there() -> None:
    tried_file = file("chat", slo("a", budget="objective: 99%"))
    other = replace(tried_file, settings=StaticSettings(path=Path("replica")))
    backends = {name: ByTheMinute({"a": with_outages()}) for name in ("chat", "replica")}
    deploys = [Deployment(time=AT - hour * HOUR, revision="v1") for hour in range(1, 4)]

    (service,) = replay(
        [tried_file], options(*deploys), other, open_with=Opening(backends)
    ).services

    assert service.against is not None
    assert service.against.verdicts == service.tried.verdicts
    assert [backend.calls for backend in backends.values()] == [4, 4]
    (same,) = replay(
        [tried_file], options(*deploys), tried_file, open_with=Opening(backends)
    ).services
    assert same.against is not None
    assert same.against.verdicts == service.tried.verdicts
    assert backends["chat"].calls == 8


def test_only_deploys_of_the_service_in_the_examined_time_are_tried() -> None:
    deploys = [
        Deployment(time=AT - DAY, revision="mine", service="chat"),
        Deployment(time=AT - DAY, revision="other", service="mail"),
        Deployment(time=AT, revision="newest"),
        Deployment(time=AT - 10 * DAY, revision="too old"),
    ]
    opening = Opening({"chat": ByTheMinute({"a": with_outages()})})

    backtest = tried(replay([file("chat", slo("a"))], options(*deploys), open_with=opening))

    revisions = [past.deploy and past.deploy.revision for past in backtest.verdicts]
    assert revisions == ["mine", "newest"]


def test_a_backend_without_a_history_is_refused_before_it_is_asked() -> None:
    with pytest.raises(UsageError, match=r"^chat.yaml: the backend static keeps no history"):
        replay([file("chat", slo("a"))], options(), open_with=Opening({"chat": Memory({})}))


def test_a_class_or_requirement_that_no_policy_has_is_refused() -> None:
    opening = Opening({"chat": ByTheMinute({})})
    read = file("chat", slo("a"))

    with pytest.raises(UsageError, match="has no change class 'canari'; did you mean"):
        replay([read], options(change="canari"), open_with=opening)
    with pytest.raises(UsageError, match="no policy requires 'shadows'"):
        replay([read], options(satisfied={"shadows": "URL"}), open_with=opening)


def test_a_requirement_that_was_met_all_the_time_blocks_nothing() -> None:
    read = file("chat", slo("a", budget="objective: 99%").replace("30d", "7d"))
    deploy = Deployment(time=OUTAGES[3] + 40 * MINUTE, revision="v1", change="security-patch")
    gone = replace(
        read, policy=replace(read.policy, tiers=(read.policy.tiers[-1],))
    )  # its last tier alone
    opening = Opening({"chat": ByTheMinute({"a": with_outages()})})

    without = tried(replay([gone], options(deploy), open_with=opening))
    met = tried(replay([gone], options(deploy, satisfied={"shadow": "URL"}), open_with=opening))

    assert [one.rule for one in without.blocked_by] == [Rule.REQUIREMENT]
    assert met.blocked_by == ()


@pytest.mark.parametrize(
    ("last", "enough", "code"),
    [(10 * HOUR, False, ExitCode.UNDECIDED), (10 * DAY, True, ExitCode.ALLOW)],
)
def test_it_is_undecided_where_most_of_the_past_was_not_measured(
    last: timedelta, enough: bool, code: ExitCode
) -> None:
    made: list[Minute] = [(TRAFFIC, 0)] * (40 * DAY // MINUTE)
    gap = 6 * HOUR // MINUTE
    made[-9 * 60 : -9 * 60 + gap] = [None] * gap
    opening = Opening({"chat": ByTheMinute({"a": Ledger(AT - 40 * DAY, made)})})
    read = file("chat", slo("a").replace("30d", "7d"))

    report = replay([read], options(last=last, every=HOUR), open_with=opening)

    backtest = tried(report)
    # What is older than ten minutes is too old for a budget.
    assert [past.at for past in backtest.verdicts if past.verdict is Verdict.UNDECIDED] == [
        AT - hour * HOUR for hour in range(8, 2, -1)
    ]
    assert backtest.unseen == 6
    assert {(row.slo, row.cause) for row in backtest.undecided_by} >= {("a", Cause.STALE)}
    assert backtest.seen_enough is enough
    assert report.exit_code is code


def test_nothing_to_replay_is_not_a_pass() -> None:
    opening = Opening({"chat": ByTheMinute({"a": with_outages()})})

    report = replay([file("chat", slo("a"))], options(by_deploys=True), open_with=opening)

    assert tried(report).counted == ()
    assert report.exit_code is ExitCode.UNDECIDED


def test_what_incidents_after_blocked_deploys_took_is_reported_as_what_might_be_left() -> None:
    slos = (
        slo("a", budget="objective: 99%").replace("30d", "7d"),
        slo("b", budget="objective: 99%"),
        "  - {name: all, composite: [{slo: a, weight: 0.25}, {slo: b, weight: 0.75}]}\n",
    )
    # Blocked by a budget that is gone: the one before the last outage only, which is open.
    deploys = [
        Deployment(time=OUTAGES[-1] - 10 * MINUTE, revision="before"),
        Deployment(time=OUTAGES[-1] - 10 * MINUTE, revision="the same", change="rollback"),
        Deployment(time=OUTAGES[-2] - 10 * MINUTE, revision="spared", change="rollback"),
    ]
    read = file("chat", *slos)
    read = replace(read, policy=replace(read.policy, tiers=(read.policy.tiers[-1],)))
    opening = Opening({"chat": ByTheMinute({"a": with_outages(), "b": with_outages()})})

    backtest = tried(replay([read], options(*deploys), open_with=opening))
    a, b, both = backtest.budgets

    taken = {
        name: Fraction(60 * TRAFFIC // 2) / (Fraction(1, 100) * TRAFFIC * (window // MINUTE))
        for name, window in {"a": WEEK, "b": 30 * DAY}.items()
    }
    assert a.left == left(AT)
    assert float(a.spared) == pytest.approx(float(taken["a"]))
    assert float(b.spared) == pytest.approx(float(taken["b"]))
    assert float(both.spared) == pytest.approx(float(taken["a"] / 4 + taken["b"] * 3 / 4))
    assert a.left_at_most == a.left + a.spared
    assert a.lowest == min(left(at) for at in (AT, *(deploy.time for deploy in deploys)))
    assert left(a.lowest_at) == a.lowest


def test_a_budget_that_runs_out_twice_has_run_out_twice() -> None:
    read = file("chat", slo("a", budget="objective: 99.8%").replace("30d", "2d"))
    opening = Opening({"chat": ByTheMinute({"a": with_outages()})})
    # A budget of two days has 57.6 bad events: an outage spends it, two days later it is full.
    report = replay([read], options(last=28 * DAY, every=HOUR), open_with=opening)
    (budget,) = tried(report).budgets

    # The third and the fourth are one day apart: between them the budget does not come back.
    assert budget.ran_out == 4
    assert budget.lowest < -9
    assert budget.spared == 0, "without deploys nothing was blocked that could have been stopped"


def test_a_budget_that_was_never_measured_has_no_course() -> None:
    read = file("chat", slo("a"), slo("nowhere"))
    opening = Opening({"chat": ByTheMinute({"a": with_outages()})})

    report = replay([read], options(last=DAY, every=HOUR), open_with=opening)

    assert [budget.slo for budget in tried(report).budgets] == ["a"]
    assert not tried(report).seen_enough
    assert tried(report).unseen == 24
