"""``gate report``."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import click

from gate.analysis.cohorts.measure import CohortOptions
from gate.analysis.incidents.run import IncidentOptions
from gate.analysis.report.run import gather_report
from gate.analysis.report.words import FORMATS, render_report
from gate.check.options import Options
from gate.cli.incident_options import search_for
from gate.cli.parameters import looking_back, measuring
from gate.cli.session import FILE_STYLE, load_all, now, progress, write_copies
from gate.cli.session import report as write_report
from gate.errors import ExitCode, UsageError
from gate.reporters.ansi import Style


@click.command()
@measuring(FORMATS, default="html")
@looking_back(last="30d")
@click.option("--change", metavar="CLASS", help="Also decide on a change of this class.")
@click.option("--by", metavar="LABEL", help="Also tell whose events burn the budgets: by this.")
@click.option("--within", metavar="LABEL", help="With --by: compare like with like by this one.")
@click.option("-o", "target", metavar="FILE", help="Where the report goes; default: stdout.")
def report(
    *,
    policies: tuple[str, ...],
    at: datetime | None,
    format_: str,
    copies: tuple[tuple[str, str], ...],
    timeout: timedelta,
    change: str | None,
    by: str | None,
    within: str | None,
    target: str | None,
    **looking: Any,
) -> ExitCode:
    """Show what happened to the budgets of each POLICY, on a page to look at and to hand on.

    Exit codes: 0 whatever the budgets and the verdict are, 3 a budget or a history could not be
    measured, which the report says in the place of the picture.
    """
    if target is not None:
        _check_place(Path(target))
    asked = search_for(at=at or now(), timeout=timeout, **looking)
    groups = _groups(asked, by, within)
    files = load_all(policies)
    with progress(files):
        options = Options(at=asked.at, timeout=timeout, change=change, change_from="--change")
        found = gather_report(files, options, asked, groups)

    def render(name: str, style: Style) -> str:
        return render_report(name, found, style)

    if target is None:
        write_report(render, format_, copies)
    else:
        write_copies(render, copies)
        _write(Path(target), render(format_, FILE_STYLE))
    return found.exit_code


def _groups(asked: IncidentOptions, by: str | None, within: str | None) -> CohortOptions | None:
    """Return what to tell events apart by, over each SLO's own window; None: by nothing."""
    if by is None:
        if within is not None:
            raise click.UsageError("--within goes with --by")
        return None
    if by == within:
        raise click.UsageError("--within needs another label than --by")
    return CohortOptions(at=asked.at, by=by, within=within, timeout=asked.timeout)


def _check_place(target: Path) -> None:
    """Tell before a backend is asked that the report could not be written there."""
    if target.is_dir():
        raise UsageError(f"-o {target}: this is a folder; name a file in it")
    if not target.parent.is_dir():
        raise UsageError(f"-o {target}: there is no folder {target.parent}")


def _write(target: Path, text: str) -> None:
    """Write what was asked for; that it cannot be is an error, other than with a copy."""
    try:
        target.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"-o {target}: it could not be written: {error.strerror}") from error
