"""The policy's conditions in the SQL of ClickHouse, PostgreSQL and Spark: parsed and checked.

The engine gets the policy's own text in brackets, never a translation: the engine defines the
meaning of a condition. There are two checks, one after the other: of its words and signs
(`gate.backends.sql.tokens`), and of sqlglot's syntax tree, by lists of the allowed nodes.
"""

import logging
import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

from gate.backends.sql.constants import SqlExpression, possible_values, truth_of
from gate.backends.sql.functions import PREDICATES, check_words
from gate.backends.sql.tokens import SqlToken, TokenError, tokens_of
from gate.measure import Cause, MeasurementError

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
"""The kinds of nodes allowed in an expression; functions are checked by name."""
_PREDICATE_NODES: Final = frozenset(_TESTS.split())
_BOMB: Final = re.compile(r"[*+}|](?:[^(\\]|\\.)*\)[*+{]|\\[1-9]")
"""A repeated group that contains a repetition or a choice, or a back reference."""
_LONGEST_PATTERN: Final = 500
_LONGEST_SHOWN: Final = 200
"""The most characters of an expression in a message."""
_TYPE_NAMES: Final = """
INT TINYINT SMALLINT BIGINT INT128 INT256 UINT USMALLINT UTINYINT UBIGINT UINT128 UINT256 FLOAT
DOUBLE DECIMAL DECIMAL32 DECIMAL64 DECIMAL128 DECIMAL256 BIGDECIMAL BOOLEAN TEXT VARCHAR CHAR
NCHAR NVARCHAR FIXEDSTRING DATE DATE32 DATETIME DATETIME64 TIME TIMESTAMP TIMESTAMPTZ TIMESTAMPNTZ
TIMESTAMPLTZ TIMETZ INTERVAL JSON JSONB UUID ARRAY NULLABLE LOWCARDINALITY STRING
"""
_TYPES: Final = frozenset(_TYPE_NAMES.split())


class Conditions:
    """Parses expressions in one engine's SQL."""

    def __init__(self, dialect: str) -> None:
        """Import the parser.

        Args:
            dialect: ``clickhouse``, ``postgres`` or ``spark``.
        """
        import sqlglot  # noqa: PLC0415 - takes an eighth of a second

        logging.getLogger("sqlglot").setLevel(logging.CRITICAL)  # it warns about JSON paths
        self._sqlglot: Any = sqlglot
        self._dialect = dialect

    def parse(self, role: str, text: str) -> SqlExpression:
        """Parse one expression about one row.

        Args:
            role: the key in the policy.
            text: the text in the policy.

        Raises:
            MeasurementError: it is something else, or may depend on more than the row; the message
                names the role, the text, the place and the remedy.
        """
        try:
            tokens = tokens_of(text, self._dialect)
            check_words(tokens, self._dialect)
            root = self._tree(_without_arrows(text, tokens))
            self._check(root)
        except TokenError as error:
            shown = text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}..."
            where = f"{role}: {shown!r}, column {error.place + 1}"
            raise MeasurementError(Cause.INVALID, f"{where}: {error}") from None
        column = self._sqlglot.exp.Column
        return SqlExpression(
            role=role,
            text=text,
            columns=frozenset(node.parts[0].name.lower() for node in root.find_all(column)),
            as_text=frozenset(),
            predicate=self._is_predicate(root),
            values=possible_values(truth_of(root)),
        )

    def _tree(self, text: str) -> Any:
        """Return sqlglot's tree of the text, which is one expression in our brackets."""
        before = "SELECT ("
        try:
            statements = self._sqlglot.parse(f"{before}{text})", read=self._dialect)
        except self._sqlglot.errors.ParseError as error:
            place = max(0, error.errors[0]["col"] - len(before) - 1)
            said = error.errors[0]["description"]
            raise TokenError(_reason(said), min(place, len(text) - 1)) from None
        except (self._sqlglot.errors.SqlglotError, RecursionError, LookupError, ValueError):
            reason = "it is not a valid SQL expression, or is nested too deeply; write it simpler"
            raise TokenError(reason, 0) from None
        (select,) = statements
        chosen = select.expressions
        select.set("expressions", [])
        empty = self._sqlglot.exp.Select(expressions=[])
        if [type(node).__name__ for node in chosen] != ["Paren"] or select != empty:
            raise TokenError("it is not one expression about one row; write one condition", 0)
        return chosen[0].this

    def _check(self, root: Any) -> None:
        """Raise an error for a node that is not on the lists of the syntax and of the types."""
        exp = self._sqlglot.exp
        for node in root.walk():
            kind = type(node).__name__
            if kind not in _NODES and not isinstance(node, exp.Func):
                raise TokenError(f"it holds {_noun(kind)}; {_EXPECTED}", _place(node))
            if kind == "DataType" and node.this.name not in _TYPES:
                raise TokenError(
                    f"{node.this.name} is not a type to cast to; use numbers, texts and times", 0
                )
            if kind == "In":
                self._check_list(node)
            if self._dialect != "clickhouse":
                self._check_evaluation(node, kind)

    def _check_list(self, node: Any) -> None:
        """Raise an error for a name that ClickHouse would read as another table."""
        if node.args.get("field"):
            raise TokenError("a list in brackets must follow IN; write status IN (500, 503)", 0)
        if self._dialect == "clickhouse":
            for item in node.expressions:
                if item.find(self._sqlglot.exp.Column):
                    reason = (
                        "a name in an IN list may be a table in ClickHouse; write values, or OR"
                    )
                    raise TokenError(reason, _place(item))

    def _check_evaluation(self, node: Any, kind: str) -> None:
        """Raise an error for patterns of unlimited cost, and times that depend on the clock."""
        exp = self._sqlglot.exp
        if kind.startswith("Regexp"):
            _check_pattern(node.args.get("expression"))
        if kind == "Substring" and node.args.get("start").is_string:
            _check_pattern(node.args["start"])  # substring(route from '^/[a-z]+') of PostgreSQL
        if kind == "Is" and type(node.expression).__name__ not in {"Null", "Boolean"}:
            raise TokenError("IS is followed by NULL, TRUE, FALSE, or DISTINCT FROM", _place(node))
        computed = kind in {"Cast", "TryCast"} and type(node.this).__name__ != "Literal"
        if computed and node.to.is_type(*exp.DataType.TEMPORAL_TYPES) and not node.find(exp.Column):
            raise TokenError("a constant time must be a text in quotes, not computed", 0)

    def _is_predicate(self, node: Any) -> bool:
        """Return whether the value is true, false or NULL, judged by the form."""
        kind = type(node).__name__
        if kind == "Paren":
            return self._is_predicate(node.this)
        if kind in _PREDICATE_NODES or kind == "Boolean":
            return True
        if kind in {"Case", "If", "Coalesce"} or node.name.lower() == "multiif":
            values = [value for value in _results(node) if not _is_bit(value)]
            return bool(values) and all(map(self._is_predicate, values))
        called = _CALLED.match(node.sql(dialect=self._dialect))
        return called is not None and called[1].lower() in PREDICATES


_CALLED: Final = re.compile(r"(\w+)\(")
_EXPECTED: Final = "an expression about one row is expected"


def _reason(said: str) -> str:
    """Return sqlglot's error about our SELECT (...) in the policy's terms."""
    if said.startswith("Expecting )"):
        return "from here on it is another expression; join conditions with AND or OR"
    if "missing for" in said:
        return "it is not a valid SQL expression: something is missing here; write status >= 500"
    return f"it is not a valid SQL expression: {said.rstrip('.')}"


def _without_arrows(text: str, tokens: Sequence[SqlToken]) -> str:
    """Return the text for sqlglot, which parses ``f(column -> 'key')`` as a lambda in any dialect.

    ``#>`` has the same precedence as ``->`` in PostgreSQL, which alone has both.
    """
    signs = list(text)
    for token in tokens:
        if token.kind == "operator" and token.text == "->":
            signs[token.place] = "#"
    return "".join(signs)


def _results(node: Any) -> Iterator[Any]:
    """Yield the expressions one of which is the value."""
    if type(node).__name__ == "Anonymous":  # of ClickHouse: multiIf
        yield from (*node.expressions[1::2], node.expressions[-1])
    for branch in node.args.get("ifs") or ():
        yield branch.args["true"]
    yield from (node.args[key] for key in ("true", "false", "default") if node.args.get(key))
    if type(node).__name__ == "Coalesce":
        yield from (node.this, *node.expressions)


def _is_bit(node: Any) -> bool:
    """Return whether it is NULL, 0 or 1, which can be combined with truth values."""
    return type(node).__name__ == "Null" or (node.is_number and node.name in {"0", "1"})


def _check_pattern(pattern: Any) -> None:
    """Raise an error for a pattern of unlimited cost, or one that comes from the rows.

    A pattern of ClickHouse takes time linear in the text.
    """
    if type(pattern).__name__ != "Literal":
        raise TokenError("a pattern must be a text in quotes, which is the same for all rows", 0)
    if len(pattern.name) > _LONGEST_PATTERN or _BOMB.search(pattern.name):
        reason = "this pattern may take for ever; write no repetition of a repetition, or use LIKE"
        raise TokenError(f"{pattern.name!r}: {reason}", 0)


def _place(node: Any) -> int:
    """Return the position of a node in the text; 0 if sqlglot does not give it."""
    starts = [part.meta["start"] for part in node.walk() if "start" in part.meta]
    return max(0, min(starts, default=0) - len("SELECT ("))


def _noun(kind: str) -> str:
    noun = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", kind).lower()
    return f"an {noun}" if noun[0] in "aeiou" else f"a {noun}"
