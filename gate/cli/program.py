"""``gate help``, ``gate version`` and ``gate completion``: about the program itself."""

from typing import Final

import click

from gate import __version__
from gate.cli.command import argument, command, output_option
from gate.cli.streams import deliver, write
from gate.errors import ExitCode, nearest

_SHELLS: Final = ("bash", "zsh", "fish")
_VARIABLE: Final = "_GATE_COMPLETE"
"""The variable with which the script asks for completions; click's name for a program named
gate."""


@command(name="help", example=("gate help check", "gate help presets show"))
@argument("names", metavar="[COMMAND]...", nargs=-1, help_="A command. Default: all of them.")
@click.pass_context
def help_(ctx: click.Context, *, names: tuple[str, ...]) -> ExitCode:
    """Show the help of COMMAND, as gate COMMAND --help does."""
    context = ctx.find_root()
    for name in names:
        group = context.command
        choices = group.list_commands(context) if isinstance(group, click.Group) else []
        subcommand = group.get_command(context, name) if isinstance(group, click.Group) else None
        if subcommand is None:
            said = f"{name!r} is not a command of {context.command_path}"
            raise click.UsageError(f"{said}{nearest(name, choices)}", ctx)
        context = click.Context(subcommand, info_name=name, parent=context)
    write(f"{context.get_help()}\n")
    return ExitCode.ALLOW


@command(example=("gate version",))
def version() -> ExitCode:
    """Print the version, as gate --version does."""
    write(f"gate {__version__}\n")
    return ExitCode.ALLOW


@command(
    example=(
        'eval "$(gate completion bash)"      # in ~/.bashrc',
        'eval "$(gate completion zsh)"       # in ~/.zshrc',
        "gate completion fish -o ~/.config/fish/completions/gate.fish",
    )
)
@argument("shell", type=click.Choice(_SHELLS), help_="The shell that runs the script.")
@output_option("Write the script to this file instead of stdout.")
@click.pass_context
def completion(ctx: click.Context, *, shell: str, output: str | None) -> ExitCode:
    """Print a script that lets SHELL complete the commands, options and files of gate."""
    from click import shell_completion  # noqa: PLC0415 - here only

    make = getattr(shell_completion, f"{shell.capitalize()}Complete")
    completer = make(ctx.find_root().command, {}, "gate", _VARIABLE)
    deliver(completer.source_template % completer.source_vars(), output)
    return ExitCode.ALLOW


COMMANDS: Final = {"help": help_, "version": version, "completion": completion}
