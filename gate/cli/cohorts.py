"""``gate cohorts``."""

from datetime import datetime, timedelta

import click

from gate.analysis.cohorts.measure import SHORTEST, CohortOptions
from gate.analysis.cohorts.run import compare_cohorts
from gate.analysis.cohorts.words import output
from gate.cli.parameters import DURATION, measuring
from gate.cli.session import load_all, now, progress, report_page
from gate.errors import ExitCode
from gate.reporters import PAGES
from gate.slo.quantities import format_duration


@click.command()
@measuring(PAGES)
@click.option(
    "--by",
    metavar="LABEL",
    required=True,
    help="What events are told apart by: a label, or in logs a column or expression.",
)
@click.option(
    "--against", metavar="VALUE", help="Compare the others with this one, not each with the rest."
)
@click.option(
    "--within",
    metavar="LABEL",
    help="Compare like with like: only events with the same value of this second label.",
)
@click.option(
    "--last", type=DURATION, help="How far to look back; without it, as far as each SLO's window."
)
@click.option(
    "--slo", "slos", metavar="NAME", multiple=True, help="Only this SLO. Can be repeated."
)
@click.option(
    "--top",
    type=click.IntRange(min=1),
    default=20,
    show_default=True,
    help="So many values, the busiest, are told apart; the others are one group.",
)
def cohorts(
    *,
    policies: tuple[str, ...],
    at: datetime | None,
    format_: str,
    copies: tuple[tuple[str, str], ...],
    timeout: timedelta,
    by: str,
    against: str | None,
    within: str | None,
    last: timedelta | None,
    slos: tuple[str, ...],
    top: int,
) -> ExitCode:
    """Tell whose events burn the budgets of each POLICY: by template, model, tenant.

    Exit codes: 0 whatever was found, 3 an SLO could not be measured by group.
    """
    if "" in {by, within}:
        raise click.UsageError("--by and --within need a name")
    if last is not None and last < SHORTEST:
        raise click.UsageError(f"--last is shorter than {format_duration(SHORTEST)}")
    if by == within:
        raise click.UsageError("--within needs another label than --by")
    asked = CohortOptions(
        at=at or now(),
        by=by,
        within=within,
        against=against,
        last=last,
        slos=slos,
        top=top,
        timeout=timeout,
    )
    files = load_all(policies)
    with progress(files):
        found = compare_cohorts(files, asked)
    report_page(output(found), format_, copies)
    return found.exit_code
