"""``gate forecast``."""

from datetime import datetime, timedelta

import click

from gate.analysis.forecast import ForecastOptions
from gate.analysis.forecast.run import forecast_budgets
from gate.analysis.forecast.words import output
from gate.cli.parameters import DURATION, measuring
from gate.cli.session import load_all, now, progress, report_page
from gate.errors import ExitCode
from gate.history.calendar_forecast import LEAST
from gate.reporters import PAGES
from gate.slo.quantities import format_duration


@click.command()
@measuring(PAGES)
@click.option(
    "--last",
    type=DURATION,
    default="90d",
    show_default=True,
    help="How much history the interval of a calendar budget is drawn from.",
)
def forecast(
    *,
    policies: tuple[str, ...],
    at: datetime | None,
    format_: str,
    copies: tuple[tuple[str, str], ...],
    timeout: timedelta,
    last: timedelta,
) -> ExitCode:
    """Foretell when the budgets of each POLICY run out, recover, or how much is left at the reset.

    Exit codes: 0 whatever is foretold, 3 a budget or a history could not be had.
    """
    if last < LEAST:
        needed = format_duration(LEAST)
        raise click.UsageError(f"--last is shorter than the {needed} that an interval needs")
    asked = ForecastOptions(at=at or now(), last=last, timeout=timeout)
    files = load_all(policies)
    with progress(files):
        found = forecast_budgets(files, asked)
    report_page(output(found), format_, copies)
    return found.exit_code
