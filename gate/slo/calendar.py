"""The periods of the calendar, in local time."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final


class Period(StrEnum):
    """The period of a calendar window. Weeks begin on Monday (ISO 8601)."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"

    def check(self, begins: datetime) -> None:
        """See that every period has a start like this local time.

        Raises:
            ValueError: not every period has such a start, or it is finer than a second; the message
                says what to write.
        """
        if begins.microsecond:
            raise ValueError(
                f"{begins} has fractions of a second; write {begins.replace(microsecond=0)}"
            )
        if (days := self._days(begins.month)) is not None and begins.day > days:
            raise ValueError(
                f"not every {self} has a day {begins.day} to begin on; write day {days} or earlier"
            )

    def number(self, begins: datetime, local: datetime) -> int:
        """Return about how many periods a local time is after ``begins``: at most one too many."""
        if self in _DAYS:
            return (local - begins) // timedelta(days=_DAYS[self])
        return (_months(local) - _months(begins)) // _MONTHS[self]

    def later(self, begins: datetime, number: int) -> datetime:
        """Return the local time at which the period starts that is ``number`` after ``begins``."""
        if self in _DAYS:
            return begins + number * timedelta(days=_DAYS[self])
        year, month = divmod(_months(begins) + number * _MONTHS[self], _MONTHS_PER_YEAR)
        return begins.replace(year=year, month=month + 1)

    def _days(self, month: int) -> int | None:
        """Return the smallest number of days in the months in which periods begin; February has 28.

        None: it does not begin on a day of the month.
        """
        if self in _DAYS:
            return None
        starts = range(month - 1, month - 1 + _MONTHS_PER_YEAR, _MONTHS[self])
        return min(_DAYS_OF_MONTHS[start % _MONTHS_PER_YEAR] for start in starts)


_MONTHS_PER_YEAR: Final = 12
_DAYS_OF_MONTHS: Final = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
"""The days of the months from January, in a year that is not a leap year."""
_DAYS: Final = {Period.DAY: 1, Period.WEEK: 7}
_MONTHS: Final = {Period.MONTH: 1, Period.QUARTER: 3, Period.YEAR: _MONTHS_PER_YEAR}


def _months(local: datetime) -> int:
    return local.year * _MONTHS_PER_YEAR + local.month - 1
