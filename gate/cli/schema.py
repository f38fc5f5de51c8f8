"""``gate schema``."""

from importlib.resources import files
from typing import Final

import click

from gate.cli.streams import write
from gate.errors import ExitCode

SCHEMAS: Final = {"policy": "policy.schema.json", "decision": "decision.schema.json"}
"""The schemas by name, each a file of the package ``gate.schemas``."""


@click.command()
@click.argument("name", type=click.Choice(tuple(SCHEMAS)))
def schema(*, name: str) -> ExitCode:
    """Print the JSON Schema of the policy file or of the decision."""
    write(files("gate").joinpath("schemas", SCHEMAS[name]).read_text(encoding="utf-8"))
    return ExitCode.ALLOW
