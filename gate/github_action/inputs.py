"""The inputs of the GitHub Action, and the facts about the policies before a check."""

import io
import json
from collections.abc import Iterator, Mapping
from contextlib import redirect_stderr
from pathlib import Path
from typing import Final

import click

from gate.backends import secrets_of
from gate.cli.check import check
from gate.cli.session import Read
from gate.config.load import PolicyFile
from gate.dataclass import dataclass
from gate.errors import PolicyError, UndecidedError, UsageError
from gate.hosts.systems.environ import Environ

PREFIX: Final = "GATE_INPUT_"
_OF_A_TERMINAL: Final = frozenset({"output", "quiet", "color"})
"""Options for running the command by hand: in the action, the report belongs in the job's log."""
OPTIONS: Final = {
    name: option
    for option in check.params
    if isinstance(option, click.Option)
    and (name := max(option.opts, key=len).removeprefix("--")) not in _OF_A_TERMINAL
}
"""The options of the command by the names of their inputs."""
_OWN: Final = frozenset({"comment", "gate-key"})
"""Options that the step decides on itself."""
STEP_INPUTS: Final[Mapping[str, str]] = {
    "policies": "gate.yaml",
    "directory": ".",
    "on-no-secrets": "undecided",
    "comment": "auto",
    "summary": "true",
    "logs": "false",
    "token": "",
}
"""Inputs of the step itself, with the defaults of empty ones; ``token`` comes as GITHUB_TOKEN."""
_BOOLEAN: Final = ("true", "false")


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """The task of the step."""

    policies: tuple[str, ...]
    """At least one."""
    directory: str
    policy_ref: str
    """The ref at which the policies are read; empty: it follows from the event."""
    options: tuple[str, ...]
    """The options of the command."""
    observe: bool
    pass_without_secrets: bool
    comment: bool | None
    """Whether to comment; None: yes, unless the run is one of a fork or of Dependabot, whose token
    is read-only."""
    gate: "GateInputs"
    summary: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class GateInputs:
    """The inputs that identify the gate; read even if other inputs are wrong."""

    policies: tuple[str, ...]
    """At least one; relative to ``directory``."""
    directory: str
    environment: str | None
    key: str | None
    """None: no other job has the same policies and environment."""
    status: bool
    status_name: str | None

    @property
    def from_here(self) -> tuple[str, ...]:
        """The policies relative to the folder in which ``directory`` starts."""
        return tuple(str(Path(self.directory, path)) for path in self.policies)


def gate_inputs(environ: Environ) -> GateInputs:
    """Return the inputs that identify this gate."""
    return GateInputs(
        policies=tuple(_lines(_given("policies", environ))) or (STEP_INPUTS["policies"],),
        directory=_given("directory", environ),
        environment=_given("environment", environ) or None,
        key=_key(environ),
        status=_given("status", environ) == "true",
        status_name=_given("status-name", environ) or None,
    )


def _key(environ: Environ) -> str | None:
    """Return the key, by default made of the matrix values, which action.yml passes as JSON."""
    given = _given("gate-key", environ)
    try:
        values = json.loads(given)
    except ValueError:
        return given or None
    if not isinstance(values, dict):
        return None if values is None else given
    texts = [value if isinstance(value, str) else json.dumps(value) for value in values.values()]
    return "; ".join(json.dumps(text) if ";" in text else text for text in texts) or None


def read_inputs(environ: Environ) -> Inputs:
    """Read the inputs.

    Raises:
        UsageError: one of them has a value that is not allowed.
    """
    options = [part for name in OPTIONS if name not in _OWN for part in _arguments(name, environ)]
    without = _one_of("on-no-secrets", ("undecided", "allow"), environ)
    comment = _one_of("comment", ("auto", *_BOOLEAN), environ)
    _one_of("logs", _BOOLEAN, environ)  # already used to change to the folder
    gate = gate_inputs(environ)
    return Inputs(
        policies=gate.policies,
        directory=gate.directory,
        policy_ref=_given("policy-ref", environ),
        options=(*options, *([f"--gate-key={gate.key}"] if gate.key else [])),
        observe=_one_of("dry-run", ("", *_BOOLEAN), environ) == "true",
        pass_without_secrets=without == "allow",
        comment=None if comment == "auto" else comment == "true",
        gate=gate,
        summary=_one_of("summary", _BOOLEAN, environ) == "true",
    )


def variable(name: str) -> str:
    """Return the environment variable that carries an input."""
    return PREFIX + name.upper().replace("-", "_")


def _given(name: str, environ: Environ) -> str:
    return environ.get(variable(name), "").strip() or STEP_INPUTS.get(name, "")


def _lines(text: str) -> Iterator[str]:
    return filter(None, map(str.strip, text.splitlines()))


def _one_of(name: str, words: tuple[str, ...], environ: Environ) -> str:
    given = _given(name, environ)
    if given not in words:
        choices = ", ".join(filter(None, words))
        raise UsageError(f"the input {name} is {given!r}, but must be one of {choices}")
    return given


def _arguments(name: str, environ: Environ) -> Iterator[str]:
    """Yield the arguments for one option: in one piece, so that no value looks like an option."""
    option, given = OPTIONS[name], _given(name, environ)
    if option.is_flag:
        if _one_of(name, ("", *_BOOLEAN), environ) == "true":
            yield f"--{name}"
    elif option.multiple:
        yield from (f"--{name}={line}" for line in _lines(given))
    elif given:
        yield f"--{name}={given}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Policies:
    """The facts about the policies that are known before anything is measured."""

    files: tuple[PolicyFile, ...] = ()
    """The policies that could be read."""
    missing: tuple[str, ...] = ()
    """The missing environment variables if they are the only problem; otherwise empty."""

    @property
    def secrets(self) -> tuple[str, ...]:
        """The texts that must be masked: made here or read from files, so unknown to GitHub."""
        texts = (text for file in self.files for text in secrets_of(file.settings))
        return tuple(dict.fromkeys(texts))


def find_policies(inputs: Inputs, read: Read) -> Policies:
    """Read the policies before the command, which itself reports their mistakes.

    Args:
        inputs: the inputs of the step.
        read: reads a policy in the version that counts.
    """
    files: list[PolicyFile] = []
    unset: list[str] = []
    with redirect_stderr(io.StringIO()):
        for path in inputs.policies:
            try:
                files.append(read(path))
            except PolicyError as error:
                unset += [mistake.unset for mistake in error.mistakes if mistake.fatal]
            except (UndecidedError, UsageError):
                unset.append("")
    missing = tuple(dict.fromkeys(unset)) if all(unset) else ()
    return Policies(files=tuple(files), missing=missing)
