"""The part about one SLO in the documents, equal in a decision and in a status."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from fractions import Fraction

from gate.budget.assessment import Assessment
from gate.budget.ratio import allowed_downtime, seconds
from gate.measure import Definition, Suspicion, Unmeasured
from gate.policy.policy import Policy
from gate.policy.rounding import known_tier
from gate.slo.indicator import Slices
from gate.slo.objective import CalendarWindow, CompositeSlo, PlatformSlo, RatioSlo, Slo, SpendSlo
from gate.slo.quantities import format_duration

MEASURED = "measured"
"""The status of a budget without any doubt; otherwise the first doubt's cause."""
Json = dict[str, object]


def slo_document(assessment: Assessment, at: datetime) -> Json:
    """Return the known facts about one SLO at the instant ``at``, ready for JSON.

    Shares are fractions of 1 and may be negative; None means not measured.
    """
    return (
        _promise(assessment.slo, at)
        | _count(assessment)
        | _budget(assessment)
        | _trust(assessment)
        | _outlook(assessment)
    )


def tier_document(policy: Policy, assessment: Assessment) -> Json:
    """Return the name of the tier of one SLO's own budget; None: unknown."""
    tier = known_tier(policy.tiers, assessment)
    return {"tier": None if tier is None else tier.name}


def number(value: Fraction | None) -> float | int | None:
    """Return the nearest JSON number: integers for whole amounts; never NaN or Infinity."""
    if value is None or value.denominator == 1:
        return None if value is None else value.numerator
    return share(value)


def share(value: Fraction | None) -> float | None:
    """Return the nearest float; beyond the range of floats, the integer, which JSON can hold."""
    if value is None:
        return None
    try:
        return float(value)
    except OverflowError:
        return int(value)


def rfc3339(at: datetime | None) -> str | None:
    """Write an instant as RFC 3339 in UTC with a Z."""
    return None if at is None else at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _promise(slo: Slo, at: datetime) -> Json:
    ratio = slo if isinstance(slo, RatioSlo) else None
    spend = slo if isinstance(slo, SpendSlo) else None
    slices = ratio.slices if ratio else None
    return {
        "name": slo.name,
        "kind": _kind(slo),
        "backend": None if isinstance(slo, CompositeSlo) else slo.sli.backend or None,
        "advisory": slo.advisory,
        "objective": share(ratio.objective) if ratio else None,
        "sla": share(ratio.sla) if ratio else None,
        "allowance": number(spend.allowance) if spend else None,
        "unit": spend.unit if spend else None,
        "members": [{"slo": m.slo, "weight": number(m.weight)} for m in slo.members]
        if isinstance(slo, CompositeSlo)
        else [],
        "window": None if isinstance(slo, CompositeSlo) or slo.window is None else str(slo.window),
        "budgeting": ("timeslices" if slices else "occurrences") if ratio else None,
        "slices": _slices(slices),
        "denominator": str(ratio.denominator)
        if ratio and isinstance(ratio.window, CalendarWindow)
        else None,
        "allowed_bad_seconds": _allowed_bad_seconds(ratio, at) if ratio and slices else None,
    }


def _kind(slo: Slo) -> str:
    if isinstance(slo, RatioSlo):
        return "ratio"
    if isinstance(slo, PlatformSlo):
        return "platform"
    return "spend" if isinstance(slo, SpendSlo) else "composite"


def _slices(slices: Slices | None) -> Json | None:
    if slices is None:
        return None
    return {
        "seconds": number(seconds(slices.length)),
        "target": share(slices.target),
        "empty": str(slices.empty),
    }


def _allowed_bad_seconds(slo: RatioSlo, at: datetime) -> float | int | None:
    return number(seconds(allowed_downtime(slo.window.whole(at).length, slo.budget)))


def _count(assessment: Assessment) -> Json:
    span = assessment.span
    return {
        "window_start": rfc3339(span.start) if span else None,
        "window_end": rfc3339(span.end) if span else None,
        "total": number(assessment.total),
        "bad": number(assessment.bad),
        "error_ratio": share(assessment.error_ratio),
        "error_ratio_error": share(assessment.ratio_error),
        "answer": _answer(assessment),
        "granted": _granted(assessment),
        "spent": number(assessment.spent),
    }


def _answer(assessment: Assessment) -> str | None:
    """Return the backend's answer; None for a composite, and if nothing was measured."""
    if assessment.total is not None:
        return "counts"
    if assessment.ratio_error is not None:
        return "share"
    return None if assessment.spent is None else "spent"


def _granted(assessment: Assessment) -> str | None:
    evidence = assessment.evidence
    return str(evidence.granted) if evidence and assessment.error_ratio is not None else None


def _budget(assessment: Assessment) -> Json:
    unknown = assessment.uncovered is not None
    interval = None if unknown else assessment.interval
    return {
        "consumed": share(assessment.consumed),
        "remaining": None if unknown else share(assessment.remaining),
        "remaining_interval": [share(end) for end in interval] if interval else None,
        "remaining_rounding": None
        if unknown or assessment.rounding is None
        else [share(end) for end in assessment.rounding],
        "design_effect": share(assessment.design_effect) if interval else None,
        "compared": None if unknown else share(assessment.compared),
        "sla_remaining": None if unknown else share(assessment.sla_remaining),
        "burn_rates": {
            format_duration(length): None if isinstance(rate, Unmeasured) else share(rate)
            for length, rate in sorted(assessment.burn_rates.items())
        },
        "burn_rate_errors": {
            format_duration(length): share(error)
            for length, error in sorted(assessment.burn_errors.items())
        },
        "burn_rate_doubts": _burn_rate_doubts(assessment.burn_rates),
    }


def _burn_rate_doubts(rates: Mapping[timedelta, Fraction | Unmeasured]) -> list[Json]:
    return [
        {"window": format_duration(length), "cause": str(rate.cause), "reason": rate.reason}
        for length, rate in sorted(rates.items(), key=lambda item: item[0])
        if isinstance(rate, Unmeasured)
    ]


def _trust(assessment: Assessment) -> Json:
    doubts, evidence = assessment.doubts, assessment.evidence
    return {
        "status": str(doubts[0].cause) if doubts else MEASURED,
        "doubts": [{"cause": str(doubt.cause), "reason": doubt.reason} for doubt in doubts],
        "suspicions": [_suspicion(suspicion) for suspicion in assessment.suspicions],
        "coverage": share(evidence.coverage) if evidence else None,
        "newest": rfc3339(evidence.newest) if evidence else None,
        "query": assessment.query,
        "notes": list(evidence.notes) if evidence else [],
        "definition": _definition(evidence.definition) if evidence else None,
    }


def _definition(definition: Definition | None) -> Json | None:
    if definition is None:
        return None
    return {
        "platform": definition.platform,
        "id": definition.id,
        "name": definition.name,
        "promises": [
            {"objective": share(promise.objective), "window": str(promise.window)}
            for promise in definition.promises
        ],
        "to_date": definition.to_date,
    }


def _suspicion(suspicion: Suspicion) -> Json:
    return {
        "cause": str(suspicion.cause),
        "reason": suspicion.reason,
        "remedy": suspicion.remedy,
        "hidden": number(suspicion.hidden),
        "doubtful": number(suspicion.doubtful),
    }


def _outlook(assessment: Assessment) -> Json:
    forecast, price = assessment.forecast, assessment.price
    return {
        "forecast": {
            "exhausted_at": _whole_second(forecast.exhausted_at),
            "resets_at": rfc3339(forecast.resets_at),
            "lasts_until_reset": forecast.lasts_until_reset,
        }
        if forecast
        else None,
        "impact": {
            "stated": assessment.impact_stated,
            "canary": share(price.impact.canary),
            "failures": share(price.impact.failures),
            "detect_seconds": number(seconds(price.impact.detect)),
            "cost": share(price.cost),
            "largest_canary": share(price.largest_canary),
            "longest_detect_seconds": None
            if price.longest_detect is None
            else number(seconds(price.longest_detect)),
        }
        if price
        else None,
    }


def _whole_second(at: datetime | None) -> str | None:
    # A forecast is not a measurement, so its microseconds would be noise.
    return None if at is None else rfc3339(at.replace(microsecond=0))
