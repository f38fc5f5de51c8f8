"""``gate doctor``."""

from gate.analysis.doctor.run import examine
from gate.analysis.doctor.words import output
from gate.cli.command import command
from gate.cli.parameters import MeasurementOptions, measurement_options
from gate.errors import ExitCode
from gate.reporters import PAGES


@command(example=("gate doctor",))
@measurement_options(PAGES)
def doctor(*, measurement: MeasurementOptions) -> ExitCode:
    """Ask the backend of each POLICY whether its SLOs can be trusted, and what to fix.

    Exit codes: 0 sound (there may be doubts), 3 a check was not possible (with or without faults),
    12 faults were found.
    """
    at, timeout = measurement.instant(), measurement.timeout
    checkup = measurement.ask(lambda files: examine(files, at=at, timeout=timeout))
    measurement.report_page(output(checkup))
    return checkup.exit_code
