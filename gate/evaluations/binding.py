"""Which result files are about a commit, and when the evaluation ran: what makes them evidence."""

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
"""By which clocks may differ."""
_SHORTEST: Final = 7
"""Digits of a commit that name it: as git abbreviates it."""
SHOWN: Final = 12
"""Digits of a commit that people read."""
_NAMED: Final = 3
"""Files that a sentence names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultFile:
    """A file that matches what a requirement names."""

    name: str
    """As messages name it."""
    run: EvaluationRun | None = None
    """The run that the file reports; None: it cannot be read."""
    commit: str | None = None
    """That it is about, at least 7 hexadecimal digits in lower case: by itself, by its attestation,
    or by the CI run whose artifact it is. None: that is not known."""
    ran_at: datetime | None = None
    """The time of the evaluation, likewise."""
    flaw: str | None = None
    """The reason why it does not count whatever it says, in a clause with what to do; None: nothing
    is wrong with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeUnderTest:
    """The commit that result files must be about."""

    revision: str | None
    """The full hash of the commit that would ship; None: it is not known."""
    bases: tuple[str, ...] = ()
    """Full hashes of the commits that it may be compared with; the first that has results counts.
    """
    no_base: str = "there is no base"
    """The reason why ``bases`` is empty, in a clause."""


class CannotTellError(Exception):
    """The files do not decide; the message has the reason and the remedy."""


def is_about(commit: str, revision: str) -> bool:
    """Tell whether what a file says of its commit names this one."""
    return len(commit) >= _SHORTEST and revision.startswith(commit)


def files_about(
    revision: str | None, files: Sequence[ResultFile], bases: Sequence[str]
) -> tuple[list[ResultFile], int]:
    """Return the files about a commit, and how many are about others.

    A file that cannot be read, or does not say what it is about, may be the one that failed.

    Raises:
        CannotTellError: one is such a file, or none is about the commit.
    """
    if revision is None:
        raise CannotTellError("it is not known which commit would ship: run this in its checkout")
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
    """Return what is wrong with a run that has flaws, and what to do."""
    lacks = any(flaw.startswith(NO_METRIC) for flaw in run.flaws)
    remedy = "name another metric in the requirement, or run" if lacks else "run"
    return f"{'; '.join(run.flaws)}; {remedy} the evaluation again"


def _check_bound(file: ResultFile, bases: Sequence[str]) -> None:
    if file.flaw is not None:
        raise CannotTellError(f"{file.name}: {file.flaw}")
    if file.commit is None and file.run is not None and file.run.flaws:
        # An attestation would not mend these; names of two commits are one of them.
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
    """See that the evaluation ran before the instant of the decision, and recently enough.

    Raises:
        CannotTellError: it did not, or the file does not say when it ran.
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
