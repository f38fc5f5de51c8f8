"""The options of commands that look for incidents, and the sources of deployments."""

import os
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Final

import click

from gate.analysis.incidents import IncidentOptions
from gate.cli.command import Decorator, Heading, group, option
from gate.cli.history_options import known_incidents_option, last_option, read_known_incidents
from gate.cli.option_values import DURATION, PORTION, RATE
from gate.config.known_incidents import load_deployments
from gate.dataclass import dataclass
from gate.decision.slo_document import rfc3339
from gate.errors import UndecidedError, nearest
from gate.history.records import Deployment

_GITHUB: Final = "github"
_NEEDS: Final = ("GITHUB_REPOSITORY", "GITHUB_TOKEN")


def deployments_from(
    source: str | None, environ: Mapping[str, str], start: datetime
) -> tuple[Deployment, ...]:
    """Return the deployments from a source.

    Args:
        source: a file in JSON Lines, ``github`` or ``github:ENVIRONMENT``; None: no deployments.
        environ: the variables with the repository and the token for GitHub.
        start: GitHub is asked for deployments from this instant on.

    Raises:
        PolicyError: the file cannot be read, or is not valid.
        UsageError: a variable that GitHub needs is not set.
        UndecidedError: GitHub does not answer as it should.
    """
    if source is None:
        return ()
    host, _, environment = source.partition(":")
    if host != _GITHUB:
        return load_deployments(source, environ)
    for name in _NEEDS:
        if not environ.get(name):
            raise click.UsageError(f"--deploys {source} needs the environment variable {name}")
    from gate.hosts.github import URL, GitHub  # noqa: PLC0415 - where it is asked only
    from gate.hosts.github_events import GitHubError  # noqa: PLC0415

    repository, token = (environ[name] for name in _NEEDS)
    try:
        client = GitHub(repository, token, url=environ.get("GITHUB_API_URL") or URL)
        return client.deployments.since(start, environment or None)
    except GitHubError as error:
        raise UndecidedError(f"--deploys {source}: {error}") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentSearch:
    """The options of every command that looks for incidents."""

    last: timedelta
    threshold: Fraction
    min_share: Fraction
    step: timedelta
    known_incidents: tuple[str, ...]
    deploys: str | None

    def options(self, at: datetime, timeout: timedelta) -> IncidentOptions:
        """Return the settings of the search, with the contents of the files that the options name.

        Raises:
            UsageError: the options contradict each other, a file is missing, or GitHub cannot be
                asked.
            PolicyError: a mistake in a file.
        """
        if self.step > self.last:
            raise click.UsageError("--step must not be longer than --last")
        return IncidentOptions(
            at=at,
            last=self.last,
            step=self.step,
            threshold=self.threshold,
            min_share=self.min_share,
            timeout=timeout,
            records=read_known_incidents(self.known_incidents),
            deploys=deployments_from(self.deploys, os.environ, at - self.last),
        )


def named_deploy(name: str, options: IncidentOptions, services: Collection[str]) -> Deployment:
    """Return the deploy with this id or revision, the newest if there are several.

    Args:
        name: the id or revision as the user wrote it.
        options: the settings with the deploys of any service.
        services: the services of the policies; a revision may have been deployed to others, too.

    Raises:
        UsageError: no deploy of these services within --last has this name.
    """
    what = f"--since-deploy {name}"
    if not options.deploys:
        raise click.UsageError(f"{what}: there are no deploys; name their source with --deploys")
    span = options.span
    named = [deploy for deploy in options.deploys if deploy.is_named(name)]
    if not named:
        names = [deploy.id or deploy.revision for deploy in options.deploys]
        raise click.UsageError(f"{what}: no deploy has this id or revision{nearest(name, names)}")
    others = sorted({deploy.service for deploy in named if deploy.service is not None})
    named = [deploy for deploy in named if deploy.service in {None, *services}]
    if not named:
        raise click.UsageError(
            f"{what}: it is a deploy of {', '.join(others)}, and the policy is of"
            f" {', '.join(services)}; name the policy of that service"
        )
    within = [deploy for deploy in named if span.start < deploy.time <= span.end]
    if not within:
        when = rfc3339(named[-1].time)
        raise click.UsageError(f"{what}: it was at {when}, before the time of --last")
    return max(within, key=lambda deploy: deploy.time)


def incident_search(last: str) -> Decorator:
    """Add `IncidentSearch` to a command as its argument ``search``; ``last`` is the default."""
    decorators = [
        last_option(last),
        option(
            "--threshold",
            type=RATE,
            default="6",
            show_default=True,
            heading=Heading.INCIDENTS,
            help="Burn rate at which an incident begins; it ends below half of it.",
        ),
        option(
            "--min-share",
            type=PORTION,
            default="2%",
            show_default=True,
            heading=Heading.INCIDENTS,
            help="Hide incidents that cost less than this share of a budget, such as 2%; their"
            " total is still shown.",
            formerly="--least",
        ),
        option(
            "--step",
            type=DURATION,
            default="5m",
            show_default=True,
            heading=Heading.HISTORY,
            help="Length of one step of the history, a duration such as 5m.",
        ),
        known_incidents_option(
            "Records of known incidents: a file, a folder, or a glob in quotes. Can be repeated."
        ),
        option(
            "--deploys",
            metavar="SOURCE",
            heading=Heading.INCIDENTS,
            help="Source of deploys; those before an incident are shown: a file"
            " in JSON Lines, github, or github:ENVIRONMENT.",
        ),
    ]
    return group("search", IncidentSearch, decorators)
