"""Timeslices as subqueries: one step per slice, each judged by itself.

Every expression is summed up to a series without labels, so that good, bad and total meet. That no
role has several series is checked on the events of the whole window.
"""

from collections.abc import Mapping
from datetime import timedelta
from fractions import Fraction
from typing import Final

from gate.backends.prometheus.part import MILLISECOND, Part, Role, window_text
from gate.promql.expression import Expression
from gate.slo.measurement import Slices
from gate.slo.window import Span

_HAIR: Final = "0.000000001"
_TIE: Final = Fraction(1, 10**12)
"""5 bad in 100 is 5 % in floats too, but extrapolated counts are off in the last digit, and a slice
that meets its target exactly would be bad by chance."""
_FINEST: Final = timedelta(minutes=1)
_ZERO: Final = "vector(0)"


def ratio_slices(
    expressions: Mapping[Role, Expression], slices: Slices, span: Span
) -> dict[Role, Part]:
    """Return the parts that count slices of events: all with events, all judged, the bad ones."""
    window = window_text(slices.length)
    sums = {role: f"sum({expression.over(window)})" for role, expression in expressions.items()}
    bad = f"({sums[Role.BAD]} or {_ZERO})" if Role.BAD in sums else None
    if Role.TOTAL in sums:
        total = any_total = sums[Role.TOTAL]
    else:
        total = f"({sums[Role.GOOD]} + {bad})"
        any_total = f"(({sums[Role.GOOD]} or {_ZERO}) + {bad})"
    if bad is not None:
        share = f"({bad} / ({total} > 0))"
        failed = f"> bool {_decimal(1 - slices.target + _TIE)}"
    else:
        share = f"({sums[Role.GOOD]} / ({total} > 0))"
        failed = f"< bool {_decimal(slices.target - _TIE)}"
    return _parts(f"{any_total} > 0", share, failed, slices, span)


def gauge_slices(gauge: Expression, slices: Slices, span: Span) -> dict[Role, Part]:
    """Return the parts that count slices of a gauge, whose mean over a slice is its good share."""
    step = window_text(min(slices.length, _FINEST))
    text = gauge.over(window_text(slices.length))
    share = f"avg_over_time(({text})[{window_text(slices.length - MILLISECOND)}:{step}])"
    return _parts(share, share, f"< bool {_decimal(slices.target - _TIE)}", slices, span)


def _parts(seen: str, share: str, failed: str, slices: Slices, span: Span) -> dict[Role, Part]:
    # NaN is neither at least nor at most anything: such a slice is seen but not judged.
    judged = f"({share} >= -{_HAIR}) <= 1{_HAIR[1:]}"
    return {
        Role.SLICES: _part("count_over_time", seen, slices, span),
        Role.JUDGED_SLICES: _part("count_over_time", judged, slices, span),
        Role.BAD_SLICES: _part("sum_over_time", f"{share} {failed}", slices, span),
    }


def _part(function: str, inside: str, slices: Slices, span: Span) -> Part:
    return Part(
        pieces=(f"{function}(({inside})[", f":{window_text(slices.length)}])"),
        length=span.length,
        open_start=True,
        grain=slices.length,
    )


def _decimal(share: Fraction) -> str:
    return f"{float(share):.15f}".rstrip("0")
