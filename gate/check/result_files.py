"""Read result files and their attestations, from a folder or the archive of an artifact."""

import os
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from typing import Final

from gate.dataclass import dataclass
from gate.decision.attestation import ENDING, Attested, attested_by
from gate.decision.reading import OddDocumentError, read_json
from gate.decision.seal import SealKey
from gate.evaluations import UnreadableResultsError
from gate.evaluations.binding import CLOCKS_DIFFER, CannotTellError, ResultFile, is_about
from gate.evaluations.reading import read_file, read_run
from gate.policy.changes import matches_glob
from gate.wording import instant

_MOST: Final = 1_000
"""The maximum number of files of one requirement."""
_LONGEST: Final = 100_000
"""The maximum size of an attestation in bytes."""
_GIVE_KEY: Final = "give this job the key, as GATE_SIGNING_KEY or GATE_VERIFY_KEY"
_NAMED: Final = 3
"""The maximum number of files that a sentence names."""


def is_attestation(path: Path) -> bool:
    """Return whether a file is the attestation of another one, and is read together with it.

    The attestation of an attestation is not one, since it would hide a file.
    """
    other = path.with_name(path.name.removesuffix(ENDING))
    beside = other.name != path.name and not other.name.endswith(ENDING)
    return beside and os.path.isfile(other)  # noqa: PTH113 - as above


def read_result(
    path: Path, *, name: str, metric: str | None, score: Fraction | None, key: SealKey | None
) -> ResultFile:
    """Return the contents of a result file and of its attestation.

    Args:
        path: the path of the file.
        name: the name of the file in messages.
        metric: the metric that counts, or ``all``.
        score: the score that a case needs to pass; None: the tool's own result counts.
        key: the key that attestations must be signed with; None: this run has no key.
    """
    try:
        content = read_file(path)
    except UnreadableResultsError as error:
        return _unreadable(name, error)
    attestation = _attestation_of(path)
    return _result(content, attestation, name=name, metric=metric, score=score, key=key)


def _attestation_of(path: Path) -> bytes | UnreadableResultsError | None:
    """Return the content of the file beside a result file, or why it cannot be read."""
    beside = path.with_name(f"{path.name}{ENDING}")
    if not os.path.lexists(beside):
        return None
    try:
        return read_file(beside, _LONGEST)
    except UnreadableResultsError as error:
        return error


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtifactOrigin:
    """The CI artifact of an archive."""

    name: str
    """Its name in messages."""
    commit: str
    """The full hash of the commit that its CI run was for."""
    made_at: datetime
    """The time at which the run made it."""


def read_archive(
    content: bytes,
    patterns: Sequence[str],
    origin: ArtifactOrigin,
    *,
    metric: str | None,
    score: Fraction | None,
    key: SealKey | None,
) -> list[ResultFile]:
    """Return the contents of the result files in an artifact's archive, bound to its CI run.

    Args:
        content: the content of the zip file.
        patterns: globs of the result files in it.
        origin: the artifact of the archive.
        metric: the metric that counts, or ``all``.
        score: the score that a case needs to pass; None: the tool's own result counts.
        key: the key that attestations must be signed with; None: this run has no key.

    Raises:
        CannotTellError: no file matches, or too many do.
    """
    from gate.evaluations.archive import unpacked  # noqa: PLC0415 - for artifacts only

    members = list[str]()

    def matches(member: str) -> bool:
        return any(matches_glob(pattern, member) for pattern in patterns)

    def wanted(member: str) -> bool:
        members.append(member)
        return matches(member) or matches(member.removesuffix(ENDING))

    try:
        files = dict(unpacked(content, wanted))
    except UnreadableResultsError as error:
        return [ResultFile(name=origin.name, flaw=f"{error}; upload the artifact again")]
    beside = {member + ENDING for member in files if not member.endswith(ENDING)}
    names = [member for member in files if matches(member) and member not in beside]
    if not names:
        there = ", ".join(members[:_NAMED]) + ", ..." * (len(members) > _NAMED)
        raise CannotTellError(
            f"no file in the artifact {origin.name} matches {', '.join(patterns)}; it has"
            f" {there or 'no files'}; write the paths as they are in the artifact"
        )
    check_number(names, patterns)
    results = (
        _result(
            files[member],
            files.get(member + ENDING),
            name=f"{origin.name}/{member}",
            metric=metric,
            score=score,
            key=key,
        )
        for member in names
    )
    return [_bound(result, origin) for result in results]


def check_number(names: Sequence[str], patterns: Sequence[str]) -> None:
    """Refuse too many matching files.

    Raises:
        CannotTellError: too many files match.
    """
    if len(names) > _MOST:
        raise CannotTellError(
            f"{len(names):,} files match {', '.join(patterns)}, and {_MOST:,} are read; write"
            " a narrower pattern"
        )


def _bound(file: ResultFile, origin: ArtifactOrigin) -> ResultFile:
    """Return a file with the commit of its artifact, which the file must not contradict."""
    if file.flaw is not None:
        return file
    note = None if file.run is None else file.run.commit_note
    flaw = None
    if file.commit is None and note is not None:
        flaw = f"it is not bound to a commit ({note}); run the evaluation again in a clean checkout"
    elif file.commit is not None and not is_about(file.commit, origin.commit):
        flaw = (
            f"it says that it is about {file.commit}, and the CI run that uploaded it was for"
            f" {origin.commit}; check that commit out for the evaluation"
        )
    elif file.ran_at is not None and file.ran_at > origin.made_at + CLOCKS_DIFFER:
        flaw = (
            f"it says that the evaluation ran at {instant(file.ran_at)}, which is later than the"
            f" artifact ({instant(origin.made_at)}); set the clock, and run the evaluation again"
        )
    if flaw is not None:
        return replace(file, commit=None, flaw=flaw)
    return replace(file, commit=origin.commit, ran_at=file.ran_at or origin.made_at)


def _unreadable(name: str, error: UnreadableResultsError) -> ResultFile:
    return ResultFile(name=name, flaw=f"{error}; remove it, or run the evaluation again")


def _result(
    content: bytes,
    attestation: bytes | UnreadableResultsError | None,
    *,
    name: str,
    metric: str | None,
    score: Fraction | None,
    key: SealKey | None,
) -> ResultFile:
    """Return the contents of a result file and its attestation; None: it has no attestation."""
    try:
        run = read_run(content, file_name=name, metric=metric, score=score)
    except UnreadableResultsError as error:
        return _unreadable(name, error)
    try:
        attested = _attested(attestation, content, key)
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


def _attested(
    attestation: bytes | UnreadableResultsError | None, content: bytes, key: SealKey | None
) -> Attested | None:
    """Return the statement of a file's attestation; None: it has none.

    Raises:
        OddDocumentError: the attestation does not count.
    """
    if attestation is None:
        return None
    if isinstance(attestation, UnreadableResultsError):
        raise OddDocumentError(str(attestation)) from attestation
    parcel = read_json(attestation)
    if not isinstance(parcel, dict):
        raise OddDocumentError("it is not an envelope of an in-toto statement")
    return attested_by(parcel, content, key)
