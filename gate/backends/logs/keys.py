"""JSON keys that some file never has: counted as NULL they could hide failures there.

A key that is left out of some rows is NULL in them, as JSON writers do; a file without a single
one is another format, and a refusal.
"""

from dataclasses import dataclass
from typing import Final

from gate.backends.logs.database import Database, Row, identifier
from gate.backends.logs.expressions import missing_in
from gate.backends.logs.indicators import Indicator
from gate.backends.logs.jsonl import absent_keys
from gate.backends.logs.source import Source
from gate.backends.logs.statement import Statement
from gate.slo.measurement import Cause, Unmeasured

_ALL: Final = ""
"""Stands for no column: the files that have any row."""


@dataclass(frozen=True, slots=True)
class Lacking:
    """The keys that are missing, and where."""

    files: dict[str, list[str]]
    of: int
    """How many files there are."""

    def answer(self, indicator: Indicator) -> Unmeasured | None:
        """Return why the indicator cannot be counted; None where it can."""
        for column in sorted(indicator.columns & self.files.keys()):
            reason = missing_in("the indicator", column, self.files[column], self.of)
            return Unmeasured(cause=Cause.INVALID, reason=reason)
        return None


def ask_for_keys(statement: Statement) -> dict[str, int]:
    """Ask, for every column and for rows as such, which files have any; one bit a file."""
    last = len(statement.logs.source.files) - 1
    places = {_ALL: statement.aggregate(f"bitstring_agg(_file, 0, {last})")}
    for column in sorted(statement.columns):
        has = statement.value(f"{identifier(column)} IS NOT NULL")
        sql = f"bitstring_agg(_file, 0, {last}) FILTER (WHERE {has})"
        places[column] = statement.aggregate(sql)
    return places


def lacking_keys(database: Database, source: Source, places: dict[str, int], row: Row) -> Lacking:
    """Look closer at files with rows but no value of a column: null is a value, absence is not."""
    having = {column: _files(source.files, row[place]) for column, place in places.items()}
    every = having.pop(_ALL, set())
    suspects = {column: sorted(every - files) for column, files in having.items() if every - files}
    return Lacking(absent_keys(database, suspects), len(source.files))


def _files(files: list[str], bits: str | None) -> set[str]:
    return {file for file, bit in zip(files, bits or "", strict=False) if bit == "1"}
