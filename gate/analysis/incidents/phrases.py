"""Sentences about incidents: which part burned, the common labels, the reliability."""

from collections.abc import Iterator, Mapping, Sequence
from math import isinf
from typing import Final

from gate import wording
from gate.analysis import why_unmeasured
from gate.analysis.incidents import SearchedSlo, ServiceIncidents
from gate.history.before_after import BeforeAfter, Difference
from gate.history.burned import FEWEST, Burned, FailureLabels, Standout
from gate.history.explanations import AnnotatedIncident
from gate.history.incident_shares import Drain
from gate.history.incidents import IncidentEnding
from gate.measure import Unmeasured
from gate.measure.cohorts import EventCounts
from gate.reporters.page import Fact
from gate.slo.quantities import format_duration
from gate.wording import describe_time

_MOST_NAMED: Final = 5
"""The maximum number of labels that are named if none stands out, or of incidents without a
record."""
_EXAMPLES: Final = 2
"""The maximum number of uncompared labels that are named."""


def burned_facts(slos: Sequence[SearchedSlo]) -> Iterator[Fact]:
    """Yield how much burned in incidents and how much outside, and the labels of the latter."""
    for slo in slos:
        if slo.burned is not None:
            parts = _parts(slo.burned) if slo.burned.bad else "nothing failed"
            yield "Failures", f"{slo.slo}: {parts}{_outside(slo, slo.burned)}"
    compared = [slo.labels for slo in slos if _enough(slo) and _was_compared(slo.labels)]
    texts = (_scope(labels) for labels in compared if isinstance(labels, FailureLabels))
    yield from (("Labels", text) for text in dict.fromkeys(texts))


def shared_texts(annotated: AnnotatedIncident, slos: Mapping[str, SearchedSlo]) -> Iterator[str]:
    """Yield the common labels of an incident's failures, by SLO."""
    shared = [
        (impact.slo, slos[impact.slo].standouts(impact.incident))
        for impact in annotated.incident.impacts
    ]
    texts = (
        f"{slo}: {_shares(standouts, 'its failures')}" for slo, standouts in shared if standouts
    )
    yield from dict.fromkeys(texts)


def unexplained_facts(service: ServiceIncidents) -> Iterator[Fact]:
    """Yield the incidents without an explaining record, and what to do about that."""
    names = [
        annotated.incident.id(service.policy.service)
        for annotated in service.annotated
        if not annotated.explained
    ]
    if names:
        more = f" and {len(names) - _MOST_NAMED:,} more" if len(names) > _MOST_NAMED else ""
        them = "it" if len(names) == 1 else "them"
        advice = f"write one, or extend one that covers too little of {them}"
        named = ", ".join(names[:_MOST_NAMED])
        yield "Unexplained", f"{named}{more}: no record explains {them}; {advice}"


def _parts(burned: Burned) -> str:
    """Say where the budget burned; the parts add up to all of it."""
    parts = [(burned.in_incidents, f"in {_count(burned.incidents, 'incident')}")]
    if burned.smaller:
        parts.append((burned.in_smaller, f"in {_count(burned.smaller, 'smaller incident')}"))
    parts.append((burned.chronic, "outside incidents"))
    parts = [(bad, where) for bad, where in parts if bad]
    if len(parts) == 1:
        return f"all {parts[0][1]}"
    return ", ".join(f"{_percent(burned.share(bad))} {where}" for bad, where in parts)


def _enough(slo: SearchedSlo) -> bool:
    """Return whether enough failed outside of incidents to ask for its labels."""
    return slo.burned is not None and slo.burned.chronic >= FEWEST


def _outside(slo: SearchedSlo, burned: Burned) -> str:
    """Name the labels of the failures outside of incidents."""
    labels = slo.labels
    if labels is None or not _enough(slo):
        return ""
    where = " outside incidents" if burned.chronic < burned.bad else ""
    if isinstance(labels, Unmeasured):
        return f"; their labels could not be compared: {why_unmeasured(labels)}"
    if labels.chronic:
        return f"; {_shares(labels.chronic, f'those{where}')}"
    if labels.compared:
        return f"; no label stands out{' there' if where else ''}"
    return "; no label has few enough values to compare"


def _was_compared(labels: FailureLabels | Unmeasured | None) -> bool:
    return isinstance(labels, FailureLabels) and bool(labels.compared or labels.left_out)


def _scope(labels: FailureLabels) -> str:
    """Name the compared labels, and the number of those with too many values."""
    compared, left_out = labels.compared, labels.left_out
    more = len(compared) - _MOST_NAMED
    named = ", ".join(compared[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
    texts = [f"compared {named}"] if compared else []
    if left_out:
        examples = f"{', '.join(list(left_out)[:_EXAMPLES])}{', ...' * (len(left_out) > _EXAMPLES)}"
        texts.append(
            f"not compared: {_count(len(left_out), 'label')} with too many values ({examples})"
        )
    return "; ".join(texts)


def _shares(standouts: Sequence[Standout], whose: str) -> str:
    return ", ".join(
        f"{_percent(standout.share)} {'' if place else f'of {whose} have '}{_value(standout)}"
        for place, standout in enumerate(standouts)
    )


def _value(standout: Standout) -> str:
    value = f"{standout.label} {standout.value}" if standout.value else f"no {standout.label}"
    if standout.traffic is None:
        return value
    return f"{value} (as do {_percent(standout.traffic)} of all events)"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'s' * (number != 1)}"


def _percent(share: float) -> str:
    return wording.rounded(wording.shown(share))


def reliability_facts(service: ServiceIncidents) -> Iterator[Fact]:
    """Yield how long incidents last, how long it is between them, and the consequence."""
    yield from _reliability(service)
    if service.drain is not None:
        yield "Advice", _meaning(service.drain)


def since_facts(service: ServiceIncidents) -> Iterator[Fact]:
    """Yield the changes with the named deploy."""
    since = service.since
    if since is None:
        return
    revisions = dict.fromkeys(other.revision for other in (since.deploy, *since.together))
    together = " together with ".join(revisions)
    what = f"deploy of {together} at {wording.instant(since.deploy.time)}"
    yield "Since", f"{what}, compared up to {wording.instant(since.until)} with as long before it"
    if not since.slos:
        yield (
            "Since",
            "too early: no whole step has passed since then, or none before it was examined",
        )
    yield from (("Since", f"{both.slo}: {_compared(both)}") for both in since.slos)


def _compared(both: BeforeAfter) -> str:
    counts = f"{_failed_share(both.since)} failed since, {_failed_share(both.before)} before"
    if both.difference is Difference.UNKNOWN:
        return f"{counts}; too few steps or failures yet to say whether that differs"
    low, high = both.interval
    bounds = f"95% interval {low:.2g} to {'any number' if isinf(high) else f'{high:.2g}'} times"
    if both.difference is Difference.ALIKE:
        return f"{counts}; the difference may be chance ({bounds} as often)"
    times = "" if both.ratio is None or isinf(both.ratio) else f"{both.ratio:.2g} times as often, "
    return f"{counts}; {both.difference}: {times}{bounds}"


def _failed_share(counts: EventCounts) -> str:
    total, bad = (wording.amount(wording.shown(number)) for number in counts)
    share = wording.rounded(wording.shown(counts.bad / counts.total if counts.total else 0.0))
    return f"{bad} of {total} ({share})"


def _reliability(service: ServiceIncidents) -> Iterator[Fact]:
    figures = service.reliability
    if figures.mttr is not None and figures.longest is not None:
        mean, longest = describe_time(figures.mttr), describe_time(figures.longest)
        endings = [annotated.incident.ending for annotated in service.annotated]
        ended = endings.count(IncidentEnding.CALM)
        only = "" if ended == figures.count else f", of the {ended} that were seen to end"
        yield "MTTR", f"{mean} on average from start to recovery, {longest} at most{only}"
    elif figures.count:
        yield "MTTR", "unknown, since no incident was seen to end"
    if figures.mtbf is not None:
        yield "MTBF", f"{describe_time(figures.mtbf)} on average without an incident"


def _meaning(drain: Drain) -> str:
    budget, time = f"of the {drain.slo} budget", describe_time(drain.observed)
    if drain.count == 1:
        return f"{_advice(drain)} (1 incident in {time} used {_share(drain.each)} {budget})"
    seen = f"{drain.count:,} incidents in {time} used on average {_share(drain.each)} {budget}"
    count = wording.amount(wording.shown(drain.per_window))
    pace = f"that is a rate of {count} per {format_duration(drain.window)}"
    return f"{_advice(drain)} ({seen} each; {pace}, {_share(drain.total)} together)"


def _advice(drain: Drain) -> str:
    if drain.often and drain.costly:
        return "incidents are frequent and costly: fewer and shorter ones would both help"
    if drain.often:
        return "incidents are frequent but small: look for what they have in common"
    if drain.costly:
        return "incidents are rare but costly: detect them sooner and roll back faster"
    return "incidents use little of the budget"


def _share(number: float) -> str:
    return wording.spent(wording.shown(number))
