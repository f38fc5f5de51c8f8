"""The history that the rules and the reports of one run need, in one round."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Final

from gate.budget.assessment import Assessment
from gate.check.history_access import known_of
from gate.history.charts.build import Charting, charts
from gate.history.charts.chart import Drawn
from gate.history.charts.signals import DEFAULT
from gate.history.incidents import budget_events, find_incidents, known_steps
from gate.history.past_budget import BurnDown, burn_down, sketched
from gate.measure.counts import Cause, Unmeasured
from gate.measure.history import HistoryBackend, Series, SeriesAnswer, SeriesRequest
from gate.policy.past import Past, SloIncidents
from gate.policy.policy import Policy
from gate.policy.postmortems import PostmortemRule
from gate.slo.objective import RatioSlo, counts_events
from gate.slo.window import Span

_STEP: Final = timedelta(minutes=5)
"""As finely as ``gate incidents`` looks."""


RequestsByName = Mapping[str, SeriesRequest]
"""What a rule asks for, by SLO."""


SeriesByName = Mapping[str, SeriesAnswer]
"""The answers, by SLO."""


def look_back(policy: Policy, history: HistoryBackend | None, at: datetime) -> Past:
    """Return what the rules of a policy that look back find; one round of queries for them all.

    Args:
        policy: with a rule that looks back.
        history: None where the backend keeps none.
        at: the instant of the run.
    """
    incidents, charts = ask_for_incidents(policy, at), ask_for_charts(policy, at)
    of_incidents, of_charts = _one_round(history, [incidents, charts])
    return Past(
        incidents=incidents_found(policy, incidents, of_incidents),
        charts=charts_drawn(policy, charts, of_charts),
    )


def ask_for_incidents(policy: Policy, at: datetime) -> RequestsByName:
    """Return what the rule ``postmortems`` asks for; nothing where there is no such rule."""
    rule = policy.postmortems
    if rule is None:
        return {}
    return {
        slo.name: SeriesRequest(sli=slo.sli, span=_whole_steps(rule.looks_at(slo, at)), step=_STEP)
        for slo in policy.slos
        if counts_events(slo)
    }


def incidents_found(
    policy: Policy, asked: RequestsByName, told: SeriesByName
) -> Mapping[str, SloIncidents | Unmeasured]:
    """Return the incidents of each SLO that was asked for."""
    rule = policy.postmortems
    if rule is None:
        return {}
    slos = {slo.name: slo for slo in policy.slos if counts_events(slo)}
    return {name: _incidents(rule, slos[name], asked[name], told[name]) for name in asked}


def ask_for_charts(policy: Policy, at: datetime) -> RequestsByName:
    """Return what the rule ``control_charts`` asks for; nothing where there is no such rule."""
    rule = policy.control_charts
    if rule is None:
        return {}
    span = rule.looks_at(at)
    return {
        slo.name: SeriesRequest(sli=slo.sli, span=span, step=rule.step, mean=True)
        for slo in policy.slos
        if counts_events(slo)
    }


def charts_drawn(
    policy: Policy, asked: RequestsByName, told: SeriesByName
) -> Mapping[str, tuple[Drawn, ...] | Unmeasured]:
    """Return the charts of each SLO that was asked for."""
    rule = policy.control_charts
    if rule is None:
        return {}
    records = policy.postmortems.records if policy.postmortems is not None else ()
    charting = Charting(baseline=rule.baseline, rules=DEFAULT, records=records)
    drawn = dict[str, tuple[Drawn, ...] | Unmeasured]()
    for slo in filter(counts_events, policy.slos):
        answer = known_of(told[slo.name])
        drawn[slo.name] = (
            answer
            if isinstance(answer, Unmeasured)
            else tuple(charts(answer, asked[slo.name], budget=float(slo.budget), charting=charting))
        )
    return drawn


def _one_round(
    history: HistoryBackend | None, asked: Sequence[RequestsByName]
) -> list[SeriesByName]:
    """Return the answers to what each rule asks for, all of which is asked at once."""
    requests = [request for wanted in asked for request in wanted.values()]
    if history is None:
        reason = "this backend keeps no history"
        answers = iter([Unmeasured(cause=Cause.NO_DATA, reason=reason)] * len(requests))
        return [{name: next(answers) for name in wanted} for wanted in asked]
    told = iter(history.history(requests) if requests else [])
    return [{name: next(told) for name in wanted} for wanted in asked]


def _whole_steps(span: Span) -> Span:
    """Return the newest part of the span that is a whole number of steps, at least one."""
    return Span(span.end - max(span.length // _STEP, 1) * _STEP, span.end)


def _incidents(
    rule: PostmortemRule, slo: RatioSlo, request: SeriesRequest, answer: SeriesAnswer
) -> SloIncidents | Unmeasured:
    answer = known_of(answer)
    if isinstance(answer, Unmeasured):
        return answer
    known = Fraction(sum(known_steps(answer)), request.steps)
    window = slo.window.whole(request.span.end).length
    return SloIncidents(
        found=find_incidents(
            answer, request, budget=float(slo.budget), threshold=float(rule.threshold)
        ),
        allowed=budget_events(answer, request, slo.budget, window),
        known=known,
        request=request,
        series=answer,
    )


def sketch(
    history: HistoryBackend | None, assessments: Sequence[Assessment], at: datetime
) -> dict[str, BurnDown]:
    """Return by SLO how each measured budget came down, in few steps, where that is known.

    One round of range queries, or one scan, for all of them.
    """
    wanted = [
        (known, request)
        for known in assessments
        if known.measured and (request := sketched(known.slo, at)) is not None
    ]
    if history is None or not wanted:
        return {}
    answers = history.history([request for _, request in wanted])
    found = {
        known.slo.name: burn_down(series, request, known)
        for (known, request), series in zip(wanted, answers, strict=True)
        if isinstance(series, Series)
    }
    return {name: one for name, one in found.items() if one is not None}
