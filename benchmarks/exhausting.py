"""How often the rule ``exhaustion`` is right: python -m benchmarks.exhausting [RUNS].

Four months each of services that are made up (`benchmarks.services`), with a rolling budget of 30
days. At every hour at which something is left it is looked at whether the rule would fire, and
whether the budget truly ran out within its time. docs/rules.md quotes what this prints.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.services import BUDGET, DAY, MONTH, WORDS, Hours, Past, draw
from gate.policy.rule_settings import ExhaustionRule

HOUR: Final = timedelta(hours=1)
RULE: Final = ExhaustionRule(within=timedelta(days=3))
BUDGETS: Final = {
    "alike": 0.36 * BUDGET,
    "drifting": 0.36 * BUDGET,
    "incidents": BUDGET,
    "releases": BUDGET,
}
"""Of objectives that each kind of service misses now and then."""
LENGTH: Final = 120 * DAY
Windows = tuple[int, ...]
"""Hours of the windows that must agree."""
WAYS: Final[Mapping[str, Windows]] = {
    "the last hour": (1,),
    "the last 6 hours": (6,),
    "the last day": (DAY,),
    "the rule: 6 hours and a day": (RULE.short // HOUR, RULE.long // HOUR),
    "an hour and 6 hours": (1, 6),
}


@dataclass(frozen=True, slots=True)
class Score:
    """How often a way to look ahead is right."""

    fired: int
    """Hours at which it fires."""
    right: int
    """Of them, those after which the budget ran out in time."""
    due: int
    """Hours after which it did, fired or not."""
    ends: int
    """Times that a budget ran out."""
    warned: int
    """Of them, those before which it fired in the time that it looks ahead."""

    def __add__(self, other: "Score") -> "Score":
        return Score(
            self.fired + other.fired,
            self.right + other.right,
            self.due + other.due,
            self.ends + other.ends,
            self.warned + other.warned,
        )

    @property
    def precision(self) -> float:
        """The share of what fires that is right."""
        return self.right / max(self.fired, 1)

    @property
    def recall(self) -> float:
        """The share of what is due that fires."""
        return self.right / max(self.due, 1)


def score(service: str, windows: Windows, runs: int) -> Score:
    """Return how often windows are right for a service."""
    parts = (
        _score(draw(service, LENGTH, 5, run), windows, BUDGETS[service]) for run in range(runs)
    )
    return sum(parts, Score(0, 0, 0, 0, 0))


def _score(past: Past, windows: Windows, budget: float) -> Score:
    within = RULE.within // HOUR
    ends = np.arange(MONTH, LENGTH + 1)
    left = 1 - _ratio(past, ends, MONTH) / budget
    gone = left <= 0
    so_far = np.concatenate([[0], np.cumsum(gone)])
    places = np.arange(len(ends) - within)
    soon = so_far[places + within + 1] > so_far[places + 1]
    positive = ~gone[places]
    fires = positive.copy()
    for window in windows:
        burn = _ratio(past, ends[places], window) / budget
        fires &= left[places] * MONTH <= burn * within
    begins = np.flatnonzero(gone[1:] & ~gone[:-1]) + 1
    warned = sum(bool(fires[max(begin - within, 0) : begin].any()) for begin in begins)
    return Score(
        fired=int(fires.sum()),
        right=int((fires & soon).sum()),
        due=int((positive & soon).sum()),
        ends=len(begins),
        warned=warned,
    )


def _ratio(past: Past, ends: NDArray[np.int64], window: int) -> Hours:
    total, bad = (np.concatenate([[0.0], np.cumsum(part)]) for part in (past.total, past.bad))
    ratio: Hours = (bad[ends] - bad[ends - window]) / (total[ends] - total[ends - window])
    return ratio


def main() -> None:
    """Print the table of docs/rules.md."""
    runs = int(sys.argv[1]) if sys.argv[1:] else 100
    print("| Service | By the rate of | precision | recall | warned of |")
    for service in BUDGETS:
        for name, windows in WAYS.items():
            found = score(service, windows, runs)
            print(
                f"| {WORDS[service]} | {name} | {found.precision:.0%} | {found.recall:.0%}"
                f" | {found.warned} of {found.ends} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
