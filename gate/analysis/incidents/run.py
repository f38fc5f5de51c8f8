"""Looking for incidents in the history of everything that one or several policies count."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Final

from gate import __version__
from gate.analysis.incidents import IncidentReport, SearchedSlo, ServiceIncidents
from gate.analysis.incidents.context import annotations_of, known_records, since_deploy, with_labels
from gate.backends import open_backend
from gate.check.measure import OpenBackend, open_history, run_concurrently, with_past
from gate.check.promises import with_promises
from gate.config.load import PolicyFile
from gate.dataclass import dataclass
from gate.history.burned import burned
from gate.history.events import known_in, told_until, within
from gate.history.explanations import SloHistory, annotate, records_without_impact
from gate.history.incident_shares import incident_request, slo_incidents, window_budget
from gate.history.incidents import WINDOW, known_times, steps_of
from gate.history.records import Deployment, IncidentRecord
from gate.history.service_incidents import (
    SloImpact,
    composite_impacts,
    drain,
    joined,
    merge_incidents,
    reliability,
    total_time,
)
from gate.measure import Unmeasured
from gate.measure.history import HistoryBackend, Series, SeriesAnswer, SeriesRequest
from gate.policy.coverage import history_reservations
from gate.policy.policy import Policy
from gate.slo.objective import CompositeSlo, RatioSlo, Span, SpendSlo, counts_events
from gate.wording import burn_shown

_FINEST: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentOptions:
    """The bounds of the search, and the incidents that are known already."""

    at: datetime
    """The end of the history that is looked at."""
    last: timedelta
    """The length of the time that is looked at."""
    step: timedelta
    """At most ``last``."""
    threshold: Fraction
    """A burn rate, above 0."""
    timeout: timedelta
    min_share: Fraction = Fraction(0)
    """The share of a budget that an incident costs at least, 0 to 1; smaller ones are summed up."""
    records: tuple[IncidentRecord, ...] = ()
    deploys: tuple[Deployment, ...] = ()
    since: Deployment | None = None
    """A deploy, before and after which the failures are compared."""

    @property
    def span(self) -> Span:
        """The time to search."""
        return Span(self.at - self.last, self.at)

    def request(self, policy: Policy, slo: RatioSlo | SpendSlo) -> SeriesRequest:
        """Return what to ask of an SLO's history; it begins before the time to search."""
        return incident_request(slo, self.span, self.step, max_age=policy.guards_of(slo).max_age)


def search_incidents(
    files: Sequence[PolicyFile], options: IncidentOptions, *, open_with: OpenBackend = open_backend
) -> IncidentReport:
    """Return the incidents of every policy.

    Raises:
        UsageError: a backend keeps no history, or a package of one is missing.
    """
    files, open_with = with_promises(files, options.at, options.timeout, open_with)
    opened = [open_history(file, options.timeout, open_with) for file in files]

    def task(place: int) -> Callable[[], ServiceIncidents]:
        file, (backend, history) = files[place], opened[place]

        def search() -> ServiceIncidents:
            service = service_incidents(file, ask(history, file.policy, options), options)
            return with_labels(service, backend, options.span)

        return search

    return incident_report(run_concurrently([task(place) for place in range(len(files))]), options)


def incident_report(
    services: Sequence[ServiceIncidents], options: IncidentOptions
) -> IncidentReport:
    """Merge what was found under every policy."""
    impacts: dict[str, list[SloImpact]] = {}
    records: dict[IncidentRecord, None] = {}
    for service in services:
        felt = impacts.setdefault(service.policy.service, [])
        felt += (impact for slo in service.slos for impact in (*slo.impacts, *slo.smaller))
        records |= dict.fromkeys(known_records(service.policy, options.records))
    return IncidentReport(
        services=tuple(services),
        span=options.span,
        step=options.step,
        threshold=options.threshold,
        without_impact=records_without_impact(tuple(records), impacts, options.span),
        tool_version=__version__,
    )


def ask(
    history: HistoryBackend, policy: Policy, options: IncidentOptions
) -> dict[str, SeriesAnswer]:
    """Return the history of each SLO that has one, by name; all are asked for at once."""
    slos = with_past(policy)
    requests = [options.request(policy, slo) for slo in slos]
    answers = history.history(requests) if requests else []
    return dict(zip((slo.name for slo in slos), answers, strict=True))


def service_incidents(
    file: PolicyFile, answers: Mapping[str, SeriesAnswer], options: IncidentOptions
) -> ServiceIncidents:
    """Return the incidents of a policy.

    Args:
        file: the policy.
        answers: to `IncidentOptions.request`, of each SLO that `with_past` names.
        options: what to search for.
    """
    policy, slos, span = file.policy, with_past(file.policy), options.span
    searched_slos = [_searched_slo(policy, slo, answers[slo.name], options) for slo in slos]
    searched_slos += map(_undefined, policy.undefined, policy.undefined.values())
    searched_slos += _composites(policy, searched_slos, options)
    impacts = [impact for slo in searched_slos for impact in slo.impacts]
    incidents = merge_incidents(impacts)
    steps = {
        slo.name: SloHistory(options.request(policy, slo), answer)
        for slo in slos
        if isinstance(answer := answers[slo.name], Series)
    }
    measured = {
        name: joined(known_times(past.series, past.request), span) for name, past in steps.items()
    }
    annotations = annotations_of(policy, options.records, options.deploys)
    return ServiceIncidents(
        policy=policy,
        source=file.source,
        slos=tuple(searched_slos),
        left_out=(),
        since=since_deploy(policy, steps, options.since, options.deploys, options.at),
        annotated=tuple(
            annotate(incident, annotations, service=policy.service, step=options.step, steps=steps)
            for incident in incidents
        ),
        reliability=reliability(
            incidents, [time for times in measured.values() for time in times], span
        ),
        drain=drain(
            [impact for impact in impacts if impact.slo in measured],
            {slo.name: slo.window.whole(options.at).length for slo in slos},
            {name: total_time(times) for name, times in measured.items()},
        ),
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
    measured = total_time(joined(known_times(answer, request), span))
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


def _undefined(slo: str, why: Unmeasured) -> SearchedSlo:
    """Return what is found of an SLO of which it is not known what its platform promises."""
    return SearchedSlo(slo=slo, impacts=(), unknown=Fraction(1), query=why.query, unmeasured=why)


def _composites(
    policy: Policy, searched_slos: Sequence[SearchedSlo], options: IncidentOptions
) -> Iterator[SearchedSlo]:
    """Yield the composites of a policy, which lose what their members lose."""
    impacts = [impact for slo in searched_slos for impact in (*slo.impacts, *slo.smaller)]
    by_name = {slo.slo: slo for slo in searched_slos}
    for composite in policy.slos:
        if isinstance(composite, CompositeSlo):
            parts = [by_name[member.slo] for member in composite.members]
            own = composite_impacts(composite, impacts)
            yield SearchedSlo(
                slo=composite.name,
                impacts=tuple(impact for impact in own if impact.share >= options.min_share),
                smaller=tuple(impact for impact in own if impact.share < options.min_share),
                unknown=max(part.unknown for part in parts),
                query=None,
                unmeasured=next((part.unmeasured for part in parts if part.unmeasured), None),
            )


def _few_events(
    slo: RatioSlo | SpendSlo, series: Series, request: SeriesRequest, options: IncidentOptions
) -> str | None:
    """Say where there is so little traffic that one failure is an incident; None: it is not so."""
    if not counts_events(slo) or slo.sampled is not None:
        return None
    measured = [total for total in within(series, request, options.span) if total is not None]
    events = Fraction(sum(measured)) / max(len(measured), 1)
    for_one_event = slo.budget * events * steps_of(WINDOW, request.step)
    if not 0 < for_one_event * options.threshold <= 1:
        return None
    rate = burn_shown(1 / for_one_event)
    return f"traffic is so low that one bad event counts as an incident (burn rate {rate})"
