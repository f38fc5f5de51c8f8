"""``gate presets``."""

import sys
from collections.abc import Mapping
from os import environ

import click

from gate.backends.records import PRESETS, preset_names
from gate.cli.command import FILE, CommandGroup, Heading, argument, option, output_option
from gate.cli.preset_lines import indicator_lines, list_lines, server_lines
from gate.cli.streams import deliver, style_of
from gate.config.preset import ALIASES, KINDS, Preset
from gate.config.presets import load_preset, load_presets
from gate.errors import ExitCode, UsageError, nearest


@click.group(
    cls=CommandGroup,
    invoke_without_command=True,
    example=("gate presets", "gate presets show vllm/errors"),
)
@click.pass_context
def presets(ctx: click.Context) -> ExitCode:
    """List the servers and log formats whose indicators a policy can name as sli: {preset: ...}.

    Without a command it lists them.
    """
    if ctx.invoked_subcommand is None:
        _deliver(list_lines(load_presets(), _width()), None)
    return ExitCode.ALLOW


_of_policy = option(
    "--policy",
    type=FILE,
    heading=Heading.POLICY,
    help="Also read the preset files that this policy names.",
)
_output = output_option("Write the file to this path instead of stdout.")


@presets.command("list", example=("gate presets list --policy gate.yaml",))
@_of_policy
@_output
def list_(*, policy: str | None, output: str | None) -> ExitCode:
    """List the servers and log formats, a policy's own first."""
    _deliver(list_lines(_presets_with(policy), _width()), output)
    return ExitCode.ALLOW


@presets.command(example=("gate presets file vllm -o presets/my-vllm.yaml",))
@argument("name", help_="Name of a preset, such as vllm.")
@_output
def file(*, name: str, output: str | None) -> ExitCode:
    """Print the preset file of NAME, as a start for your own."""
    if name not in preset_names():
        raise UsageError(f"there is no preset {name!r}{nearest(name, preset_names())}")
    deliver((PRESETS / f"{name}.yaml").read_text(encoding="utf-8"), output)
    return ExitCode.ALLOW


def _presets_with(policy: str | None) -> Mapping[str, Preset]:
    """Return every preset, a policy's own first."""
    if policy is None:
        return load_presets()
    from gate.config.own_presets import presets_of  # noqa: PLC0415 - for policies that are named

    return {**presets_of(policy), **load_presets()}


@presets.command(example=("gate presets show vllm/errors",))
@argument("name", help_="A server or log format (vllm), or one of its indicators (vllm/errors).")
@_of_policy
@_output
def show(*, name: str, policy: str | None, output: str | None) -> ExitCode:
    """Show the queries, caveats and sources of NAME."""
    server, _, kind = name.partition("/")
    # A built-in preset is read alone.
    alone = policy is None and server in preset_names()
    presets_by_name = {server: load_preset(server)} if alone else _presets_with(policy)
    if server not in presets_by_name:
        raise UsageError(f"there is no preset {server!r}{nearest(server, presets_by_name)}")
    preset = presets_by_name[server]
    kind = ALIASES.get(kind, kind)
    if kind and kind not in KINDS:
        raise UsageError(f"{server} has no indicator {kind!r}{nearest(kind, [*KINDS, *ALIASES])}")
    lines = (
        indicator_lines(server, preset, kind, _width())
        if kind
        else server_lines(server, preset, _width())
    )
    _deliver(lines, output)
    return ExitCode.ALLOW


def _width() -> int:
    return style_of(sys.stdout, environ).width


def _deliver(lines: list[str], output: str | None) -> None:
    deliver("\n".join(lines) + "\n", output)
