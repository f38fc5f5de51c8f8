"""The options of commands that look back: how far, over which period, at which known incidents."""

import os
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from gate.cli.command import FILE, Decorator, Heading, option
from gate.cli.option_values import DURATION
from gate.config.load import PolicyFile
from gate.dataclass import dataclass
from gate.slo.objective import Span

if TYPE_CHECKING:
    from gate.history.records import IncidentRecord


def period_option() -> Decorator:
    """Add whether the report is about the period that has just ended, beside ``--at``."""
    return option(
        "--period",
        type=click.Choice(["last"]),
        heading=Heading.HISTORY,
        help="Look at the last complete period (of SLOs with a calendar window), at its end.",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodOfPolicies:
    """Policies, and the time and the period at which they are examined."""

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


def last_option(
    default: str, help_: str = "How far to look back, a duration such as 14d."
) -> Decorator:
    """Add how much history a command looks at."""
    return option(
        "--last",
        type=DURATION,
        default=default,
        show_default=True,
        heading=Heading.HISTORY,
        help=help_,
    )


def known_incidents_option(help_: str) -> Decorator:
    """Add where known incidents are written down."""
    return option(
        "--known-incidents",
        type=FILE,
        multiple=True,
        heading=Heading.INCIDENTS,
        help=help_,
        formerly="--known",
    )


def read_known_incidents(patterns: Sequence[str]) -> "tuple[IncidentRecord, ...]":
    """Return the known incidents of files, folders or globs."""
    from gate.config.known_incidents import load_known_incidents  # noqa: PLC0415 - for those who look back

    return load_known_incidents(patterns, os.environ)
