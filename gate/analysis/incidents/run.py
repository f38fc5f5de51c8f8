"""Looking for incidents in the history of everything that one or several policies count."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction

from gate import __version__
from gate.analysis.incidents.result import IncidentReport, LookedAt, ServiceIncidents
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
from gate.history.incidents import WINDOW, budget_events, find_incidents, known_steps
from gate.history.records import (
    Deployment,
    IncidentRecord,
    annotate,
    records_without_impact,
)
from gate.history.service_incidents import (
    SloImpact,
    drain,
    merge_incidents,
    reliability,
)
from gate.measure.counts import Unmeasured
from gate.measure.history import HistoryBackend, Series, SeriesAnswer, SeriesRequest, newest_steps
from gate.policy.policy import Policy
from gate.slo.objective import RatioSlo
from gate.slo.window import Span
from gate.wording import burn_shown


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentOptions:
    """What is looked for, and what is known already."""

    at: datetime
    """The end of the history that is looked at."""
    last: timedelta
    """How much of it; what is over a whole number of steps is left out."""
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
        """A whole number of steps."""
        return newest_steps(Span(self.at - self.last, self.at), self.step)

    def request(self, slo: RatioSlo) -> SeriesRequest:
        """Return what to ask of an SLO's history."""
        return SeriesRequest(sli=slo.sli, span=self.span, step=self.step)


def search_incidents(
    files: Sequence[PolicyFile], asked: IncidentOptions, *, open_with: OpenBackend = open_backend
) -> IncidentReport:
    """Return the incidents of every policy.

    Raises:
        UsageError: a backend keeps no history, or a package of one is missing.
    """
    histories = [open_history(file, asked.timeout, open_with)[1] for file in files]

    def task(place: int) -> Callable[[], ServiceIncidents]:
        file, history = files[place], histories[place]
        return lambda: service_incidents(file, ask(history, file.policy, asked), asked)

    return incident_report(run_concurrently([task(place) for place in range(len(files))]), asked)


def incident_report(services: Sequence[ServiceIncidents], asked: IncidentOptions) -> IncidentReport:
    """Put together what was found under every policy."""
    explained = [one for service in services for one in service.explained]
    return IncidentReport(
        services=tuple(services),
        span=asked.span,
        step=asked.step,
        threshold=asked.threshold,
        unfelt=records_without_impact(asked.records, explained, asked.span),
        tool_version=__version__,
    )


def ask(history: HistoryBackend, policy: Policy, asked: IncidentOptions) -> dict[str, SeriesAnswer]:
    """Return the history of each of these SLOs by name; all are asked for at once."""
    slos = by_events(policy)
    requests = [asked.request(slo) for slo in slos]
    answers = history.history(requests) if requests else []
    return dict(zip((slo.name for slo in slos), answers, strict=True))


def service_incidents(
    file: PolicyFile, answers: Mapping[str, SeriesAnswer], asked: IncidentOptions
) -> ServiceIncidents:
    """Return the incidents of a policy.

    Args:
        file: the policy.
        answers: to `IncidentOptions.request`, of each SLO that `by_events` names.
        asked: what is looked for.
    """
    policy, slos = file.policy, by_events(file.policy)
    looked_at = tuple(_looked_at(slo, answers[slo.name], asked) for slo in slos)
    felt = [one for looked in looked_at for one in looked.felt]
    found = merge_incidents(felt)
    known = {
        name: known_steps(answer) for name, answer in answers.items() if isinstance(answer, Series)
    }
    anything = [any(steps) for steps in zip(*known.values(), strict=True)]
    return ServiceIncidents(
        policy=policy,
        source=file.source,
        slos=looked_at,
        left_out=left_out(policy),
        explained=tuple(
            annotate(one, asked.records, asked.deploys, service=policy.service, step=asked.step)
            for one in found
        ),
        reliability=reliability(found, anything, start=asked.span.start, step=asked.step),
        drain=drain(
            felt,
            {slo.name: slo.window.whole(asked.at).length for slo in slos},
            {name: sum(steps) * asked.step for name, steps in known.items()},
        ),
    )


def _looked_at(slo: RatioSlo, answer: SeriesAnswer, asked: IncidentOptions) -> LookedAt:
    answer = known_of(answer)
    if isinstance(answer, Unmeasured):
        return LookedAt(
            slo=slo.name, felt=(), unknown=Fraction(1), query=answer.query, unmeasured=answer
        )
    budget, threshold, request = float(slo.budget), float(asked.threshold), asked.request(slo)
    allowed = budget_events(answer, request, slo.budget, slo.window.whole(asked.at).length)
    found = [
        SloImpact(slo=slo.name, incident=one, share=float(Fraction(one.bad) / allowed))
        for one in find_incidents(answer, request, budget=budget, threshold=threshold)
    ]
    return LookedAt(
        slo=slo.name,
        felt=tuple(one for one in found if one.share >= asked.min_share),
        smaller=tuple(one for one in found if one.share < asked.min_share),
        unknown=1 - Fraction(sum(known_steps(answer)), request.steps),
        query=answer.query,
        unmeasured=None,
        notes=(*answer.notes, *_few_events(answer, request, slo.budget, asked)),
    )


def _few_events(
    series: Series, request: SeriesRequest, budget: Fraction, asked: IncidentOptions
) -> Iterator[str]:
    """Say where there is so little traffic that one failure is an incident."""
    for_one = budget_events(series, request, budget, max(WINDOW, asked.step))
    if 0 < for_one * asked.threshold <= 1:
        rate = burn_shown(1 / for_one)
        yield f"so few events that a single bad one burns at {rate} and makes an incident"
