"""Files with the same rows as another file: for example a rotated file beside its packed copy.

The rows of one of them would count twice, and failures of other files would weigh less.
"""

import gzip
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import BinaryIO, Final, cast

COMPRESSED: Final = (".gz", ".zst")
_ROTATED: Final = re.compile(r"[.-][0-9][0-9T._-]*$")
"""The suffixes of logrotate: ``.1``, ``-20261129``."""
_LEAST: Final = 1 << 10
"""The number of bytes of rows that two logs do not share by chance."""
_MOST_ALIKE: Final = 32
"""The number of files with the same beginning from which they are logs of machines with the same
first rows."""
_AT_ONCE: Final = 1 << 16
_DAMAGED: Final = (EOFError, gzip.BadGzipFile, zlib.error)
"""The errors of a damaged packed file, which its reader will report."""


def plain_name(name: str) -> str:
    """Return the name of a file before it was rotated or packed."""
    for suffix in COMPRESSED:
        name = name.removesuffix(suffix)
    return _ROTATED.sub("", name) or name


def copies(files: Sequence[str], kind: str) -> Mapping[str, str]:
    """Return the files whose rows another file begins with, or contains completely, with that file.

    Args:
        files: files on this machine, none of them empty.
        kind: the format of the logs.

    Raises:
        OSError: one cannot be read.
    """
    copied: dict[str, str] = {}
    for alike in _beginning_alike(files, kind):
        for first, second in combinations(alike, 2):
            if not {first, second} & copied.keys():
                copied.update(_copy(first, second))
    return copied


def _beginning_alike(files: Sequence[str], kind: str) -> Iterator[list[str]]:
    """Yield files of one size, or of one name with rotations, that begin with the same rows."""
    by_size: dict[int, list[str]] = {}
    by_name: dict[str, list[str]] = {}
    for file in files:
        path = Path(file)
        by_size.setdefault(path.stat().st_size, []).append(file)
        by_name.setdefault(plain_name(path.name), []).append(file)
    suspected = (
        file for some in (*by_size.values(), *by_name.values()) if len(some) > 1 for file in some
    )
    by_rows: dict[tuple[bytes, str], list[str]] = {}
    for file in dict.fromkeys(suspected):
        if rows := _first_rows(file, kind):
            by_rows.setdefault((rows, _partition(file)), []).append(file)
    yield from (some for some in by_rows.values() if 1 < len(some) <= _MOST_ALIKE)


def _partition(file: str) -> str:
    """Return the folders that are columns, such as ``model=a``: other folders, other rows."""
    return "/".join(folder for folder in Path(file).parts[:-1] if "=" in folder)


def _first_rows(file: str, kind: str) -> bytes | None:
    """Return the beginning of a file after its header line of CSV; None: the file is too short."""
    with _opened(file) as stream:
        try:
            begin = stream.read(_LEAST if kind != "csv" else _AT_ONCE)
        except _DAMAGED:
            return None
    rows = begin.partition(b"\n")[2] if kind == "csv" else begin
    return rows[:_LEAST] if len(rows) >= _LEAST else None


def _copy(first: str, second: str) -> Iterable[tuple[str, str]]:
    """Return which of two files the other one contains; None: neither."""
    with _opened(first) as stream, _opened(second) as beside:
        try:
            for ours, theirs in _pieces(stream, beside):
                if ours != theirs:
                    shorter = min(len(ours), len(theirs))
                    if ours[:shorter] != theirs[:shorter]:
                        return []
                    return [(second, first) if len(ours) > shorter else (first, second)]
        except _DAMAGED:
            return []
    return [(second, first)]


def _pieces(stream: BinaryIO, beside: BinaryIO) -> Iterator[tuple[bytes, bytes]]:
    while True:
        ours, theirs = stream.read(_AT_ONCE), beside.read(_AT_ONCE)
        yield ours, theirs
        if not (ours and theirs):
            return


def _opened(file: str) -> BinaryIO:
    if file.endswith(".gz"):
        return cast("BinaryIO", gzip.open(file))
    return Path(file).open("rb")
