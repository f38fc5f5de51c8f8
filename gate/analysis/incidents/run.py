"""Search for incidents in the history of all SLOs of one or several policies."""

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction

from gate import __version__
from gate.analysis.incidents import IncidentOptions, IncidentReport, SearchedSlo, ServiceIncidents
from gate.analysis.incidents.context import annotations_of, known_records, since_deploy, with_labels
from gate.analysis.incidents.findings import SloFindings, slo_findings
from gate.backends import open_backend
from gate.backends.waits import run_concurrently
from gate.check.measure import OpenBackend, open_history, with_past
from gate.check.promises import with_promises
from gate.config.load import PolicyFile
from gate.history.explanations import annotate, records_without_impact
from gate.history.incident_shares import drain
from gate.history.records import IncidentRecord
from gate.history.service_incidents import (
    SloImpact,
    composite_impacts,
    merge_incidents,
    reliability,
    total_time,
)
from gate.measure import Unmeasured
from gate.measure.capabilities import HistoryBackend, each_answer
from gate.policy.policy import Policy
from gate.slo.objective import CompositeSlo


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
            findings = all_findings(file.policy, history, options)
            service = service_incidents(file, findings, options)
            return with_labels(service, backend, options.span)

        return search

    return incident_report(run_concurrently([task(place) for place in range(len(files))]), options)


def incident_report(
    services: Sequence[ServiceIncidents], options: IncidentOptions
) -> IncidentReport:
    """Merge the results for all policies."""
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


def all_findings(
    policy: Policy, history: HistoryBackend, options: IncidentOptions
) -> list[SloFindings]:
    """Return the findings in the history of each SLO that `with_past` names, in its order.

    No history is kept: what it comes to is, before the next is asked for.
    """
    slos = with_past(policy)
    answers = each_answer(history, [options.request(policy, slo) for slo in slos])
    return [slo_findings(policy, slo, next(answers), options) for slo in slos]


def service_incidents(
    file: PolicyFile, findings: Sequence[SloFindings], options: IncidentOptions
) -> ServiceIncidents:
    """Return the incidents of a policy.

    Args:
        file: the policy.
        findings: the findings about each SLO that `with_past` names, in its order.
        options: the settings of the search.
    """
    policy, slos, span = file.policy, with_past(file.policy), options.span
    searched_slos = [slo.searched for slo in findings]
    searched_slos += map(_undefined, policy.undefined, policy.undefined.values())
    searched_slos += _composites(policy, searched_slos, options)
    impacts = [impact for slo in searched_slos for impact in slo.impacts]
    incidents = merge_incidents(impacts)
    measured = {slo.searched.slo: slo.measured for slo in findings if slo.measured is not None}
    explanations = {place: why for slo in findings for place, why in slo.explanations.items()}
    annotations = annotations_of(policy, options.records, options.deploys)
    return ServiceIncidents(
        policy=policy,
        source=file.source,
        slos=tuple(searched_slos),
        left_out=(),
        since=since_deploy(policy, options, [slo.since_deploy for slo in findings]),
        annotated=tuple(
            annotate(
                incident,
                annotations,
                service=policy.service,
                step=options.step,
                explanations=explanations,
            )
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


def _undefined(slo: str, why: Unmeasured) -> SearchedSlo:
    """Return the results for an SLO whose platform does not give an objective."""
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
