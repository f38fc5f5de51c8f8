"""The result of ``gate forecast``: the future of the budgets of one or several policies."""

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Final

from gate.analysis import (
    document_head,
    reservations_document,
    seen_exit_code,
    service_head,
    unmeasured_document,
)
from gate.budget.assessment import Assessment
from gate.dataclass import dataclass
from gate.decision.decision import PolicySource
from gate.decision.slo_document import Json, rfc3339, share
from gate.errors import ExitCode
from gate.history.calendar_forecast import Expected
from gate.measure import Unmeasured
from gate.policy.coverage import Reservation
from gate.policy.policy import Policy
from gate.policy.tiers import Tier

_MOST: Final = 0.8
"""The share of the futures in which a budget must last to count as lasting."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastOptions:
    """The options of a forecast."""

    at: datetime
    """The present instant."""
    last: timedelta
    """The length of the history for a calendar budget's interval, in whole hours."""
    timeout: timedelta
    until: datetime | None = None
    """The end of the time for which failures are predicted; None: the reset, or one window from
    now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Projection:
    """The future of a budget at one burn rate."""

    rate_of: timedelta | None
    """The window before now whose burn rate continues; None: nothing more fails."""
    burn: Fraction
    exhausted_at: datetime | None
    """None: not at this rate, not before the reset, or already exhausted."""
    back: Mapping[str, datetime | None] = field(default_factory=dict)
    """For a rolling budget, by tier better than the present one: when the budget is in it or in a
    better one; None: not at this rate."""
    left_at_reset: Fraction | None = None
    """For a calendar budget: below 0 if it is overspent by then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Affordable:
    """The number of failures per hour that are possible from now on."""

    until: datetime
    """The requested date, or the budget's reset if that comes first; for a rolling budget, at most
    one window from now."""
    at_reset: bool
    rate: Fraction | None
    """The rate at which the budget is not overspent; None: not even if nothing more fails."""
    back: Mapping[str, Fraction | None]
    """By name, the rate at which it is in each better tier than now; None: not even if nothing more
    fails."""
    what: str
    """The counted unit: failures, bad slices, or a currency."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SloForecast:
    """The future of one SLO's budget."""

    assessment: Assessment
    tier: Tier | None
    """The tier of the remaining budget; None if it was not measured."""
    projections: tuple[Projection, ...] = ()
    """The projections: for a rolling budget from its history; for a calendar one by division, which
    is exact as long as the traffic stays the same. Empty: see ``unmeasured`` and ``limitation``."""
    expected: Expected | None = None
    """For a calendar budget: the remaining share at the reset if the future is like the past."""
    affordable: Affordable | None = None
    """How much may still fail; None: unknown."""
    limitation: str | None = None
    """The reason why no more can be predicted although no data is missing; a sentence."""
    unmeasured: Unmeasured | None = None
    """The reason why the history or the budget could not be obtained."""
    unknown: Fraction = Fraction(0)
    """The share of the history without data, 0 to 1."""
    notes: tuple[str, ...] = ()
    reservations: tuple[Reservation, ...] = ()
    """The doubts about these results."""

    @property
    def gone(self) -> bool:
        """Whether nothing is left."""
        compared = self.assessment.compared
        return compared is not None and compared <= 0

    @property
    def running_out(self) -> bool:
        """Whether it runs out at the current rate, over the shortest known window."""
        rates = [projection for projection in self.projections if projection.rate_of is not None]
        return bool(rates) and rates[0].exhausted_at is not None

    @property
    def may_run_out(self) -> bool:
        """Whether it runs out at some rate, or in more than one of five futures."""
        if self.expected is not None and self.expected.lasting_futures < _MOST:
            return True
        return any(projection.exhausted_at is not None for projection in self.projections)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceForecast:
    """The future of one policy's budgets."""

    policy: Policy
    source: PolicySource
    slos: tuple[SloForecast, ...]
    """In the policy's order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastReport:
    """The future of all budgets."""

    services: tuple[ServiceForecast, ...]
    """At least one."""
    evaluated_at: datetime
    tool_version: str

    @property
    def exit_code(self) -> ExitCode:
        """Undecided if too little of a budget or a history was seen, whatever is predicted."""
        return seen_exit_code(slo for service in self.services for slo in service.slos)


def forecast_document(report: ForecastReport) -> Json:
    """Return the report as plain data; durations are in seconds, shares fractions of 1."""
    return {
        **document_head(report.evaluated_at, report.tool_version, report.exit_code),
        "services": [
            {
                **service_head(service),
                "slos": [_slo(slo) for slo in service.slos],
            }
            for service in report.services
        ],
    }


def _slo(forecast: SloForecast) -> Json:
    assessment = forecast.assessment
    simple = assessment.forecast
    return {
        "name": assessment.slo.name,
        "remaining": None if assessment.uncovered else share(assessment.remaining),
        "compared": None if assessment.uncovered else share(assessment.compared),
        "tier": forecast.tier.name if forecast.tier else None,
        "resets_at": rfc3339(simple.resets_at) if simple else None,
        "projections": [_projection(projection) for projection in forecast.projections],
        "expected": _expected(forecast.expected),
        "affordable": _affordable(forecast.affordable),
        "limitation": forecast.limitation,
        "unknown_share": share(forecast.unknown),
        "notes": list(forecast.notes),
        "reservations": reservations_document(forecast.reservations),
        "unmeasured": unmeasured_document(forecast.unmeasured),
    }


def _projection(projection: Projection) -> Json:
    return {
        "burn_rate_window_seconds": projection.rate_of.total_seconds()
        if projection.rate_of
        else None,
        "burn_rate": share(projection.burn),
        "exhausted_at": _second(projection.exhausted_at),
        "reaches_tier_at": {tier: _second(at) for tier, at in projection.back.items()},
        "left_at_reset": share(projection.left_at_reset),
    }


def _expected(expected: Expected | None) -> Json | None:
    if expected is None:
        return None
    return {
        "low": expected.low,
        "median": expected.median,
        "high": expected.high,
        "lasting_share": expected.lasting,
        "history_seconds": expected.history_length.total_seconds(),
        "simulated": {
            "within_share": expected.held.within / 100,
            "worse_share": expected.held.worse / 100,
            "least_within_share": expected.held.least / 100,
        },
    }


def _second(at: datetime | None) -> str | None:
    # In a prediction, microseconds are noise.
    return None if at is None else rfc3339(at.replace(microsecond=0))


def _affordable(affordable: Affordable | None) -> Json | None:
    if affordable is None:
        return None
    return {
        "until": rfc3339(affordable.until),
        "what": affordable.what,
        "per_hour": share(affordable.rate),
        "per_hour_to_be_in": {name: share(rate) for name, rate in affordable.back.items()},
    }
