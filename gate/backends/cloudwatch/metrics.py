"""Metrics of CloudWatch, and sums of their statistics, as they are written."""

import re
from fractions import Fraction
from typing import Final

from gate.dataclass import dataclass
from gate.wording import exact

SUM: Final = "Sum"
SAMPLE_COUNT: Final = "SampleCount"
STATISTICS: Final = (SUM, SAMPLE_COUNT)
"""The statistics whose values add up, over time and over metrics."""
WORD: Final = re.compile(r"[A-Za-z0-9_./#:][A-Za-z0-9_./#:-]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A metric, as it was published."""

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...] = ()
    """Pairs of name and value, sorted. Each set of dimensions is a separate metric in
    CloudWatch."""

    def __str__(self) -> str:
        pairs = ", ".join(f'{_written(name)}="{_escaped(text)}"' for name, text in self.dimensions)
        return f"{_written(self.namespace)} {_written(self.name)}{f'{{{pairs}}}' if pairs else ''}"


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricStatistic:
    """A statistic of a metric, whose values are added up."""

    metric: Metric
    statistic: str = SUM

    def __str__(self) -> str:
        return f"{self.metric}{'' if self.statistic == SUM else f' {self.statistic}'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """A part of a sum."""

    counted: MetricStatistic
    factor: Fraction = Fraction(1)
    """Below 0 for a subtracted term."""

    @property
    def magnitude(self) -> str:
        """The term without its sign."""
        size = abs(self.factor)
        return f"{'' if size == 1 else f'{exact(size)} * '}{self.counted}"


Total = tuple[Term, ...]
"""A sum of terms, at least one; the first is added."""


def shown_sum(terms: Total) -> str:
    """Return a sum in a form that can be read back."""
    rest = (f" {'-' if term.factor < 0 else '+'} {term.magnitude}" for term in terms[1:])
    return "".join((terms[0].magnitude, *rest))


def _written(text: str) -> str:
    return text if WORD.fullmatch(text) else f'"{_escaped(text)}"'


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
