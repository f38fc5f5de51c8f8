"""DuckDB's tree of a condition, as far as it shows whether rows can differ in it."""

import json
from fractions import Fraction
from typing import Any, Final

from gate.backends.sql.constants import SqlLogic, SqlOperand, SqlTest, SqlTruth, bare, between

_COMPARISONS: Final = {
    "COMPARE_EQUAL": "=",
    "COMPARE_NOTEQUAL": "<>",
    "COMPARE_LESSTHAN": "<",
    "COMPARE_LESSTHANOREQUALTO": "<=",
    "COMPARE_GREATERTHAN": ">",
    "COMPARE_GREATERTHANOREQUALTO": ">=",
}
_NULL_TESTS: Final = {"OPERATOR_IS_NULL": "null", "OPERATOR_IS_NOT_NULL": "set"}


def truth_of(node: dict[str, Any]) -> SqlTruth:
    """Return a condition as its parts and comparisons; another expression is a test by itself.

    Args:
        node: of DuckDB's ``json_serialize_sql``, without places in the text.
    """
    kind = node["type"]
    if kind == "OPERATOR_NOT":
        return truth_of(node["children"][0]).opposite()
    if kind in {"CONJUNCTION_AND", "CONJUNCTION_OR"}:
        parts = [truth_of(part) for part in node["children"]]
        return SqlLogic(parts=parts, every=kind == "CONJUNCTION_AND")
    if kind in _COMPARISONS:
        left, right = _operand(node["left"]), _operand(node["right"])
        return SqlTest(left=left, operator=_COMPARISONS[kind], right=right)
    if kind == "COMPARE_BETWEEN":
        value, low, high = (_operand(node[key]) for key in ("input", "lower", "upper"))
        return between(value, low, high)
    if kind in _NULL_TESTS:
        return SqlTest(left=_operand(node["children"][0]), operator=_NULL_TESTS[kind])
    return bare(_operand(node))


def _operand(node: dict[str, Any]) -> SqlOperand:
    if node["type"] == "COLUMN_REF":
        return SqlOperand(text=".".join(node["column_names"]).lower())
    literal = node.get("literal", {})
    kind, text = literal.get("kind"), literal.get("text", "")
    if kind == "BOOLEAN":
        return SqlOperand(text=text, literal=text == "true")
    if kind == "STRING":
        return SqlOperand(text=f"'{text}'", literal=text)
    if kind in {"INTEGER", "NUMERIC"}:
        return SqlOperand(text=text, literal=Fraction(text))
    return SqlOperand(text=json.dumps(node, sort_keys=True))
