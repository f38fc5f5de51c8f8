"""The result of ``gate review``: how well the objectives of policies were met."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from fractions import Fraction

from gate.analysis import (
    LeftOut,
    document_head,
    left_out_document,
    service_head,
    unmeasured_document,
)
from gate.analysis.review.spending import ReviewedSpend, spend_document
from gate.dataclass import dataclass
from gate.decision.decision import PolicySource
from gate.decision.slo_document import Json, number, rfc3339, share
from gate.errors import ExitCode
from gate.history.objective_candidates import Candidate, Fit, expected_share
from gate.history.periods import PastPeriod
from gate.measure import Unmeasured
from gate.policy.policy import Policy
from gate.slo.objective import RatioSlo


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateReplay:
    """The outcome that another objective would have had."""

    candidate: Candidate
    met: int
    """The number of counted periods that met it."""
    exhausted: Fraction | None
    """The share of the known time in which nothing was left, 0 to 1; None: no time is known."""
    tiers: Mapping[str, Fraction]
    """The share of the known time in which the budget was in each tier of the policy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MovedReview:
    """The result for an objective in windows of one length, each a step later than the last."""

    count: int
    """The number of windows with enough known data; they overlap."""
    step: timedelta
    """The step between two windows."""
    missed: Fraction
    """The share of them that missed the objective, 0 to 1."""
    sla_missed: Fraction | None
    """The same for the SLA; None without an SLA."""
    worst: Fraction
    """The error ratio of the worst window."""
    worst_end: datetime
    """The end of the worst window, the first of several."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """The review of one SLO's objective by its history."""

    periods: tuple[PastPeriod, ...]
    """The periods, the oldest first."""
    fit: Fit
    met: Fraction | None
    """The strictest objective that 95% of the periods met; None: any."""
    moved: MovedReview | None
    """The review by sliding windows; None: no window is known."""
    replayed: tuple[CandidateReplay, ...]
    """The candidates, the strictest first."""
    unknown: Fraction
    """The share of the time with an unknown remaining budget, 0 to 1."""
    begins: datetime | None
    """The first instant with known data; None if that is the start of the requested time."""
    query: str
    notes: tuple[str, ...]

    @property
    def met_periods(self) -> int:
        """The number of counted periods that met the objective ``met``, which is not None."""
        budget = 1 - (self.met or 0)
        return sum(period.error_ratio <= budget for period in self.counted)

    @property
    def counted(self) -> list[PastPeriod]:
        """The periods with enough known data."""
        return [period for period in self.periods if period.doubt is None]


@dataclass(frozen=True, slots=True, kw_only=True)
class SloReview:
    """An SLO whose objective was reviewed."""

    slo: RatioSlo
    review: Review | None
    unmeasured: Unmeasured | None
    """The reason why the SLO, or all its periods, cannot be reviewed; None if some can."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceReview:
    """The review of one policy."""

    policy: Policy
    source: PolicySource
    slos: tuple[SloReview, ...]
    spending: tuple[ReviewedSpend, ...]
    """The allowances: each is a budget beside those of the objectives."""
    left_out: LeftOut
    """SLOs that have no history of their own, each with the reason."""

    @property
    def unmeasured(self) -> bool:
        """Whether none of them could be reviewed."""
        lost = [*(slo.unmeasured for slo in self.slos), *(slo.unmeasured for slo in self.spending)]
        return any(lost)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewReport:
    """The review of all policies."""

    services: tuple[ServiceReview, ...]
    """At least one."""
    periods: int
    """The number of periods requested."""
    evaluated_at: datetime
    tool_version: str

    @property
    def exit_code(self) -> ExitCode:
        """Undecided if an SLO could not be reviewed, otherwise allow: results are not a verdict."""
        lost = any(service.unmeasured for service in self.services)
        return ExitCode.UNDECIDED if lost else ExitCode.ALLOW


def review_document(report: ReviewReport) -> Json:
    """Return the report as plain data; shares are fractions of 1."""
    return {
        **document_head(report.evaluated_at, report.tool_version, report.exit_code),
        "periods_requested": report.periods,
        "services": [
            {
                **service_head(service),
                "slos": [_slo(slo) for slo in service.slos],
                "spending": [spend_document(spend) for spend in service.spending],
                "left_out": left_out_document(service.left_out),
            }
            for service in report.services
        ],
    }


def _slo(reviewed: SloReview) -> Json:
    slo = reviewed.slo
    return {
        "name": slo.name,
        "objective": share(slo.objective),
        "sla": share(slo.sla),
        "window": str(slo.window),
        "unmeasured": unmeasured_document(reviewed.unmeasured),
        "review": _review(slo, reviewed.review) if reviewed.review else None,
    }


def _review(slo: RatioSlo, review: Review) -> Json:
    return {
        "fit": review.fit,
        "periods": [_period(slo, period) for period in review.periods],
        "met_in_most": _met(review),
        "moved_windows": None if review.moved is None else _moved(slo, review.moved),
        "candidates": [_replayed(candidate) for candidate in review.replayed],
        "unknown_share": share(review.unknown),
        "history_begins": rfc3339(review.begins),
        "query": review.query,
        "notes": list(review.notes),
    }


def _met(review: Review) -> Json | None:
    if review.met is None:
        return None
    count = len(review.counted)
    return {
        "objective": share(review.met),
        "periods_met": review.met_periods,
        "periods": count,
        "expected_share": share(expected_share(count)),
    }


def _moved(slo: RatioSlo, moved: MovedReview) -> Json:
    return {
        "windows": moved.count,
        "step_seconds": moved.step.total_seconds(),
        "missed_share": share(moved.missed),
        "sla_missed_share": share(moved.sla_missed),
        "worst_consumed": share(moved.worst / slo.budget),
        "worst_end": rfc3339(moved.worst_end),
    }


def _period(slo: RatioSlo, period: PastPeriod) -> Json:
    return {
        "start": rfc3339(period.span.start),
        "end": rfc3339(period.span.end),
        "total": number(period.total),
        "bad": number(period.bad),
        "coverage": share(period.coverage),
        "not_counted": period.doubt,
        "consumed": share(period.consumed(slo.objective)),
        "sla_consumed": None if slo.sla is None else share(period.consumed(slo.sla)),
        "sla_spare_events": None if slo.sla is None else number(period.spare(slo.sla)),
    }


def _replayed(replayed: CandidateReplay) -> Json:
    return {
        "kind": replayed.candidate.kind,
        "objective": share(replayed.candidate.objective),
        "periods_met": replayed.met,
        "exhausted_share": share(replayed.exhausted),
        "tier_shares": {tier: share(part) for tier, part in replayed.tiers.items()},
    }
