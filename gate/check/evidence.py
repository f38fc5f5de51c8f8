"""Gather the evidence that tiers require: the result files of evaluations, and their commits.

Evidence is made by the run. A file in the commit itself comes from the change, whatever it says;
files about another commit are set aside; a file that cannot be read may be the one that failed.
"""

import glob
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from gate.check.options import RequirementResults
from gate.check.result_files import (
    ArtifactOrigin,
    check_number,
    is_attestation,
    read_archive,
    read_result,
)
from gate.dataclass import dataclass
from gate.decision.seal import SealKey
from gate.evaluations.binding import SHOWN, CannotTellError, ChangeUnderTest, ResultFile, is_about
from gate.evaluations.judge import judge
from gate.git.repository import FULL_HASH
from gate.hosts import RestError
from gate.hosts.base import Base, belongs_to
from gate.hosts.git import Checkout, GitError
from gate.policy.changes import Live, matches_glob
from gate.policy.policy import Policy
from gate.policy.requirements import EvaluationRequirement, RequirementResult, RequirementState

if TYPE_CHECKING:
    from gate.hosts.artifacts import ArtifactHost


@dataclass(slots=True, kw_only=True)
class EvidenceFinder:
    """Reads result files from the folder that the run works in."""

    checkout: Checkout
    """The checkout that contains the folder of the run."""
    revision: str | None
    """The commit that would ship; None: unknown."""
    find_base: Callable[[Live | None], Base]
    """Finds the base of the change, with a policy's setting for the live commit."""
    key: SealKey | None
    """The key that attestations must be signed with; None: no key is set."""
    artifacts: Callable[[], "ArtifactHost"]
    """Returns the code host with CI artifacts; raises `CannotTellError` if there is none."""

    def evaluations(self, policy: Policy, at: datetime) -> RequirementResults:
        """Return the result of each evaluation that the tiers of a policy require."""
        required = [
            requirement
            for requirement in policy.requirements
            if isinstance(requirement, EvaluationRequirement)
        ]
        compared = any(requirement.not_worse_than_base for requirement in required)
        change = self._change(policy.live) if compared else ChangeUnderTest(revision=self.revision)
        return {requirement: self._judged(requirement, change, at) for requirement in required}

    def _judged(
        self, requirement: EvaluationRequirement, change: ChangeUnderTest, at: datetime
    ) -> RequirementResult:
        try:
            files = self._files(requirement)
            base_files = self._base_files(requirement, files, change)
        except CannotTellError as error:
            return RequirementResult(state=RequirementState.UNDECIDED, reason=str(error))
        result = judge(requirement, files, base_files, change, at)
        hint = self._trial_merge(files) if result.state is RequirementState.UNDECIDED else ""
        return replace(result, reason=f"{result.reason}{hint}")

    def _files(self, requirement: EvaluationRequirement) -> list[ResultFile]:
        """Return the results of the change.

        Raises:
            CannotTellError: the change has no results, or the code host does not answer.
        """
        name = requirement.artifact
        if name is None:
            metric = requirement.metric or requirement.name
            return self.result_files(requirement.files, metric, requirement.score)
        if self.revision is None:
            raise CannotTellError("the commit that would ship is unknown: run this in its checkout")
        files = self._of_artifacts(name, requirement.files, self.revision, requirement)
        if not files:
            raise CannotTellError(
                f"there is no CI artifact {name} of {self.revision[:SHOWN]}; upload it in a job"
                " before this one (on GitLab its name is that of the job)"
            )
        return files

    def _base_files(
        self, requirement: EvaluationRequirement, files: list[ResultFile], change: ChangeUnderTest
    ) -> list[ResultFile]:
        """Return the results of the base: those of its first commit with an artifact.

        Raises:
            CannotTellError: no file matches, or too many do.
        """
        patterns, name = requirement.base_files, requirement.base_artifact
        if not patterns:
            patterns, name = requirement.files, requirement.artifact
        elif name is None:
            metric = requirement.metric or requirement.name
            return self.result_files(patterns, metric, requirement.score)
        if name is None or not requirement.not_worse_than_base:
            return files
        shown = f"the artifact {name} of the base"
        try:
            for base in change.bases:
                if base_files := self._of_artifacts(name, patterns, base, requirement):
                    return base_files
        except CannotTellError as error:
            return [ResultFile(name=shown, flaw=str(error))]
        flaw = "there is none; let the run on the main branch upload it"
        return [ResultFile(name=shown, flaw=flaw)]

    def _of_artifacts(
        self, name: str, patterns: Sequence[str], commit: str, requirement: EvaluationRequirement
    ) -> list[ResultFile]:
        """Return the files of all CI artifacts of a name and a commit; empty without artifacts.

        Raises:
            CannotTellError: all have expired, no file matches, or the code host does not answer.
        """
        host, files = self.artifacts(), list[ResultFile]()
        try:
            artifacts = host.of_commit(name, commit)
            left = [artifact for artifact in artifacts if not artifact.expired]
            if artifacts and not left:
                raise CannotTellError(
                    f"the CI artifact {name} of {commit[:SHOWN]} has expired; run its job again"
                )
            for artifact in left:
                files += read_archive(
                    host.archive(artifact),
                    patterns,
                    ArtifactOrigin(
                        name=f"{name}#{artifact.number}", commit=commit, made_at=artifact.made_at
                    ),
                    metric=requirement.metric or requirement.name,
                    score=requirement.score,
                    key=self.key,
                )
        except RestError as error:
            raise CannotTellError(str(error)) from error
        return files

    def _trial_merge(self, files: Sequence[ResultFile]) -> str:
        """Say that a file is about the trial merge of a pull request, which CI systems check out.

        The trial merge is not the commit that would ship: https://github.com/actions/checkout#usage
        """
        try:
            head = self.checkout.head()
        except GitError:
            return ""
        commits = [file.commit for file in files if file.commit is not None]
        if head == self.revision or not any(is_about(commit, head) for commit in commits):
            return ""
        return (
            f" ({head[:SHOWN]} is checked out here instead of the head of the pull request: check"
            " that out for the evaluation)"
        )

    def result_files(
        self, patterns: Sequence[str], metric: str | None, score: Fraction | None
    ) -> list[ResultFile]:
        """Return the files that match any of the globs, by name.

        Raises:
            CannotTellError: no file matches, or too many do.
        """
        names = sorted({name for pattern in patterns for name in self._matching(pattern)})
        files = [name for name in names if not is_attestation(self.checkout.folder / name)]
        if not files:
            raise CannotTellError(
                f"no file matches {', '.join(patterns)} in {self.checkout.folder}; run the"
                " evaluation before the gate, in the same job, or bring its files here"
            )
        check_number(files, patterns)
        return [self._result_file(name, metric, score) for name in files]

    def _result_file(self, name: str, metric: str | None, score: Fraction | None) -> ResultFile:
        path, shown = self.checkout.folder / name, name.encode("utf-8", "replace").decode()
        file = read_result(path, name=shown, metric=metric, score=score, key=self.key)
        own = None if file.flaw is not None else self._own(name)
        return file if own is None else replace(file, flaw=own)

    def _matching(self, pattern: str) -> Iterator[str]:
        literal = glob.escape(pattern).replace("[*]", "*").replace("[?]", "?")
        folder = self.checkout.folder
        # Path.glob interprets ** differently in some versions of Python.
        for path in glob.glob(literal, root_dir=folder, recursive=True, include_hidden=True):  # noqa: PTH207
            name = Path(path).as_posix()
            # Unlike the methods of Path, these do not raise if the folder may not be entered.
            if matches_glob(pattern, name) and not os.path.isdir(folder / name):  # noqa: PTH112
                yield name

    def _own(self, name: str) -> str | None:
        """Return the reason why a file may come from the change; None: it does not."""
        try:
            own = belongs_to(self.checkout, name)
        except GitError as error:
            return f"git cannot say whether the change brought it: {error}"
        if not own:
            return None
        return (
            "the commit itself has this file, or a link to it: evidence from the change itself"
            " never counts; write the results to a path that git ignores"
        )

    def _change(self, live: Live | None) -> ChangeUnderTest:
        base = self.find_base(live)
        if base.commit is None:
            why = base.why_not or "the base is not known; name it"
            return ChangeUnderTest(revision=self.revision, no_base=why)
        try:
            commit = self.checkout.commit(base.commit)
        except GitError:
            if not FULL_HASH.fullmatch(base.commit):
                why = f"the base {base.commit} is not in this checkout; fetch it, or name another"
                return ChangeUnderTest(revision=self.revision, no_base=why)
            commit = base.commit
        bases = [commit]
        with suppress(GitError):  # a shallow checkout lacks the history
            head = self.checkout.commit(self.revision or "HEAD")
            bases += self.checkout.plumbing("merge-base", commit, head).decode().split()[:1]
        return ChangeUnderTest(
            revision=self.revision,
            bases=tuple(dict.fromkeys(each for each in bases if each != self.revision)),
            no_base="the base is the commit itself; name the commit before the change",
        )
