"""How JSON lies in its files: an object a line, an array, or an object over several lines."""

# ruff: noqa: S608 - names and texts are quoted

import gzip
import json
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final, cast

from gate.backends.logs.database import identifier, literal
from gate.backends.logs.nested import fields_of
from gate.backends.logs.source import BROKEN

_HEAD: Final = 65536
"""Bytes that are looked at; an object that is longer than this stands on a line of its own."""
_TAIL: Final = 4 << 20
_SMALL: Final = 16384
_MANY: Final = 50
"""So many small files are read faster as objects: DuckDB looks for the types in each otherwise."""
LINE: Final = "maximum_object_size = 4194304"
"""A line may have 4 MiB. With DuckDB's own 16 MiB reading takes twice as long (buffers)."""
_PLACES: Final = "hive_partitioning = false"


@dataclass(frozen=True, slots=True)
class JsonFiles:
    """Files, and how they are read."""

    files: list[str]
    as_objects: bool
    """Some hold no object a line, or all are small, or one has no end yet."""
    unfinished: tuple[str, ...]
    """Those that are being written: their last line is no JSON yet."""

    @property
    def options(self) -> str:
        """How DuckDB is told to read values into columns, or to learn their types."""
        layout = "auto" if self.as_objects and not self.unfinished else "newline_delimited"
        some = ", ignore_errors = true" if self.unfinished else ""
        return f"format = '{layout}', {LINE}, {_PLACES}{some}"

    def relation(self, files: str, types: Mapping[str, str], used: Iterable[str]) -> str:
        """Return the FROM part that reads columns of files, which are quoted."""
        names = list(used)
        if not self.as_objects:
            columns = ", ".join(f"{literal(name)}: {literal(types[name])}" for name in names)
            return f"read_json({files}, {self.options}, columns = {{{columns}}})"
        parts = [f"{_value(name, types[name])} AS {identifier(name)}" for name in names]
        parts += [f"json IS NULL AS {BROKEN}"] if self.unfinished else []
        chosen = ", ".join([*parts, "file_index"])
        return f"(SELECT {chosen} FROM read_json_objects({files}, {self.options}))"


def json_files(files: list[str]) -> JsonFiles:
    """Look at the beginning of each file and, where it has no end, at its last line.

    Raises:
        OSError: a file cannot be read.
    """
    paths = [Path(file) for file in files]
    small = len(paths) > _MANY and all(path.stat().st_size < _SMALL for path in paths)
    cut = tuple(str(path) for path in paths if _is_cut(path))
    by_lines = all(map(_is_by_lines, paths))
    return JsonFiles(
        files=files,
        as_objects=small or bool(cut and by_lines) or not by_lines,
        # Only of an object a line is it known which line is the last.
        unfinished=cut if by_lines else (),
    )


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


def _is_by_lines(path: Path) -> bool:
    """Return whether each line is an object, as far as the first shows it."""
    head = _head(path).removeprefix(b"\xef\xbb\xbf").lstrip()
    if head.startswith(b"["):
        # [1] on the first of many lines is a mistake in a log by lines, which DuckDB names.
        return not _is_list_of_objects(head)
    line, _, rest = head.partition(b"\n")
    return not (line.rstrip() and head.startswith(b"{") and rest and not _is_json(line))


def _is_list_of_objects(head: bytes) -> bool:
    return head[1:].lstrip()[:1] in {b"{", b"]"}


def _head(path: Path) -> bytes:
    if path.suffix == ".zst":  # which Python cannot unpack
        return b""
    try:
        with cast("IO[Any]", gzip.open(path) if path.suffix == ".gz" else path.open("rb")) as file:
            return bytes(file.read(_HEAD))
    except (gzip.BadGzipFile, EOFError, zlib.error):
        return b""  # DuckDB says what is wrong


def _is_cut(path: Path) -> bool:
    """Return whether the last line has no end and is no JSON."""
    size = path.stat().st_size
    if path.suffix in {".gz", ".zst"} or not size:
        return False
    with path.open("rb") as file:
        file.seek(size - 1)
        if file.read(1) == b"\n":
            return False
        file.seek(max(size - _TAIL, 0))
        line = file.read().rpartition(b"\n")[2]
    return bool(line.strip()) and not _is_json(line)


def _is_json(line: bytes) -> bool:
    try:
        json.loads(line)
    except ValueError:
        return False
    return True
