"""The path of the logs, as it is parsed, and the columns in it: ``dt=*`` is a column ``dt``."""

# ruff: noqa: S608 - names and texts are quoted

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import takewhile
from typing import Final

from gate.backends.logs.database import identifier, literal
from gate.backends.logs.partitions import UNIT_DIGITS, PathPattern, Segment
from gate.backends.logs.source import LogSource, Relation
from gate.backends.sql.rows import invalid

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


_COLUMN: Final = re.compile(r"([A-Za-z_]\w*)=", re.ASCII)
_TOKEN: Final = re.compile(r"\{[^{}]*%[^{}]*\}|\*+|\[!?\]?[^\]/]*\]|.", re.DOTALL)
_TIME: Final = re.compile(r"%.?|.", re.DOTALL)


def parse_path(root: str, path: str) -> PathPattern:
    """Parse a path or glob, and the partitions in it.

    Args:
        root: the bucket, if there is one; otherwise empty.
        path: the path below it.

    Raises:
        MeasurementError: a column occurs twice, or the text in braces is not about time.
    """
    *folders, file = _segments(_tokens(path))
    segments = (
        *(_segment(folder, column=True) for folder in folders),
        _segment(file, column=False),
    )
    names = [segment.name.lower() for segment in segments if segment.name is not None]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise invalid(f"{twice[0]}= is in the path two times; write * instead of one of them")
    return PathPattern(root, segments)


def _tokens(path: str) -> Iterator[tuple[str, bool]]:
    """Yield the pieces of a path, and whether each is within braces, which are literal."""
    for token in _TOKEN.findall(path):
        if not (token.startswith("{") and token.endswith("}")):
            yield token, False
            continue
        pieces = _TIME.findall(token[1:-1])
        wrong = [piece for piece in pieces if piece.startswith("%") and piece not in UNIT_DIGITS]
        if wrong:
            raise invalid(
                f"{wrong[0]} in {token} of the path is not known; a partition is written with"
                " %Y, %m, %d and %H, such as {%Y/%m/%d}"
            )
        yield from ((piece, True) for piece in pieces)


def _segments(tokens: Iterable[tuple[str, bool]]) -> Iterator[list[tuple[str, bool]]]:
    segment: list[tuple[str, bool]] = []
    for token in tokens:
        if token[0] == "/":
            yield segment
            segment = []
        else:
            segment.append(token)
    yield segment


def _segment(tokens: list[tuple[str, bool]], *, column: bool) -> Segment:
    if [piece for piece, _ in tokens] == ["**"]:
        return Segment(None, "**", "**", (), None)
    # The name of a column is plain text.
    start = "".join(piece if len(piece) == 1 and not braced else "*" for piece, braced in tokens)
    named = _COLUMN.match(start) if column else None
    before = named.end() if named else 0
    pieces = [_piece(piece, braced=braced) for piece, braced in tokens[before:]]
    glob = start[:before] + "".join(glob for glob, _, _ in pieces)
    expression = "".join(expression for _, expression, _ in pieces)
    units = tuple(unit for _, _, unit in pieces if unit)
    plain = "".join(piece for piece, _ in tokens)
    fixed = plain if re.escape(plain[before:]) == expression else None
    if named is None:
        return Segment(None, glob, expression, units, fixed)
    return Segment(named[1], glob, f"{re.escape(named[0])}({expression})", ("", *units), fixed)


def _piece(text: str, *, braced: bool) -> tuple[str, str, str]:
    """Return a piece of a path as a glob and as an expression, with its unit of time."""
    if braced and text in UNIT_DIGITS:
        digits = UNIT_DIGITS[text]
        return "[0-9]" * digits, f"([0-9]{{{digits}}})", text
    if braced or (len(text) == 1 and text not in "*?"):
        return (f"[{text}]" if text in "*?[" else text), re.escape(text), ""
    if text == "?":
        return text, "[^/]", ""
    if text.startswith("*"):
        return "*", "[^/]*", ""
    negated = text.startswith("[!")
    inner = "".join(c if c == "-" else re.escape(c) for c in text[2 if negated else 1 : -1])
    return text, f"[{'^/' if negated else ''}{inner}]", ""
