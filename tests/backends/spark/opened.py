"""An engine that is opened on a server, and a table of requests for it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import duckdb

from gate.backends.spark.connection import SparkConnection
from gate.backends.spark.engine import SparkEngine
from gate.backends.spark.session import SparkSession
from gate.backends.spark.settings import SparkSettings, parse_address
from gate.backends.sql.settings import TableSettings

DAYS, PER_DAY, EVERY = 14, 1440, 100
"""The days of requests, the requests of a day (one a minute), and the distance of failed ones."""
COLUMNS = f"""
    TIMESTAMPTZ '2026-11-01 00:00:00+00' + to_seconds(i * 60) AS ts,
    TIMESTAMP '2026-11-01 00:00:00' + to_seconds(i * 60) AS wall,
    DATE '2026-11-01' + (i // {PER_DAY})::INT AS day,
    CASE WHEN i % {EVERY} = 0 THEN 500 ELSE 200 END AS status,
    i::DOUBLE / 8 AS latency,
    (i * 1.01)::DECIMAL(12, 4) AS cost,
    'model ' || (i % 3) AS model,
    i % 2 = 0 AS cached,
    {{'id': i, 'place': {{'zone': 'a'}}}} AS request,
    strftime(DATE '2026-11-01' + (i // {PER_DAY})::INT, '%Y-%m-%d') AS dt
"""


def write_requests(folder: Path) -> None:
    """Write a table with a partition a day, as most tables of logs have it."""
    rows = f"SELECT {COLUMNS} FROM range({DAYS * PER_DAY}) t(i)"
    duckdb.sql(
        f"COPY ({rows}) TO '{folder}' (FORMAT parquet, PARTITION_BY (dt), OVERWRITE_OR_IGNORE)"
    )


def settings(url: str) -> SparkSettings:
    table = TableSettings(table="requests", timestamp="ts")
    return SparkSettings(address=parse_address(url), table=table)


@contextmanager
def opened(url: str, timeout: float = 60.0) -> Iterator[SparkEngine]:
    """Give an engine for a while."""
    connection = SparkConnection(settings(url), timedelta(seconds=timeout))
    engine = SparkEngine(SparkSession(connection))
    try:
        yield engine
    finally:
        engine.close()
