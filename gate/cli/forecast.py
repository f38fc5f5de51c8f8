"""``gate forecast``."""

from datetime import timedelta

import click

from gate.analysis.forecast import ForecastOptions
from gate.analysis.forecast.run import forecast_budgets
from gate.analysis.forecast.words import output
from gate.cli.parameters import MeasurementOptions, last_option, measurement_options
from gate.errors import ExitCode
from gate.history.calendar_forecast import LEAST
from gate.reporters import PAGES
from gate.slo.quantities import format_duration


@click.command()
@measurement_options(PAGES)
@last_option("90d", "How much history the interval of a calendar budget is drawn from.")
def forecast(*, measurement: MeasurementOptions, last: timedelta) -> ExitCode:
    """Foretell when the budgets of each POLICY run out, recover, or how much is left at the reset.

    Exit codes: 0 whatever is foretold, 3 a budget or a history could not be had, or
    too little of it was seen.
    """
    if last < LEAST:
        needed = format_duration(LEAST)
        raise click.UsageError(f"--last is shorter than the {needed} that an interval needs")
    options = ForecastOptions(at=measurement.instant(), last=last, timeout=measurement.timeout)
    answer = measurement.ask(lambda files: forecast_budgets(files, options))
    measurement.report_page(output(answer))
    return answer.exit_code
