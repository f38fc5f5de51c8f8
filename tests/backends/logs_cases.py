"""Everything that can be wrong with request logs, and with what stands in them."""

import gzip
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from gate.measure import Cause
from tests.backends.cases import IN_FILES, Case, Contract, Failure, Play, Setup
from tests.backends.prometheus.played import AT


def judging(total: str) -> dict[str, Any]:
    return {"objective": "99%", "sli": {"bad": "status >= 500", "total": total}}


RATIO = judging("true")
SPEND = {"allowance": "1000 USD", "sli": {"spent": "cost"}}
HOURS = 720
NEWEST = 100
NEVER_BORN = "every row is counted, the first as well"
NO_STATUS = "the condition itself says of each row whether it is bad"


def rows(
    count: int = HOURS, *, every: timedelta = timedelta(hours=1), before: timedelta = timedelta()
) -> list[dict[str, Any]]:
    """Return requests at equal distances up to a moment before the instant; every 1000th failed."""
    return [
        {
            "at": (AT - before - place * every).isoformat(),
            "status": 500 if place % 1000 == 5 else 200,
            "kind": "eval" if place % 10 == 0 else "chat",
            "cost": 0.125,
        }
        for place in range(count)
    ]


def renamed(log: list[dict[str, Any]], newest: int) -> list[dict[str, Any]]:
    """Return the same with another name of the status in the newest rows."""
    changed = [{"code" if key == "status" else key: row[key] for key in row} for row in log]
    return changed[:newest] + log[newest:]


def failing_by(column: str, log: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the same with a column that only failures have, every 50th."""
    return [row | ({column: "failed"} if place % 50 == 5 else {}) for place, row in enumerate(log)]


def as_lines(log: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(row) + "\n" for row in log)


def costing(cost: str) -> str:
    """Return a CSV of which the last row costs something else."""
    lines = [f"{row['at']},{row['cost']}" for row in rows()]
    return "\n".join(["at,cost", *lines, f"{AT.isoformat()},{cost}", ""])


def written(
    content: str | bytes, slo: dict[str, Any] | None = None, name: str = "requests.jsonl"
) -> Play:
    @contextmanager
    def play(folder: Path) -> Iterator[Setup]:
        data = content.encode() if isinstance(content, str) else content
        (folder / name).write_bytes(data)
        yield Setup(backend={"type": "logs", "path": name, "timestamp": "at"}, slo=slo or RATIO)

    return play


def spending(cost: str) -> Play:
    return written(costing(cost), SPEND, "requests.csv")


@contextmanager
def no_file(_folder: Path) -> Iterator[Setup]:
    yield Setup(backend={"type": "logs", "path": "*.jsonl", "timestamp": "at"}, slo=RATIO)


GOOD = as_lines(rows())
NO_AMOUNT = "an amount must be 0 or more"
empty = partial(Case, failure=Failure.EMPTY, cause=Cause.NO_DATA)
invalid = partial(Case, cause=Cause.INVALID)
error = partial(Case, cause=Cause.BACKEND_ERROR)
doubtful = partial(Case, in_doubt=True)
suspected = partial(Case, suspected=True)

LOGS = Contract(
    healthy=written(GOOD),
    failures=IN_FILES,
    cases=(
        empty(play=written(""), words="is empty"),
        empty(
            variant="in the window",
            play=written(as_lines(rows(before=timedelta(days=40)))),
            words="the logs have no row between",
        ),
        invalid(failure=Failure.NAN, play=spending("NaN"), words=NO_AMOUNT),
        invalid(failure=Failure.INFINITE, play=spending("Infinity"), words=NO_AMOUNT),
        invalid(failure=Failure.MINUS_INFINITE, play=spending("-Infinity"), words=NO_AMOUNT),
        invalid(failure=Failure.NEGATIVE, play=spending("-5000"), words=NO_AMOUNT),
        invalid(
            failure=Failure.WRONG_SHAPE,
            play=written(GOOD.replace("status", "code")),
            words='no column "status"',
        ),
        invalid(
            failure=Failure.WRONG_SHAPE,
            variant="text for a number",
            play=written(GOOD.replace('"status": 200', '"status": "ok"', 1)),
            words="status",
        ),
        invalid(
            failure=Failure.WRONG_SHAPE,
            variant="time that is none",
            play=written(GOOD.replace('"at": "2025', '"at": "early 2025')),
            words="at",
        ),
        Case(
            failure=Failure.NO_TRAFFIC,
            play=written(GOOD, judging("kind = 'rag'")),
            cause=Cause.NO_TRAFFIC,
            words="rows is an event",
        ),
        doubtful(
            failure=Failure.LOW_TRAFFIC,
            play=written(GOOD, judging("kind = 'eval'")),
            cause=Cause.LOW_TRAFFIC,
            words="72 events are fewer than 100",
        ),
        doubtful(
            failure=Failure.LOW_COVERAGE,
            play=written(as_lines(rows(HOURS * 85 // 100))),
            cause=Cause.LOW_COVERAGE,
            words="only 85% of the window has data",
        ),
        Case(
            failure=Failure.MOSTLY_UNCOVERED,
            play=written(as_lines(rows(every=timedelta(minutes=3)))),
            cause=Cause.MOSTLY_UNCOVERED,
            words="are measured (5%; coverage_floor is",
            in_doubt=True,
        ),
        suspected(
            failure=Failure.RENAMED,
            play=written(
                as_lines(renamed(rows(), NEWEST)),
                {"objective": "99%", "sli": {"bad": "coalesce(status, 200) >= 500"}},
            ),
            cause=Cause.UNMATCHED,
            words='"status" has a value in nearly all rows until',
        ),
        suspected(
            failure=Failure.RENAMED,
            variant="a column that only failures have",
            play=written(
                as_lines(failing_by("err", rows()[:360]) + failing_by("error", rows()[360:])),
                {"objective": "97%", "sli": {"bad": "error IS NOT NULL"}},
            ),
            cause=Cause.UNMATCHED,
            words='while rows have "err", which is new',
        ),
        suspected(
            failure=Failure.HOLE,
            play=written(as_lines(rows()[:200] + rows()[220:])),
            cause=Cause.LOST,
            words="the logs have no row from",
        ),
        suspected(
            failure=Failure.UNKNOWN_OUTCOME,
            play=written(as_lines(rows()).replace('"status": 200', '"status": null', 5)),
            cause=Cause.UNKNOWN_OUTCOME,
            words="the outcome of 5 of 720 events is NULL",
            code=10,
            passes_with=10,
        ),
        doubtful(
            failure=Failure.STALE,
            play=written(as_lines(rows(before=timedelta(days=2)))),
            cause=Cause.STALE,
            words="the newest sample is 2d old",
        ),
        error(failure=Failure.MISSING, play=no_file, words="no file matches"),
        error(failure=Failure.CUT_OFF, play=written(GOOD[:-30] + "\n"), words="requests.jsonl"),
        error(
            failure=Failure.CUT_OFF,
            variant="gzip",
            play=written(gzip.compress(GOOD.encode())[:-30], name="requests.jsonl.gz"),
            words="requests.jsonl.gz",
        ),
        error(
            failure=Failure.CUT_OFF,
            variant="Parquet",
            play=written(b"PAR1", name="requests.parquet"),
            words="requests.parquet",
        ),
        error(
            failure=Failure.UNREADABLE,
            play=written(bytes(range(256)) * 40),
            words="requests.jsonl",
        ),
    ),
    never={
        Failure.SEVERAL: "rows are counted, they have no series",
        Failure.BAD_OVER_TOTAL: "bad rows are looked for among the events only",
        Failure.PARTIAL: "a file says nothing of what is not in it",
        Failure.BORN: NEVER_BORN,
        Failure.CONTRADICTED: NO_STATUS,
    },
    never_said={
        Cause.PARTIAL: "a file says nothing of what is not in it",
        Cause.BORN: NEVER_BORN,
        Cause.CONTRADICTED: NO_STATUS,
    },
)
