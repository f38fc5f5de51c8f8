"""What was found of incidents, in sentences and cells, and the page that they make."""

from collections.abc import Iterator
from dataclasses import replace
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
from gate.analysis.incidents.merged import Episode, episodes
from gate.analysis.incidents.reliability_words import reliability_facts, since_facts
from gate.history.explanations import AnnotatedIncident
from gate.history.incident_shares import SPENDING
from gate.history.incidents import WINDOW, IncidentEnding
from gate.history.records import Deployment, IncidentRecord
from gate.history.service_incidents import SloImpact
from gate.policy.findings import Verdict
from gate.reporters import summary
from gate.reporters.outlook import doctor_steps
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
    Paragraph,
    Section,
    said,
    tabulate,
)
from gate.slo.objective import RatioSlo, SpendSlo
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
    sections = ((incidents_section(service), service) for service in report.services)
    return question_page(
        sections,
        *without_impact_facts(report),
        _closing(report),
        *doctor_steps(
            (service.source, replace(report, services=(service,)).exit_code)
            for service in report.services
        ),
    )


def incidents_section(service: ServiceIncidents) -> Section:
    """Return what was found under one policy."""
    return Section(
        title=service.policy.service,
        badge=incidents_badge(service),
        blocks=(*_answer(service), *incidents_blocks(service)),
    )


def _answer(service: ServiceIncidents) -> Iterator[Paragraph]:
    sentence = incidents_answer(service)
    if sentence is not None:
        yield Paragraph(sentence)


def incidents_blocks(service: ServiceIncidents) -> tuple[DataTable | Facts, ...]:
    """Return every incident, what is known of it, and what they come to."""
    facts = (
        *_explanations(service),
        *unexplained_facts(service),
        *since_facts(service),
        *_about(service),
    )
    low = tuple(
        ("Low traffic", f"{slo.slo}: {slo.low_traffic}") for slo in service.slos if slo.low_traffic
    )
    burned = Facts((*low, *burned_facts(service.slos)))
    return said(burned, tabulate(_rows(service), _columns(service)), Facts(facts))


def without_impact_facts(report: IncidentReport) -> tuple[Facts, ...]:
    """Return the known incidents that no SLO felt, if there are any."""
    facts = tuple(("Not felt", _record(record)) for record in report.without_impact)
    return (Facts(facts),) if facts else ()


class IncidentRow(NamedTuple):
    """What an incident of the service did to one SLO."""

    episode: Episode
    id: str
    """The id of the incident, or of the costliest of several with one cause."""
    first: bool
    """Whether it is the first row of the incident."""
    impact: SloImpact


def _rows(service: ServiceIncidents) -> list[IncidentRow]:
    name = service.policy.service
    return [
        IncidentRow(episode, episode.costliest.incident.id(name), not place, impact)
        for episode in episodes(service)
        for place, impact in enumerate(episode.impacts)
    ]


def incidents_answer(service: ServiceIncidents) -> str | None:
    """Say which incident cost the most; None where there is none."""
    impacts = [impact for episode in episodes(service) for impact in episode.impacts]
    if not impacts:
        return None
    worst = max(impacts, key=lambda impact: impact.share)
    used = f"{_share(worst.share)} of the {worst.slo} budget"
    return f"The costliest used {used}, from {wording.instant(worst.incident.start)}."


def incidents_badge(service: ServiceIncidents) -> Badge:
    """Return how bad it is, and in capitals what was found."""
    return seen_badge(_findings_badge(service), [slo.reservations for slo in service.slos])


def _findings_badge(service: ServiceIncidents) -> Badge:
    count = service.reliability.count
    if count:
        unexplained = sum(not annotated.explained for annotated in service.annotated)
        word = f"{count} INCIDENT{'S' * (count > 1)}"
        causes = len(episodes(service))
        if causes < count:
            word = f"{word} OF {causes} CAUSE{'S' * (causes > 1)}"
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
    costs = f"{_share(together)} of its budget{' together' * (count > 1)}"
    listed = "are not listed" if count > 1 else "is not listed"
    return f"{slo.slo}: {count:,} smaller incident{'s' * (count > 1)}, {costs}, {listed}"


def _trust(slo: SearchedSlo) -> Iterator[Fact]:
    if slo.unmeasured is not None:
        yield "Not measured", f"{slo.slo}: {why_unmeasured(slo.unmeasured)}"
    elif slo.unknown:
        share = wording.spent(slo.unknown)
        yield "Unknown", f"{slo.slo}: {share} of the time has no data, so incidents may be missing"
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
    advice = "a record must cover half of them to explain the incident; correct its start and end"
    return f"{record.id} {record.title}; covers {' and '.join(shares)}; {advice}"


def _deploy(deploy: Deployment, start: datetime) -> str:
    kind = f" ({deploy.change})" if deploy.change else ""
    before = start - deploy.time
    when = f"{describe_time(before)} before" if before > timedelta() else "as it began"
    return f"deploy of {deploy.revision}{kind} {when}, at {wording.instant(deploy.time)}"


def _share(number: float) -> str:
    return wording.spent(wording.shown(number))


def _number(row: IncidentRow) -> str:
    if not row.first:
        return ""
    first, *others = row.episode.numbers
    if others and others[-1] - first == len(others):
        return f"#{first}-{others[-1]}"
    return f"#{', #'.join(map(str, row.episode.numbers))}"


def _id(row: IncidentRow) -> str:
    if not row.first:
        return ""
    more = len(row.episode.parts) - 1
    return f"{row.id} and {more} more" if more else row.id


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
    parts = len(row.episode.parts)
    several = f" in {parts} parts" if parts > 1 else ""
    return f"{describe_time(incident.duration)}{_ENDINGS[incident.ending]}{several}"


def _records(row: IncidentRow) -> Cell:
    explanations = [part.explanations[row.impact.slo] for part in row.episode.parts]
    if not all(explanation.explained for explanation in explanations):
        return Cell(text=UNEXPLAINED, tone=Verdict.BLOCK)
    names = (record.id for explanation in explanations for record in explanation.records)
    return Cell(text=", ".join(dict.fromkeys(names)))


def _window(service: ServiceIncidents, slo: str) -> str:
    """Say over what the burn rate of an SLO is taken when incidents are looked for."""
    looked_at = {other.name: other for other in service.policy.slos}.get(slo)
    if isinstance(looked_at, RatioSlo) and looked_at.sampled is not None:
        return "samples"
    return format_duration(SPENDING if isinstance(looked_at, SpendSlo) else WINDOW)


def _columns(service: ServiceIncidents) -> tuple[Column[IncidentRow], ...]:
    """Return the columns in the order of reading; peaks are named by what they are taken over."""
    windows = {
        impact.slo: _window(service, impact.slo)
        for annotated in service.annotated
        for impact in annotated.incident.impacts
    }
    over = set(windows.values())

    def peak(row: IncidentRow) -> str:
        window = f" ({windows[row.impact.slo]})" if len(over) > 1 else ""
        return f"{_burn(row.impact.incident.peak)}{window}"

    window = f" {next(iter(over))}" if len(over) == 1 else ""
    return (
        Column(title="#", cell=_number, right=False, keep=1),
        Column(title="Incident", cell=_id, right=False, keep=MUST),
        Column(title="SLO", cell=lambda row: row.impact.slo, right=False, keep=MUST, share=4),
        Column(title="Start, UTC", cell=_start, right=False, keep=6),
        Column(title="End, UTC", cell=_end, right=False, keep=3),
        Column(title="Lasted", cell=_lasted, keep=MUST),
        Column(title="Bad", cell=_bad, keep=4),
        Column(title="Budget used", cell=lambda row: _share(row.impact.share), keep=8),
        Column(title=f"Peak burn{window}", cell=peak, keep=5),
        Column(title="Explained by", cell=_records, right=False, keep=MUST, share=5),
    )
