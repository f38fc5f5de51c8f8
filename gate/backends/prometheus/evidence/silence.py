"""No event in the last hour, though the same hour of other days had some."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction
from typing import Final

from gate.backends.prometheus.evidence.since import Whole
from gate.backends.prometheus.evidence.witness import EvidenceAnswers, Witness
from gate.backends.prometheus.query import Query
from gate.measure import Cause, Suspicion

_HOUR: Final = timedelta(hours=1)
_DAY: Final = timedelta(days=1)
_DAYS: Final = (0, 1, 2, 3, 7, 8, 9)
"""Days ago at which the same hour is looked at."""
_WEEK: Final = 7
_USUAL: Final = Fraction(10)
"""By chance alone there is no event where 10 are usual once in 22,000 hours (e^-10)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SilenceWitness(Witness):
    """Of all events."""

    whole: Whole

    def first_round(self) -> tuple[Query, ...]:
        """Ask for the events of the last hour, and of that hour before."""
        if self.whole.span.length < _DAY:
            return ()
        return tuple(map(self._hour, _DAYS))

    def suspicions(self, answers: EvidenceAnswers) -> Iterator[Suspicion]:
        """Yield a doubt where there is none now, or since up to three days, and that is unusual.

        A service that sleeps at night had none at this hour before, either, and one that rests at
        weekends had none a week before each of the days of rest.
        """
        numbers = [answers.number(part) for part in self.first_round()]
        events = dict(zip(_DAYS, numbers, strict=False))
        if events.get(0) != 0:
            return
        busy = {day for day, number in events.items() if (number or 0) >= _USUAL}
        last = min(busy, default=_WEEK)
        if last < _WEEK and all(day + _WEEK in busy for day in range(last)):
            ago, week = float(events[last] or 0), float(events[_WEEK] or 0)
            yield Suspicion(
                cause=Cause.NO_TRAFFIC,
                reason=(
                    f"no event in the last hour, though the same hour had {ago:,.0f} {last}d ago"
                    f" and {week:,.0f} a week ago"
                ),
                remedy=(
                    "see whether requests reach the service, and whether something in front of it"
                    " fails"
                ),
                hidden=None,
            )

    def _hour(self, days: int) -> Query:
        return Query(pieces=self.whole.expression.pieces, length=_HOUR, offset=days * _DAY)
