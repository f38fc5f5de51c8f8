"""A control chart of one indicator: what is usual by its baseline, and what is not since then."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from gate.budget.charts.points import LIMIT, Point
from gate.budget.charts.usual import Usual
from gate.budget.explained import Record
from gate.slo.measurement import Cause


class Kind(StrEnum):
    """What is charted."""

    RATIO = "ratio"
    """Bad events of all: a p' chart."""
    MEAN = "mean"
    """Of what is measured, such as a latency: an individuals chart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """A point after the baseline."""

    point: Point
    average: float
    """The moving average up to it, in sigmas above the centre."""
    average_limit: float
    """Above 0."""
    worse: tuple[str, ...]
    """The rules by which it is worse than usual."""
    better: bool
    """Whether it is better than usual, by any of the same rules turned round."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """Points that are not what is usual, and those between them while it went on."""

    points: tuple[Watched, ...]
    """At least one."""
    worse: bool
    since: datetime
    """When it probably began: a moving average sees a shift some points late."""
    open: bool
    """Whether it goes on at the newest point."""
    records: tuple[Record, ...]
    """Known incidents that overlap it."""

    @property
    def end(self) -> datetime:
        """The end of its last point."""
        return self.points[-1].point.sample.end

    @property
    def rules(self) -> tuple[str, ...]:
        """The names of the rules that some point of it breaks, each once."""
        return tuple(dict.fromkeys(name for one in self.points for name in one.worse))

    @property
    def peak(self) -> Point:
        """Its point farthest from what is usual."""
        sign = 1 if self.worse else -1
        return max((one.point for one in self.points), key=lambda point: sign * point.score)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A chart that could be drawn."""

    kind: Kind
    unit: str
    """Of its values; empty where it is not known, or there is none."""
    step: timedelta
    """Of a point; where few events are bad, several of the history's."""
    usual: Usual
    baseline: tuple[Point, ...]
    """Those that say what is usual, the oldest first."""
    excluded: tuple[Point, ...]
    """Those of the baseline's time that are in incidents."""
    watched: tuple[Watched, ...]
    """All after it; at least one."""
    signals: tuple[Signal, ...]
    """The newest first."""

    @property
    def points(self) -> tuple[Point, ...]:
        """All of them, the oldest first."""
        every = (*self.baseline, *self.excluded, *(one.point for one in self.watched))
        return tuple(sorted(every, key=lambda point: point.sample.start))

    @property
    def newest(self) -> datetime:
        """The end of its newest point."""
        return self.watched[-1].point.sample.end

    @property
    def worse(self) -> tuple[Signal, ...]:
        """The signals that something is worse than usual."""
        return tuple(one for one in self.signals if one.worse)

    def write(self, value: float) -> str:
        """Write a value with three digits that say something, and a ratio as a percentage."""
        percent = self.kind is Kind.RATIO
        digits = Decimal(f"{100 * value if percent else value:.2e}").normalize()
        return f"{digits:f} {'%' if percent else self.unit}".rstrip()

    @property
    def unruly(self) -> int:
        """How many points of the baseline are beyond its own limits."""
        return sum(one.score > LIMIT for one in self.baseline)


@dataclass(frozen=True, slots=True, kw_only=True)
class NoChart:
    """A chart that could not be drawn, which is not the same as in control."""

    kind: Kind
    reason: str
    cause: Cause | None
    """None: there is nothing to be seen, since nothing was bad at all."""


Drawn = Chart | NoChart
