"""The result files about a commit, and the time of the evaluation, which make them evidence."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from gate.dataclass import dataclass
from gate.evaluations import EvaluationRun
from gate.evaluations.documents import NO_METRIC
from gate.policy.requirements import EvaluationRequirement
from gate.slo.quantities import format_duration
from gate.wording import instant

CLOCKS_DIFFER: Final = timedelta(minutes=5)
"""The tolerated difference between clocks."""
_SHORTEST: Final = 7
"""The minimum number of digits of a commit, as git abbreviates it."""
SHOWN: Final = 12
"""The number of digits of a commit for people."""
_NAMED: Final = 3
"""The maximum number of files that a sentence names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultFile:
    """A file that matches the globs of a requirement."""

    name: str
    """Its name in messages."""
    run: EvaluationRun | None = None
    """The run in the file; None: it cannot be read."""
    commit: str | None = None
    """The commit that it is about, at least 7 hexadecimal digits in lower case: from the file, from
    its attestation, or from the CI run of its artifact. None: unknown."""
    ran_at: datetime | None = None
    """The time of the evaluation, from the same sources."""
    flaw: str | None = None
    """The reason why it does not count, in a clause with the remedy; None: it counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeUnderTest:
    """The commit that result files must be about."""

    revision: str | None
    """The full hash of the commit that would ship; None: unknown."""
    bases: tuple[str, ...] = ()
    """The full hashes of the commits that it may be compared with; the first with results
    counts."""
    no_base: str = "there is no base"
    """The reason why ``bases`` is empty, in a clause."""


class CannotTellError(Exception):
    """The files do not decide; the message has the reason and the remedy."""


def is_about(commit: str, revision: str) -> bool:
    """Return whether the commit that a file names is this one."""
    return len(commit) >= _SHORTEST and revision.startswith(commit)


def files_about(
    revision: str | None, files: Sequence[ResultFile], bases: Sequence[str]
) -> tuple[list[ResultFile], int]:
    """Return the files about a commit, and the number of files about others.

    A file that cannot be read, or does not name its commit, may be the one that failed.

    Raises:
        CannotTellError: there is such a file, or no file is about the commit.
    """
    if revision is None:
        raise CannotTellError("the commit that would ship is unknown: run this in its checkout")
    used, others = list[ResultFile](), list[ResultFile]()
    for file in files:
        if file.commit is not None and not is_about(file.commit, revision):
            others.append(file)
        else:
            _check_bound(file, bases)
            used.append(file)
    if not used:
        raise CannotTellError(_none_about(revision, others))
    aside = [
        file for file in others if not any(is_about(file.commit or "", base) for base in bases)
    ]
    return used, len(aside)


def flawed(run: EvaluationRun) -> str:
    """Return the flaws of a run, and the remedy."""
    lacks = any(flaw.startswith(NO_METRIC) for flaw in run.flaws)
    remedy = "name another metric in the requirement, or run" if lacks else "run"
    return f"{'; '.join(run.flaws)}; {remedy} the evaluation again"


def _check_bound(file: ResultFile, bases: Sequence[str]) -> None:
    if file.flaw is not None:
        raise CannotTellError(f"{file.name}: {file.flaw}")
    if file.commit is None and file.run is not None and file.run.flaws:
        # An attestation would not mend these; the names of two commits are such a flaw.
        raise CannotTellError(f"{file.name}: {flawed(file.run)}")
    if file.commit is None:
        raise CannotTellError(f"{file.name} {_no_commit(file.run)}")
    if any(is_about(file.commit, base) for base in bases):
        raise CannotTellError(
            f"{file.name}: {file.commit} is short for the base, too; write the whole commit"
        )


def _none_about(revision: str, others: Sequence[ResultFile]) -> str:
    about = f"no result file is about {revision[:SHOWN]}"
    if others:
        named = ", ".join(
            f"{file.name} ({(file.commit or '')[:SHOWN]})" for file in others[:_NAMED]
        )
        rest = f" and {len(others) - _NAMED} more" if len(others) > _NAMED else ""
        verb = "are about other commits" if len(others) > 1 else "is about another commit"
        about = f"{about}: {named}{rest} {verb}"
    return f"{about}; run the evaluation on that commit, before the gate"


def _no_commit(run: EvaluationRun | None) -> str:
    note = run.commit_note if run is not None else None
    lead = f"is not bound to a commit ({note})" if note else "does not say which commit it is about"
    return f"{lead}; run gate attest on it right after the evaluation"


def check_time(requirement: EvaluationRequirement, file: ResultFile, at: datetime) -> None:
    """Check that the evaluation ran before the instant of the decision, and recently enough.

    Raises:
        CannotTellError: it did not, or the file has no time.
    """
    ran_at, longest = file.ran_at, requirement.max_age
    if ran_at is None:
        if longest is None:
            return
        raise CannotTellError(
            f"{file.name} does not say when the evaluation ran, which max_age needs; run gate"
            " attest on it right after the evaluation"
        )
    if ran_at > at + CLOCKS_DIFFER:
        raise CannotTellError(
            f"{file.name} says that the evaluation ran at {instant(ran_at)}, which is later than"
            f" this check ({instant(at)}); set the clock, or run the evaluation before the gate"
        )
    if longest is not None and at - ran_at > longest:
        raise CannotTellError(
            f"{file.name} is too old: the evaluation ran at {instant(ran_at)}, more than max_age"
            f" ({format_duration(longest)}) ago; run it again"
        )
