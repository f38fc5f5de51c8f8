"""``gate presets``."""

import sys
from os import environ

import click

from gate.cli.preset_text import indicator_lines, list_lines, server_lines
from gate.cli.streams import style_of, write
from gate.config.preset_shape import ALIASES, KINDS
from gate.config.presets import load_preset, preset_names
from gate.config.reader import nearest
from gate.errors import ExitCode, UsageError


@click.group(invoke_without_command=True)
@click.pass_context
def presets(ctx: click.Context) -> ExitCode:
    """List the servers and log formats whose indicators a policy can name as sli: {preset: ...}."""
    if ctx.invoked_subcommand is None:
        _print(list_lines(_width()))
    return ExitCode.ALLOW


@presets.command()
@click.argument("name")
def show(*, name: str) -> ExitCode:
    """Show all that is known of NAME: a server (vllm) or one of its indicators (vllm/errors)."""
    server, _, kind = name.partition("/")
    if server not in preset_names():
        raise UsageError(f"there is no preset {server!r}{nearest(server, preset_names())}")
    kind = ALIASES.get(kind, kind)
    if kind and kind not in KINDS:
        raise UsageError(f"a preset has no indicator {kind!r}{nearest(kind, [*KINDS, *ALIASES])}")
    preset = load_preset(server)
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
