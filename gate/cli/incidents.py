"""``gate incidents``."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import click

from gate.analysis.incidents import IncidentReport
from gate.analysis.incidents.run import IncidentOptions, search_incidents
from gate.analysis.incidents.words import output
from gate.cli.incident_search import IncidentSearch, incident_search, named_deploy
from gate.cli.parameters import (
    MeasurementOptions,
    in_period,
    measurement_options,
    option,
    period_option,
)
from gate.config.load import PolicyFile
from gate.errors import ExitCode
from gate.reporters import PAGES

DRAFT: Final = "yaml"
"""The format of the draft of a record."""


@click.command()
@measurement_options((*PAGES, DRAFT))
@incident_search(last="90d")
@option(
    "--draft",
    metavar="ID",
    help="Write the record of this incident as YAML, to be filled in, in the place of the report.",
)
@option(
    "--since-deploy",
    metavar="ID",
    help="Compare the failures before and after this deploy: its id or revision in --deploys.",
)
@period_option()
def incidents(
    *,
    measurement: MeasurementOptions,
    search: IncidentSearch,
    draft: str | None,
    since_deploy: str | None,
    period: str | None,
) -> ExitCode:
    """Find the incidents that the SLOs of each POLICY felt, and what they did to the budgets.

    Exit codes: 0 whatever was found, 3 the history of an SLO could not be had, or too
    little of it was seen.
    """
    if draft is None and DRAFT in measurement.formats:
        raise click.UsageError(f"{DRAFT} is the format of a draft; say which with --draft ID")
    others = measurement.formats - {DRAFT, "terminal"}
    if draft is not None and others:
        raise click.UsageError(f"a draft is written as {DRAFT}, not as {min(others)}")

    def question(files: Sequence[PolicyFile]) -> tuple[IncidentReport, IncidentOptions]:
        looked_at = in_period(files, measurement.instant(), period)
        search_in = replace(search, last=looked_at.look_back(search.last))
        options = search_in.options(looked_at.at, measurement.timeout)
        if since_deploy is not None:
            options = replace(options, since=named_deploy(since_deploy, options))
        return search_incidents(looked_at.files, options), options

    answer, options = measurement.ask(question)
    if draft is not None:
        from gate.analysis.incidents.draft import draft_record  # noqa: PLC0415 - with --draft only

        record = draft_record(answer, draft, options.deploys)
        measurement.write_report(lambda _form, _style: record)
        return ExitCode.ALLOW
    measurement.report_page(output(answer))
    return answer.exit_code
