"""The policy's SQL expressions: parsed and bound by DuckDB before they meet any data."""

# ruff: noqa: S608 - names and texts are quoted, the policy's expressions are checked first

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import duckdb

from gate.backends.logs.database import Database
from gate.backends.logs.refusal import invalid, sentence
from gate.backends.logs.source import Source

_REFUSED: Final = {
    "SUBQUERY": "a subquery",
    "STAR": "a star",
    "PARAMETER": "a parameter",
    "WINDOW": "a window function",
}
NUMBERS: Final = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "FLOAT", "DOUBLE")
_PLACES: Final = ("query_location", "query_location_length")


@dataclass(frozen=True, slots=True, kw_only=True)
class Expression:
    """One scalar expression over a row's columns, as the policy has it."""

    role: str
    """The key in the policy: ``bad``, ``good``, ``total``, ``spent``."""
    text: str
    columns: frozenset[str]
    """The first name of every column that it mentions, in lower case."""

    @property
    def sql(self) -> str:
        """The expression in brackets; a line break ends a comment."""
        return f"({self.text}\n)" if "--" in self.text else f"({self.text})"


def parse(database: Database, role: str, text: str) -> Expression:
    """Parse an expression without looking at the data.

    Raises:
        Refusal: it is no single scalar expression, or its value depends on more than the row.
    """
    where = f"{role}: {text!r}"
    if ";" in text:
        raise invalid(f"{where} holds a semicolon; one expression is expected")
    tree = _tree(database, f"SELECT ({text}\n) FROM rows", where)
    expected = _tree(database, "SELECT (1) FROM rows", where)
    chosen, (expected["select_list"], tree["select_list"]) = tree["select_list"], ([], [])
    if tree != expected or len(chosen) != 1:
        raise invalid(f"{where} is more than one expression")
    nodes = list(_nodes(chosen[0]))
    for node in nodes:
        if node.get("class") in _REFUSED:
            raise invalid(f"{where} holds {_REFUSED[node['class']]}; it must be about one row")
    _check_functions(database, where, {n["function_name"] for n in nodes if "function_name" in n})
    names = [node["column_names"] for node in nodes if "column_names" in node]
    first = {path[1] if path[0] == "rows" and path[1:] else path[0] for path in names}
    return Expression(role=role, text=text, columns=frozenset(name.lower() for name in first))


def check_boolean(database: Database, expression: Expression, source: Source) -> None:
    """Check that the expression is true, false or unknown of every row.

    Raises:
        Refusal: a column is missing, types do not fit, or the value is something else.
    """
    kind = _bind(database, expression, source)
    if kind != "BOOLEAN":
        raise invalid(
            f"{expression.role}: {expression.text!r} is of type {kind}; a condition is expected, "
            "for example status >= 500"
        )


def check_number(database: Database, expression: Expression, source: Source) -> str:
    """Check that the expression is a number, and return its type.

    Raises:
        Refusal: a column is missing, types do not fit, or the value is something else.
    """
    kind = _bind(database, expression, source)
    if not is_number(kind):
        text = f"{expression.role}: {expression.text!r}"
        raise invalid(f"{text} is of type {kind}; a number is expected")
    return kind


def is_number(kind: str) -> bool:
    """Return whether a DuckDB type is a number."""
    return kind.removeprefix("U") in NUMBERS or kind.startswith("DECIMAL")


def _bind(database: Database, expression: Expression, source: Source) -> str:
    for column in _spelled(expression, source):
        _check_files(expression, source, column)
    try:
        # WHERE may hold neither aggregates nor window functions, and says so.
        rows = database.query(
            f"DESCRIBE SELECT {expression.sql} FROM rows WHERE {expression.sql} IS NULL"
        )
    except duckdb.Error as error:
        said = sentence(str(error)).replace("WHERE clause", "an indicator")
        types = ", ".join(f"{c} is {source.types[c]}" for c in _spelled(expression, source))
        hint = f" ({types})" if types else ""
        raise invalid(f"{expression.role}: {expression.text!r}: {said}{hint}") from error
    return str(rows[0][1])


def _spelled(expression: Expression, source: Source) -> list[str]:
    return [source.column(name) for name in sorted(expression.columns)]


def _check_files(expression: Expression, source: Source, column: str) -> None:
    if column in source.absent:
        lacking = source.absent[column]
        raise invalid(missing_in(expression.role, column, lacking, len(source.files)))


def missing_in(role: str, column: str, lacking: list[str], files: int) -> str:
    """Say that some files lack a column. Counting it as NULL there could hide failures."""
    return (
        f'{role}: no column "{column}" in {len(lacking)} of {files} files '
        f"(for example {lacking[0]}); every row must have it, be it with null"
    )


def _tree(database: Database, sql: str, where: str) -> dict[str, Any]:
    ((text,),) = database.query("SELECT json_serialize_sql(?)", sql)
    parsed = json.loads(text)
    if parsed["error"]:
        raise invalid(f"{where} is no SQL expression: {sentence(parsed['error_message'])}")
    node: dict[str, Any] = _without_places(parsed["statements"][0]["node"])
    return node


def _without_places(tree: Any) -> Any:
    if isinstance(tree, dict):
        return {k: _without_places(v) for k, v in tree.items() if k not in _PLACES}
    return [_without_places(item) for item in tree] if isinstance(tree, list) else tree


def _nodes(tree: object) -> Iterator[dict[str, Any]]:
    if isinstance(tree, dict):
        yield tree
        tree = list(tree.values())
    if isinstance(tree, list):
        for item in tree:
            yield from _nodes(item)


def _check_functions(database: Database, where: str, names: set[str]) -> None:
    """Refuse now(), random() and the like: a run has one instant, and can be repeated."""
    if not names:
        return
    rows = database.query(
        "SELECT DISTINCT function_name FROM duckdb_functions() WHERE stability <> 'CONSISTENT' "
        "AND list_contains(?, function_name) ORDER BY ALL",
        sorted(names),
    )
    if rows:
        raise invalid(f"{where} calls {rows[0][0]}(), which is not the same at every run")
