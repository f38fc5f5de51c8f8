"""What ``gate cohorts`` found: whose events burn the budgets of one or several policies."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from math import isfinite

from gate.decision.decision import SCHEMA_VERSION, PolicySource
from gate.decision.document import source_document
from gate.decision.slo_document import Json, instant, share
from gate.errors import ExitCode
from gate.history.cohorts.comparison import Comparison, ComparisonOutcome, Contrast
from gate.measure.counts import Unmeasured
from gate.policy.policy import Policy
from gate.slo.window import Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The events of one value of the label."""

    value: str
    """Empty: events without the label."""
    total: float
    bad: float
    interval: tuple[float, float]
    """95 % of its error ratio (Wilson), for failures that come in bursts as they do."""
    burn_rate: float
    budget_share: float
    """Its bad events, by those that the budget of one SLO window has."""
    comparison: Comparison | None
    """None: it is what the others are compared with."""

    @property
    def ratio(self) -> float:
        """The share of its events that failed."""
        return self.bad / self.total


@dataclass(frozen=True, slots=True, kw_only=True)
class SloCohorts:
    """One SLO whose events were to be told apart."""

    slo: str
    span: Span
    step: timedelta
    groups: tuple[Group, ...] = ()
    """Those that cost the most first; empty where nothing is known."""
    baseline: str | None = None
    """The value that the others are compared with; None: each with all the rest."""
    unknown: Fraction = Fraction(1)
    """The share of the time of which nothing is known, 0 to 1."""
    query: str | None = None
    notes: tuple[str, ...] = ()
    unmeasured: Unmeasured | None = None
    """Given: there are no groups, and this is why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceCohorts:
    """One policy."""

    policy: Policy
    source: PolicySource
    slos: tuple[SloCohorts, ...]
    left_out: tuple[tuple[str, str], ...]
    """SLOs that have no events to tell apart, each with a sentence that says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CohortReport:
    """The whole."""

    services: tuple[ServiceCohorts, ...]
    """At least one."""
    by: str
    within: str | None
    """A second label, among whose values events are alike; None: it was not looked at."""
    at: datetime
    tool_version: str

    @property
    def exit_code(self) -> ExitCode:
        """Undecided where an SLO could not be measured by group; no verdict on what was found."""
        slos = [slo for service in self.services for slo in service.slos]
        unmeasured = any(slo.unmeasured is not None for slo in slos)
        return ExitCode.UNDECIDED if unmeasured else ExitCode.ALLOW


def cohorts_document(report: CohortReport) -> Json:
    """Return the report as plain data; durations are in seconds, shares fractions of 1."""
    return {
        "schema_version": SCHEMA_VERSION,
        "evaluated_at": instant(report.at),
        "tool_version": report.tool_version,
        "exit_code": report.exit_code,
        "by": report.by,
        "within": report.within,
        "services": [
            {
                "service": service.policy.service,
                "source": source_document(service.source),
                "slos": [_slo(one) for one in service.slos],
                "left_out": [{"slo": slo, "reason": reason} for slo, reason in service.left_out],
            }
            for service in report.services
        ],
    }


def _slo(one: SloCohorts) -> Json:
    lost = one.unmeasured
    return {
        "name": one.slo,
        "from": instant(one.span.start),
        "to": instant(one.span.end),
        "step_seconds": one.step.total_seconds(),
        "baseline": one.baseline,
        "unknown": share(one.unknown),
        "groups": [_group(group) for group in one.groups],
        "query": one.query,
        "notes": list(one.notes),
        "unmeasured": {"cause": lost.cause, "reason": lost.reason} if lost else None,
    }


def _group(one: Group) -> Json:
    return {
        "value": one.value,
        "total": one.total,
        "bad": one.bad,
        "error_ratio": one.ratio,
        "error_ratio_interval": list(one.interval),
        "burn_rate": one.burn_rate,
        "budget_share": one.budget_share,
        "comparison": _comparison(one.comparison) if one.comparison else None,
    }


def _comparison(one: Comparison) -> Json:
    return {
        "outcome": one.outcome,
        "reason": one.why if one.outcome is ComparisonOutcome.NOT_COMPARED else None,
        "same_time": not one.apart,
        "ratio_as_it_came": _finite(one.plain),
        "crude": _contrast(one.crude),
        "within": _contrast(one.within),
        "detectable_error_ratio": one.detectable,
        "detectable_ratio": one.detectable_ratio,
    }


def _contrast(one: Contrast | None) -> Json | None:
    if one is None:
        return None
    return {
        "ratio": _finite(one.ratio),
        "ratio_interval": [_finite(end) for end in one.interval],
        "probability": one.probability,
        "adjusted_probability": one.adjusted,
        "method": one.method,
        "design_effect": one.effect,
    }


def _finite(number: float | None) -> float | None:
    """Return what JSON can hold; a ratio to nothing has no end."""
    return number if number is not None and isfinite(number) else None
