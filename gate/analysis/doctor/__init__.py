"""The result of ``gate doctor`` for one or several policies."""

from collections.abc import Mapping, Sequence
from dataclasses import field
from datetime import datetime

from gate.analysis import document_head
from gate.dataclass import dataclass
from gate.decision.decision import PolicySource
from gate.decision.document import source_document
from gate.decision.slo_document import Json
from gate.errors import ExitCode
from gate.measure.diagnosis import Check, CheckResult, Level, SkippedCheck, worst_level
from gate.policy.policy import Policy
from gate.slo.objective import PlatformSlo, RatioSlo, SpendSlo


@dataclass(frozen=True, slots=True, kw_only=True)
class SloCheckup:
    """An SLO with counts of its own, which a composite does not have."""

    slo: RatioSlo | SpendSlo | PlatformSlo
    results: tuple[CheckResult, ...]
    caveats: tuple[str, ...]
    """The notes of its preset, independent of the data."""
    skipped: tuple[SkippedCheck, ...] = ()
    """The skipped checks, each with the reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyCheckup:
    """The checks of one policy and its backend."""

    policy: Policy
    source: PolicySource
    kind: str
    """The type of the backend, if there is only one."""
    backend: tuple[CheckResult, ...]
    """The results about it; empty if there are several."""
    several: Mapping[str, tuple[CheckResult, ...]] = field(default_factory=dict)
    """The results about each of several backends that counts an SLO, by name."""
    slos: tuple[SloCheckup, ...]

    @property
    def backends(self) -> Mapping[str, tuple[CheckResult, ...]]:
        """The results about each backend by name; a single one has the empty name."""
        return self.several or {"": self.backend}

    @property
    def results(self) -> list[CheckResult]:
        """All check results, those of the backends first."""
        groups = [*self.backends.values(), *(slo.results for slo in self.slos)]
        return [result for group in groups for result in group]

    def kind_of(self, backend: str) -> str:
        """Return the type of a backend."""
        return self.policy.backends[backend] if backend else self.kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkup:
    """The checks of all policies."""

    policies: tuple[PolicyCheckup, ...]
    """At least one."""
    evaluated_at: datetime
    tool_version: str

    @property
    def exit_code(self) -> ExitCode:
        """Undecided if a check was not possible; the code for findings if something is wrong."""
        faults = {
            result.check
            for policy in self.policies
            for result in policy.results
            if result.level is Level.FAULT
        }
        if Check.REACH in faults:
            return ExitCode.UNDECIDED
        return ExitCode.FINDINGS if faults else ExitCode.ALLOW


def checkup_document(checkup: Checkup) -> Json:
    """Return the checkup as plain data."""
    return {
        **document_head(checkup.evaluated_at, checkup.tool_version, checkup.exit_code),
        "policies": [_policy(policy) for policy in checkup.policies],
    }


def _policy(checked: PolicyCheckup) -> Json:
    return {
        "service": checked.policy.service,
        "source": source_document(checked.source),
        "level": worst_level(checked.results),
        "backend": _backend(checked, "") if "" in checked.backends else None,
        "backends": [
            {"name": name or None, **_backend(checked, name)} for name in checked.backends
        ],
        "slos": [
            {
                "name": slo.slo.name,
                "backend": slo.slo.sli.backend or None,
                "preset": slo.slo.sli.preset,
                "caveats": list(slo.caveats),
                **_checks(slo.results),
                "not_looked_at": _skipped(slo.skipped, applies=True),
                "not_applicable": _skipped(slo.skipped, applies=False),
            }
            for slo in checked.slos
        ],
    }


def _backend(checked: PolicyCheckup, name: str) -> Json:
    return {"type": checked.kind_of(name), **_checks(checked.backends[name])}


def _checks(results: Sequence[CheckResult]) -> Json:
    return {
        "level": worst_level(results),
        "checks": [
            {
                "check": result.check,
                "level": result.level,
                "message": result.message,
                "remedy": result.remedy,
                "examined": result.examined,
            }
            for result in results
        ],
    }


def _skipped(skipped: Sequence[SkippedCheck], *, applies: bool) -> list[Json]:
    return [
        {"check": skip.check, "reason": skip.reason} for skip in skipped if skip.applies is applies
    ]
