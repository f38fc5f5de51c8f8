"""The boundaries of a live histogram that represent a threshold, compared as numbers.

Clients write the same boundary as ``10``, ``10.0`` or ``1e+01``, and Prometheus 3 writes it anew:
https://prometheus.io/docs/prometheus/latest/migration/#le-and-quantile-label-values
"""

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from fractions import Fraction
from typing import Final, Self

from gate.dataclass import dataclass
from gate.measure import Cause, MeasurementError
from gate.promql.expression import read_selector
from gate.promql.selectors import METRIC_NAME, add_matchers, quote
from gate.slo.indicator import Bucket, Histogram, Sli
from gate.slo.quantities import around, decimal

_CLOSE: Final = Fraction(1, 10**9)
"""The relative tolerance: boundaries that a program computed differ in their last digit."""
_INFINITE: Final = frozenset({"+Inf", "Inf", "inf"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Boundary:
    """A boundary by whose bucket good events are counted."""

    value: Fraction
    """The boundary in the histogram's unit."""
    texts: tuple[str, ...]
    """The spellings that ``le`` may have."""
    weight: Fraction = Fraction(1)
    """The factor of its bucket; the weights of an indicator add up to at most 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """The boundaries that count a threshold."""

    boundaries: tuple[Boundary, ...]
    notes: tuple[str, ...] = ()
    """The note for the reader if it is not counted exactly."""


def choose(histogram: Histogram, counts: Mapping[str, Fraction]) -> Chosen:
    """Choose the boundaries that represent the threshold.

    Args:
        histogram: the histogram, its threshold, and the fallback if that is not a boundary.
        counts: the number of series that have a boundary, by ``le`` as the server writes it.

    Raises:
        MeasurementError: none can; the reason names the nearest ones.
    """
    most = max((count for text, count in counts.items() if text in _INFINITE), default=None)
    if most is None:
        reason = "its buckets have no le; histograms by vmrange cannot be read"
        raise MeasurementError(Cause.INVALID, reason)
    written = _by_value(counts)
    threshold = histogram.threshold
    exact = next((value for value in written if abs(value - threshold) <= value * _CLOSE), None)
    if exact is not None and written[exact].count < most:
        reason = (
            f"{written[exact].count} of {most} histograms have a boundary at"
            f" {_shown(exact, histogram)}; all that the others count would be bad"
        )
        raise MeasurementError(Cause.INVALID, reason)
    if exact is not None:
        return Chosen(boundaries=(written[exact].at(exact),))
    shared = {value: written for value, written in written.items() if written.count >= most}
    return _near(histogram, shared)


@dataclass(frozen=True, slots=True)
class _Written:
    """The spellings of a boundary, and the number of series that have it."""

    texts: tuple[str, ...] = ()
    count: Fraction = Fraction()

    def at(self, value: Fraction, weight: Fraction = Fraction(1)) -> Boundary:
        return Boundary(value=value, texts=self.texts, weight=weight)


def _near(histogram: Histogram, shared: Mapping[Fraction, _Written]) -> Chosen:
    threshold, bucket = histogram.threshold, histogram.bucket
    below = max((value for value in shared if value < threshold), default=None)
    above = min((value for value in shared if value > threshold), default=None)
    said = f"{_shown(threshold, histogram)} is not a boundary of this histogram"
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
    by_value: dict[Fraction, _Written] = {}
    for text, count in counts.items():
        with suppress(ValueError):  # +Inf
            value = Fraction(text)
            other = by_value.get(value, _Written())
            by_value[value] = _Written((*other.texts, text), other.count + count)
    return by_value


def _shown(value: Fraction, histogram: Histogram) -> str:
    return f"{decimal(value)}{histogram.unit}"


_RECENTLY: Final = "1h"
"""How recently a histogram must have had a sample for its boundaries to count."""
_WHOLE: Final = "0.98"
"""The share of a histogram's samples that a boundary must have to count as always present."""


@dataclass(frozen=True, slots=True)
class _Series:
    """A histogram's name and the matchers that its series share."""

    name: str
    braces: str

    @classmethod
    def read(cls, selector: str, labels: Mapping[str, str]) -> Self:
        return cls(*read_selector(selector, labels))

    def suffixed(self, suffix: str = "", matcher: str = "") -> str:
        name = f"{self.name}{suffix}"
        if METRIC_NAME.fullmatch(name):
            return name + (add_matchers(self.braces, matcher) if matcher else self.braces)
        # A name with dots, as Prometheus 3 keeps it; every server reads this form.
        inside = [f"__name__={quote(name)}", matcher]
        return add_matchers(self.braces, ",".join(filter(None, inside)))

    def either(self, *suffixes: str) -> str:
        names = quote("|".join(re.escape(f"{self.name}{suffix}") for suffix in suffixes))
        return add_matchers(self.braces, f"__name__=~{names}")

    def increase(self, suffix: str = "", matcher: str = "") -> str:
        return f"sum(increase({self.suffixed(suffix, matcher)}[$window]))"

    def samples(self, matcher: str) -> str:
        counted = f"count_over_time({self.suffixed('_bucket', matcher)}[$window])"
        return f"sum without (le) ({counted})"


@dataclass(frozen=True, slots=True)
class Buckets:
    """The expressions for one histogram."""

    good: _Series
    total: _Series

    @classmethod
    def of(cls, histogram: Histogram, labels: Mapping[str, str] | None) -> Self:
        """Read the selectors of a histogram.

        Raises:
            ExpressionError: one of them is not a bare selector with a name.
        """
        read = _Series.read
        return cls(read(histogram.good, labels or {}), read(histogram.total, labels or {}))

    @property
    def live_boundaries(self) -> str:
        """Write the query for the boundaries, and the number of histograms that have each."""
        return f"count by (le) (last_over_time({self.total.suffixed('_bucket')}[{_RECENTLY}]))"

    @property
    def boundaries_over(self) -> str:
        """Write the query for the boundaries at any ``$step`` of ``$window``, and the counts."""
        return f"count by (le) (max_over_time({self.total.suffixed('_bucket')}[$window:$step]))"

    @property
    def presence(self) -> str:
        """The series that show that histograms of the name exist, classic or native."""
        return self.total.either("", "_count")

    @property
    def live_native(self) -> str:
        """Write the query for the number of native histograms of the name."""
        return f"count({self.total.suffixed()})"

    def up_to(self, boundaries: Sequence[Boundary]) -> Sli:
        """Count the events in the classic buckets up to the boundaries, by their weights."""
        sums = [
            ("" if boundary.weight == 1 else f"{decimal(boundary.weight)} * ")
            + self.good.increase("_bucket", _le(boundary))
            for boundary in boundaries
        ]
        return Sli(good=" + ".join(sums), total=self.total.increase("_count"))

    def lacking(self, boundary: Boundary) -> str:
        """Count the histograms that lacked such a boundary in a part of the window.

        If a boundary was added halfway, every earlier event would count as bad.
        """
        all_along = f"{self.total.samples(_le(boundary))} >= {_WHOLE} * {self._infinite}"
        return f"count({self._infinite} unless ({all_along}))"

    @property
    def _infinite(self) -> str:
        return self.total.samples('le="+Inf"')

    @property
    def sum(self) -> str:
        """Add up the values of all events, of classic buckets."""
        return self.total.increase("_sum")

    @property
    def native_sum(self) -> str:
        """Add up the values of all events, of a native histogram."""
        return f"histogram_sum({self.total.increase()})"

    def up_to_native(self, histogram: Histogram) -> Sli:
        """Count a native histogram's events up to the threshold, estimated within one bucket.

        https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_fraction
        """
        good = self.good.increase()
        share = f"histogram_fraction(0, {decimal(histogram.threshold)}, {good})"
        # The share of zero events is NaN, for which ``>= 0`` is false.
        return Sli(
            good=f"({share} * histogram_count({good}) >= 0) or vector(0)",
            total=f"histogram_count({self.total.increase()})",
        )


def _le(boundary: Boundary) -> str:
    """Match the boundary in every spelling that clients or Prometheus 3 write."""
    value = float(boundary.value)
    plain, short = repr(value), f"{value:g}"
    exponent = {short} if "e" in short and float(short) == value else set[str]()
    forms = sorted({*boundary.texts, plain, plain.removesuffix(".0"), *exponent})
    if len(forms) == 1:
        return f"le={quote(forms[0])}"
    return f"le=~{quote('|'.join(map(re.escape, forms)))}"
