"""The judgement of a watch: step by step, and for each SLO when it is shown."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from fractions import Fraction
from math import log
from typing import Final

from gate.analysis.watch import SpendLimit, WatchedSlo, WatchOptions
from gate.analysis.watch.arms import WatchGrid
from gate.budget.assessment import Assessment, Doubt
from gate.dataclass import dataclass
from gate.history.sequential import ComparedStep
from gate.history.sequential.verdict import (
    ALPHA,
    CanaryEvidence,
    CanaryStanding,
    CanaryVerdict,
    canary_verdict,
)
from gate.slo.objective import RatioSlo

_NOISE: Final = 1e-9


@dataclass(slots=True, kw_only=True)
class Judge:
    """The evidence of all watched SLOs, to which steps are added."""

    slos: tuple[RatioSlo, ...]
    options: WatchOptions
    evidence: dict[str, CanaryEvidence] = field(default_factory=dict)
    costs: dict[str, Fraction] = field(default_factory=dict)
    """By SLO, the share of its budget that one failure takes; without unknown ones. If too little
    of a budget was measured, the share of the measured part's budget."""
    parts: dict[str, tuple[Fraction, str]] = field(default_factory=dict)
    """By SLO, the measured share of its window, and the measured part in words; only if it is too
    little to know the size of the budget."""

    last: int = -1
    """The number of the newest step that was added; -1: none."""

    def __post_init__(self) -> None:
        """Begin without evidence for SLOs that have none."""
        for slo in self.slos:
            self.evidence.setdefault(slo.name, self._beginning(slo))

    def _beginning(self, slo: RatioSlo) -> CanaryEvidence:
        margin = float(self.options.margin * slo.budget)
        if self.options.arms.baseline is None:
            return CanaryEvidence.alone(float(slo.budget), margin)
        return CanaryEvidence.compared_with_baseline(margin)

    def copy(self) -> "Judge":
        """Return a copy, to which steps can be added on trial.

        The costs of failures are shared, even those that are measured later.
        """
        return Judge(
            slos=self.slos,
            options=self.options,
            evidence=dict(self.evidence),
            costs=self.costs,
            parts=self.parts,
            last=self.last,
        )

    def size(self, assessment: Assessment) -> None:
        """Set the cost of one failure from a measured budget."""
        name = assessment.slo.name
        if assessment.exhausting_ratio and assessment.total:
            self.costs[name] = 1 / (assessment.exhausting_ratio * assessment.total)
            coverage = assessment.evidence.coverage if assessment.evidence else None
            if assessment.small_part is not None and coverage is not None:
                self.parts[name] = coverage, assessment.small_part

    def add(self, place: int, steps: Mapping[str, ComparedStep]) -> None:
        """Add the counts of one step, by SLO.

        If events are a sample, they count as fewer independent events.
        """
        for slo in self.slos:
            step = steps.get(slo.name)
            if step is not None:
                self.last = max(self.last, place)
            if step is not None and any(step):
                effect = float(slo.design_effect)
                thinned = ComparedStep(*(count / effect for count in step))
                self.evidence[slo.name] = self.evidence[slo.name].after(thinned)

    def _events(self, slo: str) -> float:
        """Return the number of events behind one that the evidence counts."""
        return next(float(each.design_effect) for each in self.slos if each.name == slo)

    def spent(self, slo: str) -> tuple[float, float] | None:
        """Return the share of an SLO's budget that the canary took beyond the baseline's ratio.

        The result has two bounds: if too little of the budget was measured, the lower one is for a
        budget with the same traffic in the rest of the window, the higher one for a budget without
        traffic there. None: the budget was not measured.
        """
        cost = self.costs.get(slo)
        if cost is None:
            return None
        bad = max(self.evidence[slo].excess.excess_bad, 0.0)
        most = bad * self._events(slo) * float(cost)
        return (most * float(self.parts[slo][0]) if slo in self.parts else most), most

    def overspent(self, slo: str) -> bool:
        """Return whether it is shown that more than the limit is spent, whatever was not measured.

        Beside a baseline with little or no traffic, much of `spent` is chance.
        """
        spent, limit = self.spent(slo), self.options.limit(slo)
        if spent is None or limit is None or not _exceeds(spent[0], limit):
            return False
        least = self.evidence[slo].least_excess_bad(len(self.slos)) * self._events(slo)
        part = self.parts[slo][0] if slo in self.parts else 1
        return _exceeds(least * float(self.costs[slo] * part), limit)

    def spending_troubles(self, slo: str, doubts: Sequence[Doubt]) -> Iterator[str]:
        """Yield why it is unknown whether the canary has spent more than the limit.

        Args:
            slo: the name of the SLO.
            doubts: the doubts about its budget.
        """
        limit, spent = self.options.limit(slo), self.spent(slo)
        if limit is None:
            return
        if spent is None:
            why = "".join(f": {doubt.reason}" for doubt in doubts[:1])
            yield f"its budget was not measured, so the spent part is unknown{why}"
        elif _exceeds(spent[1], limit) and not _exceeds(spent[0], limit):
            yield f"the size of its budget is not known: only {self.parts[slo][1]} are measured"
        elif _exceeds(spent[0], limit) and not self.rolls_back:
            yield (
                "it may have spent more than was agreed: the failures beyond the baseline's ratio"
                " may be chance, and more traffic of both would show it"
            )

    def verdict(self, *, finished: bool) -> CanaryVerdict:
        """Return the verdict on all SLOs."""
        return canary_verdict(
            (self.standing(slo.name) for slo in self.slos),
            overspent=any(self.overspent(slo.name) for slo in self.slos),
            finished=finished,
        )

    def standing(self, slo: str) -> CanaryStanding:
        """Return the result for an SLO."""
        return self.evidence[slo].standing(len(self.slos))

    @property
    def rolls_back(self) -> bool:
        """Whether the watch ends here."""
        return self.verdict(finished=False) is CanaryVerdict.ROLL_BACK


def _exceeds(spent: float, limit: SpendLimit) -> bool:
    """Return whether it is more, beyond the rounding errors of sums."""
    return spent > float(limit.most) * (1 + _NOISE)


def watched_slo(
    judge: Judge,
    slo: RatioSlo,
    grid: WatchGrid,
    steps: Sequence[ComparedStep | None],
    *,
    troubles: Sequence[str] = (),
    assessment: Assessment | None = None,
) -> WatchedSlo:
    """Return the observations of an SLO in the checked steps."""
    name, evidence = slo.name, judge.evidence[slo.name]
    seen = [step for step in steps if step is not None]
    spent, left = judge.spent(name), grid.count - len(steps)
    return WatchedSlo(
        slo=slo,
        standing=judge.standing(name),
        overspent=judge.overspent(name),
        canary=(sum(s.canary_total for s in seen), sum(s.canary_bad for s in seen)),
        baseline=None
        if judge.options.arms.baseline is None
        else (sum(s.baseline_total for s in seen), sum(s.baseline_bad for s in seen)),
        shown=evidence,
        needed=log(len(judge.slos) / ALPHA),
        spent=spent,
        limit=judge.options.limit(name),
        saved=None if spent is None or not seen else spent[0] / len(seen) * left,
        steps=tuple(steps),
        missing=grid.count - len(seen),
        troubles=tuple(troubles),
        step=grid.step,
        assessment=assessment,
    )
