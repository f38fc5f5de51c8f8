"""Histograms in PromQL: a threshold counted by classic buckets, or by a native histogram."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Self

from gate.promql.boundaries import Boundary
from gate.promql.expression import read_selector
from gate.promql.selectors import add_matchers, quote
from gate.slo.indicator import Histogram, Sli
from gate.slo.quantities import decimal

_RECENTLY: Final = "1h"
"""How far back a histogram may have been seen last to say which boundaries it has."""


_WHOLE: Final = "0.98"
"""The share of a histogram's samples that a boundary must have to have been there all along."""


@dataclass(frozen=True, slots=True)
class _Series:
    """A histogram's name and the matchers that its series have in common."""

    name: str
    braces: str

    @classmethod
    def read(cls, selector: str, labels: Mapping[str, str]) -> Self:
        return cls(*read_selector(selector, labels))

    def suffixed(self, suffix: str = "", matcher: str = "") -> str:
        braces = add_matchers(self.braces, matcher) if matcher else self.braces
        return f"{self.name}{suffix}{braces}"

    def increase(self, suffix: str = "", matcher: str = "") -> str:
        return f"sum(increase({self.suffixed(suffix, matcher)}[$window]))"

    def samples(self, matcher: str) -> str:
        counted = f"count_over_time({self.suffixed('_bucket', matcher)}[$window])"
        return f"sum without (le) ({counted})"


@dataclass(frozen=True, slots=True)
class Buckets:
    """The expressions about one histogram."""

    good: _Series
    total: _Series

    @classmethod
    def of(cls, histogram: Histogram, labels: Mapping[str, str] | None) -> Self:
        """Read the selectors of a histogram.

        Raises:
            ExpressionError: one of them is no bare selector with a name.
        """
        read = _Series.read
        return cls(read(histogram.good, labels or {}), read(histogram.total, labels or {}))

    @property
    def live_boundaries(self) -> str:
        """Ask which boundaries there are, and how many histograms have each."""
        return f"count by (le) (last_over_time({self.total.suffixed('_bucket')}[{_RECENTLY}]))"

    @property
    def live_native(self) -> str:
        """Ask how many native histograms of the name there are."""
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
        """Count the histograms that had no such boundary in some part of the window.

        One that was added halfway would make every earlier event bad.
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
        """Count the events by a native histogram, which estimates within one of its buckets.

        https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_fraction
        """
        good = self.good.increase()
        share = f"histogram_fraction(0, {decimal(histogram.threshold)}, {good})"
        # A share of no events is NaN, which is not at least 0.
        return Sli(
            good=f"({share} * histogram_count({good}) >= 0) or vector(0)",
            total=f"histogram_count({self.total.increase()})",
        )


def _le(boundary: Boundary) -> str:
    """Match the boundary in every form in which clients write it, or Prometheus 3 rewrites it."""
    plain = repr(float(boundary.value))
    forms = sorted({*boundary.texts, plain, plain.removesuffix(".0")})
    if len(forms) == 1:
        return f"le={quote(forms[0])}"
    return f"le=~{quote('|'.join(map(re.escape, forms)))}"
