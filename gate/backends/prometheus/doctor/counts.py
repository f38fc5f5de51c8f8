"""The count itself, as ``gate check`` makes it, and whether it counts an event twice."""

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import combinations
from typing import ClassVar, Final

from gate.backends.prometheus.doctor.slo_check import (
    CheckAnswers,
    SelectorSource,
    SloCheck,
)
from gate.backends.prometheus.evidence.witness import now_query, window_query
from gate.backends.prometheus.plan import Plan
from gate.backends.prometheus.query import Query, Role
from gate.backends.prometheus.query_result import QueryError, QueryValue
from gate.dataclass import dataclass
from gate.measure import Answer, Cause, Unmeasured
from gate.measure.diagnosis import Check, CheckResult, Level, SkippedCheck
from gate.measure.remedies import with_advice
from gate.promql.selectors import LabelMatcher
from gate.slo.objective import Span
from gate.wording import counted as in_words

_HAIR: Final = Fraction(1, 10**6)
"""The share of the total by which extrapolation may be wrong."""
_REMEDIES: Final = {
    Cause.NO_TRAFFIC: "see whether requests reach the service, and whether these are its labels",
    Cause.NO_DATA: "see whether the service is scraped, and the expression finds what it exports",
    Cause.BACKEND_ERROR: "ask the server this query by hand; it refuses it, or takes too long",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberCheck(SloCheck):
    """Each expression must return one number, and the parts must not exceed the whole."""

    check: ClassVar = Check.ONE_NUMBER
    plan: Plan

    def queries(self) -> Iterable[Query]:
        """Request the numbers of the budget."""
        return self.plan

    def follow_ups(self, answers: CheckAnswers) -> Iterable[Query]:
        """Request the second round of the budget."""
        return self.plan.second_round(answers.readings)

    def results(self, answers: CheckAnswers) -> Iterator[CheckResult]:
        """Judge the numbers."""
        readings = {role: answers.reading(part) for role, part in self.plan.parts.items()}
        wrong = {r: f for r, f in readings.items() if isinstance(f, QueryError)}
        for role, fault in wrong.items():
            if fault.cause is Cause.INVALID:
                yield self._fault(role, fault.reason)
        if not wrong:
            yield CheckResult(check=Check.ONE_NUMBER, examined=self.plan.query)
            numbers = {r: v.number for r, v in readings.items() if isinstance(v, QueryValue)}
            yield from self._within(numbers)

    def _fault(self, role: Role, reason: str) -> CheckResult:
        return CheckResult(
            check=Check.ONE_NUMBER,
            level=Level.FAULT,
            message=f"{role}: {reason}",
            remedy="write an expression that gives one number, most often sum(increase(...))",
            examined=self.plan.parts[role].text,
        )

    def _within(self, numbers: dict[Role, Fraction | None]) -> Iterator[CheckResult]:
        total = numbers.get(Role.TOTAL)
        if total is None:
            return
        for role in (Role.BAD, Role.GOOD):
            number = numbers.get(role)
            if number is not None and number > total * (1 + _HAIR):
                yield CheckResult(
                    check=Check.WITHIN_TOTAL,
                    level=Level.FAULT,
                    message=f"{role} is {round(number):,} and total {round(total):,}",
                    remedy=(
                        f"{role} must be a part of total: compare their labels (job, route, method)"
                        " and metrics; a gateway counts retries that the service behind it does not"
                    ),
                    examined=self.plan.query,
                )
                return
        yield CheckResult(check=Check.WITHIN_TOTAL, examined=self.plan.query)


def counted(count: Answer, level: Level) -> CheckResult | None:
    """Return the count; None: other checks, the worst at ``level``, say why it is missing."""
    if isinstance(count, Unmeasured):
        return None if level is Level.FAULT else unmeasured(count)
    return CheckResult(check=Check.COUNTED, message=in_words(count), examined=count.evidence.query)


def unmeasured(why: Unmeasured, check: Check = Check.COUNTED, query: str = "") -> CheckResult:
    """Report why nothing was counted, as gate check does.

    Args:
        why: the answer to the request.
        check: the check that reports it.
        query: the query, if the answer does not contain it.
    """
    advice = _REMEDIES.get(why.cause, "see the reason; gate check is undecided without a count")
    reason, remedy = with_advice(why.reason, advice)
    return CheckResult(
        check=check,
        level=Level.FAULT,
        message=f"{why.cause}: {reason}",
        remedy=remedy,
        examined=why.query or query,
    )


_OF_MONITORING: Final = ("prometheus_replica", "__replica__", "thanos_replica", "receive_replica")
"""Labels that separate the servers of a redundant pair, as their operators name them:
https://thanos.io/tip/components/query.md/#deduplication,
https://grafana.com/docs/mimir/latest/configure/configure-high-availability-deduplication/"""
_OF_EITHER: Final = "replica"
"""A label of such a pair, or of a replica of the service (Ray Serve), which has counts of its
own."""
_NAMED: Final = LabelMatcher(label="instance", operator="!=", value="")
_NEARLY: Final = Fraction(1, 10)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplicaCheck(SloCheck):
    """Series that differ only in a label of the monitoring."""

    check: ClassVar = Check.REPLICAS
    source: SelectorSource

    def queries(self) -> Iterable[Query]:
        """Request the number of series with a twin for each label."""
        return [self._twins(label) for label in (*_OF_MONITORING, _OF_EITHER)]

    def results(self, answers: CheckAnswers) -> Iterator[CheckResult]:
        """Yield the twins by the first label that separates series."""
        for label in (*_OF_MONITORING, _OF_EITHER):
            if twins := answers.amount(self._twins(label)):
                yield self._twice(label, round(twins))
                return
        yield CheckResult(check=Check.REPLICAS, examined=self._twins(_OF_EITHER).text)

    def _twice(self, label: str, twins: int) -> CheckResult:
        sure = label != _OF_EITHER
        return CheckResult(
            check=Check.REPLICAS,
            level=Level.FAULT if sure else Level.DOUBT,
            message=(
                f"{self.source.role}: {twins:,} series of {self.source.text} come more than once,"
                f" grouped by {label} alone"
                + ("" if sure else ", with nearly the same value: replicas of the monitoring?")
            ),
            remedy=(
                f'take one replica: {label}="..."; or have the store merge them (Thanos:'
                f" --query.replica-label={label}; Mimir: the HA tracker)"
            ),
            examined=self._twins(label).text,
        )

    def _twins(self, label: str) -> Query:
        grouped = f"without ({label}) ({self.source.text})"
        if label != _OF_EITHER:
            return now_query(f"count(count {grouped} > 1)")
        near = f"(max {grouped} - min {grouped} < 0.02 * max {grouped})"
        return now_query(f"count({near} and count {grouped} > 1)")


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceCheck(SloCheck):
    """The sources of all events: metrics that are added up, and the jobs of each."""

    check: ClassVar = Check.SOURCES
    counters: tuple[SelectorSource, ...]
    """The counters of the expression that counts all events."""
    span: Span

    def queries(self) -> Iterable[Query]:
        """Request the events by job, and the targets that two jobs scrape."""
        for source in self.counters:
            yield self._jobs(source)
            yield self._scraped_twice(source)

    def results(self, answers: CheckAnswers) -> Iterator[CheckResult | SkippedCheck]:
        """Yield targets that are scraped twice, else sources with nearly equal counts."""
        twice = [
            self._two_jobs(source, round(targets))
            for source in self.counters
            if (targets := answers.amount(self._scraped_twice(source)))
        ]
        results = twice or [self._alike(*pair) for pair in self._pairs(answers)]
        yield from results[:1]
        if not results and not self.counters:
            yield SkippedCheck(check=Check.SOURCES, reason="no increase of a counter is taken")
        elif not results:
            yield CheckResult(check=Check.SOURCES, examined=self._jobs(self.counters[0]).text)

    def _pairs(self, answers: CheckAnswers) -> Iterator[Sequence[tuple[str, Fraction]]]:
        amounts = [
            (f'{source.selector.name}{{job="{job}"}}', amount)
            for source in self.counters
            for job, amount in answers.table(self._jobs(source)).items()
        ]
        for first, second in combinations(amounts, 2):
            larger = max(first[1], second[1])
            if larger > 0 and abs(first[1] - second[1]) <= larger * _NEARLY:
                yield first, second

    def _alike(self, *sources: tuple[str, Fraction]) -> CheckResult:
        counts = " and ".join(f"{name} counts {round(amount):,}" for name, amount in sources)
        return CheckResult(
            check=Check.SOURCES,
            level=Level.DOUBT,
            message=(
                f"{counts}: the same requests, seen by two (a gateway and the engine behind it)?"
            ),
            remedy=(
                "if so, select one of them by its job or name; if each has requests of its own, all"
                " is well"
            ),
            examined=self._jobs(self.counters[0]).text,
        )

    def _two_jobs(self, source: SelectorSource, targets: int) -> CheckResult:
        return CheckResult(
            check=Check.SOURCES,
            level=Level.FAULT,
            message=(
                f"{source.role}: {targets:,} instances of {source.text} are scraped by several"
                " jobs, so that each of their events is counted more than once"
            ),
            remedy='select one job: job="..."; or take the target out of the other',
            examined=self._scraped_twice(source).text,
        )

    def _jobs(self, source: SelectorSource) -> Query:
        return window_query(f"sum by (job) (increase({source.text}[$window]))", self.span, "job")

    def _scraped_twice(self, source: SelectorSource) -> Query:
        selector = source.selector
        named = selector.only((*selector.matchers, _NAMED)).text
        by_both = f"count by (instance, job) ({named})"
        return now_query(f"count(count by (instance) ({by_both}) > 1)")
