"""No events in the last hour, although the same hour of other days had some."""

from collections.abc import Iterator, Set
from datetime import timedelta
from fractions import Fraction
from typing import Final

from gate.backends.prometheus.evidence.since import Whole
from gate.backends.prometheus.evidence.witness import EvidenceAnswers, Witness
from gate.backends.prometheus.query import Query
from gate.dataclass import dataclass
from gate.measure import Cause, Suspicion

_HOUR: Final = timedelta(hours=1)
_DAY: Final = timedelta(days=1)
_LATELY: Final = (1, 2, 3)
"""The days back, on one of which this hour had events if the silence is new."""
_WEEK: Final = 7
_ALL: Final = range(1, 2 * _WEEK + 1)
_REST: Final = 2
"""The days a week on which a service may rest."""
_USUAL: Final = Fraction(10)
"""The expected number of events for which there is none by chance once in 22,000 hours (e^-10)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SilenceWitness(Witness):
    """The part of all events."""

    whole: Whole

    def first_round(self) -> tuple[Query, ...]:
        """Request the events of the last hour."""
        return (self._hour(0),) if self._is_comparable else ()

    def put_off(self) -> tuple[Query, ...]:
        """Request the same hour of earlier days, needed if there are no events in the last hour."""
        return tuple(map(self._hour, (*_LATELY, _WEEK))) if self._is_comparable else ()

    def second_round(self, answers: EvidenceAnswers) -> tuple[Query, ...]:
        """Request that hour of two weeks if it is silent now, and had events until recently."""
        if not self._is_comparable or answers.number(self._hour(0)) != 0:
            return ()
        lately = any(map(_is_busy, (answers.number(self._hour(day)) for day in _LATELY)))
        if lately and _is_busy(answers.number(self._hour(_WEEK))):
            return tuple(map(self._hour, _ALL))
        return ()

    def suspicions(self, answers: EvidenceAnswers) -> Iterator[Suspicion]:
        """Yield a doubt if there are no events now, for up to three days, and that is unusual."""
        if not self.second_round(answers):
            return
        hours = {day: answers.number(self._hour(day)) for day in _ALL}
        busy = {day for day, events in hours.items() if _is_busy(events)}
        last = min(busy)
        if not _is_unusual(last, busy, {day for day in _ALL if hours[day] is None}):
            return
        ago, week = float(hours[last] or 0), float(hours[_WEEK] or 0)
        yield Suspicion(
            cause=Cause.NO_TRAFFIC,
            reason=(
                f"no event in the last hour, though the same hour had {ago:,.0f} {last}d ago and"
                f" {week:,.0f} a week ago"
            ),
            remedy=(
                "see whether requests reach the service, and whether something in front of it fails"
            ),
            hidden=None,
        )

    @property
    def _is_comparable(self) -> bool:
        return self.whole.span.length >= _DAY

    def _hour(self, days: int) -> Query:
        return self.whole.events(_HOUR, days * _DAY)


def _is_busy(events: Fraction | None) -> bool:
    return events is not None and events >= _USUAL


def _is_unusual(last: int, busy: Set[int], unknown: Set[int]) -> bool:
    """Return whether the days since ``last`` are silent, and no such days are silent every week.

    A service that sleeps at night had no event at this hour before, either. One that rests at
    weekends had none a week before each day of rest. A service with occasional traffic has no such
    pattern.
    """
    since = all(day + _WEEK in busy | unknown for day in range(1, last))
    rest = [day for day in range(last, _WEEK) if day not in busy]
    return since and len(rest) <= _REST and all(day + _WEEK not in busy | unknown for day in rest)
