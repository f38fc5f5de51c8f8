"""Numbers of the wrong kind: sums of counters that fall, and values that are all zero."""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from fractions import Fraction
from typing import ClassVar, Final

from gate.backends.prometheus.doctor.slo_check import (
    CheckAnswers,
    SelectorSource,
    SloCheck,
)
from gate.backends.prometheus.evidence.witness import window_query
from gate.backends.prometheus.query import Query
from gate.backends.prometheus.query_result import QueryError
from gate.dataclass import dataclass
from gate.measure.diagnosis import Check, CheckResult, Level
from gate.measure.history import coverage_step
from gate.promql.moving import window_text
from gate.slo.objective import Span

_MATTERS: Final = Fraction(1, 100)
"""The share of the count from which a problem matters."""
_WRONG: Final = Fraction(1, 10)
"""The share of the count from which the number is wrong, and not only inaccurate."""
_FEW: Final = 10
"""The smallest number of events that gives a result."""
_SHORTEST: Final = timedelta(minutes=5)


def step_of(span: Span) -> timedelta:
    """Return the length of the steps of a window."""
    return max(coverage_step(span.length), _SHORTEST)


def in_steps(text: str, span: Span) -> str:
    """Write an expression at every step of ``$window``."""
    return f"{text}[$window:{window_text(step_of(span))}]"


@dataclass(frozen=True, slots=True, kw_only=True)
class AddedUpCheck(SloCheck):
    """A counter that restarts falls to zero; a sum of counters falls by one of them.

    `increase` takes every fall for a restart, and counts the rest of the sum once more:
    https://prometheus.io/docs/prometheus/latest/querying/functions/#rate
    """

    check: ClassVar = Check.COUNTER
    source: SelectorSource
    span: Span
    counted: Query
    """The count of all events of the same role."""

    def queries(self) -> Iterable[Query]:
        """Request the number of falls."""
        return (self._falls,)

    def follow_ups(self, answers: CheckAnswers) -> Iterable[Query]:
        """Request how much more is counted where the sum does not fall to near zero."""
        return (self._extra,) if answers.amount(self._falls) else ()

    def results(self, answers: CheckAnswers) -> Iterator[CheckResult]:
        """Judge it relative to the count."""
        if isinstance(answers.readings(self.counted), QueryError):
            return  # another check reports it
        falls, counted = answers.amount(self._falls), answers.amount(self.counted)
        extra = answers.amount(self._extra) if falls else Fraction()
        if extra <= counted * _MATTERS:
            yield CheckResult(check=Check.COUNTER, examined=self._falls.text)
            return
        yield CheckResult(
            check=Check.COUNTER,
            level=Level.FAULT if extra > counted * _WRONG else Level.DOUBT,
            message=(
                f"{self.source.role}: series of {self.source.text} fell {round(falls):,} times in"
                " the window, and not to zero as a counter does: a sum of counters, of whose"
                f" {round(counted):,} events about {round(extra):,} never happened"
            ),
            remedy=(
                "count what each process exports, as sum(increase(...)); where a rule records it,"
                " have it record the sum of increases or rates, and not of counters"
            ),
            examined=self._extra.text,
        )

    @property
    def _falls(self) -> Query:
        return window_query(f"sum(resets({self.source.text}[$window]) > 0)", self.span)

    @property
    def _extra(self) -> Query:
        step = window_text(step_of(self.span))
        ranged = f"{self.source.text}[{step}]"
        lowest, highest = f"min_over_time({ranged})", f"max_over_time({ranged})"
        increase, before = f"increase({ranged})", f"(increase({ranged} offset {step}) >= 0)"
        # The last of several falls in a step may be one to zero: then the increase is out of all
        # proportion to the count before it.
        stays = f"(resets({ranged}) > 0 and {lowest} > 0.1 * {highest} and {lowest} > 10)"
        leaps = (
            f"(resets({ranged}) > 1 and {increase} > 0.5 * {highest} and {increase} > 5 * {before})"
        )
        extra = f"(({increase} - {before}) > 0) and ({stays} or {leaps})"
        return window_query(f"sum(sum_over_time({in_steps(f'({extra})', self.span)}))", self.span)


@dataclass(frozen=True, slots=True, kw_only=True)
class ZeroCheck(SloCheck):
    """A histogram whose values add up to zero measures nothing: every event looks fast."""

    check: ClassVar = Check.VALUES
    source: SelectorSource
    """The source with the buckets."""
    span: Span

    def queries(self) -> Iterable[Query]:
        """Request the number of zero values."""
        return (self._zeros,)

    def results(self, answers: CheckAnswers) -> Iterator[CheckResult]:
        """Yield a doubt if there are many."""
        zeros = answers.amount(self._zeros)
        if zeros < _FEW:
            yield CheckResult(check=Check.VALUES, examined=self._zeros.text)
            return
        yield CheckResult(
            check=Check.VALUES,
            level=Level.DOUBT,
            message=(
                f"{self.source.role}: {round(zeros):,} values of {self._family('_sum')} are all 0,"
                " so that each is within any threshold"
            ),
            remedy="see whether the server measures this at all, and in this mode of serving",
            examined=self._zeros.text,
        )

    def _family(self, suffix: str) -> str:
        selector = self.source.selector
        others = tuple(matcher for matcher in selector.matchers if matcher.label != "le")
        name = selector.name.removesuffix("_bucket") + suffix
        return selector.only(others).text.replace(selector.name, name, 1)

    @property
    def _zeros(self) -> Query:
        events, values = (f"increase({self._family(s)}[$window])" for s in ("_count", "_sum"))
        return window_query(f"sum({events} and {values} == 0)", self.span)
