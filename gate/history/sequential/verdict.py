"""The verdict on a watched canary: healthy, roll back, or undecided."""

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
"""The highest error probability of a watch in each direction, however often it is evaluated."""
LASTS: Final = 5
"""The number of consecutive steps after which a canary that fails beyond the margin now is no
longer excused by its average since the start."""


class CanaryVerdict(StrEnum):
    """The result of a watch. The names are part of the JSON report."""

    HEALTHY = "healthy"
    ROLL_BACK = "roll-back"
    CANNOT_TELL = "cannot-tell"


class CanaryStanding(StrEnum):
    """The state of one SLO until now. The names are part of the JSON report."""

    WORSE = "worse"
    """It fails more often, and is not shown to be within the margin."""
    WITHIN = "within"
    """It is shown to be within the margin."""
    NOT_SHOWN = "not-shown"


@dataclass(frozen=True, slots=True, kw_only=True)
class CanaryEvidence:
    """The evidence of one watched SLO; begin one with `compared_with_baseline` or `alone`."""

    margin: float
    """The allowed excess of its failure ratio over the baseline's, as a share of its requests; for
    a canary alone its allowed ratio."""
    worse: Worse
    """Evidence that it is worse than the baseline; for a canary alone than the budget, on
    average."""
    beyond: Worse
    """Evidence that it is worse by more than the margin at present."""
    excess: Excess
    compared: Excess
    """The excess in the steps with traffic of the baseline: in other steps the baseline's ratio is
    unknown. For a canary alone in all steps."""
    clusters: Clusters = Clusters()
    beyond_steps: int = 0
    """Consecutive steps until now after which it was shown to be beyond the margin at present."""

    @classmethod
    def compared_with_baseline(cls, margin: float) -> Self:
        """Return the evidence before the first step, for a canary with a baseline.

        Args:
            margin: the margin as a share of the canary's requests, above 0: the policy's margin (a
                share of the budget) times the share that the objective lets fail.
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
        """Return the evidence before the first step, for a canary without a baseline.

        Args:
            budget: the share of requests that the objective lets fail.
            margin: the allowed excess of the canary's own ratio, as a share of its requests.
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
        """Return the state of the SLO.

        Worse is shown by `log_evidence` at `ALPHA` / slos (Bonferroni), so that all SLOs together
        accuse a canary that is not worse at most that often. Within the margin needs no such
        correction: a canary is healthy only if all SLOs show it.

        Args:
            slos: the number of watched SLOs, at least 1.
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
        """Return the logarithm of the evidence that it is worse; `needed` shows it.

        If the evidence comes from too few steps the result is below `needed`, however large the
        evidence of `worse` is. A canary alone has no split of failures that could show clusters.

        Args:
            needed: log(slos / `ALPHA`), above 0.
        """
        worse, by_steps = self.worse.log_evidence, self.clusters.log_evidence
        bar = self.clusters.bar(needed)
        if self.excess.alone or by_steps >= bar:
            return worse
        return min(worse, by_steps / bar * needed)

    def bounds(self) -> tuple[float, float]:
        """Return `Excess.bounds`, each at `ALPHA`; wider if failures come in clusters."""
        return self.excess.bounds(self._alpha)

    def least_excess_bad(self, slos: int) -> float:
        """Return the least number of the canary's failures in excess of the baseline's ratio.

        It is the lower bound of `compared`, at `ALPHA` / slos as in `standing`. Clusters of
        failures do not widen it: a whole cluster is spent. A canary alone has no comparison: all of
        its failures are its own.

        Args:
            slos: the number of watched SLOs, at least 1.
        """
        compared = self.compared
        if compared.alone:
            return compared.canary_bad
        return max(compared.bounds(ALPHA / slos)[0], 0.0) * compared.canary_total

    @property
    def _alpha(self) -> float:
        """The level for evidence that counts each failure, so that the real level is `ALPHA`.

        If each event makes several failures, there are fewer events by that factor, and the
        logarithm of the evidence is smaller by the same factor.
        """
        return float(ALPHA**self.clusters.factor)

    def outlook(self) -> float | None:
        """Return about how many more requests show that it is within (`Excess.outlook`)."""
        return self.excess.outlook(self.margin, self._alpha)

    def document(self) -> dict[str, Any]:
        """Return the sums of the steps, for JSON."""
        return {
            "worse": self.worse.document(),
            "beyond": self.beyond.document(),
            "excess": self.excess.document(),
            "compared": self.compared.document(),
            "clusters": self.clusters.document(),
            "beyond_steps": self.beyond_steps,
        }

    def restored(self, document: Mapping[str, Any]) -> Self:
        """Return the evidence with the sums in a `document`.

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
            raise ValueError("the kept state does not have the numbers of this version")
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

    Evaluate it after every step, and end at the first that says to roll back: a later step may give
    another verdict.

    Args:
        standings: the state of each SLO; without any, nothing is shown.
        overspent: whether the canary has spent more of a budget than was agreed.
        finished: whether the watch is over. Before that nothing is healthy.
    """
    each = set(standings)
    if overspent or CanaryStanding.WORSE in each:
        return CanaryVerdict.ROLL_BACK
    healthy = finished and each == {CanaryStanding.WITHIN}
    return CanaryVerdict.HEALTHY if healthy else CanaryVerdict.CANNOT_TELL
