"""How much of what burned lies in incidents, how much is chronic, and what the failures share."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from gate import wording
from gate.analysis import why_unmeasured
from gate.analysis.incidents import SearchedSlo, ServiceIncidents
from gate.history.burned import FEWEST, Burned, FailureLabels, Standout
from gate.history.explanations import AnnotatedIncident
from gate.measure import Unmeasured
from gate.reporters.page import Fact

_MOST_NAMED: Final = 5
"""Labels where none stands out, or incidents without a record: so many are named."""


def burned_facts(slo: SearchedSlo) -> Iterator[Fact]:
    """Yield how much lies in incidents and how much is chronic, and by which labels."""
    burned = slo.burned
    if burned is None:
        return
    if not burned.bad:
        yield "Burned", f"{slo.slo}: nothing failed"
        return
    yield "Burned", f"{slo.slo}: {_parts(burned)}"
    yield from (("Chronic", f"{slo.slo}: {text}") for text in _chronic(slo, burned))


def shared_texts(annotated: AnnotatedIncident, slos: Mapping[str, SearchedSlo]) -> Iterator[str]:
    """Yield what the failures of an incident share, by SLO."""
    for impact in annotated.incident.impacts:
        standouts = slos[impact.slo].standouts(impact.incident)
        if standouts:
            yield f"{impact.slo}: {_shares(standouts, 'its failures')}"


def unexplained_facts(service: ServiceIncidents) -> Iterator[Fact]:
    """Yield which incidents no record explains, and what to do about that."""
    names = [
        annotated.incident.id(service.policy.service)
        for annotated in service.annotated
        if not annotated.explained
    ]
    if names:
        more = f" and {len(names) - _MOST_NAMED:,} more" if len(names) > _MOST_NAMED else ""
        what = "no record explains it" if len(names) == 1 else "no records explain them"
        advice = "write one, or correct the one that covers too little"
        yield "Unexplained", f"{', '.join(names[:_MOST_NAMED])}{more}: {what}; {advice}"


def _parts(burned: Burned) -> str:
    """Say where it burned; the parts add up to all of it."""
    parts = [(burned.in_incidents, f"in {_count(burned.incidents, 'incident')}")]
    if burned.smaller:
        parts.append((burned.in_smaller, f"in {_count(burned.smaller, 'smaller incident')}"))
    parts.append((burned.chronic, "outside of incidents (chronic)"))
    parts = [(bad, where) for bad, where in parts if bad]
    if len(parts) == 1:
        return f"all failures {parts[0][1]}"
    shares = [f"{_percent(burned.share(bad))} {where}" for bad, where in parts]
    return f"of all failures {', '.join(shares)}"


def _chronic(slo: SearchedSlo, burned: Burned) -> Iterator[str]:
    labels = slo.labels
    if labels is None or burned.chronic < FEWEST:
        return
    if isinstance(labels, Unmeasured):
        yield f"which labels the failures have is not known: {why_unmeasured(labels)}"
        return
    if labels.chronic:
        yield _shares(labels.chronic, "the chronic failures")
    elif labels.compared:
        rest = len(labels.compared) - _MOST_NAMED
        more = f" and {rest} more" if rest > 0 else ""
        named = ", ".join(labels.compared[:_MOST_NAMED])
        yield f"the chronic failures are spread over the values of {named}{more}"
    else:
        yield "the events have no label with few values to tell the failures apart by"
    yield from _left_out(labels)


def _left_out(labels: FailureLabels) -> Iterator[str]:
    if labels.left_out:
        named = ", ".join(f"{label} ({count:,} values)" for label, count in labels.left_out.items())
        yield f"not compared, since they have too many values: {named}"


def _shares(standouts: Sequence[Standout], whose: str) -> str:
    return ", ".join(
        f"{_percent(standout.share)} {'' if place else f'of {whose} have '}{_value(standout)}"
        for place, standout in enumerate(standouts)
    )


def _value(standout: Standout) -> str:
    value = f"{standout.label} {standout.value}" if standout.value else f"no {standout.label}"
    if standout.traffic is None:
        return value
    return f"{value} ({_percent(standout.traffic)} of all events)"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'s' * (number != 1)}"


def _percent(share: float) -> str:
    return wording.rounded(wording.shown(share))
