"""JSON keys that are missing in a whole file: counting them as NULL could hide failures there.

A key that is missing in some rows is NULL in them, as JSON writers do; a file without any such key
has another format, and is refused.
"""

from bisect import bisect_right
from collections.abc import Collection, Mapping, Sequence
from typing import Final

from gate.backends.logs.database import Database, file_list, identifier, literal
from gate.backends.logs.layouts import LINE
from gate.backends.logs.source import LogSource, missing_in
from gate.backends.sql.groups import Groups
from gate.backends.sql.rows import StatementNumbers
from gate.backends.sql.times import microseconds
from gate.dataclass import dataclass
from gate.slo.objective import Span

_MANY: Final = 50
"""The number of files with one row each that indicates a callback, not the rotation of logs."""
_MOST_KEYS: Final = 200
"""The maximum number of keys; more are ids or words of users."""
_SMALL: Final = 1 << 20
"""The size in bytes of a file that is not worth a query of its own."""


@dataclass(frozen=True, slots=True)
class Keys:
    """The names of the groups' values for each file."""

    files: list[str]
    file: str
    """The key of the groups."""
    rows: str
    newest: str
    time: Span
    """The time of the examined rows."""
    always: frozenset[str]
    """The columns without which no row can be judged at all."""
    values: dict[str, str]
    """By column, the name of the number of its values."""


def ask_for_keys(source: LogSource, statement: StatementNumbers) -> Keys | None:
    """Request the keys of each file; None if the files themselves show them, or for one file.

    The statement must be cut at the boundaries of every time that is examined later.
    """
    files = source.files
    if not source.keyed or len(files) == 1:
        return None
    return Keys(
        files=files,
        file=statement.key(statement.value("file_index")),
        rows=statement.count(),
        newest=statement.newest(),
        time=statement.time,
        always=source.always,
        values={
            column: statement.count_values(identifier(column))
            for column in sorted(statement.columns - source.optional)
        },
    )


class MissingKeys:
    """The columns that some files with rows in a time lack."""

    def __init__(self, files: int, lacking: Mapping[Span, Mapping[str, Collection[str]]]) -> None:
        """Take the number of files, and by time and column those that lack it."""
        self._files, self._lacking = files, lacking

    def faults(self, time: Span) -> dict[str, str]:
        """Return the columns that some files lack, with the message."""
        return {
            column: missing_in(column, sorted(lacking), self._files)
            for column, lacking in self._lacking.get(time, {}).items()
            if lacking
        }


def missing_keys(
    database: Database, keys: Keys | None, groups: Groups, times: Sequence[Span]
) -> MissingKeys:
    """Return the columns that some files lack.

    Files with rows but no value are examined further: null is a value, absence is not. Of many
    files with a single row, each shows only the keys of that row, which may leave out a key.

    Args:
        database: the database that reads the files.
        keys: the requested names.
        groups: the groups of the scan.
        times: the times of the examined rows; all that are needed later.
    """
    if keys is None:
        return MissingKeys(0, {})
    several, without = _look(groups, keys)
    if not any(without.values()):
        return MissingKeys(len(keys.files), {})
    there = _files_by_time(groups, keys, times)
    suspects = {time: _suspects(keys, there[time], several, without) for time in there}
    lacking = {
        column: {
            *files_without(
                database,
                column,
                sorted(set[str]().union(*(some[column] for some in suspects.values()))),
            )
        }
        for column in without
    }
    return MissingKeys(
        len(keys.files),
        {
            time: {column: files & lacking[column] for column, files in some.items()}
            for time, some in suspects.items()
        },
    )


def _look(groups: Groups, keys: Keys) -> tuple[set[str], dict[str, set[str]]]:
    """Return the files with several rows, and by column those with rows but without its value."""
    by_file = groups.by(groups[keys.file], [keys.rows])
    several = {keys.files[int(place)] for place, (number,) in by_file.items() if number > 1}
    inside = [
        file if within else None
        for file, within in zip(groups[keys.file], _within(groups, keys), strict=True)
    ]
    there = groups.by(inside, [*keys.values.values()])
    without = {
        column: {keys.files[int(place)] for place, values in there.items() if not values[n]}
        for n, column in enumerate(keys.values)
    }
    return several, without


def _within(groups: Groups, keys: Keys) -> Sequence[bool]:
    """Return for each group whether it is in the time."""
    start, end = map(microseconds, (keys.time.start, keys.time.end))
    return [moment is not None and start < moment <= end for moment in groups[keys.newest]]


def _files_by_time(
    groups: Groups, keys: Keys, times: Sequence[Span]
) -> Mapping[Span, Collection[str]]:
    """Return which files have rows in each time."""
    pairs = zip(groups[keys.newest], groups[keys.file], _within(groups, keys), strict=True)
    rows = sorted({(moment, int(file)) for moment, file, within in pairs if within})
    moments = [moment for moment, _ in rows]

    def files(time: Span) -> set[str]:
        start, end = (bisect_right(moments, microseconds(m)) for m in (time.start, time.end))
        return {keys.files[place] for _, place in rows[start:end]}

    return {time: files(time) for time in dict.fromkeys(times)}


def _suspects(
    keys: Keys,
    there: Collection[str],
    several: Collection[str],
    without: Mapping[str, Collection[str]],
) -> dict[str, set[str]]:
    """Return by column the files that may lack it, of those with rows in a time."""
    files = set(there)
    enough = files if len(files.difference(several)) <= _MANY else files.intersection(several)
    return {
        column: (files if column in keys.always else enough).intersection(suspects)
        for column, suspects in without.items()
    }


def files_without(database: Database, key: str, files: list[str]) -> list[str]:
    """Return the files in which no row has the key, not even with null."""
    has = f"list_contains(json_keys(json), {literal(key)})"
    small = [file for file in files if database.size(file) < _SMALL]
    having = set[str]()
    if small:
        statement = f"SELECT DISTINCT file_index FROM {json_objects(small)} WHERE {has}"  # noqa: S608
        rows = database.query(statement)
        having = {small[place] for (place,) in rows}
    # In large files, the first row usually has it, and the rest is not read.
    for file in {*files} - {*small}:
        statement = f"SELECT 1 FROM {json_objects([file])} WHERE {has} LIMIT 1"  # noqa: S608
        if database.query(statement):
            having.add(file)
    return [file for file in files if file not in having]


def every_key(database: Database, files: list[str]) -> list[str]:
    """Return the keys of rows, without those that are much rarer than others."""
    keys = f"SELECT unnest(json_keys(json)) AS name FROM {json_objects(files)}"  # noqa: S608
    rows = database.query(
        f"SELECT name FROM ({keys}) GROUP BY name ORDER BY count(*) DESC, name LIMIT {_MOST_KEYS}"  # noqa: S608
    )
    return [name for (name,) in rows]


def json_objects(files: list[str]) -> str:
    """Return the FROM part that reads files as values, in the column ``json``."""
    # The scan has checked that each line is JSON, except a last one without an end.
    options = f"format = 'auto', hive_partitioning = false, ignore_errors = true, {LINE}"
    return f"read_json_objects({file_list(files)}, {options})"
