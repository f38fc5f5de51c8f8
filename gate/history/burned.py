"""The bad events in incidents, the chronic ones, and the labels that the failures share."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

from gate.dataclass import dataclass
from gate.history.incidents import Incident
from gate.measure.cohorts import EventCounts, LabelCounts
from gate.measure.history import Series, SeriesRequest
from gate.slo.objective import Span

FEWEST: Final = 20
"""The fewest bad events from which a share is computed."""
MOST_SPANS: Final = 30
"""The most incidents of an SLO whose labels are queried: those with the most failures."""
_MOST_SHOWN: Final = 3
_CONCENTRATED: Final = 0.5
"""The least share of the failures that a value of a label must have to stand out."""
_EXCESS: Final = 0.2
"""The least difference between this and the value's share of all events."""
_ALL: Final = 0.999


@dataclass(frozen=True, slots=True, kw_only=True)
class Burned:
    """The bad events of an SLO in a stretch of time, each in exactly one of three parts."""

    bad: float
    in_incidents: float
    in_smaller: float
    """The events in incidents that cost too little to be shown."""
    incidents: int
    smaller: int

    @property
    def chronic(self) -> float:
        """The events outside of all incidents: permanent failures below their threshold."""
        return self.bad - self.in_incidents - self.in_smaller

    def share(self, bad: float) -> float:
        """Return a part's share of all bad events, 0 to 1; 0 without bad events."""
        return bad / self.bad if self.bad else 0.0


def burned(
    series: Series,
    request: SeriesRequest,
    span: Span,
    incidents: Sequence[Incident],
    smaller: Sequence[Incident],
) -> Burned:
    """Divide the bad events into the three parts.

    Args:
        series: the bad events by step.
        request: the request that the series answers.
        span: the examined time; steps that end after its start belong to it.
        incidents: the incidents that are shown; no two incidents overlap.
        smaller: the incidents that are not shown.
    """

    def within(stretches: Iterable[Incident]) -> float:
        return sum(
            bad
            for start, end, bad in steps
            if any(stretch.start < end and start < stretch.end for stretch in stretches)
        )

    steps = [
        (request.end_of(place - 1), request.end_of(place), bad)
        for place, bad in enumerate(series.bad)
        if bad and request.end_of(place) > span.start
    ]
    return Burned(
        bad=sum(bad for _, _, bad in steps),
        in_incidents=within(incidents),
        in_smaller=within(smaller),
        incidents=len(incidents),
        smaller=len(smaller),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Standout:
    """A value of a label in which failures are concentrated."""

    label: str
    value: str
    """The value; empty: the events lack the label."""
    share: float
    """The share of the failures, above 0, at most 1."""
    traffic: float | None
    """The share of all events, 0 to 1; None: unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureLabels:
    """The labels that the failures of an SLO share."""

    chronic: tuple[Standout, ...]
    """The values of the failures outside of incidents, the clearest first."""
    incidents: Mapping[datetime, tuple[Standout, ...]]
    """The values of each queried incident, by the start of the incident."""
    compared: tuple[str, ...]
    """The labels that were compared."""
    left_out: Mapping[str, int]
    """The labels with too many values, and how many values each has."""


def spans_of(span: Span, incidents: Sequence[Incident]) -> tuple[Span, ...]:
    """Return the stretches to query: the whole time, then each of the gravest incidents."""
    return (span, *(Span(incident.start, incident.end) for incident in gravest(incidents)))


def gravest(incidents: Sequence[Incident]) -> list[Incident]:
    """Return the incidents with the most failures, at most `MOST_SPANS`."""
    return sorted(incidents, key=lambda incident: -incident.bad)[:MOST_SPANS]


def failure_labels(
    counts: LabelCounts, incidents: Sequence[Incident], *, chronic: float
) -> FailureLabels:
    """Return the values that stand out.

    Args:
        counts: the counts of `spans_of`.
        incidents: the incidents given to `spans_of`.
        chronic: the number of failures outside of all incidents.
    """
    chosen = gravest(incidents)
    outside = {
        label: {value: _outside(parts) for value, parts in values.items()}
        for label, values in counts.labels.items()
    }
    return FailureLabels(
        chronic=_standouts(counts, outside) if chronic >= FEWEST else (),
        incidents={
            incident.start: _standouts(
                counts,
                {
                    label: {value: parts[place] for value, parts in values.items()}
                    for label, values in counts.labels.items()
                },
            )
            for place, incident in enumerate(chosen, start=1)
        },
        compared=tuple(counts.labels),
        left_out=counts.left_out,
    )


def _outside(parts: Sequence[EventCounts]) -> EventCounts:
    """Return the counts of the whole time minus those of the incidents; at least 0."""
    whole, *incidents = parts
    return EventCounts(
        max(whole.total - sum(part.total for part in incidents), 0.0),
        max(whole.bad - sum(part.bad for part in incidents), 0.0),
    )


def _standouts(
    counts: LabelCounts, part: Mapping[str, Mapping[str, EventCounts]]
) -> tuple[Standout, ...]:
    """Return the values in which the failures of a part of the time are concentrated."""
    standouts = dict[tuple[EventCounts, ...], Standout]()
    for label, values in part.items():
        bad = sum(count.bad for count in values.values())
        total = sum(count.total for count in values.values())
        if bad < FEWEST:
            continue
        value, count = max(values.items(), key=lambda pair: pair[1].bad)
        share, traffic = count.bad / bad, count.total / total if total else None
        if (
            share >= _CONCENTRATED
            and share - (traffic or 0.0) >= _EXCESS
            and not _defines_bad(counts.labels[label], value)
        ):
            standout = Standout(label=label, value=value, share=share, traffic=traffic)
            standouts.setdefault(tuple(sorted(values.values())), standout)  # equal values: renamed
    ranked = sorted(
        standouts.values(),
        key=lambda standout: ((standout.traffic or 0.0) - standout.share, standout.label),
    )
    return tuple(ranked[:_MOST_SHOWN])


def _defines_bad(values: Mapping[str, Sequence[EventCounts]], value: str) -> bool:
    """Return whether a value makes an event bad by definition, so that all failures have it.

    Over the whole time all of its events are bad, and all bad events have it.
    """
    bad = sum(parts[0].bad for parts in values.values())
    own = values[value][0]
    return own.bad >= _ALL * bad and own.bad >= _ALL * own.total
