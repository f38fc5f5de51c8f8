"""The refusals for DuckDB's errors: never its own messages, which repeat values of rows.

A request log contains texts of users. So a refusal only has the kind of the error, the column if it
is a column of the logs, the file if it is one that is read, and the number of a line.
"""

import re
from collections.abc import Iterable
from typing import Final

import duckdb

from gate.backends.sql.rows import invalid
from gate.measure import Cause, MeasurementError
from gate.measure.remedies import hint_for


def unreadable(reason: str) -> MeasurementError:
    """Return a refusal for files that cannot be read."""
    return MeasurementError(Cause.BACKEND_ERROR, reason)


_VALUES: Final = (duckdb.BinderException, duckdb.ConversionException, duckdb.OutOfRangeException)
MISFIT: Final = "a value in the logs does not fit its column's type, or the expression"
NO_CSV: Final = "a line of CSV does not match its header line, or is not UTF-8"
_UNREADABLE: Final[tuple[tuple[re.Pattern[str], str, str], ...]] = (
    # By the beginning of DuckDB's message, which is its own text: values come later in it. Each has
    # our words, and the key of the remedy.
    (re.compile(r"Cannot open file .*ermission denied"), "permission denied", "log-permission"),
    (re.compile(r'"maximum_object_size"'), "a line of JSON is longer than 4 MiB", ""),
    (re.compile(r"Malformed JSON in file"), "a line is not valid JSON", "damaged-log"),
    (re.compile(r"CSV Error"), NO_CSV, "damaged-log"),
    (
        re.compile(r"Unexpected end of|.*(?:GZIP|zstd)"),
        "a file is cut off or damaged",
        "damaged-log",
    ),
    (
        re.compile(r"Footer|No magic|.*[Pp]arquet"),
        "a file is not a whole Parquet file",
        "damaged-log",
    ),
)
_PREFIX: Final = re.compile(r"^(?:[A-Z][A-Za-z ]* Error: )+")
_COLUMN: Final = re.compile(
    r'^Error when converting column "(.+)"\. |when casting from source column (.+)$', re.MULTILINE
)
_LINE: Final = re.compile(
    r"CSV Error on Line: ([0-9]+)$|JSON transform error in file .*?, in line ([0-9]+):"
    # For invalid JSON DuckDB 2.0.1 reports the line after it.
    r"|Malformed JSON in file .*?, at byte [0-9]+ in line ([0-9]+):",
    re.MULTILINE,
)


def refusal(error: duckdb.Error, columns: Iterable[str], files: Iterable[str]) -> MeasurementError:
    """Distinguish invalid values (an error of the policy or the log) from unreadable files.

    Args:
        error: the error of a statement that has read rows.
        columns: the columns that may be shown.
        files: the files that may be shown.
    """
    text = _PREFIX.sub("", str(error))
    place = _place(text, columns, files)
    if isinstance(error, duckdb.OutOfMemoryException):
        words = "counting needs more memory than it may have, half of the machine's"
        return unreadable(f"{words}; choose a shorter window or a simpler expression")
    if isinstance(error, _VALUES) or text.startswith("JSON transform error"):
        return invalid(f"{MISFIT}{place}; write try_cast in the expression, or correct the row")
    fitting = ((words, key) for pattern, words, key in _UNREADABLE if pattern.match(text))
    reason, key = next(fitting, (f"DuckDB refuses them ({type(error).__name__})", ""))
    return unreadable(f"the logs cannot be read: {reason}{place}{hint_for(key)}")


def _place(text: str, columns: Iterable[str], files: Iterable[str]) -> str:
    """Return the position of the error, as far as it may be shown."""
    converting, line = _COLUMN.search(text), _LINE.match(text)
    named = {converting[1] or converting[2]} & set(columns) if converting else set()
    parts = [f'column "{name}"' for name in named]
    parts += [file for file in files if file in text][:1]
    parts += [f"line {line[1] or line[2] or int(line[3]) - 1}"] if line else []
    return f" ({', '.join(parts)})" if parts else ""


def sentence(text: str) -> str:
    """Return DuckDB's message about the text of an expression, without its advice.

    This is only for expressions that were not applied to rows.
    """
    first = next(line.strip() for line in text.splitlines() if line.strip())
    return _PREFIX.sub("", first).rstrip(".:! ")


def shape(value: str) -> str:
    """Return the form of a value without its content: each letter is an ``a``, each digit a 9."""
    shaped = "".join("9" if c.isdigit() else "a" if c.isalpha() else c for c in value[:_LONGEST])
    return repr(shaped) + ("..." if len(value) > _LONGEST else "")


_LONGEST: Final = 40
"""The maximum number of characters of a form: a timestamp has fewer."""
