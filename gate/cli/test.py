"""``gate test``."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import click

from gate.analysis.cases import CasesReport, PolicyCases
from gate.analysis.cases.run import run_cases
from gate.analysis.cases.words import FORMATS, render_cases
from gate.cli.decision_file import read_decision
from gate.cli.keys import verifying_key
from gate.cli.log_files import NotReadableError, named
from gate.cli.parameters import ReportOptions, group, option, report_options
from gate.cli.session import load_all, write_report
from gate.cli.streams import create_file, write_stderr
from gate.config.cases import place_of_cases, policy_beside
from gate.config.cases_schema import load_cases
from gate.config.load import PolicyFile, load_unopened
from gate.dataclass import dataclass
from gate.decision.reading import OddDocumentError
from gate.errors import ExitCode, Mistake, PolicyError, UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseRecording:
    """A decision that is to become a case."""

    record: str | None
    """The file of its document."""
    name: str | None
    """Of the case."""


_RECORDING: Final = (
    option(
        "--record",
        metavar="DECISION",
        help="First add a case: what this decision (gate check --write json=DECISION) was made by,"
        " and its verdict as expected.",
    ),
    option("--name", metavar="TEXT", help="Of that case; default: what was decided, and when."),
)


@click.command()
@click.argument("policies", metavar="POLICY...", nargs=-1, required=True)
@option(
    "--cases",
    "paths",
    metavar="FILE",
    multiple=True,
    help="Cases to try; default: those beside the policy, gate.test.yaml of gate.yaml. Can be"
    " repeated.",
)
@group("recording", CaseRecording, _RECORDING)
@group("report", ReportOptions, report_options(FORMATS))
def test(
    *,
    policies: tuple[str, ...],
    paths: tuple[str, ...],
    recording: CaseRecording,
    report: ReportOptions,
) -> ExitCode:
    """Try on each POLICY what it says of the budgets, changes and incidents of its cases.

    No backend is asked, and no variable of the policy needs to be set.

    Exit codes: 0 every case comes out as expected, 10 a case does not, 2 a mistake in a policy or a
    case, or no cases.
    """
    files = load_all(_policies(policies), _read)
    if recording.record is not None:
        _record(files, paths, recording)
    tried = CasesReport(policies=tuple(_tried(files, paths)))
    write_report(
        lambda name, style: render_cases(name, tried, style), report.format_, report.copies
    )
    return tried.exit_code


def _read(path: str) -> PolicyFile:
    return load_unopened(path, os.environ)


def _policies(paths: Sequence[str]) -> list[str]:
    """Return the policies; a file of cases stands for the policy that it is named after."""
    return list(dict.fromkeys(policy_beside(path) or path for path in paths))


def _tried(files: Sequence[PolicyFile], paths: Sequence[str]) -> Iterator[PolicyCases]:
    """Yield the outcome of each file of cases under each policy.

    Raises:
        PolicyError: the mistakes of all of them together.
        UsageError: a policy has no cases.
    """
    mistakes = list[Mistake]()
    for file in files:
        for path in paths or (_beside(file.source.path),):
            try:
                yield run_cases(file, load_cases(path, os.environ))
            except PolicyError as error:
                mistakes.extend(error.mistakes)
    if mistakes:
        raise PolicyError(tuple(dict.fromkeys(mistakes)))


def _beside(policy: str) -> str:
    path = place_of_cases(policy)
    if not Path(path).is_file():
        raise UsageError(
            f"{policy} has no cases: there is no file {path}; see docs/policy-tests.md"
        )
    return path


def _record(files: Sequence[PolicyFile], paths: Sequence[str], recording: CaseRecording) -> None:
    """Add a case to the file of cases, which is made where there is none.

    Raises:
        UsageError: it is not said to which file, or under which policy; the document is no decision
            on it, or does not say all that it was made by.
        PolicyError: there is a mistake in the file of cases.
    """
    if len(files) > 1 or len(paths) > 1:
        raise click.UsageError("--record goes with one POLICY, and one file of cases")
    from gate.analysis.cases.record import add_case  # noqa: PLC0415 - where it is recorded only

    (file,) = files
    path = Path(paths[0] if paths else place_of_cases(file.source.path))
    text = path.read_bytes() if path.is_file() else b""
    try:
        document = read_decision(recording.record or "", verifying_key(os.environ))
    except (NotReadableError, OddDocumentError) as error:
        raise UsageError(f"{named(recording.record or '')}: {error}") from error
    added = add_case(text, str(path), file, document, recording.name)
    try:
        create_file(path, added)
    except OSError as error:
        raise UsageError(f"{path} could not be written: {error.strerror}") from error
    write_stderr(f"gate: added a case to {path}")
