"""Pass each request to the backend that its indicator names, and merge the answers."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Final, NamedTuple, Protocol, TypeVar

from gate.backends import Settings, open_backend
from gate.backends.several.asking import (
    AskedBackend,
    HandedOver,
    answers_of,
    ask_all,
    placed_answer,
)
from gate.measure import Answer, Backend, CountRequest, Definition, Limits, Unmeasured
from gate.measure.capabilities import (
    DatedRequest,
    DefiningBackend,
    KeepingBackend,
    PastRun,
    cohorts_of,
    each_answer,
    history_of,
    labels_of,
    measure_dated,
    pairs_of,
)
from gate.measure.cohorts import (
    CohortAnswer,
    CohortRequest,
    LabelAnswer,
    LabelRequest,
    each_cohort_answer,
)
from gate.measure.history import SeriesAnswer, SeriesRequest
from gate.measure.pairing import PairAnswer, PairRequest
from gate.slo.indicator import Sli
from gate.wording import NO_HISTORY


class _Request(Protocol):
    """Any request about an indicator."""

    @property
    def sli(self) -> Sli:
        """The indicator."""
        ...


R = TypeVar("R", bound=_Request)
A = TypeVar("A")
_NO_GROUPS: Final = "cannot separate events by labels"
_NO_LABELS: Final = "cannot group failures by label"
_NO_DEFINITIONS: Final = "keeps no SLOs that have an objective and a window"
_NO_PAIRS: Final = "has no single requests that could be paired"


class SeveralBackends:
    """Several backends in place of one.

    It has a history if any of them has one, and so on: it has every method that one of them has.
    """

    def __init__(self, sources: Mapping[str, AskedBackend[Backend]], limits: Limits) -> None:
        """Take the backends by name."""
        self._sources = sources
        self._limits = limits
        # The abilities of a backend are its methods (`gate.measure.capabilities.history_of`): a
        # method that none of them has must be absent.
        if self._any(history_of):
            self.history = self._history
            self.each_history = self._each_history
        if self._any(cohorts_of):
            self.cohorts = self._cohorts
            self.each_cohorts = self._each_cohorts
        if self._any(labels_of):
            self.label_counts = self._label_counts
        if self._any(pairs_of):
            self.pairs = self._pairs
        if self._any(_defining):
            self.definitions = self._definitions

    def _any(self, offered: Callable[[Backend], object | None]) -> bool:
        """Return whether any has it; one that could not be opened might, and returns the reason."""
        opened = [source.opened for source in self._sources.values()]
        return any(backend is None or offered(backend) is not None for backend in opened)

    def counting(self, sli: Sli) -> Backend:
        """Return the backend that counts an indicator; this one if it could not be opened."""
        return self._sources[sli.backend].opened or self

    def measure(self, requests: Sequence[CountRequest], at: datetime) -> list[Answer]:
        """Return the answers of all, in order, with the reasons of those that failed."""

        def ask(own: Sequence[CountRequest], backend: Backend) -> list[Answer]:
            return backend.measure(own, at)

        return self._routed(requests, ask)

    def measure_past(self, runs: Sequence[PastRun]) -> list[list[Answer]]:
        """Answer every request of every run, in order; never raises."""
        dated = [DatedRequest(request, run.at) for run in runs for request in run.requests]
        answers = iter(self._routed(dated, measure_dated))
        return [[next(answers) for _ in run.requests] for run in runs]

    def _definitions(self, slis: Sequence[Sli]) -> list[Definition | Unmeasured]:
        def ask(own: Sequence[_Asked], backend: Backend) -> list[Definition | Unmeasured] | None:
            defining: object = backend
            if not isinstance(defining, DefiningBackend):
                return None
            return defining.definitions([each.sli for each in own])

        return self._routed([_Asked(sli) for sli in slis], ask, _NO_DEFINITIONS)

    def _history(self, requests: Sequence[SeriesRequest]) -> list[SeriesAnswer]:
        return list(self._each_history(requests))

    def _each_history(self, requests: Sequence[SeriesRequest]) -> Iterator[SeriesAnswer]:
        return self._one_by_one(requests, _each_of_history)

    def kept(self, request: SeriesRequest) -> SeriesAnswer | None:
        """Return a history from the counting backend's data; None: it must be requested."""
        own: Backend | KeepingBackend | None = self._sources[request.sli.backend].opened
        return own.kept(request) if isinstance(own, KeepingBackend) else None

    def _cohorts(self, requests: Sequence[CohortRequest]) -> list[CohortAnswer]:
        return list(self._each_cohorts(requests))

    def _each_cohorts(self, requests: Sequence[CohortRequest]) -> Iterator[CohortAnswer]:
        return self._one_by_one(requests, _each_of_cohorts)

    def _label_counts(self, requests: Sequence[LabelRequest]) -> list[LabelAnswer]:
        def ask(own: Sequence[LabelRequest], backend: Backend) -> list[LabelAnswer] | None:
            labels = labels_of(backend)
            return None if labels is None else labels.label_counts(own)

        return self._routed(requests, ask, _NO_LABELS)

    def _pairs(self, requests: Sequence[PairRequest]) -> list[PairAnswer]:
        def ask(own: Sequence[PairRequest], backend: Backend) -> list[PairAnswer] | None:
            pairing = pairs_of(backend)
            return None if pairing is None else pairing.pairs(own)

        return self._routed(requests, ask, _NO_PAIRS)

    def _one_by_one(
        self,
        requests: Sequence[R],
        ask: Callable[[Sequence[R], AskedBackend[Backend], Backend], Iterator[A | Unmeasured]],
    ) -> Iterator[A | Unmeasured]:
        """Yield the answers to all requests, in order; each backend works ahead, a batch at most.

        Args:
            requests: each names its backend.
            ask: yields a backend's answers to its own requests.
        """
        by_name: dict[str, list[R]] = {}
        for request in requests:
            by_name.setdefault(request.sli.backend, []).append(request)
        answers = {
            name: HandedOver(source, partial(ask, own, source), len(own), self._limits)
            for name, own in by_name.items()
            for source in (self._sources[name],)
        }
        try:
            for request in requests:
                name = request.sli.backend
                yield placed_answer(answers[name].take(), self._sources[name])
        finally:
            for handed_over in answers.values():
                handed_over.leave()

    def _routed(
        self,
        requests: Sequence[R],
        ask: Callable[[Sequence[R], Backend], list[A] | None],
        lack: str = "",
    ) -> list[A | Unmeasured]:
        """Return the answers to all requests, in order.

        Args:
            requests: each names its backend.
            ask: sends a backend its own requests; returns None if the backend does not support
                them.
            lack: the lack of such a backend, after its name.
        """
        places: dict[str, list[int]] = {}
        for place, request in enumerate(requests):
            places.setdefault(request.sli.backend, []).append(place)
        tasks = {
            name: partial(ask, [requests[place] for place in own]) for name, own in places.items()
        }
        answers: dict[int, A | Unmeasured] = {}
        for name, outcome in ask_all(self._sources, tasks, self._limits).items():
            own = answers_of(outcome, len(places[name]), self._sources[name], lack)
            answers |= zip(places[name], own, strict=True)
        return [answers[place] for place in range(len(requests))]


def _defining(backend: Backend) -> object | None:
    candidate: object = backend
    return candidate if isinstance(candidate, DefiningBackend) else None


class _Asked(NamedTuple):
    """A request about one indicator alone."""

    sli: Sli
    """The indicator."""


def _each_of_history(
    requests: Sequence[SeriesRequest], source: AskedBackend[Backend], backend: Backend
) -> Iterator[SeriesAnswer]:
    history = history_of(backend)
    if history is None:
        yield from answers_of(None, len(requests), source, f"{NO_HISTORY} to look at")
    else:
        yield from each_answer(history, requests)


def _each_of_cohorts(
    requests: Sequence[CohortRequest], source: AskedBackend[Backend], backend: Backend
) -> Iterator[CohortAnswer]:
    grouping = cohorts_of(backend)
    if grouping is None:
        yield from answers_of(None, len(requests), source, _NO_GROUPS)
    else:
        yield from each_cohort_answer(grouping, requests)


def open_several(settings: Mapping[str, Settings], limits: Limits) -> SeveralBackends:
    """Open the backends of these settings, by name; never raises.

    A backend that cannot be opened, since its package is missing, fails for every request.
    """
    sources = {
        name: AskedBackend(name, own, partial(open_backend, own, limits))
        for name, own in settings.items()
    }
    return SeveralBackends(sources, limits)
