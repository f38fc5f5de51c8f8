"""When a time-based SLO was up and down, by the transitions that Datadog gives."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from enum import Enum
from fractions import Fraction
from typing import Any, Final

from gate.backends.datadog.buckets import Tally
from gate.backends.datadog.values import Window, invalid, listed, number, shown
from gate.dataclass import dataclass
from gate.measure import Cause, MeasurementError
from gate.measure.coverage import Gaps, StepCoverage
from gate.slo.objective import Span


class State(Enum):
    """What is known of a stretch of time."""

    UP = 0
    DOWN = 1
    UNKNOWN = 2


_NAMES: Final = {
    "UP": State.UP,
    "OK": State.UP,
    "DOWN": State.DOWN,
    "ALERT": State.DOWN,
    "NO_DATA": State.UNKNOWN,
}
"""States of time slices came as words, too:
https://github.com/DataDog/datadog-api-client-java/issues/2184"""
_PAIR: Final = 2


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of time of one state; the start belongs to it, the end does not."""

    start: int
    end: int
    state: State

    @property
    def length(self) -> int:
        """Return its seconds."""
        return self.end - self.start


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """The states of a whole window, the oldest first."""

    window: Window
    stretches: Sequence[Stretch]

    @property
    def tally(self) -> Tally:
        """Return the seconds that are known, and those of them that were down."""
        return self.since(self.window.start)

    def since(self, start: int) -> Tally:
        """Return the same of the time from a second to the end."""
        return self.between(start, self.window.end)

    def between(self, start: int, end: int) -> Tally:
        """Return the same of the time between two seconds of the window."""
        lengths = dict.fromkeys(State, 0)
        for stretch in self.stretches:
            lengths[stretch.state] += max(min(stretch.end, end) - max(stretch.start, start), 0)
        down = lengths[State.DOWN]
        return Tally(Fraction(lengths[State.UP] + down), Fraction(down))

    @property
    def newest(self) -> datetime | None:
        """Return until when the state is known; None: it is not known at all."""
        known = self._known
        return _instant(known[-1].end) if known else None

    @property
    def _known(self) -> Sequence[Stretch]:
        return [stretch for stretch in self.stretches if stretch.state is not State.UNKNOWN]

    def coverage(self) -> StepCoverage:
        """Return how much of the window is known, and where it is not."""
        known, length = self._known, self.window.length
        if not known:
            span = Span(_instant(self.window.start), _instant(self.window.end))
            return StepCoverage(
                share=Fraction(0), gaps=Gaps(late=Fraction(0), holes=Fraction(0)), missing=(span,)
            )
        first, last = known[0].start, known[-1].end
        unknown = [each for each in self.stretches if each.state is State.UNKNOWN]
        holes = [each for each in unknown if first < each.start < last]
        longest = max(holes, key=lambda hole: hole.length, default=None)
        late = first - self.window.start
        return StepCoverage(
            share=1 - Fraction(sum(each.length for each in unknown), length),
            missing=tuple(_span(each.start, each.end) for each in unknown),
            gaps=Gaps(
                late=Fraction(late, length),
                holes=Fraction(sum(hole.length for hole in holes), length),
                since=_instant(first) if late else None,
                longest=_span(longest.start, longest.end) if longest else None,
                between=_span(holes[0].start, holes[-1].end) if holes else None,
            ),
        )


def read_timeline(history: Any, window: Window) -> Timeline:
    """Return the states of a window by their transitions.

    Before the first transition nothing is known.

    Raises:
        MeasurementError: a transition has no time or no state that can be read, or there is none.
    """
    if history is None:
        raise invalid("it has no history of states")
    transitions = sorted(
        (_transition(entry) for entry in listed(history, "history")), key=lambda entry: entry[0]
    )
    timeline = Timeline(window=window, stretches=tuple(_stretches(transitions, window)))
    if not timeline.tally.total:
        reason = "Datadog knows no state of the SLO in the window, neither up nor down"
        raise MeasurementError(Cause.NO_DATA, reason)
    return timeline


def _transition(entry: Any) -> tuple[int, State]:
    pair = listed(entry, "history")
    if len(pair) != _PAIR:
        raise invalid(f"history has {shown(entry)} and not a time and a state")
    time, state = pair
    if isinstance(state, str) and state.upper() in _NAMES:
        return int(number(time, "history")), _NAMES[state.upper()]
    value = number(state, "a state of the history")
    if value not in {kind.value for kind in State}:
        raise invalid(f"a state of the history is {shown(state)}; 0, 1 and 2 are known")
    return int(number(time, "history")), State(int(value))


def _stretches(transitions: Sequence[tuple[int, State]], window: Window) -> Iterator[Stretch]:
    """Yield the stretches of a window; neighbours of one state are one stretch."""
    bounds = [(window.start, State.UNKNOWN)]
    for time, state in transitions:
        start = max(time, window.start)
        if start < window.end:
            if bounds[-1][0] == start:
                bounds.pop()
            if not bounds or bounds[-1][1] is not state:
                bounds.append((start, state))
    ends = [start for start, _ in bounds[1:]] + [window.end]
    for (start, state), end in zip(bounds, ends, strict=True):
        yield Stretch(start, end, state)


def _span(start: int, end: int) -> Span:
    return Span(_instant(start), _instant(end))


def _instant(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
