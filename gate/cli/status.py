"""``gate status``."""

from collections.abc import Sequence

from gate.check.options import Options
from gate.check.run import run_status
from gate.cli.command import Heading, command, option
from gate.cli.history_options import in_period, period_option
from gate.cli.parameters import MeasurementOptions, measurement_options
from gate.config.load import PolicyFile
from gate.decision.status import Status
from gate.errors import ExitCode
from gate.reporters import PAGES
from gate.reporters.decision_page import status_output


@command(example=("gate status", "gate status gate.yaml --at 2026-11-20T14:00:00Z -o status.md"))
@measurement_options(PAGES)
@option(
    "--burn-down/--no-burn-down",
    default=True,
    show_default=True,
    heading=Heading.OUTPUT,
    help="Show how each budget went down over time; this takes one more round of queries.",
)
@period_option()
def status(*, measurement: MeasurementOptions, burn_down: bool, period: str | None) -> ExitCode:
    """Show the budget, burn rates, coverage and forecast of every SLO of each POLICY.

    There is no verdict; gate check decides.

    Exit codes: 0 whatever the budgets are, 3 a budget could not be measured, or was measured less
    well than on in the policy requires.
    """

    def question(files: Sequence[PolicyFile]) -> Status:
        looked_at = in_period(files, measurement.instant(), period)
        options = Options(at=looked_at.at, timeout=measurement.timeout)
        return run_status(looked_at.files, options, with_burn_downs=burn_down)

    budgets = measurement.ask(question)
    measurement.report_page(status_output(budgets))
    return budgets.exit_code
