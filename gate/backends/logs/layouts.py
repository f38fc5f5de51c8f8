"""The layouts of JSON in files: an object per line, an array, or an object over several lines."""

# ruff: noqa: S608 - names and texts are quoted

import gzip
import json
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from gate.backends.logs.database import Database, identifier, literal
from gate.backends.logs.inner_numbers import fields_of
from gate.backends.logs.path_columns import PATH, path_option
from gate.backends.logs.source import BROKEN
from gate.backends.sql.rows import invalid
from gate.dataclass import dataclass

_HEAD: Final = 65536
"""The number of examined bytes; a longer object must be on a line of its own."""
_TAIL: Final = 4 << 20
_UTF_16: Final = (b"\xff\xfe", b"\xfe\xff")
_SMALL: Final = 16384
_MANY: Final = 50
"""The number of small files from which reading them as objects is faster: otherwise DuckDB detects
the types in each."""
LINE: Final = "maximum_object_size = 4194304"
"""The maximum size of a line, 4 MiB. With DuckDB's default of 16 MiB reading takes twice as long
(buffers)."""
_PLACES: Final = "hive_partitioning = false"


@dataclass(frozen=True, slots=True)
class JsonFiles:
    """Files, and the options to read them."""

    files: list[str]
    as_objects: bool
    """Whether they are read as objects: some have no object per line, or all are small, or one has
    no line end yet."""
    unfinished: tuple[str, ...]
    """The files that are being written: their last line is not JSON yet."""

    @property
    def options(self) -> str:
        """The options with which DuckDB reads values into columns, or detects their types."""
        layout = "auto" if self.as_objects and not self.unfinished else "newline_delimited"
        some = ", ignore_errors = true" if self.unfinished else ""
        return f"format = '{layout}', {LINE}, {_PLACES}{some}"

    def relation(self, files: str, types: Mapping[str, str], used: Iterable[str]) -> str:
        """Return the FROM part that reads columns of files, which are quoted."""
        some = list(used)
        names = [name for name in some if name != PATH]
        options = f"{self.options}{path_option(some)}"
        if not self.as_objects:
            columns = ", ".join(f"{literal(name)}: {literal(types[name])}" for name in names)
            return f"read_json({files}, {options}, columns = {{{columns}}})"
        parts = [f"{_value(name, types[name])} AS {identifier(name)}" for name in names]
        parts += [f"json IS NULL AS {BROKEN}"] if self.unfinished else []
        parts += [PATH] if PATH in some else []
        chosen = ", ".join([*parts, "file_index"])
        return f"(SELECT {chosen} FROM read_json_objects({files}, {options}))"


def json_files(database: Database, files: list[str]) -> JsonFiles:
    """Examine the beginning of each file and, if it has no line end, its last line.

    Raises:
        MeasurementError: a file is not UTF-8.
        OSError: a file cannot be read.
    """
    heads = database.looks(files, lambda file: _head(database, file))
    small = len(files) > _MANY and all(head.size < _SMALL for head in heads)
    cut = tuple(head.file for head in heads if head.is_cut())
    by_lines = all(head.is_by_lines() for head in heads)
    return JsonFiles(
        files=files,
        as_objects=small or bool(cut and by_lines) or not by_lines,
        # The last line is known only for one object per line.
        unfinished=cut if by_lines else (),
    )


@dataclass(frozen=True, slots=True)
class _Head:
    """The beginning of a file."""

    file: str
    size: int
    """The size of the file, in bytes."""
    start: bytes
    """The unpacked beginning; empty if Python cannot unpack it, or if it is damaged, which DuckDB
    reports."""
    packed: bool
    stored: bool
    """Whether it is an object of a store."""

    def is_by_lines(self) -> bool:
        """Return whether each line is an object, judged by the first."""
        head = self.start.removeprefix(b"\xef\xbb\xbf").lstrip()
        if head.startswith(b"["):
            # [1] on the first of many lines is a mistake in a log by lines, which DuckDB reports.
            return head[1:].lstrip()[:1] not in {b"{", b"]"}
        line, _, rest = head.partition(b"\n")
        return not (line.rstrip() and head.startswith(b"{") and rest and not _is_json(line))

    def is_cut(self) -> bool:
        """Return whether the last line has no end and is not JSON."""
        # Nobody appends to an object of a store: one without an end is damaged, as DuckDB reports.
        if self.packed or not self.size or self.stored:
            return False
        end = self.start
        if len(end) < self.size:
            with Path(self.file).open("rb") as file:
                file.seek(max(self.size - _TAIL, 0))
                end = file.read()
        line = end.rpartition(b"\n")[2]
        return bool(line.strip()) and not _is_json(line)


def _head(database: Database, file: str) -> _Head:
    size, stored = database.size(file), database.objects is not None
    unread = _Head(file, size, b"", packed=True, stored=stored)
    if file.endswith(".zst"):  # Python cannot unpack these
        return unread
    with database.open(file) as opened:
        if not file.endswith(".gz"):
            start = opened.read(_HEAD)
        else:
            try:
                with gzip.open(opened) as packed:
                    return _Head(file, size, packed.read(_HEAD), packed=True, stored=stored)
            except (gzip.BadGzipFile, EOFError, zlib.error):
                return unread
    if start[:2] in _UTF_16:
        hint = "convert it to UTF-8: iconv -f UTF-16 -t UTF-8"
        raise invalid(f"{file} is written in UTF-16; {hint}")
    return _Head(file, size, start, packed=False, stored=stored)


def _is_json(line: bytes) -> bool:
    try:
        json.loads(line)
    except ValueError:
        return False
    return True


def _value(name: str, kind: str) -> str:
    key = literal('$."' + name.replace('"', '\\"') + '"')
    if kind == "VARCHAR":
        return f"json ->> {key}"
    if fields_of(kind.rstrip("[]")):
        return f"json_transform(json -> {key}, {literal(json.dumps(_structure(kind)))})"
    return f"CAST(json -> {key} AS {kind})"


def _structure(kind: str) -> object:
    if kind.endswith("[]"):
        return [_structure(kind[:-2])]
    fields = fields_of(kind)
    return {name: _structure(inside) for name, inside in fields.items()} if fields else kind
