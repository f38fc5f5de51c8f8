"""The results for the history of one SLO, which remain when its points are released."""

from collections.abc import Iterator
from dataclasses import field
from datetime import timedelta
from fractions import Fraction
from itertools import groupby
from typing import Final

from gate.analysis.incidents import IncidentOptions, SearchedSlo
from gate.analysis.incidents.context import known_records, since_deploy_of
from gate.dataclass import dataclass
from gate.history.before_after import BeforeAfter
from gate.history.burned import burned
from gate.history.events import known_in, told_until, within
from gate.history.explanations import Explanations, SloHistory, explain
from gate.history.incident_shares import slo_incidents, window_budget
from gate.history.incidents import WINDOW, known_steps, steps_of
from gate.history.service_incidents import SloImpact, joined, total_time
from gate.measure import Unmeasured
from gate.measure.history import Series, SeriesAnswer, SeriesRequest
from gate.policy.coverage import history_reservations
from gate.policy.policy import Policy
from gate.slo.objective import RatioSlo, Span, SpendSlo, counts_events
from gate.wording import burn_shown

_FINEST: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class SloFindings:
    """The results for an SLO's history; their size does not grow with the number of its steps."""

    searched: SearchedSlo
    measured: tuple[Span, ...] | None = None
    """The parts of the searched time with known data; None without history."""
    explanations: Explanations = field(default_factory=dict)
    """The explanations of every incident of the SLO, whatever it cost."""
    since_deploy: BeforeAfter | None = None
    """None: no deploy was named, or a comparison is not possible."""


def slo_findings(
    policy: Policy, slo: RatioSlo | SpendSlo, answer: SeriesAnswer, options: IncidentOptions
) -> SloFindings:
    """Return the results for an SLO's history.

    Args:
        policy: the policy of the SLO.
        slo: the SLO of the history.
        answer: the answer to `IncidentOptions.request`.
        options: the settings of the search.
    """
    searched = _searched_slo(policy, slo, answer, options)
    if isinstance(answer, Unmeasured):
        return SloFindings(searched=searched)
    steps = SloHistory(options.request(policy, slo), answer)
    records = known_records(policy, options.records)
    return SloFindings(
        searched=searched,
        measured=tuple(joined(_known_times(answer, steps.request), options.span)),
        explanations={
            (slo.name, impact.incident.start): explain(
                records, impact, steps, service=policy.service
            )
            for impact in (*searched.impacts, *searched.smaller)
        },
        since_deploy=since_deploy_of(policy, slo, steps, options),
    )


def _searched_slo(
    policy: Policy, slo: RatioSlo | SpendSlo, answer: SeriesAnswer, options: IncidentOptions
) -> SearchedSlo:
    request, span = options.request(policy, slo), options.span
    answer = known_in(answer, request, span)
    if isinstance(answer, Unmeasured):
        return SearchedSlo(
            slo=slo.name, impacts=(), unknown=Fraction(1), query=answer.query, unmeasured=answer
        )
    budget = window_budget(slo, answer, request, span)
    impacts = [
        SloImpact(slo=slo.name, incident=incident, share=float(budget.share(incident)))
        for incident in slo_incidents(slo, answer, request, threshold=float(options.threshold))
        if incident.end > span.start
    ]
    totals, until = within(answer, request, span), told_until(answer, request)
    measured = total_time(joined(_known_times(answer, request), span))
    costly, smaller = (
        tuple(impact for impact in impacts if (impact.share >= options.min_share) is shown)
        for shown in (True, False)
    )
    return SearchedSlo(
        slo=slo.name,
        impacts=costly,
        smaller=smaller,
        burned=None
        if isinstance(slo, SpendSlo)
        else burned(
            answer,
            request,
            span,
            [impact.incident for impact in costly],
            [impact.incident for impact in smaller],
        ),
        unknown=1 - Fraction(measured // _FINEST, (until - span.start) // _FINEST),
        query=answer.query,
        unmeasured=None,
        notes=answer.notes,
        low_traffic=_few_events(slo, answer, request, options),
        reservations=tuple(history_reservations(policy, slo, totals, span, in_runs=answer.in_runs)),
    )


def _few_events(
    slo: RatioSlo | SpendSlo, series: Series, request: SeriesRequest, options: IncidentOptions
) -> str | None:
    """Say if the traffic is so low that one failure is an incident; None if it is not."""
    if not counts_events(slo) or slo.sampled is not None:
        return None
    measured = [total for total in within(series, request, options.span) if total is not None]
    events = Fraction(sum(measured)) / max(len(measured), 1)
    for_one_event = slo.budget * events * steps_of(WINDOW, request.step)
    if not 0 < for_one_event * options.threshold <= 1:
        return None
    rate = burn_shown(1 / for_one_event)
    return f"traffic is so low that one bad event counts as an incident (burn rate {rate})"


def _known_times(series: Series, request: SeriesRequest) -> Iterator[Span]:
    """Yield the stretches of known time, the oldest first."""
    place = 0
    for measured, steps in groupby(known_steps(series)):
        first, place = place, place + sum(1 for _ in steps)
        if measured:
            yield Span(request.end_of(first - 1), request.end_of(place - 1))
