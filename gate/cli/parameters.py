"""Options that several commands have: the measurement of policies, and the outputs."""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from pathlib import PurePath
from typing import Final, TypeVar

import click
from click.core import ParameterSource

from gate.cli.command import (
    Decorator,
    FileName,
    Heading,
    group,
    option,
    output_option,
    policies_argument,
)
from gate.cli.option_values import DURATION, INSTANT, SIZE, Parsed, copy_in
from gate.cli.session import (
    Read,
    Render,
    load_all,
    now,
    progress,
    read_file,
    report_page,
    write_report,
)
from gate.config.load import PolicyFile
from gate.dataclass import dataclass
from gate.reporters.page import Output

SUFFIXES: Final = {
    ".html": "html",
    ".htm": "html",
    ".json": "json",
    ".md": "markdown",
    ".txt": "terminal",
    ".xml": "junit",
    ".sarif": "sarif",
    ".env": "dotenv",
    ".yaml": "yaml",
    ".yml": "yaml",
}
"""The formats by the suffix of a file's name."""
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportOptions:
    """The destination of a report, and its formats."""

    format_: str
    output: str | None
    """The file; None: stdout."""
    copies: tuple[tuple[str, str], ...]
    """Pairs of format and file."""

    @property
    def formats(self) -> frozenset[str]:
        """The formats of the report and of the copies."""
        return frozenset({self.format_, *(format_ for format_, _ in self.copies)})

    def write(self, render: Render) -> bool:
        """Write the report and the copies; return whether the report is in a file."""
        return write_report(render, self.format_, self.output, self.copies)


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasurementOptions:
    """The options of every command that measures."""

    policies: tuple[str, ...]
    """Paths of the policies; at least one."""
    at: datetime | None
    """The instant of the run; None: now."""
    timeout: timedelta
    max_scan: int | None
    """The maximum number of bytes that one statement may read; None: as in the policies."""
    format_: str
    output: str | None
    """The file of the report; None: stdout."""
    copies: tuple[tuple[str, str], ...]
    """Pairs of format and file."""

    def instant(self) -> datetime:
        """Return the instant of the run. Call it once: without ``at`` it differs each time."""
        return self.at or now()

    def load(self, read: Read = read_file) -> list[PolicyFile]:
        """Read the policies with `load_all`, for a run with these options."""
        return load_all(self.policies, read, max_scan=self.max_scan)

    def ask(self, question: Callable[[Sequence[PolicyFile]], Result]) -> Result:
        """Read the policies and return the result of a question about them.

        Raises:
            PolicyError: the mistakes of all files together.
        """
        files = self.load()
        with progress(files):
            return question(files)

    @property
    def report(self) -> ReportOptions:
        """The destination of the report."""
        return ReportOptions(format_=self.format_, output=self.output, copies=self.copies)

    def report_page(self, output: Output) -> None:
        """Write a result in one of the formats of every command, and the copies."""
        report_page(output, self.format_, self.output, self.copies)


def _format_of(context: click.Context, parameter: click.Parameter, chosen: str) -> str:
    """Return the format of the report: as stated, otherwise by the name of the file."""
    output = context.params["output"]
    source = context.get_parameter_source(parameter.name or "")
    if not output or source is not ParameterSource.DEFAULT:
        return chosen
    choices = tuple(parameter.type.choices) if isinstance(parameter.type, click.Choice) else ()
    suffix = PurePath(output).suffix
    implied = SUFFIXES.get(suffix.lower())
    wrong = ""
    if output in choices:
        wrong = f"{output} is a format; write --format {output}{_file_in(output)}"
    elif suffix and implied is None:
        wrong = (
            f"{suffix} is not the suffix of a format; state --format, or end the name with one of"
            f" {', '.join(_suffixes(choices))}"
        )
    elif implied is not None and implied not in choices:
        wrong = (
            f"{output} would be in the format {implied}, which this command does not write;"
            f" state --format with one of {', '.join(choices)}"
        )
    if wrong:
        raise click.BadParameter(wrong, param_hint="'--output'")
    return implied or chosen


def _suffixes(formats: Collection[str]) -> list[str]:
    """Return the suffixes that mean one of these formats."""
    return [suffix for suffix, name in SUFFIXES.items() if name in formats]


def _file_in(format_: str) -> str:
    """Return the name of a file whose suffix means a format, as advice; empty if none exists."""
    return "".join(f", or -o report{suffix}" for suffix in _suffixes((format_,))[:1])


def report_options(formats: Collection[str], default: str = "terminal") -> tuple[Decorator, ...]:
    """Return the options of a report, `ReportOptions`."""
    suffixes = ", ".join(_suffixes(formats))
    return (
        option(
            "--format",
            "-f",
            "format_",
            type=click.Choice(tuple(formats)),
            default=default,
            show_default=True,
            callback=_format_of,
            heading=Heading.OUTPUT,
            help="Format of the report.",
        ),
        output_option(
            "Write the report to this file instead of stdout. Without --format, the"
            f" suffix of the file determines the format: {suffixes}.",
            type_=FileName(formats),
            is_eager=True,  # the format may follow from it
        ),
        option(
            "--write",
            "copies",
            type=Parsed("format=file", copy_in(formats)),
            multiple=True,
            heading=Heading.OUTPUT,
            help="Also write the report to a file in this format, such as json=report.json. Can be"
            " repeated.",
        ),
    )


def timeout_option(default: str) -> Decorator:
    """Add the time limit of the backends."""
    return option(
        "--timeout",
        type=DURATION,
        default=default,
        show_default=True,
        heading=Heading.MEASUREMENT,
        help="Time limit for all backend queries together, a duration such as 90s.",
    )


def max_scan_option() -> Decorator:
    """Add the limit of the data that an SQL engine may read."""
    return option(
        "--max-scan",
        type=SIZE,
        heading=Heading.MEASUREMENT,
        help="Refuse a query that would read more data than this in an object store, or in an SQL"
        " engine that says so beforehand: a number and a unit, such as 50GB or 20GiB. Default: as"
        " the policy says.",
    )


_AT: Final = "Measure at this RFC 3339 time, such as 2026-11-20T14:00:00Z. Default: now."


def measurement_options(
    formats: Collection[str],
    default: str = "terminal",
    *,
    timeout: str = "60s",
    at: str = _AT,
    single: bool = False,
) -> Decorator:
    """Add `MeasurementOptions` to a command, as its argument ``measurement``.

    Args:
        formats: the formats of its report.
        default: the default format.
        timeout: the default of ``--timeout``.
        at: the help of ``--at``.
        single: whether the command takes one policy only.
    """
    decorators: list[Decorator] = [
        policies_argument(single=single),
        option(
            "--at",
            type=INSTANT,
            heading=Heading.MEASUREMENT,
            help=at,
        ),
        timeout_option(timeout),
        max_scan_option(),
        *report_options(formats, default),
    ]
    return group("measurement", MeasurementOptions, decorators)
