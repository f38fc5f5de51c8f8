"""Requests and their mirrored copies, joined by the id that both share, from one scan."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from datetime import timedelta
from itertools import count
from typing import Final

from gate.backends.sql.groups import Groups
from gate.backends.sql.prepared import Prepared
from gate.backends.sql.rows import Label, SqlIndicator
from gate.backends.sql.steps import Scan, StepGrid
from gate.backends.sql.times import within
from gate.dataclass import dataclass
from gate.measure import Cause, Unmeasured
from gate.measure.pairing import PairAnswer, PairRequest, Pairs, PairSteps, Unpaired
from gate.slo.objective import Span

IndicatorPairRequest = tuple[PairRequest, SqlIndicator]
_EARLIER: Final = timedelta(minutes=5)
"""How long before the span a partner may have been logged: a copy may take longer, or shorter."""


def measure_pairs(ready: Prepared, wanted: Sequence[IndicatorPairRequest]) -> list[PairAnswer]:
    """Join the events of every request with their copies, in order.

    Raises:
        MeasurementError: rows whose time is not known, or that cannot be read.
    """
    answers: dict[int, PairAnswer] = {}
    alike: dict[tuple[object, ...], dict[int, IndicatorPairRequest]] = {}
    for place, (request, indicator) in enumerate(wanted):
        labels = [request.by, request.pair_by]
        unlabelled = [ready.unlabelled[name] for name in labels if name in ready.unlabelled]
        if indicator.bad is None:
            reason = "spend has no events to pair"
            answers[place] = Unmeasured(cause=Cause.INVALID, reason=reason)
        elif unlabelled:
            answers[place] = unlabelled[0]
        else:
            both = (request.candidate, request.against)
            key = (request.span, request.step, *labels, *both)
            alike.setdefault(key, {})[place] = request, indicator
    for some in alike.values():
        answers |= zip(some, _scan(ready, list(some.values())), strict=True)
    return [answers[place] for place in range(len(wanted))]


def _scan(ready: Prepared, alike: Sequence[IndicatorPairRequest]) -> list[PairAnswer]:
    """Join the requests that differ only in the indicator."""
    request, indicators = alike[0][0], [indicator for _, indicator in alike]
    labels = [ready.labels[name] for name in (request.by, request.pair_by)]
    grid = StepGrid(request.span, request.step)
    wide = Span(request.span.start - _EARLIER, request.span.end)
    scan = Scan(ready.rows, [grid], wide.start)
    statement, literal = scan.statement, ready.rows.dialect.literal
    used: Sequence[SqlIndicator | Label] = [*indicators, *labels]
    for user in used:
        statement.use(user)
    label, identity = (statement.value(each.sql) for each in labels)
    sides = f"{label} IN ({literal(request.candidate)}, {literal(request.against)})"
    keys = [
        statement.key(f"CASE WHEN {within(wide)} AND {sides} THEN {name} END")
        for name in (label, identity)
    ]
    sums = [
        statement.count(indicator.event, *bad)
        for indicator in indicators
        for bad in ((), (indicator.bad,))
    ]
    scanned = scan.run()
    places = scanned.places(grid)

    def joined(first: int) -> Iterator["_Pair"]:
        rows = _rows(scanned.groups, keys, places, sums[first : first + 2])
        candidates, against = (_side(rows, arm) for arm in (request.candidate, request.against))
        return _joined(candidates, against)

    return [
        scanned.fault(indicator, *labels)
        or _pairs(
            joined(first),
            request.span.length // request.step,
            ready.rows.repeatable(indicator)(request.span),
        )
        for first, indicator in zip(count(0, 2), indicators, strict=False)
    ]


_Row = tuple[str | None, str, int | None, int, int]
"""The side, the id, the step, the total events, and the bad ones."""


def _rows(
    groups: Groups, keys: Sequence[str], places: Sequence[int | None], sums: Sequence[str]
) -> Sequence[_Row]:
    arms, ids = (groups[key] for key in keys)
    totals, bads = (groups[name] for name in sums)
    return list(zip(arms, ids, places, totals, bads, strict=True))


@dataclass(slots=True)
class _Events:
    """The events of one id on one side."""

    step: int | None = None
    """The step of the last event; None: it was before the span."""
    total: int = 0
    bad: int = 0
    inside: int = 0
    """The number of all events in the span."""
    inside_bad: int = 0


_Pair = tuple[str, _Events | None, _Events | None]
"""An id, and its events on both sides; None: no events on that side, or no id."""


def _side(rows: Sequence[_Row], side: str) -> Mapping[str, _Events]:
    """Return the events of one side by id; the id is empty if it is missing."""
    events: dict[str, _Events] = {}
    for arm, identity, step, total, bad in rows:
        if arm == side:
            those = events.setdefault(identity, _Events())
            those.total += total
            those.bad += bad
            if step is not None:
                those.step = step if those.step is None else max(step, those.step)
                those.inside += total
                those.inside_bad += bad
    return {identity: those for identity, those in events.items() if those.total}


def _joined(candidates: Mapping[str, _Events], against: Mapping[str, _Events]) -> Iterator[_Pair]:
    """Yield each id with its events; events without an id are joined with nothing."""
    for identity, events in candidates.items():
        yield identity, events, against.get(identity) if identity else None
    for identity, events in against.items():
        if not identity or identity not in candidates:
            yield identity, None, events


@dataclass(slots=True)
class _Outcomes:
    """Pairs by step, for one of the two readings of an id with several outcomes."""

    candidate_only: Counter[int] = field(default_factory=Counter)
    against_only: Counter[int] = field(default_factory=Counter)
    both: Counter[int] = field(default_factory=Counter)

    def add(self, step: int, *, candidate: bool, against: bool) -> None:
        """Count a pair by which of the two failed."""
        if candidate and against:
            self.both[step] += 1
        elif candidate:
            self.candidate_only[step] += 1
        elif against:
            self.against_only[step] += 1

    def by_step(self, steps: int) -> PairSteps:
        """Return the pairs in the form of the contract."""
        return PairSteps(
            candidate_only=tuple(self.candidate_only[step] for step in range(steps)),
            against_only=tuple(self.against_only[step] for step in range(steps)),
            both=tuple(self.both[step] for step in range(steps)),
        )


def _pairs(joined: Iterator[_Pair], steps: int, query: str) -> Pairs:
    """Count pairs, and events without a partner, by step.

    An event without a partner counts if it happened in the span; a pair if its later event did.
    """
    total, worst, best = Counter[int](), _Outcomes(), _Outcomes()
    sides = (Counter[str](), Counter[str]())
    for identity, candidate, against in joined:
        there = [events for events in (candidate, against) if events is not None]
        later = [events.step for events in there if events.step is not None]
        if not later:
            continue
        if candidate is not None and against is not None:
            step = max(later)
            total[step] += 1
            some, every = candidate.bad > 0, against.bad == against.total
            worst.add(step, candidate=some, against=every)
            some, every = against.bad > 0, candidate.bad == candidate.total
            best.add(step, candidate=every, against=some)
        for events, sums in zip((candidate, against), sides, strict=True):
            if events is not None:
                _add(sums, events, identity, alone=len(there) == 1)
    candidates, others = (
        Unpaired(
            events=sums["events"],
            alone=sums["alone"],
            alone_bad=sums["alone_bad"],
            without_id=sums["without_id"],
            repeated=sums["repeated"],
        )
        for sums in sides
    )
    return Pairs(
        total=tuple(total[step] for step in range(steps)),
        worst=worst.by_step(steps),
        best=best.by_step(steps),
        candidate=candidates,
        against=others,
        query=query,
    )


def _add(sums: Counter[str], events: _Events, identity: str, *, alone: bool) -> None:
    """Add the events of an id to those of its side."""
    sums["events"] += events.inside
    if alone:
        sums["alone"] += events.inside
        sums["alone_bad"] += events.inside_bad
    if not identity:
        sums["without_id"] += events.inside
    elif events.total > 1:
        sums["repeated"] += 1
