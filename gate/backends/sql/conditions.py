"""The policy's conditions in ClickHouse's, PostgreSQL's and Spark's SQL: read and checked.

What is sent to the engine is the policy's own text in brackets, never a translation: a condition
means what its engine says that it means. Two checks stand one behind the
other: of its words and signs (`gate.backends.sql.tokens`), and of the tree that sqlglot makes of
them, by lists of what may be in it.
"""

import logging
import re
from collections.abc import Iterator
from typing import Any, Final

from gate.backends.sql.engine import SqlExpression
from gate.backends.sql.functions import PREDICATES
from gate.backends.sql.tokens import TokenError, tokens_of
from gate.backends.sql.words import check_words
from gate.errors import UsageError
from gate.measure import Cause, MeasurementError

_NEEDED: Final = "sqlglot[c]>=30"
_VALUES: Final = (
    "Column Identifier Literal Boolean Null Paren Tuple Array Bracket Interval IntervalSpan Var Dot"
    " Cast TryCast DataType DataTypeParam JSONPath JSONPathRoot JSONPathKey JSONPathSubscript"
    " Add Sub Mul Div Mod IntDiv DPipe Neg Case If Collate AtTimeZone"
)
_TESTS: Final = (
    "And Or Not Xor EQ NEQ GT GTE LT LTE Is In Between Like ILike RegexpLike RegexpILike NullSafeEQ"
    " NullSafeNEQ Any JSONBContains JSONBContainsTopKey JSONBContainsAnyTopKeys ArrayContainsAll"
    " JSONBContainsAllTopKeys ArrayContainedBy ArrayContains"
)
_NODES: Final = frozenset(f"{_VALUES} {_TESTS} Escape".split())
"""The kinds of syntax that may stand in an expression; functions are checked by their names."""
_PREDICATE_NODES: Final = frozenset(_TESTS.split())
_BOMB: Final = re.compile(r"\((?:[^()\\]|\\.)*[*+}](?:[^()\\]|\\.)*\)\s*[*+{]|\\[1-9]")
"""A group that is repeated and holds a repetition, or a reference back: it may take for ever."""
_LONGEST_PATTERN: Final = 500
_TYPE_NAMES: Final = """
INT TINYINT SMALLINT BIGINT INT128 INT256 UINT USMALLINT UTINYINT UBIGINT UINT128 UINT256 FLOAT
DOUBLE DECIMAL DECIMAL32 DECIMAL64 DECIMAL128 DECIMAL256 BIGDECIMAL BOOLEAN TEXT VARCHAR CHAR
NCHAR NVARCHAR FIXEDSTRING DATE DATE32 DATETIME DATETIME64 TIME TIMESTAMP TIMESTAMPTZ TIMESTAMPNTZ
TIMESTAMPLTZ TIMETZ INTERVAL JSON JSONB UUID ARRAY NULLABLE LOWCARDINALITY STRING
"""
_TYPES: Final = frozenset(_TYPE_NAMES.split())


class Conditions:
    """Reads expressions in one engine's SQL."""

    def __init__(self, dialect: str) -> None:
        """Import the parser.

        Args:
            dialect: ``clickhouse``, ``postgres`` or ``spark``.

        Raises:
            UsageError: sqlglot is not installed.
        """
        try:
            import sqlglot  # noqa: PLC0415 - takes an eighth of a second
        except ImportError:
            raise UsageError(
                "checking the conditions of an SQL engine needs sqlglot; where gate is installed: "
                f"pip install '{_NEEDED}'"
            ) from None
        logging.getLogger("sqlglot").setLevel(logging.CRITICAL)  # it warns of odd JSON paths
        self._sqlglot: Any = sqlglot
        self._dialect = dialect

    def parse(self, role: str, text: str) -> SqlExpression:
        """Read one expression about one row.

        Args:
            role: its key in the policy.
            text: as the policy has it.

        Raises:
            MeasurementError: it is something else, or may depend on more than the row; the message
                names the role, the text, the place and the remedy.
        """
        try:
            tokens = tokens_of(text, self._dialect)
            check_words(tokens, self._dialect)
            root = self._tree(text)
            self._check(root)
        except TokenError as error:
            where = f"{role}: {text!r}, column {error.place + 1}"
            raise MeasurementError(Cause.INVALID, f"{where}: {error}") from None
        column = self._sqlglot.exp.Column
        return SqlExpression(
            role=role,
            text=text,
            columns=frozenset(node.parts[0].name.lower() for node in root.find_all(column)),
            as_text=frozenset(),
            predicate=self._is_predicate(root),
        )

    def _tree(self, text: str) -> Any:
        """Return what sqlglot makes of the text, which is one expression in our brackets."""
        before = "SELECT ("
        try:
            statements = self._sqlglot.parse(f"{before}{text})", read=self._dialect)
        except self._sqlglot.errors.ParseError as error:
            place = max(0, error.errors[0]["col"] - 1 - len(before)) if error.errors else 0
            reason = error.errors[0]["description"] if error.errors else "it cannot be read"
            message = f"it is not a valid SQL expression: {reason.rstrip('.')}"
            raise TokenError(message, min(place, len(text) - 1)) from None
        except (self._sqlglot.errors.SqlglotError, RecursionError, LookupError, ValueError):
            reason = "it is not a valid SQL expression, or is nested too deeply; write it simpler"
            raise TokenError(reason, 0) from None
        empty = self._sqlglot.parse_one("SELECT 1", read=self._dialect)
        select = statements[0]
        chosen = select.args.get("expressions") if select is not None else None
        if len(statements) == 1 and chosen and len(chosen) == 1:
            (paren,) = chosen
            select.set("expressions", empty.expressions)
            if type(paren).__name__ == "Paren" and select == empty:
                return paren.this
        raise TokenError("it is not one expression about one row; write one condition", 0)

    def _check(self, root: Any) -> None:
        """Refuse what is not on the lists of the syntax and of the types."""
        exp = self._sqlglot.exp
        for node in root.walk():
            kind = type(node).__name__
            if node.comments:
                raise TokenError("it holds a comment; write it in YAML, after a #", 0)
            if isinstance(node, exp.AggFunc):
                raise TokenError(f"{node.key} is about many rows; write a condition about one", 0)
            if kind not in _NODES and not isinstance(node, exp.Func):
                raise TokenError(f"it holds a {_noun(kind)}; {_EXPECTED}", _place(node))
            if kind == "DataType" and node.this.name not in _TYPES:
                raise TokenError(f"{node.this.name} is not a type that may stand here", 0)
            if kind == "In":
                self._check_list(node)
            if kind.startswith("Regexp"):
                _check_pattern(node.expression)

    def _check_list(self, node: Any) -> None:
        """Refuse a name where ClickHouse would take it for that of another table."""
        if node.args.get("field") or node.args.get("query") or node.args.get("unnest"):
            raise TokenError("a list in brackets must follow IN; write status IN (500, 503)", 0)
        if self._dialect == "clickhouse":
            for item in node.expressions:
                if item.find(self._sqlglot.exp.Column):
                    reason = (
                        "a name in an IN list may be a table in ClickHouse; write values, or OR"
                    )
                    raise TokenError(reason, _place(item))

    def _is_predicate(self, node: Any) -> bool:
        """Return whether the value is true, false or NULL by its form."""
        kind = type(node).__name__
        if kind == "Paren":
            return self._is_predicate(node.this)
        if kind in _PREDICATE_NODES or kind == "Boolean":
            return True
        if kind in {"Case", "If", "Coalesce"}:
            values = [value for value in _results(node) if not _is_bit(value)]
            return bool(values) and all(map(self._is_predicate, values))
        called = _CALLED.match(node.sql(dialect=self._dialect))
        return called is not None and called[1].lower() in PREDICATES


_CALLED: Final = re.compile(r"(\w+)\(")
_EXPECTED: Final = "an expression about one row is expected"


def _results(node: Any) -> Iterator[Any]:
    """Yield the expressions one of which is the value."""
    for branch in node.args.get("ifs") or ():
        yield branch.args["true"]
    yield from (node.args[key] for key in ("true", "false", "default") if node.args.get(key))
    if type(node).__name__ == "Coalesce":
        yield from (node.this, *node.expressions)


def _is_bit(node: Any) -> bool:
    """Return whether it is NULL, 0 or 1, which fit between truth values."""
    return type(node).__name__ == "Null" or (node.is_number and node.name in {"0", "1"})


def _check_pattern(pattern: Any) -> None:
    """Refuse a pattern that may take for ever, or that rows bring along.

    ClickHouse's own takes no longer than the text, but a policy may move to another engine.
    """
    if type(pattern).__name__ != "Literal":
        raise TokenError("a pattern must be a text in quotes, which is the same for all rows", 0)
    if len(pattern.name) > _LONGEST_PATTERN or _BOMB.search(pattern.name):
        reason = "this pattern may take for ever; write no repetition of a repetition, or use LIKE"
        raise TokenError(f"{pattern.name!r}: {reason}", 0)


def _place(node: Any) -> int:
    """Return where a node begins in the text, or 0 where sqlglot does not say it."""
    starts = [part.meta["start"] for part in node.walk() if "start" in part.meta]
    return max(0, min(starts, default=0) - len("SELECT ("))


def _noun(kind: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", kind).lower()
