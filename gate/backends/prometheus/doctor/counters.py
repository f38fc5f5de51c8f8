"""Whether counters and buckets count everything: gauges, late series, late boundaries."""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from fractions import Fraction
from typing import ClassVar, Final

from gate.backends.prometheus.doctor.slo_check import (
    CheckAnswers,
    SelectorSource,
    SloCheck,
    query_now,
    query_over,
)
from gate.backends.prometheus.query import Query
from gate.backends.prometheus.query_result import QueryError
from gate.dataclass import dataclass
from gate.measure.diagnosis import Check, CheckResult, Level
from gate.promql.selectors import LabelMatcher
from gate.slo.objective import Span

_ALL: Final = "+Inf"


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundaryCheck(SloCheck):
    """Of one selector that names a boundary, and of a histogram that was resolved."""

    check: ClassVar = Check.BOUNDARY
    source: SelectorSource
    lacking: tuple[Query, ...]
    """Each counts histograms that lacked a boundary in a part of the window."""

    def queries(self) -> Iterable[Query]:
        """Ask for the buckets of the boundary, and for all histograms."""
        le = self._le
        return () if le is None else (self._here, self._all(le))

    def results(self, answers: CheckAnswers) -> Iterator[CheckResult]:
        """Compare the two."""
        le = self._le
        if le is None:
            return
        here, every = answers.amount(self._here), answers.amount(self._all(le))
        late = max((answers.amount(part) for part in self.lacking), default=0)
        if 0 < here < every:
            message = (
                f"{self.source.role}: {round(here):,} of {round(every):,} histograms have {le.text}"
            )
            yield self._fault(f"{message}; all that the others count is taken for bad")
        elif late:
            message = f"{round(late):,} histograms had no {le.text} in a part of the window"
            yield self._fault(f"{message}, where every event counts as bad")
        elif here:
            yield CheckResult(check=Check.BOUNDARY, examined=self._here.text)

    def _fault(self, message: str) -> CheckResult:
        return CheckResult(
            check=Check.BOUNDARY,
            level=Level.FAULT,
            message=message,
            remedy="choose a boundary that all replicas and versions have, all along",
            examined=self._here.text,
        )

    @property
    def _le(self) -> LabelMatcher | None:
        if not self.source.selector.name.endswith("_bucket"):
            return None
        boundaries = (m for m in self.source.selector.matchers if m.label == "le")
        return next((matcher for matcher in boundaries if matcher.value != _ALL), None)

    @property
    def _here(self) -> Query:
        return query_now(f"count({self.source.text})")

    def _all(self, le: LabelMatcher) -> Query:
        infinite = LabelMatcher(label="le", operator="=", value=_ALL)
        rest = self.source.selector.without(le)
        return query_now(f"count({rest.only((*rest.matchers, infinite)).text})")


_FALLS: Final = 10
"""More are no restarts, where they are also ..."""
_SHARE: Final = "0.25"
"""... this much of all changes: a gauge falls about every other time."""
_MATTERS: Final = Fraction(1, 100)
"""Of what is counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MonotonicCheck(SloCheck):
    """A counter falls when what exports it starts again, and never else."""

    check: ClassVar = Check.COUNTER
    source: SelectorSource
    span: Span

    def queries(self) -> Iterable[Query]:
        """Ask how many series fall again and again."""
        return (self._series,)

    def follow_ups(self, answers: CheckAnswers) -> Iterable[Query]:
        """Ask how often these fall."""
        return (self._falls,) if answers.amount(self._series) else ()

    def results(self, answers: CheckAnswers) -> Iterator[CheckResult]:
        """Judge them."""
        series = answers.amount(self._series)
        if not series:
            yield CheckResult(check=Check.COUNTER, examined=self._series.text)
            return
        falls, text = answers.amount(self._falls), self.source.text
        yield CheckResult(
            check=Check.COUNTER,
            level=Level.FAULT,
            message=(
                f"{self.source.role}: {round(series):,} series of {text} fell {round(falls):,}"
                " times in the window: a gauge, or two sources under the same labels"
            ),
            remedy=(
                "count a counter; of a gauge no increase can be taken. If it is a counter, give"
                " each target and each replica of the monitoring a label of its own"
            ),
            examined=self._falls.text,
        )

    @property
    def _series(self) -> Query:
        return query_over(f"count({self._falling})", self.span)

    @property
    def _falls(self) -> Query:
        return query_over(f"sum({self._falling})", self.span)

    @property
    def _falling(self) -> str:
        ranged = f"{self.source.text}[$window]"
        return f"(resets({ranged}) > {_FALLS}) > {_SHARE} * changes({ranged})"


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstValueCheck(SloCheck):
    """A counter that is above zero when it is first seen hides how it got there.

    `increase` knows the difference of samples only, except in VictoriaMetrics, which takes a small
    first value for an increase from zero; so only what is not in the increase is hidden.
    """

    check: ClassVar = Check.BORN
    source: SelectorSource
    span: Span
    counted: Query
    """All that is counted for the same role."""
    oldest: Query | None
    """When the data about all events begin: no series that is there then was born there."""

    def queries(self) -> Iterable[Query]:
        """Ask how high the series began that were born in the window, at most."""
        return (self._height,)

    def follow_ups(self, answers: CheckAnswers) -> Iterable[Query]:
        """Ask which of these were born after the data began, and are not counted from zero."""
        if isinstance(answers.readings(self.counted), QueryError):
            return ()
        return self._hidden(answers) if self._matters(answers, self._height) else ()

    def results(self, answers: CheckAnswers) -> Iterator[CheckResult]:
        """Judge what is hidden by what is counted."""
        if isinstance(answers.readings(self.counted), QueryError):
            return  # another check says so
        series, hidden = self._hidden(answers)
        if not (self._matters(answers, self._height) and self._matters(answers, hidden)):
            yield CheckResult(check=Check.BORN, examined=self._height.text)
            return
        events, counted = answers.amount(hidden), answers.amount(self.counted)
        yield CheckResult(
            check=Check.BORN,
            level=Level.FAULT if events > counted else Level.DOUBT,
            message=(
                f"{self.source.role}: {round(answers.amount(series)):,} series of"
                f" {self.source.text} began above zero and hide {round(events):,} events;"
                f" {round(counted):,} are counted"
            ),
            remedy=(
                "export every series at 0 from the start (with most clients: ask for each set of"
                " labels once); until the window has passed, count these from the logs"
            ),
            examined=hidden.text,
        )

    def _matters(self, answers: CheckAnswers, part: Query) -> bool:
        return answers.amount(part) > answers.amount(self.counted) * _MATTERS

    @property
    def _height(self) -> Query:
        return query_over(f"sum({self._born})", self.span)

    def _hidden(self, answers: CheckAnswers) -> tuple[Query, Query]:
        """Return how many series hide something, and how much."""
        begin = None if self.oldest is None else answers.number(self.oldest)
        late = Fraction() if begin is None else begin - Fraction(self.span.start.timestamp())
        since = Span(
            self.span.start + timedelta(seconds=float(max(late, Fraction()))), self.span.end
        )
        ranged = f"{self.source.text}[$window]"
        seen = f"increase({ranged}) >= max_over_time({ranged}) - 0.5 * min_over_time({ranged})"
        invisible = f"({self._born}) unless ({seen})"
        return query_over(f"count({invisible})", since), query_over(f"sum({invisible})", since)

    @property
    def _born(self) -> str:
        before = f"last_over_time({self.source.text}[1h] offset $window)"
        return f"(min_over_time({self.source.text}[$window]) > 0) unless {before}"
