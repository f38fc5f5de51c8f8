"""``gate forecast``."""

from datetime import datetime, timedelta

import click

from gate.analysis.forecast import ForecastOptions
from gate.analysis.forecast.run import forecast_budgets
from gate.analysis.forecast.words import output
from gate.cli.parameters import (
    DATE,
    MeasurementOptions,
    last_option,
    measurement_options,
    option,
)
from gate.decision.slo_document import rfc3339
from gate.errors import ExitCode
from gate.history.calendar_forecast import LEAST
from gate.reporters import PAGES
from gate.slo.quantities import format_duration


@click.command()
@measurement_options(PAGES)
@last_option("90d", "How much history the interval of a calendar budget is drawn from.")
@option(
    "--until",
    type=DATE,
    help="Say how many failures an hour can be afforded until this RFC 3339 instant. Default: the"
    " reset, or one window from now.",
)
def forecast(
    *, measurement: MeasurementOptions, last: timedelta, until: datetime | None
) -> ExitCode:
    """Foretell when the budgets of each POLICY run out, recover, or how much is left at the reset.

    Exit codes: 0 whatever is foretold, 3 a budget or a history could not be had, or
    too little of it was seen.
    """
    if last < LEAST:
        needed = format_duration(LEAST)
        raise click.UsageError(f"--last is shorter than the {needed} that an interval needs")
    at = measurement.instant()
    if until is not None and until <= at:
        raise click.UsageError(f"--until is not after {rfc3339(at)}, at which it is measured")
    options = ForecastOptions(at=at, last=last, timeout=measurement.timeout, until=until)
    answer = measurement.ask(lambda files: forecast_budgets(files, options))
    measurement.report_page(output(answer))
    return answer.exit_code
