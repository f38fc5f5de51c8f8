"""Indicators that are the mean of ratios: slices of time count alike, whatever their traffic.

Each slice is a step of a subquery over the window. How many slices had a ratio stands for the
total, and how much of them was bad (or good) for the part, so that their quotient is the mean.
"""

from datetime import timedelta
from typing import Final

from gate.promql.expression import read_expression
from gate.slo.indicator import Sli
from gate.slo.quantities import format_duration

_MILLISECOND: Final = timedelta(milliseconds=1)
_ALIKE: Final = (
    "count alike, whatever their traffic; an outage at the peak counts for less than it cost, one"
    " at night for more"
)


def mean_of_slices(sli: Sli, length: timedelta, tool: str) -> Sli:
    """Return the mean over slices of a share of events, of which slices without any have none.

    The two are matched whatever their labels; of several series the server refuses to match any.
    Absent bad events are none beside a total. Absent good ones make the slice bad, as they do where
    events are counted.

    Args:
        sli: good or bad, and total, over ``$window``.
        length: of a slice.
        tool: who says that it is counted so.

    Raises:
        ExpressionError: an expression cannot be read.
    """
    total = f"({_over(sli.total or '', length)})"
    slices = _added(f"{total} > bool 0", length)
    notes = (
        f"timeslice mean ({tool}): every {format_duration(length)} {_ALIKE}",
        "slices without traffic are neither good nor bad",
    )
    if sli.good is not None:
        share = f"({_over(sli.good, length)}) / on () ({total} > 0)"
        return Sli(good=_added(share, length), total=slices, sliced=True, notes=notes)
    bad = f"({_over(sli.bad or '', length)} or on () vector(0)) / on () ({total} > 0)"
    return Sli(bad=_added(bad, length), total=slices, sliced=True, notes=notes)


def mean_of_ratios(ratio: str, length: timedelta, tool: str, *, failures: bool = True) -> Sli:
    """Return the mean of a ratio that is asked for once a slice; NaN (no traffic) is left out.

    Args:
        ratio: of failures, else of successes; ``$window`` is the slice.
        length: of a slice.
        tool: who says that it is counted so.
        failures: which of these it is.

    Raises:
        ExpressionError: it cannot be read.
    """
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
    """Return the mean over a slice of a gauge that is asked for once a minute."""
    within = length // _MILLISECOND - 1  # before Prometheus 3 the first instant would be counted
    return f"avg_over_time(({gauge})[{within}ms:1m])"


def _over(text: str, length: timedelta, *, gauge: bool = False) -> str:
    return read_expression(text, None, gauge=gauge).over(format_duration(length))


def _added(text: str, length: timedelta) -> str:
    return f"sum_over_time(({text})[$window:{format_duration(length)}])"
