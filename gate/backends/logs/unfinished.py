"""Files that are being written: the last line of a CSV file, and the last frame of a zstd file.

DuckDB does not notice that a zstd file is incomplete; its frames and blocks are those of RFC 8878.
The last line of a CSV file may be incomplete, and is then left out.

DuckDB can skip invalid lines, wherever they are. So the skipped lines of such a file are checked
afterwards: any line but the last one is an error, as in any other file.
"""

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO, Final

from gate.backends.logs.database import Database
from gate.backends.logs.refusals import MISFIT, NO_CSV, unreadable
from gate.backends.sql.rows import invalid
from gate.measure import MeasurementError
from gate.measure.remedies import hint_for

_PACKED: Final = frozenset({".gz", ".zst"})
_ENDS: Final = frozenset({b"\n", b"\r"})
_QUOTED: Final = re.compile(rb'"(?:[^"]|"")*(?:"|$)')
"""Text within quotes, even if the last quote is missing."""


def has_open_end(database: Database, file: str) -> bool:
    """Return whether the last line of a CSV file has no end.

    Objects of a store and packed files are complete, since nobody appends to them.

    Raises:
        OSError: the file cannot be read.
    """
    if database.objects is not None or Path(file).suffix in _PACKED or not database.size(file):
        return False
    with Path(file).open("rb") as opened:
        opened.seek(-1, os.SEEK_END)
        return opened.read() not in _ENDS


def unfinished_lines(database: Database, reads: Mapping[str, str]) -> Iterator[str]:
    """Yield the files whose last line a scan has left out.

    Args:
        database: the database that has read them.
        reads: for each file whose last line has no end, a statement that reads the same columns,
            without its closing bracket.

    Raises:
        MeasurementError: a line other than the last was left out.
    """
    for file, statement in reads.items():
        database.query(f"{statement}, store_rejects = true)")
        rows = database.query(
            "SELECT DISTINCT line, line_byte_position, error_type = 'CAST' FROM reject_errors"
            " ORDER BY ALL"
        )
        for table in ("errors", "scans"):
            database.query(f"DROP TABLE reject_{table}")
        for line, position, cast in rows:
            if not _is_last(file, position):
                raise _misfit(file, line, cast=cast)
        if rows:
            yield file


def _is_last(file: str, position: int) -> bool:
    """Return whether the line at a position of a file is its last, and has no end."""
    with Path(file).open("rb") as opened:
        opened.seek(position)
        line = _QUOTED.sub(b"", opened.read().lstrip(b"\r\n"))
    return not any(end in line for end in _ENDS)


def _misfit(file: str, line: int, *, cast: bool) -> MeasurementError:
    place = f"({file}, line {line})"
    if cast:
        return invalid(f"{MISFIT} {place}; write try_cast in the expression, or correct the row")
    return unreadable(f"the logs cannot be read: {NO_CSV} {place}{hint_for('damaged-log')}")


_MAGIC: Final = 0xFD2FB528
_SKIPPABLE: Final = 0x184D2A50
_CHECKSUM, _SINGLE_SEGMENT = 1 << 2, 1 << 5
_DICTIONARY_ID: Final = (0, 1, 2, 4)
_CONTENT_SIZE: Final = (0, 2, 4, 8)
_REPEATED, _RESERVED = 1, 3


class _CutOff(Exception):
    """The file ends, or is invalid, within a frame."""


def is_whole(file: BinaryIO) -> bool:
    """Return whether a file is one or more whole frames; only headers are read.

    Raises:
        OSError: the file cannot be read.
    """
    size = file.seek(0, 2)
    file.seek(0)
    try:
        while True:
            _pass_frame(file)
            if file.tell() >= size:
                return file.tell() == size
    except _CutOff:
        return False


def _number(file: BinaryIO, length: int) -> int:
    read = file.read(length)
    if len(read) < length:
        raise _CutOff
    return int.from_bytes(read, "little")


def _pass_frame(file: BinaryIO) -> None:
    magic = _number(file, 4)
    if magic & ~0xF == _SKIPPABLE:
        file.seek(_number(file, 4), 1)
        return
    if magic != _MAGIC:
        raise _CutOff
    descriptor = _number(file, 1)
    single = bool(descriptor & _SINGLE_SEGMENT)
    content_size = _CONTENT_SIZE[descriptor >> 6] or int(single)
    file.seek(int(not single) + _DICTIONARY_ID[descriptor & 3] + content_size, 1)
    last = False
    while not last:
        header = _number(file, 3)
        last, kind = bool(header & 1), header >> 1 & 3
        if kind == _RESERVED:
            raise _CutOff
        file.seek(1 if kind == _REPEATED else header >> 3, 1)
    file.seek(4 if descriptor & _CHECKSUM else 0, 1)
