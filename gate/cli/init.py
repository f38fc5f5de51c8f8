"""``gate init``."""

from pathlib import Path
from string import Template

import click

from gate.cli.starters import BACKENDS, HEAD, RULES, SERVERS
from gate.cli.streams import tell
from gate.errors import ExitCode, UsageError


@click.command()
@click.argument("file", default="policies/gate.yaml", type=click.Path(dir_okay=False))
@click.option("--service", default="my-service", show_default=True, help="The service that ships.")
@click.option(
    "--backend", type=click.Choice(tuple(BACKENDS)), default="prometheus", show_default=True
)
@click.option(
    "--server",
    type=click.Choice(tuple(SERVERS)),
    default="http",
    show_default=True,
    help="What serves the requests; chooses the metrics. For the prometheus backend.",
)
@click.option("--force", is_flag=True, help="Overwrite the file.")
def init(*, file: str, service: str, backend: str, server: str, force: bool) -> ExitCode:
    """Write a first policy with comments to FILE (default: policies/gate.yaml)."""
    path = Path(file)
    if path.exists() and not force:
        raise UsageError(f"{file} is there already; --force overwrites it")
    slos = SERVERS[server] if backend == "prometheus" else BACKENDS[backend].slos
    text = Template(HEAD + BACKENDS[backend].block + slos + RULES).substitute(service=service)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{file} could not be written: {error.strerror}") from error
    tell(f"wrote {file}; next: {BACKENDS[backend].advice}, then gate check {file} --change canary")
    return ExitCode.ALLOW
