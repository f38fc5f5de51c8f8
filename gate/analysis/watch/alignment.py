"""Counts of a canary and of its baseline at slightly different moments.

A server scrapes each target at its own moment. If an outage begins or ends at the edge of a step,
the failures of one version may be counted in this step, and those of the other in the step before
or after: the outage seems to be the canary's own. So before a step counts against a canary, the
canary is also compared with the most failures that the baseline had in the same length of time,
slightly earlier or later.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final

from gate.analysis.watch.arms import Arms, WatchGrid, cohort_request, read_steps
from gate.analysis.watch.judge import Judge
from gate.analysis.watch.state import Surroundings
from gate.dataclass import dataclass
from gate.history.sequential import ComparedStep
from gate.measure.cohorts import CohortBackend, CohortRequest
from gate.slo.objective import RatioSlo, Span

StepBySlo = Mapping[str, ComparedStep]
_PART: Final = 3
"""A step is shifted by a third of its length, which is more than the time between two scrapes: a
step has at least four."""


def shifted_requests(
    slo: RatioSlo, grid: WatchGrid, place: int, arms: Arms
) -> tuple[CohortRequest, CohortRequest]:
    """Return the requests for a step, slightly earlier and slightly later.

    Args:
        slo: the counted SLO.
        grid: the steps of the watch.
        place: the number of the step.
        arms: the canary and its baseline.
    """
    request, shift = cohort_request(slo, grid, range(place, place + 1), arms), grid.step / _PART
    start, end = request.span.start, request.span.end
    return (
        replace(request, span=Span(start - shift, end - shift)),
        replace(request, span=Span(start + shift, end + shift)),
    )


def aligned(step: ComparedStep, shifted: Iterable[ComparedStep | None]) -> ComparedStep:
    """Return a step with the most failures that the baseline had in it or in a shifted one.

    Nothing else changes, so this can only reduce the evidence against the canary.

    Args:
        step: the counts of the step.
        shifted: the counts slightly earlier and later; None: unknown.
    """
    others = [other.baseline_bad for other in shifted if other is not None]
    bad = max([step.baseline_bad, *others])
    return step._replace(baseline_bad=min(bad, step.baseline_total))


@dataclass(slots=True, kw_only=True)
class Alignment:
    """Adds steps to the evidence, and checks again those that count against the canary."""

    slos: tuple[RatioSlo, ...]
    arms: Arms
    grid: WatchGrid
    cohorts: CohortBackend
    surroundings: Surroundings
    interrupted: bool = False
    """Whether the watch had to end before it was clear."""

    def added(
        self, judge: Judge, place: int, steps: StepBySlo, at: datetime
    ) -> tuple[Judge, StepBySlo]:
        """Return the evidence with a step, and the counts of it that were added.

        Args:
            judge: the evidence before; it is changed.
            place: the number of the step.
            steps: its counts by SLO, as they were requested.
            at: the instant of the request.
        """
        before = judge.copy()
        judge.add(place, steps)
        if self.arms.baseline is None or not steps or not judge.rolls_back:
            return judge, steps
        counts = self._aligned(place, steps, at)
        trial = before.copy()
        trial.add(place, counts)
        return (judge, steps) if trial.rolls_back else (trial, counts)

    def _aligned(self, place: int, steps: StepBySlo, at: datetime) -> StepBySlo:
        """Return the counts of a step from `aligned`; the same counts if that is unknown."""
        slos = [slo for slo in self.slos if slo.name in steps]
        requests = [
            request
            for slo in slos
            for request in shifted_requests(slo, self.grid, place, self.arms)
        ]
        early = (max(request.span.end for request in requests) - at).total_seconds()
        if early > 0 and self.surroundings.pause(early):
            self.interrupted = True
            return steps
        answers = self.surroundings.ask(lambda: self.cohorts.cohorts(requests))
        if answers is None:
            self.interrupted = True
            return steps
        reads = iter([read_steps(answer, 1, self.arms).counts[0] for answer in answers])
        return {slo.name: aligned(steps[slo.name], (next(reads), next(reads))) for slo in slos}


"""The counts of each step by its number, and then by SLO."""


def by_place(by_slo: Mapping[str, Mapping[int, ComparedStep]]) -> Mapping[int, StepBySlo]:
    """Return the counts of each step, in the order of time."""
    places = sorted({place for steps in by_slo.values() for place in steps})
    return {
        place: {slo: steps[place] for slo, steps in by_slo.items() if place in steps}
        for place in places
    }
