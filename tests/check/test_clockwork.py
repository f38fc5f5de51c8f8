"""The same past in every minute of a run: one verdict, the same incidents, the same shares."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gate.analysis.incidents import IncidentOptions, IncidentReport
from gate.analysis.incidents.run import search_incidents
from gate.check.options import Options
from gate.check.run import run_check
from gate.config.load import PolicyFile
from gate.decision.decision import PolicyDecision
from gate.policy.findings import Rule, Verdict
from gate.policy.rule_settings import ControlChartRule, Effect, ExhaustionRule, PostmortemRule
from tests.analysis.memory import Opening, file, slo
from tests.check.clockwork import UNIT, Clockwork, Happened, Story

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
BEGAN = datetime(2026, 10, 1, tzinfo=UTC)
END = BEGAN + 9 * DAY
"""The end of the events, which lie before it; at full hours."""
EACH = 10.0
"""Events of ten seconds: 600 in ten minutes."""
SECONDS = [timedelta(seconds=seconds) for seconds in (0, 1, 9, 61, 299, 301, 3599)]
PHASES = [
    pytest.param([*SECONDS, *(minutes * MINUTE for minutes in (7, 20, 31, 50))], id="some"),
    pytest.param(
        [*SECONDS, *(minutes * MINUTE for minutes in range(1, 60))],
        id="all",
        marks=pytest.mark.slow,
    ),
]
BOTH = PostmortemRule(
    share=Fraction(1, 5), threshold=Fraction(6), patterns=("incidents/*.yaml",), records=()
)


def happened(
    outages: Mapping[datetime, tuple[timedelta, float]],
    *,
    days: int = 10,
    asleep: range = range(0),
) -> Happened:
    """Return steady traffic from `BEGAN` on, of which shares fail for some time.

    Args:
        outages: when -> for how long, and which share fails.
        days: how long it goes on.
        asleep: at which hours of the day nothing happens.
    """
    units = days * DAY // UNIT
    events = [0.0 if (place * UNIT % DAY) // HOUR in asleep else EACH for place in range(units)]
    bad = [0.0] * units
    for start, (length, share) in outages.items():
        first = (start - BEGAN) // UNIT
        for place in range(first, first + length // UNIT):
            bad[place] = events[place] * share
    return list(zip(events, bad, strict=True))


def ruled(*slos: str) -> PolicyFile:
    read = file("chat", *(one.replace("30d", "7d") for one in slos))
    policy = replace(
        read.policy,
        postmortems=BOTH,
        exhaustion=ExhaustionRule(within=timedelta(hours=6), effect=Effect.BLOCK),
        control_charts=ControlChartRule(last=6 * DAY, baseline=3 * DAY, effect=Effect.BLOCK),
    )
    return replace(read, policy=policy)


def decide(read: PolicyFile, backend: Clockwork, at: datetime) -> PolicyDecision:
    options = Options(at=at, change="full-rollout")
    (decided,) = run_check([read], options, open_with=Opening({"chat": backend})).policies
    return decided


def search(read: PolicyFile, backend: Clockwork, at: datetime, last: timedelta) -> IncidentReport:
    options = IncidentOptions(
        at=at, last=last, step=5 * MINUTE, threshold=Fraction(6), timeout=MINUTE
    )
    return search_incidents([read], options, open_with=Opening({"chat": backend}))


def said_by(decided: PolicyDecision, rule: Rule) -> list[tuple[Verdict, str]]:
    findings = decided.judgement.findings
    return [(one.verdict, one.reason) for one in findings if one.rule is rule]


# Of 7 days' 604,800 events 604.8 may fail: half an hour of 8% takes 23.8%.
ODD = END - 3 * DAY + 12 * HOUR + 7 * MINUTE + timedelta(seconds=20)


@pytest.mark.variants(1)
@pytest.mark.parametrize("phases", PHASES)
@pytest.mark.parametrize("asleep", [range(0), range(3, 7)])
def test_in_every_minute_there_is_one_verdict_of_every_rule_that_looks_back(
    asleep: range, phases: list[timedelta]
) -> None:
    backend = Clockwork({"a": Story(BEGAN, happened({ODD: (HOUR / 2, 0.09)}, asleep=asleep))})
    read, seen = ruled(slo("a")), set()

    for phase in phases:
        decided = decide(read, backend, END + phase)
        (costly,) = said_by(decided, Rule.POSTMORTEM)
        # Which budgets are silent, and have no rate to carry on, is a matter of the minute.
        seen.add(
            (decided.verdict, costly, *{said[0] for said in said_by(decided, Rule.EXHAUSTION)})
        )
        # An hour is a point of the chart, so that the newest are the same in all of the hour.
        seen.add((decided.verdict, *said_by(decided, Rule.CONTROL_CHART)))

    assert len(seen) == 2
    assert {one[0] for one in seen} == {Verdict.BLOCK}
    assert "the incident chat-20261007-1205 of 2026-10-07 12:05 to 12:40 UTC (35m)" in str(seen)


@pytest.mark.parametrize("phases", PHASES)
def test_in_every_minute_the_same_incidents_are_found_with_the_same_shares(
    phases: list[timedelta],
) -> None:
    backend = Clockwork({"a": Story(BEGAN, happened({ODD: (HOUR / 2, 0.08)}))})
    read, seen = file("chat", slo("a").replace("30d", "7d")), set()

    for phase in phases:
        (service,) = search(read, backend, END + phase, 7 * DAY).services
        (incident,) = service.annotated
        (felt,) = incident.incident.impacts
        # 0.08 of 60 a minute for 30 minutes are 144 of 604.8.
        # A second is but a tenth of what is told apart here.
        assert felt.share == pytest.approx(144 / 604.8, rel=1e-4)
        figures = service.reliability
        assert figures.mtbf == 7 * DAY - felt.incident.duration
        seen.add((incident.incident.id("chat"), felt.incident.start, felt.incident.end))

    assert len(seen) == 1


@pytest.mark.slow
def test_a_night_without_traffic_changes_no_share_and_no_time_between_failures() -> None:
    # From 20:00 to 10:00 nothing happens: 58% of the time.
    asleep = Clockwork(
        {
            "a": Story(
                BEGAN,
                [
                    (0.0, 0.0) if not 10 <= (place * UNIT % DAY) // HOUR < 20 else one
                    for place, one in enumerate(happened({END - 12 * HOUR: (HOUR / 2, 0.1)}))
                ],
            )
        }
    )

    (service,) = search(file("chat", slo("a").replace("30d", "7d")), asleep, END, 7 * DAY).services
    (incident,) = service.annotated

    # Of 10 hours a day for 7 days, 60 a minute, 0.1% may fail.
    assert incident.incident.impacts[0].share == pytest.approx(180 / (7 * 10 * 60 * 60 / 1000))
    assert service.reliability.mttr == HOUR / 2
    assert service.reliability.mtbf == 7 * DAY - HOUR / 2
    assert service.slos[0].unknown == 0


def test_a_budget_that_is_known_in_part_only_is_not_carried_on_to_the_whole() -> None:
    # Three days of a window of 30 are known: of 259,200 events 259.2 may fail so far.
    story = Story(END - 3 * DAY, happened({BEGAN + DAY: (HOUR / 2, 0.1)}, days=3))
    read = file("chat", slo("a"))

    (service,) = search(read, Clockwork({"a": story}), END, 30 * DAY).services
    status = run_check(
        [read],
        Options(at=END, change="rollback"),
        open_with=Opening({"chat": Clockwork({"a": story})}),
    )
    (assessment,) = status.policies[0].assessments

    (incident,) = service.annotated
    assert incident.incident.impacts[0].share == pytest.approx(180 / 259.2)
    assert assessment.consumed == pytest.approx(Fraction(180) / Fraction("259.2"))


def test_a_history_that_is_longer_than_the_window_has_one_windows_part_of_the_events() -> None:
    story = Story(BEGAN, happened({BEGAN + DAY: (HOUR / 2, 0.1)}))
    read = file("chat", slo("a").replace("30d", "2d"))

    (service,) = search(read, Clockwork({"a": story}), END, 8 * DAY).services

    (incident,) = service.annotated
    assert incident.incident.impacts[0].share == pytest.approx(180 / (2 * 24 * 60 * 60 / 1000))


def test_an_incident_of_the_present_window_takes_what_status_says_whatever_was_before() -> None:
    # Three times the traffic in the last two days, which are the window.
    outages = {BEGAN + 2 * DAY: (HOUR / 2, 0.1), END - 12 * HOUR: (HOUR / 2, 0.1)}
    grown = (END - 2 * DAY - BEGAN) // UNIT
    events = [
        (total * (3 if place >= grown else 1), bad * (3 if place >= grown else 1))
        for place, (total, bad) in enumerate(happened(outages))
    ]
    read, backend = (
        file("chat", slo("a").replace("30d", "2d")),
        Clockwork({"a": Story(BEGAN, events)}),
    )

    (service,) = search(read, backend, END, 8 * DAY).services
    decision = run_check(
        [read], Options(at=END, change="rollback"), open_with=Opening({"chat": backend})
    )
    (assessment,) = decision.policies[0].assessments
    before, now = (one.incident.impacts[0].share for one in service.annotated)

    assert now == pytest.approx(540 / 518.4)
    assert assessment.consumed == pytest.approx(Fraction(540) / Fraction("518.4"))
    # Eight days have 1,036,800 events, so that two have 259,200 in the mean.
    assert before == pytest.approx(180 / 259.2)


@pytest.mark.parametrize("denominator", ["period", "to-date"])
def test_a_calendar_budget_is_counted_as_the_policy_says(denominator: str) -> None:
    # On the 10th of October at noon; an outage each in this period and in the one before.
    outages = {BEGAN + 2 * DAY: (HOUR / 2, 0.1), BEGAN + 8 * DAY + HOUR: (HOUR / 2, 0.1)}
    weekly = f"{{calendar: week, denominator: {denominator}}}"
    read = file("chat", slo("a").replace("30d", weekly))
    backend = Clockwork({"a": Story(BEGAN, happened(outages))})
    at = BEGAN + 9 * DAY + 12 * HOUR

    (service,) = search(read, backend, at, 9 * DAY).services
    decision = run_check(
        [read], Options(at=at, change="rollback"), open_with=Opening({"chat": backend})
    )
    (assessment,) = decision.policies[0].assessments
    before, now = (one.incident.impacts[0].share for one in service.annotated)

    # The week began on Monday the 5th, 5.5 days ago; of the week before nothing is the convention.
    assert assessment.consumed is not None
    assert now == pytest.approx(float(assessment.consumed))
    assert before == pytest.approx(180 / (7 * 24 * 60 * 60 / 1000))


def lines(bad: list[int]) -> Iterator[tuple[int, int, int]]:
    """Yield first step, step after the last, and bad events of incidents, by another program.

    By the words of docs/incidents.md: 50 events in each step, of which 5% may be bad, threshold
    6, and everything in thirds of 15 minutes. Each step is looked at with all that came before it.
    """
    of_each, of_bad = 50, 20

    def burning(place: int, width: int) -> Fraction:
        part = bad[max(0, place - width + 1) : place + 1]
        return Fraction(sum(part) * of_bad, len(part) * of_each)

    place = 0
    while place < len(bad):
        if burning(place, 3) < 6:
            place += 1
            continue
        window = [step for step in range(max(0, place - 2), place + 1) if burning(step, 1) >= 3]
        first, last, since = window[0], place, 0
        while place < len(bad) and since < 6:
            if burning(place, 3) < 3:
                since += 1
            else:
                since = 0
                last = max(
                    step for step in range(max(0, place - 2), place + 1) if burning(step, 1) >= 3
                )
            place += 1
        end = last + 1 if since == 6 else len(bad)
        yield first, end, sum(bad[first:end])


OUTAGES = st.lists(
    st.tuples(st.integers(0, 2 * 288 - 40), st.integers(1, 30), st.integers(0, 50)), max_size=8
)


@pytest.mark.slow
@settings(deadline=None)
@given(OUTAGES, st.integers(0, 30), st.integers(1, 48))
def test_incidents_are_those_of_another_program_whenever_and_how_far_back_one_looks(
    outages: list[tuple[int, int, int]], phase: int, hours: int
) -> None:
    # Two days after a calm one; each step of 5 minutes has 50 events, all in its first ten seconds.
    bad = [0] * (3 * 288)
    for first, length, each in outages:
        bad[288 + first : 288 + first + length] = [each] * length
    happened = [
        (50.0, float(bad[place // 30])) if place % 30 == 0 else (0.0, 0.0)
        for place in range(len(bad) * 30)
    ]
    read = file("chat", slo("a", budget="objective: 95%").replace("30d", "1d"))
    backend = Clockwork({"a": Story(BEGAN, happened)})
    end = BEGAN + 3 * DAY
    span_start = end - hours * HOUR

    (service,) = search(read, backend, end + phase * UNIT, hours * HOUR + phase * UNIT).services

    expected = [
        (f"chat-{BEGAN + first * 5 * MINUTE:%Y%m%d-%H%M}", last, bad_events)
        for first, last, bad_events in lines(bad)
        if BEGAN + last * 5 * MINUTE > span_start
    ]
    found = [
        (
            one.incident.id("chat"),
            (one.incident.end - BEGAN) // (5 * MINUTE),
            one.incident.impacts[0].incident.bad,
        )
        for one in service.annotated
    ]
    assert found == expected
