"""The types of options, and the groups of options that several commands share.

A group is one argument of the command's function: a dataclass with a field for each option.
"""

import os
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime, timedelta
from functools import wraps
from inspect import get_annotations
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click
from click.core import ParameterSource

from gate.cli.session import Render, load_all, now, progress, report_page, write_report
from gate.config.load import PolicyFile
from gate.dataclass import dataclass
from gate.errors import nearest
from gate.hosts.systems import SYSTEMS
from gate.parsing.values import ABOVE_ZERO, SHARE, parse_instant
from gate.reporters.page import Output
from gate.slo.objective import Span
from gate.slo.quantities import parse_duration

if TYPE_CHECKING:
    from gate.history.records import IncidentRecord


class Parsed(click.ParamType[Any]):
    """An option whose text a function reads; its ValueError becomes a usage error."""

    def __init__(self, name: str, parse: Callable[[str], Any]) -> None:
        self.name = name
        self._parse = parse

    def convert(
        self, value: str, param: click.Parameter | None, ctx: click.Context | None
    ) -> object:
        """Return the parsed value; click hands defaults over as text, too."""
        try:
            return self._parse(value)
        except ValueError as error:
            return self.fail(str(error), param, ctx)


def pair_of(text: str) -> tuple[str, str]:
    """Split ``NAME=VALUE``; raises ValueError."""
    name, sign, value = text.partition("=")
    if not (name and sign and value):
        raise ValueError(f"{text!r} is no NAME=VALUE")
    return name, value


def _copy_in(formats: Collection[str]) -> Callable[[str], tuple[str, str]]:
    def copy(text: str) -> tuple[str, str]:
        name, path = pair_of(text)
        if name not in formats:
            raise ValueError(f"{name!r} is no format{nearest(name, formats)}")
        return name, path

    return copy


def _past(text: str) -> datetime:
    instant = parse_instant(text)
    if instant > datetime.now(UTC):
        raise ValueError(f"{text} has not come yet: a budget is measured, not foretold")
    return instant


INSTANT: Final = Parsed("time", _past)
DATE: Final = Parsed("time", parse_instant)
"""Also one that has yet to come."""
DURATION: Final = Parsed("duration", parse_duration)
RATE: Final = Parsed("rate", ABOVE_ZERO.parse)
PORTION: Final = Parsed("share", SHARE.parse)
Result = TypeVar("Result")
Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


class CommandOption(click.Option):
    """An option that may have had another name before, which `gate.cli.main` refuses with it."""

    def __init__(self, *args: Any, formerly: str | None = None, **attributes: Any) -> None:
        super().__init__(*args, **attributes)
        self.formerly = formerly


def option(*names: str, **attributes: Any) -> Decorator:
    """Add an option to a command; ``formerly`` is the name that it had before."""
    return click.option(*names, cls=CommandOption, **attributes)


def group(name: str, make: Callable[..., Any], decorators: Sequence[Decorator]) -> Decorator:
    """Return a decorator that adds options to a command and hands them on as one argument.

    Args:
        name: of that argument of the command's function.
        make: makes it; takes the value of each option by the option's own name.
        decorators: one an option, in the order of the help.
    """
    keys = tuple(name for name in get_annotations(make) if name != "return")

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def grouped(**values: Any) -> Any:
            argument = make(**{key: values.pop(key) for key in keys})
            return function(**values, **{name: argument})

        command: Callable[..., Any] = grouped
        for decorator in reversed(decorators):
            command = decorator(command)
        return command

    return decorate


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasurementOptions:
    """What every command that measures takes."""

    policies: tuple[str, ...]
    """Paths; at least one."""
    at: datetime | None
    """The instant of the run; None: now."""
    format_: str
    copies: tuple[tuple[str, str], ...]
    """Formats and files."""
    timeout: timedelta

    def instant(self) -> datetime:
        """Return the instant of the run. Ask once: without ``at`` it is another one each time."""
        return self.at or now()

    def ask(self, question: Callable[[Sequence[PolicyFile]], Result]) -> Result:
        """Read the policies and return what a question about them comes to.

        Raises:
            PolicyError: the mistakes of all files together.
        """
        files = load_all(self.policies)
        with progress(files):
            return question(files)

    def write_report(self, render: Render) -> None:
        """Write the report to stdout, and the copies to their files."""
        write_report(render, self.format_, self.copies)

    @property
    def formats(self) -> frozenset[str]:
        """The formats that are asked for, on stdout and in files."""
        return frozenset({self.format_, *(format_ for format_, _ in self.copies)})

    def report_page(self, output: Output) -> None:
        """Write a result to stdout in one of the formats of every command, and the copies."""
        report_page(output, self.format_, self.copies)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportOptions:
    """Where a report goes, and in which formats."""

    format_: str
    copies: tuple[tuple[str, str], ...]
    """Formats and files."""


def report_options(formats: Collection[str], default: str = "terminal") -> tuple[Decorator, ...]:
    """Return the options of a report, `ReportOptions`."""
    return (
        option(
            "--format",
            "format_",
            type=click.Choice(tuple(formats)),
            default=default,
            show_default=True,
            help="Of the report on stdout.",
        ),
        option(
            "--write",
            "copies",
            formerly="--output",
            type=Parsed("format=file", _copy_in(formats)),
            multiple=True,
            help="Also write the report to a file, in this format. Can be repeated.",
        ),
    )


def measurement_options(
    formats: Collection[str], default: str = "terminal", *, timeout: str = "60s"
) -> Decorator:
    """Add `MeasurementOptions` to a command, as its argument ``measurement``."""
    decorators: list[Decorator] = [
        click.argument("policies", metavar="POLICY...", nargs=-1, required=True),
        option(
            "--at",
            type=INSTANT,
            help="Measure at this RFC 3339 instant instead of now: 2026-11-20T14:00:00Z.",
        ),
        *report_options(formats, default),
        option(
            "--timeout",
            type=DURATION,
            default=timeout,
            show_default=True,
            help="For everything that a backend does.",
        ),
    ]
    return group("measurement", MeasurementOptions, decorators)


def ci_option() -> Decorator:
    """Add which CI system the command runs in."""
    return option(
        "--ci",
        type=click.Choice(["auto", "none", *SYSTEMS]),
        default="auto",
        show_default=True,
        help="The CI system that this runs in.",
    )


def identity_options() -> tuple[Decorator, ...]:
    """Return what tells this gate from others of the same policy and environment."""
    return (
        option(
            "--status-name",
            metavar="NAME",
            help="Of the commit status; default: gate/SERVICE[/ENVIRONMENT][/KEY].",
        ),
        option(
            "--gate-key",
            metavar="KEY",
            help="Tells comment and status apart where jobs share policy and environment.",
        ),
    )


def period_option() -> Decorator:
    """Add whether the period that just ended is told of, to a command that has ``--at``."""
    return option(
        "--period",
        type=click.Choice(["last"]),
        help="Of calendar windows: the period that has just ended, as a whole, at its end.",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodOfPolicies:
    """Policies as they are to be looked at, from when, and over which period."""

    files: Sequence[PolicyFile]
    at: datetime
    span: Span | None
    """The period that has just ended; None: it was not asked for."""

    def look_back(self, last: timedelta) -> timedelta:
        """Return how far to look back: as stated, and unless that was, over the period."""
        source = click.get_current_context().get_parameter_source("last")
        if self.span is None or source is not ParameterSource.DEFAULT:
            return last
        return self.span.length


def in_period(files: Sequence[PolicyFile], at: datetime, period: str | None) -> PeriodOfPolicies:
    """Return the policies at an instant, or with ``--period last`` at the end of the last period.

    Raises:
        UsageError: no period of these policies has ended, or several at different instants.
    """
    if period is None:
        return PeriodOfPolicies(files=files, at=at, span=None)
    from gate.check.period import last_period  # noqa: PLC0415 - where it is asked for

    closing, span = last_period(files, at)
    return PeriodOfPolicies(files=closing, at=span.end, span=span)


def last_option(default: str, help_: str = "How far to look back.") -> Decorator:
    """Add how much history a command looks at."""
    return option("--last", type=DURATION, default=default, show_default=True, help=help_)


def known_incidents_option(help_: str) -> Decorator:
    """Add where known incidents are written down."""
    return option(
        "--known-incidents", metavar="FILE", multiple=True, help=help_, formerly="--known"
    )


def read_known_incidents(patterns: Sequence[str]) -> "tuple[IncidentRecord, ...]":
    """Return the known incidents of files, folders or globs."""
    from gate.config.known_incidents import load_known_incidents  # noqa: PLC0415 - for those who look back

    return load_known_incidents(patterns, os.environ)
