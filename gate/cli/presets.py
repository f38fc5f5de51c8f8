"""``gate presets``."""

import sys
from collections.abc import Mapping
from os import environ

import click

from gate.backends.records import PRESETS, preset_names
from gate.cli.preset_lines import indicator_lines, list_lines, server_lines
from gate.cli.streams import style_of, write
from gate.config.preset import ALIASES, KINDS, Preset
from gate.config.presets import load_preset, load_presets
from gate.errors import ExitCode, UsageError, nearest


@click.group(invoke_without_command=True)
@click.pass_context
def presets(ctx: click.Context) -> ExitCode:
    """List the servers and log formats whose indicators a policy can name as sli: {preset: ...}."""
    if ctx.invoked_subcommand is None:
        _print(list_lines(load_presets(), _width()))
    return ExitCode.ALLOW


_of_policy = click.option(
    "--policy",
    type=click.Path(dir_okay=False),
    help="A policy whose own preset files are known, too.",
)


@presets.command("list")
@_of_policy
def list_(*, policy: str | None) -> ExitCode:
    """List the servers and log formats, with those of a policy's own."""
    _print(list_lines(_presets_with(policy), _width()))
    return ExitCode.ALLOW


@presets.command()
@click.argument("name")
def file(*, name: str) -> ExitCode:
    """Print the file of the preset NAME, from which a policy's own preset can be made."""
    if name not in preset_names():
        raise UsageError(f"there is no preset {name!r}{nearest(name, preset_names())}")
    write((PRESETS / f"{name}.yaml").read_text(encoding="utf-8"))
    return ExitCode.ALLOW


def _presets_with(policy: str | None) -> Mapping[str, Preset]:
    """Return every preset, those of a policy's own first."""
    if policy is None:
        return load_presets()
    from gate.config.own_presets import presets_of  # noqa: PLC0415 - for policies that are named

    return {**presets_of(policy), **load_presets()}


@presets.command()
@click.argument("name")
@_of_policy
def show(*, name: str, policy: str | None) -> ExitCode:
    """Show all that is known of NAME: a server (vllm) or one of its indicators (vllm/errors)."""
    server, _, kind = name.partition("/")
    # One of the gate's own is read alone.
    alone = policy is None and server in preset_names()
    presets_by_name = {server: load_preset(server)} if alone else _presets_with(policy)
    if server not in presets_by_name:
        raise UsageError(f"there is no preset {server!r}{nearest(server, presets_by_name)}")
    preset = presets_by_name[server]
    kind = ALIASES.get(kind, kind)
    if kind and kind not in KINDS:
        raise UsageError(f"a preset has no indicator {kind!r}{nearest(kind, [*KINDS, *ALIASES])}")
    lines = (
        indicator_lines(server, preset, kind, _width())
        if kind
        else server_lines(server, preset, _width())
    )
    _print(lines)
    return ExitCode.ALLOW


def _width() -> int:
    return style_of(sys.stdout, environ).width


def _print(lines: list[str]) -> None:
    write("\n".join(lines) + "\n")
