"""Whether the same events come twice: from replicas of the monitoring, or from two sources."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from typing import ClassVar, Final

from gate.backends.prometheus.doctor.case import Look, SelectorSource, Sight, at_once, over
from gate.backends.prometheus.query import Query
from gate.measure.diagnosis import Check, CheckResult, Level
from gate.promql.selectors import LabelMatcher
from gate.slo.window import Span

_OF_MONITORING: Final = ("prometheus_replica", "__replica__", "thanos_replica", "receive_replica")
"""Labels by which the servers of a pair tell themselves apart, as their operators name them:
https://thanos.io/tip/components/query.md/#deduplication,
https://grafana.com/docs/mimir/latest/configure/configure-high-availability-deduplication/
"""
_OF_EITHER: Final = "replica"
"""The same, or a replica of the service (Ray Serve): these have counts of their own."""
_NAMED: Final = LabelMatcher(label="instance", operator="!=", value="")
_NEARLY: Final = Fraction(1, 10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Replicas(Look):
    """Series that are the same but for a label of the monitoring."""

    check: ClassVar = Check.REPLICAS
    source: SelectorSource

    def parts(self) -> Iterable[Query]:
        """Ask for each label how many series have a twin."""
        return [self._twins(label) for label in (*_OF_MONITORING, _OF_EITHER)]

    def symptoms(self, sight: Sight) -> Iterator[CheckResult]:
        """Yield what was found for the first label that tells series apart."""
        for label in (*_OF_MONITORING, _OF_EITHER):
            if twins := sight.amount(self._twins(label)):
                yield self._twice(label, round(twins))
                return
        yield CheckResult(check=Check.REPLICAS, looked_at=self._twins(_OF_EITHER).text)

    def _twice(self, label: str, twins: int) -> CheckResult:
        sure = label != _OF_EITHER
        return CheckResult(
            check=Check.REPLICAS,
            level=Level.FAULT if sure else Level.DOUBT,
            says=(
                f"{self.source.role}: {twins:,} series of {self.source.text} come more than once,"
                f" told apart by {label} alone"
                + ("" if sure else ", with nearly the same value: replicas of the monitoring?")
            ),
            remedy=(
                f'take one replica: {label}="..."; or have the store merge them (Thanos:'
                f" --query.replica-label={label}; Mimir: the HA tracker)"
            ),
            looked_at=self._twins(label).text,
        )

    def _twins(self, label: str) -> Query:
        grouped = f"without ({label}) ({self.source.text})"
        if label != _OF_EITHER:
            return at_once(f"count(count {grouped} > 1)")
        near = f"(max {grouped} - min {grouped} < 0.02 * max {grouped})"
        return at_once(f"count({near} and count {grouped} > 1)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources(Look):
    """Where all events come from: metrics that are added up, and the jobs of each."""

    check: ClassVar = Check.SOURCES
    counters: tuple[SelectorSource, ...]
    """Of the expression that counts all events."""
    span: Span

    def parts(self) -> Iterable[Query]:
        """Ask for the events by job, and for targets that are scraped by two jobs."""
        for source in self.counters:
            yield self._jobs(source)
            yield self._scraped_twice(source)

    def symptoms(self, sight: Sight) -> Iterator[CheckResult]:
        """Yield targets that are scraped twice, else sources that count nearly the same."""
        twice = [
            self._two_jobs(source, round(targets))
            for source in self.counters
            if (targets := sight.amount(self._scraped_twice(source)))
        ]
        found = twice or [self._alike(*pair) for pair in self._pairs(sight)]
        yield from found[:1]
        if not found and self.counters:
            yield CheckResult(check=Check.SOURCES, looked_at=self._jobs(self.counters[0]).text)

    def _pairs(self, sight: Sight) -> Iterator[Sequence[tuple[str, Fraction]]]:
        amounts = [
            (f'{source.selector.name}{{job="{job}"}}', amount)
            for source in self.counters
            for job, amount in sight.table(self._jobs(source)).items()
        ]
        for one, other in combinations(amounts, 2):
            larger = max(one[1], other[1])
            if larger > 0 and abs(one[1] - other[1]) <= larger * _NEARLY:
                yield one, other

    def _alike(self, one: tuple[str, Fraction], other: tuple[str, Fraction]) -> CheckResult:
        counts = " and ".join(f"{name} counts {round(amount):,}" for name, amount in (one, other))
        return CheckResult(
            check=Check.SOURCES,
            level=Level.DOUBT,
            says=f"{counts}: the same requests, seen by two (a gateway and the engine behind it)?",
            remedy=(
                "if so, select one of them by its job or name; if each has requests of its own, all"
                " is well"
            ),
            looked_at=self._jobs(self.counters[0]).text,
        )

    def _two_jobs(self, source: SelectorSource, targets: int) -> CheckResult:
        return CheckResult(
            check=Check.SOURCES,
            level=Level.FAULT,
            says=(
                f"{source.role}: {targets:,} instances of {source.text} are scraped by several"
                " jobs, so that each of their events is counted more than once"
            ),
            remedy='select one job: job="..."; or take the target out of the other',
            looked_at=self._scraped_twice(source).text,
        )

    def _jobs(self, source: SelectorSource) -> Query:
        return over(f"sum by (job) (increase({source.text}[$window]))", self.span, "job")

    def _scraped_twice(self, source: SelectorSource) -> Query:
        selector = source.selector
        known = selector.only((*selector.matchers, _NAMED)).text
        by_both = f"count by (instance, job) ({known})"
        return at_once(f"count(count by (instance) ({by_both}) > 1)")
