"""What ``gate doctor`` saw of one or several policies, and its exit code."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from gate.decision.decision import SCHEMA_VERSION, PolicySource
from gate.decision.document import source_document
from gate.decision.slo_document import Json, instant
from gate.errors import ExitCode
from gate.measure.diagnosis import Check, CheckResult, Level, worst
from gate.policy.policy import Policy
from gate.slo.objective import RatioSlo, SpendSlo


@dataclass(frozen=True, slots=True, kw_only=True)
class SloCheckup:
    """One SLO that is counted; a composite's members are these."""

    slo: RatioSlo | SpendSlo
    symptoms: tuple[CheckResult, ...]
    caveats: tuple[str, ...]
    """What is known of its preset, whatever was seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyCheckup:
    """One policy and its backend."""

    policy: Policy
    source: PolicySource
    kind: str
    """Of the backend."""
    backend: tuple[CheckResult, ...]
    slos: tuple[SloCheckup, ...]

    @property
    def symptoms(self) -> list[CheckResult]:
        """All of them."""
        return [*self.backend, *(one for slo in self.slos for one in slo.symptoms)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkup:
    """The whole."""

    policies: tuple[PolicyCheckup, ...]
    """At least one."""
    evaluated_at: datetime
    tool_version: str

    @property
    def exit_code(self) -> ExitCode:
        """Undecided where anything could not be looked at; usage where something is wrong."""
        faults = {
            one.check
            for policy in self.policies
            for one in policy.symptoms
            if one.level is Level.FAULT
        }
        if Check.REACH in faults:
            return ExitCode.UNDECIDED
        return ExitCode.USAGE if faults else ExitCode.ALLOW


def checkup_document(checkup: Checkup) -> Json:
    """Return the checkup as plain data."""
    return {
        "schema_version": SCHEMA_VERSION,
        "evaluated_at": instant(checkup.evaluated_at),
        "tool_version": checkup.tool_version,
        "exit_code": checkup.exit_code,
        "policies": [_policy(policy) for policy in checkup.policies],
    }


def _policy(checked: PolicyCheckup) -> Json:
    return {
        "service": checked.policy.service,
        "source": source_document(checked.source),
        "level": worst(checked.symptoms),
        "backend": {"type": checked.kind, **_checks(checked.backend)},
        "slos": [
            {
                "name": one.slo.name,
                "preset": one.slo.sli.preset,
                "caveats": list(one.caveats),
                **_checks(one.symptoms),
            }
            for one in checked.slos
        ],
    }


def _checks(symptoms: Sequence[CheckResult]) -> Json:
    return {
        "level": worst(symptoms),
        "checks": [
            {
                "check": one.check,
                "level": one.level,
                "says": one.says,
                "remedy": one.remedy,
                "looked_at": one.looked_at,
            }
            for one in symptoms
        ],
    }
