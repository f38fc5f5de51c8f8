"""Whether a selector finds anything; where it does not, whether its metric or a label is wrong."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar

from gate.backends.prometheus.doctor.case import Look, Source, over
from gate.backends.prometheus.doctor.clues import Clue, no_metric, no_series
from gate.backends.prometheus.doctor.library import METRICS, Question, labels_of
from gate.backends.prometheus.doctor.sight import Sight
from gate.backends.prometheus.part import Part, Role
from gate.promql.selectors import Matcher, Selector
from gate.slo.diagnosis import Check, Symptom
from gate.slo.window import Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Presence(Look):
    """Of one selector, over the whole window."""

    check: ClassVar = Check.METRIC
    source: Source
    span: Span
    own: frozenset[str]
    """The metrics of the whole indicator, which are no misspelling of each other."""
    total: frozenset[Matcher]
    """What all events must match; what else a bad event must match tells that it is bad."""

    def parts(self) -> Iterable[Part]:
        """Ask for how many series there are, and as many for those that may stand in."""
        return [self._seen(text) for text in (self.source.text, *self.source.others)]

    def is_missing(self, sight: Sight) -> bool:
        """Return whether there was no series in all of the window, nor any that stands in."""
        return not any(sight.amount(part) for part in self.parts())

    def clues(self, sight: Sight) -> Iterable[Part]:
        """Ask for the metric as such, and for the values of every label that is matched."""
        return self._clues() if self.is_missing(sight) else ()

    def questions(self, sight: Sight) -> Iterable[Question]:
        """Ask for the names that there are."""
        name = self.source.selector.name
        return (METRICS, labels_of(name)) if name and self.is_missing(sight) else ()

    def symptoms(self, sight: Sight) -> Iterator[Symptom]:
        """Say how many series there are, or what is the matter."""
        found = sum(sight.amount(part) for part in self.parts())
        if found:
            says = f"{self.source.role}: {round(found):,} series"
            yield Symptom(
                check=Check.METRIC, says=says, looked_at=self._seen(self.source.text).text
            )
            return
        metric = sight.number(self._bare) if self.source.selector.name else None
        if self.source.selector.name and metric is None:
            names = [name for name in sight.library.names(METRICS) if name not in self.own]
            yield no_metric(self.source, names, self._bare.text)
            return
        labels = sight.library.names(labels_of(self.source.selector.name))
        yield no_series(self.source, list(self._suspects(sight)), labels)

    def _suspects(self, sight: Sight) -> Iterator[Clue]:
        """Yield the matchers without any one of which the selector finds something, else all."""
        matchers = self.source.selector.matchers
        tables = {matcher: sight.table(self._rest(matcher)) for matcher in matchers}
        guilty = [matcher for matcher in matchers if tables[matcher]]
        special = [matcher for matcher in guilty if matcher not in self.total]
        if self.source.role is Role.BAD and special:
            guilty = special
        for matcher in guilty or matchers:
            part = self._rest(matcher) if guilty else self._alone(matcher)
            yield Clue(matcher, tuple(sight.table(part)), part.text)

    def _clues(self) -> Iterator[Part]:
        if self.source.selector.name:
            yield self._bare
        for matcher in self.source.selector.matchers:
            yield self._rest(matcher)
            yield self._alone(matcher)

    def _seen(self, selector: str) -> Part:
        return over(f"count(count_over_time({selector}[$window]))", self.span)

    @property
    def _bare(self) -> Part:
        return self._seen(self.source.selector.name)

    def _rest(self, matcher: Matcher) -> Part:
        return self._values(matcher, self.source.selector.without(matcher))

    def _alone(self, matcher: Matcher) -> Part:
        return self._values(matcher, self.source.selector.only(()))

    def _values(self, matcher: Matcher, selector: Selector) -> Part:
        # A selector of nothing would be refused; this one finds every series that has the label.
        text = selector.text if selector.name or selector.matchers else f'{{{matcher.label}!=""}}'
        query = f"count by ({matcher.label}) (count_over_time({text}[$window]))"
        return over(query, self.span, matcher.label)
