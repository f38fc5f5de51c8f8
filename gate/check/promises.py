"""SLOs whose objective and window a platform has: it is asked for them once, as a run starts."""

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
    """Return the policies with what their platforms promise, and what opens backends from here on.

    That returns the backends first that were opened here, which need not look anything up again. An
    SLO of which the platform's promise is not known is not measured, and the policy says why.

    Args:
        files: the policies.
        at: the instant of the run.
        timeout: for what is asked here, of each policy.
        open_with: opens a backend.

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
    """Return a policy with what the platforms of a backend promise."""
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
    """Return the SLOs whose promise is not known, and was not asked for in vain."""
    return [
        slo
        for slo in policy.slos
        if isinstance(slo, PlatformSlo) and slo.name not in policy.undefined
    ]
