"""Everything that can be wrong with a file of counts."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from gate.measure import Cause
from tests.backends.cases import IN_FILES, Case, Contract, Failure, Play, Setup

SETUP = Setup(backend={"type": "static", "path": "counts.yaml"}, slo={"objective": "99.9%"})
FULL = "newest: 2025-12-31T23:59:00Z, coverage: 100%, windows: {1h: {total: 5000, bad: 0}}"


def written(content: str | bytes) -> Play:
    @contextmanager
    def play(folder: Path) -> Iterator[Setup]:
        data = content.encode() if isinstance(content, str) else content
        (folder / "counts.yaml").write_bytes(data)
        yield SETUP

    return play


def entry(counts: str) -> Play:
    return written(f"counts: {{slo: {{{counts}}}}}")


def with_total(total: str) -> Play:
    return entry(f"total: {total}, bad: 100, {FULL}")


@contextmanager
def no_file(_folder: Path) -> Iterator[Setup]:
    yield SETUP


@contextmanager
def a_folder(folder: Path) -> Iterator[Setup]:
    (folder / "counts.yaml").mkdir()
    yield SETUP


invalid = partial(Case, cause=Cause.INVALID)
error = partial(Case, cause=Cause.BACKEND_ERROR)
empty = partial(Case, failure=Failure.EMPTY)

NOTHING_ELSE = "a file says nothing of what is not in it"
OTHERS_COUNTED = "whoever wrote the file counted, and only the numbers are in it"

STATIC = Contract(
    healthy=entry(f"total: 1000000, bad: 100, {FULL}"),
    failures=IN_FILES,
    cases=(
        empty(play=written("counts: {}"), cause=Cause.NO_DATA, words="has no counts 'slo'"),
        empty(variant="file", play=written(""), cause=Cause.INVALID, words="a block of keys was"),
        empty(variant="entry", play=entry(""), cause=Cause.NO_DATA, words="'total' is missing"),
        error(
            failure=Failure.SEVERAL,
            play=written("counts: {slo: {total: 5, bad: 5}, slo: {total: 5000, bad: 0}}"),
            words="duplicate key 'slo'",
        ),
        invalid(failure=Failure.NAN, play=with_total(".nan"), words="total: .nan is not a count"),
        invalid(
            failure=Failure.NAN,
            variant="as text",
            play=with_total("NaN"),
            words="NaN is not a count",
        ),
        invalid(failure=Failure.INFINITE, play=with_total(".inf"), words=".inf is not a count"),
        invalid(
            failure=Failure.MINUS_INFINITE, play=with_total("-.inf"), words="-.inf is not a count"
        ),
        invalid(failure=Failure.NEGATIVE, play=with_total("-5"), words="total: -5 is negative"),
        invalid(
            failure=Failure.BAD_OVER_TOTAL, play=with_total("99"), words="bad is more than total"
        ),
        invalid(
            failure=Failure.WRONG_SHAPE,
            play=written("- {total: 1000, bad: 0}"),
            words="a block of keys was expected",
        ),
        invalid(
            failure=Failure.WRONG_SHAPE,
            variant="unknown key",
            play=entry("totl: 1000, bad: 0"),
            words="unknown key 'totl'; did you mean 'total'?",
        ),
        Case(
            failure=Failure.NO_TRAFFIC,
            play=entry("total: 0, bad: 0"),
            cause=Cause.NO_TRAFFIC,
            words="total is 0",
        ),
        Case(
            failure=Failure.LOW_TRAFFIC,
            play=entry("total: 999, bad: 0"),
            cause=Cause.LOW_TRAFFIC,
            words="999 events are fewer than 1,000",
            in_doubt=True,
        ),
        Case(
            failure=Failure.LOW_COVERAGE,
            play=entry("total: 1000000, bad: 0, coverage: 85%"),
            cause=Cause.LOW_COVERAGE,
            words="only 85% of the window has data",
            in_doubt=True,
        ),
        Case(
            failure=Failure.MOSTLY_UNCOVERED,
            play=entry("total: 1000000, bad: 0, coverage: 5%"),
            cause=Cause.MOSTLY_UNCOVERED,
            words="are measured (5%; coverage_floor is",
            in_doubt=True,
        ),
        Case(
            failure=Failure.STALE,
            play=entry("total: 1000000, bad: 0, newest: 2025-12-30T00:00:00Z"),
            cause=Cause.STALE,
            words="the newest sample is 2d old",
            in_doubt=True,
        ),
        error(
            failure=Failure.CUT_OFF,
            play=written("counts: {slo: {total: 1000"),
            words="counts.yaml cannot be read",
        ),
        error(
            failure=Failure.UNREADABLE,
            play=written(b"\xff\xfe\x00\xd8"),
            words="counts.yaml cannot be read",
        ),
        Case(failure=Failure.MISSING, play=no_file, cause=None, words="no file counts.yaml"),
        Case(
            failure=Failure.MISSING,
            variant="a folder",
            play=a_folder,
            cause=None,
            words="no file counts.yaml",
        ),
    ),
    never={
        Failure.PARTIAL: NOTHING_ELSE,
        Failure.RENAMED: OTHERS_COUNTED,
        Failure.BORN: OTHERS_COUNTED,
        Failure.CONTRADICTED: OTHERS_COUNTED,
        Failure.HOLE: OTHERS_COUNTED,
        Failure.UNKNOWN_OUTCOME: OTHERS_COUNTED,
    },
    never_said={
        Cause.PARTIAL: NOTHING_ELSE,
        Cause.UNMATCHED: OTHERS_COUNTED,
        Cause.BORN: OTHERS_COUNTED,
        Cause.CONTRADICTED: OTHERS_COUNTED,
        Cause.LOST: OTHERS_COUNTED,
        Cause.UNKNOWN_OUTCOME: OTHERS_COUNTED,
    },
)
