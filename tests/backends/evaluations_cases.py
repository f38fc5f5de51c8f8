"""Everything that can be wrong with the result files of an evaluation."""

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from gate.measure import Cause
from tests.backends.cases import IN_FILES, Case, Contract, Failure, Play, Setup
from tests.backends.evaluations.nights import DAY, Night, names, night, write
from tests.backends.prometheus.played import AT

SETUP = Setup(
    backend={"type": "evaluations", "path": "evals/history/**/*.json"},
    slo={"objective": "99%", "sli": {"metric": "faithfulness"}},
)
NEWEST = AT - timedelta(hours=7)
FOLDER = Path("evals", "history", f"{NEWEST:%Y-%m}")
WHOLE = [night(NEWEST - place * DAY, 6 if place == 10 else 0) for place in range(30)]
"""The newest first; 6 of 6,000 cases failed, a tenth of the budget."""


def played(nights: Iterable[Night], alter: Callable[[Path], None] = lambda _: None) -> Play:
    """Write the nights, and then alter the folder that has the file of the newest."""

    @contextmanager
    def play(folder: Path) -> Iterator[Setup]:
        write(folder, nights)
        alter(folder / FOLDER)
        yield SETUP

    return play


def newest(folder: Path) -> Path:
    return folder / f"{NEWEST:%d-%H%M%S}.json"


def edited(change: Callable[[dict[str, Any]], None]) -> Play:
    """Write the nights, and something else in the file of the newest."""

    def alter(folder: Path) -> None:
        document = json.loads(newest(folder).read_text(encoding="utf-8"))
        change(document)
        newest(folder).write_text(json.dumps(document), encoding="utf-8")

    return played(WHOLE, alter)


def scored(score: float) -> Play:
    def change(document: dict[str, Any]) -> None:
        document["results"]["results"][0]["namedScores"]["faithfulness"] = score

    return edited(change)


def overdone(document: dict[str, Any]) -> None:
    document["results"]["stats"]["failures"] = 300


def misshapen(document: dict[str, Any]) -> None:
    document["results"]["results"][0]["success"] = "yes"


def timeless(document: dict[str, Any]) -> None:
    del document["results"]["timestamp"], document["metadata"], document["evalId"]
    for row in document["results"]["results"]:
        row |= {"success": False, "failureReason": 1, "score": 0}
        row["gradingResult"]["pass"] = False
    document["results"]["stats"] = {"successes": 0, "failures": 200, "errors": 0}


def copied(folder: Path) -> None:
    document = night(NEWEST, 150).document()
    (folder / "copy.json").write_text(json.dumps(document), encoding="utf-8")


def cut_off(folder: Path) -> None:
    newest(folder).write_bytes(newest(folder).read_bytes()[:-40])


def unreadable(folder: Path) -> None:
    newest(folder).write_bytes(bytes(range(256)) * 40)


EASY = night(NEWEST, 0, cases=names(100))
RENAMED = [Night(at=each.at, outcomes=each.outcomes, metric="faith") for each in WHOLE[:3]]
unknown = partial(Case, cause=Cause.UNKNOWN_OUTCOME, suspected=True)
doubtful = partial(Case, in_doubt=True)
NO_COUNTERS = "files have no counters"

EVALUATIONS = Contract(
    healthy=played(WHOLE),
    failures=IN_FILES,
    cases=(
        Case(
            failure=Failure.EMPTY,
            play=played([night(NEWEST - 40 * DAY, 0)]),
            cause=Cause.NO_DATA,
            words="no run is between",
        ),
        Case(
            failure=Failure.SEVERAL,
            play=played(WHOLE, copied),
            cause=Cause.CONTRADICTED,
            words="files of the same run contradict each other about 150 cases",
            suspected=True,
            code=10,
            passes_with=10,
        ),
        unknown(
            failure=Failure.INFINITE,
            play=scored(float("inf")),
            words="a score is not a finite number",
        ),
        unknown(
            failure=Failure.MINUS_INFINITE,
            play=scored(float("-inf")),
            words="a score is not a finite number",
        ),
        unknown(failure=Failure.NEGATIVE, play=scored(-1), words="a score is negative"),
        unknown(
            failure=Failure.BAD_OVER_TOTAL, play=edited(overdone), words="1 run is not counted"
        ),
        unknown(
            failure=Failure.WRONG_SHAPE,
            play=edited(misshapen),
            words="`success` is neither true nor false",
        ),
        doubtful(
            failure=Failure.LOW_TRAFFIC,
            play=played([night(each.at, 0, cases=names(2)) for each in WHOLE]),
            cause=Cause.LOW_TRAFFIC,
            words="60 events are fewer than 100",
        ),
        doubtful(
            failure=Failure.LOW_COVERAGE,
            play=played(WHOLE[:20]),
            cause=Cause.LOW_COVERAGE,
            words="of the window has data; min_coverage is 90%; the data begin on",
        ),
        doubtful(
            failure=Failure.MOSTLY_UNCOVERED,
            play=played(WHOLE[:3]),
            cause=Cause.MOSTLY_UNCOVERED,
            words="are measured",
        ),
        doubtful(
            failure=Failure.HOLE,
            play=played(WHOLE[:5] + WHOLE[8:]),
            cause=Cause.LOW_COVERAGE,
            words="is missing between data, which counts twice",
        ),
        Case(
            failure=Failure.HOLE,
            variant="in a run",
            play=played([EASY, *WHOLE[1:]]),
            cause=Cause.LOST,
            words="left out 100 cases (q-101, q-102, q-103, ...)",
            suspected=True,
        ),
        Case(
            failure=Failure.HOLE,
            variant="in time",
            play=edited(timeless),
            cause=Cause.LOST,
            words="1 file with 200 bad cases cannot be placed in time",
            suspected=True,
        ),
        doubtful(
            failure=Failure.STALE,
            play=played(WHOLE[2:]),
            cause=Cause.STALE,
            words="the newest sample is 2d7h old; max_age is 1d12h",
        ),
        doubtful(
            failure=Failure.RENAMED,
            play=played(RENAMED + WHOLE[3:]),
            cause=Cause.STALE,
            words="the newest sample is 3d7h old",
        ),
        Case(
            failure=Failure.MISSING,
            play=played([]),
            cause=Cause.NO_DATA,
            words="no file matches",
        ),
        doubtful(
            failure=Failure.CUT_OFF,
            play=played(WHOLE, cut_off),
            cause=Cause.PARTIAL,
            words="1 file cannot be read",
        ),
        doubtful(
            failure=Failure.UNREADABLE,
            play=played(WHOLE, unreadable),
            cause=Cause.PARTIAL,
            words="1 file cannot be read",
        ),
    ),
    never={
        Failure.NAN: "a case whose score is no number has not passed",
        Failure.NO_TRAFFIC: "a run without a case is not counted, like one that was not finished",
        Failure.PARTIAL: "a file says nothing of what is not in it; one that is cut off is played",
        Failure.BORN: NO_COUNTERS,
        Failure.CONTRADICTED: "totals that contradict the cases are played as bad over total",
        Failure.UNKNOWN_OUTCOME: "an outcome that is not known is not a pass",
    },
    never_said={
        Cause.NO_TRAFFIC: "a run has a case, or is not counted",
        Cause.INVALID: "what cannot be counted is a run that is suspected, or a file unread",
        Cause.BACKEND_ERROR: "files that cannot be read are a partial answer, and none is no data",
        Cause.UNMATCHED: "a metric that is not found any more has no new run, and is stale",
        Cause.BORN: NO_COUNTERS,
    },
)
