"""``gate init``."""

from collections.abc import Mapping
from pathlib import Path
from string import Template
from typing import Final

import click

from gate.backends import BACKENDS, registration
from gate.backends.records import preset_names
from gate.cli.command import (
    DEFAULT_POLICY,
    FILE,
    Heading,
    argument,
    command,
    group,
    option,
    output_option,
)
from gate.cli.first_policy import CASES, HEAD, block_of, rules_of, slos_of
from gate.cli.streams import create_file, write_note
from gate.config.cases import place_of_cases
from gate.config.preset import Preset
from gate.config.presets import load_preset
from gate.dataclass import dataclass
from gate.errors import ExitCode, UsageError, nearest

_CONTENTS: Final = (
    option(
        "--service",
        default="my-service",
        show_default=True,
        metavar="NAME",
        heading=Heading.POLICY,
        help="Name of the service that ships.",
    ),
    option(
        "--backend",
        type=click.Choice(tuple(BACKENDS)),
        heading=Heading.POLICY,
        help="Backend that counts the events. Default: the backend of the --server preset,"
        " otherwise prometheus.",
    ),
    option(
        "--server",
        metavar="PRESET",
        heading=Heading.POLICY,
        help="Server, or format of its logs: a name that gate presets lists.",
    ),
    option(
        "--presets",
        metavar="GLOB",
        heading=Heading.POLICY,
        help="Your own preset files, relative to the folder of the policy, such as"
        " 'presets/*.yaml'.",
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyContents:
    """The parts of a first policy."""

    service: str
    backend: str | None
    server: str | None
    presets: str | None


@command(
    example=(
        "gate init --server vllm --service chat",
        "gate init policies/chat.yaml --backend logs",
    )
)
@argument(
    "file",
    required=False,
    type=FILE,
    help_=f"Policy file to write. Default: {DEFAULT_POLICY}.",
)
@group("contents", PolicyContents, _CONTENTS)
@output_option("The same as FILE.")
@option("--force", is_flag=True, heading=Heading.OUTPUT, help="Overwrite existing files.")
def init(
    *, file: str | None, contents: PolicyContents, output: str | None, force: bool
) -> ExitCode:
    """Write a first policy with comments to FILE, and test cases for it.

    The cases, for gate test, are written beside it: gate.test.yaml for gate.yaml.

    Exit codes: 0 both are written, 2 one of them exists already or could not be written.
    """
    if file is not None and output is not None:
        raise click.UsageError("FILE and --output are the same; give one of them")
    path = file or output or DEFAULT_POLICY
    cases = place_of_cases(path)
    for place in (path, cases):
        if Path(place).exists() and not force:
            raise UsageError(f"{place} already exists; --force overwrites it")
    advice, text = _first_policy(path, contents)
    for place, content in ((path, text), (cases, CASES)):
        try:
            create_file(Path(place), content, folders=True)
        except OSError as error:
            raise UsageError(f"{place} could not be written: {error.strerror}") from error
    named = "" if path == DEFAULT_POLICY else f" {path}"
    write_note(
        f"wrote {path}, and test cases for gate test to {cases}\n"
        f"next: {advice}, then run: gate validate{named}, then gate doctor{named}"
    )
    return ExitCode.ALLOW


def _first_policy(file: str, contents: PolicyContents) -> tuple[str, str]:
    """Return the next step with a first policy, and its text.

    Raises:
        UsageError: the preset does not exist, or is for another backend.
    """
    server, presets = contents.server, contents.presets
    own = _own_presets(file, presets)
    if server not in {None, *own, *preset_names()}:
        raise UsageError(
            f"there is no preset {server!r}{nearest(server or '', [*own, *preset_names()])}"
        )
    preset = own.get(server or "")
    starter = registration(_backend(contents.backend, server, preset)).starter
    slos = starter.slos if server is None else slos_of(server, preset)
    named = "" if presets is None else f"presets: {presets}\n\n"
    body = block_of(starter, server, preset) + slos + rules_of(starter)
    return starter.advice, Template(HEAD + named + body).substitute(service=contents.service)


def _own_presets(file: str, pattern: str | None) -> Mapping[str, Preset]:
    if pattern is None:
        return {}
    from gate.config.own_presets import presets_beside  # noqa: PLC0415 - for these only

    return presets_beside(file, pattern)


def _backend(backend: str | None, server: str | None, own: Preset | None) -> str:
    """Return the backend that is given, or the one that the server's preset is for."""
    if server is None:
        return backend or "prometheus"
    fitting = (own or load_preset(server)).backend
    if backend not in {None, fitting}:
        raise UsageError(f"--server {server} is for the {fitting} backend, not for {backend}")
    return fitting
