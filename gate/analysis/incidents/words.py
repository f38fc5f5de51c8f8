"""What was found of incidents, in sentences and cells, and the page that they make."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial
from typing import Final, NamedTuple

from gate import wording
from gate.analysis import (
    left_out_facts,
    note_facts,
    question_page,
    reservation_facts,
    seen_badge,
    why_unmeasured,
)
from gate.analysis.incidents import (
    IncidentReport,
    SearchedSlo,
    ServiceIncidents,
)
from gate.analysis.incidents.burned_words import burned_facts, shared_texts, unexplained_facts
from gate.analysis.incidents.document import incidents_document
from gate.analysis.incidents.reliability_words import reliability_facts, since_facts
from gate.history.explanations import AnnotatedIncident
from gate.history.incidents import IncidentEnding
from gate.history.records import Deployment, IncidentRecord
from gate.history.service_incidents import SloImpact
from gate.policy.findings import Verdict
from gate.reporters import summary
from gate.reporters.page import (
    MUST,
    Badge,
    Cell,
    Column,
    DataTable,
    Fact,
    Facts,
    Output,
    Page,
    Section,
    said,
    tabulate,
)
from gate.slo.quantities import format_duration
from gate.wording import describe_time

UNEXPLAINED: Final = "unexplained"
_ENDINGS: Final = {
    IncidentEnding.CALM: "",
    IncidentEnding.OPEN: ", open",
    IncidentEnding.LOST: " or more",
}


def output(report: IncidentReport) -> Output:
    """Return the report as it is written in any format."""
    return Output(page=partial(page, report), document=partial(incidents_document, report))


def page(report: IncidentReport) -> Page:
    """Return the page on the incidents of every policy."""
    sections = ((incidents_section(service), service.source) for service in report.services)
    return question_page(sections, *without_impact_facts(report), _closing(report))


def incidents_section(service: ServiceIncidents) -> Section:
    """Return what was found under one policy."""
    return Section(
        title=service.policy.service,
        badge=incidents_badge(service),
        blocks=incidents_blocks(service),
    )


def incidents_blocks(service: ServiceIncidents) -> tuple[DataTable | Facts, ...]:
    """Return every incident, what is known of it, and what they come to."""
    facts = (
        *_explanations(service),
        *unexplained_facts(service),
        *since_facts(service),
        *_about(service),
    )
    burned = tuple(fact for slo in service.slos for fact in burned_facts(slo))
    return said(Facts(burned), tabulate(_rows(service), _COLUMNS), Facts(facts))


def without_impact_facts(report: IncidentReport) -> tuple[Facts, ...]:
    """Return the known incidents that no SLO felt, if there are any."""
    facts = tuple(("Not felt", _record(record)) for record in report.without_impact)
    return (Facts(facts),) if facts else ()


class IncidentRow(NamedTuple):
    """What an incident of the service did to one SLO."""

    number: int
    """Of the incident, from 1, as pictures have it."""
    id: str
    """Of the incident."""
    first: bool
    """Whether it is the first row of the incident."""
    impact: SloImpact
    annotated: AnnotatedIncident


def _rows(service: ServiceIncidents) -> list[IncidentRow]:
    return [
        IncidentRow(
            number,
            annotated.incident.id(service.policy.service),
            impact is annotated.incident.impacts[0],
            impact,
            annotated,
        )
        for number, annotated in enumerate(service.annotated, start=1)
        for impact in annotated.incident.impacts
    ]


def incidents_badge(service: ServiceIncidents) -> Badge:
    """Return how bad it is, and in capitals what was found."""
    return seen_badge(_findings_badge(service), [slo.reservations for slo in service.slos])


def _findings_badge(service: ServiceIncidents) -> Badge:
    count = service.reliability.count
    if count:
        unexplained = sum(not annotated.explained for annotated in service.annotated)
        word = f"{count} INCIDENT{'S' * (count > 1)}"
        if unexplained:
            return Badge(Verdict.BLOCK, f"{word}, {unexplained} UNEXPLAINED")
        return Badge(Verdict.WARN, word)
    lost = sum(slo.unmeasured is not None for slo in service.slos)
    if lost == len(service.slos):
        return Badge(Verdict.UNDECIDED, "NOT MEASURED")
    if lost:
        return Badge(Verdict.UNDECIDED, f"NONE SEEN, {lost} NOT MEASURED")
    small = any(slo.smaller for slo in service.slos)
    return Badge(Verdict.ALLOW, "NO INCIDENTS BUT SMALL ONES" if small else "NO INCIDENTS")


def _about(service: ServiceIncidents) -> Iterator[Fact]:
    yield from reliability_facts(service)
    yield from (("Smaller", _smaller(slo)) for slo in service.slos if slo.smaller)
    for slo in service.slos:
        yield from _trust(slo)
    yield from left_out_facts(service.left_out)


def _explanations(service: ServiceIncidents) -> Iterator[Fact]:
    slos = service.by_name
    for annotated in service.annotated:
        name = annotated.incident.id(service.policy.service)
        for text in (*_explanation(annotated), *shared_texts(annotated, slos)):
            yield name, text


def _closing(report: IncidentReport) -> Facts:
    span, step = report.span, format_duration(report.step)
    how = f"in steps of {step}, for burn rates of {wording.exact(report.threshold)} or more"
    looked_at = f"{wording.minute(span.start)} to {wording.instant(span.end)}, {how}"
    return summary.signature(span.end, report.tool_version, ("Looked at", looked_at))


def _explanation(annotated: AnnotatedIncident) -> Iterator[str]:
    yield from (_record(record) for record in annotated.records)
    yield from (_insufficient(record, annotated) for record in annotated.insufficient)
    for record in annotated.unreadable:
        yield f"a record that may explain it cannot be read: {record.first}; correct it"
    for impact in annotated.incident.impacts:
        if impact.incident.unknown:
            yield f"{impact.slo}: {describe_time(impact.incident.unknown)} of it has no data"
    yield from (_deploy(deploy, annotated.incident.start) for deploy in annotated.deploys)


def _smaller(slo: SearchedSlo) -> str:
    count, together = len(slo.smaller), sum(impact.share for impact in slo.smaller)
    costs = f"{_share(together)} of its budget together"
    return f"{slo.slo}: {count:,} more, {costs}, each below the least share"


def _trust(slo: SearchedSlo) -> Iterator[Fact]:
    if slo.unmeasured is not None:
        yield "Not measured", f"{slo.slo}: {why_unmeasured(slo.unmeasured)}"
    elif slo.unknown:
        share = wording.spent(slo.unknown)
        yield "Unknown", f"{slo.slo}: {share} of the time has no data; neither calm nor incident"
    yield from reservation_facts(slo.slo, slo.reservations)
    yield from note_facts(slo.slo, slo.notes)


def _record(record: IncidentRecord) -> str:
    until = f"to {wording.instant(record.end)}" if record.end else "UTC on"
    parts = [f"{record.id} {record.title}"]
    parts.append(f"{record.status}, {wording.minute(record.start)} {until}")
    return "; ".join([*parts, *filter(None, [record.cause, record.link])])


def _insufficient(record: IncidentRecord, annotated: AnnotatedIncident) -> str:
    shares = [
        f"{wording.percent_left(explanation.share)} of the bad events of {slo}"
        for slo, explanation in annotated.explanations.items()
        if record in explanation.records
    ]
    advice = "it takes half of them to explain the incident; correct its start and end"
    return f"{record.id} {record.title}; covers {' and '.join(shares)}; {advice}"


def _deploy(deploy: Deployment, start: datetime) -> str:
    kind = f" ({deploy.change})" if deploy.change else ""
    before = start - deploy.time
    when = f"{describe_time(before)} before" if before > timedelta() else "as it began"
    return f"deploy of {deploy.revision}{kind} {when}, at {wording.instant(deploy.time)}"


def _share(number: float) -> str:
    return wording.spent(wording.shown(number))


def _number(row: IncidentRow) -> str:
    return f"#{row.number}" if row.first else ""


def _id(row: IncidentRow) -> str:
    return row.id if row.first else ""


def _amount(number: float) -> str:
    return wording.amount(wording.shown(number))


def _bad(row: IncidentRow) -> str:
    """Write the bad events; what the members of a composite count cannot be added up."""
    return wording.NOTHING if row.impact.parts else _amount(row.impact.incident.bad)


def _burn(rate: float) -> str:
    return wording.burn(wording.shown(rate))


def _start(row: IncidentRow) -> str:
    return wording.minute(row.impact.incident.start)


def _end(row: IncidentRow) -> str:
    incident = row.impact.incident
    return "open" if incident.ending is IncidentEnding.OPEN else wording.minute(incident.end)


def _lasted(row: IncidentRow) -> str:
    incident = row.impact.incident
    return f"{describe_time(incident.duration)}{_ENDINGS[incident.ending]}"


def _records(row: IncidentRow) -> Cell:
    explanation = row.annotated.explanations[row.impact.slo]
    if not explanation.explained:
        return Cell(text=UNEXPLAINED, tone=Verdict.BLOCK)
    return Cell(text=", ".join(record.id for record in explanation.records))


_COLUMNS: Final[tuple[Column[IncidentRow], ...]] = (
    Column(title="#", cell=_number, right=False, keep=1),
    Column(title="Incident", cell=_id, right=False, keep=MUST),
    Column(title="SLO", cell=lambda row: row.impact.slo, right=False, keep=MUST, share=4),
    Column(title="Start, UTC", cell=_start, right=False, keep=6),
    Column(title="End, UTC", cell=_end, right=False, keep=3),
    Column(title="Lasted", cell=_lasted, keep=MUST),
    Column(title="Bad", cell=_bad, keep=4),
    Column(title="Of budget", cell=lambda row: _share(row.impact.share), keep=8),
    Column(title="Peak burn", cell=lambda row: _burn(row.impact.incident.peak), keep=5),
    Column(title="Known as", cell=_records, right=False, keep=MUST, share=5),
)
"""In the order of reading."""
