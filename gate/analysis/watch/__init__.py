"""The options of ``gate watch``, and its result."""

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime, timedelta
from fractions import Fraction
from math import ceil, exp
from typing import Final

from gate.analysis import document_head, service_head
from gate.analysis.watch.arms import Arms, WatchGrid
from gate.budget.assessment import Assessment
from gate.dataclass import dataclass
from gate.decision.decision import PolicySource
from gate.decision.slo_document import Json, rfc3339, share
from gate.errors import ExitCode
from gate.history.sequential import ComparedStep
from gate.history.sequential.verdict import CanaryEvidence, CanaryStanding, CanaryVerdict
from gate.policy.policy import Policy
from gate.slo.objective import RatioSlo

_FAR: Final = 1000
"""The maximum factor for the requests of an outlook: beyond it, there is none."""
EXIT_CODES: Final = {
    CanaryVerdict.HEALTHY: ExitCode.ALLOW,
    CanaryVerdict.ROLL_BACK: ExitCode.BLOCK,
    CanaryVerdict.CANNOT_TELL: ExitCode.UNDECIDED,
}
"""The exit code of each verdict."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpendLimit:
    """The limit on the canary's share of an SLO's budget, as shares of the whole budget."""

    most: Fraction
    """A larger share ends the watch."""
    expected: Fraction | None = None
    """The cost of the change that the trigger expected; None: no trigger."""
    promised: bool = False
    """Whether it was written before the change, not only stated for this watch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchOptions:
    """The traffic of the watch, the duration, and the limits."""

    arms: Arms
    lasting: timedelta
    every: timedelta
    margin: Fraction
    """How far the canary's error ratio may exceed that of the baseline, as a share of the error
    budget, above 0."""
    timeout: timedelta
    """The time limit of one look."""
    slos: tuple[str, ...] = ()
    """Only these SLOs; all if empty."""
    max_spend: Fraction | None = None
    """The share of each budget that the canary may spend; None: unlimited."""
    promises: Mapping[str, SpendLimit] = field(default_factory=dict)
    """By SLO, the promises from before the change."""
    change: str | None = None
    """The class of the change in the promises; None: no promises."""
    revision: str | None = None
    """The commit of the canary; None: unknown."""

    def limit(self, slo: str) -> SpendLimit | None:
        """Return the strictest limit on the canary's share of an SLO's budget; None: unlimited."""
        promise = self.promises.get(slo)
        if self.max_spend is None:
            return promise
        if promise is not None and promise.most <= self.max_spend:
            return promise
        return SpendLimit(most=self.max_spend, expected=promise.expected if promise else None)


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchedSlo:
    """The observations of one SLO."""

    slo: RatioSlo
    standing: CanaryStanding
    overspent: bool
    """Whether the canary is shown to have spent more of its budget than the limit."""
    canary: tuple[float, float]
    """The canary's events, and the bad ones."""
    baseline: tuple[float, float] | None
    """The same for the baseline; None without a baseline."""
    shown: CanaryEvidence
    """All evidence of it."""
    needed: float
    """The natural logarithm of the e-value that shows it to be worse."""
    spent: tuple[float, float] | None
    """The bounds of the budget share that the canary took beyond the baseline's ratio: they differ
    if too little of the budget's window was measured. None: the budget was not measured."""
    limit: SpendLimit | None
    saved: float | None
    """The minimum share of the budget that it would still have taken by the end of the watch at
    this rate; None: unknown."""
    steps: tuple[ComparedStep | None, ...]
    """Every step that was checked; None: unknown."""
    missing: int
    """The number of unknown steps in the whole watch."""
    step: timedelta
    troubles: tuple[str, ...] = ()
    """The reasons for a missing result, and the remedies."""
    assessment: Assessment | None = None
    """Its budget at the end; None: not requested."""

    @property
    def evidence(self) -> float:
        """The natural logarithm of the e-value that it is worse."""
        return self.shown.log_evidence(self.needed)

    @property
    def margin(self) -> float:
        """The excess that is allowed: a share of the requests, above 0.

        Without a baseline, it includes the budget.
        """
        return self.shown.margin

    @property
    def excess(self) -> float | None:
        """How far the canary's error ratio exceeds that of the baseline in the same steps.

        Without a baseline, it is the canary's error ratio; None: the canary had no events.
        """
        return self.shown.excess.ratio

    @property
    def bounds(self) -> tuple[float, float]:
        """The bounds of the excess, at all looks together with 95%.

        They are -1 (0 without a baseline) and 1 without known data.
        """
        return self.shown.bounds()

    @property
    def longer(self) -> timedelta | None:
        """How much longer the same traffic would have to be watched; None: unknown."""
        requests, total = self.shown.outlook(), self.shown.excess.canary_total
        if requests is None or not total or requests > _FAR * total:
            return None
        return ceil(requests / total * len(self.steps)) * self.step


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchLook:
    """The state of a watch after a look."""

    number: int
    """The number of the look, from 1."""
    at: datetime
    grid: WatchGrid
    ended: int
    """The number of steps that have ended."""
    slos: tuple[WatchedSlo, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchReport:
    """The result of a watch."""

    policy: Policy
    source: PolicySource
    options: WatchOptions
    grid: WatchGrid
    verdict: CanaryVerdict
    slos: tuple[WatchedSlo, ...]
    ended_at: datetime
    """The end of the counted time."""
    interrupted: bool
    """Whether a signal has ended it."""
    looks: int
    notes: tuple[str, ...]
    tool_version: str
    reasons: tuple[str, ...] = ()
    """The reasons for the verdict, in sentences; at least one in a complete report."""


_LARGEST: Final = 700.0
"""The logarithm of the largest evidence that is written; JSON has no infinity."""


def watch_document(report: WatchReport) -> Json:
    """Return the report; durations are in seconds, shares fractions of 1."""
    options, grid = report.options, report.grid
    baseline = options.arms.baseline
    return {
        **document_head(report.ended_at, report.tool_version, EXIT_CODES[report.verdict]),
        "verdict": report.verdict,
        "reasons": list(report.reasons),
        **service_head(report),
        "canary": str(options.arms.canary),
        "baseline": None if baseline is None else str(baseline),
        "margin": share(options.margin),
        "from": rfc3339(grid.start),
        "to": rfc3339(report.ended_at),
        "planned_end": rfc3339(grid.end),
        "step_seconds": grid.step.total_seconds(),
        "looks": report.looks,
        "ended_by_signal": report.interrupted,
        "change": options.change,
        "slos": [_slo(slo) for slo in report.slos],
        "notes": list(report.notes),
    }


def _slo(slo: WatchedSlo) -> Json:
    low, high = slo.bounds
    return {
        "name": slo.slo.name,
        "standing": slo.standing,
        "overspent": slo.overspent,
        "canary": _counts(slo.canary),
        "baseline": None if slo.baseline is None else _counts(slo.baseline),
        "evidence": exp(min(slo.evidence, _LARGEST)),
        "evidence_needed": exp(slo.needed),
        "excess": slo.excess,
        "excess_interval": [low, high],
        "excess_allowed": slo.margin,
        "budget_spent": None if slo.spent is None else slo.spent[0],
        "budget_spent_at_most": None if slo.spent is None else slo.spent[1],
        "budget_saved": slo.saved,
        "budget_left": None if slo.assessment is None else share(slo.assessment.compared),
        "limit": None if slo.limit is None else _limit(slo.limit),
        "missing_steps": slo.missing,
        "more_seconds": None if slo.longer is None else slo.longer.total_seconds(),
        "troubles": list(slo.troubles),
        "steps": [None if step is None else list(step) for step in slo.steps],
    }


def _counts(counts: tuple[float, float]) -> Json:
    total, bad = counts
    return {"total": total, "bad": bad, "error_ratio": bad / total if total else None}


def _limit(limit: SpendLimit) -> Json:
    most, expected = share(limit.most), share(limit.expected)
    return {"most": most, "expected": expected, "promised": limit.promised}
