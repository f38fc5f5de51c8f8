"""Which files the policy means, and what format they have."""

import glob
from pathlib import Path
from typing import Final

from gate.backends.logs.refusal import Refusal, invalid, unreadable
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


def pattern_of(settings: LogsSettings) -> str:
    """Return the path or glob, relative to where the program runs."""
    return str(settings.directory / settings.path)


def find_files(settings: LogsSettings) -> tuple[str, list[str]]:
    """Return the format and the files that hold anything, sorted by name.

    A plain text file of no bytes is a log without rows; an empty gzip or Parquet file is a cut one,
    and is left for the reader to refuse.

    Raises:
        Refusal: no file matches, the format cannot be told, all files are empty.
    """
    if "://" in settings.path:
        raise invalid(f"{settings.path} is no local path; fetch the logs first")
    pattern = pattern_of(settings)
    files = [path for name in _matches(pattern) if (path := Path(name)).is_file()]
    if not files:
        raise unreadable(f"no file matches {pattern}{_hint(pattern)}")
    kind = settings.format or _format_of(files)
    full = [str(path) for path in files if _holds_rows(path, kind)]
    if not full:
        raise Refusal(Cause.NO_DATA, f"every file that matches {pattern} is empty")
    return kind, full


def _matches(pattern: str) -> list[str]:
    # Path.glob takes no absolute pattern.
    return sorted(glob.glob(pattern, recursive=True))  # noqa: PTH207 - see above


def _hint(pattern: str) -> str:
    return " (a folder; write for example folder/*.jsonl)" if Path(pattern).is_dir() else ""


def _format_of(files: list[Path]) -> str:
    found: dict[str, Path] = {}
    for path in files:
        plain = path.with_suffix("") if path.suffix == ".gz" else path
        if plain.suffix not in _FORMATS:
            raise invalid(f"the format of {path} cannot be told from its name; set format")
        found.setdefault(_FORMATS[plain.suffix], path)
    if len(found) > 1:
        raise invalid(f"files of several formats match: {', '.join(map(str, found.values()))}")
    return next(iter(found))


def _holds_rows(path: Path, kind: str) -> bool:
    return kind == "parquet" or path.suffix == ".gz" or path.stat().st_size > 0
