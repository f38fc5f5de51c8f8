"""``gate cohorts``."""

from datetime import timedelta

import click

from gate.analysis.cohorts.measure import SHORTEST, CohortOptions
from gate.analysis.cohorts.run import compare_cohorts
from gate.analysis.cohorts.words import output
from gate.cli.command import Heading, command, option
from gate.cli.option_values import DURATION
from gate.cli.parameters import MeasurementOptions, measurement_options
from gate.errors import ExitCode
from gate.reporters import PAGES
from gate.slo.quantities import format_duration


@command(example=("gate cohorts --by prompt_template --last 24h",))
@measurement_options(PAGES)
@option(
    "--by",
    metavar="LABEL",
    required=True,
    heading=Heading.COHORTS,
    help="Group events by this label (logs: a column or an SQL expression).",
)
@option(
    "--baseline",
    metavar="VALUE",
    heading=Heading.COHORTS,
    help="Compare the other groups with this one, instead of each with the rest.",
    formerly="--against",
)
@option(
    "--stratify-by",
    metavar="LABEL",
    heading=Heading.COHORTS,
    help="Compare like with like: only events with the same value of this second label.",
    formerly="--within",
)
@option(
    "--last",
    type=DURATION,
    heading=Heading.HISTORY,
    help="How far to look back, a duration such as 24h. Default: each SLO's own window.",
)
@option(
    "--slo",
    "slos",
    metavar="NAME",
    multiple=True,
    heading=Heading.COHORTS,
    help="Look at this SLO only. Can be repeated.",
)
@option(
    "--top",
    type=click.IntRange(min=1),
    default=20,
    show_default=True,
    heading=Heading.COHORTS,
    help="Compare this many values, those with the most events; group the rest.",
)
def cohorts(
    *,
    measurement: MeasurementOptions,
    by: str,
    baseline: str | None,
    stratify_by: str | None,
    last: timedelta | None,
    slos: tuple[str, ...],
    top: int,
) -> ExitCode:
    """Show which prompts, models or tenants are using up the budgets of each POLICY.

    Exit codes: 0 whatever was found, 3 an SLO could not be measured by group, or too little of it.
    """
    if "" in {by, stratify_by}:
        raise click.UsageError("--by and --stratify-by need the name of a label")
    if last is not None and last < SHORTEST:
        raise click.UsageError(f"--last is shorter than {format_duration(SHORTEST)}")
    if by == stratify_by:
        raise click.UsageError("--stratify-by must name another label than --by")
    options = CohortOptions(
        at=measurement.instant(),
        by=by,
        stratify_by=stratify_by,
        baseline=baseline,
        last=last,
        slos=slos,
        top=top,
        timeout=measurement.timeout,
    )
    answer = measurement.ask(lambda files: compare_cohorts(files, options))
    measurement.report_page(output(answer))
    return answer.exit_code
