"""Predicting what becomes of every budget of one or several policies."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Final

from gate import __version__
from gate.analysis.forecast import (
    ForecastOptions,
    ForecastReport,
    Projection,
    ServiceForecast,
    SloForecast,
)
from gate.backends import open_backend
from gate.budget.assess import PRESENT, carried_on
from gate.budget.assessment import Assessment
from gate.budget.forecast import PACE, Recovery, recovery
from gate.check.measure import OpenBackend, by_events, measure, open_history, run_concurrently
from gate.config.load import PolicyFile
from gate.history.calendar_forecast import (
    LEAST,
    StepEvents,
    at_the_reset,
    carried,
    expected,
    first,
    known_part,
)
from gate.measure import Cause, Unmeasured
from gate.measure.history import (
    Series,
    SeriesAnswer,
    SeriesRequest,
    covered,
    newest_steps,
    oldest_leaves,
    step_of,
    unknown_share,
)
from gate.policy.coverage import assessment_reservations
from gate.policy.policy import Policy
from gate.policy.tiers import Tier, tier_of
from gate.slo.objective import CompositeSlo, RatioSlo, RollingWindow, Span, SpendSlo
from gate.slo.quantities import format_duration
from gate.wording import NO_STEPS, describe_time


def forecast_budgets(
    files: Sequence[PolicyFile], options: ForecastOptions, *, open_with: OpenBackend = open_backend
) -> ForecastReport:
    """Return what becomes of the budgets of every policy.

    Raises:
        UsageError: a backend keeps no history, or a package of one is missing.
    """
    opened = [open_history(file, options.timeout, open_with) for file in files]

    def task(place: int) -> Callable[[], ServiceForecast]:
        file, (backend, history) = files[place], opened[place]

        def predict() -> ServiceForecast:
            assessments = measure(file.policy, backend, at=options.at, also=RATES)
            requests = forecast_requests(file.policy, options)
            answers = history.history(list(requests.values())) if requests else []
            return service_forecast(
                file, assessments, dict(zip(requests, answers, strict=True)), options
            )

        return predict

    return ForecastReport(
        services=tuple(run_concurrently([task(place) for place in range(len(files))])),
        evaluated_at=options.at,
        tool_version=__version__,
    )


def forecast_requests(policy: Policy, options: ForecastOptions) -> dict[str, SeriesRequest]:
    """Return which history is wanted of each SLO that has one.

    Of a rolling budget that of its window, as for `gate.check.decide`: what is said of its
    recovery is what ``gate check`` says.
    """
    requests = {}
    for slo in by_events(policy):
        if isinstance(slo.window, RollingWindow):
            length = slo.window.duration
            span, step = covered(length, options.at), step_of(length)
        else:
            span, step = newest_steps(Span(options.at - options.last, options.at), STEP), STEP
        requests[slo.name] = SeriesRequest(sli=slo.sli, span=span, step=step)
    return requests


def service_forecast(
    file: PolicyFile,
    assessments: Sequence[Assessment],
    answers: Mapping[str, SeriesAnswer],
    options: ForecastOptions,
) -> ServiceForecast:
    """Return what becomes of a policy's budgets.

    Args:
        file: the policy.
        assessments: the budgets, one per SLO in its order, with the burn rates over `RATES`.
        answers: what came back for `forecast_requests`.
        options: what is to be predicted.
    """
    policy = file.policy
    slos = tuple(
        _slo(policy, assessment, answers.get(assessment.slo.name), options.at)
        for assessment in assessments
    )
    return ServiceForecast(policy=policy, source=file.source, slos=slos)


def _slo(
    policy: Policy, assessment: Assessment, answer: SeriesAnswer | None, at: datetime
) -> SloForecast:
    slo = assessment.slo
    if assessment.compared is None:
        doubt = assessment.doubts[0]
        lost = Unmeasured(cause=doubt.cause, reason=doubt.reason, query=assessment.query)
        return SloForecast(assessment=assessment, tier=None, unmeasured=lost)
    tier, notes = tier_of(policy.tiers, assessment.compared), tuple(_unmeasured_rates(assessment))
    forecast = SloForecast(
        assessment=assessment,
        tier=tier,
        notes=notes,
        reservations=tuple(assessment_reservations(policy, assessment)),
    )
    if assessment.uncovered is not None:
        too_little = f"only {assessment.uncovered} are measured, too little to predict from"
        return replace(forecast, limitation=too_little)
    if isinstance(slo, CompositeSlo):
        return replace(forecast, limitation=_COMPOSITE)
    if isinstance(slo, SpendSlo):
        return replace(forecast, limitation="what was spent is not told step by step")
    if isinstance(slo.window, RollingWindow):
        better = policy.tiers[: policy.tiers.index(tier)]
        return _rolling_projections(forecast, answer, slo.window.duration, better, at)
    return _calendar_projections(forecast, answer, slo, at)


def _unmeasured_rates(assessment: Assessment) -> Iterator[str]:
    for window in RATES:
        burn = assessment.burn_rates.get(window)
        if isinstance(burn, Unmeasured):
            yield f"the burn rate over {format_duration(window)} is not known: {burn.reason}"


RATES: Final = (PRESENT, timedelta(hours=6), timedelta(days=3), PACE)
"""The windows before now whose burn rates are carried on."""
STEP: Final = timedelta(hours=1)
"""Of the history that a calendar budget's interval is drawn from."""
_COMPOSITE: Final = "it is a composite; its members are foretold themselves"


def _rolling_projections(
    forecast: SloForecast,
    answer: SeriesAnswer | None,
    window: timedelta,
    better: Sequence[Tier],
    at: datetime,
) -> SloForecast:
    """Return what becomes of a rolling budget whose SLO has the window.

    ``better`` are the tiers above the one that the budget is in, the best first.
    """
    if answer is None:
        return replace(forecast, limitation=NO_STEPS)
    if isinstance(answer, Unmeasured):
        return replace(forecast, unmeasured=answer)
    projected = replace(forecast, unknown=_unknown(answer), notes=(*forecast.notes, *answer.notes))
    step, assessment = step_of(window), forecast.assessment
    coming = recovery(answer, oldest_leaves(window, at), step)
    if coming is None and assessment.consumed:
        reason = "the history has none of the failures that were counted over the window"
        return replace(projected, unmeasured=Unmeasured(cause=Cause.NO_DATA, reason=reason))
    calm = Recovery(at=at, step=step, left=(Fraction(),) * (window // step))
    assessment = replace(assessment, recovery=coming or calm)
    projections = tuple(
        _back(assessment, better, rate_of, burn, window=window, at=at)
        for rate_of, burn in _rates(assessment)
    )
    return replace(projected, assessment=assessment, projections=projections)


def _calendar_projections(
    forecast: SloForecast, answer: SeriesAnswer | None, slo: RatioSlo, at: datetime
) -> SloForecast:
    """Return what becomes of a calendar budget, by the history before now."""
    assessment = forecast.assessment
    projected = replace(forecast, projections=tuple(_to_the_reset(slo, assessment, at)))
    if answer is None:
        return replace(projected, limitation=NO_STEPS)
    if isinstance(answer, Unmeasured):
        return replace(projected, unmeasured=answer)
    series = known_part(answer)
    projected = replace(
        projected, unknown=_unknown(series), notes=(*projected.notes, *answer.notes)
    )
    length = len(series.total) * STEP
    if length < LEAST:
        has, needs = describe_time(length), describe_time(LEAST)
        return replace(
            projected, limitation=f"only {has} of history are known; an interval needs {needs}"
        )
    so_far = StepEvents(total=float(assessment.total or 0), bad=float(assessment.bad or 0))
    return replace(projected, expected=expected(slo, so_far, series, STEP, at))


def _rates(assessment: Assessment) -> Iterator[tuple[timedelta | None, Fraction]]:
    yield None, Fraction(0)
    for window in RATES:
        burn = assessment.burn_rates.get(window)
        if isinstance(burn, Fraction):
            yield window, burn


def _back(
    assessment: Assessment,
    better: Sequence[Tier],
    rate_of: timedelta | None,
    burn: Fraction,
    *,
    window: timedelta,
    at: datetime,
) -> Projection:
    future = tuple(carried(assessment.recovering(), at=at, window=window, burn=burn))

    def reaches(place: int) -> datetime | None:
        return first(future, lambda left: any(tier.holds(left) for tier in better[: place + 1]))

    gone = (assessment.compared or 0) <= 0
    return Projection(
        rate_of=rate_of,
        burn=burn,
        exhausted_at=None if gone else first(future, lambda left: left <= 0),
        back={tier.name: reaches(place) for place, tier in enumerate(better)},
    )


def _to_the_reset(slo: RatioSlo, assessment: Assessment, at: datetime) -> Iterator[Projection]:
    consumed = assessment.consumed or Fraction(0)
    for rate_of, burn in _rates(assessment):
        end = carried_on(slo, at, 1 - consumed, burn)
        yield Projection(
            rate_of=rate_of,
            burn=burn,
            exhausted_at=None if end.lasts_until_reset else end.exhausted_at,
            left_at_reset=at_the_reset(slo, at, consumed, burn),
        )


def _unknown(series: Series) -> Fraction:
    return unknown_share(sum(total is not None for total in series.total), len(series.total))
