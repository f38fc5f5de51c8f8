"""``gate log``."""

import os
from collections.abc import Iterator
from typing import Any, Final

import click

from gate.cli.command import FILE, Heading, argument, command, group, option, output_option
from gate.cli.keys import verifying_key
from gate.cli.log_files import LARGEST_LOG, NotReadableError, named, read_within
from gate.cli.streams import write_result
from gate.dataclass import dataclass
from gate.decision.chain import chain_flaws, last_flaws, line_hash, lines_of
from gate.decision.reading import OddDocumentError, read_json
from gate.errors import ExitCode, UsageError
from gate.reporters.escape import plain

_MOST: Final = 20
"""The maximum number of flaws in the list; a rewritten log has one in each line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogDemands:
    """The requirements on a log."""

    verify: bool
    at_least: int | None
    expect_last: str | None


_DEMANDS: Final = (
    option(
        "--verify",
        is_flag=True,
        heading=Heading.VERIFICATION,
        help="Check that no record was changed, moved or removed.",
    ),
    option(
        "--at-least",
        type=click.IntRange(min=1),
        heading=Heading.VERIFICATION,
        help="With --verify, the minimum number of records.",
    ),
    option(
        "--expect-last",
        metavar="SHA256",
        heading=Heading.VERIFICATION,
        help="With --verify, a hash that an earlier --verify printed; the log must have its"
        " record.",
    ),
)


@command(example=("gate log decisions.jsonl --overrides", "gate log decisions.jsonl --verify"))
@argument("file", metavar="FILE", type=FILE, help_="Log that gate check --record wrote.")
@option(
    "--overrides",
    is_flag=True,
    heading=Heading.OUTPUT,
    help="List only the changes that shipped because of an override.",
)
@group("demands", LogDemands, _DEMANDS)
@output_option("Write the list to this file instead of stdout.")
def log(*, file: str, overrides: bool, demands: LogDemands, output: str | None) -> ExitCode:
    """List the decisions that gate check --record appended to FILE, the oldest first.

    With --verify it names every record that was altered. Records that are missing at the end, and a
    log that was rewritten as a whole without a signature, can only be detected with --at-least and
    --expect-last.

    Exit codes: 0 listed, or with --verify unaltered, 2 the log cannot be read, 3 with --verify a
    record was altered or is missing.
    """
    content = _content(file)
    if demands.verify:
        code, text = _verified(file, content, demands)
        write_result(text, output)
        return code
    if demands.at_least is not None or demands.expect_last is not None:
        raise click.UsageError("--at-least and --expect-last need --verify")
    entries = [_entry(file, *numbered) for numbered in enumerate(lines_of(content), start=1)]
    shown = (lines for overridden, lines in entries if overridden or not overrides)
    write_result("".join(line for lines in shown for line in lines), output)
    return ExitCode.ALLOW


def _content(file: str) -> bytes:
    try:
        return read_within(file, LARGEST_LOG)
    except NotReadableError as error:
        raise UsageError(f"{named(file)} cannot be read: {error}") from error


def _verified(file: str, content: bytes, demands: LogDemands) -> tuple[ExitCode, str]:
    key, lines = verifying_key(os.environ), lines_of(content)
    last = last_flaws(content, demands.at_least or 1, demands.expect_last)
    wrong = [*chain_flaws(content, key), *last]
    refused = [f"REFUSED {named(file)}:{flaw.line}: {flaw.reason}\n" for flaw in wrong[:_MOST]]
    if wrong:
        more = f", the first {_MOST} of which are listed" if len(wrong) > _MOST else ""
        refused.append(f"REFUSED {named(file)}: {len(wrong)} flaws{more}\n")
        return ExitCode.UNDECIDED, "".join(refused)
    signed = "not signed" if key is None else "signed"
    sentence = f"{len(lines)} records, {signed}; last: {line_hash(lines[-1])}"
    return ExitCode.ALLOW, f"HOLDS {named(file)}: {sentence}\n"


def _entry(file: str, number: int, line: bytes) -> tuple[bool, list[str]]:
    """Return whether a line's decision was overridden, and the lines of text about it."""
    try:
        entry = read_json(line)
    except OddDocumentError as error:
        raise UsageError(f"{named(file)}:{number}: this line cannot be read: {error}") from error
    try:
        return bool(entry["overridden"]), list(_lines(entry))
    except (KeyError, TypeError) as error:
        raise UsageError(
            f"{named(file)}:{number}: this line is not the record of a decision"
        ) from error


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
