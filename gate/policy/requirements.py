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
    """A requirement that somebody states as met; nothing checks it."""

    kind: ClassVar[str] = "claim"

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationRequirement:
    """The results of an evaluation, read from the files that its tool has written."""

    kind: ClassVar[str] = "evaluation"

    name: str
    """The evaluation's name, and that of the metric that counts where ``metric`` is None."""
    files: tuple[str, ...]
    """Globs of the result files, relative to the folder that the process works in, or in the CI
    artifact; at least one."""
    at_least: Fraction
    """The share of cases that must pass, above 0 and at most 1."""
    cases: int | None = None
    """How many distinct cases are enough to compare their share itself with ``at_least``. None: the
    95% Wilson interval of the share must be on one side of it."""
    max_age: timedelta | None = None
    """How long ago the run may have been, by the time inside the file; None: any time."""
    not_worse_than_base: bool = False
    """Compare case by case with the results of the commit that the change is compared with."""
    base_files: tuple[str, ...] = ()
    """Globs of the results of the base; empty: they are among ``files``, or in the artifact of the
    same name that is the base's."""
    artifact: str | None = None
    """Name of the CI artifact of the commit that has ``files``, on GitLab of the job that uploads
    them. None: they are in a folder here."""
    base_artifact: str | None = None
    """Likewise for ``base_files``, of the base."""
    metric: str | None = None
    """Metric, scorer or column that counts, as the file names it."""
    score: Fraction | None = None
    """The score that a case needs to pass. None: the tool's own word counts, unless a score below 1
    passes by a bar inside the file."""
    case_ids: frozenset[str] | None = None
    """The ids of exactly the cases that must be there; None: any."""
    case_digest: str | None = None
    """The hash of these ids, as ``gate evaluation`` prints it; None: any cases."""
    repeats: int = 1
    """How many rows each case has: a case passes only if all of them do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShadowRequirement:
    """A shadow deployment that is shown not to be worse than the live one."""

    kind: ClassVar[str] = "shadow"

    by: str
    """The label (Prometheus) or column (logs) that separates the two."""
    candidate: str
    """Its value for the shadow."""
    against: str
    """Its value for the live deployment."""
    slos: tuple[str, ...]
    """The SLOs that are compared; empty: all that count events."""
    margin: Fraction
    """By how much the shadow's error ratio may exceed that of the live deployment, as a share of
    the SLO's error budget, above 0: 10% of the budget of 99.9% is 0.01% of the requests."""
    lasting: timedelta
    """How much of the time before the decision is compared."""
    pair_by: str | None = None
    """Logs: the column with the id that a request and its mirrored copy share. None: not paired."""
    name: str = "shadow"


Requirement = Claim | EvaluationRequirement | ShadowRequirement


class RequirementState(StrEnum):
    """The state of a requirement. The values are part of the decision document."""

    MET = "met"
    """Evidence was read and checked."""
    CLAIMED = "claimed"
    """Somebody says so, and the policy takes their word."""
    NOT_MET = "not-met"
    """The evidence speaks against it, or nobody says that it is met."""
    UNDECIDED = "undecided"
    """The evidence is missing, or does not decide."""

    @property
    def verdict(self) -> Verdict:
        """The verdict that it means for the change."""
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
    """One sentence without a full stop: which number against which bar, and what to do if not."""
    facts: Mapping[str, str | int | float | None] = field(default_factory=dict)
    """The figures behind it, for the decision document: ``cases``, ``passed``, ``file``, ..."""


@dataclass(frozen=True, slots=True)
class CheckedRequirement:
    """A requirement of a change, and what is known of it."""

    requirement: Requirement
    result: RequirementResult


def as_stated(
    requirements: Iterable[Requirement], satisfied: Mapping[str, str]
) -> dict[Requirement, RequirementResult]:
    """Return what is known of requirements where a statement is all that there can be.

    So it is in the cases of ``gate test``, and of the past, whose evidence is gone. What is not
    stated as met is not met.

    Args:
        requirements: of any kind.
        satisfied: by the name of a requirement, what is stated.
    """
    return {
        requirement: RequirementResult(
            state=RequirementState.MET, reason=f"stated as met: {satisfied[requirement.name]}"
        )
        if requirement.name in satisfied
        else RequirementResult(
            state=RequirementState.NOT_MET,
            reason=f"it is needed first; when done, state it as met: {requirement.name}=URL",
        )
        for requirement in requirements
    }
