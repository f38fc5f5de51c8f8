"""``gate incidents``."""

import click

from gate.analysis.incidents.run import search_incidents
from gate.analysis.incidents.words import output
from gate.cli.incident_search import IncidentSearch, incident_search
from gate.cli.parameters import MeasurementOptions, measurement_options
from gate.errors import ExitCode
from gate.reporters import PAGES


@click.command()
@measurement_options(PAGES)
@incident_search(last="90d")
def incidents(*, measurement: MeasurementOptions, search: IncidentSearch) -> ExitCode:
    """Find the incidents that the SLOs of each POLICY felt, and what they did to the budgets.

    Exit codes: 0 whatever was found, 3 the history of an SLO could not be had, or too
    little of it was seen.
    """
    options = search.options(measurement.instant(), measurement.timeout)
    answer = measurement.ask(lambda files: search_incidents(files, options))
    measurement.report_page(output(answer))
    return answer.exit_code
