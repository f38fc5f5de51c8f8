"""``gate status``."""

from datetime import datetime, timedelta

import click

from gate.check.options import Options
from gate.check.run import run_status
from gate.cli.parameters import measuring
from gate.cli.session import load_all, now, progress, report_page
from gate.errors import ExitCode
from gate.reporters import PAGES
from gate.reporters.decision_page import status_output


@click.command()
@measuring(PAGES)
@click.option(
    "--burn-down/--no-burn-down",
    default=True,
    show_default=True,
    help="Show how each budget came down, which costs one more round of queries.",
)
def status(
    *,
    policies: tuple[str, ...],
    at: datetime | None,
    format_: str,
    copies: tuple[tuple[str, str], ...],
    timeout: timedelta,
    burn_down: bool,
) -> ExitCode:
    """Show the budget, burn rates, coverage and forecast of every SLO of each POLICY.

    There is no verdict: the exit code is 0 whatever the budgets are, and also where one could not
    be measured. To decide, use gate check.
    """
    files = load_all(policies)
    with progress(files):
        budgets = run_status(files, Options(at=at or now(), timeout=timeout), sketched=burn_down)
    report_page(status_output(budgets), format_, copies)
    return ExitCode.ALLOW
