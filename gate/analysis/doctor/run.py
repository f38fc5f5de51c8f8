"""One examination of everything that one or several policies count."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from gate import __version__
from gate.analysis.doctor.result import Checkup, PolicyCheckup, SloCheckup
from gate.backends import Settings, open_doctor
from gate.check.measure import main_request, run_concurrently
from gate.config.load import PolicyFile
from gate.measure.counts import Limits
from gate.measure.diagnosis import CheckedSlo, Doctor
from gate.policy.policy import Policy
from gate.slo.indicator import Sli
from gate.slo.objective import CompositeSlo, RatioSlo, SpendSlo

OpenDoctor = Callable[[Settings, Limits], Doctor]


def examine(
    files: Sequence[PolicyFile],
    *,
    at: datetime,
    timeout: timedelta,
    open_with: OpenDoctor = open_doctor,
) -> Checkup:
    """Return what the doctor of each policy's backend sees.

    Raises:
        UsageError: a backend's package is missing.
    """
    doctors = [open_with(file.settings, Limits(timeout=timeout)) for file in files]

    def task(place: int) -> Callable[[], PolicyCheckup]:
        return lambda: _examine(files[place], doctors[place], at)

    return Checkup(
        policies=tuple(run_concurrently([task(place) for place in range(len(files))])),
        evaluated_at=at,
        tool_version=__version__,
    )


def _examine(file: PolicyFile, doctor: Doctor, at: datetime) -> PolicyCheckup:
    slos = [slo for slo in file.policy.slos if not isinstance(slo, CompositeSlo)]
    diagnosis = doctor.examine([_patient(slo, file.policy, at) for slo in slos], at)
    return PolicyCheckup(
        policy=file.policy,
        source=file.source,
        kind=file.settings.kind,
        backend=diagnosis.backend,
        slos=tuple(
            SloCheckup(slo=slo, symptoms=symptoms, caveats=_caveats(slo.sli))
            for slo, symptoms in zip(slos, diagnosis.slos, strict=True)
        ),
    )


def _patient(slo: RatioSlo | SpendSlo, policy: Policy, at: datetime) -> CheckedSlo:
    return CheckedSlo(
        name=slo.name,
        request=main_request(slo, at),
        whole=slo.window.whole(at).length,
        max_age=policy.guards.max_age,
        min_coverage=policy.guards.min_coverage,
    )


def _caveats(sli: Sli) -> tuple[str, ...]:
    if sli.preset is None:
        return ()
    from gate.config.presets import load_preset  # noqa: PLC0415 - only of policies with presets

    server, _, kind = sli.preset.partition("/")
    preset = load_preset(server)
    return (
        *(f"{server}: {note}" for note in preset.notes),
        *(f"{sli.preset}: {note}" for note in preset.indicators[kind].notes),
    )
