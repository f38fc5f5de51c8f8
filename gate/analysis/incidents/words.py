"""The report of incidents: sentences, cells and the page."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial

from gate import wording
from gate.analysis import (
    examinations,
    left_out_facts,
    note_facts,
    question_page,
    reservation_facts,
    seen_badge,
    why_unmeasured,
)
from gate.analysis.incidents import IncidentReport, SearchedSlo, ServiceIncidents
from gate.analysis.incidents.document import incidents_document
from gate.analysis.incidents.phrases import (
    burned_facts,
    reliability_facts,
    shared_texts,
    since_facts,
    unexplained_facts,
)
from gate.analysis.incidents.table import budget_used, episodes, incident_columns, incident_rows
from gate.history.explanations import AnnotatedIncident
from gate.history.records import Deployment, IncidentRecord
from gate.policy.findings import Verdict
from gate.reporters import summary
from gate.reporters.page import (
    Badge,
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
from gate.slo.quantities import format_duration
from gate.wording import describe_time


def output(report: IncidentReport) -> Output:
    """Return the report in the form that every format is written from."""
    return Output(page=partial(page, report), document=partial(incidents_document, report))


def page(report: IncidentReport) -> Page:
    """Return the page on the incidents of every policy."""
    sections = ((incidents_section(service), service) for service in report.services)
    return question_page(
        sections,
        *without_impact_facts(report),
        _closing(report),
        *examinations(report),
    )


def incidents_section(service: ServiceIncidents) -> Section:
    """Return the results for one policy."""
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
    """Return every incident, the known facts about it, and the totals."""
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
    return said(burned, tabulate(incident_rows(service), incident_columns(service)), Facts(facts))


def without_impact_facts(report: IncidentReport) -> tuple[Facts, ...]:
    """Return the known incidents without impact on an SLO, if there are any."""
    facts = tuple(("Not felt", _record(record)) for record in report.without_impact)
    return (Facts(facts),) if facts else ()


def incidents_answer(service: ServiceIncidents) -> str | None:
    """Name the incident that cost the most; None without incidents."""
    impacts = [impact for episode in episodes(service) for impact in episode.impacts]
    if not impacts:
        return None
    worst = max(impacts, key=lambda impact: impact.share)
    used = f"{budget_used(worst.share)} of the {worst.slo} budget"
    return f"The costliest used {used}, from {wording.instant(worst.incident.start)}."


def incidents_badge(service: ServiceIncidents) -> Badge:
    """Return the severity, and the result as a word in capitals."""
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
    return summary.signature(span.end, report.tool_version, ("Examined", looked_at))


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
    costs = f"{budget_used(together)} of its budget{' together' * (count > 1)}"
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
        for (slo, _), explanation in annotated.explanations.items()
        if record in explanation.records
    ]
    advice = "a record must cover half of them to explain the incident; correct its start and end"
    return f"{record.id} {record.title}; covers {' and '.join(shares)}; {advice}"


def _deploy(deploy: Deployment, start: datetime) -> str:
    kind = f" ({deploy.change})" if deploy.change else ""
    before = start - deploy.time
    when = f"{describe_time(before)} before" if before > timedelta() else "as it began"
    return f"deploy of {deploy.revision}{kind} {when}, at {wording.instant(deploy.time)}"
