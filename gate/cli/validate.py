"""``gate validate``."""

import os

import click

from gate.cli.streams import write
from gate.config.cases import policy_beside
from gate.config.load import load_unopened, validate_file
from gate.errors import ExitCode, Mistake, PolicyError


@click.command()
@click.argument("policies", metavar="POLICY...", nargs=-1, required=True)
def validate(*, policies: tuple[str, ...]) -> ExitCode:
    """Check each POLICY without asking any backend, and list every mistake with its place.

    A file of cases (gate.test.yaml, for gate test) is checked beside the policy that it is for.

    Exit codes: 0 sound (there may be warnings), 2 mistakes.
    """
    code = ExitCode.ALLOW
    for path in policies:
        policy = policy_beside(path)
        mistakes = validate_file(path, os.environ) if policy is None else _cases(path, policy)
        fatal = sum(mistake.fatal for mistake in mistakes)
        lines = [str(mistake) for mistake in mistakes]
        lines.append(f"{path}: {'sound' if not fatal else _count(fatal)}")
        write("\n".join(lines) + "\n")
        if fatal:
            code = ExitCode.USAGE
    return code


def _cases(path: str, policy: str) -> tuple[Mistake, ...]:
    """Return every mistake in a file of cases; the policy's own are told where it is checked."""
    from gate.analysis.cases.run import check_cases  # noqa: PLC0415 - for cases only
    from gate.config.cases_schema import load_cases  # noqa: PLC0415

    try:
        check_cases(load_cases(path, os.environ), load_unopened(policy, os.environ).policy)
    except PolicyError as error:
        return error.mistakes
    return ()


def _count(fatal: int) -> str:
    return "1 error" if fatal == 1 else f"{fatal} errors"
