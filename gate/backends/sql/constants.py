"""Conditions with the same value for every row, whatever happens: mistakes in a policy.

They are found in the text alone. NULL is ignored, because it can occur in every condition.
"""

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

from gate.dataclass import dataclass

if TYPE_CHECKING:
    pass

_OPPOSITE: Final = {
    "=": "<>",
    "<>": "=",
    "<": ">=",
    ">=": "<",
    ">": "<=",
    "<=": ">",
    "null": "set",
    "set": "null",
}
_TURNED: Final = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}
_EXCLUSIVE: Final = [{"=", "<>"}, {"=", "<"}, {"=", ">"}, {"<", ">"}, {"<", ">="}, {">", "<="}]
"""Pairs of operators that are never both true for the same two values."""
_WITH_EQUALITY: Final = frozenset({"=", "<=", ">="})
EITHER: Final = frozenset({True, False})
"""The values of a condition that distinguishes rows."""
Literal = Fraction | str | bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlOperand:
    """One side of a comparison."""

    text: str
    """The text used for comparisons; equal texts are equal values."""
    literal: Literal | None = None
    """The value, if the text is a constant; None: it depends on the row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlTest:
    """A condition without AND, OR and NOT."""

    left: SqlOperand
    operator: str = "="
    """One of ``= <> < <= > >= null set``."""
    right: SqlOperand = SqlOperand(text="true", literal=True)

    def opposite(self) -> "SqlTest":
        """Return the condition that is true where this one is false."""
        return SqlTest(left=self.left, operator=_OPPOSITE[self.operator], right=self.right)


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlLogic:
    """Conditions that are joined."""

    parts: Sequence["SqlTruth"]
    every: bool = True
    """Whether all of them must hold, or one of them."""

    def opposite(self) -> "SqlLogic":
        """Return the condition that is true where this one is false."""
        return SqlLogic(parts=[part.opposite() for part in self.parts], every=not self.every)


SqlTruth = SqlTest | SqlLogic


def bare(operand: SqlOperand) -> SqlTest:
    """Return the test for a truth value by itself; for a number, the test that it is not 0."""
    if isinstance(operand.literal, Fraction):
        zero = SqlOperand(text="0", literal=Fraction())
        return SqlTest(left=operand, operator="<>", right=zero)
    return SqlTest(left=operand)


def between(value: SqlOperand, low: SqlOperand, high: SqlOperand) -> SqlLogic:
    """Return the test that a value is between two others, inclusive."""
    bounds = ((">=", low), ("<=", high))
    return SqlLogic(parts=[SqlTest(left=value, operator=o, right=bound) for o, bound in bounds])


def possible_values(truth: SqlTruth) -> frozenset[bool]:
    """Return which of true and false a condition can be."""
    if isinstance(truth, SqlTest):
        return _of_test(truth)
    if not truth.every:
        return frozenset(not value for value in possible_values(truth.opposite()))
    parts = list(_flat(truth))
    values = [possible_values(part) for part in parts]
    tests = [part for part in parts if isinstance(part, SqlTest)]
    if any(value == {False} for value in values) or _contradict(tests):
        return frozenset({False})
    return frozenset({True}) if all(value == {True} for value in values) else EITHER


def _flat(truth: SqlLogic) -> Iterator[SqlTruth]:
    for part in truth.parts:
        if isinstance(part, SqlLogic) and part.every == truth.every:
            yield from _flat(part)
        else:
            yield part


def _of_test(test: SqlTest) -> frozenset[bool]:
    left, right = test.left.literal, test.right.literal
    if test.operator in {"null", "set"}:
        return EITHER if left is None else frozenset({test.operator == "set"})
    if test.left.text == test.right.text:
        return frozenset({test.operator in _WITH_EQUALITY})
    if isinstance(left, Fraction) and isinstance(right, Fraction):
        return frozenset({_holds(left, test.operator, right)})
    if left is None or type(left) is not type(right) or test.operator not in {"=", "<>"}:
        return EITHER  # the engine defines the order of texts
    return frozenset({test.operator == "<>"})


def _holds(left: Fraction, operator: str, right: Fraction) -> bool:
    if operator in {"=", "<>"}:
        return (left == right) == (operator == "=")
    low, high = (left, right) if operator[0] == "<" else (right, left)
    return low < high or (left == right and operator in _WITH_EQUALITY)


def _contradict(tests: Iterable[SqlTest]) -> bool:
    """Return whether two of the tests are never both true."""
    of_subject: dict[str, list[SqlTest]] = {}
    for test in tests:
        turned = _with_literal_last(test)
        of_subject.setdefault(turned.left.text, []).append(turned)
    return any(
        _exclude(first, second)
        for same in of_subject.values()
        for place, first in enumerate(same)
        for second in same[place + 1 :]
    )


def _with_literal_last(test: SqlTest) -> SqlTest:
    if test.left.literal is None or test.right.literal is not None:
        return test
    operator = _TURNED.get(test.operator, test.operator)
    return SqlTest(left=test.right, operator=operator, right=test.left)


def _exclude(first: SqlTest, second: SqlTest) -> bool:
    operators = {first.operator, second.operator}
    if not operators.isdisjoint({"null", "set"}):
        return operators == {"null", "set"}
    low, high = first.right.literal, second.right.literal
    if first.right.text == second.right.text or (low is not None and low == high):
        return operators in _EXCLUSIVE
    if isinstance(low, Fraction) and isinstance(high, Fraction):
        return _apart(first.operator, low, second.operator, high)
    return operators == {"="} and low is not None and type(low) is type(high)


def _apart(first: str, low: Fraction, second: str, high: Fraction) -> bool:
    """Return whether no number satisfies both comparisons with their two constants."""
    if "=" in {first, second}:
        return not (_holds(low, second, high) if first == "=" else _holds(high, first, low))
    signs = first[0] + second[0]
    return signs == ("><" if low > high else "<>") and "<>" not in {first, second}


_COMPARISONS: Final = {"EQ": "=", "NEQ": "<>", "LT": "<", "LTE": "<=", "GT": ">", "GTE": ">="}


def truth_of(node: Any) -> SqlTruth:
    """Return a condition as its parts and comparisons; another expression is a test by itself.

    Args:
        node: a node of sqlglot's tree.
    """
    node = node.unnest()
    kind = type(node).__name__
    if kind == "Not":
        return truth_of(node.this).opposite()
    if kind in {"And", "Or"}:
        parts = [truth_of(part) for part in node.flatten(unnest=False)]
        return SqlLogic(parts=parts, every=kind == "And")
    if kind in _COMPARISONS:
        left, right = operand_of(node.left), operand_of(node.right)
        return SqlTest(left=left, operator=_COMPARISONS[kind], right=right)
    if kind == "Between" and not node.args.get("symmetric"):
        value, low, high = (operand_of(node.args[key]) for key in ("this", "low", "high"))
        return between(value, low, high)
    if kind == "Is" and type(node.expression).__name__ == "Null":
        negated = bool(node.args.get("negate"))  # in PostgreSQL; for the others it is in a Not
        return SqlTest(left=operand_of(node.this), operator="set" if negated else "null")
    return bare(operand_of(node))


def operand_of(node: Any) -> SqlOperand:
    """Return one side of a comparison."""
    node = node.unnest()
    kind, text = type(node).__name__, node.sql()
    if kind == "Boolean":
        return SqlOperand(text=text.lower(), literal=bool(node.this))
    if node.is_string:
        return SqlOperand(text=text, literal=str(node.name))
    if kind == "Literal" or (kind == "Neg" and type(node.this).__name__ == "Literal"):
        return SqlOperand(text=text, literal=Fraction(text))
    plain = kind == "Column" and '"' not in text
    return SqlOperand(text=text.lower() if plain else text)


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlExpression:
    """One scalar expression over a row's columns, from the policy; parsed and checked."""

    role: str
    """The key in the policy: ``bad``, ``good``, ``total``, ``spent``, ``where``, ``by``."""
    text: str
    columns: frozenset[str]
    """The first name of every column in it, in lower case."""
    as_text: frozenset[str]
    """The columns that it converts to text."""
    predicate: bool = False
    """Whether it is true or false by its form, whatever type the engine uses for that: ClickHouse
    returns a small number for ``status >= 500``."""
    values: frozenset[bool] = EITHER
    """Which of true and false it can be, as far as its text shows."""

    @property
    def sql(self) -> str:
        """The expression in brackets."""
        return f"({self.text})"

    def __str__(self) -> str:
        return f"{self.role}: {self.text!r}"
