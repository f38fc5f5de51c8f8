"""``gate schema``."""

from importlib.resources import files
from typing import TYPE_CHECKING, Final

import click

from gate.cli.command import argument, command, output_option
from gate.cli.streams import deliver
from gate.errors import ExitCode

if TYPE_CHECKING:
    from gate.parsing.schema import JsonSchema

SCHEMAS: Final = {
    "policy": "policy.schema.json",
    "decision": "decision.schema.json",
    "trigger": "trigger.schema.json",
    "watch": "watch.schema.json",
    "preset": "preset.schema.json",
    "incident": "incident.schema.json",
    "cases": "cases.schema.json",
}
"""The schemas by name, each a file of the package ``gate.schemas``."""


@command(example=("gate schema policy -o policy.schema.json",))
@argument("name", type=click.Choice(tuple(SCHEMAS)), help_="Document that the schema describes.")
@output_option("Write the schema to this file instead of stdout.")
def schema(*, name: str, output: str | None) -> ExitCode:
    """Print the JSON Schema of one of the documents that are read or written."""
    text = files("gate").joinpath("schemas", SCHEMAS[name]).read_text(encoding="utf-8")
    deliver(text, output)
    return ExitCode.ALLOW


def policy_schema() -> "JsonSchema":
    """Return the JSON Schema of a policy file, computed anew; tests compare `SCHEMAS` with it."""
    from gate.config.policy_schema import POLICY  # noqa: PLC0415 - to write the file only

    schema = POLICY.schema()
    schema["properties"]["version"] = {
        "description": "Version of the format.",
        "enum": [1, "1"],
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "gate policy",
        "description": "Which changes may ship at which error budget.",
        **schema,
    }


def preset_schema() -> "JsonSchema":
    """Return the JSON Schema of a preset file, computed anew; tests compare `SCHEMAS` with it."""
    from gate.config.presets import PRESET  # noqa: PLC0415 - to write the file only

    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "gate preset",
        "description": "Indicators of a server or of a log, and how they are counted.",
        **PRESET.schema(),
    }


def incident_schema() -> "JsonSchema":
    """Return the JSON Schema of one record, computed anew; tests compare `SCHEMAS` with it."""
    from gate.config.known_incidents import RECORD  # noqa: PLC0415 - to write the file only

    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "gate incident",
        "description": "A known incident; a file may also have a list of them.",
        **RECORD.schema(),
    }


def cases_schema() -> "JsonSchema":
    """Return the JSON Schema of a file of cases, computed anew; tests compare `SCHEMAS` with it."""
    from gate.config.cases_schema import CASES  # noqa: PLC0415 - to write the file only

    schema = CASES.schema()
    schema["properties"]["version"] = {
        "description": "Version of the format.",
        "enum": [1, "1"],
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "gate cases",
        "description": "Test cases of a policy: budgets, changes and expected outcomes.",
        **schema,
    }
