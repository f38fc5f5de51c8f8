"""Forecasts of every budget of one or several policies."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Final

from gate import __version__
from gate.analysis.forecast import ForecastOptions, ForecastReport, ServiceForecast, SloForecast
from gate.analysis.forecast.projections import (
    RATES,
    SloPast,
    affordable,
    calendar_projections,
    rolling_projections,
)
from gate.backends import open_backend
from gate.backends.waits import run_concurrently
from gate.budget.assessment import Assessment
from gate.check.measure import OpenBackend, measure, open_history, with_past
from gate.check.promises import with_promises
from gate.config.load import PolicyFile
from gate.history.events import as_events, past_request
from gate.measure import Unmeasured
from gate.measure.capabilities import each_answer
from gate.measure.history import Series, SeriesAnswer, SeriesRequest, step_of
from gate.policy.coverage import assessment_reservations
from gate.policy.policy import Policy
from gate.policy.rounding import compared_between
from gate.policy.tiers import tier_of
from gate.slo.objective import RatioSlo, RollingWindow, Span, SpendSlo
from gate.slo.quantities import format_duration


def forecast_budgets(
    files: Sequence[PolicyFile], options: ForecastOptions, *, open_with: OpenBackend = open_backend
) -> ForecastReport:
    """Return the forecasts of the budgets of every policy.

    Raises:
        UsageError: a backend keeps no history, or a package of one is missing.
    """
    files, open_with = with_promises(files, options.at, options.timeout, open_with)
    opened = [open_history(file, options.timeout, open_with) for file in files]

    def task(place: int) -> Callable[[], ServiceForecast]:
        file, (backend, history) = files[place], opened[place]

        def predict() -> ServiceForecast:
            assessments = measure(file.policy, backend, at=options.at, also=RATES)
            requests = forecast_requests(file.policy, options)
            answers = each_answer(history, list(requests.values()))
            return service_forecast(file, assessments, answers, options)

        return predict

    return ForecastReport(
        services=tuple(run_concurrently([task(place) for place in range(len(files))])),
        evaluated_at=options.at,
        tool_version=__version__,
    )


def forecast_requests(policy: Policy, options: ForecastOptions) -> dict[str, SeriesRequest]:
    """Return the request for the history of each SLO that has one.

    A rolling budget needs that of its window, like in `gate.check.decide`, so that its recovery is
    the same as in ``gate check``.
    """
    requests = {}
    for slo in with_past(policy):
        if isinstance(slo.window, RollingWindow):
            span, step = slo.window.counted(options.at), step_of(slo.window.duration)
        else:
            span, step = Span(options.at - options.last, options.at), STEP
        requests[slo.name] = past_request(slo, span, step, max_age=policy.guards_of(slo).max_age)
    return requests


def service_forecast(
    file: PolicyFile,
    assessments: Sequence[Assessment],
    answers: Iterator[SeriesAnswer],
    options: ForecastOptions,
) -> ServiceForecast:
    """Return the forecasts of a policy's budgets.

    Args:
        file: the policy.
        assessments: the budgets, one per SLO in its order, with the burn rates over `RATES`.
        answers: the answers to `forecast_requests`, in their order; none is kept.
        options: the settings of the forecast.
    """
    policy, requests = file.policy, forecast_requests(file.policy, options)

    def past_of(name: str) -> SloPast | None:
        return SloPast(requests[name], next(answers)) if name in requests else None

    slos = [
        slo_forecast(policy, assessment, past_of(assessment.slo.name), options)
        for assessment in assessments
    ]
    return ServiceForecast(policy=policy, source=file.source, slos=tuple(slos))


def slo_forecast(
    policy: Policy, assessment: Assessment, past: SloPast | None, options: ForecastOptions
) -> SloForecast:
    """Return the forecast of one budget, and how much may still fail.

    Args:
        policy: the policy with the SLO.
        assessment: the budget, with the burn rates over `RATES`.
        past: the answer to `forecast_requests`; None: the SLO has no history of its own.
        options: the settings of the forecast.
    """
    return _with_affordable(policy, _slo(policy, assessment, past, options.at), options)


def _with_affordable(
    policy: Policy, forecast: SloForecast, options: ForecastOptions
) -> SloForecast:
    """Return the forecast of a budget, with how much may still fail."""
    assessment = forecast.assessment
    if forecast.tier is None or assessment.uncovered is not None:
        return forecast
    better = policy.tiers[: policy.tiers.index(forecast.tier)]
    return replace(
        forecast,
        affordable=affordable(assessment, better, at=options.at, until=options.until),
    )


def _slo(
    policy: Policy, assessment: Assessment, history: SloPast | None, at: datetime
) -> SloForecast:
    slo = assessment.slo
    if assessment.compared is None:
        doubt = assessment.doubts[0]
        lost = Unmeasured(cause=doubt.cause, reason=doubt.reason, query=assessment.query)
        return SloForecast(assessment=assessment, tier=None, unmeasured=lost)
    lowest, _ = compared_between(assessment)
    tier, notes = tier_of(policy.tiers, lowest), tuple(_unmeasured_rates(assessment))
    forecast = SloForecast(
        assessment=assessment,
        tier=tier,
        notes=notes,
        reservations=tuple(assessment_reservations(policy, assessment)),
    )
    if assessment.uncovered is not None:
        too_little = f"only {assessment.uncovered} are measured, too little to predict from"
        return replace(forecast, limitation=too_little)
    if not isinstance(slo, RatioSlo | SpendSlo) or history is None:
        return replace(forecast, limitation=_COMPOSITE)
    if isinstance(slo, SpendSlo) and isinstance(history.answer, Series):
        rates = dict(_spending(slo, history.answer, history.request))
        forecast = replace(forecast, assessment=replace(assessment, burn_rates=rates))
    if isinstance(slo.window, RollingWindow):
        better = policy.tiers[: policy.tiers.index(tier)]
        return rolling_projections(forecast, slo, history, better, at)
    return calendar_projections(forecast, history, slo, at)


def _spending(
    slo: SpendSlo, series: Series, request: SeriesRequest
) -> Iterator[tuple[timedelta, Fraction]]:
    """Yield how many times faster than evenly an allowance was spent over each of `RATES`.

    It covers whole steps, and the elapsed part of the newest: at least the window.
    """
    spent, end = as_events(slo, series, request), request.span.end
    for window in RATES:
        granted, amount = Fraction(0), Fraction(0)
        for place in reversed(range(request.steps)):
            granted += Fraction(spent.total[place] or 0)
            amount += Fraction(spent.bad[place] or 0)
            if granted and end - request.end_of(place - 1) >= window:
                yield window, amount / granted
                break


def _unmeasured_rates(assessment: Assessment) -> Iterator[str]:
    windows = dict[str, list[str]]()
    for window in RATES:
        burn = assessment.burn_rates.get(window)
        if isinstance(burn, Unmeasured):
            windows.setdefault(burn.reason, []).append(format_duration(window))
    for reason, names in windows.items():
        yield f"the burn rate over {', '.join(names)} is not known: {reason}"


STEP: Final = timedelta(hours=1)
"""The step of the history that a calendar budget's interval is drawn from."""
_COMPOSITE: Final = "it is a composite; its members have forecasts of their own"
