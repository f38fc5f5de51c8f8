"""``gate validate``."""

import os

import click

from gate.cli.streams import write
from gate.config.load import validate_file
from gate.errors import ExitCode


@click.command()
@click.argument("policies", metavar="POLICY...", nargs=-1, required=True)
def validate(*, policies: tuple[str, ...]) -> ExitCode:
    """Check each POLICY without asking any backend, and list every mistake with its place.

    Exit codes: 0 sound (there may be warnings), 2 mistakes.
    """
    code = ExitCode.ALLOW
    for path in policies:
        mistakes = validate_file(path, os.environ)
        fatal = sum(mistake.fatal for mistake in mistakes)
        lines = [str(mistake) for mistake in mistakes]
        lines.append(f"{path}: {'sound' if not fatal else _count(fatal)}")
        write("\n".join(lines) + "\n")
        if fatal:
            code = ExitCode.USAGE
    return code


def _count(fatal: int) -> str:
    return "1 error" if fatal == 1 else f"{fatal} errors"
