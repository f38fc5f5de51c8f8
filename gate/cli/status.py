"""``gate status``."""

import click

from gate.check.options import Options
from gate.check.run import run_status
from gate.cli.parameters import MeasurementOptions, measurement_options, option
from gate.errors import ExitCode
from gate.reporters import PAGES
from gate.reporters.decision_page import status_output


@click.command()
@measurement_options(PAGES)
@option(
    "--burn-down/--no-burn-down",
    default=True,
    show_default=True,
    help="Show how each budget came down, which costs one more round of queries.",
)
def status(*, measurement: MeasurementOptions, burn_down: bool) -> ExitCode:
    """Show the budget, burn rates, coverage and forecast of every SLO of each POLICY.

    There is no verdict. Exit codes: 0 whatever the budgets are, 3 one could not be measured, or
    not well enough by the policy's on. To decide, use gate check.
    """
    options = Options(at=measurement.instant(), timeout=measurement.timeout)
    budgets = measurement.ask(lambda files: run_status(files, options, with_burn_downs=burn_down))
    measurement.report_page(status_output(budgets))
    return budgets.exit_code
