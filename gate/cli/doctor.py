"""``gate doctor``."""

from datetime import datetime, timedelta

import click

from gate.analysis.doctor import examine
from gate.analysis.doctor.words import output
from gate.cli.parameters import measuring
from gate.cli.session import load_all, now, progress, report_page
from gate.errors import ExitCode
from gate.reporters import PAGES


@click.command()
@measuring(PAGES)
def doctor(
    *,
    policies: tuple[str, ...],
    at: datetime | None,
    format_: str,
    copies: tuple[tuple[str, str], ...],
    timeout: timedelta,
) -> ExitCode:
    """Ask the live backend of each POLICY whether its SLOs can be trusted, and what to do.

    Exit codes: 0 sound (there may be doubts), 2 faults, 3 something could not be looked at.
    """
    files = load_all(policies)
    with progress(files):
        checkup = examine(files, at=at or now(), timeout=timeout)
    report_page(output(checkup), format_, copies)
    return checkup.exit_code
