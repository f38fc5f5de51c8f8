"""A canary whose every minute is known, and a machine on which an hour takes no time."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any, TypeVar

from gate.analysis.watch import WatchLook, WatchOptions, WatchReport
from gate.analysis.watch.arms import Arms, TrafficLabel
from gate.analysis.watch.run import watch, watch_grid, watch_question
from gate.analysis.watch.state import Surroundings, WatchState, read_state
from gate.config.load import PolicyFile
from gate.measure import Answer, Cause, CountRequest, Unmeasured
from gate.measure.cohorts import Cohort, CohortAnswer, CohortRequest, Cohorts, LabelValues
from tests.analysis.memory import Opening, counts, file, slo

START = datetime(2026, 11, 20, 14, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
CANARY, STABLE = ("canary",), ("stable",)
T = TypeVar("T")
Minute = Mapping[LabelValues, tuple[float, float]] | None
"""Events and failures by group; None: nothing is known of it."""
SPLIT = Arms(TrafficLabel("track", "canary"), TrafficLabel("track", "stable"))
ALONE = Arms(TrafficLabel("track", "canary"), None)


def minute(canary: float, stable: float = 9, *, of: tuple[float, float] = (1000, 9000)) -> Minute:
    """Return a minute in which so many of the canary's, and of the baseline's, requests fail."""
    return {CANARY: (of[0], canary), STABLE: (of[1], stable)}


HEALTHY: Sequence[Minute] = (minute(1),) * 60
"""An hour in which a thousandth of both fails."""


@dataclass(slots=True)
class Machine:
    """A clock that only waiting moves, and what the watch has shown and written."""

    seconds: float = 0.0
    until: float | None = None
    """When a signal comes; None: never."""
    latency: float = 0.0
    """Seconds that an answer takes."""
    looks: list[WatchLook] = field(default_factory=list)
    states: list[str] = field(default_factory=list)
    clock_reads: int = 0

    @property
    def stopped(self) -> bool:
        return self.until is not None and self.seconds >= self.until

    def wall(self) -> datetime:
        self.clock_reads += 1
        return START + timedelta(seconds=self.seconds)

    def pause(self, seconds: float) -> bool:
        end = self.seconds + seconds
        self.seconds = end if self.until is None else min(end, self.until)
        return self.stopped

    def ask(self, question: Callable[[], T], /) -> T | None:
        self.seconds += self.latency
        return None if self.stopped else question()

    def surroundings(self) -> Surroundings:
        return Surroundings(
            wall=self.wall,
            steady=lambda: self.seconds + 1_000,
            pause=self.pause,
            ask=self.ask,
            keep=lambda state: self.states.append(state.text()),
            tell=self.looks.append,
        )


@dataclass(slots=True)
class Traffic:
    """A backend that has what happened in each minute, by the SLO's indicator."""

    machine: Machine
    minutes: Mapping[str, Sequence[Minute]]
    arrived: Callable[[int, float], float] = lambda _minute, _age: 1.0
    """Which share of a minute's events is there, so many minutes after its end."""
    lost: Callable[[int, float], bool] = lambda _minute, _age: False
    """Whether nothing is known of a minute, so many minutes after its end."""
    down: Callable[[float], bool] = lambda _now: False
    """Whether it does not answer, by the minutes since the start."""
    budget: Answer = field(default_factory=lambda: counts(1_000_000, 100))
    budget_after: float = 0.0
    """The minute from which on the budget is measured."""
    asked: list[CohortRequest] = field(default_factory=list)
    measured: list[datetime] = field(default_factory=list)

    def measure(self, requests: Sequence[CountRequest], at: datetime) -> list[Answer]:
        self.measured.append(at)
        late = self.machine.seconds < self.budget_after * 60
        gone = Unmeasured(cause=Cause.BACKEND_ERROR, reason="the server does not answer")
        return [gone if late else self.budget for _ in requests]

    def cohorts(self, requests: Sequence[CohortRequest]) -> list[CohortAnswer]:
        self.asked += requests
        if self.down(self.machine.seconds / 60):
            gone = Unmeasured(cause=Cause.BACKEND_ERROR, reason="the server does not answer")
            return [gone] * len(requests)
        return [self._answer(request) for request in requests]

    def _answer(self, request: CohortRequest) -> CohortAnswer:
        minutes = self.minutes[str(request.sli.bad)]
        first = (request.span.start - START) // MINUTE
        steps = [self._seen(minutes, first + place) for place in range(request.steps)]
        groups = {values for step in steps for values in step or ()}
        if not groups:
            cause = Cause.NO_DATA if None in steps else Cause.NO_TRAFFIC
            return Unmeasured(cause=cause, reason="there is nothing")
        return Cohorts(groups={values: _cohort(steps, values) for values in groups}, query="asked")

    def _seen(self, minutes: Sequence[Minute], place: int) -> Minute:
        age = self.machine.seconds / 60 - place - 1
        assert age >= 0, "a step that has not ended is asked for"
        there = place < len(minutes) and not self.lost(place, age)
        some = minutes[place] if there else None
        part = self.arrived(place, age)
        if some is None or not part:
            return None if some is None else {}
        return {values: (total * part, bad * part) for values, (total, bad) in some.items()}


def _cohort(steps: Sequence[Minute], values: LabelValues) -> Cohort:
    seen = [None if step is None else step.get(values, (0.0, 0.0)) for step in steps]
    return Cohort(
        total=tuple(None if step is None else float(step[0]) for step in seen),
        bad=tuple(None if step is None else float(step[1]) for step in seen),
    )


@dataclass(slots=True)
class Watched:
    """A watch that has ended, and what it was watched with."""

    report: WatchReport
    machine: Machine
    traffic: Traffic

    @property
    def asked(self) -> list[list[int]]:
        """The minutes of each question."""
        return [
            list(range((r.span.start - START) // MINUTE, (r.span.end - START) // MINUTE))
            for r in self.traffic.asked
        ]


def options(**more: Any) -> WatchOptions:
    """Return what is watched: an hour, a look every minute, with a margin of the whole budget."""
    stated: dict[str, Any] = {
        "arms": SPLIT,
        "lasting": timedelta(hours=1),
        "every": MINUTE,
        "margin": Fraction(1),
        "timeout": timedelta(seconds=10),
    }
    return WatchOptions(**(stated | more))


def watch_minutes(
    minutes: Sequence[Minute] | Mapping[str, Sequence[Minute]],
    wanted: WatchOptions | None = None,
    *,
    machine: Machine | None = None,
    state: str | None = None,
    policy: PolicyFile | None = None,
    **traffic: Any,
) -> Watched:
    """Watch a canary to the end.

    Args:
        minutes: what happens; by SLO where there are several.
        wanted: what is watched.
        machine: its clock may be somewhere else, and a signal may come.
        state: of a watch to go on with.
        policy: what is promised; None: 99.9% of each SLO's requests.
        traffic: how the backend behaves.
    """
    by_slo = minutes if isinstance(minutes, Mapping) else {"errors": minutes}
    machine, wanted = machine or Machine(), wanted or options()
    policy = policy or file("chat", *map(slo, by_slo))
    backend = Traffic(machine, by_slo, **traffic)
    question = watch_question(policy, wanted)
    begun = (
        WatchState(question=question, grid=watch_grid(wanted, START))
        if state is None
        else read_state(state.encode(), question, "state.json")
    )
    report = watch(
        policy, wanted, begun, machine.surroundings(), open_with=Opening({"chat": backend})
    )
    return Watched(report, machine, backend)
