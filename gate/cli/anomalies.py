"""``gate anomalies``."""

from datetime import timedelta

import click

from gate.analysis.anomalies.run import AnomalyOptions, chart_indicators
from gate.analysis.anomalies.words import output
from gate.cli.parameters import (
    DURATION,
    MeasurementOptions,
    known_incidents_option,
    last_option,
    measurement_options,
    option,
    read_known_incidents,
)
from gate.errors import ExitCode
from gate.history.charts.build import Charting
from gate.history.charts.signals import DEFAULT, RULES
from gate.reporters import PAGES


@click.command()
@measurement_options(PAGES)
@last_option("14d")
@option("--step", type=DURATION, default="1h", show_default=True, help="Of a point.")
@option(
    "--baseline",
    type=DURATION,
    help="How much of the beginning says what is usual. Default: half of --last.",
)
@option(
    "--rules",
    type=click.Choice(tuple(RULES)),
    default=DEFAULT,
    show_default=True,
    help="By which points are out of control, beside the moving average.",
)
@known_incidents_option(
    "Known incidents, left out of the baseline: a file, a folder, or a glob in quotes."
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
    """Tell where the indicators of each POLICY are not what they usually are: control charts.

    Exit codes: 0 whatever was found, 3 the history of an SLO could not be had, or too
    little of it was seen.
    """
    if step > last:
        raise click.UsageError("--step is longer than --last")
    if baseline is not None and baseline >= last:
        raise click.UsageError("--baseline must be shorter than --last, or nothing is left to see")
    records = read_known_incidents(known_incidents)
    charting = Charting(baseline=baseline or last / 2, rules=rules, records=records)
    options = AnomalyOptions(at=measurement.instant(), last=last, step=step, charting=charting)
    charts = measurement.ask(lambda files: chart_indicators(files, options, measurement.timeout))
    measurement.report_page(output(charts))
    return charts.exit_code
