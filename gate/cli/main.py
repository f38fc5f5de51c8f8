"""The ``gate`` command: finds the subcommand, and maps every kind of end to an exit code."""

import atexit
import gc
import os
import sys
import threading
from importlib import import_module
from io import StringIO
from typing import TYPE_CHECKING, Final, NoReturn

import click

from gate import __version__
from gate.cli.command import CommandGroup
from gate.cli.streams import open_closed, write, write_stderr
from gate.errors import ExitCode, GateError, PolicyError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

SECTIONS: Final = {
    "Decide": {
        "check": "Decide whether a change may ship now.",
        "watch": "Watch a canary after the deploy, and say whether to roll back.",
        "status": "Show every budget, without a verdict.",
        "evaluation": "Show the contents of evaluation result files.",
        "attest": "Sign the commit of evaluation result files.",
        "verify": "Check in a deploy job that a decision still holds.",
        "log": "List recorded decisions.",
        "sweep": "Renew commit statuses that are no longer valid.",
    },
    "Set up": {
        "init": "Write a first policy file.",
        "presets": "List the LLM servers and log formats with ready indicators.",
        "validate": "Check policy files for mistakes, offline.",
        "test": "Run the test cases of policies, offline.",
        "doctor": "Ask the backend whether each SLO can be trusted.",
        "schema": "Print the JSON Schema of a file.",
        "export": "Write the SLOs for another tool.",
    },
    "Explain": {
        "report": "Write an HTML report of what happened to the budgets.",
        "incidents": "Find the incidents that used up the budgets.",
        "cohorts": "Show which prompts, models or tenants use up the budget.",
        "forecast": "Predict when each budget runs out, recovers or resets.",
        "anomalies": "Find where indicators are worse than usual.",
        "review": "Review objectives: are they too strict or too loose?",
        "backtest": "Try a policy on past deploys before it blocks any.",
    },
}
"""The commands by section of the help, each a module of this package with a click command."""
COMMANDS: Final = {name: line for section in SECTIONS.values() for name, line in section.items()}
PROGRAM: Final = {
    "help": "Show the help of a command.",
    "version": "Print the version.",
    "completion": "Print a script that completes commands in a shell.",
}
"""The commands about the program itself, in one module: `gate.cli.program`."""
_EXIT_CODES: Final = {
    ExitCode.ALLOW: "allow",
    ExitCode.INTERNAL: "internal error",
    ExitCode.USAGE: "usage or policy-file error",
    ExitCode.UNDECIDED: "undecided: it could not be measured",
    ExitCode.BLOCK: "block; gate watch: roll back",
    ExitCode.WARN: "warn, with --fail-on warn only",
    ExitCode.FINDINGS: "gate doctor or gate test found something wrong",
    ExitCode.INTERRUPTED: "interrupted",
}
_ALLOCATIONS: Final = 100_000
"""The number of allocations between two garbage collections: a check of one SLO keeps all its
objects, at most 80,000, so that collections would find nothing, at 5% of its time."""


class _Commands(CommandGroup):
    """Imports a command's module only when the command runs; its line of help is already here."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return [*COMMANDS, *PROGRAM]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        if cmd_name in PROGRAM:
            commands: dict[str, click.Command] = import_module("gate.cli.program").COMMANDS
            return commands[cmd_name]
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = getattr(import_module(f"gate.cli.{cmd_name}"), cmd_name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        names = self.list_commands(ctx)
        if name not in names and not name.startswith("-"):
            from gate.errors import nearest  # noqa: PLC0415 - for mistakes only

            raise click.UsageError(f"{name!r} is not a command{nearest(name, names)}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        width = max(map(len, (*COMMANDS, *PROGRAM)))
        for heading, lines in {**SECTIONS, "Help": PROGRAM}.items():
            with formatter.section(heading):
                formatter.write_dl([(name.ljust(width), line) for name, line in lines.items()])

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the example, and the exit codes."""
        super().format_epilog(ctx, formatter)
        with formatter.section("Exit codes"):
            formatter.write_dl([(str(int(code)), text) for code, text in _EXIT_CODES.items()])
        formatter.write_paragraph()
        formatter.write_text("gate COMMAND --help shows the options of a command.")

    def shell_complete(self, ctx: click.Context, incomplete: str) -> "list[CompletionItem]":
        """Complete a command by its name here, without importing any command."""
        from click.shell_completion import CompletionItem  # noqa: PLC0415 - for a shell only

        commands = [
            CompletionItem(name, help=line)
            for name, line in {**COMMANDS, **PROGRAM}.items()
            if name.startswith(incomplete)
        ]
        return commands or click.Command.shell_complete(self, ctx, incomplete)


@click.group(
    cls=_Commands,
    example=("gate init --server vllm", "gate check --change canary"),
)
@click.version_option(
    __version__, "-V", "--version", prog_name="gate", message="%(prog)s %(version)s"
)
def cli() -> None:
    """Decide whether a change may ship on the error budget that is left."""


def main(arguments: list[str]) -> ExitCode:
    """Run one command line and return its exit code; nothing else ends the process.

    Python and click exit with 1 for an uncaught exception, a closed pipe and Ctrl-C alike: here
    each has its own code, and none of them can be mistaken for a verdict.
    """
    try:
        return ExitCode(cli.main(arguments, prog_name="gate", standalone_mode=False))
    except (click.exceptions.Abort, KeyboardInterrupt):
        return ExitCode.INTERRUPTED
    except click.UsageError as error:
        if isinstance(error, click.NoSuchOption):
            error = _renamed(error)
        shown = StringIO()
        error.show(shown)
        write_stderr(shown.getvalue().rstrip())
        return ExitCode.USAGE
    except SystemExit:
        # Raised by click: it has completed a word for a shell, or the reader of its help has gone.
        return ExitCode.INTERNAL
    except GateError as error:
        # A mistake's line begins with its file, so that editors can jump there.
        write_stderr(str(error) if isinstance(error, PolicyError) else f"gate: {error}")
        return error.exit_code
    except BaseException as error:  # noqa: BLE001 - the last line of defence
        return _internal(error)


def _renamed(error: click.NoSuchOption) -> click.UsageError:
    """Return the error with the present name of a renamed option."""
    for parameter in error.ctx.command.params if error.ctx is not None else ():
        if error.option_name == getattr(parameter, "formerly", None):
            name = max(parameter.opts, key=len)
            message = f"No such option {error.option_name!r}; it is called {name} now."
            return click.UsageError(message, error.ctx)
    return error


def _internal(error: BaseException) -> ExitCode:
    """Report an internal error with its trace, on stderr."""
    import traceback  # noqa: PLC0415 - for the worst case only

    trace = "".join(traceback.format_exception(error))
    write_stderr(
        f"{trace}\ngate: internal error: this is not a verdict. Please report it with this trace."
    )
    return ExitCode.INTERNAL


def run() -> NoReturn:
    """Run the process's command line and end the process.

    The interpreter does not free its modules and objects first: that would take a fifth of the time
    of a check, and abort if a daemon thread is within DuckDB.
    """
    gc.set_threshold(_ALLOCATIONS)
    gc.enable()
    open_closed()
    code = main(sys.argv[1:])
    write("")  # flush now, since the interpreter's own shutdown is skipped
    if not any(thread.daemon for thread in threading.enumerate()):
        # A thread may still use objects that a shutdown frees, such as a value in DuckDB.
        atexit._run_exitfuncs()
    os._exit(code)
