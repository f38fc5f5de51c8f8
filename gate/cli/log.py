"""``gate log``."""

import os
from collections.abc import Iterator
from typing import Any, Final

import click

from gate.cli.keys import verifying_key
from gate.cli.log_files import LARGEST_LOG, NotReadableError, named, read_within
from gate.cli.parameters import option
from gate.cli.streams import write
from gate.decision.chain import chain_flaws, last_flaws, line_hash, lines_of
from gate.decision.reading import OddDocumentError, read_json
from gate.errors import ExitCode, UsageError
from gate.reporters.escape import plain

_MOST: Final = 20
"""Flaws that are named; a log that was written anew has one in each line."""


@click.command()
@click.argument("file", metavar="FILE")
@option("--overrides", is_flag=True, help="Only what shipped because of an override.")
@option("--verify", is_flag=True, help="Check that no record was changed, moved or taken out.")
@option("--at-least", type=click.IntRange(min=1), help="Of records; with --verify.")
@option("--expect-last", metavar="SHA256", help="What --verify printed last; it must be there.")
def log(
    *, file: str, overrides: bool, verify: bool, at_least: int | None, expect_last: str | None
) -> ExitCode:
    """List the decisions that gate check --record has appended to FILE, the oldest first.

    With --verify it names every record that is not as it was written, and exits with 3. Records
    that are missing at the end, or a whole log that was written anew without a signature, can only
    be seen by --at-least and --expect-last.
    """
    content = _content(file)
    if verify:
        return _verify(file, content, at_least or 1, expect_last)
    if at_least is not None or expect_last is not None:
        raise click.UsageError("--at-least and --expect-last go with --verify")
    entries = [_entry(file, *numbered) for numbered in enumerate(lines_of(content), start=1)]
    for overridden, lines in entries:
        if overridden or not overrides:
            write("".join(lines))
    return ExitCode.ALLOW


def _content(file: str) -> bytes:
    try:
        return read_within(file, LARGEST_LOG)
    except NotReadableError as error:
        raise UsageError(f"{named(file)} cannot be read: {error}") from error


def _verify(file: str, content: bytes, at_least: int, expect_last: str | None) -> ExitCode:
    key, lines = verifying_key(os.environ), lines_of(content)
    wrong = [*chain_flaws(content, key), *last_flaws(content, at_least, expect_last)]
    for flaw in wrong[:_MOST]:
        write(f"REFUSED {named(file)}:{flaw.line}: {flaw.reason}\n")
    if wrong:
        more = f", of which the first {_MOST} are named" if len(wrong) > _MOST else ""
        write(f"REFUSED {named(file)}: {len(wrong)} flaws{more}\n")
        return ExitCode.UNDECIDED
    signed = "not signed" if key is None else "signed"
    write(f"HOLDS {named(file)}: {len(lines)} records, {signed}; last: {line_hash(lines[-1])}\n")
    return ExitCode.ALLOW


def _entry(file: str, number: int, line: bytes) -> tuple[bool, list[str]]:
    """Return whether a line's decision was overridden, and the lines that show it."""
    try:
        entry = read_json(line)
    except OddDocumentError as error:
        raise UsageError(f"{named(file)}:{number}: this line is no JSON: {error}") from error
    try:
        return bool(entry["overridden"]), list(_lines(entry))
    except (KeyError, TypeError) as error:
        raise UsageError(f"{named(file)}:{number}: this line is no record of a decision") from error


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
