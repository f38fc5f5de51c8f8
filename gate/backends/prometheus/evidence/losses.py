"""Events of the time in which nothing was scraped, and that no later sample tells of."""

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
"""The longest hole after which a series is known to go on."""
_NEARLY: Final = Fraction(4, 5)
"""Of what is usual; what is counted at the same time of two days varies as much."""
_EDGES: Final = 1
"""Steps that may be missing at the ends of the window, or of a night."""
_BY_THE_WAY: Final = Fraction(1, 20)
"""The share of steps without data that may be missing because a night is longer than the last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LossWitness(Witness):
    """Looks for events lost in the holes of the data.

    A counter that goes on after a hole tells what happened in it. One that began anew does not, and
    what is added up of samples themselves has none of the hole.
    """

    whole: Whole
    counters: bool
    """Whether increases are taken, and not samples added up."""
    coverage: tuple[Query, ...] = ()
    """Given: how many steps have data under any of several names; the most of them count."""

    def first_round(self) -> tuple[Query, ...]:
        """Ask how many steps have data, as the coverage is asked for."""
        return self.coverage or tuple(
            series_coverage(selector, self.whole.span, self.whole.step)
            for selector in self.whole.expression.selectors
        )

    def second_round(self, answers: EvidenceAnswers) -> tuple[Query, ...]:
        """Ask which steps are missing that are there at other times, and what began anew."""
        if not self._has_holes(answers):
            return ()
        if not self.counters:
            return (self._missing,)
        return (self._missing, self._renewed, self._beside, self._following)

    def suspicions(self, answers: EvidenceAnswers) -> Iterator[Suspicion]:
        """Yield how many events are usual in the holes."""
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
        """Return whether what happened in the holes was counted.

        It was where every counter goes on. That cannot be seen of a long hole; but then what the
        steps beside the holes do not add up to is about what is usual in as many steps.
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
        # A service that is scaled to zero at night had no data a day before, either; one that is at
        # weekends had none a week before, but on the day before that.
        week, eighth_day = (f"count({self._series(ago)})" for ago in (_WEEK, _WEEK + _DAY))
        usual = f"count({self._series(_DAY)}) unless ({eighth_day} unless {week})"
        return self.whole.steps_with(f"({usual}) unless count({self._series()})")

    @property
    def _renewed(self) -> Query:
        """Count the steps right after a hole with series that are new, or lower than before it."""
        step = self.whole.step
        goes_on = " or ".join(
            f"({selector} >= last_over_time({selector}[{_LONGEST}] offset {window_text(step)}))"
            for selector in self.whole.expression.selectors
        )
        renewed = f"count({self._series()} unless ({goes_on}))"
        return self.whole.steps_with(f"{renewed} unless count({self._series(step)})")

    @property
    def _beside(self) -> Query:
        """Count the events of the steps that follow one with data.

        Without the first step after a hole: some servers count there what happened in the hole.
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
