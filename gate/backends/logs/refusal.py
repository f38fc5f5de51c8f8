"""Why the logs, or one indicator, cannot be counted; carried up to where answers are made."""

import re

import duckdb

from gate.measure.counts import Cause, Unmeasured

_MISFITS = (duckdb.BinderException, duckdb.ConversionException, duckdb.OutOfRangeException)
_PREFIX = re.compile(r"^[A-Z][A-Za-z ]* Error: ")


class Refusal(Exception):
    """A count that cannot be had."""

    def __init__(self, cause: Cause, reason: str) -> None:
        super().__init__(reason)
        self.cause = cause
        self.reason = reason

    def answer(self) -> Unmeasured:
        """Return the refusal as an answer to a request."""
        return Unmeasured(cause=self.cause, reason=self.reason)


def invalid(reason: str) -> Refusal:
    """Return a refusal for what the policy or the rows' content gets wrong."""
    return Refusal(Cause.INVALID, reason)


def unreadable(reason: str) -> Refusal:
    """Return a refusal for files that cannot be read."""
    return Refusal(Cause.BACKEND_ERROR, reason)


def from_duckdb(error: duckdb.Error) -> Refusal:
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
