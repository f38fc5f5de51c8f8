"""What the evidence says of a watched canary: healthy, roll back, or neither shown."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from enum import StrEnum
from math import log
from typing import Any, Final, Self

from gate.dataclass import dataclass
from gate.history.sequential import ComparedStep, Worse
from gate.history.sequential.clusters import Clusters
from gate.history.sequential.excess import Excess

ALPHA: Final = 0.05
"""How often a watch is wrong at most, in each direction, however often one looks."""
LASTS: Final = 5
"""Steps in a row after which a canary that fails beyond the margin now is not excused any more by
its average since the start, which may still be within it."""


class CanaryVerdict(StrEnum):
    """The end of a watch. The names are part of the JSON report."""

    HEALTHY = "healthy"
    ROLL_BACK = "roll-back"
    CANNOT_TELL = "cannot-tell"


class CanaryStanding(StrEnum):
    """What is shown of one SLO until now. The names are part of the JSON report."""

    WORSE = "worse"
    """It fails more often, and not shown to be within the margin."""
    WITHIN = "within"
    """It is shown to be within the margin."""
    NOT_SHOWN = "not-shown"


@dataclass(frozen=True, slots=True, kw_only=True)
class CanaryEvidence:
    """The evidence of one watched SLO; begin one with `compared_with_baseline` or `alone`."""

    margin: float
    """What its failure ratio may be above the baseline's, as a share of its requests; of a canary
    alone what its own ratio may be."""
    worse: Worse
    """Than the baseline; of a canary alone than the budget, on average."""
    beyond: Worse
    """Worse by more than the margin, at present."""
    excess: Excess
    compared: Excess
    """The same of the steps in which the baseline had traffic: in the others nobody knows how much
    of what failed was beyond its ratio. Of a canary alone all steps."""
    clusters: Clusters = Clusters()
    beyond_steps: int = 0
    """Steps in a row until now after which it was shown that it is beyond the margin at present."""

    @classmethod
    def compared_with_baseline(cls, margin: float) -> Self:
        """Return the evidence before the first step, of a canary that has a baseline.

        Args:
            margin: as a share of the canary's requests, above 0: the margin of the policy (a share
                of the budget) times what the objective lets fail.
        """
        return cls(
            margin=margin,
            worse=Worse(),
            beyond=Worse(margin=margin),
            excess=Excess(),
            compared=Excess(),
        )

    @classmethod
    def alone(cls, budget: float, margin: float) -> Self:
        """Return the evidence before the first step, of a canary without a baseline.

        Args:
            budget: the share of requests that the objective lets fail.
            margin: what the canary's own ratio may be above that, as a share of its requests.
        """
        return cls(
            margin=budget + margin,
            worse=Worse(margin=budget, alone=True, lasting=True),
            beyond=Worse(margin=budget + margin, alone=True),
            excess=Excess(alone=True),
            compared=Excess(alone=True),
        )

    def after(self, step: ComparedStep) -> Self:
        """Return the evidence with one more step.

        Raises:
            ValueError: a count is negative or not finite.
        """
        beyond = self.beyond.after(step)
        shown = beyond.log_evidence >= log(1 / ALPHA)
        return replace(
            self,
            worse=self.worse.after(step),
            beyond=beyond,
            excess=self.excess.after(step),
            compared=self.compared.after(step)
            if self.excess.alone or step.baseline_total > 0
            else self.compared,
            clusters=self.clusters.after(step),
            beyond_steps=self.beyond_steps + 1 if shown else 0,
        )

    def standing(self, slos: int) -> CanaryStanding:
        """Return what is shown.

        Worse is shown by `log_evidence` at `ALPHA` / slos (Bonferroni), so that all SLOs together
        accuse a canary that is not worse in any at most that often. Within the margin needs no such
        correction: a canary is healthy only if that is shown of all of them.

        Args:
            slos: how many are watched, at least 1.
        """
        within = self.excess.log_evidence_below(self.margin) >= log(1 / self._alpha)
        excused = within and self.beyond_steps < LASTS
        needed = log(slos / ALPHA)
        if not excused and self.log_evidence(needed) >= needed:
            return CanaryStanding.WORSE
        return (
            CanaryStanding.WITHIN if within and not self.beyond_steps else CanaryStanding.NOT_SHOWN
        )

    def log_evidence(self, needed: float) -> float:
        """Return the logarithm of the evidence that it is worse, which is shown from `needed` on.

        Where the evidence does not come from enough steps it is less than that, however large that
        of `worse` is. A canary alone has no split of failures that could show clusters.

        Args:
            needed: log(slos / `ALPHA`), above 0.
        """
        worse, by_steps = self.worse.log_evidence, self.clusters.log_evidence
        bar = self.clusters.bar(needed)
        if self.excess.alone or by_steps >= bar:
            return worse
        return min(worse, by_steps / bar * needed)

    def bounds(self) -> tuple[float, float]:
        """Return `Excess.bounds`, each at `ALPHA`; wider where failures come in clusters."""
        return self.excess.bounds(self._alpha)

    def least_excess_bad(self, slos: int) -> float:
        """Return how many of the canary's failures are shown to be beyond the baseline's ratio.

        The lower bound of `compared`, at `ALPHA` / slos as in `standing`. That failures come in
        clusters does not widen it: all of a cluster is spent. A canary alone is compared with
        nothing: all of its failures are its own.

        Args:
            slos: how many are watched, at least 1.
        """
        compared = self.compared
        if compared.alone:
            return compared.canary_bad
        return max(compared.bounds(ALPHA / slos)[0], 0.0) * compared.canary_total

    @property
    def _alpha(self) -> float:
        """The level at which evidence that counts each failure is taken, such that it is `ALPHA`.

        If each event makes several failures, there are fewer events by that factor, and the
        logarithm of the evidence is smaller by the same factor.
        """
        return float(ALPHA**self.clusters.factor)

    def outlook(self) -> float | None:
        """Return about how many more requests show that it is within (`Excess.outlook`)."""
        return self.excess.outlook(self.margin, self._alpha)

    def document(self) -> dict[str, Any]:
        """Return what the steps have added, for JSON."""
        return {
            "worse": self.worse.document(),
            "beyond": self.beyond.document(),
            "excess": self.excess.document(),
            "compared": self.compared.document(),
            "clusters": self.clusters.document(),
            "beyond_steps": self.beyond_steps,
        }

    def restored(self, document: Mapping[str, Any]) -> Self:
        """Return this evidence with what `document` has of the steps.

        Raises:
            ValueError: it is not such a document.
        """
        names = ("worse", "beyond", "excess", "compared", "clusters")
        parts = [document.get(name) for name in names]
        worse, beyond, excess, compared, clusters = [
            part if isinstance(part, Mapping) else {} for part in parts
        ]
        steps = document.get("beyond_steps")
        if type(steps) is not int or steps < 0:
            raise ValueError("what was kept has not the numbers of this version")
        return replace(
            self,
            worse=self.worse.restored(worse),
            beyond=self.beyond.restored(beyond),
            excess=self.excess.restored(excess),
            compared=self.compared.restored(compared),
            clusters=self.clusters.restored(clusters),
            beyond_steps=steps,
        )


def canary_verdict(
    standings: Iterable[CanaryStanding], *, overspent: bool, finished: bool
) -> CanaryVerdict:
    """Return the verdict of all watched SLOs together.

    Ask after every step, and end at the first that says to roll back: a later step may say
    something else.

    Args:
        standings: of each SLO; without any, nothing is shown.
        overspent: whether the canary has spent more of a budget than was agreed.
        finished: whether the watch has lasted as long as it was to. Before that nothing is healthy.
    """
    each = set(standings)
    if overspent or CanaryStanding.WORSE in each:
        return CanaryVerdict.ROLL_BACK
    healthy = finished and each == {CanaryStanding.WITHIN}
    return CanaryVerdict.HEALTHY if healthy else CanaryVerdict.CANNOT_TELL
