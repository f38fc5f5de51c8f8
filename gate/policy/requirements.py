"""The requirements of a tier for a change, and the results of their checks."""

from collections.abc import Iterable, Mapping
from dataclasses import field
from datetime import timedelta
from enum import StrEnum
from fractions import Fraction
from typing import ClassVar

from gate.dataclass import dataclass
from gate.policy.findings import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A requirement that somebody states as met, and that nothing checks."""

    kind: ClassVar[str] = "claim"

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationRequirement:
    """The results of an evaluation, read from the files that its tool has written."""

    kind: ClassVar[str] = "evaluation"

    name: str
    """The evaluation's name, which is also the name of the metric if ``metric`` is None."""
    files: tuple[str, ...]
    """Globs of the result files, relative to the working folder, or in the CI artifact; at least
    one."""
    at_least: Fraction
    """The share of cases that must pass, above 0 and at most 1."""
    cases: int | None = None
    """How many distinct cases suffice to compare the share itself with ``at_least``. None: the 95%
    Wilson interval of the share must lie on one side of ``at_least``."""
    max_age: timedelta | None = None
    """The maximum age of the run, by the time inside the file; None: any age."""
    not_worse_than_base: bool = False
    """Whether to compare case by case with the results of the change's base commit."""
    base_files: tuple[str, ...] = ()
    """Globs of the results of the base; empty: they are among ``files``, or in the base's artifact
    of the same name."""
    artifact: str | None = None
    """The name of the commit's CI artifact that has ``files`` (on GitLab, of the job that uploads
    them). None: they are in a folder on this machine."""
    base_artifact: str | None = None
    """The name of the base's artifact that has ``base_files``; None: as for ``artifact``."""
    metric: str | None = None
    """The metric, scorer or column that counts, as the file names it."""
    score: Fraction | None = None
    """The score that a case needs to pass. None: the tool's own result counts, unless a score below
    1 passes by a threshold inside the file."""
    case_ids: frozenset[str] | None = None
    """The ids of exactly the expected cases; None: any cases."""
    case_digest: str | None = None
    """The hash of these ids, as ``gate evaluation`` prints it; None: any cases."""
    repeats: int = 1
    """How many rows each case has; a case passes only if all of them pass."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShadowRequirement:
    """A requirement that a shadow deployment is shown not to be worse than the live one."""

    kind: ClassVar[str] = "shadow"

    by: str
    """The label (Prometheus) or column (logs) that separates the two deployments."""
    candidate: str
    """The label's value for the shadow deployment."""
    against: str
    """The label's value for the live deployment."""
    slos: tuple[str, ...]
    """The SLOs to compare; empty: all that count events."""
    margin: Fraction
    """How far the shadow's error ratio may exceed that of the live deployment, as a share of the
    SLO's error budget, above 0: 10% of the budget of 99.9% is 0.01% of the requests."""
    lasting: timedelta
    """The length of the compared time before the decision."""
    pair_by: str | None = None
    """Logs: the column with the id that a request and its mirrored copy share. None: no pairs."""
    name: str = "shadow"


Requirement = Claim | EvaluationRequirement | ShadowRequirement


class RequirementState(StrEnum):
    """The state of a requirement. The values are part of the decision document."""

    MET = "met"
    """Evidence was read and checked."""
    CLAIMED = "claimed"
    """Somebody claims it, and the policy accepts claims."""
    NOT_MET = "not-met"
    """The evidence speaks against it, or nobody claims that it is met."""
    UNDECIDED = "undecided"
    """The evidence is missing or inconclusive."""

    @property
    def verdict(self) -> Verdict:
        """Its verdict on the change."""
        return _VERDICTS[self]


_VERDICTS = {
    RequirementState.MET: Verdict.ALLOW,
    RequirementState.CLAIMED: Verdict.ALLOW,
    RequirementState.NOT_MET: Verdict.BLOCK,
    RequirementState.UNDECIDED: Verdict.UNDECIDED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RequirementResult:
    """The result of the check of a requirement."""

    state: RequirementState
    reason: str
    """One sentence without a full stop: the number and its threshold, and the remedy if it is not
    met."""
    facts: Mapping[str, str | int | float | None] = field(default_factory=dict)
    """The figures behind the result, for the decision document: ``cases``, ``passed``, ``file``,
    ..."""


@dataclass(frozen=True, slots=True)
class CheckedRequirement:
    """A requirement of a change, with its result."""

    requirement: Requirement
    result: RequirementResult


def as_stated(
    requirements: Iterable[Requirement], satisfied: Mapping[str, str]
) -> dict[Requirement, RequirementResult]:
    """Return the results of requirements that can only be stated as met.

    Such are those of the cases of ``gate test``, and of past changes, whose evidence is gone. A
    requirement that is not stated as met is not met.

    Args:
        requirements: requirements of any kind.
        satisfied: the statement for a requirement, by its name.
    """
    return {
        requirement: RequirementResult(
            state=RequirementState.MET, reason=f"stated as met: {satisfied[requirement.name]}"
        )
        if requirement.name in satisfied
        else RequirementResult(
            state=RequirementState.NOT_MET,
            reason=f"required first; when it is done, state it as met: {requirement.name}=URL",
        )
        for requirement in requirements
    }
