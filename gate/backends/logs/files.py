"""Which files the policy means, and what format they have."""

import glob
from pathlib import Path
from typing import Final

from gate.backends.logs.refusal import Refusal, invalid, unreadable
from gate.backends.logs.zstandard import is_whole
from gate.settings import LogsSettings
from gate.slo.measurement import Cause

_FORMATS: Final = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".csv": "csv",
    ".tsv": "csv",
    ".parquet": "parquet",
}
_COMPRESSED: Final = (".gz", ".zst")


def pattern_of(settings: LogsSettings) -> str:
    """Return the path or glob, relative to where the program runs."""
    return str(Path(glob.escape(str(settings.directory))) / settings.path)


def find_files(settings: LogsSettings) -> tuple[str, list[str]]:
    """Return the format and the files that hold anything, sorted by name.

    A plain text file of no bytes is a log without rows; an empty gzip or Parquet file is a cut one,
    and is left for the reader to refuse.

    Raises:
        Refusal: no file matches, one that does is no file or is cut off, the format cannot be told,
            all files are empty.
        OSError, UnicodeError: a file or its name cannot be read.
    """
    if "://" in settings.path:
        raise invalid(f"{settings.path} is no local path; fetch the logs first")
    pattern = pattern_of(settings)
    # Path.glob takes no absolute pattern.
    matches = [Path(name) for name in sorted(glob.glob(pattern, recursive=True))]  # noqa: PTH207
    files = [path for path in matches if _is_log(path)]
    if not files:
        raise unreadable(f"no file matches {pattern}{_hint(settings)}")
    kind = settings.records.format or _format_of(files)
    full = [path for path in files if _holds_rows(path, kind)]
    if not full:
        raise Refusal(Cause.NO_DATA, f"every file that matches {pattern} is empty")
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
    raise unreadable(f"{path} matches, and is no file that can be read{hint}")


def _hint(settings: LogsSettings) -> str:
    is_folder = (settings.directory / settings.path).is_dir()
    return " (a folder; write for example folder/*.jsonl)" if is_folder else ""


def _format_of(files: list[Path]) -> str:
    found: dict[str, Path] = {}
    for path in files:
        suffix = _plain_suffix(path)
        if suffix not in _FORMATS:
            raise invalid(f"the format of {path} cannot be told from its name; set format")
        found.setdefault(_FORMATS[suffix], path)
    if len(found) > 1:
        raise invalid(f"files of several formats match: {', '.join(map(str, found.values()))}")
    return next(iter(found))


def _plain_suffix(path: Path) -> str:
    return (path.with_suffix("") if path.suffix in _COMPRESSED else path).suffix


def _holds_rows(path: Path, kind: str) -> bool:
    return kind == "parquet" or path.suffix in _COMPRESSED or path.stat().st_size > 0


def _check(path: Path) -> None:
    str(path).encode()  # DuckDB takes no other names: UnicodeError
    # DuckDB notices by itself when a gzip or Parquet file is cut off.
    if path.suffix == ".zst" and not is_whole(path):
        raise unreadable(f"{path} is cut off or damaged: its last zstd frame has no end")
