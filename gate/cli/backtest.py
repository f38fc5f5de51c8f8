"""``gate backtest``."""

from dataclasses import replace
from datetime import timedelta
from typing import Final

import click

from gate.analysis.backtest.run import by_default, replay
from gate.analysis.backtest.words import output
from gate.cli.incident_search import IncidentSearch, incident_search
from gate.cli.parameters import (
    DURATION,
    MeasurementOptions,
    Parsed,
    group,
    measurement_options,
    option,
    pair_of,
)
from gate.cli.session import load_all
from gate.dataclass import dataclass
from gate.errors import ExitCode
from gate.reporters import PAGES

_SHORTEST: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What is asked at each instant, and how often."""

    every: timedelta | None
    change: str | None
    satisfied: tuple[tuple[str, str], ...]
    against: str | None


_TRIAL: Final = (
    option(
        "--every",
        type=DURATION,
        help="Ask each policy so often by the clock, also beside --deploys, where it is for the"
        " frozen time. Default: 1h without --deploys.",
    ),
    option(
        "--change",
        metavar="CLASS",
        help="The class of changes that state none. Default: the policy's default.",
    ),
    option(
        "--met",
        "satisfied",
        formerly="--satisfied",
        type=Parsed("name=evidence", pair_of),
        multiple=True,
        help="A requirement that was met all the time: shadow=URL. Can be repeated.",
    ),
    option("--against", metavar="POLICY", help="Another policy, to put beside this one."),
)


@click.command()
@measurement_options(PAGES, timeout="15m")
@incident_search(last="90d")
@group("trial", Trial, _TRIAL)
def backtest(*, measurement: MeasurementOptions, search: IncidentSearch, trial: Trial) -> ExitCode:
    """Tell what each POLICY would have said of past deploys, or in every hour, and what followed.

    Each verdict is that of gate check at that instant. Try a policy like this before it blocks.

    Exit codes: 0 whatever was found, 3 much of the past, or the history of an SLO, could not be
    measured.
    """
    if trial.every is not None and trial.every < _SHORTEST:
        raise click.UsageError("--every is shorter than 1m")
    if trial.against is not None and len(measurement.policies) > 1:
        raise click.UsageError("--against goes with one POLICY")
    (against,) = (None,) if trial.against is None else load_all([trial.against])
    incidents = search.options(measurement.instant(), measurement.timeout)
    options = replace(
        by_default(incidents, by_deploys=search.deploys is not None, every=trial.every),
        change=trial.change,
        satisfied=dict(trial.satisfied),
    )
    report = measurement.ask(lambda files: replay(files, options, against))
    measurement.report_page(output(report))
    return report.exit_code
