"""``gate init``."""

from pathlib import Path
from string import Template

import click

from gate.cli.starters import BACKENDS, HEAD, RULES, block_of, slos_of
from gate.cli.streams import tell
from gate.config.presets import load_preset, preset_names
from gate.errors import ExitCode, UsageError


@click.command()
@click.argument("file", default="policies/gate.yaml", type=click.Path(dir_okay=False))
@click.option("--service", default="my-service", show_default=True, help="The service that ships.")
@click.option(
    "--backend", type=click.Choice(tuple(BACKENDS)), help="Default: the server's, or prometheus."
)
@click.option(
    "--server",
    type=click.Choice(preset_names()),
    help="What serves the requests, or what its logs look like: a name of gate presets.",
)
@click.option("--force", is_flag=True, help="Overwrite the file.")
def init(
    *, file: str, service: str, backend: str | None, server: str | None, force: bool
) -> ExitCode:
    """Write a first policy with comments to FILE (default: policies/gate.yaml)."""
    path = Path(file)
    if path.exists() and not force:
        raise UsageError(f"{file} is there already; --force overwrites it")
    backend, slos = _measured(backend, server)
    text = Template(HEAD + block_of(backend, server) + slos + RULES).substitute(service=service)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{file} could not be written: {error.strerror}") from error
    tell(f"wrote {file}; next: {BACKENDS[backend].advice}, then gate check {file} --change canary")
    return ExitCode.ALLOW


def _measured(backend: str | None, server: str | None) -> tuple[str, str]:
    """Return the backend and the ``slos`` block."""
    if server is None:
        backend = backend or "prometheus"
        return backend, BACKENDS[backend].slos
    fitting = load_preset(server).backend
    if backend not in {None, fitting}:
        raise UsageError(f"--server {server} is for the {fitting} backend, not for {backend}")
    return fitting, slos_of(server)
