"""Requests and their mirrored copies, joined by the id that both share, from one scan."""

# ruff: noqa: S608 - made of names, numbers and quoted texts

from collections.abc import Sequence
from datetime import timedelta
from itertools import count
from typing import Final

from gate.backends.logs.database import Database, literal
from gate.backends.logs.indicators import Label, LogIndicator
from gate.backends.logs.prepare import Prepared
from gate.backends.logs.statement import repeatable
from gate.backends.logs.steps import Scan, StepGrid
from gate.backends.logs.timestamps import within
from gate.measure import Cause, Unmeasured
from gate.measure.pairing import PairAnswer, PairRequest, Pairs, PairSteps, Unpaired
from gate.slo.objective import Span

IndicatorPairRequest = tuple[PairRequest, LogIndicator]
_EARLIER: Final = timedelta(minutes=5)
"""How long before the span a partner may have been logged: a copy may take longer, or be shorter.
"""
_CANDIDATE: Final = "candidate"
_AGAINST: Final = "against"


def measure_pairs(
    database: Database, ready: Prepared, wanted: Sequence[IndicatorPairRequest]
) -> list[PairAnswer]:
    """Join the events of every request with their copies, in order.

    Raises:
        MeasurementError: rows whose time is not known.
        duckdb.Error: the files or the values in them cannot be read.
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
        answers |= zip(some, _scan(database, ready, list(some.values())), strict=True)
    return [answers[place] for place in range(len(wanted))]


def _scan(
    database: Database, ready: Prepared, alike: Sequence[IndicatorPairRequest]
) -> list[PairAnswer]:
    """Join what differs in the indicator only."""
    request, indicators = alike[0][0], [indicator for _, indicator in alike]
    labels = [ready.labels[name] for name in (request.by, request.pair_by)]
    grid = StepGrid(request.span, request.step)
    wide = Span(request.span.start - _EARLIER, request.span.end)
    scan = Scan(ready.logs, [grid], wide.start)
    statement = scan.statement
    used: Sequence[LogIndicator | Label] = [*indicators, *labels]
    for user in used:
        statement.use(user)
    arm = statement.value(_arm(labels[0].sql, request))
    keys = [
        statement.key(f"CASE WHEN {within(wide)} THEN {arm} END"),
        statement.key(
            f"CASE WHEN {within(wide)} AND {arm} IS NOT NULL"
            f" THEN {statement.value(labels[1].sql)} END"
        ),
    ]
    sums = [
        statement.sum("count(*)", indicator.event, *bad)
        for indicator in indicators
        for bad in ((), (indicator.bad,))
    ]
    scanned = scan.run(database, keys)
    return [
        scanned.fault(indicator, *labels)
        or _pairs(
            database,
            _joined([*keys, scanned.places[grid], *sums[first : first + 2]]),
            request.span.length // request.step,
            repeatable(ready.logs, indicator)(request.span),
        )
        for first, indicator in zip(count(0, 2), indicators, strict=False)
    ]


def _arm(label: str, request: PairRequest) -> str:
    """Return SQL for which of the two a row belongs to; NULL for rows of neither."""
    return (
        f"CASE {label} WHEN {literal(request.candidate)} THEN '{_CANDIDATE}'"
        f" WHEN {literal(request.against)} THEN '{_AGAINST}' END"
    )


def _joined(names: Sequence[str]) -> str:
    """Return a query for the pairs by step, and what is alone, from the table ``groups``.

    Ids are one row each for each side. What has no id, an empty text, is joined with nothing. An
    event without a partner counts if it happened in the span; a pair if the later of the two did.
    """
    arm, identity, place, total, bad = names
    side = (
        f"SELECT {identity} AS id, max({place}) AS place, sum({total}) AS total,"
        f" coalesce(sum({bad}), 0) AS bad,"
        f" sum({total}) FILTER (WHERE {place} IS NOT NULL) AS inside,"
        f" sum({bad}) FILTER (WHERE {place} IS NOT NULL) AS inside_bad"
        f" FROM groups WHERE {arm} = '{{}}' GROUP BY 1 HAVING sum({total}) > 0"
    )
    paired = "c.id = a.id"
    outcomes = (("(c.bad > 0)", "(a.bad = a.total)"), ("(c.bad = c.total)", "(a.bad > 0)"))
    counted = ", ".join(
        f"count_if({mine} AND NOT {theirs} AND {paired}),"
        f" count_if(NOT {mine} AND {theirs} AND {paired}),"
        f" count_if({mine} AND {theirs} AND {paired})"
        for mine, theirs in outcomes
    )
    sides = ", ".join(
        f"sum({own}.inside), sum({own}.inside) FILTER (WHERE {other}.id IS NULL),"
        f" sum({own}.inside_bad) FILTER (WHERE {other}.id IS NULL),"
        f" sum({own}.inside) FILTER (WHERE {own}.id = ''),"
        f" count_if({own}.total > 1 AND {own}.id <> '')"
        for own, other in (("c", "a"), ("a", "c"))
    )
    return (
        f"WITH c AS ({side.format(_CANDIDATE)}), a AS ({side.format(_AGAINST)}) "
        "SELECT greatest(c.place, a.place) AS step, "
        f"count_if({paired}), {counted}, {sides} "
        f"FROM c FULL JOIN a ON {paired} AND c.id <> '' "
        "GROUP BY 1 HAVING step IS NOT NULL"
    )


def _pairs(database: Database, joined: str, steps: int, query: str) -> Pairs:
    rows = {int(row[0]): [int(number or 0) for number in row[1:]] for row in database.query(joined)}

    def by_step(column: int) -> tuple[int, ...]:
        return tuple(rows[place][column] if place in rows else 0 for place in range(steps))

    def outcomes(first: int) -> PairSteps:
        only, other, both = map(by_step, range(first, first + 3))
        return PairSteps(candidate_only=only, against_only=other, both=both)

    def side(first: int) -> Unpaired:
        sums = [sum(by_step(column)) for column in range(first, first + 5)]
        events, alone, alone_bad, without_id, repeated = sums
        return Unpaired(
            events=events,
            alone=alone,
            alone_bad=alone_bad,
            without_id=without_id,
            repeated=repeated,
        )

    return Pairs(
        total=by_step(0),
        worst=outcomes(1),
        best=outcomes(4),
        candidate=side(7),
        against=side(12),
        query=query,
    )
