"""Gathering the evidence that tiers require: the result files of evaluations, and what binds them.

Evidence is made by the run. A file that the commit itself has is the change's own, whatever it
says; what is about another commit is set aside; what cannot be read may be the one that failed.
"""

import glob
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from typing import Final

from gate.check.options import RequirementResults
from gate.dataclass import dataclass
from gate.decision.attestation import ENDING, Attested, attested_by
from gate.decision.reading import OddDocumentError, read_json
from gate.decision.seal import SealKey
from gate.evaluations import UnreadableResultsError
from gate.evaluations.binding import (
    CLOCKS_DIFFER,
    SHOWN,
    CannotTellError,
    ChangeUnderTest,
    ResultFile,
    is_about,
)
from gate.evaluations.judge import judge
from gate.evaluations.reading import read_file, read_run
from gate.git.repository import FULL_HASH
from gate.hosts.base import Base, belongs_to
from gate.hosts.git import Checkout, GitError
from gate.policy.changes import Live, matches_glob
from gate.policy.policy import Policy
from gate.policy.requirements import EvaluationRequirement, RequirementResult, RequirementState
from gate.wording import instant

_MOST: Final = 1_000
"""Files of one requirement."""
_LONGEST: Final = 100_000
"""Bytes of an attestation."""
_GIVE_KEY: Final = "give this job the key, as GATE_SIGNING_KEY or GATE_VERIFY_KEY"


@dataclass(slots=True, kw_only=True)
class EvidenceFinder:
    """Reads result files from the folder that the run works in."""

    checkout: Checkout
    """The checkout of the folder that the run works in."""
    revision: str | None
    """The commit that would ship; None: it is not known."""
    find_base: Callable[[Live | None], Base]
    """Finds what the change is compared with, where a policy says so of what is live."""
    key: SealKey | None
    """That attestations must be signed with; None: none is set here."""

    def evaluations(self, policy: Policy, at: datetime) -> RequirementResults:
        """Return what is known of each evaluation that the tiers of a policy require."""
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
        metric, score = requirement.metric or requirement.name, requirement.score
        try:
            files = self.result_files(requirement.files, metric, score)
            base_files: Sequence[ResultFile] = files
            if requirement.base_files:
                base_files = self.result_files(requirement.base_files, metric, score)
        except CannotTellError as error:
            return RequirementResult(state=RequirementState.UNDECIDED, reason=str(error))
        result = judge(requirement, files, base_files, change, at)
        hint = self._trial_merge(files) if result.state is RequirementState.UNDECIDED else ""
        return replace(result, reason=f"{result.reason}{hint}")

    def _trial_merge(self, files: Sequence[ResultFile]) -> str:
        """Say that a file is about the trial merge of a pull request, which CI systems check out.

        It is not the commit that would ship: https://github.com/actions/checkout#usage
        """
        try:
            head = self.checkout.head()
        except GitError:
            return ""
        commits = [file.commit for file in files if file.commit is not None]
        if head == self.revision or not any(is_about(commit, head) for commit in commits):
            return ""
        return (
            f" ({head[:SHOWN]} is checked out here, and not the head of the pull request: check"
            " that out for the evaluation)"
        )

    def result_files(
        self, patterns: Sequence[str], metric: str | None, score: Fraction | None
    ) -> list[ResultFile]:
        """Return the files that match any of the globs, by name.

        Raises:
            CannotTellError: none does, or too many do.
        """
        names = sorted({name for pattern in patterns for name in self._matching(pattern)})
        files = [name for name in names if not is_attestation(self.checkout.folder / name)]
        if not files:
            raise CannotTellError(
                f"no file matches {', '.join(patterns)} in {self.checkout.folder}; run the"
                " evaluation before the gate, in the same job, or bring its files here"
            )
        if len(files) > _MOST:
            raise CannotTellError(
                f"{len(files):,} files match {', '.join(patterns)}, and {_MOST:,} are read; write"
                " a narrower pattern"
            )
        return [self._result_file(name, metric, score) for name in files]

    def _result_file(self, name: str, metric: str | None, score: Fraction | None) -> ResultFile:
        path, shown = self.checkout.folder / name, name.encode("utf-8", "replace").decode()
        file = read_result(path, name=shown, metric=metric, score=score, key=self.key)
        own = None if file.flaw is not None else self._own(name)
        return file if own is None else replace(file, flaw=own)

    def _matching(self, pattern: str) -> Iterator[str]:
        literal = glob.escape(pattern).replace("[*]", "*").replace("[?]", "?")
        folder = self.checkout.folder
        # Path.glob takes ** for something else in some versions of Python.
        for path in glob.glob(literal, root_dir=folder, recursive=True, include_hidden=True):  # noqa: PTH207
            name = Path(path).as_posix()
            # Unlike the methods of Path these raise nothing where the folder may not be entered.
            if matches_glob(pattern, name) and not os.path.isdir(folder / name):  # noqa: PTH112
                yield name

    def _own(self, name: str) -> str | None:
        """Return why a file may be the change's own; None: it is not."""
        try:
            own = belongs_to(self.checkout, name)
        except GitError as error:
            return f"git cannot say whether the change brought it: {error}"
        if not own:
            return None
        return (
            "the commit itself has this file, or a link to it: evidence that a change brings along"
            " is never counted; write the results to a path that git ignores"
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
        with suppress(GitError):  # a shallow checkout does not have the history
            head = self.checkout.commit(self.revision or "HEAD")
            bases += self.checkout.plumbing("merge-base", commit, head).decode().split()[:1]
        return ChangeUnderTest(
            revision=self.revision,
            bases=tuple(dict.fromkeys(each for each in bases if each != self.revision)),
            no_base="the base is the commit itself; name the commit before the change",
        )


def is_attestation(path: Path) -> bool:
    """Tell whether a file is the attestation of another one, which is read with that.

    Behind that of an attestation the name would hide a file from everything that is read.
    """
    other = path.with_name(path.name.removesuffix(ENDING))
    beside = other.name != path.name and not other.name.endswith(ENDING)
    return beside and os.path.isfile(other)  # noqa: PTH113 - as above


def read_result(
    path: Path, *, name: str, metric: str | None, score: Fraction | None, key: SealKey | None
) -> ResultFile:
    """Return what a result file and its attestation say.

    Args:
        path: of the file.
        name: of the file in messages.
        metric: that counts, or ``all``.
        score: that a case needs to pass; None: the tool's own word counts.
        key: that attestations must be signed with; None: there is none here.
    """
    try:
        content = read_file(path)
        run = read_run(content, file_name=name, metric=metric, score=score)
    except UnreadableResultsError as error:
        return ResultFile(name=name, flaw=f"{error}; remove it, or run the evaluation again")
    try:
        attested = _attested(path, content, key)
    except OddDocumentError as error:
        remedy = "run gate attest on it again" if key is not None else _GIVE_KEY
        flaw = f"its attestation does not count: {error}; {remedy}"
        return ResultFile(name=name, run=run, flaw=flaw)
    if attested is None:
        return ResultFile(name=name, run=run, commit=run.commit, ran_at=run.started_at)
    if run.commit is not None and not is_about(run.commit, attested.commit):
        flaw = (
            f"it says that it is about {run.commit}, and its attestation that it is about"
            f" {attested.commit}; attest it where it was made"
        )
        return ResultFile(name=name, run=run, flaw=flaw)
    if run.started_at is not None and run.started_at > attested.ran_at + CLOCKS_DIFFER:
        flaw = (
            f"it says that the evaluation ran at {instant(run.started_at)}, and its attestation"
            f" that it ran before, at {instant(attested.ran_at)}; run the evaluation again"
        )
        return ResultFile(name=name, run=run, flaw=flaw)
    times = [time for time in (run.started_at, attested.ran_at) if time is not None]
    return ResultFile(name=name, run=run, commit=attested.commit, ran_at=min(times))


def _attested(path: Path, content: bytes, key: SealKey | None) -> Attested | None:
    """Return what the attestation of a file says; None: it has none.

    Raises:
        OddDocumentError: it does not count.
    """
    beside = path.with_name(f"{path.name}{ENDING}")
    if not os.path.lexists(beside):
        return None
    try:
        parcel = read_json(read_file(beside, _LONGEST))
    except UnreadableResultsError as error:
        raise OddDocumentError(str(error)) from error
    if not isinstance(parcel, dict):
        raise OddDocumentError("it is not an envelope of an in-toto statement")
    return attested_by(parcel, content, key)
