"""No event in the last hour, though the same hour had some a day and a week ago."""

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
_BEFORE: Final = (timedelta(days=1), timedelta(days=7))
"""A service that sleeps at night had none a day ago; one that rests at weekends had none a week
ago, or a day ago on the first day."""
_USUAL: Final = Fraction(10)
"""By chance alone there is no event where 10 are usual once in 22,000 hours (e^-10)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SilenceWitness(Witness):
    """Of all events."""

    whole: Whole

    def first_round(self) -> tuple[Query, ...]:
        """Ask for the events of the last hour, and of that hour before."""
        if self.whole.span.length < _BEFORE[0]:
            return ()
        return tuple(map(self._hour, (timedelta(), *_BEFORE)))

    def suspicions(self, answers: EvidenceAnswers) -> Iterator[Suspicion]:
        """Yield a doubt where there is none now, and there were enough each time."""
        numbers = [answers.number(part) for part in self.first_round()]
        if not numbers or numbers[0] != 0:
            return
        day, week = (number or Fraction() for number in numbers[1:])
        if min(day, week) >= _USUAL:
            yield Suspicion(
                cause=Cause.NO_TRAFFIC,
                reason=(
                    f"no event in the last hour, though the same hour had {float(day):,.0f} a day"
                    f" and {float(week):,.0f} a week ago"
                ),
                remedy=(
                    "see whether requests reach the service, and whether something in front of it"
                    " fails"
                ),
                hidden=None,
            )

    def _hour(self, ago: timedelta) -> Query:
        return Query(pieces=self.whole.expression.pieces, length=_HOUR, offset=ago)
