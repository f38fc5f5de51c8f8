"""Findings from the histories of a policy's SLOs, one after another; the points are not kept."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from gate.analysis.anomalies import ChartedSlo
from gate.analysis.anomalies.run import charted
from gate.analysis.forecast import SloForecast
from gate.analysis.forecast.projections import RATES, SloPast
from gate.analysis.forecast.run import slo_forecast
from gate.analysis.incidents import ServiceIncidents
from gate.analysis.incidents.findings import SloFindings, slo_findings
from gate.analysis.report.requests import Questions, SloAnswers, SloRequests, Use, each_slo
from gate.budget.assessment import Assessment
from gate.check.measure import known_of, measure, with_past
from gate.check.options import Options
from gate.check.past import (
    PlanKey,
    budget_histories,
    burn_down_plans,
    gather_history,
    past_incidents,
    plan_requests,
    slo_charts,
)
from gate.dataclass import dataclass
from gate.history.burn_down import BudgetHistory
from gate.history.burn_down_plan import BurnDownPlan
from gate.history.consumption import Consumption, consumption
from gate.history.events import as_events, budget_share
from gate.history.past_budget import ShortSteps, Trace, trace
from gate.history.service_incidents import incident_id
from gate.measure import Backend
from gate.measure.capabilities import HistoryBackend, history_of
from gate.measure.history import (
    Series,
    SeriesAnswer,
    SeriesRequest,
    coarser,
    on_the_clock,
)
from gate.policy.case import Past
from gate.policy.policy import Policy
from gate.slo.objective import CompositeSlo, RatioSlo, Span, SpendSlo


@dataclass(frozen=True, slots=True, kw_only=True)
class _SloPast:
    """The findings from the histories of one SLO; their size does not grow with the steps."""

    findings: SloFindings
    forecast: SloForecast
    charted: ChartedSlo | None
    trace: Trace
    consumed: Consumption | None
    past: Past
    """The past that the rules need."""
    of_composites: Mapping[PlanKey, SeriesAnswer]
    """The histories that composites need of their member."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LookedBack:
    """The budgets of a policy, and the findings from its histories."""

    assessments: tuple[Assessment, ...]
    """One per SLO, in the policy's order, with the burn rates over `RATES`."""
    past: Past
    findings: tuple[SloFindings, ...]
    """One per SLO that `with_past` names, in its order."""
    forecasts: tuple[SloForecast, ...]
    """One per SLO, in the policy's order."""
    charted: tuple[ChartedSlo, ...]
    """One per SLO that has a ratio, in the policy's order."""
    traces: Mapping[str, Trace]
    """By SLO, without the SLOs whose past is unknown."""
    consumed: Mapping[str, Consumption]
    """By SLO, with the ids that its incidents have by themselves."""

    def consumption(self, incidents: ServiceIncidents) -> dict[str, Consumption]:
        """Return by SLO what consumed its budget, with the ids of the service's incidents."""
        service = incidents.policy.service
        ids: dict[str, dict[str, str]] = {name: {} for name in self.consumed}
        for annotated in incidents.annotated:
            for impact in annotated.incident.impacts:
                own = incident_id(service, impact.incident.start)
                ids.setdefault(impact.slo, {})[own] = annotated.incident.id(service)
        return {name: eaten.named(ids[name]) for name, eaten in self.consumed.items()}


@dataclass(frozen=True, slots=True)
class LookingBack:
    """A policy whose histories are examined, and the questions about them."""

    policy: Policy
    questions: Questions
    assessments: Mapping[str, Assessment]
    """By SLO."""
    plans: Sequence[BurnDownPlan]
    requests: Mapping[str, SloRequests]

    def slo(self, slo: RatioSlo | SpendSlo, answers: SloAnswers) -> _SloPast:
        """Return what the answers about an SLO come to."""
        policy, requests, name = self.policy, self.requests[slo.name], slo.name
        findings = slo_findings(policy, slo, answers[Use.STEPS], self.questions.search)
        return _SloPast(
            findings=findings,
            forecast=slo_forecast(
                policy,
                self.assessments[name],
                SloPast(requests[Use.FORECAST], answers[Use.FORECAST]),
                self.questions.forecast,
            ),
            charted=charted(
                policy,
                slo,
                requests[Use.CHARTS],
                answers[Use.CHARTS],
                self.questions.anomaly_options.charting,
            )
            if isinstance(slo, RatioSlo)
            else None,
            trace=self._trace(slo, answers),
            consumed=self._consumed(slo, answers[Use.STEPS], findings),
            past=self._past(slo, answers),
            of_composites=self._of_composites(answers),
        )

    def composite_trace(self, slo: CompositeSlo, answers: Mapping[PlanKey, SeriesAnswer]) -> Trace:
        """Return the history of a composite's budget, from those of its members."""
        return trace(slo, self._budget_history(slo.name, answers), self.questions.search.span, None)

    def _trace(self, slo: RatioSlo | SpendSlo, answers: SloAnswers) -> Trace:
        span = self.questions.search.span
        of_budget = {key: each for key, each in answers.items() if not isinstance(key, Use)}
        steps = _short_steps(slo, answers[Use.STEPS], self.requests[slo.name][Use.STEPS], span)
        return trace(slo, self._budget_history(slo.name, of_budget), span, steps)

    def _budget_history(
        self, name: str, answers: Mapping[PlanKey, SeriesAnswer]
    ) -> BudgetHistory | None:
        plans = [plan for plan in self.plans if plan.slo.name == name]
        now = list(self.assessments.values())
        return budget_histories(self.policy, plans, answers, now).get(name)

    def _consumed(
        self, slo: RatioSlo | SpendSlo, answer: SeriesAnswer, findings: SloFindings
    ) -> Consumption | None:
        if not isinstance(answer, Series):
            return None
        incidents = {
            incident_id(self.policy.service, impact.incident.start): impact.incident
            for impact in findings.searched.impacts
        }
        request = self.requests[slo.name][Use.STEPS]
        return consumption(self.assessments[slo.name], answer, request, incidents.items())

    def _past(self, slo: RatioSlo | SpendSlo, answers: SloAnswers) -> Past:
        policy, requests, name = self.policy, self.requests[slo.name], slo.name

        def of_rule(use: Use) -> tuple[dict[str, SeriesRequest], dict[str, SeriesAnswer]]:
            if use not in requests:
                return {}, {}
            return {name: requests[use]}, {name: answers[use]}

        return Past(
            incidents=past_incidents(policy, *of_rule(Use.POSTMORTEMS)),
            charts=slo_charts(policy, *of_rule(Use.CONTROL_CHARTS)),
        )

    def _of_composites(self, answers: SloAnswers) -> dict[PlanKey, SeriesAnswer]:
        keys = plan_requests([plan for plan in self.plans if isinstance(plan.slo, CompositeSlo)])
        return {key: answers[key] for key in keys if key in answers}


def look_back(
    policy: Policy, backend: Backend, questions: Questions, options: Options
) -> LookedBack:
    """Measure the budgets of a policy, and look at the histories of its SLOs one after another."""
    assessments = measure(policy, backend, at=options.at, impact=options.impact, also=RATES)
    plans = burn_down_plans(policy, options.at, last=questions.search.last)
    looking = LookingBack(
        policy,
        questions,
        {assessment.slo.name: assessment for assessment in assessments},
        plans,
        questions.by_slo(policy, plans),
    )
    history = history_of(backend)
    answers = each_slo(history, policy, looking.requests)
    pasts = {slo.name: looking.slo(slo, next(answers)) for slo in with_past(policy)}
    return LookedBack(
        assessments=assessments,
        past=_past(policy, history, options, pasts),
        findings=tuple(past.findings for past in pasts.values()),
        forecasts=tuple(
            pasts[assessment.slo.name].forecast
            if assessment.slo.name in pasts
            else slo_forecast(policy, assessment, None, questions.forecast)
            for assessment in assessments
        ),
        charted=tuple(past.charted for past in pasts.values() if past.charted is not None),
        traces=_traces(looking, pasts),
        consumed={name: past.consumed for name, past in pasts.items() if past.consumed is not None},
    )


def _past(
    policy: Policy,
    history: HistoryBackend | None,
    options: Options,
    pasts: Mapping[str, _SloPast],
) -> Past:
    if history is None and policy.looks_back:
        return gather_history(policy, None, options.at)
    return Past(
        incidents={
            name: own for past in pasts.values() for name, own in past.past.incidents.items()
        },
        charts={name: own for past in pasts.values() for name, own in past.past.charts.items()},
    )


def _traces(looking: LookingBack, pasts: Mapping[str, _SloPast]) -> dict[str, Trace]:
    kept = {key: answer for past in pasts.values() for key, answer in past.of_composites.items()}
    traces = {
        slo.name: looking.composite_trace(slo, kept)
        if isinstance(slo, CompositeSlo)
        else pasts[slo.name].trace
        for slo in looking.policy.slos
        if isinstance(slo, CompositeSlo) or slo.name in pasts
    }
    return {name: drawn for name, drawn in traces.items() if drawn.left or drawn.fast}


def _short_steps(
    slo: RatioSlo | SpendSlo, answer: SeriesAnswer, request: SeriesRequest, span: Span
) -> ShortSteps | None:
    """Return what happened in the short steps of a span; None if all are unknown."""
    within = replace(request, span=on_the_clock(span, request.step))
    answer = known_of(coarser(answer, request, within))
    if not isinstance(answer, Series):
        return None
    events = as_events(slo, answer, within)
    return ShortSteps(series=events, request=within, budget=float(budget_share(slo)))
