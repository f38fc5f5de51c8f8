"""The columns in the path of the logs: ``dt=*`` is a column ``dt``."""

# ruff: noqa: S608 - names and texts are quoted

from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import takewhile
from typing import Final

from gate.backends.logs.database import identifier, literal
from gate.backends.logs.partitions import PathPattern
from gate.backends.logs.source import LogSource, Relation

PATH: Final = "_path"
"""The column with the file of a row, if a relation requests it."""
Extract = Callable[[PathPattern, str], str]
_NULL: Final = "__HIVE_DEFAULT_PARTITION__"
"""The value that Hive and Spark write for NULL."""


def path_option(used: Iterable[str]) -> str:
    """Return the option that makes DuckDB name the file of each row, if `PATH` is used."""
    return f", filename = {literal(PATH)}" if PATH in used else ""


def with_partitions(source: LogSource, pattern: PathPattern) -> LogSource:
    """Return the source with the columns in the path.

    A column that the files have, too, cannot be used, because it is ambiguous.
    """
    columns = {name.lower(): name for name in pattern.columns}
    if not columns:
        return source
    both = {name: columns[name.lower()] for name in source.types if name.lower() in columns}
    own = {name: kind for name, kind in source.types.items() if name not in both}
    faults = {
        name: f'"{name}" is a column of the files, and {name}= a folder of the path; write * in'
        " the path instead of the folder's name to use the files' column, or use another name"
        for name in both.values()
    }

    def add(relation: Relation, extract: Extract = _extract) -> Relation:
        def added(used: Iterable[str]) -> str:
            names = list(used)
            if not any(name in pattern.columns for name in names):
                return relation(names)
            parts = [
                f"{_value(pattern, name, extract(pattern, name))} AS {identifier(name)}"
                if name in pattern.columns
                else identifier(name)
                for name in names
            ]
            inner = [*(name for name in names if name in own), PATH]
            chosen = ", ".join([*parts, *source.places])
            return f"(SELECT {chosen} FROM {relation(inner)})"

        return added

    return replace(
        source,
        types={**own, **pattern.columns},
        relation=add(source.relation),
        shown=add(source.shown, _extract_in_short),
        texts=None if source.texts is None else add(source.texts),
        faults={**source.faults, **faults},
        optional=source.optional | pattern.columns.keys(),
    )


def _extract(pattern: PathPattern, name: str) -> str:
    """Return SQL for the text of a column in the name of a file."""
    before = takewhile(lambda segment: segment.name != name, pattern.segments)
    group = 1 + sum(len(segment.groups) for segment in before)
    return f"regexp_extract({PATH}, {literal(pattern.expression())}, {group}, 's')"


def _extract_in_short(_: PathPattern, name: str) -> str:
    """Return the SQL for people, without parts of the path that may be a variable's value."""
    return f"regexp_extract({PATH}, '/{name}=([^/]*)/', 1)"


def _value(pattern: PathPattern, name: str, text: str) -> str:
    """Return SQL for the value of a column, given its text."""
    # DuckDB fails if an escaped text is not UTF-8 (%FF): such a name is left as it is.
    value = f"nullif(coalesce(TRY(url_decode({text})), {text}), {literal(_NULL)})"
    if pattern.columns[name] == "DATE":
        short = f"try_strptime(left({value}, 8), '%Y%m%d')::DATE"
        return f"coalesce(try_cast(left({value}, 10) AS DATE), {short})"
    return f"try_cast({value} AS BIGINT)" if pattern.columns[name] == "BIGINT" else value
