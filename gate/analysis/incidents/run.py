"""Looking for incidents in the history of everything that one or several policies count."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from fractions import Fraction

from gate import __version__
from gate.analysis.incidents import IncidentReport, SearchedSlo, ServiceIncidents
from gate.backends import open_backend
from gate.check.measure import (
    OpenBackend,
    by_events,
    known_of,
    left_out,
    open_history,
    run_concurrently,
)
from gate.config.load import PolicyFile
from gate.dataclass import dataclass
from gate.history.explanations import Annotations, Steps, annotate, records_without_impact
from gate.history.incidents import WINDOW, budget_events, find_incidents, known_steps
from gate.history.records import Deployment, IncidentRecord
from gate.history.sampled_incidents import find_sampled_incidents
from gate.history.service_incidents import (
    SloImpact,
    drain,
    merge_incidents,
    reliability,
)
from gate.measure import Unmeasured
from gate.measure.history import (
    HistoryBackend,
    Series,
    SeriesAnswer,
    SeriesRequest,
    newest_steps,
    unknown_share,
)
from gate.policy.coverage import history_reservations
from gate.policy.policy import Policy
from gate.slo.objective import RatioSlo, Span
from gate.wording import burn_shown


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentOptions:
    """What to search for, and what is known already."""

    at: datetime
    """The end of the history that is looked at."""
    last: timedelta
    """The length of the history; a rest that is not a whole step is left out."""
    step: timedelta
    """At most ``last``."""
    threshold: Fraction
    """A burn rate, above 0."""
    timeout: timedelta
    min_share: Fraction = Fraction(0)
    """The share of a budget that an incident costs at least, 0 to 1; smaller ones are summed up."""
    records: tuple[IncidentRecord, ...] = ()
    deploys: tuple[Deployment, ...] = ()

    @property
    def span(self) -> Span:
        """The time to search, a whole number of steps."""
        return newest_steps(Span(self.at - self.last, self.at), self.step)

    def request(self, slo: RatioSlo) -> SeriesRequest:
        """Return what to ask of an SLO's history."""
        return SeriesRequest(sli=slo.sli, span=self.span, step=self.step)


def search_incidents(
    files: Sequence[PolicyFile], options: IncidentOptions, *, open_with: OpenBackend = open_backend
) -> IncidentReport:
    """Return the incidents of every policy.

    Raises:
        UsageError: a backend keeps no history, or a package of one is missing.
    """
    histories = [open_history(file, options.timeout, open_with)[1] for file in files]

    def task(place: int) -> Callable[[], ServiceIncidents]:
        file, history = files[place], histories[place]
        return lambda: service_incidents(file, ask(history, file.policy, options), options)

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
        records |= dict.fromkeys(_records(service.policy, options))
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
    """Return the history of each of these SLOs by name; all are asked for at once."""
    slos = by_events(policy)
    requests = [options.request(slo) for slo in slos]
    answers = history.history(requests) if requests else []
    return dict(zip((slo.name for slo in slos), answers, strict=True))


def service_incidents(
    file: PolicyFile, answers: Mapping[str, SeriesAnswer], options: IncidentOptions
) -> ServiceIncidents:
    """Return the incidents of a policy.

    Args:
        file: the policy.
        answers: to `IncidentOptions.request`, of each SLO that `by_events` names.
        options: what to search for.
    """
    policy, slos = file.policy, by_events(file.policy)
    searched_slos = tuple(_searched_slo(policy, slo, answers[slo.name], options) for slo in slos)
    impacts = [impact for slo in searched_slos for impact in slo.impacts]
    incidents = merge_incidents(impacts)
    steps_with_data = {
        name: known_steps(answer) for name, answer in answers.items() if isinstance(answer, Series)
    }
    anything = [any(places) for places in zip(*steps_with_data.values(), strict=True)]
    steps = {
        slo.name: Steps(options.request(slo), answer)
        for slo in slos
        if isinstance(answer := answers[slo.name], Series)
    }
    annotations = Annotations(
        records=_records(policy, options),
        unreadable=policy.postmortems.unreadable if policy.postmortems else (),
        deploys=options.deploys,
    )
    return ServiceIncidents(
        policy=policy,
        source=file.source,
        slos=searched_slos,
        left_out=left_out(policy),
        annotated=tuple(
            annotate(incident, annotations, service=policy.service, step=options.step, steps=steps)
            for incident in incidents
        ),
        reliability=reliability(incidents, anything, start=options.span.start, step=options.step),
        drain=drain(
            impacts,
            {slo.name: slo.window.whole(options.at).length for slo in slos},
            {name: sum(places) * options.step for name, places in steps_with_data.items()},
        ),
    )


def _records(policy: Policy, options: IncidentOptions) -> tuple[IncidentRecord, ...]:
    """Return the records that the command was given, and those of the rule ``postmortems``."""
    own = policy.postmortems.records if policy.postmortems else ()
    return tuple({record.id: record for record in (*own, *options.records)}.values())


def _searched_slo(
    policy: Policy, slo: RatioSlo, answer: SeriesAnswer, options: IncidentOptions
) -> SearchedSlo:
    answer = known_of(answer)
    if isinstance(answer, Unmeasured):
        return SearchedSlo(
            slo=slo.name, impacts=(), unknown=Fraction(1), query=answer.query, unmeasured=answer
        )
    budget, threshold, request = float(slo.budget), float(options.threshold), options.request(slo)
    allowed = budget_events(answer, request, slo.budget, slo.window.whole(options.at).length)
    impacts = [
        SloImpact(slo=slo.name, incident=incident, share=float(Fraction(incident.bad) / allowed))
        for incident in (find_incidents if slo.sampled is None else find_sampled_incidents)(
            answer, request, budget=budget, threshold=threshold
        )
    ]
    return SearchedSlo(
        slo=slo.name,
        impacts=tuple(impact for impact in impacts if impact.share >= options.min_share),
        smaller=tuple(impact for impact in impacts if impact.share < options.min_share),
        unknown=unknown_share(sum(known_steps(answer)), request.steps),
        query=answer.query,
        unmeasured=None,
        notes=(
            *answer.notes,
            *(_few_events(answer, request, slo.budget, options) if slo.sampled is None else ()),
        ),
        reservations=tuple(history_reservations(policy, slo, answer.total, request.span)),
    )


def _few_events(
    series: Series, request: SeriesRequest, budget: Fraction, options: IncidentOptions
) -> Iterator[str]:
    """Say where there is so little traffic that one failure is an incident."""
    for_one_event = budget_events(series, request, budget, max(WINDOW, options.step))
    if 0 < for_one_event * options.threshold <= 1:
        rate = burn_shown(1 / for_one_event)
        yield f"so few events that a single bad one burns at {rate} and makes an incident"
