"""``gate incidents``."""

from collections.abc import Sequence
from dataclasses import replace

import click

from gate.analysis.incidents import IncidentReport
from gate.analysis.incidents.run import search_incidents
from gate.analysis.incidents.words import output
from gate.cli.incident_search import IncidentSearch, incident_search
from gate.cli.parameters import (
    MeasurementOptions,
    in_period,
    measurement_options,
    period_option,
)
from gate.config.load import PolicyFile
from gate.errors import ExitCode
from gate.reporters import PAGES


@click.command()
@measurement_options(PAGES)
@incident_search(last="90d")
@period_option()
def incidents(
    *, measurement: MeasurementOptions, search: IncidentSearch, period: str | None
) -> ExitCode:
    """Find the incidents that the SLOs of each POLICY felt, and what they did to the budgets.

    Exit codes: 0 whatever was found, 3 the history of an SLO could not be had, or too
    little of it was seen.
    """

    def question(files: Sequence[PolicyFile]) -> IncidentReport:
        looked_at = in_period(files, measurement.instant(), period)
        search_in = replace(search, last=looked_at.look_back(search.last))
        options = search_in.options(looked_at.at, measurement.timeout)
        return search_incidents(looked_at.files, options)

    answer = measurement.ask(question)
    measurement.report_page(output(answer))
    return answer.exit_code
