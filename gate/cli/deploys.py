"""Where deploys come from: a file, or GitHub."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

import click

from gate.budget.explained import Deploy
from gate.config.known_incidents import load_deploys

_GITHUB: Final = "github"
_NEEDS: Final = ("GITHUB_REPOSITORY", "GITHUB_TOKEN")


def deploys_from(
    source: str | None, environ: Mapping[str, str], start: datetime
) -> tuple[Deploy, ...]:
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
    from gate.ci.github import URL, GitHub  # noqa: PLC0415 - where it is asked only
    from gate.ci.github_path import GitHubError  # noqa: PLC0415

    repository, token = (environ[name] for name in _NEEDS)
    try:
        client = GitHub(repository, token, url=environ.get("GITHUB_API_URL") or URL)
        return client.deployments.since(start, environment or None)
    except GitHubError as error:
        raise click.UsageError(f"--deploys {source}: {error}") from error
