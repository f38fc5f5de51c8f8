"""The options of commands that look back: the time, the period, and known incidents."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import click
from click.core import ParameterSource

from gate.cli.command import FILE, Decorator, Heading, option
from gate.cli.option_values import DURATION, SingleValue
from gate.config.load import PolicyFile
from gate.dataclass import dataclass
from gate.errors import UsageError
from gate.slo.calendar import Period
from gate.slo.objective import CalendarWindow, RatioSlo, Slo, Span, SpendSlo
from gate.wording import exact_instant

if TYPE_CHECKING:
    from gate.history.records import IncidentRecord


def period_option() -> Decorator:
    """Add the option for a report about the period that has just ended, beside ``--at``."""
    return option(
        "--period",
        type=SingleValue("last"),
        heading=Heading.HISTORY,
        help="Look at the last complete period (of SLOs with a calendar window), at its end.",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodOfPolicies:
    """Policies, and the time and the period at which they are examined."""

    files: Sequence[PolicyFile]
    at: datetime
    span: Span | None
    """The period that has just ended; None: not requested."""

    def look_back(self, last: timedelta) -> timedelta:
        """Return how far to look back: as stated, otherwise over the period."""
        source = click.get_current_context().get_parameter_source("last")
        if self.span is None or source is not ParameterSource.DEFAULT:
            return last
        return self.span.length


def in_period(files: Sequence[PolicyFile], at: datetime, period: str | None) -> PeriodOfPolicies:
    """Return the policies at an instant, or with ``--period last`` at the end of the last period.

    Raises:
        UsageError: no period of these policies has ended, or several have ended at different
            instants.
    """
    if period is None:
        return PeriodOfPolicies(files=files, at=at, span=None)

    closing, span = last_period(files, at)
    return PeriodOfPolicies(files=closing, at=span.end, span=span)


def last_option(
    default: str, help_: str = "How far to look back, a duration such as 14d."
) -> Decorator:
    """Add the option for the length of the history."""
    return option(
        "--last",
        type=DURATION,
        default=default,
        show_default=True,
        heading=Heading.HISTORY,
        help=help_,
    )


def known_incidents_option(help_: str) -> Decorator:
    """Add the option for the files with known incidents."""
    return option(
        "--known-incidents",
        type=FILE,
        multiple=True,
        heading=Heading.INCIDENTS,
        help=help_,
        formerly="--known",
    )


def read_known_incidents(patterns: Sequence[str]) -> "tuple[IncidentRecord, ...]":
    """Return the known incidents in files, folders or globs."""
    from gate.config.known_incidents import load_known_incidents  # noqa: PLC0415 - for those who look back

    return load_known_incidents(patterns, os.environ)


_FINEST: Final = timedelta(microseconds=1)
_ORDER: Final = tuple(Period)
"""The lengths of windows, the shortest first."""


def last_period(files: Sequence[PolicyFile], at: datetime) -> tuple[list[PolicyFile], Span]:
    """Return the policies with calendar windows, and their period that has just ended.

    With windows of several lengths (a week and a month), it is the longest. At the very end of a
    period, which is the start of the next, that period has just ended. Rolling windows are reported
    as they are at that instant.

    Args:
        files: the policies.
        at: the instant by which the period has ended.

    Raises:
        UsageError: no SLO has a calendar window, or their periods ended at different instants.
    """
    paths = ", ".join(file.source.path for file in files)
    calendars = [pair for file in files for pair in _calendars(file)]
    if not calendars:
        midnight = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        raise UsageError(
            f"{paths}: no SLO has a calendar window, so no period has ended; for windows that end"
            f" at the last midnight, give the instant {exact_instant(midnight)}"
        )
    longest = max(_ORDER.index(window.period) for _, window in calendars)
    ended = {
        _ended(window, at): name
        for name, window in calendars
        if _ORDER.index(window.period) == longest
    }
    if len(ended) > 1:
        ends = ", ".join(f"{name} at {exact_instant(span.end)}" for span, name in ended.items())
        raise UsageError(
            f"{paths}: the last periods ended at different instants ({ends}); ask about"
            " one policy at a time, or give these SLOs the same time zone"
        )
    return [_closing(file) for file in files], next(iter(ended))


def _calendars(file: PolicyFile) -> Iterator[tuple[str, CalendarWindow]]:
    for slo in file.policy.slos:
        if isinstance(slo, (RatioSlo, SpendSlo)) and isinstance(slo.window, CalendarWindow):
            yield slo.name, slo.window


def _ended(window: CalendarWindow, at: datetime) -> Span:
    """Return the newest period that has ended by an instant."""
    return window.whole(window.whole(at).start - _FINEST)


def _closing(file: PolicyFile) -> PolicyFile:
    slos = tuple(map(_closing_slo, file.policy.slos))
    return replace(file, policy=replace(file.policy, slos=slos))


def _closing_slo(slo: Slo) -> Slo:
    if isinstance(slo, (RatioSlo, SpendSlo)) and isinstance(slo.window, CalendarWindow):
        return replace(slo, window=replace(slo.window, closing=True))
    return slo
