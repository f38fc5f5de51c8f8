"""The header line of a CSV file, read by the same rules as its rows (RFC 4180)."""

# ruff: noqa: S608 - names are quoted

import csv
import gzip
import io
import re
import zlib
from pathlib import Path
from typing import BinaryIO, Final

from gate.backends.logs.database import Database, file_list
from gate.backends.logs.refusals import unreadable
from gate.backends.logs.unfinished import has_open_end
from gate.backends.sql.rows import invalid
from gate.dataclass import dataclass
from gate.measure.remedies import hint_for

READ: Final = "auto_detect = false, hive_partitioning = false"
_DELIMITERS: Final = ",\t;|"
_VALUE: Final = re.compile(r"[+-]?[0-9.]+(?:[eE][+-]?[0-9]+)?$|[0-9]{4}-[0-9]{2}-[0-9]{2}")
_QUOTED: Final = re.compile(r'"(?:[^"]|"")*"')
_HEAD: Final = 65536
"""The bytes within which the header line must end."""
_LINES: Final = (
    f"{READ}, header = false, delim = '\x01', quote = '', escape = '', strict_mode = false, "
    f"columns = {{'line': 'VARCHAR'}}, max_line_size = {_HEAD}, buffer_size = {4 * _HEAD}"
)
"""The options of small buffers, so that only the beginning of a compressed file is unpacked."""
_INDEX: Final = "unnamed"
"""The name that DuckDB gives the first column of pandas' ``to_csv``, which has none."""
_NO_UTF_8: Final = re.compile("[\ud800-\udfff]")
_UTF_16: Final = {b"\xff\xfe": "utf-16"}


@dataclass(frozen=True, slots=True)
class CsvHeader:
    """The header line of a file. Files with equal headers are read together."""

    delimiter: str
    names: tuple[str, ...]
    encoding: str
    crlf: bool
    """Whether lines end in CR and LF. Without this option DuckDB reads no row after a name with
    LF."""
    open_end: bool = False
    """Whether the last line has no end, so that it may be incomplete. The scan skips invalid lines;
    `gate.backends.logs.unfinished` checks afterwards whether it skipped only that line."""

    @property
    def options(self) -> str:
        """The options for DuckDB."""
        delimiter = "'\t'" if self.delimiter == "\t" else f"'{self.delimiter}'"
        encoding = f", encoding = '{self.encoding}'" if self.encoding != "utf-8" else ""
        new_line = r", new_line = '\r\n'" if self.crlf else ""
        return f"{READ}, header = true, quote = '\"', escape = '\"', delim = {delimiter}" + (
            encoding + new_line + (", ignore_errors = true" if self.open_end else "")
        )


def read_header(database: Database, file: str) -> CsvHeader:
    """Read the first line, which may contain line ends within quotes.

    Raises:
        MeasurementError: no line has a different name for every column.
        OSError: the file cannot be read.
    """
    head = _head(database, file)
    encoding = _UTF_16.get(head[:2], "utf-8")
    text = head.decode(encoding, errors="surrogateescape").removeprefix("\ufeff")
    # Characters within quotes have no meaning; the rest ends at the first line end.
    bare = _QUOTED.sub("", text)
    line = re.split("\r\n|\n|\r", bare, maxsplit=1)[0]
    delimiter = max(_DELIMITERS, key=line.count)
    names = next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), [])
    if _NO_UTF_8.search("".join(names)):
        raise unreadable(f"the logs cannot be read: the header line is not UTF-8 ({file})")
    if names[1:] and not names[0]:
        names[0] = _INDEX
    # A line with a number or a date in it is a row; its values must not be shown as names.
    alike = len({name.lower() for name in names}) < len(names)
    if not names or not all(names) or alike or any(map(_VALUE.match, names)):
        raise invalid(f"{file} has no header line in which every column has a name of its own")
    crlf = bare[len(line) :].startswith("\r\n")
    open_end = encoding == "utf-8" and has_open_end(database, file)
    return CsvHeader(delimiter, tuple(names), encoding, crlf=crlf, open_end=open_end)


def _head(database: Database, file: str) -> bytes:
    path = Path(file)
    if path.suffix == ".zst":
        rows = database.query(f"SELECT line FROM read_csv({file_list([file])}, {_LINES}) LIMIT 9")
        return "\n".join(line or "" for (line,) in rows).encode()
    with database.open(file) as opened:
        if path.suffix != ".gz":
            return opened.read(_HEAD)
        return _unpacked(file, opened)


def _unpacked(file: str, opened: BinaryIO) -> bytes:
    try:
        with gzip.open(opened) as packed:
            return packed.read(_HEAD)
    except (gzip.BadGzipFile, EOFError, zlib.error):
        raise unreadable(
            f"the logs cannot be read: a file is cut off or damaged ({file})"
            + hint_for("damaged-log")
        ) from None
