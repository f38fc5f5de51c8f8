"""Whether a zstd file is cut off, which DuckDB does not notice: frames and blocks, RFC 8878."""

import glob
import re
from pathlib import Path
from typing import BinaryIO, Final

from gate.backends.logs.refusals import unreadable
from gate.backends.logs.settings import LogsSettings
from gate.backends.sql.rows import invalid
from gate.measure import Cause, MeasurementError
from gate.measure.remedies import hint_for

_MAGIC: Final = 0xFD2FB528
_SKIPPABLE: Final = 0x184D2A50
_CHECKSUM, _SINGLE_SEGMENT = 1 << 2, 1 << 5
_DICTIONARY_ID: Final = (0, 1, 2, 4)
_CONTENT_SIZE: Final = (0, 2, 4, 8)
_REPEATED, _RESERVED = 1, 3


class _CutOff(Exception):
    """The file ends, or goes astray, within a frame."""


def is_whole(path: Path) -> bool:
    """Return whether the file is one or more whole frames; only headers are read.

    Raises:
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
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


_FORMATS: Final = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".csv": "csv",
    ".tsv": "csv",
    ".parquet": "parquet",
}
_COMPRESSED: Final = (".gz", ".zst")
_NOT_READ: Final = (".bz2", ".xz", ".lz4", ".zip", ".br", ".snappy", ".Z", ".7z")
_ROTATED: Final = re.compile(r"[.-][0-9][0-9T._-]*$")
"""What logrotate adds to a name: ``.1``, ``-20261129``."""


def pattern_of(settings: LogsSettings) -> str:
    """Return the path or glob for people, with its variables, from where the program runs."""
    return str(Path(glob.escape(str(settings.directory))) / (settings.written or settings.path))


def find_files(settings: LogsSettings) -> tuple[str, list[str]]:
    """Return the format and the files that hold anything, sorted by name.

    A plain text file of no bytes is a log without rows; an empty gzip or Parquet file is a cut one,
    and is left for the reader to refuse.

    Raises:
        MeasurementError: no file matches, one that does is not a file or is cut off, the format
            is not known, all files are empty.
        OSError, UnicodeError: a file or its name cannot be read.
    """
    if "://" in settings.path:
        raise invalid(
            f"{settings.written or settings.path} is not a local path; fetch the logs first"
        )
    shown = pattern_of(settings)
    pattern = str(Path(glob.escape(str(settings.directory))) / settings.path)
    # Path.glob takes no absolute pattern.
    matches = [Path(name) for name in sorted(glob.glob(pattern, recursive=True))]  # noqa: PTH207
    files = [path for path in matches if _is_log(path)]
    if not files:
        raise unreadable(f"no file matches {shown}{_hint(settings)}{hint_for('no-log-files')}")
    kind = settings.records.format or _format_of(files)
    full = [path for path in files if _holds_rows(path, kind)]
    if not full:
        reason = f"every file that matches {shown} is empty{hint_for('empty-logs')}"
        raise MeasurementError(Cause.NO_DATA, reason)
    for path in full:
        _check(path)
    return kind, [str(path) for path in full]


def _is_log(path: Path) -> bool:
    """Tell files from folders on the way to them (``**``). What looks like a log must be one."""
    if path.is_file():
        return True
    if path.is_dir() and _plain_suffix(path) not in _FORMATS:
        return False
    hint = "; to read a folder of files write folder/*" if path.is_dir() else ""
    raise unreadable(f"{path} matches and is not a readable file{hint}")


def _hint(settings: LogsSettings) -> str:
    is_folder = (settings.directory / settings.path).is_dir()
    return " (a folder; write for example folder/*.jsonl)" if is_folder else ""


def _format_of(files: list[Path]) -> str:
    by_name: dict[str, Path] = {}
    for path in files:
        if path.suffix in _NOT_READ:
            raise invalid(
                f"{path} is packed as {path.suffix}, which is not read; unpack it, or pack it as "
                ".gz or .zst"
            )
        suffix = _plain_suffix(path)
        if suffix not in _FORMATS:
            raise invalid(
                f"the format of {path} is not clear from its name{hint_for('log-format')}"
            )
        by_name.setdefault(_FORMATS[suffix], path)
    if len(by_name) > 1:
        names = ", ".join(map(str, by_name.values()))
        raise invalid(f"files of several formats match: {names}{hint_for('log-format')}")
    return next(iter(by_name))


def _plain_suffix(path: Path) -> str:
    name = path.name  # texts, since there may be thousands of paths
    for suffix in _COMPRESSED:
        name = name.removesuffix(suffix)
    name = _ROTATED.sub("", name) or name
    start, dot, suffix = name.rpartition(".")
    return dot + suffix if start else ""


def _holds_rows(path: Path, kind: str) -> bool:
    return kind == "parquet" or path.suffix in _COMPRESSED or path.stat().st_size > 0


def _check(path: Path) -> None:
    str(path).encode()  # DuckDB takes no other names: UnicodeError
    # DuckDB notices by itself when a gzip or Parquet file is cut off.
    if path.suffix == ".zst" and not is_whole(path):
        raise unreadable(
            f"{path} is cut off or damaged: its last zstd frame has no end"
            + hint_for("damaged-log")
        )
