"""The files of the logs: they match the path and may have rows of the requested time."""

import glob
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path, PurePath, PurePosixPath
from typing import Final

from gate.backends.logs.copies import COMPRESSED, copies, plain_name
from gate.backends.logs.database import Database
from gate.backends.logs.partitions import Matches, Part, PathPattern, missing_days
from gate.backends.logs.path_columns import parse_path
from gate.backends.logs.refusals import unreadable
from gate.backends.logs.settings import LogsSettings
from gate.backends.logs.stores import is_remote
from gate.backends.logs.unfinished import is_whole
from gate.backends.sql.rows import invalid
from gate.dataclass import dataclass
from gate.measure import Cause, MeasurementError
from gate.measure.remedies import hint_for
from gate.slo.objective import Span

_FORMATS: Final = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".csv": "csv",
    ".tsv": "csv",
    ".parquet": "parquet",
}
_NOT_READ: Final = (".bz2", ".xz", ".lz4", ".zip", ".br", ".snappy", ".Z", ".7z")
_MOST_SHOWN: Final = 5
"""The maximum number of days without a partition in a message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogFiles:
    """The files of the logs."""

    kind: str
    """The format: ``jsonl``, ``csv`` or ``parquet``."""
    files: list[str]
    """The files that are not empty, and may have rows of the window, sorted by name."""
    every: list[str]
    """All matching files, of any time; for a store only those that were listed."""
    pattern: PathPattern
    remarks: Callable[[], tuple[str, ...]]
    """A function that returns the remarks about the files, after they were read."""


def pattern_of(settings: LogsSettings) -> str:
    """Return the path or glob for people, with its variables, relative to the working folder."""
    shown = settings.written or settings.path
    if is_remote(settings.path):
        return shown
    return str(Path(glob.escape(str(settings.directory))) / shown)


def find_files(settings: LogsSettings, database: Database, window: Span | None) -> LogFiles:
    """Return the format and the files that are not empty.

    An empty plain text file is a log without rows; an empty gzip or Parquet file is damaged, and
    the reader reports it.

    Args:
        settings: the settings with the path of the logs.
        database: the database that reads them. It lists the objects of a store within its time
            limit.
        window: the requested time, if the path shows the time of rows; None: any time.

    Raises:
        MeasurementError: no file matches, a match is not a file or is truncated, the format is
            unknown, or all files are empty. OSError, UnicodeError: a file or its name cannot be
            read.
    """
    if is_remote(settings.path):
        # Importing the client of a store takes time.
        from gate.backends.logs.remote import find_objects  # noqa: PLC0415

        matches = find_objects(settings, database, window)
    else:
        matches = _local(settings)
    shown, pattern = pattern_of(settings), matches.pattern
    if not matches.names and not matches.others:
        raise unreadable(f"no file matches {shown}{_hint(settings)}{hint_for('no-log-files')}")
    parts = {name: pattern.part(name) or Part() for name in matches.names}
    files = [name for name, part in parts.items() if part.may_have(window)]
    if not files:
        raise _no_partition(shown, window)
    kind = settings.records.format or _format_of(files)
    full = [file for file in files if _holds_rows(file, kind, database)]
    if not full:
        reason = f"every file that matches {shown} is empty{hint_for('empty-logs')}"
        raise MeasurementError(Cause.NO_DATA, reason)
    for file in full:
        _check(file, database)
    again = {} if database.objects is not None else copies(full, kind)
    full = [file for file in full if file not in again]
    days = sorted({day for file in full if (day := parts[file].day) is not None})
    missing = missing_days((parts[file] for file in full), window) if window else []
    return LogFiles(
        kind=kind,
        files=full,
        every=matches.names,
        pattern=pattern,
        remarks=lambda: (
            *_read_of(database, full, days),
            *_without(missing),
            *map(_left_out, again.items()),
        ),
    )


def _read_of(database: Database, files: list[str], days: list[date]) -> Iterator[str]:
    if database.objects is not None:
        from gate.backends.logs.remote import how_much_read  # noqa: PLC0415 - as above

        when = f", of {days[0]} to {days[-1]}" if days else ""
        yield how_much_read(database, files) + when


def _without(days: list[date]) -> Iterator[str]:
    """Return a remark about the days without a partition."""
    if days:
        shown = ", ".join(map(str, days[:_MOST_SHOWN]))
        more = f" and {len(days) - _MOST_SHOWN} more" if len(days) > _MOST_SHOWN else ""
        yield f"no partition of {shown}{more}"


def _left_out(pair: tuple[str, str]) -> str:
    copy, whole = pair
    return f"{whole} has all rows of {copy}, which is left out; take one of them out of the path"


def _no_partition(shown: str, window: Span | None) -> MeasurementError:
    when = "" if window is None else f" from {window.start:%F %H:%M} to {window.end:%F %H:%M} UTC"
    reason = f"{shown} has no partition of the time{when}{hint_for('no-partition')}"
    return MeasurementError(Cause.NO_DATA, reason)


def _local(settings: LogsSettings) -> Matches:
    """Find the matching files of this machine."""
    path = Path(settings.path)
    # The common prefix of the names: empty if the folder is "." or the path is absolute.
    root = "" if path.is_absolute() else str(settings.directory / "_").removesuffix("_")
    pattern = parse_path(root, path.as_posix())
    # A path without partitions is left as it is written.
    written = pattern.glob if pattern.dated or pattern.columns else settings.path
    full = str(Path(glob.escape(str(settings.directory))) / written)
    # Path.glob does not accept an absolute pattern.
    paths = [Path(name) for name in sorted(glob.glob(full, recursive=True))]  # noqa: PTH207
    return Matches(pattern, [str(path) for path in paths if _is_log(path)])


def _is_log(path: Path) -> bool:
    """Distinguish logs from folders on the way to them (``**``). A log must be a file."""
    if path.is_file():
        return True
    if path.is_dir() and _plain_suffix(str(path)) not in _FORMATS:
        return False
    hint = "; to read a folder of files write folder/*" if path.is_dir() else ""
    raise unreadable(f"{path} matches and is not a readable file{hint}")


def _hint(settings: LogsSettings) -> str:
    is_folder = not is_remote(settings.path) and (settings.directory / settings.path).is_dir()
    return " (a folder; write for example folder/*.jsonl)" if is_folder else ""


def _format_of(files: list[str]) -> str:
    by_name: dict[str, str] = {}
    for file in files:
        packed = PurePosixPath(file).suffix
        if packed in _NOT_READ:
            raise invalid(
                f"{file} is packed as {packed}, which is not read; unpack it, or pack it as "
                ".gz or .zst"
            )
        suffix = _plain_suffix(file)
        if suffix not in _FORMATS:
            raise invalid(
                f"the format of {file} is not clear from its name{hint_for('log-format')}"
            )
        by_name.setdefault(_FORMATS[suffix], file)
    if len(by_name) > 1:
        names = ", ".join(by_name.values())
        raise invalid(f"files of several formats match: {names}{hint_for('log-format')}")
    return next(iter(by_name))


def _plain_suffix(file: str) -> str:
    name = plain_name(PurePath(file).name)
    start, dot, suffix = name.rpartition(".")
    return dot + suffix if start else ""


def _holds_rows(file: str, kind: str, database: Database) -> bool:
    return kind == "parquet" or file.endswith(COMPRESSED) or database.size(file) > 0


def _check(file: str, database: Database) -> None:
    file.encode()  # DuckDB accepts no other names: UnicodeError
    # DuckDB itself detects a truncated gzip or Parquet file.
    if not file.endswith(".zst"):
        return
    with database.open(file) as opened:
        whole = is_whole(opened)
    if not whole:
        raise unreadable(
            f"{file} is cut off or damaged: its last zstd frame has no end"
            + hint_for("damaged-log")
        )
