"""``gate validate``."""

import os
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from gate.cli.command import command, output_option, policies_argument
from gate.cli.session import STDIN, STDIN_NAME, with_remedy
from gate.cli.streams import write_note, write_result
from gate.config.cases import ENDINGS, policy_beside
from gate.config.load import load_unopened, validate_file, validate_text
from gate.errors import ExitCode, Mistake, PolicyError, UsageError

_SERVICE: Final = re.compile(rb"^[\"']?service[\"']?[ \t]*:", re.MULTILINE)
_POLICY_KEY: Final = re.compile(
    rb"^[\"']?(backends?|tiers|on|burn_rates|slos)[\"']?[ \t]*:", re.MULTILINE
)
_OTHERS: Final = re.compile(
    rb"^(apiVersion[ \t]*:|version[ \t]*:[ \t\"']*prometheus/)", re.MULTILINE
)
"""The keys of a document of OpenSLO, Pyrra, Kubernetes or Sloth, which names a service as well."""


@command(
    example=(
        "gate validate",
        "gate validate policies/",
        "generate-policy | gate validate -",
    )
)
@policies_argument()
@output_option("Write the mistakes to this file instead of stdout.")
def validate(*, policies: tuple[str, ...], output: str | None) -> ExitCode:
    """Check each POLICY offline, and list every mistake with its place.

    POLICY can be a folder, in which every policy and every file of test cases is checked, or - for
    a policy on stdin. A file of test cases (gate.test.yaml, for gate test) is checked against the
    policy beside it.

    Exit codes: 0 sound (there may be warnings), 2 there are mistakes, or no policy.
    """
    code, lines = ExitCode.ALLOW, list[str]()
    for path in _files(policies):
        mistakes = _mistakes(path)
        fatal = sum(mistake.fatal for mistake in mistakes)
        lines += [str(mistake) for mistake in mistakes]
        name = STDIN_NAME if path == STDIN else path
        lines.append(f"{name}: {'sound' if not fatal else _count(fatal, 'error')}")
        if fatal:
            code = ExitCode.USAGE
    write_result("\n".join(lines) + "\n", output)
    return code


def _files(paths: Sequence[str]) -> Iterator[str]:
    """Yield the files to check, each once; the files of a folder in the order of their names.

    Raises:
        UsageError: a folder has no policy.
    """
    checked = dict[str, None]()
    for path in paths:
        folder = Path(path)
        if not folder.is_dir():
            checked[path] = None
            continue
        files = sorted(_yaml_files(folder))
        policies = [file for file in files if _is_policy(file)]
        if not policies:
            raise UsageError(
                f"{path} has no policy: none of its {_count(len(files), 'YAML file')} has the keys"
                " service and backend, slos or tiers"
            )
        write_note(f"gate: {path}: {len(policies)} of {_count(len(files), 'YAML file')} to check")
        checked.update(dict.fromkeys(map(str, policies)))
    yield from checked


def _yaml_files(folder: Path) -> Iterator[Path]:
    """Yield the YAML files in a folder and its subfolders, except hidden ones."""
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (
            Path(parent, name)
            for name in names
            if not name.startswith(".") and name.endswith(tuple(ENDINGS))
        )


def _is_policy(file: Path) -> bool:
    """Return whether a file looks like a policy, even with mistakes, or has the cases of one."""
    if policy_beside(str(file)) is not None:
        return True
    try:
        text = file.read_bytes()
    except OSError:
        return True  # an unreadable file is reported as a mistake
    return bool(_SERVICE.search(text) and _POLICY_KEY.search(text) and not _OTHERS.search(text))


def _mistakes(path: str) -> tuple[Mistake, ...]:
    if path == STDIN:
        mistakes = validate_text(sys.stdin.buffer.read(), STDIN_NAME, os.environ)
        return with_remedy(STDIN_NAME, mistakes)
    policy = policy_beside(path)
    if policy is not None:
        return _of_cases(path, policy)
    return with_remedy(path, validate_file(path, os.environ))


def _of_cases(path: str, policy: str) -> tuple[Mistake, ...]:
    """Return every mistake in a file of cases; those of the policy are listed with the policy."""
    from gate.analysis.cases.run import check_cases  # noqa: PLC0415 - for cases only
    from gate.config.cases_schema import load_cases  # noqa: PLC0415

    try:
        check_cases(load_cases(path, os.environ), load_unopened(policy, os.environ).policy)
    except PolicyError as error:
        return error.mistakes
    return ()


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
