"""Indicators as SQL, and the expressions by which rows are grouped."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from math import floor

from gate.backends.sql.constants import EITHER, SqlExpression
from gate.backends.sql.engine import Kind, SqlColumn
from gate.backends.sql.rows import Label, RowSource, SqlIndicator, invalid
from gate.dataclass import dataclass
from gate.slo.indicator import Sli

Parse = Callable[[str, str], SqlExpression]
"""A function that parses an expression, given a role and a text; it raises `MeasurementError` if it
is not an expression about a row."""
_NUMBERS = (Kind.INTEGER, Kind.DECIMAL, Kind.FLOAT)


def label_of(draft: SqlExpression, rows: RowSource) -> Label:
    """Check a label against the columns of the rows.

    Raises:
        MeasurementError: a column is missing; the reason names the existing ones.
    """
    columns = rows.always.union(rows.column(name) for name in sorted(draft.columns))
    return Label(sql=rows.dialect.to_text(draft.sql, rows.checked(draft)), columns=columns)


Key = tuple[object, ...]
"""The fields that identify an indicator: its windows share one parse and one check."""


def key_of(sli: Sli) -> Key:
    """Return the key of an indicator."""
    return (sli.good, sli.bad, sli.total, sli.column, sli.threshold, sli.spent)


@dataclass(frozen=True, slots=True, kw_only=True)
class IndicatorDraft:
    """A parsed indicator whose columns were not looked up yet."""

    sli: Sli
    expressions: dict[str, SqlExpression]
    """The expressions by role."""

    @property
    def wanted(self) -> frozenset[str]:
        """Every column that it needs, in lower case."""
        names = {name for part in self.expressions.values() for name in part.columns}
        return frozenset(names | ({self.sli.column.lower()} if self.sli.column else set()))


def drafted(parse: Parse, sli: Sli) -> IndicatorDraft:
    """Parse the indicator's expressions.

    Raises:
        MeasurementError: one of them is not a single expression.
    """
    return IndicatorDraft(
        sli=sli, expressions={role: parse(role, text) for role, text in _texts(sli)}
    )


def check_changing(expression: SqlExpression) -> None:
    """Raise an error for a condition of an indicator that no row, or every row, meets.

    Raises:
        MeasurementError: there is such a condition; the message has the remedy.
    """
    role, values = expression.role, expression.values
    if role == "spent" or (role == "total" and values != {False}):
        return
    if role != "total" and expression.columns and values == EITHER:
        return
    said = f"is {str(min(values)).lower()} of every row" if len(values) == 1 else "names no column"
    if role == "total":
        meaning = "nothing is counted; where every row is an event, leave total out, or"
    else:
        meaning = f"it does not distinguish {role} events from others;"
    example = "status < 500" if role == "good" else "status >= 500"
    raise invalid(
        f"{expression} {said}, so that {meaning} write a condition about a column, as {example}"
    )


def indicator_of(draft: IndicatorDraft, rows: RowSource) -> SqlIndicator:
    """Check the indicator against the columns of the rows.

    Raises:
        MeasurementError: a column is missing, or an expression is of the wrong type.
    """
    columns = rows.always.union(rows.column(name) for name in sorted(draft.wanted))
    spent = draft.expressions.get("spent")
    if spent is not None:
        return SqlIndicator(
            event=None,
            bad=None,
            amount=spent.sql,
            amount_column=_number(spent, rows),
            unset=f"({spent.sql} IS NULL)",
            columns=columns,
        )
    checked = {role: rows.condition(part) for role, part in draft.expressions.items()}
    draft = replace(draft, expressions=checked)
    true, false = rows.dialect.true, rows.dialect.false
    conditions = list(_bad_conditions(draft, rows))
    bad = " OR ".join(f"coalesce({condition}, {true})" for condition in conditions)
    sure = " OR ".join(f"coalesce({condition}, {false})" for condition in conditions)
    total = draft.expressions.get("total")
    event = None if total is None else f"coalesce({total.sql}, {bad})"
    sure = f"({sure})" if total is None else f"({sure}) AND coalesce({total.sql}, {false})"
    column = draft.sli.column
    number = None if column is None else rows.dialect.identifier(rows.column(column))
    parts = [part.sql for part in checked.values()] + ([number] if number else [])
    return SqlIndicator(
        event=event,
        bad=f"({bad})",
        unknown=f"(({bad}) AND NOT ({sure}))",
        unset=f"({' OR '.join(f'{part} IS NULL' for part in parts)})",
        measured=None if number is None else rows.dialect.to_double(number),
        columns=columns,
    )


def _number(expression: SqlExpression, rows: RowSource) -> SqlColumn:
    column = rows.checked(expression)
    if expression.predicate:
        raise invalid(f"{expression} is true or false; a number is expected")
    if column.kind not in _NUMBERS:
        raise invalid(f"{expression} is of type {column.type}; a number is expected")
    return column


def _texts(sli: Sli) -> Iterator[tuple[str, str]]:
    for role in ("total", "bad", "good", "spent"):
        text = getattr(sli, role)
        if text is not None:
            yield role, text


def _bad_conditions(draft: IndicatorDraft, rows: RowSource) -> Iterator[str]:
    """Yield the conditions that are true for a bad event, and NULL if that is unknown."""
    if "bad" in draft.expressions:
        yield draft.expressions["bad"].sql
    if "good" in draft.expressions:
        yield f"(NOT {draft.expressions['good'].sql})"
    if draft.sli.column is not None and draft.sli.threshold is not None:
        yield f"(NOT ({_within(draft.sli.column, draft.sli.threshold, rows)}))"


def _within(name: str, threshold: Fraction, rows: RowSource) -> str:
    """Return a comparison with the precision of the column's own type."""
    spelled = rows.column(name)
    column, sql = rows.columns[spelled], rows.dialect.identifier(spelled)
    if column.kind not in _NUMBERS:
        raise invalid(f'column "{spelled}" is of type {column.type}; a threshold needs a number')
    if column.kind is Kind.FLOAT or (column.kind is Kind.DECIMAL and column.exactness is None):
        # 0.1 in the log is at most 0.1 in the policy, though the double is slightly above 1/10.
        return f"{sql} <= {rows.dialect.float_constant(float(threshold), column)}"
    scale = column.exactness or 0
    highest = Decimal(floor(threshold * 10**scale)).scaleb(-scale)
    return f"{sql} <= {highest:f}"
