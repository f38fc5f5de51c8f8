"""Which expressions are true or false: ClickHouse has the same type, UInt8, for small numbers.

This is read off the tree that the server itself makes of them (EXPLAIN AST).
"""

import re
from collections.abc import Sequence
from dataclasses import field
from typing import Final

from gate.dataclass import dataclass

_LINE: Final = re.compile(r"( *)(\w+)(?: (\S+))?")
_FUNCTION: Final = "Function"
_SELECT_LIST: Final = 3
"""How deep the list of expressions is."""
_TRUTHS: Final = frozenset(
    # https://clickhouse.com/docs/sql-reference/functions: those whose result is a truth.
    {
        *("equals", "notEquals", "less", "greater", "lessOrEquals", "greaterOrEquals"),
        *("isDistinctFrom", "isNotDistinctFrom", "isNull", "isNotNull", "isNullable"),
        *("and", "or", "not", "xor", "in", "notIn", "nullIn", "notNullIn"),
        *("like", "notLike", "ilike", "notILike", "match", "multiMatchAny", "hasSubsequence"),
        *("startsWith", "endsWith", "startsWithUTF8", "endsWithUTF8"),
        *("multiSearchAny", "multiSearchAnyCaseInsensitive", "hasToken"),
        *("hasTokenCaseInsensitive", "empty", "notEmpty", "isNaN", "isFinite", "isInfinite"),
        *("has", "hasAny", "hasAll", "hasSubstr", "arrayExists", "arrayAll"),
        *("mapContains", "mapContainsKey", "mapContainsValue"),
        *("JSONHas", "simpleJSONHas", "visitParamHas", "isValidJSON", "isValidUTF8"),
        "isIPAddressInRange",
    }
)
_FIRST_OF: Final = frozenset({"coalesce", "ifNull"})
_SAME: Final = frozenset({"assumeNotNull", "toNullable", "identity"})


@dataclass(slots=True, kw_only=True)
class _Node:
    """A part of an expression."""

    kind: str
    name: str = ""
    parts: list["_Node"] = field(default_factory=list)

    @property
    def arguments(self) -> list["_Node"]:
        """Of a function."""
        return self.parts[0].parts if self.parts else []

    def is_truth(self) -> bool:
        """Return whether it can be nothing but true, false or NULL."""
        if self.kind != _FUNCTION:
            return self.kind == "Literal" and self.name.startswith(("Bool_", "NULL"))
        if self.name in _FIRST_OF or self.name in _SAME:
            outcomes = self.arguments
        elif self.name in {"if", "multiIf"}:
            outcomes = [*self.arguments[1::2], *self.arguments[-1:]]
        elif self.name == "caseWithExpression":
            outcomes = [*self.arguments[2::2], *self.arguments[-1:]]
        elif self.name == "nullIf":
            outcomes = self.arguments[:1]
        else:
            return self.name in _TRUTHS
        return all(outcome.is_truth() for outcome in outcomes)


def truths(tree: Sequence[str]) -> list[bool]:
    """Return which of the expressions of a SELECT without FROM are truths.

    Args:
        tree: the lines of EXPLAIN AST, each a blank deeper than what it is a part of.
    """
    path = list[_Node]()
    for line in tree:
        match = _LINE.match(line)
        if match is None:
            continue
        node = _Node(kind=match[2], name=match[3] or "")
        del path[len(match[1]) :]
        if path:
            path[-1].parts.append(node)
        path.append(node)
    chosen = path[_SELECT_LIST].parts if len(path) > _SELECT_LIST else []
    return [node.is_truth() for node in chosen]
