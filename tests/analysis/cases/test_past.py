"""The past that a case states: what the rules that look back make of it, to the boundary."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.analysis.cases.backend import BadStretch, StatedPast
from gate.analysis.cases.run import run_cases, stated_answers
from gate.config.cases_schema import read_cases
from gate.config.load import load_unopened
from gate.measure.history import SeriesRequest, on_the_clock
from gate.slo.indicator import Sli
from gate.slo.objective import Span
from tests.analysis.cases.test_judging import SPEND
from tests.analysis.cases.trying import (
    SLOS,
    TIERS,
    case_text,
    fired,
    mistakes_of,
    policy_file,
    tried,
)
from tests.config.texts import BACKEND

POSTMORTEMS = "postmortems: {share: 20%, known_incidents: incidents/*.yaml}\n"
CHARTS = "control_charts: block\n"
HOUR = "start: 2026-11-18T10:00:00Z, end: 2026-11-18T11:00:00Z"
RECORD = f"id: A, service: chat, title: t, {HOUR}, cause: c, remediation: r, status: reviewed"


def incident(text: str, left: str = "remaining: 50%") -> str:
    return f"slos: {{availability: {{{left}, incidents: [{{{text}}}]}}}}\n"


COUNTS = "total: 1000000, bad: 500"
"""At 99.9%, 1,000 of these events may be bad."""


@pytest.mark.crossed
@pytest.mark.parametrize(
    "when",
    [
        HOUR,
        "start: 2026-11-18T10:03:00Z, end: 2026-11-18T11:17:00Z",
        "start: 2026-11-18T10:03:07Z, end: 2026-11-18T10:56:01Z",
    ],
)
@pytest.mark.parametrize(
    ("left", "what", "fires"),
    [
        ("remaining: 50%", "share: 20%", False),
        ("remaining: 50%", "share: 20.1%", True),
        (COUNTS, "share: 20%", False),
        (COUNTS, "share: 20.1%", True),
        (COUNTS, "bad: 200", False),
        (COUNTS, "bad: 201", True),
    ],
)
def test_an_incident_needs_a_record_above_the_rules_share(
    left: str, what: str, fires: bool, when: str
) -> None:
    result = tried(incident(f"{when}, {what}", left), more=POSTMORTEMS)

    assert fired(result) == ([("postmortem", "availability", "block")] if fires else [])


def test_a_reviewed_record_of_the_case_lets_it_pass() -> None:
    body = incident(f"{HOUR}, share: 35%")

    assert fired(tried(f"{body}records: [{{{RECORD}}}]\n", more=POSTMORTEMS)) == []
    other = RECORD.replace("11-18", "11-08")
    assert fired(tried(f"{body}records: [{{{other}}}]\n", more=POSTMORTEMS)) != []


@pytest.mark.parametrize("written", [f"{{{RECORD}}}", "{id: A}"], ids=["sound", "a mistake"])
def test_records_that_the_policy_reads_change_no_case(tmp_path: Path, written: str) -> None:
    """Else somebody who writes one down next week would change what a case comes to."""
    (tmp_path / "incidents").mkdir()
    (tmp_path / "incidents" / "a.yaml").write_text(written)
    (tmp_path / "gate.yaml").write_text(
        f"version: 1\nservice: chat\n{BACKEND}{SLOS}{TIERS}{POSTMORTEMS}"
    )
    file = load_unopened(str(tmp_path / "gate.yaml"), {})
    text = case_text(incident(f"{HOUR}, share: 35%"))

    (result,) = run_cases(file, read_cases(text.encode(), "a", {})).results

    assert fired(result) == [("postmortem", "availability", "block")]


def test_an_incident_that_goes_on_is_not_explained_by_a_record() -> None:
    body = incident("start: 2026-11-20T13:10:00Z, share: 35%")
    record = "id: A, service: chat, title: t, start: 2026-11-20T13:00:00Z, status: open"
    result = tried(f"{body}records: [{{{record}}}]\n", more=POSTMORTEMS)

    (finding,) = result.firing
    assert "it goes on" in finding.reason


@pytest.mark.parametrize(
    ("second", "apart"),
    [
        ("start: 2026-11-18T10:30:00Z, end: 2026-11-18T11:30:00Z", False),
        ("start: 2026-11-18T10:00:00Z, end: 2026-11-18T11:00:00Z", False),
        ("start: 2026-11-18T11:00:00Z, end: 2026-11-18T12:00:00Z", False),
        ("start: 2026-11-18T11:20:00Z, end: 2026-11-18T12:00:00Z", False),
        ("start: 2026-11-18T12:00:00Z, end: 2026-11-18T13:00:00Z", True),
    ],
)
def test_two_incidents_that_are_one_to_the_rule_are_a_mistake(second: str, *, apart: bool) -> None:
    """Each takes less than the rule's share, and both as one take more."""
    body = incident(f"{HOUR}, share: 15%}}, {{{second}, share: 15%")
    mistakes = mistakes_of(body, more=POSTMORTEMS)

    if apart:
        assert mistakes == []
        assert fired(tried(body, more=POSTMORTEMS)) == []
    else:
        (mistake,) = mistakes
        assert "this incident and the one on line" in mistake


def test_reviewed_incidents_excuse_what_they_took() -> None:
    # Of 60% consumed an incident took 50: without it 90% would be left.
    more = POSTMORTEMS.replace("}", ", excuse_reviewed: true}")
    body = f"change: full-rollout\n{incident(f'{HOUR}, share: 50%', 'remaining: 40%')}"
    result = tried(f"{body}records: [{{{RECORD}}}]\n", more=more)

    (finding,) = result.firing
    assert (finding.verdict, "89.9% would be left" in finding.reason) == ("warn", True)


def test_what_is_consumed_beside_the_incidents_is_spread_and_is_none() -> None:
    result = tried("slos: {availability: {remaining: -900%}}\n", more=POSTMORTEMS)

    assert fired(result) == [("tier", "availability", "block")]


def test_a_signal_fires_as_long_as_it_counts() -> None:
    def signal(text: str) -> str:
        return f"slos: {{availability: {{remaining: 90%, signals: [{{{text}}}]}}}}\n"

    blocked = [("control-chart", "availability", "block")]
    assert fired(tried(signal("start: 2026-11-20T10:00:00Z"), more=CHARTS)) == blocked
    recent = "start: 2026-11-19T10:00:00Z, end: 2026-11-19T20:00:00Z"
    assert fired(tried(signal(recent), more=CHARTS)) == blocked
    old = "start: 2026-11-17T10:00:00Z, end: 2026-11-17T20:00:00Z"
    assert fired(tried(signal(old), more=CHARTS)) == []


def test_a_history_that_is_not_known_is_what_on_makes_of_it() -> None:
    body = "slos: {availability: {remaining: 90%, history: no_data}}\n"

    assert fired(tried(body, more=POSTMORTEMS)) == [("measurement", "availability", "undecided")]
    assert fired(tried(body)) == []


def test_what_is_not_measured_has_no_history_unless_it_is_stated() -> None:
    body = f"slos: {{availability: {{unmeasured: no_data, incidents: [{{{HOUR}, share: 35%}}]}}}}\n"

    assert ("postmortem", "availability", "block") in fired(tried(body, more=POSTMORTEMS))


IMPOSSIBLE: tuple[tuple[str, str, str], ...] = (
    (incident(f"{HOUR}, share: 60%"), POSTMORTEMS, "took more of the budget than is consumed"),
    (incident(f"{HOUR}, share: 35%"), "", "no rule sees this incident: the policy has no postmort"),
    (
        incident(f"{HOUR.replace('11-18T11', '11-20T11')}, share: 20%"),
        POSTMORTEMS,
        "the budget never burned at 6 in it",
    ),
    (
        incident("start: 2026-11-18T10:00:00Z, end: 2026-11-18T10:05:00Z, share: 40%"),
        POSTMORTEMS,
        "it took 11.6% of the budget at most",
    ),
    (incident("start: 2026-11-20T14:00:00Z, share: 1%"), POSTMORTEMS, "does not begin before"),
    (
        incident("start: 2026-11-20T13:00:00Z, end: 2026-11-20T15:00:00Z, share: 1%"),
        POSTMORTEMS,
        "ends after the instant of the case",
    ),
    (
        incident(f"{HOUR}, share: 1%", "remaining: 50%, history: stale"),
        POSTMORTEMS,
        "its history is unknown",
    ),
    (
        "slos: {availability: {remaining: 90%, signals: [{start: 2026-11-20T10:00:00Z}]}}\n",
        "",
        "no control chart has this signal: the policy has no control_charts",
    ),
    (
        "slos: {availability: {remaining: 90%, signals:"
        " [{start: 2026-11-08T10:00:00Z, end: 2026-11-08T11:00:00Z}]}}\n",
        CHARTS,
        "it must lie in the time that is charted, and after the baseline",
    ),
    (
        "slos: {availability: {total: 2000, bad: 0, signals: [{start: 2026-11-20T10:00:00Z}]}}\n",
        CHARTS,
        "not enough data for a baseline",
    ),
)


@pytest.mark.parametrize(("body", "more", "message"), IMPOSSIBLE)
def test_a_past_that_cannot_be_is_a_mistake(body: str, more: str, message: str) -> None:
    (mistake,) = mistakes_of(body, more=more)

    assert message in mistake


@given(
    st.integers(0, 10_000),
    st.integers(1, 5_000),
    st.integers(0, 40_000),
    st.booleans(),
)
def test_the_steps_add_up_to_what_is_stated(
    begin: int, length: int, phase: int, amount: bool
) -> None:
    """Wherever steps and stretches begin and end: in whole minutes of 10 days."""
    end = datetime(2026, 11, 20, tzinfo=UTC) + timedelta(seconds=phase)
    start = end - timedelta(days=10)
    stretch = BadStretch(
        start=start + timedelta(minutes=begin),
        end=start + timedelta(minutes=begin + length),
        bad=Fraction(77),
    )
    past = StatedPast(
        per_second=Fraction(3), bad_per_second=Fraction(1, 1000), stretches=(stretch,)
    )
    step = timedelta(minutes=5)
    request: Any = SeriesRequest(
        sli=Sli(series="a"), span=on_the_clock(Span(start, end), step), step=step, amount=amount
    )

    series = past.series(request)

    # Steps that the stretch touches have nothing beside it, and a step is 300 seconds.
    ends = [request.end_of(place) for place in range(-1, request.steps)]
    quiet = [
        (after - before) // timedelta(seconds=1)
        for before, after in pairwise(ends)
        if after <= stretch.start or before >= stretch.end
    ]
    stated = stretch.within(request.span.start, end) + Fraction(sum(quiet), 1000)
    assert len(series.total) == request.steps
    assert sum(map(float, filter(None, series.bad))) == pytest.approx(float(stated))
    seconds = (end - request.span.start) // timedelta(seconds=1)
    wanted = float(stated if amount else 3 * seconds)
    assert sum(map(float, filter(None, series.total))) == pytest.approx(wanted)


def test_an_incident_of_spending_took_its_share_of_the_allowance() -> None:
    text = SPEND_CASE.replace("INCIDENT", "share: 10%")
    past = spending(text)

    # 2,000 of 5,000 are spent, 500 of them in the hour: the rest at an even pace over all else.
    hours = [sum(past[place : place + 12]) for place in range(0, len(past), 12)]
    assert max(hours) == pytest.approx(500)
    assert sum(past) == pytest.approx(2000, rel=1e-2)


def test_an_amount_can_be_stated_of_an_incident() -> None:
    assert max(spending(SPEND_CASE.replace("INCIDENT", "bad: 1200"))) == pytest.approx(100)


SPEND_CASE = (
    "slos: {money: {spent: 2000, incidents: [{start: 2026-11-18T10:00:00Z,"
    " end: 2026-11-18T11:00:00Z, INCIDENT}]}}\n"
)


def spending(body: str) -> list[float]:
    """Return what was spent in each five minutes of November until the instant of the case."""
    cases = read_cases(case_text(body).encode(), "a", {})
    policy = policy_file(slos=SPEND).policy
    answers = stated_answers(cases.cases[0], policy, cases.reader)
    past = answers["money"].past
    assert isinstance(past, StatedPast)
    span = Span(datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 20, 14, tzinfo=UTC))
    step = timedelta(minutes=5)
    series = past.series(SeriesRequest(sli=Sli(series="money"), span=span, step=step, amount=True))
    assert series.total == series.bad
    return [amount or 0.0 for amount in series.bad]
