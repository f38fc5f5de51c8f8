"""``gate anomalies``."""

from datetime import timedelta

import click

from gate.analysis.anomalies.run import AnomalyOptions, chart_indicators
from gate.analysis.anomalies.words import output
from gate.cli.command import Heading, command, option
from gate.cli.history_options import known_incidents_option, last_option, read_known_incidents
from gate.cli.option_values import DURATION
from gate.cli.parameters import MeasurementOptions, measurement_options
from gate.errors import ExitCode
from gate.history.charts.build import Charting
from gate.history.charts.signals import DEFAULT, RULES
from gate.reporters import PAGES


@command(example=("gate anomalies --last 28d --baseline 14d",))
@measurement_options(PAGES)
@last_option("14d")
@option(
    "--step",
    type=DURATION,
    default="1h",
    show_default=True,
    heading=Heading.HISTORY,
    help="Length of one point on the chart, a duration such as 1h.",
)
@option(
    "--baseline",
    type=DURATION,
    heading=Heading.HISTORY,
    help="Length of the baseline at the start, a duration such as 7d. Default: half of --last.",
)
@option(
    "--rules",
    type=click.Choice(tuple(RULES)),
    default=DEFAULT,
    show_default=True,
    heading=Heading.HISTORY,
    help="Rules for points that are out of control, in addition to the moving average.",
)
@known_incidents_option(
    "Known incidents, which are left out of the baseline: a file, a folder, or a glob in quotes."
    " Can be repeated."
)
def anomalies(
    *,
    measurement: MeasurementOptions,
    last: timedelta,
    step: timedelta,
    baseline: timedelta | None,
    rules: str,
    known_incidents: tuple[str, ...],
) -> ExitCode:
    """Find where the indicators of each POLICY are worse than usual, by control charts.

    Exit codes: 0 whatever was found, 3 the history of an SLO could not be measured, or too little
    of it.
    """
    if step > last:
        raise click.UsageError("--step must not be longer than --last")
    if baseline is not None and baseline >= last:
        raise click.UsageError("--baseline must be shorter than --last")
    records = read_known_incidents(known_incidents)
    charting = Charting(baseline=baseline or last / 2, rules=rules, records=records)
    options = AnomalyOptions(at=measurement.instant(), last=last, step=step, charting=charting)
    charts = measurement.ask(lambda files: chart_indicators(files, options, measurement.timeout))
    measurement.report_page(output(charts))
    return charts.exit_code
