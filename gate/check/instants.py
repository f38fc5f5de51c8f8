"""Many checks at instants of the past, with few requests to the backend.

Each check runs as it would alone, on a backend that has the answers to its first requests and stops
the check at the next one. The requests of all checks are sent together, and each check starts again
with one more answer. So the requests of a check are defined in one place, and its answers are its
own.
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import field
from datetime import datetime
from typing import Any, Final, Generic, TypeVar

from gate.dataclass import dataclass
from gate.measure import Answer, Backend, CountRequest
from gate.measure.capabilities import HistoryBackend, PastRun, measure_past
from gate.measure.history import SeriesAnswer, SeriesRequest

Moment = TypeVar("Moment")
Checked = TypeVar("Checked")
MOST_COUNTS: Final = 20_000
"""The maximum number of counts that are held at once, at 1 to 2 kB each; one check may need
more."""
MOST_STEPS: Final = 2_000_000
"""The maximum number of steps of histories that are held at once, at about 64 bytes each; one check
may need more."""


def run_checks(
    backend: Backend,
    history: HistoryBackend,
    moments: Sequence[Moment],
    check: Callable[[Backend, Moment], Checked],
) -> list[Checked]:
    """Return the result of the check of each moment, in their order.

    Args:
        backend: the backend that counts.
        history: the same backend, as the source of history.
        moments: the subjects of the checks. Neighbours are requested together.
        check: sends requests to the given backend, and returns a small result, since all results
            are kept. It is called several times for a moment and sends the same requests each time.
    """
    checks = [_Check(moment, check) for moment in moments]
    waiting, counts = list[_Check[Moment, Checked]](), 0
    for begun in checks:
        begun.go_on()
        waiting.append(begun)
        counts += begun.counts
        if counts >= MOST_COUNTS:
            _finish(backend, history, waiting)
            waiting, counts = [], 0
    _finish(backend, history, waiting)
    return [checked for finished in checks for checked in finished.checked]


class _UnansweredError(Exception):
    """Stops a check at a request that has no answer yet."""

    def __init__(self, question: PastRun | tuple[SeriesRequest, ...]) -> None:
        super().__init__()
        self.question = question


class _Answered:
    """A backend that has the answers to the first requests of a check, in their order."""

    def __init__(self, answers: Sequence[list[Any]]) -> None:
        self._answers = iter(answers)

    def measure(self, requests: Sequence[CountRequest], at: datetime) -> list[Answer]:
        """Return the answers, or stop the check."""
        return self._next(PastRun(requests=tuple(requests), at=at))

    def history(self, requests: Sequence[SeriesRequest]) -> list[SeriesAnswer]:
        """Return the answers, or stop the check."""
        return self._next(tuple(requests))

    def _next(self, question: PastRun | tuple[SeriesRequest, ...]) -> list[Any]:
        for answers in self._answers:
            return answers
        raise _UnansweredError(question)


@dataclass(slots=True)
class _Check(Generic[Moment, Checked]):
    """The check of one moment, as far as its requests are answered."""

    moment: Moment
    check: Callable[[Backend, Moment], Checked]
    answers: list[list[Any]] = field(default_factory=list)
    run: PastRun | None = None
    """The counts that it needs next."""
    requests: tuple[SeriesRequest, ...] | None = None
    """The histories that it needs next; the check ends when it needs nothing more."""
    checked: list[Checked] = field(default_factory=list)
    """The results, once there are any."""

    def go_on(self) -> None:
        """Run it again, to its end or to its next request."""
        self.run = self.requests = None
        try:
            checked = self.check(_Answered(self.answers), self.moment)
        except _UnansweredError as stopped:
            if isinstance(stopped.question, PastRun):
                self.run = stopped.question
            else:
                self.requests = stopped.question
            return
        self.checked = [checked]
        self.answers = []  # they take more memory than all that is kept

    @property
    def counts(self) -> int:
        """The number of counts that it needs next."""
        return 0 if self.run is None else len(self.run.requests)


def _finish(
    backend: Backend, history: HistoryBackend, waiting: Sequence[_Check[Moment, Checked]]
) -> None:
    """Answer the requests of these checks, and their further ones, until none is left."""
    while True:
        counting = [(check, check.run) for check in waiting if check.run is not None]
        looking = [(check, check.requests) for check in waiting if check.requests is not None]
        if counting:
            answers = _measure(backend, [run for _, run in counting])
            for (check, _), counts in zip(counting, answers, strict=True):
                check.answers.append(counts)
                check.go_on()
        elif looking:
            _look_back(history, looking)
        else:
            return


Asked = TypeVar("Asked", CountRequest, SeriesRequest)


class _Once(Generic[Asked]):
    """Requests for one instant or for several; each is sent once."""

    def __init__(self) -> None:
        self.requests: list[Asked] = []
        self._alike: dict[Hashable, list[int]] = {}

    def places(self, requests: Sequence[Asked]) -> list[int]:
        """Return the index of each among all; new ones are added."""
        return [self._place(request) for request in requests]

    def _place(self, request: Asked) -> int:
        # The parts of an indicator are not hashable.
        alike = self._alike.setdefault((request.span, request.slices, request.amount), [])
        for place in alike:
            if self.requests[place] == request:
                return place
        alike.append(len(self.requests))
        self.requests.append(request)
        return alike[-1]


def _measure(backend: Backend, runs: Sequence[PastRun]) -> list[list[Answer]]:
    """Answer the runs, possibly of several policies; equal requests at an instant are sent once.

    Backends receive one run for each instant, as if there were only one policy.
    """
    merged: dict[datetime, _Once[CountRequest]] = {}
    places = [merged.setdefault(run.at, _Once()).places(run.requests) for run in runs]
    whole = [PastRun(requests=tuple(once.requests), at=at) for at, once in merged.items()]
    answers = dict(zip(merged, measure_past(backend, whole), strict=True))
    return [
        [answers[run.at][place] for place in own] for run, own in zip(runs, places, strict=True)
    ]


def _look_back(
    history: HistoryBackend,
    looking: Sequence[tuple[_Check[Moment, Checked], tuple[SeriesRequest, ...]]],
) -> None:
    """Answer the first of these requests, as many as may be held at once."""
    first, steps = list[tuple[_Check[Moment, Checked], tuple[SeriesRequest, ...]]](), 0
    for check, requests in looking:
        first.append((check, requests))
        steps += sum(request.steps for request in requests)
        if steps >= MOST_STEPS:
            break
    once = _Once[SeriesRequest]()
    places = [once.places(requests) for _, requests in first]
    answers = history.history(once.requests)
    for (check, _), own in zip(first, places, strict=True):
        check.answers.append([answers[place] for place in own])
        check.go_on()
