"""The times when a time-based SLO was up and down, from Datadog's transitions."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from enum import Enum
from fractions import Fraction
from typing import Any, Final

from gate.backends.datadog.buckets import WindowTally
from gate.backends.datadog.values import EpochWindow, instant_of, invalid, listed, number, shown
from gate.dataclass import dataclass
from gate.measure import Cause, MeasurementError
from gate.measure.coverage import Gaps, StepCoverage
from gate.slo.objective import Span


class UptimeState(Enum):
    """The state of an SLO over a stretch of time."""

    UP = 0
    DOWN = 1
    UNKNOWN = 2


_NAMES: Final = {
    "UP": UptimeState.UP,
    "OK": UptimeState.UP,
    "DOWN": UptimeState.DOWN,
    "ALERT": UptimeState.DOWN,
    "NO_DATA": UptimeState.UNKNOWN,
}
"""States of time slices also came as words:
https://github.com/DataDog/datadog-api-client-java/issues/2184"""
_PAIR: Final = 2


@dataclass(frozen=True, slots=True)
class UptimeStretch:
    """A stretch of time of one state; the start is included, the end excluded."""

    start: int
    end: int
    state: UptimeState

    @property
    def length(self) -> int:
        """Return its seconds."""
        return self.end - self.start


@dataclass(frozen=True, slots=True, kw_only=True)
class UptimeTimeline:
    """The states of a whole window, the oldest first; at least one of them is known."""

    window: EpochWindow
    stretches: Sequence[UptimeStretch]

    @property
    def tally(self) -> WindowTally:
        """Return the known seconds, and those of them that were down."""
        return self.since(self.window.start)

    def since(self, start: int) -> WindowTally:
        """Return the same of the time from a second to the end."""
        return self.between(start, self.window.end)

    def between(self, start: int, end: int) -> WindowTally:
        """Return the same of the time between two seconds of the window."""
        lengths = dict.fromkeys(UptimeState, 0)
        for stretch in self.stretches:
            lengths[stretch.state] += max(min(stretch.end, end) - max(stretch.start, start), 0)
        down = lengths[UptimeState.DOWN]
        return WindowTally(Fraction(lengths[UptimeState.UP] + down), Fraction(down))

    @property
    def newest(self) -> datetime:
        """Return the time until which the state is known."""
        return instant_of(self._with_state[-1].end)

    @property
    def _with_state(self) -> Sequence[UptimeStretch]:
        return [stretch for stretch in self.stretches if stretch.state is not UptimeState.UNKNOWN]

    def coverage(self) -> StepCoverage:
        """Return the known share of the window, and its gaps."""
        stretches, length = self._with_state, self.window.length
        first, last = stretches[0].start, stretches[-1].end
        unknown = [each for each in self.stretches if each.state is UptimeState.UNKNOWN]
        holes = [each for each in unknown if first < each.start < last]
        longest = max(holes, key=lambda hole: hole.length, default=None)
        late = first - self.window.start
        return StepCoverage(
            share=1 - Fraction(sum(each.length for each in unknown), length),
            missing=tuple(_span(each.start, each.end) for each in unknown),
            gaps=Gaps(
                late=Fraction(late, length),
                holes=Fraction(sum(hole.length for hole in holes), length),
                since=instant_of(first) if late else None,
                longest=_span(longest.start, longest.end) if longest else None,
                between=_span(holes[0].start, holes[-1].end) if holes else None,
            ),
        )


def read_timeline(history: Any, window: EpochWindow) -> UptimeTimeline:
    """Return the states of a window from their transitions.

    The state before the first transition is unknown.

    Raises:
        MeasurementError: the history is missing, or a transition has no readable time or state.
    """
    if history is None:
        raise invalid("it has no history of states")
    transitions = sorted(
        (_transition(entry) for entry in listed(history, "history")), key=lambda entry: entry[0]
    )
    timeline = UptimeTimeline(window=window, stretches=tuple(_stretches(transitions, window)))
    if not timeline.tally.total:
        reason = "Datadog knows no state of the SLO in the window, neither up nor down"
        raise MeasurementError(Cause.NO_DATA, reason)
    return timeline


def _transition(entry: Any) -> tuple[int, UptimeState]:
    pair = listed(entry, "history")
    if len(pair) != _PAIR:
        raise invalid(f"history has {shown(entry)} and not a time and a state")
    time, state = pair
    if isinstance(state, str) and state.upper() in _NAMES:
        return int(number(time, "history")), _NAMES[state.upper()]
    value = number(state, "a state of the history")
    if value not in {kind.value for kind in UptimeState}:
        raise invalid(f"a state of the history is {shown(state)}; 0, 1 and 2 are known")
    return int(number(time, "history")), UptimeState(int(value))


def _stretches(
    transitions: Sequence[tuple[int, UptimeState]], window: EpochWindow
) -> Iterator[UptimeStretch]:
    """Yield the stretches of a window; neighbours of one state are one stretch."""
    bounds = [(window.start, UptimeState.UNKNOWN)]
    for time, state in transitions:
        start = max(time, window.start)
        if start < window.end:
            if bounds[-1][0] == start:
                bounds.pop()
            if not bounds or bounds[-1][1] is not state:
                bounds.append((start, state))
    ends = [start for start, _ in bounds[1:]] + [window.end]
    for (start, state), end in zip(bounds, ends, strict=True):
        yield UptimeStretch(start, end, state)


def _span(start: int, end: int) -> Span:
    return Span(instant_of(start), instant_of(end))
