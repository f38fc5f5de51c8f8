"""The state of a watch, with which it continues after a restart."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import field
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Protocol, TypeGuard, TypeVar

from gate.analysis.watch import WatchLook
from gate.analysis.watch.arms import WatchGrid
from gate.dataclass import dataclass
from gate.decision.reading import OddDocumentError, read_instant, read_json
from gate.decision.slo_document import rfc3339
from gate.errors import UsageError
from gate.history.sequential import ComparedStep
from gate.slo.quantities import format_duration

T = TypeVar("T")
_KIND: Final = "gate watch state"
_VERSION: Final = 1
_NAMES: Final = {
    "policy_sha256": "policy",
    "every_seconds": "time between two looks",
    "for_seconds": "length",
    "revision": "commit",
    "max_spend": "limit of what the canary may spend",
}
"""The words for the keys of a state in messages."""
_LONGEST: Final = 1e9
"""The maximum number of seconds."""
_REMEDY: Final = "remove the file to watch from now on"
_COUNTS: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchQuestion:
    """The question of a watch; the state of another question does not answer it."""

    policy: str
    """The policy's hash."""
    service: str
    canary: str
    baseline: str | None
    slos: tuple[str, ...]
    every: timedelta
    lasting: timedelta
    revision: str | None
    """The commit of the canary; None: unknown."""
    bars: Mapping[str, str]
    """The options that decide, by name: they were stated before the first look, and stay."""

    @property
    def steps(self) -> int:
        """The number of steps in the watch."""
        return -(-self.lasting // self.every)

    def document(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {
            "policy_sha256": self.policy,
            "service": self.service,
            "canary": self.canary,
            "baseline": self.baseline,
            "slos": list(self.slos),
            "every_seconds": self.every.total_seconds(),
            "for_seconds": self.lasting.total_seconds(),
            "revision": self.revision,
            **self.bars,
        }


@dataclass(slots=True, kw_only=True)
class WatchState:
    """The steps of a watch and their settled counts."""

    question: WatchQuestion
    grid: WatchGrid
    settled: dict[str, dict[int, ComparedStep]] = field(default_factory=dict)
    """By SLO and number of the step, in the order in which they settled."""
    looks: int = 0

    def unsettled(self, slo: str, ended: int) -> list[int]:
        """Return the steps of an SLO to be requested, of those that have ended."""
        settled = self.settled.get(slo, {})
        return [place for place in range(ended) if place not in settled]

    def settle(self, slo: str, place: int, step: ComparedStep) -> None:
        """Keep the counts of a step, which are not requested again."""
        self.settled.setdefault(slo, {})[place] = step

    def text(self) -> str:
        """Return the text of the state file."""
        document = {
            "kind": _KIND,
            "version": _VERSION,
            **self.question.document(),
            "start": rfc3339(self.grid.start),
            "steps": self.grid.count,
            "looks": self.looks,
            "settled": {
                slo: [[place, *step] for place, step in steps.items()]
                for slo, steps in self.settled.items()
            },
        }
        return json.dumps(document, allow_nan=False) + "\n"


class Ask(Protocol):
    """A function that sends a request with a possibly slow answer."""

    def __call__(self, question: Callable[[], T], /) -> T | None:
        """Return the answer; None: the watch has to end before there is an answer."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """The facilities of the machine that a watch needs."""

    wall: Callable[[], datetime]
    """Returns the present instant; read once."""
    steady: Callable[[], float]
    """Returns monotonic seconds, which clock changes do not affect."""
    pause: Callable[[float], bool]
    """Waits for this many seconds; returns True at once if the watch has to end."""
    ask: "Ask"
    keep: Callable[[WatchState], None]
    """Writes the state."""
    tell: Callable[[WatchLook], None]
    """Shows the state after each look."""


def read_state(raw: bytes, question: WatchQuestion, file: str) -> WatchState:
    """Return the state in a file.

    Raises:
        UsageError: it is not the state of a watch with this question.
    """
    try:
        return _state(read_json(raw), question)
    except OddDocumentError as error:
        raise UsageError(f"{file} cannot be gone on with: {error}; {_REMEDY}") from error


def _check(document: Mapping[str, Any], question: WatchQuestion) -> None:
    if document.get("version") != _VERSION:
        raise OddDocumentError("another version of gate has written it")
    for key, value in question.document().items():
        kept = document.get(key)
        if key == "revision" and None in (kept, value):
            continue  # only one of the two names its commit
        if kept != value:
            name = _NAMES.get(key, key)
            raise OddDocumentError(
                f"it is of a watch with another {name}{_both(document, key, value)}"
            )


def _both(document: Mapping[str, Any], key: str, value: object) -> str:
    """Write the state's and the requested value; the hash of a policy helps no reader."""
    if key == "policy_sha256":
        return ", or the policy has changed since"
    return f" ({_shown(document.get(key))}, and not {_shown(value)})"


def _shown(value: object) -> str:
    """Write a value of a state for people; a number of seconds is a duration."""
    if isinstance(value, float) and 0 <= value < _LONGEST:
        return format_duration(timedelta(seconds=value))
    return json.dumps(value)


def _state(document: object, question: WatchQuestion) -> WatchState:
    if not isinstance(document, dict) or document.get("kind") != _KIND:
        raise OddDocumentError("it is not the state of a watch")
    _check(document, question)
    start = read_instant(str(document.get("start")))
    count = document.get("steps")
    looks = document.get("looks")
    if start is None or not _is_count(count) or not _is_count(looks):
        raise OddDocumentError("its start or its number of steps is missing")
    if count != question.steps:
        raise OddDocumentError(f"it has {count:,} steps, and this watch has {question.steps:,}")
    grid = WatchGrid(start.astimezone(UTC), question.every, count)
    return WatchState(
        question=question,
        grid=grid,
        looks=looks,
        settled={slo: dict(_steps(document.get("settled"), slo, grid)) for slo in question.slos},
    )


def _is_count(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _steps(settled: object, slo: str, grid: WatchGrid) -> Iterator[tuple[int, ComparedStep]]:
    rows = settled.get(slo, []) if isinstance(settled, dict) else None
    if not isinstance(rows, list):
        raise OddDocumentError("its steps are missing")
    seen = set[int]()
    for row in rows:
        place, *counts = row if isinstance(row, list) and row else [None]
        numbers = [n for n in counts if isinstance(n, int | float) and not isinstance(n, bool)]
        if not _is_count(place) or place >= grid.count or place in seen:
            raise OddDocumentError(f"a step of {slo} is not one of the watch")
        if len(counts) != _COUNTS or len(numbers) != _COUNTS or not _possible(*numbers):
            raise OddDocumentError(f"the counts of a step of {slo} are not possible")
        seen.add(place)
        yield place, ComparedStep(*map(float, numbers))


def _possible(total: float, bad: float, baseline: float, baseline_bad: float) -> bool:
    return 0 <= bad <= total and 0 <= baseline_bad <= baseline
