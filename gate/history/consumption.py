"""The consumption of a budget: its current bad events by day, in and outside of incidents."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Final

from gate.budget.assessment import Assessment
from gate.dataclass import dataclass
from gate.history.incidents import Incident
from gate.measure.history import Series, SeriesRequest
from gate.slo.objective import Span

_DAY: Final = timedelta(days=1)
_HOUR: Final = timedelta(hours=1)
_BY_THE_HOUR: Final = 3 * _DAY
"""The longest window that is divided into hours; longer windows are divided into days."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsumedStretch:
    """The consumption in a day or an hour (UTC) of the window, as shares of the present budget."""

    span: Span
    incidents: Mapping[str, float]
    """The consumption by the id of the incident; each above 0."""
    chronic: float
    """The consumption outside of all incidents; at least 0."""

    @property
    def total(self) -> float:
        """The total consumption."""
        return sum(self.incidents.values()) + self.chronic


@dataclass(frozen=True, slots=True, kw_only=True)
class Consumption:
    """The consumption of a budget by time and cause, as shares of the budget."""

    consumed: float
    """The total consumption, as ``gate status`` reports it."""
    incidents: Mapping[str, float]
    """The consumption by the id of the incident, the costliest first; each above 0."""
    chronic: float
    """The consumption outside of all incidents; at least 0."""
    earlier: float
    """The consumption before the history begins, whose cause is unknown; at least 0."""
    stretches: tuple[ConsumedStretch, ...]
    """The days or hours of the window with data, the oldest first."""

    def named(self, ids: Mapping[str, str]) -> "Consumption":
        """Return the same with other ids; consumptions with the same id are added up.

        Args:
            ids: the new id of each incident, by its present id.
        """
        taken = _added_up(self.incidents, ids)
        return replace(
            self,
            incidents=dict(sorted(taken.items(), key=lambda pair: -pair[1])),
            stretches=tuple(
                replace(stretch, incidents=_added_up(stretch.incidents, ids))
                for stretch in self.stretches
            ),
        )


def _added_up(shares: Mapping[str, float], ids: Mapping[str, str]) -> dict[str, float]:
    added = dict[str, float]()
    for name, share in shares.items():
        added[ids[name]] = added.get(ids[name], 0.0) + share
    return added


def consumption(
    now: Assessment,
    series: Series,
    request: SeriesRequest,
    incidents: Iterable[tuple[str, Incident]],
) -> Consumption | None:
    """Return the consumption of a budget; None: no consumption is known.

    Every bad event uses the same share of the present budget, even if it happened at a time with
    less traffic. A step that contains the start of the window counts with the difference to the
    window's total.

    Args:
        now: the budget at the instant of the run, of events, slices or an amount.
        series: the events as the backend counted them.
        request: the request, which ends at the instant of the run.
        incidents: the incidents of the SLO with their ids, which several may share; they do not
            overlap.
    """
    bad = now.bad if now.spent is None else now.spent
    if not bad or now.consumed is None or now.span is None or now.uncovered is not None:
        return None
    each = float(now.consumed / bad)
    steps = list(_steps(series, request, now.span, float(bad)))
    whole = now.span.start >= request.span.start
    named = _named(steps, incidents)
    stretches = [_stretch(span, each, part, named) for span, part in _parts(steps, now.span)]
    taken = {
        name: sum(stretch.incidents.get(name, 0.0) for stretch in stretches)
        for name in dict.fromkeys(named.values())
    }
    seen = sum(events for _, events in steps) * each
    return Consumption(
        consumed=float(now.consumed),
        incidents=dict(sorted(taken.items(), key=lambda pair: -pair[1])),
        chronic=sum(stretch.chronic for stretch in stretches),
        earlier=0.0 if whole else max(float(now.consumed) - seen, 0.0),
        stretches=tuple(stretches),
    )


_Step = tuple[datetime, float]
"""The start of a step, and its bad events in the window."""


def _steps(series: Series, request: SeriesRequest, window: Span, bad: float) -> Iterator[_Step]:
    """Yield the steps that overlap the window, with their bad events in it."""
    first = max((window.start - request.span.start) // request.step, 0)
    events = [value or 0.0 for value in series.bad[first:]]
    if request.end_of(first - 1) < window.start:
        events[0] = min(max(bad - sum(events[1:]), 0.0), events[0])
    yield from ((request.end_of(first + n - 1), value) for n, value in enumerate(events))


def _parts(steps: list[_Step], window: Span) -> Iterator[tuple[Span, list[_Step]]]:
    """Yield the steps of each day or hour; the window cuts the first and the last of them."""
    unit = _HOUR if window.length <= _BY_THE_HOUR else _DAY

    def begin(step: _Step) -> datetime:
        at = step[0].astimezone(UTC)
        return at.replace(minute=0, second=0, microsecond=0, hour=at.hour if unit == _HOUR else 0)

    for at, part in groupby(steps, key=begin):
        yield Span(max(at, window.start), min(at + unit, window.end)), list(part)


def _named(steps: list[_Step], incidents: Iterable[tuple[str, Incident]]) -> dict[datetime, str]:
    """Return the incident of each step with bad events, by the start of the step."""
    named = {}
    pairs = sorted(incidents, key=lambda pair: pair[1].start)
    for at, events in steps:
        while pairs and pairs[0][1].end <= at:
            del pairs[0]
        if events and pairs and pairs[0][1].start <= at:
            named[at] = pairs[0][0]
    return named


def _stretch(
    span: Span, each: float, steps: list[_Step], named: Mapping[datetime, str]
) -> ConsumedStretch:
    taken, chronic = dict[str, float](), 0.0
    for at, events in steps:
        name = named.get(at)
        if name is None:
            chronic += events * each
        else:
            taken[name] = taken.get(name, 0.0) + events * each
    return ConsumedStretch(span=span, incidents=taken, chronic=chronic)
