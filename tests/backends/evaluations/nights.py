"""Nights of an evaluation, and the result files that promptfoo writes of them.

A night is written with the fields that promptfoo 0.121.20 has in the files of
tests/data/evaluations, and only with those that say something.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

DAY = timedelta(days=1)
FIRST = datetime(2026, 8, 1, 2, 0, tzinfo=UTC)
"""When the first of the nights began."""
NIGHTS = 90
AT = FIRST + 89 * DAY + timedelta(hours=7)
"""In the morning after the last."""
CASES = 200
GOOD, BAD, ERROR = 0, 1, 2
"""promptfoo's ``failureReason``."""


def names(count: int = CASES, first: int = 1) -> list[str]:
    return [f"q-{number:03}" for number in range(first, first + count)]


@dataclass(frozen=True, kw_only=True)
class Night:
    """One run."""

    at: datetime
    outcomes: Mapping[str, int]
    """By case, as ``failureReason``."""
    metric: str = "faithfulness"
    metrics: Sequence[str] = field(default=())
    """Given: further metrics with the same outcomes."""

    @property
    def bad(self) -> int:
        return sum(outcome != GOOD for outcome in self.outcomes.values())

    @property
    def total(self) -> int:
        return len(self.outcomes)

    def document(self) -> dict[str, Any]:
        """Return what the file has."""
        outcomes = list(self.outcomes.values())
        time = self.at.strftime("%Y-%m-%dT%H:%M:%S.000Z")
        return {
            "evalId": f"eval-abc-{self.at:%Y-%m-%dT%H:%M:%S}",
            "results": {
                "version": 3,
                "timestamp": time,
                "prompts": [{"raw": "{{q}}", "provider": "local-model"}],
                "results": [
                    {**self._row(case), "testIdx": place}
                    for place, case in enumerate(self.outcomes)
                ],
                "stats": {
                    "successes": outcomes.count(GOOD),
                    "failures": outcomes.count(BAD),
                    "errors": outcomes.count(ERROR),
                },
            },
            "config": {"tags": {}},
            "metadata": {"evaluationCreatedAt": time},
            "runtimeOptions": {"repeat": 1},
        }

    def _row(self, case: str) -> dict[str, Any]:
        reason = self.outcomes[case]
        score = int(reason == GOOD)
        row = {
            "testCase": {"description": case},
            "promptIdx": 0,
            "success": reason == GOOD,
            "score": score,
            "failureReason": reason,
        }
        if reason == ERROR:
            return {**row, "namedScores": {}, "gradingResult": None, "error": "503"}
        scores = dict.fromkeys([self.metric, *self.metrics], score)
        components = [{"pass": bool(score), "score": score}]
        grading = {"pass": bool(score), "score": score, "componentResults": components}
        return {**row, "namedScores": scores, "gradingResult": grading}


def night(at: datetime, bad: int, *, cases: Sequence[str] = (), errors: int = 0) -> Night:
    """Return a night on which the first cases fail; of those some end in an error."""
    cases = cases or names()
    outcomes = dict.fromkeys(cases, GOOD)
    outcomes |= dict.fromkeys(cases[:bad], BAD)
    outcomes |= dict.fromkeys(cases[:errors], ERROR)
    return Night(at=at, outcomes=outcomes)


def bad_of(place: int) -> int:
    """Return how many cases fail on a night: 2 to 6, and 40 on nights 70, 71 and 72."""
    return 40 if 70 <= place <= 72 else 2 + place * 7 % 5


def nights(count: int = NIGHTS, *, without: Iterable[int] = ()) -> list[Night]:
    """Return nights of which those of some numbers are missing, from 0."""
    lost = set(without)
    return [
        night(FIRST + place * DAY, bad_of(place), errors=place % 2)
        for place in range(count)
        if place not in lost
    ]


def moved(one: Night, by: timedelta) -> Night:
    return replace(one, at=one.at + by)


def write(folder: Path, nights: Iterable[Night]) -> None:
    """Write a file of each night, below the folder's evals/history."""
    for one in nights:
        path = folder / "evals" / "history" / f"{one.at:%Y-%m}" / f"{one.at:%d-%H%M%S}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(one.document()), encoding="utf-8")
