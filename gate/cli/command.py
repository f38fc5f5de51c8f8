"""Commands whose help has its options in groups, an example, and the environment variables.

Every command also has ``--quiet`` and ``--color``. A group of options that several commands share
is one argument of the command's function: a dataclass with a field for each option.
"""

from collections.abc import Callable, Collection, Sequence
from enum import StrEnum
from functools import partial, reduce, wraps
from inspect import get_annotations
from typing import TYPE_CHECKING, Any, Final

import click

from gate.cli.streams import COLOR, QUIET

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

DEFAULT_POLICY: Final = "gate.yaml"
"""The policy file that every command reads by default."""
Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


class Heading(StrEnum):
    """The groups of options in the help, in the order in which they are shown."""

    ARGUMENTS = "Arguments"
    MEASUREMENT = "Measurement"
    HISTORY = "History"
    INCIDENTS = "Incidents"
    COHORTS = "Cohorts"
    WATCH = "Watch"
    POLICY = "Policy"
    CHANGE = "Change"
    VERIFICATION = "Verification"
    OVERRIDE = "Override"
    PUBLISHING = "Publishing"
    CASES = "Cases"
    LIMITS = "Limits"
    OUTPUT = "Output"
    GENERAL = "General"


class CommandOption(click.Option):
    """An option in a group; `gate.cli.main` refuses its former name and gives the new one.

    Args:
        heading: the group that the help shows it in.
        formerly: its former name.
    """

    def __init__(
        self, *args: Any, heading: Heading, formerly: str | None = None, **attributes: Any
    ) -> None:
        super().__init__(*args, **attributes)
        self.heading = heading
        self.formerly = formerly


class CommandArgument(click.Argument):
    """An argument with a description in the help."""

    heading = Heading.ARGUMENTS

    def __init__(self, *args: Any, help_: str, **attributes: Any) -> None:
        super().__init__(*args, **attributes)
        self.help_ = help_

    def get_help_record(self, ctx: click.Context) -> tuple[str, str]:
        """Return the argument's form and its description."""
        return self.make_metavar(ctx), self.help_


def argument(name: str, *, help_: str, **attributes: Any) -> Decorator:
    """Add an argument to a command, with its description for the help."""
    return click.argument(name, cls=CommandArgument, help_=help_, **attributes)


def option(*names: str, heading: Heading, **attributes: Any) -> Decorator:
    """Add an option to a command; ``formerly`` is its former name."""
    return click.option(*names, cls=CommandOption, heading=heading, **attributes)


class FileName(click.ParamType[str]):
    """The path of a file as it was given, which a shell can complete."""

    name = "file"

    def __init__(self, formats: Collection[str] = ()) -> None:
        self._formats = formats

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the path; refuse ``json=FILE``, which ``--output`` took in earlier versions."""
        if not value:
            self.fail("the name of a file is empty", param, ctx)
        if "=" in value and value.partition("=")[0] in self._formats:
            self.fail(f"{value!r} is not the name of a file; write --write {value}", param, ctx)
        return value

    def shell_complete(
        self,
        ctx: click.Context,  # noqa: ARG002 - click's signature
        param: click.Parameter,  # noqa: ARG002 - click's signature
        incomplete: str,
    ) -> "list[CompletionItem]":
        """Let the shell complete the names of files."""
        from click.shell_completion import CompletionItem  # noqa: PLC0415 - for a shell only

        return [CompletionItem(incomplete, type="file")]


def _remember(key: str, context: click.Context, _parameter: click.Parameter, value: Any) -> None:
    """Keep a given value for `gate.cli.streams`; a default does not replace an earlier value."""
    if value:
        context.meta[key] = value


def _general_options() -> list[click.Parameter]:
    quiet = CommandOption(
        ["--quiet", "-q"],
        is_flag=True,
        heading=Heading.GENERAL,
        expose_value=False,
        callback=partial(_remember, QUIET),
        help="Write no progress and no notes to stderr. Warnings and errors are still written.",
    )
    color = CommandOption(
        ["--color"],
        type=click.Choice(["auto", "always", "never"]),
        heading=Heading.GENERAL,
        expose_value=False,
        callback=partial(_remember, COLOR),
        help="Colour the output on stdout. The default, auto, colours it on a terminal, and obeys"
        " NO_COLOR and FORCE_COLOR.",
    )
    return [quiet, color]


class Command(click.Command):
    """A command of the gate.

    Args:
        example: command lines that show how it is used.
    """

    def __init__(self, *args: Any, example: Sequence[str], **attributes: Any) -> None:
        super().__init__(*args, **attributes)
        self.params += _general_options()
        self.example = example

    def get_help_option_names(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the same names in every context: click keeps the first option that it makes."""
        return ["-h", "--help"]

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options under their headings."""
        by_heading: dict[str, list[tuple[str, str]]] = {heading: [] for heading in Heading}
        for parameter in self.get_params(ctx):
            records = by_heading[getattr(parameter, "heading", Heading.GENERAL)]
            records += filter(None, [parameter.get_help_record(ctx)])
        for heading, records in by_heading.items():
            if records:
                with formatter.section(heading):
                    formatter.write_dl(records)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the example, and the purpose of the environment variables."""
        with formatter.section("Example"):
            formatter.write("".join(f"  {line}\n" for line in self.example))
        from gate.cli.variables import READ_BY, VARIABLES  # noqa: PLC0415 - for the help only

        if names := READ_BY.get(self.name or "", ()):
            with formatter.section("Environment variables"):
                formatter.write_dl([(name, VARIABLES[name]) for name in names])
        super().format_epilog(ctx, formatter)


class CommandGroup(Command, click.Group):
    """A command with subcommands."""

    command_class: type[click.Command] | None = Command

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the subcommands, and then the options."""
        self.format_commands(ctx, formatter)
        super().format_options(ctx, formatter)


def command(
    *, cls: type[Command] = Command, **attributes: Any
) -> Callable[[Callable[..., Any]], Command]:
    """Make a command of a function; the arguments are those of `Command`."""
    return click.command(cls=cls, **attributes)


def group(name: str, make: Callable[..., Any], decorators: Sequence[Decorator]) -> Decorator:
    """Return a decorator that adds options to a command and passes them on as one argument.

    Args:
        name: the name of that argument of the command's function.
        make: makes its value; takes the value of each option by the option's own name.
        decorators: one for each option, in the order of the help.
    """
    makers = reversed(getattr(make, "__mro__", (make,)))
    keys = tuple(key for maker in makers for key in get_annotations(maker) if key != "return")

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def grouped(**values: Any) -> Any:
            argument = make(**{key: values.pop(key) for key in keys})
            return function(**values, **{name: argument})

        made: Callable[..., Any] = grouped
        return reduce(lambda inner, decorator: decorator(inner), reversed(decorators), made)

    return decorate


FILE: Final = FileName()


def output_option(help_: str, *, type_: FileName = FILE, **attributes: Any) -> Decorator:
    """Add the file that a command writes to instead of stdout; ``-`` is stdout."""
    return option(
        "--output",
        "-o",
        type=type_,
        heading=Heading.OUTPUT,
        callback=lambda _context, _parameter, path: None if path == "-" else path,
        help=help_,
        **attributes,
    )


def policies_argument(*, single: bool = False) -> Decorator:
    """Add the policy files, at least one.

    Args:
        single: whether the command takes only one, as its help says.
    """
    return argument(
        "policies",
        metavar="[POLICY]" if single else "[POLICY]...",
        nargs=-1,
        type=FILE,
        callback=lambda _context, _parameter, paths: paths or (DEFAULT_POLICY,),
        help_=f"Policy file{'' if single else 's'}. Default: {DEFAULT_POLICY}.",
    )
