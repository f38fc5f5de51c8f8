"""An engine understands a condition as the gate has parsed it.

The text is sent as it is, so the engine's own reading counts. Here each condition is also rendered
from the tree that was checked, with every part in brackets, and must give the same of every row: no
engine groups the words of a condition otherwise than the gate does.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import pytest
import sqlglot
from sqlglot import exp

from gate.backends.sql.functions import FUNCTIONS
from tests.backends.spark.opened import opened
from tests.backends.sql.conditions_table import COLUMNS, CONDITIONS, rows
from tests.servers.clickhouse import ClickHouse
from tests.servers.postgres import Postgres
from tests.servers.spark import sail

pytestmark = pytest.mark.real
GROUPS = (exp.Binary, exp.Not, exp.Neg, exp.Between, exp.In, exp.Cast)
NAMES = ", ".join(f'"{name}"' for name in COLUMNS)
CONSTANT = {"true", "FALSE", "1 - -1 = 2"}
"""Conditions that say the same of all rows."""


def bracketed(text: str, dialect: str) -> str:
    """Return a condition as its tree has it, each part in brackets of its own."""
    (root,) = sqlglot.parse_one(f"SELECT ({text})", read=dialect).expressions
    for node in reversed(list(root.walk())):
        if isinstance(node, GROUPS) and not isinstance(node.parent, exp.Escape):
            node.replace(exp.Paren(this=node.copy()))
    return str(root.sql(dialect=dialect))


def chosen(dialect: str) -> str:
    """Return a SELECT list: each condition as the policy has it, and as it was parsed."""
    texts = CONDITIONS[dialect]
    return ", ".join(f"({text}), {bracketed(text, dialect)}" for text in texts)


def check(dialect: str, answer: Sequence[Sequence[Any]]) -> None:
    """Compare each pair of columns, and see that the rows tell the conditions apart."""
    columns = list(zip(*answer, strict=True))
    pairs = dict(
        zip(CONDITIONS[dialect], zip(columns[::2], columns[1::2], strict=True), strict=True)
    )
    assert [text for text, (sent, parsed) in pairs.items() if sent != parsed] == []
    same = {text for text, (sent, _) in pairs.items() if len(set(map(str, sent))) == 1}
    assert same & CONSTANT == CONSTANT
    assert len(same) < len(CONSTANT) + 5


def test_postgresql_reads_conditions_as_the_gate_does(postgres_server: Postgres) -> None:
    with postgres_server.connected() as connection, connection.cursor() as cursor:
        cursor.execute("SET TIME ZONE 'UTC'")
        cursor.execute(
            "CREATE TEMP TABLE of_conditions (id int, status int, latency float8, route text,"
            " model text, ok boolean, cost numeric(10, 4), tokens int, meta jsonb, tags text[],"
            ' ts timestamp, "Mixed Case" int)'
        )
        marks = ", ".join(["%s"] * len(COLUMNS))
        cursor.executemany(f"INSERT INTO of_conditions VALUES ({marks})", list(rows()))
        cursor.execute("UPDATE of_conditions SET latency = 'NaN' WHERE id % 7 = 0")
        cursor.execute(f"SELECT {chosen('postgres')} FROM of_conditions ORDER BY id")
        check("postgres", cursor.fetchall())


def test_clickhouse_reads_conditions_as_the_gate_does(clickhouse_server: ClickHouse) -> None:
    clickhouse_server.run(
        "CREATE TABLE of_conditions (id Int32, status Nullable(Int32), latency Nullable(Float64),"
        " route Nullable(String), model Nullable(String), ok Nullable(Bool), cost"
        " Nullable(Decimal(10, 4)), tokens Nullable(Int32), meta String, tags Array(String), ts"
        " Nullable(DateTime64(3, 'UTC')), \"Mixed Case\" Int32) ENGINE = MergeTree ORDER BY id"
    )
    made = [dict(zip(COLUMNS, row, strict=True)) for row in rows()]
    odd = [{**row, "latency": "nan"} if row["id"] % 7 == 0 else row for row in made]
    lines = "\n".join(map(json.dumps, odd))
    clickhouse_server.run(f"INSERT INTO of_conditions FORMAT JSONEachRow {lines}")
    names = [f"c{place}" for place in range(2 * len(CONDITIONS["clickhouse"]))]
    listed = [f"({text})" for text in CONDITIONS["clickhouse"]]
    parsed = [bracketed(text, "clickhouse") for text in CONDITIONS["clickhouse"]]
    both = [part for pair in zip(listed, parsed, strict=True) for part in pair]
    columns = ", ".join(f"{part} AS {name}" for part, name in zip(both, names, strict=True))
    answer = clickhouse_server.run(
        f"SELECT {columns} FROM of_conditions ORDER BY id FORMAT JSONCompactEachRow"
    )
    clickhouse_server.run("DROP TABLE of_conditions")
    check("clickhouse", [json.loads(line) for line in answer.splitlines()])


@pytest.mark.slow
def test_spark_reads_conditions_as_the_gate_does(tmp_path: Path) -> None:
    file = tmp_path / "rows.parquet"
    with duckdb.connect() as connection:
        kinds = [kind.replace("_ntz", "") for kind in COLUMNS.values()]
        kinds = [kind.replace("array<string>", "VARCHAR[]") for kind in kinds]
        named = ", ".join(f'"{name}" {kind}' for name, kind in zip(COLUMNS, kinds, strict=True))
        connection.execute(f"CREATE TABLE of_conditions ({named})")
        marks = ", ".join("?" * len(COLUMNS))
        connection.executemany(f"INSERT INTO of_conditions VALUES ({marks})", list(rows()))
        connection.execute(f"COPY of_conditions TO '{file}' (FORMAT parquet)")

    with sail(tmp_path) as address, opened(address) as session:
        answer = session.rows(f"SELECT {chosen('spark')} FROM parquet.`{file}` ORDER BY id")

    check("spark", answer)


WRITTEN_OTHERWISE = {"any", "array", "cast", "coalesce", "greatest", "least", "nullif", "trim"}
TYPES = {"decimal", "float", "numeric", "varchar", "char", "datetime", "datetime64", "fixedstring"}
TYPES |= {"nullable", "lowcardinality", "timestamp", "timestamptz", "time"}
KEYWORDS = frozenset(
    [
        "and",
        "or",
        "not",
        "in",
        "case",
        "when",
        "then",
        "else",
        "between",
        "like",
        "ilike",
        "is",
        "as",
        "from",
        "by",
        "distinct",
    ]
)


def test_the_functions_of_postgresql_are_there_and_do_not_change(postgres_server: Postgres) -> None:
    answer = postgres_server.run(
        "SELECT proname FROM pg_proc GROUP BY proname"
        " HAVING bool_and(provolatile <> 'v' AND prokind = 'f')"
    )

    steady = {name for (name,) in answer} | WRITTEN_OTHERWISE | TYPES | KEYWORDS
    assert FUNCTIONS["postgres"] - steady == set()


def test_the_functions_of_clickhouse_are_there_and_do_not_change(
    clickhouse_server: ClickHouse,
) -> None:
    answer = clickhouse_server.run(
        "SELECT lower(name) FROM system.functions GROUP BY 1"
        " HAVING NOT max(is_aggregate) AND ifNull(min(deterministic), 1)"
    )

    steady = {*answer.split(), "dateadd", "datesub"} | TYPES | KEYWORDS
    assert FUNCTIONS["clickhouse"] - steady == set()
