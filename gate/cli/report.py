"""``gate report``."""

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import click

from gate.analysis.backtest.run import by_default
from gate.analysis.cohorts.measure import CohortOptions
from gate.analysis.incidents import IncidentOptions
from gate.analysis.report import Report
from gate.analysis.report.run import gather_report
from gate.analysis.report.words import FORMATS, render_report
from gate.check.options import Options
from gate.cli.command import Heading, command, group, option
from gate.cli.history_options import in_period, period_option
from gate.cli.incident_search import IncidentSearch, incident_search
from gate.cli.parameters import MeasurementOptions, ReportOptions, measurement_options
from gate.cli.session import Render
from gate.cli.streams import write_note
from gate.config.load import PolicyFile
from gate.dataclass import dataclass
from gate.errors import ExitCode
from gate.reporters.ansi import Style


@dataclass(frozen=True, slots=True, kw_only=True)
class CohortBreakdown:
    """The labels by which the report groups events."""

    by: str | None
    stratify_by: str | None

    def options(self, incidents: IncidentOptions) -> CohortOptions | None:
        """Return the comparison, over each SLO's own window; None: no comparison.

        Raises:
            UsageError: the options contradict each other.
        """
        if self.by is None:
            if self.stratify_by is not None:
                raise click.UsageError("--stratify-by needs --by")
            return None
        if self.by == self.stratify_by:
            raise click.UsageError("--stratify-by must name another label than --by")
        return CohortOptions(
            at=incidents.at,
            by=self.by,
            stratify_by=self.stratify_by,
            timeout=incidents.timeout,
        )


_PAGE: Final = "gate-report.html"
"""The file that a page is written to if stdout is a terminal."""
_BREAKDOWN: Final = (
    option(
        "--by",
        metavar="LABEL",
        heading=Heading.COHORTS,
        help="Also show whose events use up the budgets, grouped by this label (logs: a column or"
        " an SQL expression).",
    ),
    option(
        "--stratify-by",
        metavar="LABEL",
        heading=Heading.COHORTS,
        help="With --by, compare like with like: only events with the same value of this second"
        " label.",
        formerly="--within",
    ),
)


@command(
    example=(
        "gate report -o report.html",
        "gate report --last 90d --deploys deploys.jsonl --by model",
    )
)
@measurement_options(FORMATS, default="html")
@incident_search(last="30d")
@period_option()
@option(
    "--change",
    metavar="CLASS",
    heading=Heading.POLICY,
    help="Also decide on a change of this class, such as canary.",
)
@group("breakdown", CohortBreakdown, _BREAKDOWN)
@option(
    "--backtest",
    is_flag=True,
    heading=Heading.POLICY,
    help="Also show what the policy would have decided on the --deploys, or without them every"
    " hour.",
)
def report(
    *,
    measurement: MeasurementOptions,
    search: IncidentSearch,
    period: str | None,
    change: str | None,
    breakdown: CohortBreakdown,
    backtest: bool,
) -> ExitCode:
    """Write an HTML report of what happened to the budgets of each POLICY.

    In a terminal the page is written to gate-report.html, unless -o names another file; a pipe gets
    it on stdout.

    Exit codes: 0 whatever the budgets and the verdict are, 3 a budget or a history could not be
    measured, as the report says in place of its chart.
    """

    def question(files: Sequence[PolicyFile]) -> Report:
        looked_at = in_period(files, measurement.instant(), period)
        search_in = replace(search, last=looked_at.look_back(search.last))
        incidents = search_in.options(looked_at.at, measurement.timeout)
        groups = breakdown.options(incidents)
        options = Options(
            at=incidents.at, timeout=incidents.timeout, change=change, change_from="--change"
        )
        past = by_default(incidents, by_deploys=search.deploys is not None) if backtest else None
        gathered = gather_report(looked_at.files, options, incidents, groups, past)
        return replace(gathered, period=looked_at.span)

    page = measurement.ask(question)

    def render(name: str, style: Style) -> str:
        return render_report(name, page, style)

    _write(measurement.report, render)
    return page.exit_code


def _write(report: ReportOptions, render: Render) -> None:
    """Write the report; a page of HTML is for a browser, and is never written to a terminal."""
    by_itself = report.output is None and report.format_ == "html" and sys.stdout.isatty()
    if by_itself:
        report = replace(report, output=_PAGE)
    if report.write(render) and by_itself:
        write_note(f"open it in a browser: {Path(_PAGE).resolve().as_uri()}")
