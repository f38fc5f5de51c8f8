"""The history that rules and reports need: the requests, and the results of the answers."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import repeat
from typing import Final

from gate.backends import without_history
from gate.budget.assessment import Assessment
from gate.check.measure import known_of, with_past, with_ratio
from gate.history.burn_down import BudgetHistory, BurnDown
from gate.history.burn_down_plan import BurnDownPlan, plan_burn_down
from gate.history.charts.build import Charting, charts
from gate.history.charts.chart import ChartResult
from gate.history.charts.signals import DEFAULT
from gate.history.events import known_in, past_coverage, past_request, whole_steps
from gate.history.explanations import SloHistory
from gate.history.incident_shares import incident_request, slo_incidents, window_budget
from gate.history.incidents import bad_between
from gate.measure import Cause, Unmeasured
from gate.measure.capabilities import HistoryBackend, each_answer
from gate.measure.history import SeriesAnswer, SeriesRequest
from gate.policy.case import Past, SloIncidents
from gate.policy.policy import Policy
from gate.policy.rule_settings import PostmortemRule
from gate.slo.objective import RatioSlo, Span, SpendSlo
from gate.wording import NO_HISTORY

_STEP: Final = timedelta(minutes=5)
"""The same step as in ``gate incidents``."""
RequestsByName = Mapping[str, SeriesRequest]
"""The requests of a rule, by SLO."""
SeriesByName = Mapping[str, SeriesAnswer]
"""The answers, by SLO."""


def gather_history(policy: Policy, history: HistoryBackend | None, at: datetime) -> Past:
    """Return the past that the rules of a policy need.

    The histories of a few SLOs are requested at a time, and only their results are kept.

    Args:
        policy: a policy with a rule on the past.
        history: the source of history; None if the backend has none.
        at: the instant of the run.
    """
    answers = _answers(history, policy, at)
    # Each is looked at before the next is asked for, so that its points can be let go of.
    incidents = {
        name: own
        for name, request in incident_requests(policy, at).items()
        for own in past_incidents(policy, {name: request}, {name: next(answers)}).values()
    }
    charts = {
        name: drawn
        for name, request in chart_requests(policy, at).items()
        for drawn in slo_charts(policy, {name: request}, {name: next(answers)}).values()
    }
    return Past(incidents=incidents, charts=charts)


def _answers(
    history: HistoryBackend | None, policy: Policy, at: datetime
) -> Iterator[SeriesAnswer]:
    """Yield the answers to the requests of the rules, one after the other."""
    by_rule = (incident_requests(policy, at), chart_requests(policy, at))
    requests = [request for by_name in by_rule for request in by_name.values()]
    if history is None:
        reason = without_history(policy.backends.values(), f"this backend {NO_HISTORY}")
        return repeat(Unmeasured(cause=Cause.NO_DATA, reason=reason))
    return each_answer(history, requests)


def incident_requests(policy: Policy, at: datetime) -> RequestsByName:
    """Return the requests of the rule ``postmortems``, by SLO; empty without the rule."""
    rule = policy.postmortems
    if rule is None:
        return {}
    return {
        slo.name: incident_request(
            slo, rule.span(slo, at), _STEP, max_age=policy.guards_of(slo).max_age
        )
        for slo in with_past(policy)
    }


def past_incidents(
    policy: Policy, requests: RequestsByName, answers: SeriesByName
) -> Mapping[str, SloIncidents | Unmeasured]:
    """Return the incidents of each SLO, from the answers to `incident_requests`."""
    rule = policy.postmortems
    if rule is None:
        return {}
    slos = {slo.name: slo for slo in with_past(policy)}
    return {
        name: _incidents(rule, slos[name], request, answers[name])
        for name, request in requests.items()
    }


def chart_requests(policy: Policy, at: datetime) -> RequestsByName:
    """Return the requests of the rule ``control_charts``; empty without the rule."""
    rule = policy.control_charts
    if rule is None:
        return {}
    span = Span(at - rule.last, at)
    return {
        slo.name: past_request(
            slo, span, rule.step, max_age=policy.guards_of(slo).max_age, mean=True
        )
        for slo in with_ratio(policy)
    }


def slo_charts(
    policy: Policy, requests: RequestsByName, answers: SeriesByName
) -> Mapping[str, tuple[ChartResult, ...] | Unmeasured]:
    """Return the charts of each SLO, from the answers to `chart_requests`."""
    rule = policy.control_charts
    if rule is None:
        return {}
    records = policy.postmortems.records if policy.postmortems is not None else ()
    drawn = dict[str, tuple[ChartResult, ...] | Unmeasured]()
    for slo in with_ratio(policy):
        if slo.name not in requests:
            continue
        answer, request = known_of(answers[slo.name]), requests[slo.name]
        if isinstance(answer, Unmeasured):
            drawn[slo.name] = answer
            continue
        about = tuple(record for record in records if record.names(policy.service, slo.name))
        charting = Charting(baseline=rule.baseline, rules=DEFAULT, records=about)
        series, request = whole_steps(answer, request)
        budget = float(slo.budget)
        drawn[slo.name] = tuple(charts(series, request, budget=budget, charting=charting))
    return drawn


def _incidents(
    rule: PostmortemRule,
    slo: RatioSlo | SpendSlo,
    request: SeriesRequest,
    answer: SeriesAnswer,
) -> SloIncidents | Unmeasured:
    span = rule.span(slo, request.span.end)
    answer = known_in(answer, request, span)
    if isinstance(answer, Unmeasured):
        return answer
    seen = past_coverage(slo, answer, request, span)
    incidents = slo_incidents(slo, answer, request, threshold=float(rule.threshold))
    at, steps = request.span.end, SloHistory(request, answer)
    return SloIncidents(
        incidents=incidents,
        budget=window_budget(slo, answer, request, span),
        coverage=seen.share,
        gaps=seen.gaps,
        steps={incident.start: steps.during(incident) for incident in incidents},
        bad=bad_between(answer, request, slo.window.counted(at).start, at),
    )


def gather_burn_downs(
    policy: Policy,
    history: HistoryBackend | None,
    assessments: Sequence[Assessment],
    at: datetime,
) -> dict[str, BurnDown]:
    """Return the burn-down of each measured budget, in few steps, by SLO, if it is known.

    This takes one round of range queries, or one scan, for all of them.
    """
    measured = {assessment.slo.name for assessment in assessments if assessment.measured}
    plans = [plan for plan in burn_down_plans(policy, at) if plan.slo.name in measured]
    requests = plan_requests(plans)
    if history is None or not requests:
        return {}
    answers = dict(zip(requests, history.history(list(requests.values())), strict=True))
    histories = budget_histories(policy, plans, answers, assessments)
    sketches = {name: past.sketch() for name, past in histories.items()}
    return {name: drawn for name, drawn in sketches.items() if drawn is not None}


def burn_down_plans(
    policy: Policy, at: datetime, *, last: timedelta | None = None
) -> list[BurnDownPlan]:
    """Return the request plan for each budget that has a history; see `plan_burn_down`."""
    slos = {slo.name: slo for slo in policy.slos}
    plans = (plan_burn_down(slo, slos, at, guards=policy.guards, last=last) for slo in policy.slos)
    return [plan for plan in plans if plan is not None]


PlanKey = tuple[str, timedelta, datetime]
"""The key of a plan's request: the SLO, the step and the start."""


def plan_requests(plans: Sequence[BurnDownPlan]) -> dict[PlanKey, SeriesRequest]:
    """Return the requests of plans, each once: a composite needs those of its members."""
    return {
        _plan_key(name, request): request
        for plan in plans
        for name, request in plan.requests.items()
    }


def budget_histories(
    policy: Policy,
    plans: Sequence[BurnDownPlan],
    answers: Mapping[PlanKey, SeriesAnswer],
    assessments: Sequence[Assessment],
) -> dict[str, BudgetHistory]:
    """Return the past remaining share of each budget, by SLO.

    Args:
        policy: the policy of the SLOs.
        plans: the plans of the requests.
        answers: the answers to their `plan_requests`.
        assessments: the budgets at the instant of the run, including those of the plans.
    """
    measured = {assessment.slo.name: assessment for assessment in assessments}
    return {
        plan.slo.name: BudgetHistory(
            plan,
            {name: answers[_plan_key(name, request)] for name, request in plan.requests.items()},
            measured[plan.slo.name],
            guards=policy.guards,
        )
        for plan in plans
    }


def _plan_key(name: str, request: SeriesRequest) -> PlanKey:
    return name, request.step, request.span.start
