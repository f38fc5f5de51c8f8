"""``gate test``."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import click

from gate.analysis.cases import CasesReport, PolicyCases
from gate.analysis.cases.run import run_cases
from gate.analysis.cases.words import FORMATS, render_cases
from gate.cli.command import FILE, Heading, command, group, option, policies_argument
from gate.cli.decision_file import read_decision
from gate.cli.keys import verifying_key
from gate.cli.log_files import NotReadableError, named
from gate.cli.parameters import ReportOptions, report_options
from gate.cli.session import load_all
from gate.cli.streams import create_file, write_note
from gate.config.cases import place_of_cases, policy_beside
from gate.config.cases_schema import load_cases
from gate.config.load import PolicyFile, load_unopened
from gate.dataclass import dataclass
from gate.decision.reading import OddDocumentError
from gate.errors import ExitCode, Mistake, PolicyError, UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseRecording:
    """A decision to be added as a case."""

    record: str | None
    """The file of the decision's document."""
    name: str | None
    """The name of the case."""


_RECORDING: Final = (
    option(
        "--record",
        metavar="DECISION",
        heading=Heading.CASES,
        help="First add a case from this decision, a file of gate check --write json=FILE: the"
        " facts that it was based on, and its verdict as the expected one.",
    ),
    option(
        "--name",
        metavar="TEXT",
        heading=Heading.CASES,
        help="With --record, the name of that case. Default: the decision and its time.",
    ),
)


@command(example=("gate test", "gate test policies/*.yaml --write junit=policy-tests.xml"))
@policies_argument()
@option(
    "--cases",
    "paths",
    type=FILE,
    multiple=True,
    heading=Heading.CASES,
    help="File of test cases. Default: the one beside the policy, gate.test.yaml for gate.yaml. Can"
    " be repeated.",
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
    """Run the test cases of each POLICY: its decisions on stated budgets, changes and incidents.

    No backend is queried, and no environment variable of the policy needs to be set.

    Exit codes: 0 every case passes, 12 a case fails, 2 there is a mistake in a policy or a case, or
    there are no cases.
    """
    files = load_all(_policies(policies), _read)
    if recording.record is not None:
        _record(files, paths, recording)
    tried = CasesReport(policies=tuple(_tried(files, paths)))
    report.write(lambda name, style: render_cases(name, tried, style))
    return tried.exit_code


def _read(path: str) -> PolicyFile:
    return load_unopened(path, os.environ)


def _policies(paths: Sequence[str]) -> list[str]:
    """Return the policies; the name of a file of cases means the policy beside it."""
    return list(dict.fromkeys(policy_beside(path) or path for path in paths))


def _tried(files: Sequence[PolicyFile], paths: Sequence[str]) -> Iterator[PolicyCases]:
    """Yield the outcome of each file of cases under each policy.

    Raises:
        PolicyError: the mistakes of all files together.
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
            f"{policy} has no test cases: write {path} (see docs/policy-tests.md), or name a file"
            " with --cases"
        )
    return path


def _record(files: Sequence[PolicyFile], paths: Sequence[str], recording: CaseRecording) -> None:
    """Add a case to the file of cases, which is created if it does not exist.

    Raises:
        UsageError: the file or the policy is ambiguous, the document is not a decision by the
            policy, or lacks facts that the decision was based on.
        PolicyError: there is a mistake in the file of cases.
    """
    if len(files) > 1 or len(paths) > 1:
        raise click.UsageError("--record can be used with one POLICY and one file of cases only")
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
    write_note(f"added a case to {path}")
