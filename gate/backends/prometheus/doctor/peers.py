"""Problems that comparisons of series show: twins, and series that have stopped."""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import ClassVar, Final

from gate.backends.prometheus.doctor.slo_check import CheckAnswers, SelectorSource, SloCheck
from gate.backends.prometheus.doctor.sums import in_steps, step_of
from gate.backends.prometheus.evidence.frozen import of_down_targets, standing_still
from gate.backends.prometheus.evidence.witness import now_query, window_query
from gate.backends.prometheus.query import Query
from gate.dataclass import dataclass
from gate.measure.diagnosis import Check, CheckResult, Level
from gate.promql.moving import SECOND, window_text
from gate.promql.selectors import LabelMatcher
from gate.slo.objective import Span
from gate.slo.quantities import format_duration

_TARGET: Final = "instance, pod, job"
"""The labels that identify a target."""
_UNEVEN: Final = "0.2"
"""The least share of steps with less traffic than the step before, if traffic varies by chance."""
_LATELY: Final = timedelta(hours=1)
_USUAL: Final = 20
"""With this expected number of events, none occurs by chance once in 10^8 times (e^-20)."""
_ENGINES: Final = ("engine", "engine_index", "dp_rank")
"""The labels by which servers number the data-parallel engines of one process: vLLM, Ray Serve,
SGLang."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TwinCheck(SloCheck):
    """Targets with equal counts in each step of the window are one process with two addresses.

    Independent targets differ by chance, unless the traffic is the same in all steps.
    """

    check: ClassVar = Check.SOURCES
    source: SelectorSource
    span: Span

    def queries(self) -> Iterable[Query]:
        """Request the number of targets with a twin."""
        return (self._twins,)

    def results(self, answers: CheckAnswers) -> Iterator[CheckResult]:
        """Yield a doubt about them."""
        twins = answers.amount(self._twins)
        if not twins:
            yield CheckResult(check=Check.SOURCES, examined=self._twins.text)
            return
        yield CheckResult(
            check=Check.SOURCES,
            level=Level.DOUBT,
            message=(
                f"{self.source.role}: {round(twins):,} targets of {self.source.text} count exactly"
                " what another one counts, all along: the same samples behind several addresses?"
            ),
            remedy=(
                "if so, scrape one of them, or select it by its instance; its events are counted"
                " as often as it has addresses"
            ),
            examined=self._twins.text,
        )

    @property
    def _twins(self) -> Query:
        increase = f"increase({self.source.text}[{window_text(step_of(self.span))}])"
        steps = in_steps(f"(round(sum by ({_TARGET}) ({increase})))", self.span)
        # A spread that two share to the last digit. It proves nothing for even traffic, which
        # rarely falls.
        even = f"(resets({steps}) <= {_UNEVEN} * count_over_time({steps}))"
        spread = f"stddev_over_time({steps}) unless {even}"
        return window_query(f'sum(count_values("gate_spread", {spread}) > 1)', self.span)


@dataclass(frozen=True, slots=True, kw_only=True)
class StuckCheck(SloCheck):
    """A target or engine that counted like its peers and has stopped, although they continue.

    A target without any counts may be a standby; one with low counts, a canary.
    """

    check: ClassVar = Check.MOVING
    source: SelectorSource
    span: Span

    def queries(self) -> Iterable[Query]:
        """Request the stopped targets, and the stopped engines beside others of the same target."""
        return (self._targets, self._engines)

    def results(self, answers: CheckAnswers) -> Iterator[CheckResult]:
        """Yield a doubt about them."""
        lately = format_duration(self._lately)
        targets, engines = answers.amount(self._targets), answers.amount(self._engines)
        stuck = [("engines", engines)] if engines else [("targets", targets)] if targets else []
        for what, number in stuck:
            yield CheckResult(
                check=Check.MOVING,
                level=Level.DOUBT,
                message=(
                    f"{self.source.role}: {round(number):,} {what} of {self.source.text} counted"
                    f" nothing in the last {lately}, while others went on"
                ),
                remedy=(
                    "see whether requests hang there, or the exported values are frozen; if it was"
                    " drained on purpose, all is well"
                ),
                examined=self._targets.text,
            )
        if not stuck:
            yield CheckResult(check=Check.MOVING, examined=self._targets.text)

    @property
    def _lately(self) -> timedelta:
        return max(min(_LATELY, self.span.length / 6), SECOND) // SECOND * SECOND

    @property
    def _targets(self) -> Query:
        lately, text = window_text(self._lately), self.source.text
        share = float(self._lately / self.span.length)
        own = f"sum by ({_TARGET}) (increase({text}[{lately}]))"
        usual = f"sum by ({_TARGET}) (increase({text}[$window])) * {share:.6f} > {_USUAL}"
        every, before = (f"sum by (job) (increase({text}[{w}]))" for w in (lately, "$window"))
        going_on = f"({every} > 0.25 * {share:.6f} * {before})"
        here = f"sum by ({_TARGET}) ({text})"
        stopped = f"({own} == 0) and ({usual}) and {here} and on (job) {going_on}"
        return window_query(f"count({stopped} unless {own} > 0)", self.span)

    @property
    def _engines(self) -> Query:
        selector = self.source.selector
        numbered = (LabelMatcher(label=n, operator="=~", value="[0-9]*") for n in _ENGINES)
        text = selector.only((*selector.matchers, *numbered)).text
        by = f"{_TARGET}, {', '.join(_ENGINES)}"
        own = f"sum by ({by}) (increase({text}[{window_text(self._lately)}]))"
        busy = f"(max by ({_TARGET}) ({own}) > {_USUAL})"
        return now_query(f"count(({own} == 0) and on ({_TARGET}) {busy} unless {own} > 0)")


@dataclass(frozen=True, slots=True, kw_only=True)
class FrozenCheck(SloCheck):
    """A gauge that keeps its value although its target is gone."""

    check: ClassVar = Check.MOVING
    source: SelectorSource
    """A gauge."""
    span: Span
    max_age: timedelta
    """The maximum age; older samples are stale."""

    def queries(self) -> Iterable[Query]:
        """Request gauges of targets that are down, were pushed long ago, or do not change."""
        return (self._down, self._pushed, self._still)

    def results(self, answers: CheckAnswers) -> Iterator[CheckResult]:
        """Yield a doubt about the first of these kinds that exists."""
        kinds = (
            (self._down, "above 0, and up is 0 for their targets"),
            (self._pushed, f"of what was pushed more than {format_duration(self.max_age)} ago"),
            (self._still, "above 0, and the same all along, while others change"),
        )
        for part, why in kinds:
            if frozen := answers.amount(part):
                yield CheckResult(
                    check=Check.MOVING,
                    level=Level.DOUBT,
                    message=(
                        f"{self.source.role}: {round(frozen):,} series of {self.source.text} are"
                        f" {why}"
                    ),
                    remedy="remove the series of a target that is gone, or fix the exporter",
                    examined=part.text,
                )
                return
        yield CheckResult(check=Check.MOVING, examined=self._down.text)

    @property
    def _down(self) -> Query:
        return now_query(of_down_targets(self.source.text))

    @property
    def _pushed(self) -> Query:
        age = f"(time() - push_time_seconds > {self.max_age // SECOND})"
        return now_query(f"count({self.source.text} and on (instance, job) {age})")

    @property
    def _still(self) -> Query:
        return window_query(standing_still(self.source.text, "$window"), self.span)
