"""``gate log``."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from gate.cli.streams import write
from gate.errors import ExitCode, UsageError
from gate.reporters.escape import plain


@click.command()
@click.argument("file", metavar="FILE")
@click.option("--overrides", is_flag=True, help="Only what shipped because of an override.")
def log(*, file: str, overrides: bool) -> ExitCode:
    """List the decisions that gate check --record has appended to FILE, the oldest first."""
    for number, entry in enumerate(_entries(file), start=1):
        try:
            if entry["overridden"] or not overrides:
                write("".join(_lines(entry)))
        except (KeyError, TypeError) as error:
            raise UsageError(f"{file}:{number}: this line is no record of a decision") from error
    return ExitCode.ALLOW


def _entries(file: str) -> Iterator[Any]:
    try:
        lines = Path(file).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{file} cannot be read: {error}") from error
    for number, line in enumerate(lines, start=1):
        try:
            yield json.loads(line)
        except ValueError as error:
            raise UsageError(f"{file}:{number}: this line is no JSON") from error


def _lines(entry: Any) -> Iterator[str]:
    context, override = entry["context"], entry["override"]
    revision = (context["revision"] or "-")[:12]
    for policy in entry["policies"]:
        word = f"{policy['verdict']}{', overridden' if entry['overridden'] else ''}"
        what = f"{policy['change_class']} of {policy['service']}"
        who = context["actor"] or "-"
        line = f"{entry['evaluated_at']}  {revision:<12}  {word:<20}  {what}  {who}"
        yield f"{plain(line)}\n"
    if override is not None:
        who = f"approved by {override['approved_by']}, until {override['until']}"
        claimed = "; claimed, not confirmed" if entry.get("override_confirmed") is False else ""
        yield f"    {plain(override['reason'])} ({plain(who)}){claimed}\n"
