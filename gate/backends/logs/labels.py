"""What rows are told apart by: a column, a field within one, or any expression about a row."""

from dataclasses import dataclass

from gate.backends.logs.database import Database
from gate.backends.logs.expressions import Expression, check_value, parse
from gate.backends.logs.source import Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """A label as SQL: a text of every row, empty where it has none."""

    sql: str
    columns: frozenset[str]
    """As the files spell them."""


def drafted_label(database: Database, text: str) -> Expression:
    """Parse what the user wants rows to be told apart by.

    Raises:
        Refusal: it is no single expression about a row.
    """
    return parse(database, "by", text)


def label_of(database: Database, draft: Expression, source: Source) -> Label:
    """Check a label against the columns that there are.

    Raises:
        Refusal: a column is missing, and the reason names those that there are.
    """
    columns = source.always.union(source.column(name) for name in sorted(draft.columns))
    kind = check_value(database, draft, source)
    text = f"{draft.sql}::VARCHAR"
    if kind in ("FLOAT", "DOUBLE"):  # as every number in JSON is read
        text = f"regexp_replace({text}, '[.]0$', '')"
    return Label(sql=f"coalesce({text}, '')", columns=columns)
