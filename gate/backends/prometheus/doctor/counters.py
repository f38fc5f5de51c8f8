"""Whether counters and buckets count everything: gauges, late series, late boundaries."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from fractions import Fraction
from typing import ClassVar, Final

from gate.backends.prometheus.doctor.slo_check import CheckAnswers, SelectorSource, SloCheck
from gate.backends.prometheus.evidence.births import BirthQuery
from gate.backends.prometheus.evidence.witness import now_query, window_query
from gate.backends.prometheus.query import Query
from gate.backends.prometheus.query_result import QueryError
from gate.dataclass import dataclass
from gate.measure.diagnosis import Check, CheckResult, Level, SkippedCheck
from gate.promql.moving import SECOND
from gate.promql.selectors import LabelMatcher
from gate.slo.objective import Span

_ALL: Final = "+Inf"


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundaryCheck(SloCheck):
    """The series of one selector that names a boundary, and of its histogram."""

    check: ClassVar = Check.BOUNDARY
    source: SelectorSource
    lacking: tuple[Query, ...]
    """Queries that count the histograms that lacked a boundary in a part of the window."""

    def queries(self) -> Iterable[Query]:
        """Request the buckets of the boundary, and all histograms."""
        le = self._le
        return () if le is None else (self._here, self._all(le))

    def results(self, answers: CheckAnswers) -> Iterator[CheckResult | SkippedCheck]:
        """Compare the two."""
        le = self._le
        if le is None:
            yield SkippedCheck(check=Check.BOUNDARY, reason="no boundary of a histogram is named")
            return
        here, every = answers.amount(self._here), answers.amount(self._all(le))
        late = max((answers.amount(part) for part in self.lacking), default=0)
        if 0 < here < every:
            message = (
                f"{self.source.role}: {round(here):,} of {round(every):,} histograms have {le.text}"
            )
            yield self._fault(f"{message}; all events that the others count are treated as bad")
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
        return now_query(f"count({self.source.text})")

    def _all(self, le: LabelMatcher) -> Query:
        infinite = LabelMatcher(label="le", operator="=", value=_ALL)
        rest = self.source.selector.without(le)
        return now_query(f"count({rest.only((*rest.matchers, infinite)).text})")


_FALLS: Final = 10
"""More falls are not restarts, if they are also ..."""
_SHARE: Final = "0.25"
"""... at least this share of all changes: a gauge falls about every other time."""
_MATTERS: Final = Fraction(1, 100)
"""The share of the count from which a problem matters."""
_JUST_BEFORE: Final = "1h"
"""Data at most this long before the window was present when it began."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MonotonicCheck(SloCheck):
    """A counter falls only when its exporter restarts."""

    check: ClassVar = Check.COUNTER
    source: SelectorSource
    span: Span

    def queries(self) -> Iterable[Query]:
        """Request the number of series that fall repeatedly."""
        return (self._series,)

    def follow_ups(self, answers: CheckAnswers) -> Iterable[Query]:
        """Request the number of their falls."""
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
        return window_query(f"count({self._falling})", self.span)

    @property
    def _falls(self) -> Query:
        return window_query(f"sum({self._falling})", self.span)

    @property
    def _falling(self) -> str:
        ranged = f"{self.source.text}[$window]"
        return f"(resets({ranged}) > {_FALLS}) > {_SHARE} * changes({ranged})"


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstValueCheck(SloCheck):
    """A counter that is above zero at its first sample hides its earlier increase.

    This checks the good events and all events: `gate check` checks the bad ones and amounts.
    """

    check: ClassVar = Check.BORN
    source: SelectorSource
    span: Span
    counted: Query
    """The count of all events of the same role."""
    every: str
    """A selector of all events: series that begin with their data have no observed birth."""

    def queries(self) -> Iterable[Query]:
        """Request the hidden events, and whether there was data before the window."""
        return (self._hidden, self._data)

    def follow_ups(self, answers: CheckAnswers) -> Iterable[Query]:
        """Request them again without series that begin with data that begins in the window."""
        if isinstance(answers.readings(self.counted), QueryError):
            return ()
        young = answers.number(self._data) is None
        return (self._since_data,) if young and self._matters(answers, self._hidden) else ()

    def results(self, answers: CheckAnswers) -> Iterator[CheckResult]:
        """Judge the hidden events relative to the count."""
        if isinstance(answers.readings(self.counted), QueryError):
            return  # another check reports it
        hidden = next(iter(self.follow_ups(answers)), self._hidden)
        if not self._matters(answers, hidden):
            yield CheckResult(check=Check.BORN, examined=hidden.text)
            return
        events, counted = answers.amount(hidden), answers.amount(self.counted)
        yield CheckResult(
            check=Check.BORN,
            level=Level.DOUBT,  # what is not counted at all makes the ratio no better
            message=(
                f"{self.source.role}: series of {self.source.text} were above zero when they were"
                f" first seen, so that {round(events):,} events before that are not counted;"
                f" {round(counted):,} are"
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
    def _hidden(self) -> BirthQuery:
        selector = self.source.text
        return BirthQuery(pieces=(selector,), length=self.span.length // SECOND * SECOND)

    @property
    def _since_data(self) -> BirthQuery:
        return replace(self._hidden, data=self.every)

    @property
    def _data(self) -> Query:
        ago = self.span.length // SECOND
        return now_query(f"count(last_over_time({self.every}[{_JUST_BEFORE}] offset {ago}s))")
