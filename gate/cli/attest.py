"""``gate attest``."""

import json
import os
from datetime import datetime
from pathlib import Path

from gate import __version__
from gate.check.result_files import is_attestation
from gate.cli.ci_environment import context_of
from gate.cli.command import FILE, Heading, argument, command, option
from gate.cli.job_options import ci_option
from gate.cli.keys import signing_key
from gate.cli.log_files import named
from gate.cli.option_values import INSTANT
from gate.cli.session import now
from gate.cli.streams import create_file, write_line
from gate.decision.attestation import ENDING, Attested, attestation
from gate.decision.slo_document import rfc3339
from gate.errors import ExitCode, UsageError
from gate.evaluations import UnreadableResultsError
from gate.evaluations.binding import is_about
from gate.evaluations.reading import read_file, read_run
from gate.git.repository import FULL_HASH, working_folder
from gate.hosts.git import Checkout, GitError
from gate.hosts.pinning.local_files import altered_file


@command(example=("gate attest evals/scores.csv", "gate attest evals/*.json --commit HEAD"))
@argument("files", metavar="FILE...", nargs=-1, required=True, type=FILE, help_="Result files.")
@option(
    "--commit",
    metavar="REF",
    heading=Heading.CHANGE,
    help="The commit that was evaluated. Default: the one that would ship.",
)
@option(
    "--at",
    type=INSTANT,
    heading=Heading.CHANGE,
    help="When the evaluation ran, an RFC 3339 time such as 2026-11-20T14:00:00Z. Default: now.",
)
@ci_option()
def attest(*, files: tuple[str, ...], commit: str | None, at: datetime | None, ci: str) -> ExitCode:
    """Sign the commit and the time of the evaluation that wrote the result FILEs.

    Many tools write neither the commit nor the time into their files. Run this right after the
    evaluation, in the same job: it writes FILE.attestation.json beside each file, signed with
    GATE_SIGNING_KEY. gate check accepts it only if its own key verifies it, and only for exactly
    the same content.

    Exit codes: 0 every file is attested, 2 a file cannot be attested, or the key is missing.
    """
    key = signing_key(os.environ)
    if key is None:
        raise UsageError(
            "an attestation is signed: set GATE_SIGNING_KEY to a secret of 16 bytes or more, or to"
            " an Ed25519 private key"
        )
    results = [name for name in files if not is_attestation(Path(name))]
    if not results:
        raise UsageError("these are attestations; name the result files that they are about")
    attested = Attested(commit=_commit(commit, ci), ran_at=at or now())
    contents = {name: _content(name, attested.commit) for name in results}
    for name, content in contents.items():
        path = Path(f"{name}{ENDING}")
        parcel = attestation(content, Path(name).name, attested, version=__version__, key=key)
        try:
            create_file(path, f"{json.dumps(parcel, allow_nan=False)}\n")
        except OSError as error:
            raise UsageError(f"{path} could not be written: {error.strerror}") from error
        about = f"commit {attested.commit[:12]}, ran at {rfc3339(attested.ran_at)}"
        write_line(f"{named(name)}: {about}, in {named(str(path))}")
    return ExitCode.ALLOW


def _commit(ref: str | None, ci: str) -> str:
    """Return the full hash of the commit that was evaluated."""
    context = context_of(ci)
    if ref is None:
        if context.revision is None:
            raise UsageError("the evaluated commit is unknown: name it with --commit")
        _see_that_it_is_checked_out(Checkout(working_folder(os.environ), context.workspace))
        return context.revision
    try:
        return Checkout(working_folder(os.environ), context.workspace).commit(ref)
    except GitError as error:
        if FULL_HASH.fullmatch(ref):
            return ref
        raise UsageError(f"{error}; name the commit by its full hash") from error


def _see_that_it_is_checked_out(checkout: Checkout) -> None:
    """Refuse files of the checkout that differ from the commit: the run may have used them."""
    try:
        altered = altered_file(checkout)
    except GitError:
        return  # this is not a checkout, and nothing indicates that the CI system is wrong
    if altered is not None:
        raise UsageError(
            f"{altered} differs from the commit, so the evaluation may have used another version;"
            " commit it, or name the commit with --commit if the evaluation did not use it"
        )


def _content(name: str, commit: str) -> bytes:
    """Return the content of a result file, unless the file itself names another commit."""
    try:
        content = read_file(name)
        run = read_run(content, file_name=name)
    except UnreadableResultsError as error:
        raise UsageError(f"{named(name)} is not attested: {error}") from error
    if run.commit is not None and not is_about(run.commit, commit):
        raise UsageError(f"{named(name)} is not attested: it names {run.commit}, not {commit[:12]}")
    return content
