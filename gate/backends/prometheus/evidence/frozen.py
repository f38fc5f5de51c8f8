"""Gauges that keep their value: the target is down, was pushed long ago, or does not change."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from gate.backends.prometheus.evidence.since import Whole
from gate.backends.prometheus.evidence.witness import EvidenceAnswers, Witness, now_query
from gate.backends.prometheus.query import Query
from gate.dataclass import dataclass
from gate.measure import Cause, Suspicion
from gate.promql.moving import SECOND, window_text
from gate.slo.quantities import format_duration

_MANY: Final = 10
"""The fewest changes of a gauge that normally changes."""
_LATELY: Final = timedelta(days=1)
_PUSHES: Final = timedelta(days=7)
_LATE: Final = 3
"""The factor of the usual time between pushes from which a push is overdue."""
_LEAST: Final = 600
"""The seconds without a push that prove nothing."""


def of_down_targets(selector: str) -> str:
    """Return PromQL that counts the series above 0 whose targets cannot be scraped."""
    return f"count(({selector} > 0) and on (instance, job) (up == 0))"


def standing_still(selector: str, window: str) -> str:
    """Return PromQL that counts the series above 0 that never change, while others do.

    A gauge of 0 and 1, such as ``up``, may be constant, and so may one that is 0.
    """
    ranged = f"{selector}[{window}]"
    lively = f"max by (job) (changes({ranged})) > {_MANY}"
    scaled = f"max by (job) (max_over_time({ranged})) > 1"
    still = f"(changes({ranged}) == 0) and ({selector} > 0)"
    return f"count({still} and on (job) ({lively}) and on (job) ({scaled}))"


@dataclass(frozen=True, slots=True, kw_only=True)
class FrozenWitness(Witness):
    """The part of one selector of a gauge."""

    selector: str
    whole: Whole

    def first_round(self) -> tuple[Query, ...]:
        """Request such series, by one query for each kind."""
        return (self._down, self._pushed, self._still)

    def second_round(self, answers: EvidenceAnswers) -> tuple[Query, ...]:  # noqa: ARG002
        """Return no queries: the duration of the problem does not matter."""
        return ()

    def suspicions(self, answers: EvidenceAnswers) -> Iterator[Suspicion]:
        """Yield a doubt about the first of these kinds that exists."""
        lately = format_duration(self._lately)
        kinds = (
            (self._down, "above 0, though their targets are down (up is 0)"),
            (self._pushed, "of a push that is long overdue, by how often there was one before"),
            (self._still, f"above 0 and have not changed for {lately}, while others change"),
        )
        for part, why in kinds:
            if number := answers.amount(part):
                yield Suspicion(
                    cause=Cause.STALE,
                    reason=f"gauge: {round(number):,} series of {self.selector} are {why}",
                    remedy="remove the series of a target that is gone, or fix the exporter",
                    hidden=None,
                )
                return

    @property
    def _lately(self) -> timedelta:
        return min(_LATELY, self.whole.span.length) // SECOND * SECOND

    @property
    def _down(self) -> Query:
        return now_query(of_down_targets(self.selector))

    @property
    def _pushed(self) -> Query:
        length = min(_PUSHES, self.whole.span.length)
        pushes = f"changes(push_time_seconds[{window_text(length // SECOND * SECOND)}]) + 1"
        age = "(time() - push_time_seconds)"
        late = f"({age} > {_LATE} * {length // SECOND} / ({pushes})) and ({age} > {_LEAST})"
        return now_query(f"count({self.selector} and on (instance, job) ({late}))")

    @property
    def _still(self) -> Query:
        return now_query(standing_still(self.selector, window_text(self._lately)))
