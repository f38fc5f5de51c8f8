"""Why the logs, or one indicator, cannot be counted; carried up to where answers are made."""

import re

import duckdb

from gate.measure.counts import Cause, MeasurementError

_MISFITS = (duckdb.BinderException, duckdb.ConversionException, duckdb.OutOfRangeException)
_PREFIX = re.compile(r"^[A-Z][A-Za-z ]* Error: ")


def invalid(reason: str) -> MeasurementError:
    """Return a refusal for what the policy or the rows' content gets wrong."""
    return MeasurementError(Cause.INVALID, reason)


def unreadable(reason: str) -> MeasurementError:
    """Return a refusal for files that cannot be read."""
    return MeasurementError(Cause.BACKEND_ERROR, reason)


def from_duckdb(error: duckdb.Error) -> MeasurementError:
    """Tell values that do not fit (the policy's or the log's fault) from files that do not read."""
    text = str(error)
    if isinstance(error, _MISFITS) or "JSON transform error" in text:
        return invalid(sentence(text))
    return unreadable(f"the logs cannot be read: {sentence(text)}")


def sentence(text: str) -> str:
    """Return what DuckDB has to say, without its advice, some of which is to ignore errors."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    said = _PREFIX.sub("", lines[0]).rstrip(".:! ")
    for line in lines[1:]:
        if line.startswith(("Error when converting", "Expected Number", "file = ")):
            said += f"; {line.rstrip('.')}"
    return said
