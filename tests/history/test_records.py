"""Known incidents and deploys, put to what was found."""

from datetime import UTC, datetime, timedelta

from gate.history.incidents import Incident, IncidentEnding
from gate.history.records import (
    BEFORE,
    Deployment,
    IncidentRecord,
    RecordStatus,
    annotate,
    records_without_impact,
)
from gate.history.service_incidents import ServiceIncident, SloImpact
from gate.slo.objective import Span

START = datetime(2026, 11, 1, 12, tzinfo=UTC)
END = START + timedelta(minutes=30)
STEP = timedelta(minutes=5)
SECOND = timedelta(seconds=1)
EPISODE = ServiceIncident(
    impacts=(
        SloImpact(
            slo="a",
            share=0.5,
            incident=Incident(
                start=START, end=END, ending=IncidentEnding.CALM, bad=1, peak=9, unknown=timedelta()
            ),
        ),
    )
)


def record(start: datetime, end: datetime | None, name: str = "INC-1") -> IncidentRecord:
    return IncidentRecord(id=name, title="t", start=start, end=end, status=RecordStatus.OPEN)


def deploy(time: datetime, service: str | None = None) -> Deployment:
    return Deployment(time=time, revision=str(time), service=service)


def records_of(*records: IncidentRecord) -> tuple[IncidentRecord, ...]:
    return annotate(EPISODE, records, (), service="chat", step=STEP).records


def deploys_of(*deploys: Deployment) -> tuple[Deployment, ...]:
    return annotate(EPISODE, (), deploys, service="chat", step=STEP).deploys


def test_a_record_explains_what_it_overlaps() -> None:
    overlapping = [
        record(START - BEFORE, START + SECOND),
        record(END - SECOND, END + BEFORE),
        record(START + SECOND, None),
    ]
    beside = [record(START - BEFORE, START), record(END, END + BEFORE), record(END, None)]

    assert records_of(*overlapping, *beside) == tuple(overlapping)


def test_deploys_shortly_before_are_shown_the_oldest_first() -> None:
    late, early = deploy(START - SECOND), deploy(START - BEFORE)

    assert deploys_of(late, early, deploy(START - BEFORE - SECOND)) == (early, late)


def test_a_deploy_within_the_step_in_which_it_began_counts() -> None:
    assert deploys_of(deploy(START + STEP)) == (deploy(START + STEP),)
    assert deploys_of(deploy(START + STEP + SECOND)) == ()


def test_a_deploy_of_another_service_is_not_shown() -> None:
    mine = deploy(START, "chat")

    assert deploys_of(deploy(START, "mail"), mine) == (mine,)


def test_what_no_slo_felt_is_told_if_it_was_in_the_time_looked_at() -> None:
    explaining = record(START, END, "felt")
    missed = record(START - BEFORE, START - SECOND, "missed")
    before = record(START - 3 * BEFORE, START - 2 * BEFORE, "before")
    known = [explaining, missed, before]
    found = annotate(EPISODE, known, (), service="chat", step=STEP)

    assert records_without_impact(known, [found], Span(START - 2 * BEFORE, END)) == (missed,)
