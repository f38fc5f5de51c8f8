"""The queries about a selector of good or of bad events."""

from dataclasses import replace

from gate.backends.prometheus.evidence.roles import JudgedSelector, LabelFilter
from gate.backends.prometheus.evidence.since import Whole
from gate.backends.prometheus.evidence.witness import label_text, now_query, window_query
from gate.backends.prometheus.query import Query
from gate.dataclass import dataclass
from gate.promql.moving import SECOND, window_text
from gate.promql.selectors import LabelMatcher


@dataclass(frozen=True, slots=True)
class SelectorQueries:
    """The queries about one selector, and about the series from which it selects."""

    judged: JudgedSelector
    whole: Whole

    @property
    def alive(self) -> tuple[Query, ...]:
        """The numbers of series that it, and each of its alternatives, finds now."""
        return tuple(self.whole.now(s.text) for s in (self.judged.selector, *self.judged.others))

    @property
    def seen(self) -> Query:
        """The number of steps at which it finds series."""
        return self.whole.steps_with(f"count({self.judged.selector.text})")

    @property
    def zeros(self) -> Query:
        """The number of steps at which some of its series are 0."""
        return self.whole.steps_with(f"count({self.judged.selector.text} == 0)")

    @property
    def losing(self) -> Query:
        """The processes that lost such series without a restart.

        Client libraries do not remove a series while the process runs.
        """
        by, every = "by (instance, pod)", self.whole.expression.selectors[0]
        had = " or ".join(
            f"count {by} (last_over_time({self._of_a_target(label)}[$window]))"
            for label in ("instance", "pod")
        )
        began = f"sum {by} (resets({every}[$window])) > 0"
        return self._over_window(f"count((({had}) and count {by} ({every})) unless ({began}))")

    def _of_a_target(self, label: str) -> str:
        selector = self.judged.selector
        named = LabelMatcher(label=label, operator="!=", value="")
        return selector.only((*selector.matchers, named)).text

    @property
    def still(self) -> Query:
        """The number of steps at which such series had not changed for half an hour.

        Exporters that remove series without updates have none: OpenTelemetry's collector by its
        ``metric_expiration``, statsd_exporter by its ``ttl``.
        """
        selector = self.judged.selector.text
        return self.whole.steps_with(f"count({selector} == {selector} offset 30m)")

    @property
    def failing_steps(self) -> Query:
        """The number of steps in which its series increase."""
        step = window_text(self.whole.step)
        increase = f"sum(increase({self.judged.selector.text}[{step}])) > 0"
        return self.whole.steps_with(increase)

    def values(self, wanted: LabelFilter) -> Query:
        """Return the query for the number of series now by the values of a label."""
        text = f"count by ({label_text(wanted.label)}) ({self.judged.base.text})"
        return now_query(text, wanted.label)

    def selecting(self, label: str, operator: str, value: str) -> str:
        """Return the series from which the selector selects, with one more matcher."""
        base = self.judged.base
        matcher = LabelMatcher(label=label, operator=operator, value=value)
        return base.only((*base.matchers, matcher)).text

    def lacking(self, wanted: LabelFilter) -> Query:
        """Return the query for the events that are counted without a label."""
        return self.counted_of(self.selecting(wanted.label, "=", ""))

    def side_by_side(self, wanted: LabelFilter) -> Query:
        """Return the query for the steps at which targets have series with and without a label."""
        having, lacking = (
            f"count by (instance, pod) ({self.selecting(wanted.label, operator, '')})"
            for operator in ("!=", "=")
        )
        return self.whole.steps_with(f"count({having} and {lacking})")

    def counted_of(self, selector: str) -> Query:
        """Return the query for the events of a selector in the window."""
        return self._over_window(f"sum(increase({selector}[$window]))")

    def beside(self, other: str) -> Query:
        """Return the query for the steps at which this and another selector find series."""
        return self.whole.steps_with(f"count({other}) and count({self.judged.selector.text})")

    def _over_window(self, text: str) -> Query:
        return replace(window_query(text, self.whole.span), grain=SECOND)
