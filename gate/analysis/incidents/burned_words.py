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
"""How many labels where none stands out, or incidents without a record, are named."""
_EXAMPLES: Final = 2
"""How many labels that were not compared are named."""


def burned_facts(slos: Sequence[SearchedSlo]) -> Iterator[Fact]:
    """Yield how much lies in incidents and how much outside, and which labels that has."""
    for slo in slos:
        if slo.burned is not None:
            parts = _parts(slo.burned) if slo.burned.bad else "nothing failed"
            yield "Failures", f"{slo.slo}: {parts}{_outside(slo, slo.burned)}"
    compared = [slo.labels for slo in slos if _enough(slo) and _was_compared(slo.labels)]
    texts = (_scope(labels) for labels in compared if isinstance(labels, FailureLabels))
    yield from (("Labels", text) for text in dict.fromkeys(texts))


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
        them = "it" if len(names) == 1 else "them"
        advice = f"write one, or extend one that covers too little of {them}"
        named = ", ".join(names[:_MOST_NAMED])
        yield "Unexplained", f"{named}{more}: no record explains {them}; {advice}"


def _parts(burned: Burned) -> str:
    """Say where it burned; the parts add up to all of it."""
    parts = [(burned.in_incidents, f"in {_count(burned.incidents, 'incident')}")]
    if burned.smaller:
        parts.append((burned.in_smaller, f"in {_count(burned.smaller, 'smaller incident')}"))
    parts.append((burned.chronic, "outside incidents"))
    parts = [(bad, where) for bad, where in parts if bad]
    if len(parts) == 1:
        return f"all {parts[0][1]}"
    return ", ".join(f"{_percent(burned.share(bad))} {where}" for bad, where in parts)


def _enough(slo: SearchedSlo) -> bool:
    """Return whether enough failed outside of incidents to ask which labels that has."""
    return slo.burned is not None and slo.burned.chronic >= FEWEST


def _outside(slo: SearchedSlo, burned: Burned) -> str:
    """Say which labels the failures outside of incidents have."""
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
    """Say which labels were compared, and how many have too many values for that."""
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
