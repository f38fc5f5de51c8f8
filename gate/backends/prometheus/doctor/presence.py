"""The reason why a selector finds nothing, from the names and values on the server."""

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from difflib import get_close_matches
from fractions import Fraction
from typing import ClassVar, Final

from gate.backends.prometheus.doctor.slo_check import (
    METRICS,
    CheckAnswers,
    SelectorSource,
    ServerQuestion,
    SloCheck,
    labels_of,
)
from gate.backends.prometheus.evidence.roles import could_match, misspelt
from gate.backends.prometheus.evidence.witness import window_query
from gate.backends.prometheus.query import Query, Role
from gate.dataclass import dataclass
from gate.errors import nearest_first
from gate.measure.diagnosis import Check, CheckResult, Level
from gate.promql.selectors import LabelMatcher, Selector
from gate.slo.objective import Span
from gate.slo.quantities import around

_MOST_SHOWN: Final = 8
_BOUNDARY: Final = "le"
_ALIKE: Final = 0.75


def alike(wanted: str, names: Sequence[str]) -> str | None:
    """Return the existing name most similar to the wanted one; None: none is similar."""
    return next(iter(get_close_matches(wanted, names, n=1, cutoff=_ALIKE)), None)


@dataclass(frozen=True, slots=True)
class SuspectMatcher:
    """A matcher that may be the reason, and the values of its label."""

    matcher: LabelMatcher
    values: tuple[str, ...]
    """The values; an empty one means series without the label."""
    query: str


def no_metric(source: SelectorSource, names: Sequence[str], query: str) -> CheckResult:
    """Report a metric that does not exist; for bad events it may mean that none happened."""
    name = source.selector.name
    near = alike(name, names)
    message = f"{source.role}: there is no metric {name}"
    remedy = "correct the name, or check that its exporter is scraped"
    if near is not None:
        message += f"; there is {near}"
        remedy = f"if {near} is meant, write so; else check that the exporter of {name} is scraped"
    elif source.role is Role.BAD:
        message += ": nothing ever failed, or the name is wrong"
        remedy = (
            "check the name; export the counter at 0 from the start, so that absence means wrong"
        )
    level = Level.DOUBT if source.role is Role.BAD and near is None else Level.FAULT
    return CheckResult(
        check=Check.METRIC, level=level, message=message, remedy=remedy, examined=query
    )


def no_series(
    source: SelectorSource, suspects: Sequence[SuspectMatcher], labels: Sequence[str]
) -> CheckResult:
    """Report labels that match nothing, although the metric exists.

    Args:
        source: the selector.
        suspects: the matchers that may be to blame, at least one.
        labels: the labels of the metric.
    """
    seen = [_judge(source, suspect, labels) for suspect in suspects]
    # The best explanation comes first: no failures, then a certain mistake.
    order = (Level.OK, Level.FAULT, Level.DOUBT)
    return min(seen, key=lambda result: order.index(result.level))


def _judge(source: SelectorSource, suspect: SuspectMatcher, labels: Sequence[str]) -> CheckResult:
    matcher = suspect.matcher
    head = f"{source.role}: no series has {matcher.text}"
    if not any(suspect.values):
        return _no_label(head, suspect, labels)
    if matcher.label == _BOUNDARY and (result := _no_boundary(head, suspect)) is not None:
        return result
    message = f"{head}; {matcher.label} is {_listed(matcher, suspect.values)}"
    plausible = could_match(matcher, suspect.values) if source.role is Role.BAD else False
    if plausible is None and not misspelt(matcher, suspect.values):
        remedy = (
            "if nothing was bad so far, all is well; else correct the value."
            " If it were exported at 0 from the start, the series would show that"
        )
        return _labels(
            Level.DOUBT, f"{message}: none was bad, or it is spelt otherwise", remedy, suspect
        )
    if plausible:
        values = _listed(matcher, suspect.values)
        return _labels(Level.OK, f"bad: none so far ({matcher.label} is {values})", "", suspect)
    return _labels(Level.FAULT, message, _cure(matcher, suspect.values), suspect)


def _no_label(head: str, suspect: SuspectMatcher, labels: Sequence[str]) -> CheckResult:
    label = suspect.matcher.label
    shown = nearest_first(label, (name for name in labels if name != "__name__"))
    names = f"; it has {_several(shown)}" if shown else ""
    message = f"{head}: the metric has no label {label}{names}"
    return _labels(Level.FAULT, message, "correct the label's name", suspect)


def _no_boundary(head: str, suspect: SuspectMatcher) -> CheckResult | None:
    """Report a boundary that the histogram lacks; None: it is not a plain number."""
    spelled = dict[Fraction, str]()
    for value in suspect.values:
        with suppress(ValueError):  # +Inf
            spelled[Fraction(value)] = value
    try:
        wanted = Fraction(suspect.matcher.value)
    except ValueError:
        return None
    if wanted in spelled:
        why = f'the same boundary is spelt le="{spelled[wanted]}"'
        remedy = f'write le="{spelled[wanted]}"'
    else:
        why = f"the histogram has no such boundary; {around(wanted, spelled.keys(), '')}"
        remedy = "choose one of these, or have the server export the boundary"
    return CheckResult(
        check=Check.BOUNDARY,
        level=Level.FAULT,
        message=f"{head}: {why}",
        remedy=remedy,
        examined=suspect.query,
    )


def _cure(matcher: LabelMatcher, values: Sequence[str]) -> str:
    near = nearest_first(matcher.value, values)[0]
    if re.fullmatch(r"[1-5][xX.]{2}", matcher.value) and re.fullmatch(r"[1-5][0-9]{2}", near):
        return f'for a class of codes write {matcher.label}=~"{matcher.value[0]}.."'
    return f"correct the value; the nearest is {near}"


def _labels(level: Level, message: str, remedy: str, suspect: SuspectMatcher) -> CheckResult:
    return CheckResult(
        check=Check.LABELS, level=level, message=message, remedy=remedy, examined=suspect.query
    )


def _listed(matcher: LabelMatcher, values: Sequence[str]) -> str:
    return _several(nearest_first(matcher.value, values))


def _several(names: Sequence[str]) -> str:
    more = len(names) - _MOST_SHOWN
    return ", ".join(names[:_MOST_SHOWN]) + (f" and {more} more" if more > 0 else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class PresenceCheck(SloCheck):
    """The answers about one selector, over the whole window."""

    check: ClassVar = Check.METRIC
    source: SelectorSource
    span: Span
    own: frozenset[str]
    """The metrics of the whole indicator, which are not misspellings of each other."""
    total: frozenset[LabelMatcher]
    """The matchers of all events; the further matchers of a part distinguish it from the rest."""

    def queries(self) -> Iterable[Query]:
        """Request the number of series, and of those of its alternatives."""
        return [self._seen(text) for text in (self.source.text, *self.source.others)]

    def is_missing(self, answers: CheckAnswers) -> bool:
        """Return whether the selector and its alternatives had no series in the whole window."""
        return not any(answers.amount(part) for part in self.queries())

    def follow_ups(self, answers: CheckAnswers) -> Iterable[Query]:
        """Request the metric itself, and the values of every label with a matcher."""
        return self._follow_ups() if self.is_missing(answers) else ()

    def questions(self, answers: CheckAnswers) -> Iterable[ServerQuestion]:
        """Request the names of the server's metrics."""
        name = self.source.selector.name
        return (METRICS, labels_of(name)) if name and self.is_missing(answers) else ()

    def results(self, answers: CheckAnswers) -> Iterator[CheckResult]:
        """Report the number of series, or the problem."""
        series = sum(answers.amount(part) for part in self.queries())
        if series:
            message = f"{self.source.role}: {round(series):,} series"
            yield CheckResult(
                check=Check.METRIC, message=message, examined=self._seen(self.source.text).text
            )
            return
        metric = answers.number(self._bare) if self.source.selector.name else None
        if self.source.selector.name and metric is None:
            metrics = answers.server.names(METRICS)
            # Failures may have a name similar to that of all events.
            names = [n for n in metrics if self.source.role is not Role.BAD or n not in self.own]
            yield no_metric(self.source, names, self._bare.text)
            return
        labels = answers.server.names(labels_of(self.source.selector.name))
        yield no_series(self.source, list(self._suspects(answers)), labels)

    def _suspects(self, answers: CheckAnswers) -> Iterator[SuspectMatcher]:
        """Yield the matchers whose removal makes the selector find series; if none does, all."""
        matchers = self.source.selector.matchers
        tables = {matcher: answers.table(self._rest(matcher)) for matcher in matchers}
        decisive = [matcher for matcher in matchers if tables[matcher]]
        decisive = [matcher for matcher in decisive if matcher not in self.total] or decisive
        for matcher in decisive or matchers:
            part = self._rest(matcher) if decisive else self._alone(matcher)
            yield SuspectMatcher(matcher, tuple(answers.table(part)), part.text)

    def _follow_ups(self) -> Iterator[Query]:
        if self.source.selector.name:
            yield self._bare
        for matcher in self.source.selector.matchers:
            yield self._rest(matcher)
            yield self._alone(matcher)

    def _seen(self, selector: str) -> Query:
        return window_query(f"count(count_over_time({selector}[$window]))", self.span)

    @property
    def _bare(self) -> Query:
        return self._seen(self.source.selector.name)

    def _rest(self, matcher: LabelMatcher) -> Query:
        return self._values(matcher, self.source.selector.without(matcher))

    def _alone(self, matcher: LabelMatcher) -> Query:
        return self._values(matcher, self.source.selector.only(()))

    def _values(self, matcher: LabelMatcher, selector: Selector) -> Query:
        # An empty selector would be refused; this one finds every series with the label.
        text = selector.text if selector.name or selector.matchers else f'{{{matcher.label}!=""}}'
        query = f"count by ({matcher.label}) (count_over_time({text}[$window]))"
        return window_query(query, self.span, matcher.label)
