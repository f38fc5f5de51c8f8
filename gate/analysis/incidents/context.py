"""The context of a policy's incidents: records, deploys, and labels of the failures."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from gate.analysis.incidents import IncidentOptions, SearchedSlo, ServiceIncidents, SinceDeploy
from gate.history.before_after import BeforeAfter, before_and_after
from gate.history.burned import FEWEST, failure_labels, spans_of
from gate.history.explanations import Annotations, SloHistory
from gate.history.incidents import Incident
from gate.history.records import Deployment, IncidentRecord
from gate.measure import Backend, Cause, Unmeasured
from gate.measure.capabilities import labels_of
from gate.measure.cohorts import LabelAnswer, LabelRequest
from gate.policy.policy import Policy
from gate.slo.objective import RatioSlo, Span, SpendSlo, counts_events


def known_records(policy: Policy, records: Sequence[IncidentRecord]) -> tuple[IncidentRecord, ...]:
    """Return the records of a command, and those of the rule ``postmortems``."""
    own = policy.postmortems.records if policy.postmortems else ()
    return tuple({record.id: record for record in (*own, *records)}.values())


def annotations_of(
    policy: Policy, records: Sequence[IncidentRecord], deploys: Sequence[Deployment]
) -> Annotations:
    """Return the context of the incidents of a policy.

    Args:
        policy: the policy, which may have records of its own in a rule.
        records: the records of the command.
        deploys: the deploys of the command.
    """
    return Annotations(
        records=known_records(policy, records),
        unreadable=policy.postmortems.unreadable if policy.postmortems else (),
        deploys=deploys,
    )


def since_deploy(
    policy: Policy, options: IncidentOptions, slos: Iterable[BeforeAfter | None]
) -> SinceDeploy | None:
    """Return how the time since the named deploy differs from the time before it.

    Args:
        policy: the policy of the SLOs.
        options: the options with the named deploy, and with all deploys of any service.
        slos: the result of `since_deploy_of` for each.
    """
    deploy, until = options.since, _until(policy, options)
    if deploy is None or until is None:
        return None
    compared = tuple(both for both in slos if both is not None)
    others = (other for other in _of_service(policy, options) if other != deploy)
    together = tuple(other for other in others if other.time == deploy.time)
    return SinceDeploy(deploy=deploy, until=until, slos=compared, together=together)


def _of_service(policy: Policy, options: IncidentOptions) -> list[Deployment]:
    """Return the deploys of a policy's service, and those of all services."""
    return [other for other in options.deploys if other.service in {None, policy.service}]


def since_deploy_of(
    policy: Policy, slo: RatioSlo | SpendSlo, steps: SloHistory, options: IncidentOptions
) -> BeforeAfter | None:
    """Compare an SLO's time before a deploy with that since then, up to the next deploy.

    None: no deploy was named, or the SLO cannot fail or has no whole step on both sides.
    """
    deploy, until = options.since, _until(policy, options)
    if deploy is None or until is None or isinstance(slo, SpendSlo):
        return None
    return before_and_after(slo.name, steps.series, steps.request, deploy.time, until)


def _until(policy: Policy, options: IncidentOptions) -> datetime | None:
    """Return the end of the time since the deploy: the next one, or the end of the histories.

    None: no deploy of the service was named.
    """
    deploy = options.since
    if deploy is None or deploy.service not in {None, policy.service}:
        return None
    times = [other.time for other in _of_service(policy, options)]
    return min([options.at, *(time for time in times if time > deploy.time)])


_MOST: Final = 50
"""The maximum number of values of a label: more would be too many to investigate."""
_CANNOT: Final = Unmeasured(
    cause=Cause.NO_DATA, reason="this backend cannot group failures by label"
)


def with_labels(service: ServiceIncidents, backend: Backend, span: Span) -> ServiceIncidents:
    """Return the incidents of a policy with the common labels of each SLO's failures.

    This takes one more round of queries, or a scan, for all SLOs; none if hardly anything failed.

    Args:
        service: the incidents of the policy.
        backend: the backend of the policy.
        span: the examined time.
    """
    slis = {slo.name: slo.sli for slo in service.policy.slos if counts_events(slo)}
    requests = {
        slo.slo: LabelRequest(sli=slis[slo.slo], spans=spans_of(span, _incidents(slo)), most=_MOST)
        for slo in service.slos
        if slo.slo in slis and slo.burned is not None and slo.burned.bad >= FEWEST
    }
    if not requests:
        return service
    candidate = labels_of(backend)
    answers: Sequence[LabelAnswer] = (
        [_CANNOT] * len(requests)
        if candidate is None
        else candidate.label_counts(list(requests.values()))
    )
    by_name = dict(zip(requests, answers, strict=True))
    return replace(
        service,
        slos=tuple(
            _with_answer(slo, by_name[slo.slo]) if slo.slo in by_name else slo
            for slo in service.slos
        ),
    )


def _incidents(slo: SearchedSlo) -> list[Incident]:
    return [impact.incident for impact in (*slo.impacts, *slo.smaller)]


def _with_answer(slo: SearchedSlo, answer: LabelAnswer) -> SearchedSlo:
    if isinstance(answer, Unmeasured):
        return replace(slo, labels=answer)
    chronic = slo.burned.chronic if slo.burned else 0.0
    return replace(slo, labels=failure_labels(answer, _incidents(slo), chronic=chronic))
