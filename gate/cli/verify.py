"""``gate verify``."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

import click

from gate.cli.ci_environment import context_of
from gate.cli.parameters import ci_option
from gate.cli.session import now, signing_key
from gate.cli.streams import write_line
from gate.decision.decision import SCHEMA_VERSION
from gate.decision.document import seal_flaw
from gate.errors import ExitCode, UsageError


@click.command()
@click.argument("file", metavar="DECISION")
@click.option("--revision", metavar="SHA", help="The commit that ships; default: this one.")
@click.option("--service", multiple=True, help="A service that ships; default: any. Repeatable.")
@click.option("--change", metavar="CLASS", help="The class of what ships; default: any.")
@ci_option()
def verify(
    *, file: str, revision: str | None, service: tuple[str, ...], change: str | None, ci: str
) -> ExitCode:
    """Check in a deploy job that a DECISION still holds, for this very commit.

    Refused (exit 3) is one that is stale, altered, of another revision, service or change class,
    or, with GATE_SIGNING_KEY set, not signed with that key. One that holds gives its own exit code.
    """
    document = _read(file)
    ships = revision or context_of(ci).revision
    refusals = [
        reason
        for reason in (
            seal_flaw(document, signing_key(os.environ)),
            _stale(document),
            _foreign(document, ships, service, change),
        )
        if reason
    ]
    if refusals:
        write_line(f"REFUSED {file}: {refusals[0]}")
        return ExitCode.UNDECIDED
    code = ExitCode(document["exit_code"])
    write_line(f"HOLDS {file}: {document['verdict']}, exit code {int(code)}")
    return code


def _read(file: str) -> dict[str, Any]:
    def constant(name: str) -> NoReturn:
        raise ValueError(f"{name} is no JSON")

    try:
        document = json.loads(Path(file).read_bytes(), parse_constant=constant)
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise UsageError(f"{file} is no JSON document: {error}") from error
    if not isinstance(document, dict) or document.get("schema_version") != SCHEMA_VERSION:
        raise UsageError(f"{file} is no decision of version {SCHEMA_VERSION}")
    return document


def _stale(document: dict[str, Any]) -> str | None:
    end = datetime.fromisoformat(document["expires_at"]).astimezone(UTC)
    return f"it held until {document['expires_at']}" if now() >= end else None


def _foreign(
    document: dict[str, Any], ships: str | None, services: tuple[str, ...], change: str | None
) -> str | None:
    decided = document["context"]["revision"]
    if decided is None or ships is None:
        return "which commit it is about is not known"
    if decided != ships:
        return f"it is about the commit {decided}, and {ships} ships"
    covered = {policy["service"] for policy in document["policies"]}
    if missing := [name for name in services if name not in covered]:
        return f"it is not about the service {missing[0]!r}"
    classes = {policy["change_class"] for policy in document["policies"]}
    if change is not None and classes != {change}:
        return f"it is about {', '.join(sorted(classes))}, and not {change}"
    return None
