"""Single targets that lack the series that count the good or the bad events."""

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from typing import Final

from gate.backends.prometheus.evidence.roles import JudgedSelector
from gate.backends.prometheus.evidence.since import Whole
from gate.backends.prometheus.evidence.witness import EvidenceAnswers, Witness
from gate.backends.prometheus.query import Query, Role
from gate.dataclass import dataclass
from gate.measure import Cause, Suspicion
from gate.promql.moving import SECOND
from gate.promql.selectors import LabelMatcher, Selector

_FEW: Final = 10
"""The number of events that does not justify a doubt."""
_CHANGING: Final = 2
"""The most steps with two names of one target while it is renamed."""
_BOUNDARY: Final = "le"
_NAMED: Final = LabelMatcher(label="instance", operator="!=", value="")


@dataclass(frozen=True, slots=True, kw_only=True)
class BucketWitness(Witness):
    """Targets whose histogram has other boundaries, so that all of their events count as bad."""

    judged: JudgedSelector
    whole: Whole

    def first_round(self) -> tuple[Query, ...]:
        """Request the number of steps at which some target has the histogram but not the bucket."""
        return (self.whole.steps_with(f"max({self._all} {self._without})"),)

    def second_round(self, answers: EvidenceAnswers) -> tuple[Query, ...]:
        """Request the number of events that such targets have counted."""
        return (self._events,) if any(map(answers.amount, self.first_round())) else ()

    def suspicions(self, answers: EvidenceAnswers) -> Iterator[Suspicion]:
        """Yield the suspicion about these events."""
        events = sum(map(answers.amount, self.second_round(answers)), Fraction())
        if events > _FEW:
            yield Suspicion(
                cause=Cause.UNMATCHED,
                reason=(
                    f"good: {float(events):,.0f} events are of targets that have"
                    f" {self.judged.base.text}, and not {self.judged.selector.text}; they count as"
                    " bad"
                ),
                remedy="choose a boundary that all targets have, or give all of them the same",
                doubtful=events,
            )

    @property
    def _all(self) -> str:
        every = LabelMatcher(label=_BOUNDARY, operator="=", value="+Inf")
        return self.judged.base.only((*self.judged.base.matchers, every)).text

    @property
    def _without(self) -> str:
        return f"unless on (instance, pod) {self.judged.selector.text}"

    @property
    def _events(self) -> Query:
        good = self.judged.selector.text
        text = f"sum(increase({self._all}[$window]) unless on (instance, pod) last_over_time({good}"
        return _over_window(f"{text}[$window]))", self.whole)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScrapeWitness(Witness):
    """Targets that several jobs scrape, some of which keep fewer series than the others.

    If all keep the same series, each event counts equally often, and the ratio is correct.
    """

    judged: JudgedSelector
    whole: Whole

    def first_round(self) -> tuple[Query, ...]:
        """Request the largest number of jobs that scrape one target."""
        jobs = _jobs(f"last_over_time({self._every.text}[$window])")
        largest = _over_window(f"max({jobs})", self.whole)
        return (replace(largest, largest=True, grain=self.whole.step),)

    def put_off(self) -> tuple[Query, ...]:
        """Request the steps at which a target has all events from more jobs than these.

        Needed only if a target has several jobs: looking at each step costs a server much more.
        """
        every, these = map(_jobs, (self._every.text, self._these.text))
        return (self.whole.steps_with(f"max({every} > {these})"),)

    def second_round(self, answers: EvidenceAnswers) -> tuple[Query, ...]:
        """Request the number of events that the other jobs lack."""
        if all(answers.amount(jobs) <= 1 for jobs in self.first_round()):
            return ()
        steps = sum(map(answers.amount, self.put_off()), Fraction())
        return (self._lacking,) if steps > _CHANGING else ()

    def suspicions(self, answers: EvidenceAnswers) -> Iterator[Suspicion]:
        """Yield the suspicion about these events."""
        events = sum(map(answers.amount, self.second_round(answers)), Fraction())
        if events > _FEW:
            bad = self.judged.role is Role.BAD
            yield Suspicion(
                cause=Cause.UNMATCHED,
                reason=(
                    f"{self.judged.role}: some targets of {self._every.text} are scraped by more"
                    f" jobs than those of {self.judged.selector.text}, so that {float(events):,.0f}"
                    f" {self.judged.role} events are missing among those that count twice"
                ),
                remedy='select one job in both: job="..."; or take the targets out of the other',
                hidden=events if bad else Fraction(),
                doubtful=Fraction() if bad else events,
            )

    @property
    def _every(self) -> Selector:
        return _of_targets(Selector.read(self.whole.expression.selectors[0]))

    @property
    def _these(self) -> Selector:
        return _of_targets(self.judged.selector)

    @property
    def _lacking(self) -> Query:
        every, these = (
            _jobs(f"last_over_time({selector.text}[$window])")
            for selector in (self._every, self._these)
        )
        counted = f"sum by (instance) (increase({self._these.text}[$window]))"
        return _over_window(f"sum({counted} * ({every} / {these} - 1))", self.whole)


def _of_targets(selector: Selector) -> Selector:
    return selector.only((*selector.matchers, _NAMED))


def _jobs(series: str) -> str:
    return f"count by (instance) (count by (instance, job) ({series}))"


def _over_window(text: str, whole: Whole) -> Query:
    length = whole.span.length // SECOND * SECOND
    return Query(pieces=tuple(text.split("$window")), length=length)


def target_witnesses(judged: list[JudgedSelector], whole: Whole) -> Iterator[Witness]:
    """Yield the witnesses for single targets of the good or the bad events of one selector."""
    if len(judged) != 1 or len(whole.expression.selectors) != 1:
        return
    (selector,) = judged
    yield ScrapeWitness(judged=selector, whole=whole)
    bounded = any(wanted.label == _BOUNDARY for wanted in selector.filters)
    if selector.role is Role.GOOD and bounded and selector.selector.name.endswith("_bucket"):
        yield BucketWitness(judged=selector, whole=whole)
