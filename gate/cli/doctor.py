"""``gate doctor``."""

import click

from gate.analysis.doctor.run import examine
from gate.cli.parameters import MeasurementOptions, measurement_options
from gate.errors import ExitCode
from gate.reporters import CHECKUP_REPORTERS, render_checkup


@click.command()
@measurement_options(CHECKUP_REPORTERS)
def doctor(*, measurement: MeasurementOptions) -> ExitCode:
    """Ask the live backend of each POLICY whether its SLOs can be trusted, and what to do.

    Exit codes: 0 sound (there may be doubts), 2 faults, 3 something could not be looked at.
    """
    at, timeout = measurement.instant(), measurement.timeout
    checkup = measurement.ask(lambda files: examine(files, at=at, timeout=timeout))
    measurement.report(lambda name, style: render_checkup(name, checkup, style))
    return checkup.exit_code
