"""Events from times without scrapes that no later sample contains."""

from collections.abc import Iterator
from datetime import timedelta
from fractions import Fraction
from typing import Final

from gate.backends.prometheus.evidence.since import Whole
from gate.backends.prometheus.evidence.witness import EvidenceAnswers, Witness
from gate.backends.prometheus.probe import series_coverage
from gate.backends.prometheus.query import Query, Role
from gate.dataclass import dataclass
from gate.measure import Cause, Suspicion
from gate.measure.history import SHORTEST
from gate.promql.moving import window_text
from gate.slo.quantities import format_duration

_DAY: Final = timedelta(days=1)
_WEEK: Final = timedelta(days=7)
_LONGEST: Final = "1d"
"""The longest gap after which a series is known to continue."""
_NEARLY: Final = Fraction(4, 5)
"""The share of the usual count: the same hours of two days differ by as much."""
_EDGES: Final = 1
"""Steps that may be missing at the ends of the window, or of a night."""
_BY_THE_WAY: Final = Fraction(1, 20)
"""The share of steps without data that may be missing because one night is longer than another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LossWitness(Witness):
    """Searches for events that were lost in gaps of the data.

    A counter that continues after a gap contains the events in it. A counter that restarted does
    not, and a sum of samples has none of the gap.
    """

    whole: Whole
    counters: bool
    """Whether increases are counted, and not sums of samples."""
    coverage: tuple[Query, ...] = ()
    """If given, queries for the steps with data under each of several names; the largest counts."""

    def first_round(self) -> tuple[Query, ...]:
        """Request the number of steps with data, as for the coverage."""
        return self.coverage or tuple(
            series_coverage(selector, self.whole.span, self.whole.step)
            for selector in self.whole.expression.selectors
        )

    def second_round(self, answers: EvidenceAnswers) -> tuple[Query, ...]:
        """Request the missing steps that exist at other times, and the restarts."""
        if not self._has_holes(answers):
            return ()
        if not self.counters:
            return (self._missing,)
        return (self._missing, self._renewed, self._beside, self._following)

    def suspicions(self, answers: EvidenceAnswers) -> Iterator[Suspicion]:
        """Yield the number of events that are usual in the gaps."""
        if not self.second_round(answers):
            return
        missing, every = answers.amount(self._missing), self._steps - self._covered(answers)
        if missing <= max(Fraction(_EDGES), every * _BY_THE_WAY):
            return
        step = self.whole.step
        counted = answers.bad if self.whole.role is Role.SPENT else answers.total
        if self.counters and self._bridged(answers, missing, counted):
            return
        events = counted * missing / self._covered(answers)
        length = format_duration(int(missing) * step)
        why = "counters began anew after it" if self.counters else "what is added up has none of it"
        what = "is spent as" if self.whole.role is Role.SPENT else "events are"
        yield Suspicion(
            cause=Cause.LOST,
            reason=(
                f"nothing was scraped for {length} of the window, and {why}: about"
                f" {float(events):,.0f} {what} usual in that time"
            ),
            remedy="look into the logs of that time, or wait until it has left the window",
            hidden=events,
        )

    def _bridged(self, answers: EvidenceAnswers, missing: Fraction, counted: Fraction) -> bool:
        """Return whether the events in the gaps were counted.

        They were if every counter continues. For a long gap that is not visible; but then the
        difference between the count and the steps beside the gaps is about the usual count of as
        many steps.
        """
        if not answers.amount(self._renewed):
            return True
        following = answers.amount(self._following)
        if not following or self.whole.step < SHORTEST:
            return False
        beside = answers.amount(self._beside)
        usual = beside / following * (self._covered(answers) - following + missing)
        return 0 < usual * _NEARLY <= counted - beside

    def _has_holes(self, answers: EvidenceAnswers) -> bool:
        return 0 < self._covered(answers) < self._steps - _EDGES

    @property
    def _steps(self) -> int:
        return self.whole.span.length // self.whole.step

    def _covered(self, answers: EvidenceAnswers) -> Fraction:
        return max(answers.amount(part) for part in self.first_round())

    @property
    def _missing(self) -> Query:
        # A service scaled to zero at night had no data a day before, either; a service scaled to
        # zero at weekends had none a week before, but had some on the day before that.
        week, eighth_day = (f"count({self._series(ago)})" for ago in (_WEEK, _WEEK + _DAY))
        usual = f"count({self._series(_DAY)}) unless ({eighth_day} unless {week})"
        return self.whole.steps_with(f"({usual}) unless count({self._series()})")

    @property
    def _renewed(self) -> Query:
        """Return the query for the steps right after a gap with new series, or lower counts."""
        step = self.whole.step
        goes_on = " or ".join(
            f"({selector} >= last_over_time({selector}[{_LONGEST}] offset {window_text(step)}))"
            for selector in self.whole.expression.selectors
        )
        renewed = f"count({self._series()} unless ({goes_on}))"
        return self.whole.steps_with(f"{renewed} unless count({self._series(step)})")

    @property
    def _beside(self) -> Query:
        """Return the query for the events of the steps that follow a step with data.

        The first step after a gap is left out: some servers count the events of the gap there.
        """
        events = self.whole.expression.over(window_text(self.whole.step))
        return self.whole.sum_over_steps(f"{events} and on () ({self._follows})")

    @property
    def _following(self) -> Query:
        return self.whole.steps_with(self._follows)

    @property
    def _follows(self) -> str:
        return f"count({self._series()}) and count({self._series(self.whole.step)})"

    def _series(self, ago: timedelta = timedelta()) -> str:
        moved = f" offset {window_text(ago)}" if ago else ""
        return " or ".join(f"{selector}{moved}" for selector in self.whole.expression.selectors)
