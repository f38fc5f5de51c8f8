"""``gate doctor``."""

import click

from gate.analysis.doctor import examine
from gate.analysis.doctor.words import output
from gate.cli.parameters import MeasurementOptions, measurement_options
from gate.errors import ExitCode
from gate.reporters import PAGES


@click.command()
@measurement_options(PAGES)
def doctor(*, measurement: MeasurementOptions) -> ExitCode:
    """Ask the live backend of each POLICY whether its SLOs can be trusted, and what to do.

    Exit codes: 0 sound (there may be doubts), 2 faults, 3 something could not be looked at.
    """
    at, timeout = measurement.instant(), measurement.timeout
    checkup = measurement.ask(lambda files: examine(files, at=at, timeout=timeout))
    measurement.report_page(output(checkup))
    return checkup.exit_code
