"""The queries that count timeslices: all with data, the judged, and the bad ones."""

from collections.abc import Mapping
from datetime import timedelta
from fractions import Fraction
from typing import Final

from gate.backends.prometheus.query import ClockSteps, Query, Role
from gate.promql.expression import Expression
from gate.promql.moving import MILLISECOND, window_text
from gate.slo.indicator import Slices
from gate.slo.objective import Span

_HAIR: Final = "0.000000001"
_TIE: Final = Fraction(1, 10**12)
"""The relative tolerance of a tie. 5 bad in 100 is 5% in floats too, but extrapolated counts differ
in the last digit, and a slice that meets its target exactly would be bad by chance."""
_FINEST: Final = timedelta(minutes=1)
_ZERO: Final = "vector(0)"


def ratio_slices(
    expressions: Mapping[Role, Expression], slices: Slices, span: Span, *, stepwise: bool = False
) -> dict[Role, Query]:
    """Return the parts that count slices of events: all with events, all judged, the bad ones.

    For a step of several slices without events, the number is 0 if the step has data, and absent
    otherwise.
    """
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
    if stepwise:
        seen = _part(f"{any_total} > bool 0", slices, span, adds_up=True)
    else:
        seen = _part(f"{any_total} > 0", slices, span)
    return _parts(seen, share, failed, slices, span)


def gauge_slices(gauge: Expression, slices: Slices, span: Span) -> dict[Role, Query]:
    """Return the parts that count slices of a gauge whose mean over a slice is its good share."""
    step = window_text(min(slices.length, _FINEST))
    text = gauge.over(window_text(slices.length))
    share = f"avg_over_time(({text})[{window_text(slices.length - MILLISECOND)}:{step}])"
    seen = _part(share, slices, span)
    return _parts(seen, share, f"< bool {_decimal(slices.target - _TIE)}", slices, span)


def _parts(seen: Query, share: str, failed: str, slices: Slices, span: Span) -> dict[Role, Query]:
    # Comparisons with NaN are false: such a slice is seen but not judged.
    judged = f"({share} >= -{_HAIR}) <= 1{_HAIR[1:]}"
    return {
        Role.SLICES: seen,
        Role.JUDGED_SLICES: _part(judged, slices, span),
        Role.BAD_SLICES: _part(f"{share} {failed}", slices, span, adds_up=True),
    }


def _part(inside: str, slices: Slices, span: Span, *, adds_up: bool = False) -> Query:
    return ClockSteps(f"({inside})", slices.length, adds_up).over(span.length)


def _decimal(share: Fraction) -> str:
    return f"{float(share):.15f}".rstrip("0")
