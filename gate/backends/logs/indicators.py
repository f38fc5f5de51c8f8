"""What rows are grouped by: a column, a field within one, or any expression about a row."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from math import floor

from gate.backends.logs.database import Database, identifier, literal
from gate.backends.logs.expressions import (
    check_boolean,
    check_number,
    check_value,
    parse,
)
from gate.backends.logs.refusals import invalid
from gate.backends.logs.source import LogSource, is_number
from gate.backends.sql.engine import SqlExpression
from gate.dataclass import dataclass
from gate.slo.indicator import Sli


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """A label as SQL: a text of every row, empty where it has none."""

    sql: str
    columns: frozenset[str]
    """As the files spell them."""


def drafted_label(database: Database, text: str) -> SqlExpression:
    """Parse what the user wants rows to be grouped by.

    Raises:
        MeasurementError: it is not a single expression about a row.
    """
    return parse(database, "by", text)


def label_of(database: Database, draft: SqlExpression, source: LogSource) -> Label:
    """Check a label against the columns that there are.

    Raises:
        MeasurementError: a column is missing, and the reason names those that there are.
    """
    columns = source.always.union(source.column(name) for name in sorted(draft.columns))
    kind = check_value(database, draft, source)
    text = f"{draft.sql}::VARCHAR"
    if kind in ("FLOAT", "DOUBLE"):  # as every number in JSON is read
        text = f"regexp_replace({text}, '[.]0$', '')"
    return Label(sql=f"coalesce({text}, '')", columns=columns)


@dataclass(frozen=True, slots=True, kw_only=True)
class IndicatorDraft:
    """An indicator that was parsed; no column has been looked for yet."""

    sli: Sli
    expressions: dict[str, SqlExpression]
    """By their role."""

    @property
    def wanted(self) -> frozenset[str]:
        """Every column that it needs, in lower case."""
        names = {name for part in self.expressions.values() for name in part.columns}
        return frozenset(names | ({self.sli.column.lower()} if self.sli.column else set()))


@dataclass(frozen=True, slots=True, kw_only=True)
class LogIndicator:
    """An indicator as SQL. Conditions are true or false of every row, never NULL."""

    event: str | None
    """Which rows count; None: every row."""
    bad: str | None
    """Which of them are bad; None for an amount."""
    amount: str | None = None
    """What a row adds."""
    inexact: bool = False
    """The amount is a binary floating-point number."""
    unknown: str | None = None
    """Which of the bad events are so only because something is NULL; None for an amount."""
    measured: str | None = None
    """The number that is held against a threshold; None: the indicator has none."""
    columns: frozenset[str]
    """As the files spell them."""


def drafted(database: Database, sli: Sli) -> IndicatorDraft:
    """Parse the indicator's expressions.

    Raises:
        MeasurementError: one of them is not a single expression.
    """
    return IndicatorDraft(
        sli=sli, expressions={role: parse(database, role, text) for role, text in _texts(sli)}
    )


def indicator_of(database: Database, draft: IndicatorDraft, source: LogSource) -> LogIndicator:
    """Check the indicator against the columns that there are.

    Raises:
        MeasurementError: a column is missing, or an expression is of the wrong type.
    """
    columns = source.always.union(source.column(name) for name in sorted(draft.wanted))
    spent = draft.expressions.get("spent")
    if spent is not None:
        kind = check_number(database, spent, source)
        inexact = kind in ("FLOAT", "DOUBLE")
        return LogIndicator(
            event=None, bad=None, amount=spent.sql, inexact=inexact, columns=columns
        )
    checked = {
        role: check_boolean(database, expression, source)
        for role, expression in draft.expressions.items()
    }
    draft = replace(draft, expressions=checked)
    conditions = list(_bad_conditions(draft, source))
    bad = " OR ".join(f"{condition} IS DISTINCT FROM false" for condition in conditions)
    sure = " OR ".join(f"{condition} IS TRUE" for condition in conditions)
    total = draft.expressions.get("total")
    event = None if total is None else f"coalesce({total.sql}, {bad})"
    sure = f"({sure})" if total is None else f"({sure}) AND {total.sql} IS TRUE"
    column = draft.sli.column
    measured = None if column is None else f"{identifier(source.column(column))}::DOUBLE"
    return LogIndicator(
        event=event,
        bad=f"({bad})",
        unknown=f"({bad}) AND NOT ({sure})",
        measured=measured,
        columns=columns,
    )


def _texts(sli: Sli) -> Iterator[tuple[str, str]]:
    for role in ("total", "bad", "good", "spent"):
        text = getattr(sli, role)
        if text is not None:
            yield role, text


def _bad_conditions(draft: IndicatorDraft, source: LogSource) -> Iterator[str]:
    """Yield what is true of a bad event, and NULL where that is not known."""
    if "bad" in draft.expressions:
        yield draft.expressions["bad"].sql
    if "good" in draft.expressions:
        yield f"(NOT {draft.expressions['good'].sql})"
    if draft.sli.column is not None and draft.sli.threshold is not None:
        yield f"(NOT ({_within(draft.sli.column, draft.sli.threshold, source)}))"


def _within(name: str, threshold: Fraction, source: LogSource) -> str:
    """Compare as exactly as the column's own type can separate values."""
    column = source.column(name)
    kind = source.types[column]
    if not is_number(kind):
        raise invalid(f'column "{column}" is of type {kind}; a threshold needs a number')
    if kind in ("FLOAT", "DOUBLE"):
        # 0.1 in the log is at most 0.1 in the policy, though a double is a little above 1/10.
        return f"{identifier(column)} <= {literal(repr(float(threshold)))}::{kind}"
    scale = int(kind.rstrip(")").rpartition(",")[2]) if kind.startswith("DECIMAL") else 0
    highest = Decimal(floor(threshold * 10**scale)).scaleb(-scale)
    return f"{identifier(column)} <= {highest:f}"
