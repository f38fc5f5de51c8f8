"""What ``gate forecast`` foretells of the budgets of one or several policies."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fractions import Fraction

from gate.budget.assessment import Assessment
from gate.decision.decision import SCHEMA_VERSION, PolicySource
from gate.decision.document import source_document
from gate.decision.slo_document import Json, instant, share
from gate.errors import ExitCode
from gate.history.calendar_forecast import Expected
from gate.measure.counts import Unmeasured
from gate.policy.policy import Policy
from gate.policy.tiers import Tier


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """What becomes of a budget at one rate."""

    rate_of: timedelta | None
    """The window before now whose burn rate goes on; None: nothing more fails."""
    burn: Fraction
    exhausted_at: datetime | None
    """None: not at this rate, or not before the reset, or gone already."""
    back: Mapping[str, datetime | None] = field(default_factory=dict)
    """Rolling: for each tier better than the present one when the budget is in it, or in a better
    one; None: not at this rate."""
    left_at_reset: Fraction | None = None
    """Calendar: below 0 where it is overspent by then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SloForecast:
    """One SLO."""

    assessment: Assessment
    tier: Tier | None
    """The band of what is left; None: not measured."""
    courses: tuple[Course, ...] = ()
    """Of a rolling budget by its history; of a calendar one by division, which is exact there as
    long as the traffic stays. Empty: see ``unmeasured`` and ``why_not``."""
    expected: Expected | None = None
    """Calendar: what is left at the reset if what comes is like what was."""
    why_not: str | None = None
    """Why there is less than that, where nothing is missing: a sentence."""
    unmeasured: Unmeasured | None = None
    """Why the history could not be had, or the budget."""
    unknown: Fraction = Fraction(0)
    """The share of the history of which nothing is known."""
    notes: tuple[str, ...] = ()

    @property
    def gone(self) -> bool:
        """Whether nothing is left."""
        compared = self.assessment.compared
        return compared is not None and compared <= 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceForecast:
    """One policy."""

    policy: Policy
    source: PolicySource
    slos: tuple[SloForecast, ...]
    """In the policy's order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastReport:
    """The whole."""

    services: tuple[ServiceForecast, ...]
    """At least one."""
    evaluated_at: datetime
    tool_version: str

    @property
    def exit_code(self) -> ExitCode:
        """Undecided where a budget or a history could not be had, whatever is foretold."""
        lost = any(one.unmeasured for service in self.services for one in service.slos)
        return ExitCode.UNDECIDED if lost else ExitCode.ALLOW


def forecast_document(report: ForecastReport) -> Json:
    """Return the report as plain data; durations are in seconds, shares fractions of 1."""
    return {
        "schema_version": SCHEMA_VERSION,
        "evaluated_at": instant(report.evaluated_at),
        "tool_version": report.tool_version,
        "exit_code": report.exit_code,
        "services": [
            {
                "service": service.policy.service,
                "source": source_document(service.source),
                "slos": [_slo(one) for one in service.slos],
            }
            for service in report.services
        ],
    }


def _slo(one: SloForecast) -> Json:
    known, lost = one.assessment, one.unmeasured
    simple = known.forecast
    return {
        "name": known.slo.name,
        "remaining": share(known.remaining),
        "compared": share(known.compared),
        "tier": one.tier.name if one.tier else None,
        "resets_at": instant(simple.resets_at) if simple else None,
        "courses": [_course(course) for course in one.courses],
        "expected": _expected(one.expected),
        "why_not": one.why_not,
        "unknown": share(one.unknown),
        "notes": list(one.notes),
        "unmeasured": {"cause": lost.cause, "reason": lost.reason} if lost else None,
    }


def _course(course: Course) -> Json:
    return {
        "rate_of_seconds": course.rate_of.total_seconds() if course.rate_of else None,
        "burn_rate": share(course.burn),
        "exhausted_at": _second(course.exhausted_at),
        "back": {tier: _second(at) for tier, at in course.back.items()},
        "left_at_reset": share(course.left_at_reset),
    }


def _expected(one: Expected | None) -> Json | None:
    if one is None:
        return None
    return {
        "low": one.low,
        "median": one.median,
        "high": one.high,
        "lasting": one.lasting,
        "history_seconds": one.history_length.total_seconds(),
    }


def _second(at: datetime | None) -> str | None:
    # Of what is foretold the microseconds are noise.
    return None if at is None else instant(at.replace(microsecond=0))
