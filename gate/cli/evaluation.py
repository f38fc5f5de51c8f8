"""``gate evaluation``."""

import os
from fractions import Fraction
from pathlib import Path
from typing import Final

from gate.analysis.evaluations import exit_code, output, read_cases
from gate.check.result_files import is_attestation, read_result
from gate.cli.command import FILE, Heading, argument, command, group, option
from gate.cli.keys import verifying_key
from gate.cli.option_values import Parsed
from gate.cli.parameters import ReportOptions, report_options
from gate.cli.session import report_page
from gate.dataclass import dataclass
from gate.errors import ExitCode
from gate.evaluations import ALL_CHECKS
from gate.parsing.numbers import ABOVE_ZERO, COUNT
from gate.reporters import PAGES


@dataclass(frozen=True, slots=True, kw_only=True)
class CountingOptions:
    """The way in which a requirement would count."""

    metric: str
    score: Fraction | None
    repeats: int


def _repeats(text: str) -> int:
    return max(COUNT.parse(text), 1)


_COUNTING: Final = (
    option(
        "--metric",
        metavar="NAME",
        default=ALL_CHECKS,
        show_default=True,
        heading=Heading.CASES,
        help="The metric, scorer or column that counts; all is every check of a case.",
    ),
    option(
        "--score",
        type=Parsed("number", ABOVE_ZERO.parse),
        heading=Heading.CASES,
        help="The score that a case needs to pass, such as 0.8. Default: as the tool says.",
    ),
    option(
        "--repeats",
        type=Parsed("count", _repeats),
        default="1",
        show_default=True,
        heading=Heading.CASES,
        help="How many times each case was run, such as 3.",
    ),
)


@command(
    example=(
        "gate evaluation evals/*.json",
        "gate evaluation evals/results.json --metric faithfulness --format json",
    )
)
@argument("files", metavar="FILE...", nargs=-1, required=True, type=FILE, help_="Result files.")
@group("counting", CountingOptions, _COUNTING)
@group("report", ReportOptions, report_options(PAGES))
def evaluation(
    *, files: tuple[str, ...], counting: CountingOptions, report: ReportOptions
) -> ExitCode:
    """Show what the gate reads in the result FILEs of evaluations.

    For each file, it shows the tool, the commit and the time that it is bound to, its metrics, how
    many distinct cases passed, and the hash of their ids for case_digest in a policy.

    Exit codes: 0 every file can be used, 3 a file cannot be read or relied on, 2 usage error.
    """
    key = verifying_key(os.environ)
    read = [
        read_result(Path(name), name=name, metric=counting.metric, score=counting.score, key=key)
        for name in files
        if not is_attestation(Path(name))
    ]
    results = read_cases(read, counting.repeats)
    report_page(output(results), report.format_, report.output, report.copies)
    return exit_code(results)
