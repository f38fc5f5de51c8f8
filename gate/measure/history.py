"""The contract of backends that keep a history, and the steps of a history.

Steps follow the clock, not the run: each lies between two multiples of its length since 1970 (UTC),
so that an event is in the same step in every run. Only the newest may end earlier, with the run.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Final, TypeVar

from gate.dataclass import dataclass
from gate.measure import Unmeasured
from gate.measure.active_times import sum_of_known
from gate.slo.indicator import Sli, Slices
from gate.slo.objective import Span

A = TypeVar("A")
MOST_STEPS: Final = 720
"""The maximum number of steps in a window: one per hour for 30 days, so that an instant is exact to
the hour, and a share of the window to 0.14%."""
SHORTEST: Final = timedelta(minutes=5)
"""The shortest step: a step with fewer scrapes may have no data."""
SAMPLED: Final = timedelta(seconds=15)
"""The assumed time between two samples: the most common scrape interval."""
_MINUTE: Final = timedelta(minutes=1)
_PARTS: Final = tuple(number * _MINUTE for number in (1, 5, 15, 30, 60, 360, 720))
"""The lengths of the parts in which a stretch is examined for data; see `clock_part`."""
_HOUR: Final = timedelta(hours=1)
_BY_HOURS: Final = timedelta(days=92)
MOST_PARTS: Final = _BY_HOURS // _HOUR
"""The maximum number of parts in a stretch of at most a year (`clock_part`)."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def coverage_step(length: timedelta) -> timedelta:
    """Return a step that divides a stretch into at most 720, to find which of them have data.

    It is a multiple of a quarter of a minute, the usual scrape interval; from five minutes on, of a
    minute, like in the history.
    """
    finest = -(-length // (MOST_STEPS * SAMPLED)) * SAMPLED
    return _history_step(length) if finest >= SHORTEST else max(finest, SAMPLED)


def clock_part(length: timedelta) -> timedelta:
    """Return the length of the parts in which a stretch is examined for data.

    It is at least a minute; a stretch of up to 30 days has at most 720 parts, and a stretch of up
    to a quarter of a year has hours, so that a lost hourly file is a number of whole parts. Each
    length is a multiple of all shorter ones, so that parts of any two stretches share their
    boundaries.
    """
    if length <= _BY_HOURS:
        return next(part for part in _PARTS if length <= MOST_STEPS * part or part == _HOUR)
    return next((part for part in _PARTS if length <= MOST_STEPS * part), _PARTS[-1])


def step_of(window: timedelta) -> timedelta:
    """Return the step of a window's history, which has at most 720 steps.

    It is a multiple of a minute, at least five; a shorter window is one step.
    """
    return min(_history_step(window), window)


def _history_step(length: timedelta) -> timedelta:
    return max(-(-length // (MOST_STEPS * _MINUTE)) * _MINUTE, SHORTEST)


def clock_start(at: datetime, step: timedelta) -> datetime:
    """Return the newest boundary of a step at or before an instant: a multiple of it since 1970."""
    at = at.astimezone(UTC)
    return at - (at - _EPOCH) % step


def on_the_clock(span: Span, step: timedelta) -> Span:
    """Return a stretch extended to the start of its first step; its end stays.

    Its newest step is incomplete, unless it ends on a boundary.
    """
    return Span(clock_start(span.start, step), span.end)


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesRequest:
    """A request for the events in each step of a stretch of time."""

    sli: Sli
    span: Span
    """It begins on the clock (`on_the_clock`), except for past periods, whose boundaries are those
    of steps; the newest step ends with it, complete or not."""
    step: timedelta
    """A step excludes its start and includes its end."""
    mean: bool = False
    """Whether to also return the mean of the measured values, if there are any: those of a
    histogram or of a column."""
    slices: Slices | None = None
    """If given, slices are returned instead of events, in the step in which each ends. The step is
    a multiple of them."""
    amount: bool = False
    """Whether to return the spent amount: the series has it as its total and as its bad."""
    max_age: timedelta = timedelta()
    """The time after the newest event in which silence means that nothing happened; after that the
    history is unknown. For backends that see events, not samples."""

    @property
    def steps(self) -> int:
        """The number of steps, including the newest, whether complete or not."""
        return -(-self.span.length // self.step)

    def end_of(self, place: int) -> datetime:
        """Return the end of the step with this index, from 0; for -1, the start of step 0."""
        return min(self.span.start + (place + 1) * self.step, self.span.end)


def unknown_share(with_data: int, steps: int) -> Fraction:
    """Return the share of steps without data, 0 to 1; 0 without steps."""
    return 1 - Fraction(with_data, steps) if steps else Fraction(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """The sums behind the mean of each step: sums can be added, means cannot."""

    sums: tuple[float | None, ...]
    """The sum of the values, in the unit of their measurement; None: the step has no data."""
    events: tuple[float | None, ...]
    """The number of measured events; known if the sum is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """Events by step, the oldest first; None: unknown.

    The numbers are floats: a history is shown and extrapolated, and does not decide on a budget.
    """

    total: tuple[float | None, ...]
    bad: tuple[float | None, ...]
    """Known if the total is; 0 <= bad <= total."""
    query: str
    notes: tuple[str, ...] = ()
    measured: Measured | Unmeasured | None = None
    """None: not requested, or the indicator has no mean."""
    in_runs: bool = False
    """Whether all events come in batch runs, with nothing between them: a step of 0 means that no
    run was due, and only steps with events are news. Any unknown part is missing, however few
    events it has."""


SeriesAnswer = Series | Unmeasured


def with_data(events: Sequence[float | None], *, in_runs: bool) -> Sequence[float | None]:
    """Return the input of `coverage_by_steps`: for runs, only whether a step has data."""
    return [None if number is None else 1.0 for number in events] if in_runs else events


def with_news(events: Sequence[float | None], *, in_runs: bool) -> Sequence[float | None]:
    """Return the steps; if counted in runs, with None for a step without a run: it is not news."""
    return [number or None for number in events] if in_runs else events


def let_go(answers: list[A], number: int) -> Iterator[A]:
    """Yield answers and keep none that was yielded; the list is empty in the end.

    Raises:
        RuntimeError: their number differs from ``number``.
    """
    if len(answers) != number:
        raise RuntimeError(f"the backend gave {len(answers)} answers to {number} requests")
    answers.reverse()
    while answers:
        yield answers.pop()


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
    """Return the events in the requested, longer steps.

    A step is known if any part of it is, as for a server that finds samples anywhere in a step.

    Args:
        answer: the answer to the original request.
        request: the original request, which `covers` the wanted one.
        wanted: a request with steps that are multiples of the original ones.
    """
    if not isinstance(answer, Series):
        return answer
    parts = wanted.step // request.step
    first = (wanted.span.start - request.span.start) // request.step

    def summed(values: Sequence[float | None]) -> tuple[float | None, ...]:
        starts = range(first, len(values), parts)
        return tuple(sum_of_known(values[start : start + parts]) for start in starts)

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
