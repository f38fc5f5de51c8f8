"""The result of ``gate cohorts``: the groups of events that use the budgets."""

from datetime import datetime, timedelta
from fractions import Fraction
from math import isfinite
from typing import Final

from gate.analysis import (
    LeftOut,
    document_head,
    left_out_document,
    reservations_document,
    seen_exit_code,
    service_head,
    unmeasured_document,
)
from gate.dataclass import dataclass
from gate.decision.decision import PolicySource
from gate.decision.slo_document import Json, rfc3339, share
from gate.errors import ExitCode
from gate.history.cohorts.comparison import Comparison, ComparisonOutcome, Contrast
from gate.measure import Unmeasured
from gate.policy.coverage import Reservation
from gate.policy.policy import Policy
from gate.slo.objective import Span

_ECHOES: Final = frozenset(
    {ComparisonOutcome.BETTER, ComparisonOutcome.MIX, ComparisonOutcome.UNSURE}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The events with one value of the label."""

    value: str
    """Empty for events without the label."""
    total: float
    bad: float
    interval: tuple[float, float]
    """The 95% interval of its error ratio (Wilson), allowing for failures in bursts."""
    burn_rate: float
    budget_share: float
    """Its bad events divided by those that the budget of `SloCohorts.budget_period` allows."""
    comparison: Comparison | None
    """None if the others are compared with this group."""

    @property
    def ratio(self) -> float:
        """The share of its events that failed."""
        return self.bad / self.total

    @property
    def silent(self) -> bool:
        """Whether the detectable difference is all that can be reported about it."""
        comparison = self.comparison
        return (
            comparison is not None
            and comparison.outcome is ComparisonOutcome.NONE
            and not comparison.timing
        )

    @property
    def echo(self) -> bool:
        """Whether it burns less than the rest, as all do if one of the rest burns more."""
        comparison = self.comparison
        if comparison is None or comparison.crude is None or comparison.crude.ratio is None:
            return False
        return comparison.outcome in _ECHOES and comparison.crude.ratio < 1


@dataclass(frozen=True, slots=True, kw_only=True)
class SloCohorts:
    """An SLO whose events are compared by group."""

    slo: str
    span: Span
    step: timedelta
    groups: tuple[Group, ...] = ()
    """The most expensive first; empty if nothing is known."""
    baseline: str | None = None
    """The value that the others are compared with; None: each is compared with the rest."""
    unknown: Fraction = Fraction(1)
    """The share of the time without known data, 0 to 1."""
    query: str | None = None
    notes: tuple[str, ...] = ()
    unmeasured: Unmeasured | None = None
    """The reason why the groups are missing; None if they are known."""
    reservations: tuple[Reservation, ...] = ()
    """The doubts about these results."""
    budget_period: timedelta = timedelta()
    """The period of the budget that the groups' shares are of: the SLO's window, or the examined
    time if that is longer; 0 without groups."""
    defining: bool = False
    """Whether the label is part of what makes an event bad."""
    by_definition: bool = False
    """Whether each value always fails or never does, so that the values are not compared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceCohorts:
    """The cohorts of one policy."""

    policy: Policy
    source: PolicySource
    slos: tuple[SloCohorts, ...]
    left_out: LeftOut
    """SLOs without events that could be compared, each with the reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CohortReport:
    """The cohorts of all policies."""

    services: tuple[ServiceCohorts, ...]
    """At least one."""
    by: str
    within: str | None
    """A second label, for comparisons within each of its values. None: no second label."""
    at: datetime
    tool_version: str

    @property
    def exit_code(self) -> ExitCode:
        """Undecided if too little of an SLO was seen by group, whatever was found."""
        return seen_exit_code(slo for service in self.services for slo in service.slos)


def cohorts_document(report: CohortReport) -> Json:
    """Return the report as plain data; durations are in seconds, shares fractions of 1."""
    return {
        **document_head(report.at, report.tool_version, report.exit_code),
        "by": report.by,
        "stratify_by": report.within,
        "services": [
            {
                **service_head(service),
                "slos": [_slo(slo) for slo in service.slos],
                "left_out": left_out_document(service.left_out),
            }
            for service in report.services
        ],
    }


def _slo(slo: SloCohorts) -> Json:
    return {
        "name": slo.slo,
        "from": rfc3339(slo.span.start),
        "to": rfc3339(slo.span.end),
        "step_seconds": slo.step.total_seconds(),
        "baseline": slo.baseline,
        "unknown_share": share(slo.unknown),
        "budget_period_seconds": slo.budget_period.total_seconds(),
        "label_defines_bad": slo.defining or slo.by_definition,
        "groups": [_group(group) for group in slo.groups],
        "query": slo.query,
        "notes": list(slo.notes),
        "reservations": reservations_document(slo.reservations),
        "unmeasured": unmeasured_document(slo.unmeasured),
    }


def _group(group: Group) -> Json:
    return {
        "value": group.value,
        "total": group.total,
        "bad": group.bad,
        "error_ratio": group.ratio,
        "error_ratio_interval": list(group.interval),
        "burn_rate": group.burn_rate,
        "budget_share": group.budget_share,
        "comparison": _comparison(group.comparison) if group.comparison else None,
    }


def _comparison(comparison: Comparison) -> Json:
    return {
        "outcome": comparison.outcome,
        "reason": comparison.why if comparison.outcome is ComparisonOutcome.NOT_COMPARED else None,
        "same_time": not comparison.apart,
        "unadjusted_ratio": _finite(comparison.plain),
        "crude": _contrast(comparison.crude),
        "stratified": _contrast(comparison.within),
        "detectable_error_ratio": comparison.detectable,
        "detectable_ratio": comparison.detectable_ratio,
    }


def _contrast(contrast: Contrast | None) -> Json | None:
    if contrast is None:
        return None
    return {
        "ratio": _finite(contrast.ratio),
        "ratio_interval": [_finite(end) for end in contrast.interval],
        "probability": contrast.probability,
        "adjusted_probability": contrast.adjusted,
        "method": contrast.method,
        "design_effect": contrast.effect,
    }


def _finite(number: float | None) -> float | None:
    """Return a number for JSON: a ratio to zero is infinite."""
    return number if number is not None and isfinite(number) else None
