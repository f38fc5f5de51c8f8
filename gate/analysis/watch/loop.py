"""The loop of a watch: it waits, queries, judges and remembers, until there is a verdict."""

from collections.abc import Iterator, Sequence
from dataclasses import field, replace
from datetime import datetime, timedelta
from typing import Final, TypeVar

from gate import __version__
from gate.analysis import why_unmeasured
from gate.analysis.watch import WatchedSlo, WatchLook, WatchOptions, WatchReport
from gate.analysis.watch.alignment import Alignment, by_place
from gate.analysis.watch.arms import StepsRead, cohort_request, read_steps, runs
from gate.analysis.watch.judge import Judge, watched_slo
from gate.analysis.watch.silence import idle_troubles, nameless_troubles
from gate.analysis.watch.state import Surroundings, WatchState
from gate.budget.assessment import Assessment
from gate.check.measure import measure
from gate.config.load import PolicyFile
from gate.dataclass import dataclass
from gate.history.sequential import ComparedStep
from gate.measure import Backend
from gate.measure.cohorts import CohortBackend, LabelValues
from gate.slo.objective import RatioSlo

T = TypeVar("T")
_RARELY: Final = 10
"""A budget that decides nothing is measured once in this many looks."""
_FIRST: Final = 3
"""The number of steps after which a canary, or a baseline, without any event is suspicious."""


@dataclass(slots=True, kw_only=True)
class Watching:
    """A watch in progress."""

    file: PolicyFile
    options: WatchOptions
    state: WatchState
    surroundings: Surroundings
    backend: Backend
    cohorts: CohortBackend
    alignment: Alignment
    slos: tuple[RatioSlo, ...]
    settled: Judge
    """The evidence of the steps that are not requested again."""
    shown: Judge
    """The evidence that includes the newest counts of the other steps."""
    interrupted: bool = False
    fresh: dict[str, dict[int, ComparedStep]] = field(default_factory=dict)
    """By SLO, the newest counts of steps that have not settled."""
    troubles: dict[str, str] = field(default_factory=dict)
    """By SLO, the failure of the last look."""
    groups: dict[str, set[LabelValues]] = field(default_factory=dict)
    """By SLO, the groups that have had an event."""
    nameless: dict[str, dict[int, tuple[float, float]]] = field(default_factory=dict)
    """By SLO and step, the events and failures without the canary's label."""
    notes: dict[str, None] = field(default_factory=dict)
    """The notes of the backend, each once."""
    assessments: dict[str, Assessment] = field(default_factory=dict)

    def run(self) -> WatchReport:
        """Look until the end."""
        around, grid = self.surroundings, self.state.grid
        start, begun = around.wall(), around.steady()

        def now() -> datetime:
            return start + timedelta(seconds=around.steady() - begun)

        at, last = now(), grid.end + grid.late
        self._look_at_budgets(at)
        self._recall()
        while not self._is_over():
            self._look(at)
            around.keep(self.state)
            around.tell(self._standing(at))
            if self._is_over() or at >= last:
                break
            self.interrupted = around.pause(grid.seconds_until_next(now()))
            at = now()
            if self._budgets_are_due():
                self._look_at_budgets(at)
        return self._report(at)

    def _is_over(self) -> bool:
        self.interrupted |= self.alignment.interrupted
        return self.interrupted or self.shown.rolls_back

    def _recall(self) -> None:
        """Add the counts from before a restart. No part of them ended the watch, but all may."""
        for slo, steps in self.state.settled.items():
            for place, step in steps.items():
                self.settled.add(place, {slo: step})
        self.shown = self.settled

    def _look(self, at: datetime) -> None:
        """Request the steps that have ended but not settled, and judge the new counts."""
        self.state.looks += 1
        ended, arms = self.state.grid.ended(at), self.options.arms
        wanted = [
            (slo, places)
            for slo in self.slos
            for places in runs(self.state.unsettled(slo.name, ended))
        ]
        requests = [cohort_request(slo, self.state.grid, places, arms) for slo, places in wanted]
        answers = self.surroundings.ask(lambda: self.cohorts.cohorts(requests)) if requests else []
        if answers is None:
            self.interrupted = True
            return
        self.troubles = {}
        for (slo, places), answer in zip(wanted, answers, strict=True):
            read = read_steps(answer, len(places), arms)
            self._remember(slo.name, read)
            self.nameless.setdefault(slo.name, {}).update(zip(places, read.nameless, strict=False))
            counted = zip(places, read.counts, strict=True)
            fresh = self.fresh.setdefault(slo.name, {})
            fresh |= {place: step for place, step in counted if step is not None}
        self._judge(at)

    def _judge(self, at: datetime) -> None:
        """Settle steps that are old enough, and add the rest on trial; stop when it is enough.

        A step without any event does not settle: its events may be very late.
        """
        old = self.state.grid.ended(at - self.state.grid.late)
        for place, steps in by_place(self.fresh).items():
            settling = {slo: step for slo, step in steps.items() if place < old and any(step)}
            self.settled, counted = self.alignment.added(self.settled, place, settling, at)
            for slo, step in counted.items():
                self.state.settle(slo, place, step)
                del self.fresh[slo][place]
            if self.settled.rolls_back:
                self.shown = self.settled
                return
        self.shown = self.settled.copy()
        for place, steps in by_place(self.fresh).items():
            self.shown, _ = self.alignment.added(self.shown, place, steps, at)
            if self.shown.rolls_back:
                return

    def _remember(self, slo: str, read: StepsRead) -> None:
        """Remember the other facts in an answer."""
        self.groups.setdefault(slo, set()).update(read.groups)
        self.notes |= dict.fromkeys(f"{slo}: {note}" for note in read.notes)
        if read.trouble is not None:
            self.troubles[slo] = why_unmeasured(read.trouble)

    @property
    def _unsized(self) -> list[str]:
        """The SLOs for which the cost of a failure is unknown."""
        return [slo.name for slo in self.slos if slo.name not in self.settled.costs]

    def _budgets_are_due(self) -> bool:
        """Return whether to measure the budgets: seldom, and always if the verdict needs one."""
        decides = any(self.options.limit(name) is not None for name in self._unsized)
        return decides or self.state.looks % _RARELY == 0

    def _look_at_budgets(self, at: datetime) -> None:
        """Measure the budgets; their size is that at the start."""
        measured = self._budgets(min(at, self.state.grid.start) if self._unsized else at)
        for name, assessment in measured.items():
            if assessment.measured or name not in self.assessments:
                self.assessments[name] = assessment
            if name in self._unsized:
                self.settled.size(assessment)

    def _budgets(self, at: datetime) -> dict[str, Assessment]:
        """Measure the budgets of the watched SLOs; none if the watch has to end."""
        policy = replace(self.file.policy, slos=self.slos)
        measured = self.surroundings.ask(lambda: measure(policy, self.backend, at=at))
        if measured is None:
            return {}
        return {assessment.slo.name: assessment for assessment in measured}

    def _steps(self, slo: str, count: int) -> list[ComparedStep | None]:
        """Return the known counts of the first steps of an SLO."""
        counts = {**self.fresh.get(slo, {}), **self.state.settled.get(slo, {})}
        return [counts.get(place) for place in range(count)]

    def _slos(self, count: int, *, final: bool) -> tuple[WatchedSlo, ...]:
        """Return the observations of each SLO in the first steps."""
        grid = self.state.grid
        return tuple(
            watched_slo(
                self.shown,
                slo,
                grid,
                steps := self._steps(slo.name, count),
                troubles=[
                    *(self._idle(slo.name, steps) if final or count >= _FIRST else ()),
                    *self._unknown(slo.name, steps),
                ],
                assessment=self.assessments.get(slo.name),
            )
            for slo in self.slos
        )

    def _idle(self, slo: str, steps: Sequence[ComparedStep | None]) -> Iterator[str]:
        groups = self.groups.get(slo, set())
        yield from idle_troubles(self.options.arms, self.state.grid, steps, groups)
        margin = self.shown.evidence[slo].margin
        nameless = list(self.nameless.get(slo, {}).values())
        yield from nameless_troubles(self.options.arms, steps, nameless, margin)

    def _unknown(self, slo: str, steps: Sequence[ComparedStep | None]) -> Iterator[str]:
        """Yield the unknown facts about an SLO, and why they are unknown."""
        if None in steps:
            why = self.troubles.get(slo, "")
            yield f"{steps.count(None)} of {len(steps)} steps have no data{': ' * bool(why)}{why}"
        assessment = self.assessments.get(slo)
        yield from self.shown.spending_troubles(slo, assessment.doubts if assessment else ())

    def _standing(self, at: datetime) -> WatchLook:
        """Return the state of the watch after a look."""
        ended = self._watched(at)
        return WatchLook(
            number=self.state.looks,
            at=at,
            grid=self.state.grid,
            ended=ended,
            slos=self._slos(ended, final=False),
        )

    def _watched(self, at: datetime) -> int:
        """Return the number of steps that the verdict is about."""
        return self.shown.last + 1 if self.shown.rolls_back else self.state.grid.ended(at)

    def _report(self, at: datetime) -> WatchReport:
        """Return the result of the watch, with the budgets at that instant."""
        grid, count = self.state.grid, self._watched(at)
        ended_at = grid.end_of(count - 1)
        self.assessments |= {
            name: assessment
            for name, assessment in self._budgets(ended_at).items()
            if assessment.measured
        }
        slos = self._slos(count, final=True)
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
