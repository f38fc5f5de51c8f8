"""``gate review``."""

import click

from gate.analysis.review.run import ReviewOptions, review_objectives
from gate.analysis.review.words import output
from gate.cli.command import Heading, command, option
from gate.cli.parameters import MeasurementOptions, measurement_options
from gate.errors import ExitCode
from gate.reporters import PAGES


@command(example=("gate review --periods 12",))
@measurement_options(PAGES)
@option(
    "--periods",
    type=click.IntRange(1, 100),
    default=6,
    show_default=True,
    heading=Heading.HISTORY,
    help="Number of past windows to look at, each as long as the SLO's own window.",
)
def review(*, measurement: MeasurementOptions, periods: int) -> ExitCode:
    """Review the objectives of each POLICY: too strict, too loose, or about right.

    Exit codes: 0 whatever was found, 3 an SLO could not be reviewed.
    """
    at, timeout = measurement.instant(), measurement.timeout
    options = ReviewOptions(at=at, periods=periods, timeout=timeout)
    answer = measurement.ask(lambda files: review_objectives(files, options))
    measurement.report_page(output(answer))
    return answer.exit_code
