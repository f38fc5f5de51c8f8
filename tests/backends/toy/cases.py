"""Everything that can be wrong with the toy's lines."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from gate.measure import Cause
from tests.backends.cases import IN_FILES, Case, Contract, Failure, Play, Setup
from tests.backends.toy import REGISTERED


def toy_command(*arguments: str) -> list[str]:
    """Return the command line of the gate with the toy in its registry."""
    return [sys.executable, "-m", "tests.backends.toy", *arguments]


SETUP = Setup(
    backend={"type": "toy", "path": "counts.txt", "token": "${PASSWORD}"},
    slo={"objective": "99.9%"},
    registered=REGISTERED,
)


def lines(content: str | bytes) -> Play:
    @contextmanager
    def play(folder: Path) -> Iterator[Setup]:
        data = content.encode() if isinstance(content, str) else content
        (folder / "counts.txt").write_bytes(data)
        yield SETUP

    return play


@contextmanager
def no_file(_folder: Path) -> Iterator[Setup]:
    yield SETUP


invalid = partial(Case, cause=Cause.INVALID)
unreadable = partial(Case, cause=Cause.BACKEND_ERROR)
odd = partial(invalid, words="two whole numbers were expected")

NOTHING_ELSE = "a file says nothing of what is not in it"
TWO_NUMBERS = "a line has two numbers, and nothing of how they were counted"

TOY = Contract(
    healthy=lines("slo 100 1000000\n"),
    failures=IN_FILES,
    cases=(
        Case(
            failure=Failure.EMPTY,
            play=lines("other 1 1000\n"),
            cause=Cause.NO_DATA,
            words="no line has this name",
        ),
        invalid(
            failure=Failure.SEVERAL,
            play=lines("slo 1 5000\nslo 0 5000\n"),
            words="several lines have this name",
        ),
        odd(failure=Failure.NAN, play=lines("slo NaN 5000\n")),
        odd(failure=Failure.INFINITE, play=lines("slo 0 +Inf\n")),
        odd(failure=Failure.MINUS_INFINITE, play=lines("slo -Inf 5000\n")),
        odd(failure=Failure.NEGATIVE, play=lines("slo -5 5000\n")),
        odd(failure=Failure.WRONG_SHAPE, play=lines("slo 5000\n")),
        invalid(
            failure=Failure.BAD_OVER_TOTAL,
            play=lines("slo 5001 5000\n"),
            words="bad is more than total",
        ),
        Case(
            failure=Failure.NO_TRAFFIC,
            play=lines("slo 0 0\n"),
            cause=Cause.NO_TRAFFIC,
            words="total is 0",
        ),
        Case(
            failure=Failure.LOW_TRAFFIC,
            play=lines("slo 0 999\n"),
            cause=Cause.LOW_TRAFFIC,
            words="999 events are fewer than 1,000",
            in_doubt=True,
        ),
        unreadable(failure=Failure.MISSING, play=no_file, words="FileNotFoundError"),
        unreadable(failure=Failure.CUT_OFF, play=lines("slo 0 50"), words="is cut off"),
        unreadable(failure=Failure.UNREADABLE, play=lines(b"\xff\xfe"), words="UnicodeDecodeError"),
    ),
    never={
        Failure.STALE: "a line has no time",
        Failure.PARTIAL: NOTHING_ELSE,
        Failure.LOW_COVERAGE: "a line says nothing of the window",
        Failure.MOSTLY_UNCOVERED: "a line says nothing of the window",
        Failure.RENAMED: TWO_NUMBERS,
        Failure.BORN: TWO_NUMBERS,
        Failure.CONTRADICTED: TWO_NUMBERS,
        Failure.HOLE: TWO_NUMBERS,
        Failure.UNKNOWN_OUTCOME: TWO_NUMBERS,
    },
    never_said={
        Cause.STALE: "a line has no time",
        Cause.PARTIAL: NOTHING_ELSE,
        Cause.LOW_COVERAGE: "a line says nothing of the window",
        Cause.MOSTLY_UNCOVERED: "a line says nothing of the window",
        Cause.UNMATCHED: TWO_NUMBERS,
        Cause.BORN: TWO_NUMBERS,
        Cause.CONTRADICTED: TWO_NUMBERS,
        Cause.LOST: TWO_NUMBERS,
        Cause.UNKNOWN_OUTCOME: TWO_NUMBERS,
    },
)
