"""``gate forecast``."""

from datetime import datetime, timedelta

import click

from gate.analysis.forecast import ForecastOptions
from gate.analysis.forecast.run import forecast_budgets
from gate.analysis.forecast.words import output
from gate.cli.command import Heading, command, option
from gate.cli.history_options import last_option
from gate.cli.option_values import DATE
from gate.cli.parameters import MeasurementOptions, measurement_options
from gate.decision.slo_document import rfc3339
from gate.errors import ExitCode
from gate.history.calendar_forecast import LEAST
from gate.reporters import PAGES
from gate.slo.quantities import format_duration


@command(example=("gate forecast --until 2026-12-01T00:00:00Z",))
@measurement_options(PAGES)
@last_option(
    "90d",
    "How much history the interval of a calendar budget is computed from, a duration such as 90d.",
)
@option(
    "--until",
    type=DATE,
    heading=Heading.HISTORY,
    help="Show how many failures an hour the budget can take until this RFC 3339 time. Default: the"
    " reset, or one window from now.",
)
def forecast(
    *, measurement: MeasurementOptions, last: timedelta, until: datetime | None
) -> ExitCode:
    """Predict when each budget of each POLICY runs out, recovers or resets.

    Exit codes: 0 whatever is predicted, 3 a budget or a history could not be measured, or too
    little of it.
    """
    if last < LEAST:
        needed = format_duration(LEAST)
        raise click.UsageError(f"--last must be at least {needed}, which an interval needs")
    at = measurement.instant()
    if until is not None and until <= at:
        raise click.UsageError(
            f"--until must be later than the time of the measurement, {rfc3339(at)}"
        )
    options = ForecastOptions(at=at, last=last, timeout=measurement.timeout, until=until)
    answer = measurement.ask(lambda files: forecast_budgets(files, options))
    measurement.report_page(output(answer))
    return answer.exit_code
