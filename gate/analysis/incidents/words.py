"""What was found of incidents, in words and cells that are not yet escaped for any format."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from gate import wording
from gate.analysis.incidents.result import IncidentReport, LookedAt, ServiceIncidents
from gate.history.incidents import IncidentEnding
from gate.history.records import AnnotatedIncident, Deployment, IncidentRecord
from gate.history.service_incidents import Drain, SloImpact
from gate.policy.findings import Verdict
from gate.reporters import summary
from gate.reporters.budgets import cause
from gate.reporters.column import MUST, Column
from gate.reporters.details import Fact
from gate.slo.quantities import format_duration
from gate.wording import describe_time

UNEXPLAINED: Final = "unexplained"


_ENDINGS: Final = {
    IncidentEnding.CALM: "",
    IncidentEnding.OPEN: ", open",
    IncidentEnding.LOST: " or more",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentRow:
    """What one SLO felt of an episode."""

    number: int
    """Of the episode, from 1."""
    first: bool
    """Whether it is the episode's first row."""
    felt: SloImpact
    explained: AnnotatedIncident


def rows(service: ServiceIncidents) -> list[IncidentRow]:
    """Return a row for each SLO of each episode, in order."""
    return [
        IncidentRow(
            number=number, first=felt is explained.episode.felt[0], felt=felt, explained=explained
        )
        for number, explained in enumerate(service.explained, start=1)
        for felt in explained.episode.felt
    ]


def verdict(service: ServiceIncidents) -> tuple[Verdict, str]:
    """Return how bad it is, for signs and colours, and in capitals what was found."""
    count = service.reliability.count
    if count:
        unexplained = _unexplained(service)
        word = f"{count} INCIDENT{'S' * (count > 1)}"
        if unexplained:
            return Verdict.BLOCK, f"{word}, {unexplained} UNEXPLAINED"
        return Verdict.WARN, word
    lost = sum(one.unmeasured is not None for one in service.slos)
    if lost == len(service.slos):
        return Verdict.UNDECIDED, "NOT MEASURED"
    if lost:
        return Verdict.UNDECIDED, f"NONE SEEN, {lost} NOT MEASURED"
    if any(one.unknown for one in service.slos):
        return Verdict.WARN, "NONE SEEN"
    small = any(one.smaller for one in service.slos)
    return Verdict.ALLOW, "NO INCIDENTS BUT SMALL ONES" if small else "NO INCIDENTS"


def about(service: ServiceIncidents) -> Iterator[Fact]:
    """Yield how often, how long, what that means, and what is not known."""
    yield from _reliability(service)
    if service.drain is not None:
        yield "Means", _meaning(service.drain)
    yield from (("Smaller", _smaller(one)) for one in service.slos if one.smaller)
    for one in service.slos:
        yield from _trust(one)
    yield from (("Left out", f"{slo}: {reason}") for slo, reason in service.left_out)


def explanations(service: ServiceIncidents) -> list[Fact]:
    """Return what the table has no room for: what is known of each, what is not, and deploys."""
    return [
        (f"Incident {number}", text)
        for number, explained in enumerate(service.explained, start=1)
        for text in _explanation(explained)
    ]


def unfelt(report: IncidentReport) -> list[Fact]:
    """Return the known incidents that no SLO felt."""
    return [("Not felt", _record(one)) for one in report.unfelt]


def closing(report: IncidentReport) -> Iterator[Fact]:
    """Yield what was looked at, when and by what."""
    span = report.span
    yield "Looked at", f"{_minute(span.start)} to {_minute(span.end)} UTC, {_how(report)}"
    yield "Evaluated", wording.exact_instant(span.end)
    yield "By", f"gate {report.tool_version}"


def origin(service: ServiceIncidents) -> list[Fact]:
    """Return which text of the policy was read."""
    return [("Policy", summary.provenance(service.source))]


def _explanation(explained: AnnotatedIncident) -> Iterator[str]:
    yield from (_record(one) for one in explained.records)
    for felt in explained.episode.felt:
        if felt.incident.unknown:
            yield f"{felt.slo}: {describe_time(felt.incident.unknown)} of it has no data"
    yield from (_deploy(one, explained.episode.start) for one in explained.deploys)


def _how(report: IncidentReport) -> str:
    step = format_duration(report.step)
    return f"in steps of {step}, for burn rates of {wording.exact(report.threshold)} or more"


def _unexplained(service: ServiceIncidents) -> int:
    return sum(not one.records for one in service.explained)


def _reliability(service: ServiceIncidents) -> Iterator[Fact]:
    figures = service.reliability
    if figures.mttr is not None and figures.longest is not None:
        mean, longest = describe_time(figures.mttr), describe_time(figures.longest)
        ended = sum(one.episode.ending is IncidentEnding.CALM for one in service.explained)
        only = "" if ended == figures.count else f", of the {ended} that were seen to end"
        yield "MTTR", f"{mean} to recover in the mean, {longest} at the longest{only}"
    elif figures.count:
        yield "MTTR", "not known: no incident was seen to end"
    if figures.mtbf is not None:
        yield "MTBF", f"{describe_time(figures.mtbf)} between failures in the mean"


def _smaller(one: LookedAt) -> str:
    count, together = len(one.smaller), sum(felt.share for felt in one.smaller)
    return f"{one.slo}: {count:,} more, {_share(together)} of its budget together; see --min-share"


def _meaning(drain: Drain) -> str:
    """Say what the figures imply for the budget."""
    count = wording.amount(wording.shown(drain.per_window))
    pace = f"{count} incident{'' if count == '1' else 's'} in {format_duration(drain.window)}"
    costs = f"{_share(drain.each)} of the budget of {drain.slo} each"
    return f"at this pace {pace}, {costs}, {_share(drain.total)} in all: {_advice(drain)}"


def _advice(drain: Drain) -> str:
    if drain.often and drain.costly:
        return "a low MTBF drains it often and a high MTTR long; it needs both fewer and shorter"
    if drain.often:
        return "a low MTBF drains it often; fewer incidents save more than shorter ones"
    if drain.costly:
        return "a high MTTR drains it long; quicker recovery saves more than fewer incidents"
    return "neither how often nor how long they are drains it much"


def _trust(one: LookedAt) -> Iterator[Fact]:
    if one.unmeasured is not None:
        yield "Not measured", f"{one.slo}: {cause(one.unmeasured.cause)}: {one.unmeasured.reason}"
    elif one.unknown:
        share = wording.spent(one.unknown)
        yield "Unknown", f"{one.slo}: {share} of the time has no data; neither calm nor incident"
    yield from (("Note", f"{one.slo}: {note}") for note in one.notes)


def _record(one: IncidentRecord) -> str:
    until = f"to {_minute(one.end)} UTC" if one.end else "UTC on"
    parts = [f"{one.id} {one.title}", f"{one.status}, {_minute(one.start)} {until}"]
    return "; ".join([*parts, *filter(None, [one.cause, one.link])])


def _deploy(one: Deployment, start: datetime) -> str:
    kind = f" ({one.change})" if one.change else ""
    before = start - one.time
    when = f"{describe_time(before)} before" if before > timedelta() else "as it began"
    return f"deploy of {one.revision}{kind} {when}, at {wording.instant(one.time)}"


def _minute(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M}"


def _share(number: float) -> str:
    return wording.spent(wording.shown(number))


def _number(row: IncidentRow) -> str:
    return f"#{row.number}" if row.first else ""


def _end(row: IncidentRow) -> str:
    one = row.felt.incident
    return "open" if one.ending is IncidentEnding.OPEN else _minute(one.end)


def _lasted(row: IncidentRow) -> str:
    one = row.felt.incident
    return f"{describe_time(one.duration)}{_ENDINGS[one.ending]}"


def _known(row: IncidentRow) -> str:
    names: Sequence[str] = [one.id for one in row.explained.records]
    return (", ".join(names) or UNEXPLAINED) if row.first else ""


KNOWN: Final[Column[IncidentRow]] = Column(
    title="Known as", cell=_known, right=False, keep=MUST, share=5
)


COLUMNS: Final[tuple[Column[IncidentRow], ...]] = (
    Column(title="#", cell=_number, right=False, keep=MUST),
    Column(title="SLO", cell=lambda row: row.felt.slo, right=False, keep=MUST, share=4),
    Column(
        title="Start, UTC", cell=lambda row: _minute(row.felt.incident.start), right=False, keep=8
    ),
    Column(title="End, UTC", cell=_end, right=False, keep=3),
    Column(title="Lasted", cell=_lasted, keep=MUST),
    Column(
        title="Bad", cell=lambda row: wording.amount(wording.shown(row.felt.incident.bad)), keep=4
    ),
    Column(title="Of budget", cell=lambda row: _share(row.felt.share), keep=7),
    Column(
        title="Peak burn",
        cell=lambda row: wording.burn(wording.shown(row.felt.incident.peak)),
        keep=5,
    ),
    KNOWN,
)
"""In the order of reading."""
