"""``gate review``."""

from datetime import datetime, timedelta

import click

from gate.analysis.review.run import ReviewOptions, review_objectives
from gate.analysis.review.words import output
from gate.cli.parameters import measuring
from gate.cli.session import load_all, now, progress, report_page
from gate.errors import ExitCode
from gate.reporters import PAGES


@click.command()
@measuring(PAGES)
@click.option(
    "--periods",
    type=click.IntRange(1, 100),
    default=6,
    show_default=True,
    help="How many past windows to look at, each of the SLO's own length.",
)
def review(
    *,
    policies: tuple[str, ...],
    at: datetime | None,
    format_: str,
    copies: tuple[tuple[str, str], ...],
    timeout: timedelta,
    periods: int,
) -> ExitCode:
    """Look back at the objectives of each POLICY: too strict, too loose, or about right.

    Exit codes: 0 whatever is found, 3 nothing can be said of an SLO.
    """
    asked = ReviewOptions(at=at or now(), periods=periods, timeout=timeout)
    files = load_all(policies)
    with progress(files):
        found = review_objectives(files, asked)
    report_page(output(found), format_, copies)
    return found.exit_code
