"""All rounding and phrases for people. Remaining shares are rounded down, spent ones up."""

from datetime import UTC, datetime, timedelta
from decimal import ROUND_DOWN, Decimal, localcontext
from fractions import Fraction
from math import ceil
from typing import Final

from gate.measure import Counts, Granted, Share, Spent, Unmeasured
from gate.slo.objective import CompositeSlo, PlatformSlo, Slo, SpendSlo
from gate.slo.quantities import format_duration

NOTHING: Final = "-"
"""The text in place of a number, if nothing was measured or it does not apply."""
NO_HISTORY: Final = "keeps no history"
"""The message about a backend that only knows the present."""
PROPOSAL_DELETED: Final = "the change deletes it"
PROPOSAL_UNREADABLE: Final = "its text is not a valid policy; gate validate shows where it is wrong"
PROPOSAL_TOO_LARGE: Final = "it is larger or more deeply nested than a proposed policy may be"
PROPOSAL_TOO_SLOW: Final = "reading and judging it takes too long"
PROPOSAL_FAILED: Final = "it could not be read and judged"
"""The reason why a proposed policy was not judged."""
PROPOSAL_DIFFERS: Final = (
    "only a part of it is measured: it needs counts that the policy in force does not need"
)
PROPOSAL_OTHER_BACKEND: Final = (
    "it is not measured: its backend differs from that of the policy in force"
)
PROPOSAL_OTHER_BACKENDS: Final = (
    "only a part of it is measured: one of its backends is not among those of the policy in force"
)
"""The reason why a proposed policy was judged only in part."""
_DIGITS: Final = 12
_MOST_PLACES: Final = 6
"""The decimals of a rounded share in percent: a budget of 99.9999% is 0.0001%."""
_FINE: Final = 10**9
"""The largest denominator of shown floats; their errors are finer, and would be rounded up."""


def without_events(slo: Slo) -> str | None:
    """Say why an SLO counts no good and bad events of its own; None: it counts them."""
    if isinstance(slo, SpendSlo):
        return "spend is an amount, not a count of events"
    if isinstance(slo, CompositeSlo):
        return "it is a composite; its members are examined instead"
    if isinstance(slo, PlatformSlo):
        return "its platform has not given an objective"
    return None


def describe_time(length: timedelta) -> str:
    """Write a time to the second below an hour, to the minute below two days, else to the hour.

    It is rounded towards zero: a remaining time is never shown as more than it is.
    """
    size, unit = abs(length), timedelta(seconds=1)
    if size >= timedelta(days=2):
        unit = timedelta(hours=1)
    elif size >= timedelta(hours=1):
        unit = timedelta(minutes=1)
    text = format_duration(size // unit * unit)
    return f"-{text}" if length < timedelta() and text != "0s" else text


def percent_left(share: Fraction, places: int = 1) -> str:
    """Write a share as a percentage, rounded down; negative if the budget is overspent."""
    scale = 10**places
    return f"{float(share * 100 * scale // 1) / scale:,.{places}f}%"


def overspent(share: Fraction, places: int = 1) -> str:
    """Write how far a budget with a remaining share below 0 is overspent: ``51.8%``."""
    return percent_left(share, places).removeprefix("-")


def left_or_overspent(share: Fraction | None) -> str:
    """Write the remaining share without a following word: ``overspent by 51.8%``."""
    return f"overspent by {overspent(share)}" if share is not None and share < 0 else left(share)


def budget_left(share: Fraction, whose: str = "its budget") -> str:
    """Say what is left: ``16.6% of its budget is left``; below 0, how far it is overspent."""
    if share < 0:
        return f"{whose} is overspent by {overspent(share)}"
    return f"{percent_left(share)} of {whose} is left"


def budget_between(low: Fraction, high: Fraction, of: str = "") -> str:
    """Write the bounds of a remaining budget; below 0, it is overspent.

    A whole budget or more is counted in budgets: ``the budget is overspent by 1.5 to 3.8 budgets``
    """
    if left(low) == left(high):
        whole = f"{percent_left(low)}{of} is left"
        return whole if low >= 0 else f"the budget is {left_or_overspent(low)}"
    if low >= 0:
        return f"between {percent_left(low)} and {percent_left(high)}{of} is left"
    if high >= 0:
        return f"the budget is anything from overspent by {overspent(low)} to {left(high)} left"
    if high <= -1:
        least, most = (f"{float(ceil(-end * 10)) / 10:,.1f}" for end in (high, low))
        return f"the budget is overspent by {least} to {most} budgets"
    return f"the budget is overspent by {overspent(high)} to {overspent(low)}"


def burn_shown(rate: Fraction) -> str:
    """Write a burn rate with two decimals; a very small one is not shown as zero."""
    if 0 < rate < Fraction(1, 100):
        return "<0.01"
    return f"{float(rate * 100 // 1) / 100:,.2f}"


def percent_spent(share: Fraction, places: int = 1) -> str:
    """Write the consumed share, at least 0, rounded up, so that both shares add up to 100%."""
    return percent_left(-share, places).replace("-", "", 1)


def stretch(start: datetime, end: datetime, *, open_: bool) -> str:
    """Write a stretch of time in UTC, with its length, or its length so far."""
    first, last = (at.astimezone(UTC) for at in (start, end))
    length = describe_time(end - start)
    if open_:
        return f"{instant(first)} ({length} so far)"
    to = f"{last:%H:%M}" if last.date() == first.date() else minute(last)
    return f"{minute(first)} to {to} UTC ({length})"


def left(share: Fraction | None, places: int = 1) -> str:
    """Write a remaining or covered share, rounded down; never clamped."""
    return NOTHING if share is None else percent_left(share, places)


def share_left(share: float | None, places: int = 1) -> str:
    """Write a remaining share of the past, if it is known, rounded down."""
    return NOTHING if share is None else percent_left(shown(share), places)


def spent(share: Fraction | None, places: int = 1) -> str:
    """Write the consumed share, rounded up, so that it adds up to 100% with the rest."""
    return NOTHING if share is None else percent_spent(share, places)


def shown(number: float | Fraction) -> Fraction:
    """Return the number that a float was meant to be, to be written like any other."""
    return Fraction(float(number)).limit_denominator(_FINE)


def rounded(share: Fraction | None) -> str:
    """Write a share that is neither left nor spent, rounded to the nearest tenth of a percent."""
    return NOTHING if share is None else f"{float(share * 100):.1f}%"


def exact(number: Fraction) -> str:
    """Write a number from a person with all its digits."""
    with localcontext() as context:
        context.prec, context.rounding = _DIGITS, ROUND_DOWN
        return f"{(Decimal(number.numerator) / Decimal(number.denominator)).normalize():f}"


def percent(share: Fraction) -> str:
    """Write a stated share with all its digits: 99.9999% is not 100%."""
    return f"{exact(share * 100)}%"


def amount(value: Fraction | None) -> str:
    """Write a count or an amount; estimates may have fractions, which show in small numbers."""
    if value is None:
        return NOTHING
    if 0 < value < Fraction(1, 10):
        return "<0.1"
    whole = value.denominator == 1 or value >= 10  # noqa: PLR2004 - a tenth matters below ten
    return f"{round(value):,}" if whole else f"{float(value):.1f}"


def counted(answer: Counts | Spent | Share) -> str:
    """Write a backend's count: ``12 bad of 43,190``, ``31.50 spent``, or a share.

    A share has its possible error: ``0.05% bad, give or take 0.005%``.
    """
    if isinstance(answer, Spent):
        return f"{float(answer.amount):,.2f} spent"
    if isinstance(answer, Share):
        return share_of_bad(answer.bad, answer.error)
    if answer.evidence.granted is Granted.SECONDS:
        times = (timedelta(seconds=float(number)) for number in (answer.bad, answer.total))
        bad, whole = map(describe_time, times)
        return f"{bad} bad of {whole}"
    return f"{round(answer.bad):,} bad of {round(answer.total):,}"


def share_of_bad(share: Fraction, error: Fraction) -> str:
    """Write a rounded share with its possible error: ``0.05% bad, give or take 0.003%``."""
    percents = error * 100
    # Two digits of the error, which is rounded up, and the same decimals for the share.
    places = 2
    while places < _MOST_PLACES and percents * 10**places < 10:  # noqa: PLR2004 - two digits
        places += 1
    off = Fraction(ceil(percents * 10**places), 10**places)
    return f"{_decimals(share * 100, places)}% bad, give or take {_decimals(off, places)}%"


def _decimals(number: Fraction, places: int) -> str:
    """Write a number with at most this many decimals, without zeros at its end."""
    return f"{float(number):.{places}f}".rstrip("0").rstrip(".")


def left_between(low: Fraction, high: Fraction) -> str:
    """Write the bounds of a remaining share, without a following word."""
    if left(low) == left(high):
        return left_or_overspent(low)
    if low >= 0:
        return f"{left(low)} to {left(high)}"
    if high >= 0:
        return f"overspent by {overspent(low)} to {left(high)} left"
    return f"overspent by {overspent(high)} to {overspent(low)}"


def burn(rate: Fraction | Unmeasured | None) -> str:
    """Write a burn rate, or a placeholder without one."""
    return burn_shown(rate) if isinstance(rate, Fraction) else NOTHING


def minute(at: datetime) -> str:
    """Write an instant in UTC to the minute, if the time zone is given elsewhere."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M}"


def instant(at: datetime) -> str:
    """Write an instant in UTC to the minute: ``2026-11-25 14:00 UTC``."""
    return f"{minute(at)} UTC"


def day(at: datetime) -> str:
    """Write a day in UTC, if the year is given elsewhere: ``9 Oct``."""
    at = at.astimezone(UTC)
    return f"{at.day} {at:%b}"


def exact_instant(at: datetime) -> str:
    """Write an instant in UTC in the form that ``--at`` reads."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def downtime(share: Fraction, allowed: timedelta) -> str:
    """Write the remaining part of the allowed bad time: ``31m of 43m12s left``."""
    micros = Fraction(allowed // timedelta(microseconds=1))
    size = describe_time(timedelta(microseconds=int(abs(share) * micros // 1)))
    whole = describe_time(allowed)
    return f"{size} of {whole} left" if share >= 0 else f"{size} more than the {whole}"
