"""The exit codes, and the errors that end a run with one of them.

Every exit code has one meaning. Python and click both use 1 for their own failures (an uncaught
exception, a closed pipe, Ctrl-C), so 1 is never a verdict.
"""

from collections.abc import Iterable
from enum import IntEnum

from gate.dataclass import dataclass


def nearest(word: str, names: Iterable[str]) -> str:
    """Return ``; did you mean ...?`` with the nearest name, or all names; empty without names.

    Upper and lower case make no difference.
    """
    from difflib import get_close_matches  # noqa: PLC0415 - costs 5 ms, needed for mistakes only

    choices = sorted(str(name) for name in names)
    by_lower = {name.lower(): name for name in choices}
    close = get_close_matches(word.lower(), by_lower, n=1, cutoff=0.6)
    if close:
        return f"; did you mean {by_lower[close[0]]!r}?"
    return f"; known: {', '.join(choices)}" if choices else ""


def nearest_first(word: str, names: Iterable[str]) -> list[str]:
    """Return the names that are not empty, sorted by their similarity to the word."""
    return sorted(filter(None, names), key=lambda name: (-likeness(word, name), name))


def likeness(word: str, name: str) -> float:
    """Return the similarity of two words, 0 to 1, without regard to case."""
    from difflib import SequenceMatcher  # noqa: PLC0415 - as above

    return SequenceMatcher(None, word.lower(), name.lower()).ratio()


class ExitCode(IntEnum):
    """The exit codes of the process. README.md has the same table."""

    ALLOW = 0
    """Allowed, also with warnings, and in a dry run. The report says which."""
    INTERNAL = 1
    """A fault of the program itself. Never a verdict."""
    USAGE = 2
    """The command line or the policy file is wrong."""
    UNDECIDED = 3
    """The budget could not be measured, and the policy does not allow that."""
    BLOCK = 10
    """The policy stops the change."""
    WARN = 11
    """A warning, with ``--fail-on warn`` only."""
    FINDINGS = 12
    """An examination found something wrong: a fault of ``gate doctor``, a case of ``gate test``."""
    INTERRUPTED = 130
    """Ctrl-C."""


class TextError(ValueError):
    """A text that cannot be used, with the place of the fault in it."""

    def __init__(self, message: str, *, place: int | None = None) -> None:
        super().__init__(message)
        self.place = place
        """The number of characters before the fault; None: the whole text."""


class GateError(Exception):
    """An error with an exit code of its own; its text is what the user reads."""

    exit_code = ExitCode.INTERNAL


class UsageError(GateError):
    """The command was called in a way that is not possible."""

    exit_code = ExitCode.USAGE


class UndecidedError(GateError):
    """A necessary fact cannot be found out: which policy counts, or what was deployed."""

    exit_code = ExitCode.UNDECIDED


@dataclass(frozen=True, slots=True, order=True, kw_only=True)
class Mistake:
    """One mistake in a file that a person wrote."""

    file: str
    """The path as the user gave it."""
    line: int
    """From 1."""
    column: int
    """From 1."""
    message: str
    """The mistake, what was expected, and the nearest valid spelling if there is one."""
    fatal: bool = True
    """False for a warning: the file is used anyway."""
    unset: str = ""
    """The environment variable that is not set; empty for other mistakes."""

    def __str__(self) -> str:
        """Write the mistake in the form of compilers, so that editors can jump to it."""
        kind = "error" if self.fatal else "warning"
        return f"{self.file}:{self.line}:{self.column}: {kind}: {self.message}"


class PolicyError(GateError):
    """A policy file, or a file that it refers to, cannot be used. It carries every mistake."""

    exit_code = ExitCode.USAGE

    def __init__(self, mistakes: tuple[Mistake, ...]) -> None:
        super().__init__("\n".join(str(mistake) for mistake in mistakes))
        self.mistakes = mistakes
