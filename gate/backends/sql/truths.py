"""What sqlglot makes of a condition, as far as it shows whether rows can differ in it."""

from fractions import Fraction
from typing import Any, Final

from gate.backends.sql.constants import SqlLogic, SqlOperand, SqlTest, SqlTruth, bare, between

_COMPARISONS: Final = {"EQ": "=", "NEQ": "<>", "LT": "<", "LTE": "<=", "GT": ">", "GTE": ">="}


def truth_of(node: Any) -> SqlTruth:
    """Return a condition as what it joins and compares; anything else is one test of its own.

    Args:
        node: of sqlglot.
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
        negated = bool(node.args.get("negate"))  # PostgreSQL's; of the others it stands in a Not
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
