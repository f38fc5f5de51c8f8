"""``gate review``."""

import click

from gate.analysis.review.run import ReviewOptions, review_objectives
from gate.analysis.review.words import output
from gate.cli.parameters import MeasurementOptions, measurement_options, option
from gate.errors import ExitCode
from gate.reporters import PAGES


@click.command()
@measurement_options(PAGES)
@option(
    "--periods",
    type=click.IntRange(1, 100),
    default=6,
    show_default=True,
    help="How many past windows to look at, each of the SLO's own length.",
)
def review(*, measurement: MeasurementOptions, periods: int) -> ExitCode:
    """Look back at the objectives of each POLICY: too strict, too loose, or about right.

    Exit codes: 0 whatever is found, 3 nothing can be said of an SLO.
    """
    at, timeout = measurement.instant(), measurement.timeout
    options = ReviewOptions(at=at, periods=periods, timeout=timeout)
    answer = measurement.ask(lambda files: review_objectives(files, options))
    measurement.report_page(output(answer))
    return answer.exit_code
