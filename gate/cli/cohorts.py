"""``gate cohorts``."""

from datetime import timedelta

import click

from gate.analysis.cohorts.measure import SHORTEST, CohortOptions
from gate.analysis.cohorts.run import compare_cohorts
from gate.analysis.cohorts.words import output
from gate.cli.parameters import DURATION, MeasurementOptions, measurement_options, option
from gate.errors import ExitCode
from gate.reporters import PAGES
from gate.slo.quantities import format_duration


@click.command()
@measurement_options(PAGES)
@option(
    "--by",
    metavar="LABEL",
    required=True,
    help="What events are told apart by: a label, or in logs a column or expression.",
)
@option(
    "--baseline",
    metavar="VALUE",
    help="Compare the others with this one, not each with the rest.",
    formerly="--against",
)
@option(
    "--stratify-by",
    metavar="LABEL",
    help="Compare like with like: only events with the same value of this second label.",
    formerly="--within",
)
@option(
    "--last", type=DURATION, help="How far to look back; without it, as far as each SLO's window."
)
@option("--slo", "slos", metavar="NAME", multiple=True, help="Only this SLO. Can be repeated.")
@option(
    "--top",
    type=click.IntRange(min=1),
    default=20,
    show_default=True,
    help="So many values, the busiest, are told apart; the others are one group.",
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
    """Tell whose events burn the budgets of each POLICY: by template, model, tenant.

    Exit codes: 0 whatever was found, 3 an SLO could not be measured by group, or too
    little of it was seen.
    """
    if "" in {by, stratify_by}:
        raise click.UsageError("--by and --stratify-by need a name")
    if last is not None and last < SHORTEST:
        raise click.UsageError(f"--last is shorter than {format_duration(SHORTEST)}")
    if by == stratify_by:
        raise click.UsageError("--stratify-by needs another label than --by")
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
