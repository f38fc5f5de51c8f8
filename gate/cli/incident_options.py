"""What ``gate incidents`` and ``gate report`` ask of a history, and where deployments come from."""

import os
from collections.abc import Mapping
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Final

import click

from gate.analysis.incidents.run import IncidentOptions
from gate.config.known_incidents import load_deploys, load_known
from gate.history.records import Deployment

_GITHUB: Final = "github"


_NEEDS: Final = ("GITHUB_REPOSITORY", "GITHUB_TOKEN")


def deploys_from(
    source: str | None, environ: Mapping[str, str], start: datetime
) -> tuple[Deployment, ...]:
    """Return what went live.

    Args:
        source: a file in JSON Lines, ``github`` or ``github:ENVIRONMENT``; None: nothing is known.
        environ: says which repository GitHub is asked about, and with which token.
        start: GitHub is asked about what went live from here on.

    Raises:
        PolicyError: the file cannot be read or says something wrong.
        UsageError: GitHub cannot be asked, or does not answer as it should.
    """
    if source is None:
        return ()
    host, _, environment = source.partition(":")
    if host != _GITHUB:
        return load_deploys(source, environ)
    for name in _NEEDS:
        if not environ.get(name):
            raise click.UsageError(f"--deploys {source}: {name} is not set")
    from gate.hosts.github import URL, GitHub  # noqa: PLC0415 - where it is asked only
    from gate.hosts.github_events import GitHubError  # noqa: PLC0415

    repository, token = (environ[name] for name in _NEEDS)
    try:
        client = GitHub(repository, token, url=environ.get("GITHUB_API_URL") or URL)
        return client.deployments.since(start, environment or None)
    except GitHubError as error:
        raise click.UsageError(f"--deploys {source}: {error}") from error


def search_for(
    *,
    at: datetime,
    timeout: timedelta,
    last: timedelta,
    threshold: Fraction,
    least: Fraction,
    step: timedelta,
    known: tuple[str, ...],
    deploys: str | None,
) -> IncidentOptions:
    """Return what to look for, with the files read that the options name.

    Raises:
        UsageError: the options contradict each other, or no file is there, or GitHub cannot
            be asked.
        PolicyError: a mistake in a file.
    """
    if step > last:
        raise click.UsageError("--step is longer than --last")
    return IncidentOptions(
        at=at,
        last=last,
        step=step,
        threshold=threshold,
        least=least,
        timeout=timeout,
        records=load_known(known, os.environ),
        deploys=deploys_from(deploys, os.environ, at - last),
    )
