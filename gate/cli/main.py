"""The ``gate`` command: finds the subcommand, and maps every way to end to one exit code."""

import gc
import os
import sys
import threading
from importlib import import_module
from io import StringIO
from typing import Final, NoReturn

import click

from gate import __version__
from gate.cli.streams import open_closed, write, write_stderr
from gate.errors import ExitCode, GateError, PolicyError

COMMANDS: Final = {
    "check": "Decide whether a change may ship now.",
    "status": "Show every budget, without a verdict.",
    "report": "Show what happened to the budgets, on a page to look at.",
    "incidents": "Find what ate the budgets: incidents, how often and how long.",
    "forecast": "Foretell when the budgets run out, recover or renew.",
    "review": "Look back: are the objectives too strict or too loose?",
    "backtest": "Try a policy on past deploys, before it blocks any.",
    "anomalies": "Tell by control charts where indicators are worse than usual.",
    "cohorts": "Tell whose events burn the budgets, by a label or a column.",
    "validate": "Check policy files, offline.",
    "test": "Try the cases of policies: unit tests.",
    "doctor": "Ask the live backend whether each SLO can be trusted.",
    "schema": "Print a JSON Schema.",
    "presets": "List what is known of LLM servers and log formats.",
    "init": "Write a first policy file.",
    "verify": "Check in a deploy job that a decision still holds.",
    "sweep": "Renew commit statuses that hold no longer.",
    "log": "List recorded decisions.",
    "export": "Write the SLOs for another tool.",
}
"""The commands, each a module of this package with a click command of the same name."""
_ALLOCATIONS: Final = 50_000
"""Between two collections of garbage: a run makes hardly any, and Python's 700 cost 4% of it."""


class _Commands(click.Group):
    """Imports a command's module only when it runs; its help line is here already."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = getattr(import_module(f"gate.cli.{cmd_name}"), cmd_name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name not in COMMANDS and not name.startswith("-"):
            from gate.errors import nearest  # noqa: PLC0415 - for mistakes only

            raise click.UsageError(f"{name!r} is no command{nearest(name, COMMANDS)}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=(
        "Exit codes: 0 allow, 2 usage or policy-file error, 3 undecided (could not be measured),"
        " 10 block, 11 warn (with --fail-on warn), 1 internal error, 130 interrupted."
    ),
)
@click.version_option(__version__, prog_name="gate", message="%(prog)s %(version)s")
def cli() -> None:
    """Decide whether a change may ship on the error budget that is left."""


def main(arguments: list[str]) -> ExitCode:
    """Run one command line and return its exit code; nothing else ends the process.

    Python and click exit with 1 for an uncaught exception, a closed pipe and Ctrl-C alike: here
    each has its own code, and none of them can be taken for a verdict.
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
        # Click's own: it has completed a word for a shell, or nobody reads its help any more.
        return ExitCode.INTERNAL
    except GateError as error:
        # A mistake's line begins with its file, so that editors can jump there.
        write_stderr(str(error) if isinstance(error, PolicyError) else f"gate: {error}")
        return error.exit_code
    except BaseException as error:  # noqa: BLE001 - the last line of defence
        return _internal(error)


def _renamed(error: click.NoSuchOption) -> click.UsageError:
    """Return the error with what the option is called now, where it had another name before."""
    for parameter in error.ctx.command.params if error.ctx is not None else ():
        if error.option_name == getattr(parameter, "formerly", None):
            name = max(parameter.opts, key=len)
            message = f"No such option {error.option_name!r}; it is called {name} now."
            return click.UsageError(message, error.ctx)
    return error


def _internal(error: BaseException) -> ExitCode:
    """Report a fault of the program with its trace, on stderr."""
    import traceback  # noqa: PLC0415 - for the worst case only

    trace = "".join(traceback.format_exception(error))
    write_stderr(
        f"{trace}\ngate: internal error: this is no verdict. Please report it with this trace."
    )
    return ExitCode.INTERNAL


def run() -> NoReturn:
    """Run the process's command line and end the process."""
    gc.set_threshold(_ALLOCATIONS)
    open_closed()
    code = main(sys.argv[1:])
    write("")  # goes out now: at the interpreter's end a closed pipe would make it exit code 120
    if any(thread.daemon for thread in threading.enumerate()):
        # One may be within a value in DuckDB, and would end the interpreter's end with an abort.
        os._exit(code)
    sys.exit(code)
