"""The failures of a backend as data: the words in which the contract's table is written."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from gate.measure import Cause

SECRET = "h0p-of-the-server"
"""The value of ``${PASSWORD}`` in the environment of every run."""


class Failure(StrEnum):
    """A failure of a backend, or of the way to it, in place of a good count."""

    EMPTY = "nothing there"
    SEVERAL = "several answers"
    NAN = "NaN"
    INFINITE = "+Inf"
    MINUS_INFINITE = "-Inf"
    NEGATIVE = "negative"
    BAD_OVER_TOTAL = "bad more than total"
    WRONG_SHAPE = "wrong shape"
    NO_TRAFFIC = "no traffic"
    LOW_TRAFFIC = "low traffic"
    LOW_COVERAGE = "low coverage"
    STALE = "stale"
    PARTIAL = "partial"
    MOSTLY_UNCOVERED = "hardly any coverage"
    RENAMED = "renamed"
    BORN = "a counter born above zero"
    CONTRADICTED = "contradicted by the total"
    HOLE = "a hole with a loss"
    UNKNOWN_OUTCOME = "unknown outcomes"

    UNAUTHORIZED = "401"
    FORBIDDEN = "403"
    NOT_FOUND = "404"
    UNPROCESSABLE = "422"
    TOO_MANY_REQUESTS = "429"
    SERVER_ERROR = "500"
    UNAVAILABLE = "503"
    HTML = "HTML"
    REDIRECT = "redirect"
    TRUNCATED = "truncated"
    SLOW = "slow"
    REFUSED = "refused"
    UNKNOWN_HOST = "unknown host"
    TLS = "TLS"

    MISSING = "missing file"
    CUT_OFF = "cut-off file"
    UNREADABLE = "unreadable file"


ANYWHERE = frozenset(
    {
        Failure.EMPTY,
        Failure.SEVERAL,
        Failure.NAN,
        Failure.INFINITE,
        Failure.MINUS_INFINITE,
        Failure.NEGATIVE,
        Failure.BAD_OVER_TOTAL,
        Failure.WRONG_SHAPE,
        Failure.NO_TRAFFIC,
        Failure.LOW_TRAFFIC,
        Failure.LOW_COVERAGE,
        Failure.STALE,
        Failure.PARTIAL,
        Failure.MOSTLY_UNCOVERED,
        Failure.RENAMED,
        Failure.BORN,
        Failure.CONTRADICTED,
        Failure.HOLE,
        Failure.UNKNOWN_OUTCOME,
    }
)
IN_FILES = ANYWHERE | {Failure.MISSING, Failure.CUT_OFF, Failure.UNREADABLE}
OVER_HTTP = frozenset(Failure) - (IN_FILES - ANYWHERE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """The parts of a policy that meet the failure."""

    backend: Mapping[str, Any]
    slo: Mapping[str, Any]
    """Without name and window."""
    timeout: str = "20s"
    registered: Mapping[str, str] = field(default_factory=dict)
    """Lines that the registry of backends needs beside its own."""


Play = Callable[[Path], AbstractContextManager[Setup]]
"""Brings a failure about while the block lasts; the folder is the policy's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One failure, and what has to come of it."""

    failure: Failure
    play: Play
    cause: Cause | None
    """None: a mistake in the policy, exit code 2."""
    words: str
    """Words of the reason that is given."""
    variant: str = ""
    """Tells several cases of one failure apart."""
    in_doubt: bool = False
    """There is a number, and it cannot be relied on."""
    suspected: bool = False
    """There is a number which may not be what happened: the budget is measured, with a suspicion
    that could change the verdict."""
    code: int = 3
    """The exit code. What is counted as bad, and may not have been, still blocks."""
    passes_with: int = 0
    """The exit code where the policy lets it pass: what follows from the number that there is."""

    @property
    def name(self) -> str:
        """Return its name among the tests."""
        return f"{self.failure}, {self.variant}" if self.variant else str(self.failure)


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """Everything that can go wrong with one backend."""

    healthy: Play
    """The same as the cases but for the failure: 90% of the budget is left."""
    failures: frozenset[Failure]
    cases: tuple[Case, ...]
    never: Mapping[Failure, str] = field(default_factory=dict)
    """The failures that cannot happen there, and why."""
    never_said: Mapping[Cause, str] = field(default_factory=dict)
    """Causes that follow from nothing that can happen there, and why."""
