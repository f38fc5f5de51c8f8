"""Examine one or several policies, for ``gate doctor``."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from gate import __version__
from gate.analysis.doctor import Checkup, PolicyCheckup, SloCheckup
from gate.backends import Settings, open_backend, open_doctor
from gate.backends.waits import run_concurrently
from gate.check.measure import main_request
from gate.check.promises import with_promises
from gate.config.load import PolicyFile
from gate.measure import Answer, Cause, Counts, Limits, Spent
from gate.measure.cloud_troubles import CORRECT_LOGIN
from gate.measure.diagnosis import (
    Check,
    CheckedSlo,
    CheckResult,
    Diagnosis,
    Doctor,
    Level,
    worst_level,
)
from gate.measure.remedies import with_advice
from gate.policy.policy import Policy
from gate.slo.indicator import Sli
from gate.slo.objective import PlatformSlo, RatioSlo, SpendSlo

OpenDoctor = Callable[[Settings, Limits], Doctor]


def examine(
    files: Sequence[PolicyFile],
    *,
    at: datetime,
    timeout: timedelta,
    open_with: OpenDoctor = open_doctor,
) -> Checkup:
    """Return the results of the doctor of each policy's backend.

    Raises:
        UsageError: a backend's package is missing.
    """
    files, _ = with_promises(files, at, timeout, open_backend)
    doctors = [open_with(file.settings, file.limits(timeout)) for file in files]

    def task(place: int) -> Callable[[], PolicyCheckup]:
        return lambda: _examine(files[place], doctors[place], files[place].limits(timeout), at)

    return Checkup(
        policies=tuple(run_concurrently([task(place) for place in range(len(files))])),
        evaluated_at=at,
        tool_version=__version__,
    )


def _examine(file: PolicyFile, doctor: Doctor, limits: Limits, at: datetime) -> PolicyCheckup:
    slos = [slo for slo in file.policy.slos if isinstance(slo, RatioSlo | SpendSlo)]
    diagnosis = doctor.examine([_checked_slo(slo, file.policy, at) for slo in slos], at)
    skipped = diagnosis.skipped or ((),) * len(slos)
    left_out = _left_out(slos, file.settings, limits, at)
    return PolicyCheckup(
        policy=file.policy,
        source=file.source,
        kind=file.settings.kind,
        backend=diagnosis.backend,
        several=diagnosis.backends,
        slos=tuple(
            SloCheckup(
                slo=slo,
                results=(*results, *left_out.get(slo.name, ())),
                caveats=_caveats(slo.sli, file),
                skipped=not_seen,
            )
            for slo, results, not_seen in zip(slos, diagnosis.slos, skipped, strict=True)
        )
        + tuple(_undefined(file.policy, at_fault=_at_fault(diagnosis))),
    )


def _at_fault(diagnosis: Diagnosis) -> set[str]:
    """Return the names of the faulty backends; a single one has no name."""
    seen = {"": diagnosis.backend, **diagnosis.backends}
    return {name for name, results in seen.items() if worst_level(results) is Level.FAULT}


def _undefined(policy: Policy, *, at_fault: Collection[str]) -> Iterator[SloCheckup]:
    """Yield the results for SLOs whose platform does not give an objective.

    Args:
        policy: the policy with these SLOs.
        at_fault: the names of the backends with a reported fault.
    """
    for slo in policy.slos:
        if isinstance(slo, PlatformSlo):
            why = policy.undefined[slo.name]
            reason, remedy = with_advice(why.reason, CORRECT_LOGIN)
            failed, said = why.cause is Cause.BACKEND_ERROR, slo.sli.backend in at_fault
            if failed and said:
                reason = "it could not be looked up, because of the fault of its backend"
            result = CheckResult(
                check=Check.REACH if failed and not said else Check.DEFINITION,
                level=Level.FAULT,
                message=reason,
                remedy=remedy,
                examined=why.query or "",
            )
            yield SloCheckup(slo=slo, results=(result,), caveats=())


def _left_out(
    slos: Sequence[RatioSlo | SpendSlo], settings: Settings, limits: Limits, at: datetime
) -> dict[str, tuple[CheckResult, ...]]:
    """Return, by SLO, how many health checks its preset excludes."""
    pairs = [(slo, slo.sli.unfiltered) for slo in slos if slo.sli.unfiltered is not None]
    if not pairs:
        return {}
    requests = [
        replace(main_request(slo, at), sli=sli, slices=None, probe=False)
        for slo, unfiltered in pairs
        for sli in (slo.sli, unfiltered)
    ]
    answers = open_backend(settings, limits).measure(requests, at)
    measured = zip(pairs, answers[::2], answers[1::2], strict=True)
    return {slo.name: (_health_checks(*both),) for (slo, _), *both in measured}


def _health_checks(counted: Answer, unfiltered: Answer) -> CheckResult:
    if not isinstance(counted, Counts | Spent) or not isinstance(unfiltered, Counts | Spent):
        message = "how many health checks are left out is not known without a count"
        return CheckResult(check=Check.SYNTHETIC, message=message)
    less, more = (a.total if isinstance(a, Counts) else a.amount for a in (counted, unfiltered))
    number = f"{float(more - less):,.2f}".removesuffix(".00")
    return CheckResult(check=Check.SYNTHETIC, message=f"health checks left out: {number}")


def _checked_slo(slo: RatioSlo | SpendSlo, policy: Policy, at: datetime) -> CheckedSlo:
    return CheckedSlo(
        name=slo.name,
        request=main_request(slo, at),
        whole=slo.window.whole(at).length,
        max_age=policy.guards_of(slo).max_age,
        min_coverage=policy.guards_of(slo).min_coverage,
        window=slo.window,
        objective=slo.objective if isinstance(slo, RatioSlo) else None,
    )


def _caveats(sli: Sli, file: PolicyFile) -> tuple[str, ...]:
    if sli.preset is None:
        return ()
    from gate.config.presets import load_preset  # noqa: PLC0415 - only of policies with presets

    server, _, kind = sli.preset.partition("/")
    preset = file.presets.get(server) or load_preset(server)
    return (
        *(f"{server}: {note}" for note in preset.notes),
        *(f"{sli.preset}: {note}" for note in preset.indicators[kind].notes),
    )
