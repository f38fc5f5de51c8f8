"""Turn the queries of the formats into indicators: counts, quotients, and means of ratios."""

import re
from collections.abc import Callable
from datetime import timedelta
from fractions import Fraction
from functools import partial
from typing import Final, TypeVar

import yaml

from gate.parsing.numbers import NUMBER
from gate.parsing.reader import Reader, UnreadableError, written
from gate.parsing.schema import Scalar
from gate.parsing.values import TEXT
from gate.promql.counting import Count, is_selector, read_count
from gate.promql.expression import read_expression
from gate.promql.grammar import ExpressionError
from gate.promql.parts import rest_of, with_absent_parts
from gate.promql.quotients import Quotient, check_share, read_quotient
from gate.slo.indicator import Sli
from gate.slo.quantities import format_duration

_WHOLE: Final = 100
_WINDOW: Final = "$window"
_TEMPLATE: Final = re.compile(r"\{\{-?\s*\.window\s*-?\}\}")
_OTHER_TEMPLATE: Final = re.compile(r"\{\{[^{}]{0,40}(?:\}\})?")
T = TypeVar("T")


def _percentage(text: str) -> Fraction:
    percentage = NUMBER.parse(text)
    if not 0 < percentage < _WHOLE:
        raise ValueError(f"{text} is not between 0 and 100; at 100 there is no budget to spend")
    if percentage <= 1:
        raise ValueError(f"this is in percent: {text} is {text}%; write 99.9 for 99.9%")
    return percentage / _WHOLE


def _share(text: str) -> Fraction:
    share = NUMBER.parse(text)
    if not 0 < share < 1:
        range_ = f"{text} is not between 0 and 1, as 0.999 is"
        raise ValueError(f"{range_}; at 1 there is no budget to spend")
    return share


def with_window(text: str) -> str:
    """Return a query with ``$window`` for ``{{.window}}``.

    Raises:
        ValueError: it has another template.
    """
    filled = _TEMPLATE.sub(_WINDOW, text)
    if other := _OTHER_TEMPLATE.search(filled):
        only = "is not filled in here, only {{.window}}; write its value"
        raise ValueError(f"`{other[0]}` {only}")
    return filled


def ratio_sli(role: str, part: Count, total: Count) -> Sli:
    """Return the indicator for the queries of good or bad events, by their role, and of all events.

    Raises:
        ValueError: they cannot be divided, or the number of bad events would be unknown.
    """
    if part.rate != total.rate:
        raise ValueError("one side is a rate and the other a count: that gives no share of events")
    if part.level != total.level:
        raise ValueError(
            "one side is a mean over time and the other is not: that gives no share of events;"
            " write sum_over_time(...) for avg_over_time(...)"
        )
    offset = part.reader.offset
    if offset != total.reader.offset:
        raise ValueError("the two sides are counted over different times; give both one offset")
    notes = (f"counted over the window that ended {offset} earlier (offset)",) if offset else ()
    if role == "good":
        return Sli(good=part.text, total=total.text, notes=notes)
    good = rest_of(total, part)
    if good is not None:
        # "All but the good events": without data on good events, every event would seem good.
        return Sli(good=good, total=total.text, notes=notes)
    return Sli(bad=with_absent_parts(part), total=total.text, notes=notes)


def quotient_sli(text: str, *, failures: bool, advice: str) -> Sli:
    """Return the indicator of a query that is one count divided by another.

    Args:
        text: the query, with ``$window``.
        failures: whether the share is that of bad events.
        advice: the remedy if there are no counts.

    Raises:
        ValueError: it is not such a query.
    """
    quotient = read_quotient(text)
    if quotient is None:
        check_share(text)
        raise ValueError(
            "a ratio alone does not show how many events there were; write one count over the"
            f" window divided by another, or {advice}"
        )
    return divided_sli(quotient, failures=failures)


def divided_sli(quotient: Quotient, *, failures: bool) -> Sli:
    """Return the indicator of one count divided by another.

    Args:
        quotient: the division, with ``$window`` on both sides.
        failures: whether the share is that of bad events.

    Raises:
        ValueError: a side is not a count, or they cannot be divided.
    """
    return ratio_sli("bad" if failures != quotient.complement else "good", *quotient.counts())


def _selector(text: str) -> str:
    if not is_selector(text):
        raise ValueError('one metric was expected, with or without labels: requests_total{a="b"}')
    return text.strip()


def query(parse: Callable[[str], T]) -> Scalar[T]:
    """Return the schema of a query that may contain ``{{.window}}``."""

    def read(text: str) -> T:
        try:
            return parse(with_window(text))
        except ExpressionError as error:
            raise as_written(error, text) from error

    return Scalar(read, TEXT.json)


def as_written(
    error: ExpressionError,
    text: str,
    window: re.Pattern[str] = _TEMPLATE,
    spelling: str = "{{.window}}",
    before: int = 0,
) -> ExpressionError:
    """Return the mistake of a query in the words of its file, and its position in the file.

    Args:
        error: the error of the query with ``$window`` in place of the file's own text.
        text: the query as the file has it.
        window: the text in the file that means the window, if it has one.
        spelling: the file's own spelling of the window.
        before: the number of characters that were added before the query.
    """
    windows, place = list(window.finditer(text)), error.place
    if place is not None:
        place -= before
        for match in windows:
            place += (match.start() < place) * (len(match[0]) - len(_WINDOW))
        place = place if 0 <= place < len(text) else None
    message = str(error).replace(_WINDOW, windows[0][0] if windows else spelling)
    return ExpressionError(message, place=place)


def refuse(node: yaml.Node, error: ValueError, reader: Reader) -> UnreadableError:
    """Note the mistake of a query that may contain ``{{.window}}``."""
    if isinstance(error, ExpressionError):
        error = as_written(error, written(node))
    return reader.refuse(node, error)


PERCENTAGE: Final = Scalar(_percentage, NUMBER.json)
SHARE_BELOW_ONE: Final = Scalar(_share, NUMBER.json)
SELECTOR: Final = Scalar(_selector, TEXT.json)
COUNT_OR_LEVEL: Final = query(partial(read_count, levels=True))
"""A count, or a sum of means of gauges."""
_ALIKE: Final = (
    "count equally, whatever their traffic; so an outage at the peak counts for less than it cost,"
    " and one at night for more"
)


def mean_of_slices(sli: Sli, length: timedelta, tool: str) -> Sli:
    """Return the mean over slices of a share of events; slices without events are left out.

    The two series are matched whatever their labels; if there are several, the server refuses to
    match them. Absent bad events count as none if the total has data. Absent good events make the
    slice bad, as they do for counted events.

    Args:
        sli: good or bad, and total, over ``$window``.
        length: the length of a slice.
        tool: the tool whose rule this is.

    Raises:
        ExpressionError: an expression cannot be read.
    """
    total = f"({_over(sli.total or '', length)})"
    slices = _added(f"{total} > bool 0", length)
    notes = (
        f"timeslice mean ({tool}): every {format_duration(length)} {_ALIKE}",
        "slices without traffic are neither good nor bad",
        *sli.notes,
    )
    if sli.good is not None:
        share = f"({_over(sli.good, length)}) / on () ({total} > 0)"
        return Sli(good=_added(share, length), total=slices, sliced=True, notes=notes)
    bad = f"({_over(sli.bad or '', length)} or on () vector(0)) / on () ({total} > 0)"
    return Sli(bad=_added(bad, length), total=slices, sliced=True, notes=notes)


def mean_of_ratios(ratio: str, length: timedelta, tool: str, *, failures: bool = True) -> Sli:
    """Return the mean of a ratio that is queried once a slice; NaN (no traffic) is left out.

    Args:
        ratio: the ratio, with ``$window`` for the slice.
        length: the length of a slice.
        tool: the tool whose rule this is.
        failures: whether the ratio is that of failures; if not, that of successes.

    Raises:
        ExpressionError: it cannot be read.
    """
    check_share(ratio)
    text = f"({_over(ratio, length, gauge=True)})"
    failed = text if failures else f"(1 - {text})"
    return Sli(
        bad=_added(f"{failed} >= 0", length),
        total=_added(f"{failed} >= bool 0", length),
        sliced=True,
        notes=(
            f"timeslice mean ({tool}): the ratios of every {format_duration(length)} {_ALIKE}",
            "slices without a ratio (no traffic: NaN) are neither good nor bad",
        ),
    )


def share_of_minutes(gauge: str, length: timedelta) -> str:
    """Return the mean over a slice of a gauge that is queried once a minute."""
    # Prometheus before version 3 also counts the sample at the start.
    within = length // timedelta(milliseconds=1) - 1
    return f"avg_over_time(({gauge})[{within}ms:1m])"


def _over(text: str, length: timedelta, *, gauge: bool = False) -> str:
    return read_expression(text, None, gauge=gauge).over(format_duration(length))


def _added(text: str, length: timedelta) -> str:
    return f"sum_over_time(({text})[$window:{format_duration(length)}])"
