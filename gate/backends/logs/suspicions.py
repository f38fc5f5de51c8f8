"""Whether a count is what happened: outcomes that are NULL, rows and columns that are lost."""

# ruff: noqa: S608 - made of names, numbers and quoted texts

from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Final

from gate.backends.logs.coverage import Parts, parts_of
from gate.backends.logs.database import Database, Row, identifier
from gate.backends.logs.indicators import LogIndicator
from gate.backends.logs.respelled import CountedLogs, respelled
from gate.backends.logs.statement import EPOCH, Logs, Statement
from gate.dataclass import dataclass
from gate.measure import Answer, Cause, CountRequest, Counts, Suspicion

_FEWEST: Final = 10
"""Rows without a value, to say that a column has gone."""
_NEARLY_ALL: Final = Fraction(99, 100)


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubts:
    """What is asked to judge the count of one request, by the names and places of its numbers."""

    request: CountRequest
    indicator: LogIndicator
    parts: Parts
    """Of the span; those that lie wholly within it are judged."""
    part: str
    """The key of the parts."""
    rows: str
    total: str
    bad: str
    unknown: str
    values: tuple[tuple[str, str], ...]
    """Each column, and the name of the number of its values."""
    unknown_place: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What happened in one part of the time."""

    place: int
    rows: int
    total: int
    bad: int
    values: tuple[int, ...]
    """Of each column, how many there are."""


def ask_for_doubts(
    statement: Statement, request: CountRequest, indicator: LogIndicator
) -> Doubts | None:
    """Ask for what judges a count; None for an amount."""
    if indicator.bad is None or indicator.unknown is None:
        return None
    source = statement.logs.source
    parts = parts_of(request.span)
    columns = sorted(indicator.columns - source.optional - {statement.logs.timestamp.column})
    event = indicator.event
    return Doubts(
        request=request,
        indicator=indicator,
        parts=parts,
        part=statement.clock_key(parts.step),
        rows=statement.sum("count(*)"),
        total=statement.sum("count(*)", event),
        bad=statement.sum("count(*)", event, indicator.bad),
        unknown=statement.sum("count(*)", event, indicator.unknown),
        values=tuple(
            (name, statement.sum(f"count({statement.value(identifier(name))})")) for name in columns
        ),
        unknown_place=statement.count(request.span, event, indicator.unknown),
    )


def with_suspicions(
    database: Database,
    logs: Logs,
    doubts: Sequence[Doubts | None],
    answers: Sequence[Answer],
    row: Row,
) -> list[Answer]:
    """Add to each count the reasons to think that it is not what happened.

    Args:
        database: with the table ``groups``.
        logs: which are read again where a condition no longer matches.
        doubts: what was asked for each request.
        answers: to the requests, in events.
        row: of the scan.
    """
    judged: list[Answer] = []
    for doubt, answer in zip(doubts, answers, strict=True):
        if doubt is None or not isinstance(answer, Counts):
            judged.append(answer)
            continue
        parts = _parts(database, doubt)
        suspicions = tuple(_suspicions(doubt, answer, row[doubt.unknown_place], parts))
        counted = CountedLogs(
            logs=logs, span=doubt.request.span, indicator=doubt.indicator, step=doubt.parts.step
        )
        suspicions += tuple(respelled(database, counted, parts))
        if doubt.request.slices is not None:  # of slices nobody knows how many they may be
            suspicions = tuple(_in_slices(suspicion) for suspicion in suspicions)
        every = (*answer.evidence.suspicions, *suspicions)
        evidence = replace(answer.evidence, suspicions=every)
        judged.append(replace(answer, evidence=evidence))
    return judged


def _in_slices(suspicion: Suspicion) -> Suspicion:
    return replace(
        suspicion,
        hidden=None if suspicion.hidden else Fraction(0),
        doubtful=None if suspicion.doubtful else Fraction(0),
    )


def _suspicions(
    doubt: Doubts, counts: Counts, unknown: int, parts: Sequence[Part]
) -> Iterator[Suspicion]:
    names = ", ".join(f'"{name}"' for name, _ in doubt.values)
    if unknown:
        yield Suspicion(
            cause=Cause.UNKNOWN_OUTCOME,
            reason=(
                f"the outcome of {unknown:,} of {int(counts.total):,} events is NULL, by {names}; "
                "they count as bad"
            ),
            remedy="log the outcome, or leave these rows out with total",
            doubtful=Fraction(unknown),
        )
    yield from _without_values(doubt, parts)


def _parts(database: Database, doubt: Doubts) -> list[Part]:
    """Return the parts that have a row, the oldest first."""
    whole = doubt.parts.whole
    names = [doubt.rows, doubt.total, doubt.bad, *(name for _, name in doubt.values)]
    rows = database.query(
        f"SELECT {doubt.part}, {', '.join(f'sum({name})' for name in names)} FROM groups "
        f"WHERE {doubt.part} BETWEEN {whole.start} AND {whole.stop - 1} "
        "GROUP BY 1 ORDER BY 1"
    )
    return [
        Part(place=int(place), rows=count, total=total, bad=bad, values=tuple(values))
        for place, count, total, bad, *values in rows
    ]


def _without_values(doubt: Doubts, parts: Sequence[Part]) -> Iterator[Suspicion]:
    """Suspect that a column has another name where all rows had it, and none has it any more."""
    for number, (name, _) in enumerate(doubt.values):
        with_value = [place for place, part in enumerate(parts) if part.values[number]]
        last = max(with_value, default=len(parts) - 1)  # never had one: nothing has gone
        before, after = parts[: last + 1], parts[last + 1 :]
        there = sum(part.values[number] for part in before)
        rows = sum(part.rows for part in after)
        if rows < _FEWEST or there < _NEARLY_ALL * sum(part.rows for part in before):
            continue
        good = sum(part.total - part.bad for part in after)
        since = EPOCH + (parts[last].place + 1) * doubt.parts.step
        yield Suspicion(
            cause=Cause.UNMATCHED,
            reason=(
                f'"{name}" has a value in nearly all rows until {since:%F %R} UTC and in none of '
                f"the {rows:,} rows since; {good:,} of these count as good"
            ),
            remedy=f'see what "{name}" is called since then, and name both in the indicator',
            hidden=Fraction(good),
        )
