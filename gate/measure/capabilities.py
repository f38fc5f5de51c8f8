"""The abilities of some backends beside counting at one instant, and how to use them."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import chain, groupby
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple, Protocol, runtime_checkable

from gate.dataclass import dataclass
from gate.measure import Answer, Backend, Cause, CountRequest, Definition, Unmeasured
from gate.measure.history import SeriesAnswer, SeriesRequest, let_go
from gate.slo.indicator import Sli

if TYPE_CHECKING:  # every measuring command imports this module
    from gate.measure.cohorts import CohortBackend, LabelBackend
    from gate.measure.pairing import PairBackend


@dataclass(frozen=True, slots=True, kw_only=True)
class PastRun:
    """The requests of one run at its one instant, now or in the past."""

    requests: tuple[CountRequest, ...]
    """Each of them ends at ``at``."""
    at: datetime


@runtime_checkable
class PastBackend(Protocol):
    """A backend that counts for many runs faster than for one after the other."""

    def measure_past(self, runs: Sequence[PastRun]) -> list[list[Answer]]:
        """Answer every request of every run, in order; never raises.

        Each answer equals that of `Backend.measure` for the run alone.
        """
        ...


def measure_past(backend: Backend, runs: Sequence[PastRun]) -> list[list[Answer]]:
    """Answer every request of every run, in order; with one call for each run by default."""
    candidate: Backend | PastBackend = backend
    if isinstance(candidate, PastBackend):
        return candidate.measure_past(runs)
    return [backend.measure(run.requests, run.at) if run.requests else [] for run in runs]


@runtime_checkable
class HistoryBackend(Protocol):
    """A backend with a history. Not every backend has one."""

    def history(self, requests: Sequence[SeriesRequest]) -> list[SeriesAnswer]:
        """Return the events of each step, for every request in order; never raises.

        The sum over the steps is what `Backend.measure` counts over the span, except for a server's
        extrapolation at the ends of each step.
        """
        ...


@runtime_checkable
class BatchedHistory(Protocol):
    """A backend that answers a few requests at a time, and does not keep its answers."""

    def each_history(self, requests: Sequence[SeriesRequest]) -> Iterator[SeriesAnswer]:
        """Yield the answers of `HistoryBackend.history`; a batch is requested when it is needed.

        The time between two answers is not counted towards the time limit.
        """
        ...


def each_answer(
    history: HistoryBackend, requests: Sequence[SeriesRequest]
) -> Iterator[SeriesAnswer]:
    """Yield the answer to every request in order, without keeping it.

    A caller that drops each answer therefore needs memory for one batch. A backend without batches
    is asked for all answers at once.

    Raises:
        RuntimeError: such a backend does not give one answer to each request.
    """
    if not requests:
        return
    if isinstance(history, BatchedHistory):
        yield from history.each_history(requests)
        return
    yield from let_go(history.history(requests), len(requests))


@runtime_checkable
class KeepingBackend(Protocol):
    """A backend that keeps the data of its counts, for the histories of the same windows."""

    def kept(self, request: SeriesRequest) -> SeriesAnswer | None:
        """Return a history from the data of the last `Backend.measure`; None: it must be requested.

        It never raises, and reads only data outside of the window.
        """
        ...


@runtime_checkable
class LimitedBackend(Protocol):
    """A backend that works within a time limit, and can continue with another one."""

    def within(self, timeout: timedelta) -> Backend:
        """Return the same backend, with its connections and its knowledge of the server."""
        ...


@runtime_checkable
class DefiningBackend(Protocol):
    """A backend whose indicators are SLOs of a platform, with objectives and windows."""

    def definitions(self, slis: Sequence[Sli]) -> list[Definition | Unmeasured]:
        """Return the platform's definition of each indicator, in order; never raises.

        The platform is queried once in a run, however often this is called.
        """
        ...


def definitions_of(backend: Backend, slis: Sequence[Sli]) -> list[Definition | Unmeasured]:
    """Return the definition of each indicator from a backend's platform, in order; never raises."""
    candidate: object = backend
    if isinstance(candidate, DefiningBackend):
        return candidate.definitions(slis)
    reason = "its backend keeps no SLOs that have an objective and a window"
    return [Unmeasured(cause=Cause.INVALID, reason=reason)] * len(slis)


def history_of(backend: Backend) -> HistoryBackend | None:
    """Return the backend if it has a history; otherwise None."""
    candidate: Backend | HistoryBackend = backend
    return candidate if isinstance(candidate, HistoryBackend) else None


def cohorts_of(backend: Backend) -> "CohortBackend | None":
    """Return the backend if it can group events by labels; otherwise None."""
    from gate.measure.cohorts import CohortBackend  # noqa: PLC0415 - for one command only

    candidate: Backend | CohortBackend = backend
    return candidate if isinstance(candidate, CohortBackend) else None


def labels_of(backend: Backend) -> "LabelBackend | None":
    """Return the backend if it knows the labels of events; otherwise None."""
    from gate.measure.cohorts import LabelBackend  # noqa: PLC0415 - for two commands only

    candidate: Backend | LabelBackend = backend
    return candidate if isinstance(candidate, LabelBackend) else None


def pairs_of(backend: Backend) -> "PairBackend | None":
    """Return the backend if it can join requests with their copies; otherwise None."""
    from gate.measure.pairing import PairBackend  # noqa: PLC0415 - for shadows only

    candidate: Backend | PairBackend = backend
    return candidate if isinstance(candidate, PairBackend) else None


@runtime_checkable
class Composed(Protocol):
    """A backend that passes each request to the backend that its indicator names."""

    def counting(self, sli: Sli) -> Backend:
        """Return the backend that counts an indicator."""
        ...


def counting(backend: Backend, sli: Sli) -> Backend:
    """Return the backend that counts an indicator; among several, the one that it names."""
    candidate: Backend | Composed = backend
    return candidate.counting(sli) if isinstance(candidate, Composed) else backend


class DatedRequest(NamedTuple):
    """A request of one of several runs."""

    request: CountRequest
    at: datetime

    @property
    def sli(self) -> Sli:
        """The indicator."""
        return self.request.sli


def measure_dated(dated: Sequence[DatedRequest], backend: Backend) -> list[Answer]:
    """Return the answers to requests of several runs, in order."""
    runs = [
        PastRun(requests=tuple(each.request for each in own), at=at)
        for at, own in groupby(dated, key=attrgetter("at"))
    ]
    return list(chain.from_iterable(measure_past(backend, runs)))
