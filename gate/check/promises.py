"""SLOs with the objective and window of a platform, which is queried once at the run's start."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from gate.backends import Settings
from gate.backends.waits import run_concurrently
from gate.budget.promises import with_promise
from gate.check.measure import OpenBackend
from gate.config.load import PolicyFile
from gate.measure import Backend, Limits, Unmeasured
from gate.measure.capabilities import definitions_of
from gate.policy.policy import Policy
from gate.slo.objective import PlatformSlo, Slo


def with_promises(
    files: Sequence[PolicyFile], at: datetime, timeout: timedelta, open_with: OpenBackend
) -> tuple[Sequence[PolicyFile], OpenBackend]:
    """Return the policies with the platforms' objectives, and the opener of backends from here on.

    The opener first returns the backends that were opened here, with what they have looked up. An
    SLO whose platform's objective is unknown is not measured, and the policy says why.

    Args:
        files: the policies.
        at: the instant of the run.
        timeout: the time limit of these queries, for each policy.
        open_with: the function that opens a backend.

    Raises:
        UsageError: a backend's package is missing.
    """
    waiting = [file.policy.waits_for_platforms for file in files]
    if not any(waiting):
        return files, open_with
    opened = [
        (file.settings, open_with(file.settings, file.limits(timeout)))
        for file, waits in zip(files, waiting, strict=True)
        if waits
    ]
    backends = iter([backend for _, backend in opened])
    tasks = [
        partial(_with_promises, file, next(backends), at) if waits else partial(_as_it_is, file)
        for file, waits in zip(files, waiting, strict=True)
    ]

    def open_again(settings: Settings, limits: Limits) -> Backend:
        for place, (owner, backend) in enumerate(opened):
            if owner is settings:
                del opened[place]
                return backend
        return open_with(settings, limits)

    return run_concurrently(tasks), open_again


def promised(policy: Policy, backend: Backend, at: datetime) -> Policy:
    """Return a policy with the objectives and windows of a backend's platform."""
    waiting = _open_slos(policy)
    answers = definitions_of(backend, [slo.sli for slo in waiting])
    settled: dict[str, Slo] = {}
    undefined: dict[str, Unmeasured] = {**policy.undefined}
    for slo, answer in zip(waiting, answers, strict=True):
        promise = answer if isinstance(answer, Unmeasured) else with_promise(slo, answer, at)
        if isinstance(promise, Unmeasured):
            undefined[slo.name] = promise
        else:
            settled[slo.name] = promise
    slos = tuple(settled.get(slo.name, slo) for slo in policy.slos)
    return replace(policy, slos=slos, undefined=undefined)


def _with_promises(file: PolicyFile, backend: Backend, at: datetime) -> PolicyFile:
    return replace(file, policy=promised(file.policy, backend, at))


def _as_it_is(file: PolicyFile) -> PolicyFile:
    return file


def _open_slos(policy: Policy) -> list[PlatformSlo]:
    """Return the SLOs with an unknown objective that was not already requested in vain."""
    return [
        slo
        for slo in policy.slos
        if isinstance(slo, PlatformSlo) and slo.name not in policy.undefined
    ]
