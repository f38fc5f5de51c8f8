"""What is put to the incidents of a policy: the records that there are, and deploys."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from gate.analysis.incidents import SinceDeploy
from gate.history.before_after import before_and_after
from gate.history.explanations import Annotations, SloHistory
from gate.history.records import Deployment, IncidentRecord
from gate.policy.policy import Policy
from gate.slo.objective import RatioSlo


def known_records(policy: Policy, records: Sequence[IncidentRecord]) -> tuple[IncidentRecord, ...]:
    """Return the records that a command was given, and those of the rule ``postmortems``."""
    own = policy.postmortems.records if policy.postmortems else ()
    return tuple({record.id: record for record in (*own, *records)}.values())


def annotations_of(
    policy: Policy, records: Sequence[IncidentRecord], deploys: Sequence[Deployment]
) -> Annotations:
    """Return what is put to the incidents of a policy.

    Args:
        policy: may have a rule with records of its own.
        records: that the command was given.
        deploys: likewise.
    """
    return Annotations(
        records=known_records(policy, records),
        unreadable=policy.postmortems.unreadable if policy.postmortems else (),
        deploys=deploys,
    )


def since_deploy(
    policy: Policy,
    steps: Mapping[str, SloHistory],
    deploy: Deployment | None,
    deploys: Iterable[Deployment],
    at: datetime,
) -> SinceDeploy | None:
    """Compare the time before a deploy with that since then, up to the next deploy.

    Args:
        policy: whose SLOs these are.
        steps: their histories, by SLO.
        deploy: None: none is asked about.
        deploys: all, of any service.
        at: the end of the histories.
    """
    services = {None, policy.service}
    if deploy is None or deploy.service not in services:
        return None
    later = [other.time for other in deploys if other.service in services]
    until = min([at, *(time for time in later if time > deploy.time)])
    fails = {slo.name for slo in policy.slos if isinstance(slo, RatioSlo)}
    compared = [
        before_and_after(name, past.series, past.request, deploy.time, until)
        for name, past in steps.items()
        if name in fails
    ]
    slos = tuple(both for both in compared if both is not None)
    return SinceDeploy(deploy=deploy, until=until, slos=slos)
