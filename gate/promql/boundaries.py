"""Which boundaries of a live histogram stand for a threshold. Numbers are compared, not their text.

Clients write the same boundary as ``10``, ``10.0`` or ``1e+01``, and Prometheus 3 writes it anew:
https://prometheus.io/docs/prometheus/latest/migration/#le-and-quantile-label-values
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from gate.measure.counts import Cause, MeasurementError
from gate.slo.indicator import Bucket, Histogram
from gate.slo.quantities import around, decimal

_CLOSE: Final = Fraction(1, 10**9)
"""Relative: boundaries that a program has computed are off in their last digit."""


_INFINITE: Final = frozenset({"+Inf", "Inf", "inf"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Boundary:
    """A boundary by whose bucket good events are counted."""

    value: Fraction
    """In the histogram's unit."""
    texts: tuple[str, ...]
    """How it may be written as ``le``."""
    weight: Fraction = Fraction(1)
    """What its bucket is multiplied by; the weights of an indicator add up to 1 at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """How the threshold is counted."""

    boundaries: tuple[Boundary, ...]
    notes: tuple[str, ...] = ()
    """What the reader must know when it is not counted exactly."""


def choose(histogram: Histogram, counts: Mapping[str, Fraction]) -> Chosen:
    """Choose the boundaries that stand for the threshold.

    Args:
        histogram: with its threshold, and what to do when that is no boundary.
        counts: by ``le`` as the server writes it, how many series have that boundary.

    Raises:
        NotMeasuredError: none can; the reason names the nearest ones.
    """
    most = max((count for text, count in counts.items() if text in _INFINITE), default=None)
    if most is None:
        reason = "its buckets have no le; histograms by vmrange cannot be read"
        raise MeasurementError(Cause.INVALID, reason)
    known = _by_value(counts)
    threshold = histogram.threshold
    exact = next((value for value in known if abs(value - threshold) <= value * _CLOSE), None)
    if exact is not None and known[exact].count < most:
        reason = (
            f"{known[exact].count} of {most} histograms have a boundary at"
            f" {_shown(exact, histogram)}; all that the others count would be bad"
        )
        raise MeasurementError(Cause.INVALID, reason)
    if exact is not None:
        return Chosen(boundaries=(known[exact].at(exact),))
    shared = {value: written for value, written in known.items() if written.count >= most}
    return _near(histogram, shared)


@dataclass(frozen=True, slots=True)
class _Written:
    """How a boundary is written, and how many series have it."""

    texts: tuple[str, ...] = ()
    count: Fraction = Fraction()

    def at(self, value: Fraction, weight: Fraction = Fraction(1)) -> Boundary:
        return Boundary(value=value, texts=self.texts, weight=weight)


def _near(histogram: Histogram, shared: Mapping[Fraction, _Written]) -> Chosen:
    threshold, bucket = histogram.threshold, histogram.bucket
    below = max((value for value in shared if value < threshold), default=None)
    above = min((value for value in shared if value > threshold), default=None)
    said = f"{_shown(threshold, histogram)} is no boundary of this histogram"
    if bucket is Bucket.INTERPOLATE and above is not None:
        low = below or Fraction()
        part = (threshold - low) / (above - low)
        ends = [] if below is None else [shared[below].at(below, 1 - part)]
        between = f"{_shown(low, histogram)} and {_shown(above, histogram)}"
        note = f"{said}; interpolated between {between}"
        return Chosen(boundaries=(*ends, shared[above].at(above, part)), notes=(note,))
    nearest = {Bucket.STRICTER: below, Bucket.LAXER: above}.get(bucket)
    if nearest is not None:
        note = f"{said}; counted up to the next {bucket} one, {_shown(nearest, histogram)}"
        return Chosen(boundaries=(shared[nearest].at(nearest),), notes=(note,))
    cure = "give another threshold, or bucket: stricter, laxer or interpolate"
    flag = f"; another boundary is added by {histogram.advice}" if histogram.advice else ""
    reason = f"{said}: {around(threshold, shared, histogram.unit)}; {cure}{flag}"
    raise MeasurementError(Cause.INVALID, reason)


def _by_value(counts: Mapping[str, Fraction]) -> dict[Fraction, _Written]:
    known: dict[Fraction, _Written] = {}
    for text, count in counts.items():
        with suppress(ValueError):  # +Inf
            value = Fraction(text)
            other = known.get(value, _Written())
            known[value] = _Written((*other.texts, text), other.count + count)
    return known


def _shown(value: Fraction, histogram: Histogram) -> str:
    return f"{decimal(value)}{histogram.unit}"
