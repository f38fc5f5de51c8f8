"""``gate anomalies``."""

import os
from datetime import datetime, timedelta

import click

from gate.analysis.anomalies.run import AnomalyOptions, chart_indicators
from gate.analysis.anomalies.words import output
from gate.cli.parameters import DURATION, measuring
from gate.cli.session import load_all, now, progress, report_page
from gate.config.known_incidents import load_known
from gate.errors import ExitCode
from gate.history.charts.build import Charting
from gate.history.charts.signals import DEFAULT, RULES
from gate.reporters import PAGES


@click.command()
@measuring(PAGES)
@click.option(
    "--last", type=DURATION, default="14d", show_default=True, help="How far to look back."
)
@click.option("--step", type=DURATION, default="1h", show_default=True, help="Of a point.")
@click.option(
    "--baseline",
    type=DURATION,
    help="How much of the beginning says what is usual. Default: half of --last.",
)
@click.option(
    "--rules",
    type=click.Choice(tuple(RULES)),
    default=DEFAULT,
    show_default=True,
    help="By which points are out of control, beside the moving average.",
)
@click.option(
    "--known",
    "known",
    metavar="FILE",
    multiple=True,
    help="Known incidents, left out of the baseline: a file, a folder, or a glob in quotes.",
)
def anomalies(
    *,
    policies: tuple[str, ...],
    at: datetime | None,
    format_: str,
    copies: tuple[tuple[str, str], ...],
    timeout: timedelta,
    last: timedelta,
    step: timedelta,
    baseline: timedelta | None,
    rules: str,
    known: tuple[str, ...],
) -> ExitCode:
    """Tell where the indicators of each POLICY are not what they usually are: control charts.

    Exit codes: 0 whatever was found, 3 the history of an SLO could not be had.
    """
    if step > last:
        raise click.UsageError("--step is longer than --last")
    if baseline is not None and baseline >= last:
        raise click.UsageError("--baseline must be shorter than --last, or nothing is left to see")
    records = load_known(known, os.environ)
    charting = Charting(baseline=baseline or last / 2, rules=rules, records=records)
    look = AnomalyOptions(at=at or now(), last=last, step=step, charting=charting)
    files = load_all(policies)
    with progress(files):
        found = chart_indicators(files, look, timeout)
    report_page(output(found), format_, copies)
    return found.exit_code
