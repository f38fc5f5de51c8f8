"""The meaning of label values, and the values that a label could have."""

import re
from collections.abc import Collection, Iterable
from typing import Final

from gate.errors import likeness
from gate.promql.selectors import LabelMatcher

_GRPC: Final = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
]
"""https://grpc.io/docs/guides/status-codes/"""
_FAMILIES: Final[tuple[frozenset[str], ...]] = (
    frozenset(map(str, range(100, 600))),
    frozenset(f"{first}xx" for first in range(1, 6)),
    frozenset(f"{first}XX" for first in range(1, 6)),
    frozenset(_GRPC),
    frozenset(name.title().replace("_", "") for name in _GRPC),
    frozenset({"true", "false"}),
    frozenset({"True", "False"}),
)
"""Families of values of which a label has all or none: HTTP status codes, gRPC codes, yes and
no."""
_WORDS: Final = (
    "error|err|fail|failed|failure|exception|timeout|timed[_ -]?out|unavailable|unreachable|crash"
    "|crashed|internal|data[_ -]?loss|deadline[_ -]?exceeded|unhandled|fatal|panic|oom"
)
_WHOSE: Final = "server|internal|system|upstream|backend|model|engine|provider|request|unknown"
FAILING: Final = f"5([0-9][0-9]|[xX][xX])|(?i:(({_WHOSE})[_ .-]?)?({_WORDS})([_ -]?error)?)"
"""A pattern for a whole label value that says that the server failed."""
_ALIKE: Final = 0.75


def could_match(matcher: LabelMatcher, values: Collection[str]) -> bool | None:
    """Return whether another value of the same family could match; None: unknown."""
    given = {value for value in values if value}
    family = next((family for family in _FAMILIES if given and given <= family), None)
    if family is None:
        return None
    fits = [matcher.matches(value) for value in family]
    return None if None in fits else any(fits)


def misspelt(matcher: LabelMatcher, values: Iterable[str]) -> bool:
    """Return whether one of the values looks like a misspelling of the value in a plain matcher."""
    plain = [part for part in matcher.value.split("|") if re.fullmatch(r"[\w .-]+", part)]
    return any(likeness(part, value) >= _ALIKE for part in plain for value in values)


def says_failure(value: str) -> bool:
    """Return whether a label's value says that the server failed."""
    return re.fullmatch(FAILING, value) is not None
