"""``gate backtest``."""

from dataclasses import replace
from datetime import timedelta
from typing import Final

import click

from gate.analysis.backtest.run import by_default, replay
from gate.analysis.backtest.words import output
from gate.cli.command import FILE, Heading, command, group, option
from gate.cli.incident_search import IncidentSearch, incident_search
from gate.cli.job_options import met_option
from gate.cli.option_values import DURATION
from gate.cli.parameters import MeasurementOptions, measurement_options
from gate.cli.session import load_all
from gate.dataclass import dataclass
from gate.errors import ExitCode
from gate.reporters import PAGES

_SHORTEST: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """The question for each instant, and the interval between instants."""

    every: timedelta | None
    change: str | None
    satisfied: tuple[tuple[str, str], ...]
    against: str | None


_TRIAL: Final = (
    option(
        "--every",
        type=DURATION,
        heading=Heading.CHANGE,
        help="How often to judge a change by the clock, a duration such as 1h. With --deploys this"
        " is in addition to them, and shows how long changes were blocked. Default: 1h without"
        " --deploys.",
    ),
    option(
        "--change",
        metavar="CLASS",
        heading=Heading.CHANGE,
        help="Class of the changes that state none, such as canary. Default: the policy's default.",
    ),
    met_option("A requirement that was met all the time: shadow=URL. Can be repeated."),
    option(
        "--against",
        metavar="POLICY",
        type=FILE,
        heading=Heading.POLICY,
        help="Another policy file to compare this one with.",
    ),
)


@command(
    example=(
        "gate backtest --last 30d --every 1h",
        "gate backtest --deploys deploys.jsonl --against stricter.yaml",
    )
)
@measurement_options(PAGES, timeout="15m")
@incident_search(last="90d")
@group("trial", Trial, _TRIAL)
def backtest(*, measurement: MeasurementOptions, search: IncidentSearch, trial: Trial) -> ExitCode:
    """Show what each POLICY would have said of past deploys, or every hour, and what followed.

    Each verdict is the one of gate check at that time. Try a policy like this before it blocks.

    Exit codes: 0 whatever was found, 3 the history of an SLO, or much of the past, could not be
    measured.
    """
    if trial.every is not None and trial.every < _SHORTEST:
        raise click.UsageError("--every must be at least 1m")
    if trial.against is not None and len(measurement.policies) > 1:
        raise click.UsageError("--against can be used with one POLICY only")
    (against,) = (
        (None,)
        if trial.against is None
        else load_all([trial.against], max_scan=measurement.max_scan)
    )
    incidents = search.options(measurement.instant(), measurement.timeout)
    options = replace(
        by_default(incidents, by_deploys=search.deploys is not None, every=trial.every),
        change=trial.change,
        satisfied=dict(trial.satisfied),
    )
    report = measurement.ask(lambda files: replay(files, options, against))
    measurement.report_page(output(report))
    return report.exit_code
