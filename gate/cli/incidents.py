"""``gate incidents``."""

import os
from datetime import datetime, timedelta
from fractions import Fraction

import click

from gate.cli.deploys import deploys_from
from gate.cli.parameters import DURATION, PORTION, RATE, measuring
from gate.cli.session import load_all, now, progress, report
from gate.config.known_incidents import load_known
from gate.errors import ExitCode
from gate.pipeline.incidents import Search, search
from gate.reporters import INCIDENT_REPORTERS, render_incidents


@click.command()
@measuring(INCIDENT_REPORTERS)
@click.option(
    "--last", type=DURATION, default="90d", show_default=True, help="How far to look back."
)
@click.option(
    "--threshold",
    type=RATE,
    default="6",
    show_default=True,
    help="The burn rate at which an incident begins; it ends below half of it.",
)
@click.option(
    "--least",
    type=PORTION,
    default="2%",
    show_default=True,
    help="The share of a budget that an incident costs at least; smaller ones are summed up.",
)
@click.option("--step", type=DURATION, default="5m", show_default=True, help="How finely to look.")
@click.option(
    "--known",
    "known",
    metavar="FILE",
    multiple=True,
    help="Known incidents: a file, a folder, or a glob in quotes. Can be repeated.",
)
@click.option(
    "--deploys",
    metavar="SOURCE",
    help="Deploys: a file in JSON Lines, github, or github:ENVIRONMENT. Those before an incident"
    " are shown.",
)
def incidents(
    *,
    policies: tuple[str, ...],
    at: datetime | None,
    format_: str,
    copies: tuple[tuple[str, str], ...],
    timeout: timedelta,
    last: timedelta,
    threshold: Fraction,
    least: Fraction,
    step: timedelta,
    known: tuple[str, ...],
    deploys: str | None,
) -> ExitCode:
    """Find the incidents that the SLOs of each POLICY felt, and what they did to the budgets.

    Exit codes: 0 whatever was found, 3 the history of an SLO could not be had.
    """
    if step > last:
        raise click.UsageError("--step is longer than --last")
    at = at or now()
    asked = Search(
        at=at,
        last=last,
        step=step,
        threshold=threshold,
        least=least,
        timeout=timeout,
        records=load_known(known, os.environ),
        deploys=deploys_from(deploys, os.environ, at - last),
    )
    files = load_all(policies)
    with progress(files):
        found = search(files, asked)
    report(lambda name, style: render_incidents(name, found, style), format_, copies)
    return found.exit_code
