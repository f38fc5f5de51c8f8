"""The history requests for the share of a budget that was left at instants of the past.

The window of a rolling budget moves with the instant, so its picture needs one window more of
history than it shows. Steps are chosen so that every window begins and ends between two steps: the
sums of the steps then equal the count of the window exactly.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from gate.budget.coverage import Guards
from gate.dataclass import dataclass
from gate.history.events import keeps_past, past_request
from gate.measure.history import MOST_STEPS, SHORTEST, SeriesRequest, clock_start
from gate.slo.objective import CompositeSlo, RatioSlo, RollingWindow, Slo, Span, SpendSlo, Window

_MOST_OF_ALL: Final = 9000
"""The most steps of a history: a year by the hour, and a month by five minutes."""
_FEWEST: Final = 12
"""The fewest steps of a window, if it is so short that they are shorter than usual."""
_MICROSECOND: Final = timedelta(microseconds=1)
_NICE: Final = (
    *(timedelta(seconds=n) for n in (1, 2, 5, 10, 15, 30)),
    *(timedelta(minutes=n) for n in (1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30)),
    *(timedelta(hours=n) for n in (1, 2, 3, 4, 6, 8, 12, 24)),
)
"""Steps that divide a day, so that most windows consist of them, and days begin with one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BurnDownPlan:
    """The history requests for a budget at instants of the past."""

    slo: Slo
    members: tuple[RatioSlo | SpendSlo, ...]
    """The SLOs of the budget: the SLO itself, or the members of a composite."""
    span: Span
    """The time of the instants."""
    step: timedelta
    """The time between two instants; the steps are multiples of it on the clock."""
    requests: Mapping[str, SeriesRequest]
    """The requests by member."""


def plan_burn_down(
    slo: Slo,
    slos: Mapping[str, Slo],
    at: datetime,
    *,
    guards: Guards,
    last: timedelta | None = None,
) -> BurnDownPlan | None:
    """Plan the history requests for the past of one budget.

    The past of a rolling budget covers ``last``, or one window; that of a calendar budget the time
    since its period began, at most ``last``. The plan is None if a calendar period has hardly
    begun, if no step divides the windows, or if a platform defines no objective.

    Args:
        slo: the SLO of the budget.
        slos: the SLOs of its policy by name, with a composite's members.
        at: the instant of the run.
        guards: the guards of the policy; an SLO may override them.
        last: the length of the past; None: that of the window.
    """
    named = [slos[member.slo] for member in slo.members] if isinstance(slo, CompositeSlo) else [slo]
    members = tuple(member for member in named if keeps_past(member))
    if len(members) < len(named):
        return None
    start = min(_shown_from(member.window, at, last) for member in members)
    span = Span(start, at)
    step = _step(members, span)
    if step is None or span.length < step:
        return None
    return BurnDownPlan(
        slo=slo,
        members=members,
        span=span,
        step=step,
        requests={
            member.name: past_request(
                member,
                Span(window_start(member.window, start), at),
                step,
                max_age=guards.of(member).max_age,
            )
            for member in members
        },
    )


def window_start(window: Window, at: datetime) -> datetime:
    """Return the start of the window of the events that follow an instant."""
    if isinstance(window, RollingWindow):
        return window.counted(at).start
    return window.whole(at + _MICROSECOND).start


def _shown_from(window: Window, at: datetime, last: timedelta | None) -> datetime:
    start = window.counted(at).start
    if last is None:
        return start
    return at - last if isinstance(window, RollingWindow) else max(start, at - last)


def _step(members: Sequence[RatioSlo | SpendSlo], span: Span) -> timedelta | None:
    """Return the step of which all windows of all instants of a span consist.

    It is as fine as the step in which ``gate status`` looks for gaps (`MOST_STEPS` of a window), if
    such a step exists and the history does not get too many of them. None: no such step.
    """
    lengths = [
        member.window.duration
        if isinstance(member.window, RollingWindow)
        else member.window.counted(span.end).length
        for member in members
    ]
    whole = span.end - min(window_start(member.window, span.start) for member in members)
    shortest = min(lengths)
    finest = max(whole / _MOST_OF_ALL, max(lengths) / MOST_STEPS, min(SHORTEST, shortest / _FEWEST))
    slices = [m.slices.length for m in members if isinstance(m, RatioSlo) and m.slices is not None]
    fitting = [
        step
        for step in _candidates(slices, shortest)
        if all(not step % length for length in slices) and _divides(step, members, span)
    ]
    return next(
        (step for step in fitting if step >= finest),
        next((step for step in reversed(fitting) if whole / step <= _MOST_OF_ALL), None),
    )


def _candidates(slices: Sequence[timedelta], shortest: timedelta) -> list[timedelta]:
    """Return the possible steps, the finest first: some usual ones, and multiples of slices."""
    steps = [step for step in _NICE if step <= shortest]
    if slices:
        longest = max(slices)
        steps += [n * longest for n in range(1, min(shortest // longest, MOST_STEPS) + 1)]
    return sorted(set(steps))


def _divides(step: timedelta, members: Sequence[RatioSlo | SpendSlo], span: Span) -> bool:
    """Return whether the windows of instants on the clock also begin on the clock."""
    return all(
        not member.window.duration % step
        if isinstance(member.window, RollingWindow)
        else all(start == clock_start(start, step) for start in _starts(member.window, span))
        for member in members
    )


def _starts(window: Window, span: Span) -> Iterator[datetime]:
    """Yield the start of each period that contains an instant of the span, the newest first."""
    start = window.whole(span.end).start
    yield start
    while start > span.start:
        start = window.whole(start - _MICROSECOND).start
        yield start
