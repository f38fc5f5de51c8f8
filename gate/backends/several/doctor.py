"""Examines several backends, each with the SLOs that it counts."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial

from gate.backends import Settings, open_doctor
from gate.backends.several.asking import AskedBackend, ask_all
from gate.dataclass import dataclass
from gate.measure import Limits, Unmeasured
from gate.measure.diagnosis import (
    Check,
    CheckedSlo,
    CheckResult,
    Diagnosis,
    Doctor,
    Level,
    SkippedCheck,
)


@dataclass(frozen=True, slots=True)
class SeveralDoctor:
    """The doctors of several backends, in place of one."""

    settings: Mapping[str, Settings]
    """The settings of each backend, by name."""
    limits: Limits

    def examine(self, slos: Sequence[CheckedSlo], at: datetime) -> Diagnosis:
        """Let every doctor examine the SLOs of its backend, at the same time; never raises.

        A backend that no SLO names is not examined.
        """
        by_name = {
            name: own
            for name in self.settings
            if (own := [slo for slo in slos if slo.request.sli.backend == name])
        }
        sources: dict[str, AskedBackend[Doctor]] = {
            name: AskedBackend(name, self.settings[name], partial(self._open, name))
            for name in by_name
        }
        tasks = {name: partial(_examine, own, at) for name, own in by_name.items()}
        diagnoses = {
            name: _failed(outcome, by_name[name]) if isinstance(outcome, Unmeasured) else outcome
            for name, outcome in ask_all(sources, tasks, self.limits).items()
        }
        diagnoses = {name: _placed(each, sources[name]) for name, each in diagnoses.items()}
        results, skipped = dict[str, _Results](), dict[str, _Skipped]()
        for name, diagnosis in diagnoses.items():
            names = [slo.name for slo in by_name[name]]
            results |= zip(names, diagnosis.slos, strict=True)
            skipped |= zip(names, diagnosis.skipped or ((),) * len(names), strict=True)
        return Diagnosis(
            backend=(),
            backends={name: diagnosis.backend for name, diagnosis in diagnoses.items()},
            slos=tuple(results[slo.name] for slo in slos),
            skipped=tuple(skipped[slo.name] for slo in slos),
        )

    def _open(self, name: str) -> Doctor:
        return open_doctor(self.settings[name], self.limits)


_Results = tuple[CheckResult, ...]
_Skipped = tuple[SkippedCheck, ...]


def _examine(slos: Sequence[CheckedSlo], at: datetime, doctor: Doctor) -> Diagnosis:
    return doctor.examine(slos, at)


def _placed(diagnosis: Diagnosis, source: AskedBackend[Doctor]) -> Diagnosis:
    """Return a diagnosis whose remedies name the keys of this backend."""

    def placed(results: _Results) -> _Results:
        return tuple(
            replace(
                result,
                message=source.placed(result.message),
                remedy=source.placed(result.remedy),
            )
            for result in results
        )

    return replace(
        diagnosis,
        backend=placed(diagnosis.backend),
        slos=tuple(map(placed, diagnosis.slos)),
    )


def _failed(why: Unmeasured, slos: Sequence[CheckedSlo]) -> Diagnosis:
    """Return the diagnosis if a doctor failed: nothing was examined."""
    result = CheckResult(
        check=Check.REACH,
        level=Level.FAULT,
        message=why.reason,
        remedy="solve this first, then run gate doctor again",
    )
    return Diagnosis(backend=(result,), slos=((),) * len(slos))
