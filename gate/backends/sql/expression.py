"""What an expression of the policy is, whichever parser has read it."""

from collections.abc import Iterable
from typing import Protocol

from gate.dataclass import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlExpression:
    """One scalar expression over a row's columns, as the policy has it."""

    role: str
    """The key in the policy: ``bad``, ``good``, ``total``, ``spent``, ``by``, ``where``."""
    text: str
    columns: frozenset[str]
    """The first name of every column that it mentions, as `ExpressionParser.column` takes it."""
    as_text: frozenset[str]
    """Those of them that it turns into text; empty where no column is read as another type."""
    predicate: bool = False
    """Whether it says true or false by its form, whatever type the engine has for that: ClickHouse
    gives a small number for ``status >= 500``."""

    @property
    def sql(self) -> str:
        """The expression in brackets."""
        return f"({self.text})"

    def __str__(self) -> str:
        return f"{self.role}: {self.text!r}"


class ExpressionParser(Protocol):
    """Reads the policy's expressions in one engine's SQL, without any data."""

    def parse(self, role: str, text: str) -> SqlExpression:
        """Read one expression about one row.

        Args:
            role: its key in the policy.
            text: as the policy has it.

        Raises:
            MeasurementError: it is something else, or may depend on more than the row; the message
                names the role, the text, the place and the remedy.
        """
        ...

    def column(self, name: str, columns: Iterable[str]) -> str | None:
        """Return which of a table's columns a name of `SqlExpression.columns` stands for.

        None: there is no such column, or it is not clear which of several is meant.
        """
        ...
