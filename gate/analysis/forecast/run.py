"""Foretelling what becomes of every budget of one or several policies."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from gate import __version__
from gate.analysis.forecast.projections import (
    RATES,
    STEP,
    calendar_projections,
    rolling_projections,
)
from gate.analysis.forecast.result import ForecastReport, ServiceForecast, SloForecast
from gate.backends import open_backend
from gate.budget.assessment import Assessment
from gate.check.measure import OpenBackend, by_events, measure, open_history, run_concurrently
from gate.config.load import PolicyFile
from gate.measure.counts import Unmeasured
from gate.measure.history import SeriesAnswer, SeriesRequest, covered, newest_steps, step_of
from gate.policy.policy import Policy
from gate.policy.tiers import tier_of
from gate.slo.objective import CompositeSlo, SpendSlo
from gate.slo.quantities import format_duration
from gate.slo.window import RollingWindow, Span

ForecastAnswers = Mapping[str, SeriesAnswer]
"""Histories by the name of their SLO."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastOptions:
    """What is to be foretold."""

    at: datetime
    """Now."""
    last: timedelta
    """How much history a calendar budget's interval is drawn from; whole hours of it."""
    timeout: timedelta


def forecast_budgets(
    files: Sequence[PolicyFile], asked: ForecastOptions, *, open_with: OpenBackend = open_backend
) -> ForecastReport:
    """Return what becomes of the budgets of every policy.

    Raises:
        UsageError: a backend keeps no history, or a package of one is missing.
    """
    opened = [open_history(file, asked.timeout, open_with) for file in files]

    def task(place: int) -> Callable[[], ServiceForecast]:
        file, (backend, history) = files[place], opened[place]

        def look() -> ServiceForecast:
            known = measure(file.policy, backend, at=asked.at, also=RATES)
            requests = forecast_requests(file.policy, asked)
            answers = history.history(list(requests.values())) if requests else []
            return service_forecast(file, known, dict(zip(requests, answers, strict=True)), asked)

        return look

    return ForecastReport(
        services=tuple(run_concurrently([task(place) for place in range(len(files))])),
        evaluated_at=asked.at,
        tool_version=__version__,
    )


def forecast_requests(policy: Policy, asked: ForecastOptions) -> dict[str, SeriesRequest]:
    """Return which history is wanted of each SLO that has one.

    Of a rolling budget that of its window, as for `gate.check.decide`: what is said of its
    recovery is what ``gate check`` says.
    """
    requests = {}
    for slo in by_events(policy):
        if isinstance(slo.window, RollingWindow):
            length = slo.window.duration
            span, step = covered(length, asked.at), step_of(length)
        else:
            span, step = newest_steps(Span(asked.at - asked.last, asked.at), STEP), STEP
        requests[slo.name] = SeriesRequest(sli=slo.sli, span=span, step=step)
    return requests


def service_forecast(
    file: PolicyFile, known: Sequence[Assessment], answers: ForecastAnswers, asked: ForecastOptions
) -> ServiceForecast:
    """Return what becomes of a policy's budgets.

    Args:
        file: the policy.
        known: the budgets, one per SLO in its order, with the burn rates over `RATES`.
        answers: what came back for `forecast_requests`.
        asked: the question.
    """
    policy = file.policy
    slos = tuple(_slo(policy, one, answers.get(one.slo.name), asked.at) for one in known)
    return ServiceForecast(policy=policy, source=file.source, slos=slos)


def _slo(
    policy: Policy, known: Assessment, answer: SeriesAnswer | None, at: datetime
) -> SloForecast:
    slo = known.slo
    if known.compared is None:
        doubt = known.doubts[0]
        lost = Unmeasured(cause=doubt.cause, reason=doubt.reason, query=known.query)
        return SloForecast(assessment=known, tier=None, unmeasured=lost)
    tier, notes = tier_of(policy.tiers, known.compared), tuple(_unmeasured_rates(known))
    found = SloForecast(assessment=known, tier=tier, notes=notes)
    if isinstance(slo, CompositeSlo):
        return replace(found, why_not="it is a composite; its members are foretold themselves")
    if isinstance(slo, SpendSlo):
        return replace(found, why_not="what was spent is not told step by step")
    if isinstance(slo.window, RollingWindow):
        better = policy.tiers[: policy.tiers.index(tier)]
        return rolling_projections(found, answer, slo.window.duration, better, at)
    return calendar_projections(found, answer, slo, at)


def _unmeasured_rates(known: Assessment) -> Iterator[str]:
    for window in RATES:
        burn = known.burn_rates.get(window)
        if isinstance(burn, Unmeasured):
            yield f"the burn rate over {format_duration(window)} is not known: {burn.reason}"
