"""``gate incidents``."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import click

from gate.analysis.incidents import IncidentOptions, IncidentReport
from gate.analysis.incidents.run import search_incidents
from gate.analysis.incidents.words import output
from gate.cli.command import Heading, command, option
from gate.cli.history_options import in_period, period_option
from gate.cli.incident_search import IncidentSearch, incident_search, named_deploy
from gate.cli.parameters import MeasurementOptions, measurement_options
from gate.config.load import PolicyFile
from gate.errors import ExitCode
from gate.reporters import PAGES

DRAFT: Final = "yaml"
"""The format of the draft of a record."""


@command(
    example=(
        "gate incidents --last 30d --deploys deploys.jsonl",
        "gate incidents --draft chat-20261120-1400 -o incidents/2026-11-20.yaml",
    )
)
@measurement_options((*PAGES, DRAFT))
@incident_search(last="90d")
@option(
    "--draft",
    metavar="ID",
    heading=Heading.INCIDENTS,
    help="Write a record of this incident as YAML to be filled in, instead of the report.",
)
@option(
    "--since-deploy",
    metavar="ID",
    heading=Heading.INCIDENTS,
    help="Compare the failures before and after this deploy, named by its id or revision in"
    " --deploys.",
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
    """Find the incidents that used up the budgets of each POLICY, how often and how long.

    Exit codes: 0 whatever was found, 3 the history of an SLO could not be measured, or too little
    of it.
    """
    if draft is None and DRAFT in measurement.report.formats:
        raise click.UsageError(
            f"{DRAFT} is the format of a draft; name the incident with --draft ID"
        )
    others = measurement.report.formats - {DRAFT, "terminal"}
    if draft is not None and others:
        raise click.UsageError(f"a draft is written as {DRAFT}, not as {min(others)}")

    def question(files: Sequence[PolicyFile]) -> tuple[IncidentReport, IncidentOptions]:
        looked_at = in_period(files, measurement.instant(), period)
        search_in = replace(search, last=looked_at.look_back(search.last))
        options = search_in.options(looked_at.at, measurement.timeout)
        if since_deploy is not None:
            services = [file.policy.service for file in files]
            options = replace(options, since=named_deploy(since_deploy, options, services))
        return search_incidents(looked_at.files, options), options

    answer, options = measurement.ask(question)
    if draft is not None:
        from gate.analysis.incidents.draft import draft_record  # noqa: PLC0415 - with --draft only

        record = draft_record(answer, draft, options.deploys)
        measurement.report.write(lambda _form, _style: record)
        return ExitCode.ALLOW
    measurement.report_page(output(answer))
    return answer.exit_code
