"""The preparation of a count: expressions parsed, columns looked up, types checked."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

from gate.backends.sql.constants import SqlExpression
from gate.backends.sql.indicators import (
    IndicatorDraft,
    Key,
    Parse,
    drafted,
    indicator_of,
    key_of,
    label_of,
)
from gate.backends.sql.rows import Label, RowSource, SqlIndicator
from gate.dataclass import dataclass
from gate.measure import MeasurementError, Unmeasured
from gate.slo.indicator import Sli

Name = TypeVar("Name")
Before = TypeVar("Before")
After = TypeVar("After")


@dataclass(frozen=True, slots=True, kw_only=True)
class Drafts:
    """Parsed indicators and labels whose columns were not looked up yet."""

    indicators: Mapping[Key, IndicatorDraft]
    refused: Mapping[Key, Unmeasured]
    """The indicators that are not one expression about a row, and why."""
    labels: Mapping[str, SqlExpression]
    unlabelled: Mapping[str, Unmeasured]
    """The labels that are not one expression about a row, and why."""

    @property
    def columns(self) -> frozenset[str]:
        """All columns that they need, in lower case."""
        return frozenset[str]().union(
            *(draft.wanted for draft in self.indicators.values()),
            *(label.columns for label in self.labels.values()),
        )

    @property
    def expressions(self) -> Sequence[SqlExpression]:
        """All of their expressions."""
        parts = [part for draft in self.indicators.values() for part in draft.expressions.values()]
        return [*parts, *self.labels.values()]

    def over(self, rows: RowSource) -> "Prepared":
        """Check the drafts against the rows."""
        indicators, unfit = _sort_out(self.indicators, lambda draft: indicator_of(draft, rows))
        labels, unlike = _sort_out(self.labels, lambda draft: label_of(draft, rows))
        return Prepared(
            rows=rows,
            indicators=indicators,
            refused={**self.refused, **unfit},
            labels=labels,
            unlabelled={**self.unlabelled, **unlike},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """The rows and the indicators over them, by key."""

    rows: RowSource
    indicators: Mapping[Key, SqlIndicator]
    """The indicators that fit the rows."""
    refused: Mapping[Key, Unmeasured]
    """The indicators that do not fit, and why."""
    labels: Mapping[str, Label]
    """The grouping expression, as the user wrote it."""
    unlabelled: Mapping[str, Unmeasured]
    """The labels that rows cannot be grouped by, and why."""


def draft_all(parse: Parse, slis: Sequence[Sli], by: Iterable[str] = ()) -> Drafts:
    """Parse indicators and labels, each once."""
    given = {key_of(sli): sli for sli in slis}
    indicators, refused = _sort_out(given, lambda sli: drafted(parse, sli))
    labels, unlabelled = _sort_out({text: text for text in by}, lambda text: parse("by", text))
    return Drafts(indicators=indicators, refused=refused, labels=labels, unlabelled=unlabelled)


def _sort_out(
    work: Mapping[Name, Before], step: Callable[[Before], After]
) -> tuple[dict[Name, After], dict[Name, Unmeasured]]:
    """Apply the step to each, and separate those that fail."""
    done: dict[Name, After] = {}
    refused: dict[Name, Unmeasured] = {}
    for key, before in work.items():
        try:
            done[key] = step(before)
        except MeasurementError as refusal:
            refused[key] = refusal.answer()
    return done, refused
