"""The policy's SQL expressions, parsed and bound by DuckDB before it reads any data."""

# ruff: noqa: S608 - names and texts are quoted, the policy's expressions are checked first

import json
import re
from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import Any, Final

import duckdb

from gate.backends.logs.database import Database
from gate.backends.logs.refusals import sentence
from gate.backends.logs.source import LogSource
from gate.backends.sql.constants import (
    SqlExpression,
    SqlLogic,
    SqlOperand,
    SqlTest,
    SqlTruth,
    bare,
    between,
    possible_values,
)
from gate.backends.sql.rows import invalid

_Node = dict[str, Any]
_COMPARISONS: Final = {
    "COMPARE_EQUAL": "=",
    "COMPARE_NOTEQUAL": "<>",
    "COMPARE_LESSTHAN": "<",
    "COMPARE_LESSTHANOREQUALTO": "<=",
    "COMPARE_GREATERTHAN": ">",
    "COMPARE_GREATERTHANOREQUALTO": ">=",
}
_NULL_TESTS: Final = {"OPERATOR_IS_NULL": "null", "OPERATOR_IS_NOT_NULL": "set"}
_ABOUT_A_ROW: Final = frozenset(
    {"BETWEEN", "CASE", "CAST", "COLLATE", "COLUMN_REF", "COMPARISON", "CONJUNCTION", "CONSTANT"}
    | {"FUNCTION", "LAMBDA", "OPERATOR", "TYPE"}  # column -> 'key' is parsed as a lambda
)
"""The kinds of nodes allowed in an expression; no subquery, star, parameter, position."""
_MACROS: Final = "nullif|if|split_part|fdiv|fmod|date_add|days_in_month|(list|array)_.*"
_BOUNDED: Final = re.compile(
    "|".join(
        (
            r"[^a-z_].*|__between|xor|age",  # operators; age has its own error
            # numbers
            r"a?(cos|sin|tan)h?|atan2|cot|abs|sign(bit)?|ceil(ing)?|floor|round(_even|bankers)?|trunc",
            r"sqrt|cbrt|exp|ln|log(2|10)?|pow(er)?|f?mod|f?div(ide)?|add|subtract|multiply|even|pi",
            r"greatest(_common_divisor)?|least(_common_multiple)?|gcd|lcm|isfinite|isinf|isnan",
            r"degrees|radians|bit_(count|length|position)|[gs]et_bit|nullif|if|hash",
            # texts that do not grow
            r"[lu]case|lower|upper|[lr]?trim|left|right|reverse|sub(str|string)(_grapheme)?|ascii|chr",
            r"(str|char_|character_|octet_)?len(gth)?(_grapheme)?|ord|unicode|strip_accents",
            r"prefix|suffix|(starts|ends)_with|contains|instr|strpos|position|not_i?like_escape",
            r"i?like_escape|concat(_ws)?|split_part|str(ing)?_split(_regex)?|split|string_to_array",
            r"regexp_(extract(_all)?|full_match|matches|split_to_array|escape)|str_split_regex",
            r"translate|nfc_normalize|md5|sha1|sha256|from_(base64|hex|binary)|unhex|unbin",
            r"encode|decode|url_decode|typeof|parse_\w+|(icu_)?collate_\w+",
            # times
            r"date_?(add|diff|part|sub|trunc)|(day|month|week|year)\w*|days_in_month|century|decade",
            r"era|hour|isodow|isoyear|julian|last_day|mill?i\w+|micro\w+|nano\w+|minute|second",
            r"quarter|epoch(_[mnu]s)?|make_(date|time\w*)|(try_)?strptime|strftime|time_bucket",
            r"timezone(_hour|_minute)?|to_\w+s|to_(century|timestamp)|normalized_interval",
            # JSON, lists, maps, structs
            r"json_(extract\w*|value|exists|keys|array_length|type|valid|contains|structure)",
            r"json_transform(_strict)?|from_json(_strict)?|(list|array)_(?!reduce|resize)\w+",
            r"list_\w*sort|filter|flatten|cardinality|element_at|map(_\w+)?|row|struct_\w+",
            r"union_\w+|variant_(extract\w*|type\w*|exists|contains|keys|array_length)",
        )
    )
)
"""Functions whose result takes about as much space and time as their arguments."""
_TEXTS: Final = frozenset({"VARCHAR", "TEXT", "STRING", "CHAR", "BPCHAR", "NVARCHAR"})
_JOINED: Final = frozenset({"||", "concat", "concat_ws", "format", "printf"})
_PLACES: Final = ("query_location", "query_location_length")


def parse(database: Database, role: str, text: str) -> SqlExpression:
    """Parse an expression without looking at the data.

    Raises:
        MeasurementError: it is not a single scalar expression, or its value depends on more
            than the row.
    """
    try:
        return _parsed(database, role, text)
    except RecursionError:
        raise invalid(f"{role} is nested too deeply: write fewer operators in a row") from None


def _parsed(database: Database, role: str, text: str) -> SqlExpression:
    where = f"{role}: {text!r}"
    if any(kind == duckdb.token_type.comment for _, kind in duckdb.tokenize(text)):
        raise invalid(f"{where} holds a comment; write it in YAML, after a #")
    tree = _tree(database, f"SELECT ({text}) FROM rows", where)
    expected = _tree(database, "SELECT (1) FROM rows", where)
    chosen, (expected["select_list"], tree["select_list"]) = tree["select_list"], ([], [])
    if tree != expected or len(chosen) != 1:
        raise invalid(f"{where} is more than one expression")
    nodes = list(_nodes(chosen))
    for kind in [node["class"] for node in nodes if node.get("class", "TYPE") not in _ABOUT_A_ROW]:
        noun = kind.lower().replace("_", " ")
        raise invalid(f"{where} holds a {noun}; an expression about one row is expected")
    _check_functions(database, where, {n["function_name"] for n in nodes if "function_name" in n})
    texts = [inner for node in nodes if _makes_text(node) for inner in _nodes(node)]
    return SqlExpression(
        role=role,
        text=text,
        columns=_columns(nodes),
        as_text=_columns(texts),
        values=possible_values(_truth_of(chosen[0])),
    )


def check_value(database: Database, expression: SqlExpression, source: LogSource) -> str:
    """Check that the expression has a value for every row, and return its type.

    Raises:
        MeasurementError: a column is missing, or types do not fit.
    """
    types = {name: source.types[name] for name in map(source.column, sorted(expression.columns))}
    for name in map(source.column, sorted(expression.as_text)):
        if "DOUBLE" in types[name]:
            raise invalid(
                f'{expression} takes "{name}" for text; it is read as a number, and 500 would be '
                "'500.0': compare it with a number"
            )
    try:
        # WHERE may hold neither aggregates nor window functions, and says so.
        rows = database.query(
            f"DESCRIBE SELECT {expression.sql} FROM rows WHERE {expression.sql} IS NULL"
        )
    except duckdb.Error as error:
        said = sentence(str(error)).replace("WHERE clause", "an indicator")
        hint = ", ".join(f"{name} is {kind}" for name, kind in types.items())
        raise invalid(f"{expression}: {said}{hint and f' ({hint})'}") from error
    return str(rows[0][1])


def _tree(database: Database, sql: str, where: str) -> _Node:
    ((text,),) = database.query("SELECT json_serialize_sql(?)", sql)
    parsed = json.loads(text)
    if parsed["error"]:
        said = sentence(parsed["error_message"])
        if ")" not in where:  # the one that this program adds after the expression
            said = said.replace('at or near ")"', "at its end")
        raise invalid(f"{where} is not a valid SQL expression: {said}")
    node: _Node = _without_places(parsed["statements"][0]["node"])
    return node


def _without_places(tree: Any) -> Any:
    if isinstance(tree, dict):
        return {k: _without_places(v) for k, v in tree.items() if k not in _PLACES}
    return [_without_places(item) for item in tree] if isinstance(tree, list) else tree


def _nodes(tree: object) -> Iterator[_Node]:
    if isinstance(tree, dict):
        yield tree
        tree = list(tree.values())
    if isinstance(tree, list):
        for item in tree:
            yield from _nodes(item)


def _columns(nodes: Iterable[_Node]) -> frozenset[str]:
    paths = [node["column_names"] for node in nodes if "column_names" in node]
    first = {path[1] if path[0] == "rows" and path[1:] else path[0] for path in paths}
    return frozenset(name.lower() for name in first)


def _makes_text(node: _Node) -> bool:
    if node.get("class") == "CAST":
        return str(node["type_expr"]["type_name"]).upper() in _TEXTS
    return node.get("function_name") in _JOINED


def _check_functions(database: Database, where: str, names: set[str]) -> None:
    """Raise an error for now(), random() and the like: a run has one instant, and is repeatable."""
    if not names:
        return
    # A function is about the row if any form of it is: the others depend on the time zone (since
    # DuckDB 2.0.1 they say so), which a run has one of. Only age(t) means age(today, t).
    rows = database.query(
        "SELECT function_name FROM duckdb_functions() WHERE list_contains(?, function_name) "
        "GROUP BY function_name HAVING function_name = 'age' OR min(stability) <> 'CONSISTENT' OR "
        "bool_or(function_type = 'macro' AND NOT regexp_full_match(function_name, ?)) ORDER BY ALL",
        sorted(names),
        _MACROS,
    )
    if rows:
        raise invalid(f"{where} calls {rows[0][0]}(), which is not about the row alone")
    scalar = database.query(
        "SELECT DISTINCT function_name FROM duckdb_functions() WHERE "
        "list_contains(?, function_name) AND function_type IN ('scalar', 'macro') ORDER BY ALL",
        sorted(names),
    )
    unbounded = [name for (name,) in scalar if not _BOUNDED.fullmatch(name)]
    if unbounded:
        raise invalid(
            f"{where} calls {unbounded[0]}(), which may take any amount of time and memory; "
            "use a comparison, or a function of numbers, texts, times, JSON or lists"
        )


def _truth_of(node: _Node) -> SqlTruth:
    """Return a condition as its parts and comparisons; another expression is a test by itself.

    It shows whether rows can differ in the condition.

    Args:
        node: a node of DuckDB's ``json_serialize_sql``, without positions in the text.
    """
    kind = node["type"]
    if kind == "OPERATOR_NOT":
        return _truth_of(node["children"][0]).opposite()
    if kind in {"CONJUNCTION_AND", "CONJUNCTION_OR"}:
        parts = [_truth_of(part) for part in node["children"]]
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


def _operand(node: _Node) -> SqlOperand:
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
