"""``gate incidents``."""

from datetime import datetime, timedelta
from typing import Any

import click

from gate.analysis.incidents.run import search_incidents
from gate.analysis.incidents.words import output
from gate.cli.incident_options import search_for
from gate.cli.parameters import looking_back, measuring
from gate.cli.session import load_all, now, progress, report_page
from gate.errors import ExitCode
from gate.reporters import PAGES


@click.command()
@measuring(PAGES)
@looking_back(last="90d")
def incidents(
    *,
    policies: tuple[str, ...],
    at: datetime | None,
    format_: str,
    copies: tuple[tuple[str, str], ...],
    timeout: timedelta,
    **looking: Any,
) -> ExitCode:
    """Find the incidents that the SLOs of each POLICY felt, and what they did to the budgets.

    Exit codes: 0 whatever was found, 3 the history of an SLO could not be had.
    """
    asked = search_for(at=at or now(), timeout=timeout, **looking)
    files = load_all(policies)
    with progress(files):
        found = search_incidents(files, asked)
    report_page(output(found), format_, copies)
    return found.exit_code
