"""The loop of a watch: it waits, asks, judges and remembers, until there is a verdict."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import field, replace
from datetime import datetime, timedelta
from typing import Final, Protocol, TypeVar

from gate import __version__
from gate.analysis import why_unmeasured
from gate.analysis.watch import WatchedSlo, WatchLook, WatchOptions, WatchReport
from gate.analysis.watch.arms import StepsRead, WatchGrid, cohort_request, read_steps, runs
from gate.analysis.watch.judge import Judge, idle_troubles, watched_slo
from gate.analysis.watch.state import WatchState
from gate.budget.assessment import Assessment
from gate.check.measure import measure
from gate.config.load import PolicyFile
from gate.dataclass import dataclass
from gate.history.sequential import ComparedStep
from gate.measure import Backend
from gate.measure.cohorts import CohortBackend, LabelValues
from gate.slo.objective import RatioSlo

T = TypeVar("T")
StepsByPlace = Mapping[int, Mapping[str, ComparedStep]]
"""The counts of each step by its number, and then by SLO."""
_LATEST: Final = timedelta(minutes=2)
"""How much later than a step its last events may come: servers scrape, logs are written, by then.
"""


class Ask(Protocol):
    """Puts a question to somebody who may take long to answer."""

    def __call__(self, question: Callable[[], T], /) -> T | None:
        """Return what it comes to; None: the watch has to end before there is an answer."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a watch needs of the machine."""

    wall: Callable[[], datetime]
    """The present instant; read once."""
    steady: Callable[[], float]
    """Seconds since any instant, which no setting of the clock changes."""
    pause: Callable[[float], bool]
    """Waits for this many seconds; returns at once, and True, where the watch has to end."""
    ask: "Ask"
    keep: Callable[[WatchState], None]
    """Writes the state down."""
    tell: Callable[[WatchLook], None]
    """Shows how it stands, after each look."""


def lateness(every: timedelta) -> timedelta:
    """Return how long after its end a step is asked for again: two more looks, at most 2 minutes.

    https://prometheus.io/docs/prometheus/latest/configuration: a scrape is due within a minute.
    """
    return min(2 * every, _LATEST)


@dataclass(slots=True, kw_only=True)
class Watching:
    """A watch under way."""

    file: PolicyFile
    options: WatchOptions
    state: WatchState
    surroundings: Surroundings
    backend: Backend
    cohorts: CohortBackend
    slos: tuple[RatioSlo, ...]
    settled: Judge
    """Has the steps that are not asked for again."""
    shown: Judge
    """Has the newest counts of the others, too."""
    rolled_back: int | None = None
    """The number of the step after which the verdict is to roll back; None: there is none."""
    interrupted: bool = False
    fresh: dict[str, dict[int, ComparedStep]] = field(default_factory=dict)
    """By SLO the newest counts of steps that have not settled."""
    troubles: dict[str, str] = field(default_factory=dict)
    """By SLO, what went wrong in the last look."""
    groups: dict[str, set[LabelValues]] = field(default_factory=dict)
    """By SLO, the groups that have had an event."""
    notes: dict[str, None] = field(default_factory=dict)
    """What the backend said, each once."""
    assessments: dict[str, Assessment] = field(default_factory=dict)

    def run(self) -> WatchReport:
        """Look until the end."""
        around, grid = self.surroundings, self.state.grid
        start, begun = around.wall(), around.steady()

        def now() -> datetime:
            return start + timedelta(seconds=around.steady() - begun)

        at, last = now(), grid.end + lateness(grid.step)
        self._judge(_by_place(self.state.settled), {})
        while self.rolled_back is None:
            self._look(at)
            around.keep(self.state)
            around.tell(self._standing(at))
            if self._is_over or at >= last:
                break
            if around.pause(_seconds_until_next(grid, now(), last)):
                self.interrupted = True
                break
            at = now()
        return self._report(min(at, now()))

    @property
    def _is_over(self) -> bool:
        return self.interrupted or self.rolled_back is not None

    def _look(self, at: datetime) -> None:
        """Ask for the steps that have ended and not settled, and judge what is new."""
        self._size_budgets(min(at, self.state.grid.start))
        grid, ended = self.state.grid, self.state.grid.ended(at)
        wanted = [
            (slo, places)
            for slo in self.slos
            for places in runs(self.state.unsettled(slo.name, ended))
        ]
        arms = self.options.arms
        requests = [cohort_request(slo, grid, places, arms) for slo, places in wanted]
        answers = self.surroundings.ask(lambda: self.cohorts.cohorts(requests)) if requests else []
        self.state.looks += 1
        if answers is None:
            self.interrupted = True
            return
        self.troubles, settling = {}, dict[int, dict[str, ComparedStep]]()
        for (slo, places), answer in zip(wanted, answers, strict=True):
            read = read_steps(answer, len(places), arms)
            self._remember(slo.name, read)
            fresh = self.fresh.setdefault(slo.name, {})
            fresh |= {
                place: step
                for place, step in zip(places, read.counts, strict=True)
                if step is not None
            }
            for place in places:
                late = grid.end_of(place) + lateness(grid.step) <= at
                if late and place in fresh and any(fresh[place]):
                    settling.setdefault(place, {})[slo.name] = fresh.pop(place)
        for place, steps in sorted(settling.items()):
            for name, step in steps.items():
                self.state.settle(name, place, step)
        self._judge(settling, _by_place(self.fresh))

    def _remember(self, slo: str, read: StepsRead) -> None:
        """Keep what an answer says beside the counts."""
        self.groups.setdefault(slo, set()).update(read.groups)
        self.notes |= dict.fromkeys(f"{slo}: {note}" for note in read.notes)
        if read.trouble is not None:
            self.troubles[slo] = why_unmeasured(read.trouble)

    def _size_budgets(self, at: datetime) -> None:
        """Measure the budgets, as long as the size of one is not known."""
        if all(slo.name in self.settled.costs for slo in self.slos):
            return
        for name, assessment in self._budgets(at).items():
            self.assessments[name] = assessment
            self.settled.size(assessment)

    def _budgets(self, at: datetime) -> dict[str, Assessment]:
        """Measure the budgets of what is watched; none where the watch has to end."""
        policy = replace(self.file.policy, slos=self.slos)
        measured = self.surroundings.ask(lambda: measure(policy, self.backend, at=at))
        if measured is None:
            return {}
        return {assessment.slo.name: assessment for assessment in measured}

    def _judge(self, settling: StepsByPlace, fresh: StepsByPlace) -> None:
        """Add what has settled, and on trial what may still change; stop where it is enough."""
        for place, steps in settling.items():
            self.settled.add(steps)
            if self.settled.rolls_back:
                self.rolled_back, self.shown = place, self.settled
                return
        self.shown = self.settled.copy()
        for place, steps in fresh.items():
            self.shown.add(steps)
            if self.shown.rolls_back:
                self.rolled_back = place
                return

    def _steps(self, slo: str, count: int) -> list[ComparedStep | None]:
        """Return what is known of the first steps of an SLO."""
        counts = {**self.fresh.get(slo, {}), **self.state.settled.get(slo, {})}
        return [counts.get(place) for place in range(count)]

    def _slos(self, count: int) -> tuple[WatchedSlo, ...]:
        """Return what was seen of each SLO in the first steps."""
        grid = self.state.grid
        return tuple(
            watched_slo(
                self.shown,
                slo,
                grid,
                steps := self._steps(slo.name, count),
                troubles=[
                    *idle_troubles(self.shown, grid, steps, self.groups.get(slo.name, ())),
                    *self._unknown(slo.name, steps),
                ],
                assessment=self.assessments.get(slo.name),
            )
            for slo in self.slos
        )

    def _unknown(self, slo: str, steps: Sequence[ComparedStep | None]) -> Iterator[str]:
        """Yield what is not known of an SLO, and why."""
        if None in steps:
            why = self.troubles.get(slo, "")
            yield f"{steps.count(None)} of {len(steps)} steps have no data{': ' * bool(why)}{why}"
        assessment = self.assessments.get(slo)
        yield from self.shown.spending_troubles(slo, assessment.doubts if assessment else ())

    def _standing(self, at: datetime) -> WatchLook:
        """Return how the watch stands after a look."""
        last = self.rolled_back
        ended = self.state.grid.ended(at) if last is None else last + 1
        return WatchLook(
            number=self.state.looks,
            at=at,
            grid=self.state.grid,
            ended=ended,
            slos=self._slos(ended),
        )

    def _report(self, at: datetime) -> WatchReport:
        """Return how the watch has ended, with the budgets at that instant."""
        grid, last = self.state.grid, self.rolled_back
        count = grid.ended(at) if last is None else last + 1
        ended_at = min(at, grid.end) if last is None else grid.end_of(last)
        self.assessments |= {
            name: assessment
            for name, assessment in self._budgets(ended_at).items()
            if assessment.measured
        }
        slos = self._slos(count)
        return WatchReport(
            policy=self.file.policy,
            source=self.file.source,
            options=self.options,
            grid=grid,
            verdict=self.shown.verdict(finished=not any(s.missing or s.troubles for s in slos)),
            slos=slos,
            ended_at=ended_at,
            interrupted=self.interrupted,
            looks=self.state.looks,
            notes=tuple(self.notes),
            tool_version=__version__,
        )


def _by_place(by_slo: Mapping[str, Mapping[int, ComparedStep]]) -> StepsByPlace:
    """Return the counts of each step, in the order of time."""
    places = sorted({place for steps in by_slo.values() for place in steps})
    return {
        place: {slo: steps[place] for slo, steps in by_slo.items() if place in steps}
        for place in places
    }


def _seconds_until_next(grid: WatchGrid, at: datetime, last: datetime) -> float:
    """Return how long it is until the next step ends; after all of them until the last look."""
    ended = grid.ended(at)
    due = grid.end_of(ended) if ended < grid.count else last
    return max((due - at).total_seconds(), 0.0)
