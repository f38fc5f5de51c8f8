"""SQL engines: the gate beside the same aggregate that a person writes by hand for each engine.

python -m benchmarks.engines [ROWS]
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import psycopg2
import requests

from benchmarks.measuring import gate, machine, run
from benchmarks.policies import write_policy
from gate.backends import open_backend
from gate.check.measure import measure
from gate.config.load import load
from gate.measure import Limits
from tests.servers.clickhouse import clickhouse
from tests.servers.postgres import OWNER, postgres
from tests.servers.spark import sail

ROWS = 50_000_000
FEWER = 10
"""PostgreSQL, which is no engine for columns, has a tenth of the rows; and all are also compared
with a tenth of their own."""
DAYS = 30
ROUNDS = 3
END = datetime(2026, 10, 31, tzinfo=UTC)
SLOS = {
    "availability": ("status <> 429", "status >= 500"),
    "first-token": ("status = 200", "ttft_ms > 2000"),
    "duration": ("status = 200", "total_ms > 9000"),
}
"""Name -> which rows are events, which of them are bad; in words that all engines understand."""
WINDOWS = {"30d": 30 * 24 * 60, "3d": 3 * 24 * 60, "6h": 360, "1h": 60, "5m": 5}
"""In minutes: the budget's window, and those of the burn rates."""
BURN_RATES = [
    {"long": "1h", "short": "5m", "rate": 14.4},
    {"long": "3d", "short": "6h", "rate": 1},
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """An engine with its rows."""

    rows: int
    block: Mapping[str, Any]
    """Of the policy."""
    table: str
    """In a statement."""
    instant: str
    """How the engine writes an instant, with {} for the time in UTC."""
    ask: Callable[[str], object]
    """Runs a statement as a person's script does, and returns its row."""


def write_rows(folder: Path, rows: int) -> None:
    """Write the rows in ten Parquet files."""
    folder.mkdir()
    gap = timedelta(days=DAYS) / rows // timedelta(microseconds=1)
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for part in range(10):
            first, last = part * rows // 10, (part + 1) * rows // 10
            connection.execute(
                f"""COPY (SELECT
                    TIMESTAMPTZ '{END}' - to_microseconds(({rows} - n) * {gap}) AS ts,
                    ['llama', 'gpt', 'mistral'][1 + (hash(n + 1) % 3)::INT] AS model,
                    (CASE WHEN hash(n + 3) % 1000 < 2 THEN 500 WHEN hash(n + 3) % 1000 < 9 THEN 429
                        ELSE 200 END)::INTEGER AS status,
                    ((hash(n + 4) % 21000) / 10)::DOUBLE AS ttft_ms,
                    ((hash(n + 5) % 91000) / 10)::DOUBLE AS total_ms,
                    (hash(n + 6) % 4000)::INTEGER AS tokens
                FROM range({first}, {last}) AS rows (n)) TO '{folder}/{part}.parquet'
                (FORMAT parquet, COMPRESSION zstd)"""
            )


def by_hand(engine: Measured) -> str:
    """Return the statement that a person would write for the same numbers."""
    counts = []
    for total, bad in SLOS.values():
        for minutes in WINDOWS.values():
            start = engine.instant.format(f"{END - timedelta(minutes=minutes):%F %T}")
            events = f"ts > {start} AND {total}"
            counts += [
                f"count(CASE WHEN {events} THEN 1 END)",
                f"count(CASE WHEN {events} AND {bad} THEN 1 END)",
            ]
    counts += ["max(ts)", "count(DISTINCT date_trunc('hour', ts))"]  # how new, how much
    first, last = (engine.instant.format(f"{at:%F %T}") for at in (END - timedelta(days=DAYS), END))
    return f"SELECT {', '.join(counts)} FROM {engine.table} WHERE ts > {first} AND ts <= {last}"


def in_files(folder: Path, rows: int) -> Measured:
    """Return DuckDB on the files themselves."""

    def ask(statement: str) -> object:
        with duckdb.connect() as connection:
            connection.execute("SET TimeZone = 'UTC'")
            return connection.execute(statement).fetchone()

    return Measured(
        rows=rows,
        block={"type": "logs", "path": f"{folder}/*.parquet", "timestamp": "ts"},
        table=f"read_parquet('{folder}/*.parquet')",
        instant="TIMESTAMPTZ '{}+00'",
        ask=ask,
    )


@contextmanager
def in_clickhouse(folder: Path, rows: int, work: Path) -> Iterator[Measured]:
    """Load ClickHouse; as a table that is ordered by time, with a partition a day."""
    with clickhouse(work) as server:
        server.run(
            "CREATE TABLE measured (ts DateTime64(6, 'UTC'), model LowCardinality(String),"
            " status UInt16, ttft_ms Float64, total_ms Float64, tokens Int32)"
            " ENGINE = MergeTree PARTITION BY toYYYYMMDD(ts) ORDER BY ts"
        )
        server.run(f"INSERT INTO measured SELECT * FROM file('{folder}/*.parquet', Parquet)")

        def ask(statement: str) -> object:
            return requests.post(server.url, data=statement, timeout=600).text

        yield Measured(
            rows=rows,
            block={"type": "clickhouse", "url": server.url, "table": "measured", "timestamp": "ts"},
            table="measured",
            instant="toDateTime64('{}', 6, 'UTC')",
            ask=ask,
        )


@contextmanager
def in_spark(folder: Path, rows: int, work: Path) -> Iterator[Measured]:
    """Start Sail, which speaks Spark Connect, on the files."""
    from pyspark.sql.connect.session import SparkSession  # noqa: PLC0415 - takes a second

    with sail(work) as address:
        session = SparkSession.builder.remote(address).getOrCreate()
        yield Measured(
            rows=rows,
            block={
                "type": "spark",
                "url": address,
                "table": f"parquet.`{folder}`",
                "timestamp": "ts",
            },
            table=f"parquet.`{folder}`",
            instant="TIMESTAMP '{}Z'",
            ask=lambda statement: session.sql(statement).collect(),
        )
        session.stop()


@contextmanager
def in_postgres(folder: Path, rows: int) -> Iterator[Measured]:
    """Load PostgreSQL; with a BRIN index on the time."""
    with postgres() as server:
        connection = psycopg2.connect(server.url, user=OWNER, sslmode="disable")
        connection.autocommit = True
        cursor = connection.cursor()
        cursor.execute(
            "CREATE TABLE measured (ts timestamptz, model text, status int, ttft_ms float8,"
            " total_ms float8, tokens int)"
        )
        text = folder.parent / "rows.csv"
        with duckdb.connect() as files:
            files.execute("SET TimeZone = 'UTC'")
            files.execute(f"COPY (FROM '{folder}/*.parquet') TO '{text}' (HEADER false)")
        with text.open() as lines:
            cursor.copy_expert("COPY measured FROM STDIN (FORMAT csv)", lines)
        text.unlink()
        cursor.execute("CREATE INDEX ON measured USING brin (ts)")
        cursor.execute("VACUUM ANALYZE measured")
        cursor.execute("SET TimeZone = 'UTC'")

        def ask(statement: str) -> object:
            cursor.execute(statement)
            return cursor.fetchone()

        yield Measured(
            rows=rows,
            block={
                "type": "postgres",
                "url": server.url,
                "user": OWNER,
                "sslmode": "disable",
                "table": "measured",
                "timestamp": "ts",
            },
            table="measured",
            instant="TIMESTAMPTZ '{}+00'",
            ask=ask,
        )
        connection.close()


def write_gate_policy(path: Path, engine: Measured) -> list[str]:
    """Write a policy on the rows; return the command that checks it."""
    slos = [
        {"name": name, "objective": "99%", "window": "30d", "sli": {"bad": bad, "total": total}}
        for name, (total, bad) in SLOS.items()
    ]
    write_policy(path, dict(engine.block), slos, burn_rates=BURN_RATES, max_age="1h")
    return gate(
        "check", str(path), "--change", "canary", "--at", END.isoformat(), "--format", "json"
    )


def seconds(work: Callable[[], object]) -> float:
    """Return how long it takes."""
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def compare(name: str, engine: Measured, folder: Path) -> None:
    """Print the times in turns, and the memory of the gate's process."""
    path = folder / f"{name}.yaml"
    command = write_gate_policy(path, engine)
    statement, read = by_hand(engine), load(str(path), {})
    backend = open_backend(read.settings, Limits(timeout=timedelta(minutes=10)))
    taken: dict[str, list[float]] = {"gate": [], "by hand": []}
    for _ in range(ROUNDS):
        taken["gate"].append(seconds(lambda: measure(read.policy, backend, at=END)))
        taken["by hand"].append(seconds(lambda: engine.ask(statement)))
    ours, theirs = (statistics.median(times) for times in taken.values())
    memory = run(command).megabytes
    print(
        f"{name:11} {engine.rows:>11,} rows  gate {ours:6.2f} s  by hand {theirs:6.2f} s"
        f"  ratio {ours / theirs:4.2f}  memory of the gate {memory:4.0f} MB",
        flush=True,
    )


def compare_all(rows: int, folder: Path) -> None:
    """Compare every engine with so many rows."""
    files = folder / "rows"
    write_rows(files, rows)
    compare("logs", in_files(files, rows), folder)
    with in_clickhouse(files, rows, folder) as engine:
        compare("clickhouse", engine, folder)
    with in_spark(files, rows, folder) as engine:
        compare("spark", engine, folder)


def main() -> None:
    """Compare a tenth of the rows, then all of them."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else ROWS
    print(machine())
    for number in (rows // FEWER, rows):
        with tempfile.TemporaryDirectory() as name:
            compare_all(number, Path(name))
    for number in (rows // FEWER // FEWER, rows // FEWER):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            write_rows(folder / "rows", number)
            with in_postgres(folder / "rows", number) as engine:
                compare("postgres", engine, folder)


if __name__ == "__main__":
    main()
