"""Known incidents and deploys, put to what was found."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.errors import Mistake
from gate.history.explanations import (
    BEFORE,
    AnnotatedIncident,
    Annotations,
    Explanation,
    SloHistory,
    annotate,
    covered_share,
    explain,
    records_without_impact,
)
from gate.history.incidents import Incident, IncidentEnding
from gate.history.records import (
    OPEN_FOR,
    Deployment,
    IncidentRecord,
    RecordStatus,
    UnreadableRecord,
)
from gate.history.service_incidents import ServiceIncident, SloImpact
from gate.measure.history import Series, SeriesRequest
from gate.slo.indicator import Sli
from gate.slo.objective import Span

START = datetime(2026, 11, 1, 12, tzinfo=UTC)
END = START + timedelta(minutes=30)
STEP = timedelta(minutes=5)
SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
EVEN = (10.0,) * 6
"""Bad events in each step of the incident."""


def impact(slo: str, start: datetime = START, end: datetime = END) -> SloImpact:
    incident = Incident(
        start=start, end=end, ending=IncidentEnding.CALM, bad=60, peak=9, unknown=timedelta()
    )
    return SloImpact(slo=slo, share=0.5, incident=incident)


def steps(bad: tuple[float | None, ...] = EVEN) -> SloHistory:
    """Return a history with so many bad events in each step from the start on, and 5 around it."""
    every = (5.0, *bad, 5.0)
    span = Span(START - STEP, START + (len(bad) + 1) * STEP)
    request = SeriesRequest(sli=Sli(bad="b", total="t"), span=span, step=STEP)
    total = tuple(None if value is None else 100.0 for value in every)
    return SloHistory(request, Series(total=total, bad=every, query="q"))


def record(
    start: datetime = START,
    end: datetime | None = END,
    name: str = "INC-1",
    services: tuple[str, ...] = ("chat",),
    slos: tuple[str, ...] = (),
) -> IncidentRecord:
    return IncidentRecord(
        id=name,
        title="t",
        services=services,
        slos=slos,
        start=start,
        end=end,
        status=RecordStatus.OPEN,
    )


def unreadable(**fields: object) -> UnreadableRecord:
    mistake = Mistake(file="incidents/1.yaml", line=3, column=7, message="unknown key 'causes'")
    return UnreadableRecord(mistakes=(mistake,), **fields)  # type: ignore[arg-type]  # by name


def put(
    *records: IncidentRecord,
    deploys: tuple[Deployment, ...] = (),
    broken: tuple[UnreadableRecord, ...] = (),
    slos: tuple[str, ...] = ("a",),
    bad: tuple[float | None, ...] = EVEN,
) -> AnnotatedIncident:
    """Put records to an incident of half an hour, which these SLOs felt."""
    return annotate(
        ServiceIncident(impacts=tuple(impact(slo) for slo in slos)),
        Annotations(records=records, unreadable=broken, deploys=deploys),
        service="chat",
        step=STEP,
        explanations={
            (slo, START): explain(records, impact(slo), steps(bad), service="chat") for slo in slos
        },
    )


@pytest.mark.parametrize(
    ("start", "end", "share"),
    [
        (START, END, Fraction(1)),
        (START - BEFORE, END + BEFORE, Fraction(1)),
        (START + 3 * STEP, END, Fraction(1, 2)),
        (START, START + 3 * STEP, Fraction(1, 2)),
        (START + 3 * STEP + SECOND, END, Fraction(1, 2)),  # the step that it touches counts whole
        (START + 4 * STEP, END, Fraction(1, 3)),
        (START - BEFORE, START + SECOND, Fraction(1, 6)),
        (END - SECOND, END + BEFORE, Fraction(1, 6)),
        (START - BEFORE, START, None),
        (END, END + BEFORE, None),
    ],
)
def test_a_record_explains_an_incident_of_whose_bad_events_it_covers_half(
    start: datetime, end: datetime, share: Fraction | None
) -> None:
    overlapping = record(start, end)
    annotated = put(overlapping)
    explains = share is not None and share >= Fraction(1, 2)

    assert annotated.explained is explains
    assert annotated.records == ((overlapping,) if explains else ())
    assert annotated.insufficient == ((overlapping,) if share is not None and not explains else ())
    assert annotated.explanation(impact("a")).share == (share or 0)


def test_half_is_of_the_bad_events_and_not_of_the_time() -> None:
    first_step = record(START, START + STEP)

    assert put(first_step, bad=(50.0, 10, 10, 10, 10, 10)).explained
    assert not put(first_step, bad=(49.0, 10, 10, 10, 10, 10)).explained


def test_steps_without_known_data_count_for_neither_side() -> None:
    assert put(record(START, START + STEP), bad=(10.0, None, None, None, None, 10.0)).explained


def test_records_that_follow_each_other_explain_an_incident_together() -> None:
    parts = [
        record(START + place * 2 * STEP, START + (place + 1) * 2 * STEP, f"INC-{place}")
        for place in range(3)
    ]

    assert [put(part).explained for part in parts] == [False, False, False]
    assert put(*parts[:2]).records == tuple(parts[:2])


@pytest.mark.parametrize(
    "other",
    [
        record(services=("rag",)),
        record(services=("chatt", "rag")),
        record(slos=("b",)),
    ],
)
def test_a_record_about_something_else_explains_nothing(other: IncidentRecord) -> None:
    annotated = put(other)

    assert not annotated.explained
    assert (annotated.records, annotated.insufficient) == ((), ())


@pytest.mark.parametrize(
    "mine", [record(services=("rag", "chat")), record(slos=("a",)), record(slos=("b", "a"))]
)
def test_a_record_that_names_it_among_others_explains_it(mine: IncidentRecord) -> None:
    assert put(mine).explained


def test_each_slo_that_felt_it_needs_a_record_that_names_it() -> None:
    mine, other = record(slos=("a",)), record(name="INC-2", slos=("b",))
    half = put(mine, slos=("a", "b"))

    assert (half.explained, half.records) == (False, (mine,))
    assert put(mine, other, slos=("a", "b")).records == (mine, other)
    assert put(mine, other, slos=("a", "b")).explained
    assert put(record(), slos=("a", "b")).explained


def test_an_slo_that_is_affected_twice_needs_a_record_of_both_times() -> None:
    later = impact("a", START + HOUR, END + HOUR)
    both = (impact("a"), later)
    known = record(START + HOUR, END + HOUR)
    annotated = annotate(
        ServiceIncident(impacts=(impact("b", end=END + HOUR), *both)),
        Annotations(records=(known,)),
        service="chat",
        step=STEP,
        explanations={
            ("b", START): Explanation(records=(known,), share=Fraction(1)),
            ("a", START): Explanation(records=(), share=Fraction(0)),
            ("a", START + HOUR): Explanation(records=(known,), share=Fraction(1)),
        },
    )

    assert [annotated.explanation(one).explained for one in both] == [False, True]
    assert not annotated.explained


def test_a_record_without_an_end_explains_what_had_begun_by_a_day_after_its_start() -> None:
    assert put(record(START + STEP, None)).explained
    assert put(record(START - OPEN_FOR + SECOND, None)).explained
    assert not put(record(START - OPEN_FOR, None)).explained
    assert not put(record(END, None)).explained


def test_a_record_without_an_end_goes_on_with_its_incident() -> None:
    begun, end = record(START, None), START + 3 * DAY

    assert begun.overlaps(START, end)
    assert begun.covers(end - STEP, end)
    assert not begun.overlaps(START + 7 * DAY, START + 7 * DAY + HOUR)


@pytest.mark.parametrize(
    ("fields", "concerned"),
    [
        ({}, True),
        ({"start": START - HOUR, "end": START + SECOND}, True),
        ({"start": START - 30 * DAY}, True),
        ({"start": END}, False),
        ({"start": START - HOUR, "end": START}, False),
        ({"services": ("rag",)}, False),
        ({"services": ("chat",), "slos": ("a",)}, True),
        ({"slos": ("b",)}, False),
    ],
)
def test_a_record_with_a_mistake_concerns_what_it_may_be_about(
    fields: dict[str, object], concerned: bool
) -> None:
    broken = unreadable(**fields)

    assert put(broken=(broken,)).unreadable == ((broken,) if concerned else ())
    assert put(record(), broken=(broken,)).unreadable == (), "another record explains it"


def test_a_record_with_a_mistake_says_where_that_is() -> None:
    assert unreadable().first == "incidents/1.yaml:3:7: unknown key 'causes'"


@given(
    st.lists(st.integers(0, 40), min_size=6, max_size=6).filter(any),
    st.integers(0, 5),
    st.integers(1, 6),
)
def test_the_share_is_that_of_the_steps_in_its_time(bad: list[int], first: int, count: int) -> None:
    covering = record(START + first * STEP, START + (first + count) * STEP)
    share = covered_share([covering], impact("a").incident, steps(tuple(map(float, bad))))

    assert share == Fraction(sum(bad[first : first + count]), sum(bad))


def test_an_incident_without_known_failures_is_covered_by_nothing() -> None:
    assert covered_share([record()], impact("a").incident, steps((0.0,) * 6)) == 0


@pytest.mark.parametrize(
    ("fields", "lacks"),
    [
        ({}, ("cause", "remediation", "status: reviewed")),
        ({"title": "TODO: what happened", "unfilled": ("title",)}, ("title",)),
        ({"cause": "TODO", "unfilled": ("cause",)}, ("cause",)),
    ],
)
def test_what_a_draft_left_to_people_is_missing(
    fields: dict[str, Any], lacks: tuple[str, ...]
) -> None:
    whole = replace(record(), cause="c", remediation="r", status=RecordStatus.REVIEWED)
    lacking = replace(whole, **fields) if fields else record()

    assert whole.missing == ()
    assert lacking.missing == lacks


def deploy(time: datetime, service: str | None = None) -> Deployment:
    return Deployment(time=time, revision=str(time), service=service)


def deploys_of(*deploys: Deployment) -> tuple[Deployment, ...]:
    return put(deploys=deploys).deploys


def test_deploys_shortly_before_are_shown_the_oldest_first() -> None:
    late, early = deploy(START - SECOND), deploy(START - BEFORE)

    assert deploys_of(late, early, deploy(START - BEFORE - SECOND)) == (early, late)


def test_a_deploy_within_the_step_in_which_it_began_counts() -> None:
    assert deploys_of(deploy(START + STEP)) == (deploy(START + STEP),)
    assert deploys_of(deploy(START + STEP + SECOND)) == ()


def test_a_deploy_of_another_service_is_not_shown() -> None:
    mine = deploy(START, "chat")

    assert deploys_of(deploy(START, "mail"), mine) == (mine,)


def test_what_no_slo_felt_is_listed_if_it_was_in_the_examined_time() -> None:
    explaining = record(START, END, "felt")
    in_part = record(END - SECOND, END + HOUR, "felt in part")
    missed = record(START - BEFORE, START - SECOND, "missed")
    before = record(START - 3 * BEFORE, START - 2 * BEFORE, "before")
    other_slo = record(START, END, "another SLO", slos=("b",))
    other_service = record(START, END, "another service", services=("rag",))
    records = [explaining, in_part, missed, before, other_slo, other_service]

    assert records_without_impact(
        records, {"chat": [impact("a")]}, Span(START - 2 * BEFORE, END)
    ) == (missed, other_slo)
