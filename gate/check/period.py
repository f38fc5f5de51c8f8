"""The period that just ended: at its end, as a whole."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

from gate.config.load import PolicyFile
from gate.errors import UsageError
from gate.slo.objective import CalendarWindow, Period, RatioSlo, Slo, Span, SpendSlo
from gate.wording import exact_instant

_FINEST: Final = timedelta(microseconds=1)
_ORDER: Final = tuple(Period)
"""The shortest first."""


def last_period(files: Sequence[PolicyFile], at: datetime) -> tuple[list[PolicyFile], Span]:
    """Return policies whose calendar windows close, and the period of them that has just ended.

    Of windows of several lengths (a week and a month) it is the longest. At the very end of a
    period, which is the start of the next, that period has just ended. Rolling windows are reported
    as they are at that instant.

    Args:
        files: the policies.
        at: the period is over by then.

    Raises:
        UsageError: no SLO has a calendar window, or their periods ended at different instants.
    """
    paths = ", ".join(file.source.path for file in files)
    calendars = [pair for file in files for pair in _calendars(file)]
    if not calendars:
        midnight = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        raise UsageError(
            f"{paths}: no SLO has a calendar window, so no period has ended; for the windows"
            f" that ended at the last midnight, give the instant {exact_instant(midnight)}"
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
    """Return the newest period that is over by an instant."""
    return window.whole(window.whole(at).start - _FINEST)


def _closing(file: PolicyFile) -> PolicyFile:
    slos = tuple(map(_closing_slo, file.policy.slos))
    return replace(file, policy=replace(file.policy, slos=slos))


def _closing_slo(slo: Slo) -> Slo:
    if isinstance(slo, (RatioSlo, SpendSlo)) and isinstance(slo.window, CalendarWindow):
        return replace(slo, window=replace(slo.window, closing=True))
    return slo
