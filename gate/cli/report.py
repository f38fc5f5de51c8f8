"""``gate report``."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import click

from gate.analysis.backtest.run import by_default
from gate.analysis.cohorts.measure import CohortOptions
from gate.analysis.incidents.run import IncidentOptions
from gate.analysis.report import Report
from gate.analysis.report.run import gather_report
from gate.analysis.report.words import FORMATS, render_report
from gate.check.options import Options
from gate.cli.incident_search import IncidentSearch, incident_search
from gate.cli.parameters import (
    MeasurementOptions,
    group,
    in_period,
    measurement_options,
    option,
    period_option,
)
from gate.cli.session import FILE_STYLE, write_copies
from gate.cli.streams import create_file
from gate.config.load import PolicyFile
from gate.dataclass import dataclass
from gate.errors import ExitCode, UsageError
from gate.reporters.ansi import Style


@dataclass(frozen=True, slots=True, kw_only=True)
class CohortBreakdown:
    """What events are told apart by, beside the rest of the report."""

    by: str | None
    stratify_by: str | None

    def options(self, incidents: IncidentOptions) -> CohortOptions | None:
        """Return what to compare, over each SLO's own window; None: nothing.

        Raises:
            UsageError: the options do not go together.
        """
        if self.by is None:
            if self.stratify_by is not None:
                raise click.UsageError("--stratify-by goes with --by")
            return None
        if self.by == self.stratify_by:
            raise click.UsageError("--stratify-by needs another label than --by")
        return CohortOptions(
            at=incidents.at,
            by=self.by,
            stratify_by=self.stratify_by,
            timeout=incidents.timeout,
        )


_BREAKDOWN: Final = (
    option("--by", metavar="LABEL", help="Also tell whose events burn the budgets: by this."),
    option(
        "--stratify-by",
        metavar="LABEL",
        help="With --by: compare like with like by this one.",
        formerly="--within",
    ),
)


@click.command()
@measurement_options(FORMATS, default="html")
@incident_search(last="30d")
@period_option()
@option("--change", metavar="CLASS", help="Also decide on a change of this class.")
@group("breakdown", CohortBreakdown, _BREAKDOWN)
@option(
    "--backtest",
    is_flag=True,
    help="Also tell what the policy would have said: of the --deploys, or without them in every"
    " hour.",
)
@option("-o", "target", metavar="FILE", help="Where the report goes; default: stdout.")
def report(
    *,
    measurement: MeasurementOptions,
    search: IncidentSearch,
    period: str | None,
    change: str | None,
    breakdown: CohortBreakdown,
    backtest: bool,
    target: str | None,
) -> ExitCode:
    """Show what happened to the budgets of each POLICY, on a page to look at and to hand on.

    Exit codes: 0 whatever the budgets and the verdict are, 3 a budget or a history could not be
    measured, which the report says in the place of the picture.
    """
    if target is not None:
        _check_place(Path(target))

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

    if target is None:
        measurement.write_report(render)
    else:
        write_copies(render, measurement.copies)
        _write(Path(target), render(measurement.format_, FILE_STYLE))
    return page.exit_code


def _check_place(target: Path) -> None:
    """Tell before a backend is asked that the report could not be written there."""
    if target.is_dir():
        raise UsageError(f"-o {target}: this is a folder; name a file in it")
    if not target.parent.is_dir():
        raise UsageError(f"-o {target}: there is no folder {target.parent}")


def _write(target: Path, text: str) -> None:
    """Write what was asked for; that it cannot be is an error, other than with a copy."""
    try:
        create_file(target, text)
    except OSError as error:
        raise UsageError(f"-o {target}: it could not be written: {error.strerror}") from error
