"""The contract of backends that keep a history, and the steps of a history.

Steps hang on the clock and not on the run: each lies between two whole multiples of its length
since 1970 (UTC), so that the same events are in the same step whenever one looks. Only the newest
may end earlier, with the run.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Final, Protocol, TypeVar, runtime_checkable

from gate.dataclass import dataclass
from gate.measure import Backend, Unmeasured
from gate.slo.indicator import Sli, Slices
from gate.slo.objective import Span

A = TypeVar("A")
MOST_STEPS: Final = 720
"""Steps of a window: one an hour for 30 days, so that an instant is exact to the hour, and a share
of the window to 0.14%."""
SHORTEST: Final = timedelta(minutes=5)
"""A step with fewer scrapes may know nothing."""
SAMPLED: Final = timedelta(seconds=15)
"""The time between two samples that is assumed: the most common interval of scrapes."""
_MINUTE: Final = timedelta(minutes=1)
_PARTS: Final = tuple(number * _MINUTE for number in (1, 5, 15, 30, 60, 360, 720))
"""In which a stretch is looked at, to see which of them have data; see `clock_part`."""
_HOUR: Final = timedelta(hours=1)
_BY_HOURS: Final = timedelta(days=92)
MOST_PARTS: Final = _BY_HOURS // _HOUR
"""The most parts of a stretch of a year or less (`clock_part`)."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def coverage_step(length: timedelta) -> timedelta:
    """Return a step that divides a stretch into at most 720, to see which of them have data.

    Of whole quarters of a minute, the usual time between scrapes; from five minutes on, as in the
    history, of whole minutes.
    """
    finest = -(-length // (MOST_STEPS * SAMPLED)) * SAMPLED
    return _history_step(length) if finest >= SHORTEST else max(finest, SAMPLED)


def clock_part(length: timedelta) -> timedelta:
    """Return how long the parts of a stretch are that are looked at to see which have data.

    At least a minute; at most 720 make a stretch of up to 30 days, and hours one of up to a quarter
    of a year, so that a lost file of an hour is whole parts. Each length is a whole number of all
    shorter ones: parts of any two stretches have their bounds in common.
    """
    if length <= _BY_HOURS:
        return next(part for part in _PARTS if length <= MOST_STEPS * part or part == _HOUR)
    return next((part for part in _PARTS if length <= MOST_STEPS * part), _PARTS[-1])


def step_of(window: timedelta) -> timedelta:
    """Return the step of the history of a window, which has at most 720 steps.

    Of whole minutes, at least five; a shorter window is one step.
    """
    return min(_history_step(window), window)


def _history_step(length: timedelta) -> timedelta:
    return max(-(-length // (MOST_STEPS * _MINUTE)) * _MINUTE, SHORTEST)


def clock_start(at: datetime, step: timedelta) -> datetime:
    """Return the newest bound of a step at or before an instant: a multiple of it since 1970."""
    at = at.astimezone(UTC)
    return at - (at - _EPOCH) % step


def on_the_clock(span: Span, step: timedelta) -> Span:
    """Return a stretch with all of the step that it begins in; it ends where it did.

    Its newest step is a part of one, unless it ends on a bound of a step.
    """
    return Span(clock_start(span.start, step), span.end)


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesRequest:
    """A request for the events in each step of a stretch of time."""

    sli: Sli
    span: Span
    """Begins on the clock (`on_the_clock`), but for past periods, whose bounds are where steps end;
    the newest step ends with it, whole or not."""
    step: timedelta
    """Each leaves its start out and includes its end."""
    mean: bool = False
    """Also return the mean of what the indicator measures, if it measures something: the values of
    a histogram or of a column."""
    slices: Slices | None = None
    """Given: return slices instead of events, in the step in which each ends. The step is a whole
    number of them."""
    amount: bool = False
    """Tell what was spent: the series has it as its total and as its bad."""
    max_age: timedelta = timedelta()
    """How long after the newest event silence says that nothing happened; after that nothing is
    known. For backends that see events and no samples."""

    @property
    def steps(self) -> int:
        """How many steps there are, with the newest, be it whole or not."""
        return -(-self.span.length // self.step)

    def end_of(self, place: int) -> datetime:
        """Return when the step of this place ends, from 0; of -1: when the first begins."""
        return min(self.span.start + (place + 1) * self.step, self.span.end)


def unknown_share(with_data: int, steps: int) -> Fraction:
    """Return the share of steps without data, 0 to 1; 0 without steps."""
    return 1 - Fraction(with_data, steps) if steps else Fraction(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """The sums behind the mean of each step: sums can be added up, means cannot."""

    sums: tuple[float | None, ...]
    """The mean of the values, in the unit that they are measured in; None: the step has no data."""
    events: tuple[float | None, ...]
    """That were measured; known wherever the sum is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """Events by step, the oldest first; None: unknown.

    Floats: a history is looked at and extrapolated from, and no budget is decided by it.
    """

    total: tuple[float | None, ...]
    bad: tuple[float | None, ...]
    """Known wherever the total is; 0 <= bad <= total."""
    query: str
    notes: tuple[str, ...] = ()
    measured: Measured | Unmeasured | None = None
    """None: no mean was asked for, or the indicator has none."""
    in_runs: bool = False
    """Whether all events come in runs, with nothing between them: a step of 0 says that no run was
    due, and only those with events are news. Of what is not known any part is missing, however few
    events it has."""


SeriesAnswer = Series | Unmeasured


def with_data(events: Sequence[float | None], *, in_runs: bool) -> Sequence[float | None]:
    """Return what `coverage_by_steps` takes: in runs, that a step has data, and not how many."""
    return [None if number is None else 1.0 for number in events] if in_runs else events


def with_news(events: Sequence[float | None], *, in_runs: bool) -> Sequence[float | None]:
    """Return the steps; if counted in runs, with None for a step without a run: it is not news."""
    return [number or None for number in events] if in_runs else events


@runtime_checkable
class HistoryBackend(Protocol):
    """Anything that has a history. Not every backend does."""

    def history(self, requests: Sequence[SeriesRequest]) -> list[SeriesAnswer]:
        """Return what happened in each step, for every request in order; never raises.

        The sum over the steps is what `Backend.measure` counts over the span, but for what a
        server extrapolates at the ends of each step.
        """
        ...


@runtime_checkable
class BatchedHistory(Protocol):
    """A backend that answers a few requests at a time, and keeps no answer that it has given."""

    def each_history(self, requests: Sequence[SeriesRequest]) -> Iterator[SeriesAnswer]:
        """Yield the answers of `HistoryBackend.history`; a batch is asked for when it is needed.

        The time between two answers is not counted towards the time limit.
        """
        ...


def each_answer(
    history: HistoryBackend, requests: Sequence[SeriesRequest]
) -> Iterator[SeriesAnswer]:
    """Yield the answer to every request in order, and keep none that was yielded.

    A caller that drops each answer therefore needs memory for one batch. A backend that does not
    answer in batches is asked for all answers at once.

    Raises:
        RuntimeError: such a backend does not give one answer to each request.
    """
    if not requests:
        return
    if isinstance(history, BatchedHistory):
        yield from history.each_history(requests)
        return
    yield from let_go(history.history(requests), len(requests))


def let_go(answers: list[A], number: int) -> Iterator[A]:
    """Yield answers and keep none that was yielded; the list is empty in the end.

    Raises:
        RuntimeError: they are not this many.
    """
    if len(answers) != number:
        raise RuntimeError(f"the backend gave {len(answers)} answers to {number} requests")
    answers.reverse()
    while answers:
        yield answers.pop()


@runtime_checkable
class KeepingBackend(Protocol):
    """A backend that keeps what it has read to count, for the histories of the same windows."""

    def kept(self, request: SeriesRequest) -> SeriesAnswer | None:
        """Return what the last `Backend.measure` says of a history; None: it has to be asked.

        Never raises, and reads nothing but what lies beside the window.
        """
        ...


@runtime_checkable
class LimitedBackend(Protocol):
    """A backend that works within a time limit, and can go on within another one."""

    def within(self, timeout: timedelta) -> Backend:
        """Return the same backend, with its connections and what it has learnt of the server."""
        ...


def covers(request: SeriesRequest, wanted: SeriesRequest) -> bool:
    """Return whether the answer to one request contains the answer to another."""
    return (
        request.sli == wanted.sli
        and (request.mean or not wanted.mean)
        and (request.slices, request.amount) == (wanted.slices, wanted.amount)
        and request.max_age == wanted.max_age
        and request.span.end == wanted.span.end
        and request.span.start <= wanted.span.start
        and not wanted.step % request.step
        and not (wanted.span.start - request.span.start) % request.step
    )


def coarser(answer: SeriesAnswer, request: SeriesRequest, wanted: SeriesRequest) -> SeriesAnswer:
    """Return what happened in the steps that are wanted.

    Of a step something is known where it is of any part of it, as a server has it that finds
    samples anywhere in a step.

    Args:
        answer: to what was asked.
        request: what was asked; it `covers` what is wanted.
        wanted: with steps that are multiples of those that were asked for.
    """
    if not isinstance(answer, Series):
        return answer
    parts = wanted.step // request.step
    first = (wanted.span.start - request.span.start) // request.step

    def summed(values: Sequence[float | None]) -> tuple[float | None, ...]:
        starts = range(first, len(values), parts)
        return tuple(_sum(values[start : start + parts]) for start in starts)

    measured = answer.measured
    if isinstance(measured, Measured):
        measured = Measured(sums=summed(measured.sums), events=summed(measured.events))
    return Series(
        total=summed(answer.total),
        bad=summed(answer.bad),
        query=answer.query,
        notes=answer.notes,
        measured=measured,
        in_runs=answer.in_runs,
    )


def _sum(values: Sequence[float | None]) -> float | None:
    measured = [value for value in values if value is not None]
    return sum(measured) if measured else None
