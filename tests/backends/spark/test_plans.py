"""Spark's plan of a statement, and its cost; plans as Apache Spark 4.3 wrote them, shortened."""

import pytest

from gate.backends.sql.engine import ScanSize
from gate.measure import MeasurementError
from tests.backends.spark.opened import opened
from tests.backends.spark.played import Columns, Complete, Plan, Progress, Script, playing, stream

PHYSICAL = """
== Physical Plan ==
AdaptiveSparkPlan isFinalPlan=false
+- HashAggregate(keys=[], functions=[count(1), sum(status#170)], output=[count(1)#178L])

"""
FILES = """== Optimized Logical Plan ==
Aggregate [count(1) AS count(1)#178L], Statistics(sizeInBytes=24.0 B, rowCount=1)
+- Project [status#170], Statistics(sizeInBytes=61.5 KiB)
   +- Filter (isnotnull(ts#167) AND (ts#167 > 2026-11-03)), Statistics(sizeInBytes=517.5 KiB)
      +- Relation [ts#167,lt#168,status#170] parquet, Statistics(sizeInBytes=517.5 KiB)
"""
TWO = """== Optimized Logical Plan ==
Join Cross, Statistics(sizeInBytes=2.0 B)
:- Project [k#626L], Statistics(sizeInBytes=2.0 B)
:  +- Relation [ts#629] parquet, Statistics(sizeInBytes=1.5 GiB)
+- Project [k#627], Statistics(sizeInBytes=1.0 B)
   +- Relation [ts#631] parquet, Statistics(sizeInBytes=2.0 TiB)
"""
HIVE = """== Optimized Logical Plan ==
Aggregate [count(1) AS count(1)#178L], Statistics(sizeInBytes=24.0 B, rowCount=1)
+- HiveTableRelation [`default`.`t`, [Data Cols: [a#1]]], Statistics(sizeInBytes=8.0 EiB)
"""
SILENT = """== Optimized Logical Plan ==
Aggregate [count(1) AS count(1)#178L]
+- Range (0, 5, step=1)
"""
SAIL = """== Physical Plan ==
  AggregateExec: mode=Final, gby=[], statistics=[Rows=Exact(1), Bytes=Inexact(4), [(Col[0]:)]]
    DataSourceExec: file_groups={1}, statistics=[Rows=Exact(7040), Bytes=Exact(28160), [(Col[0]:)]]
    DataSourceExec: file_groups={1}, statistics=[Rows=Inexact(1), Bytes=Inexact(8), [(Col[0]:)]]
"""


@pytest.mark.parametrize(
    ("plan", "size"),
    [
        (FILES + PHYSICAL, 1035 * 2**9),
        (TWO + PHYSICAL, 3 * 2**29 + 2**41),
        (HIVE + PHYSICAL, None),
        (SILENT + PHYSICAL, None),
        (PHYSICAL, None),
        (SAIL, 28168),
    ],
)
def test_size_is_what_the_tables_hold_where_each_says_it(plan: str, size: int | None) -> None:
    with playing(Script(analyzed=[Plan(plan)])) as url, opened(url) as engine:
        told = engine.size("SELECT 1")

    assert told == (None if size is None else ScanSize(bytes=size, exact=False))


def test_bytes_that_were_read_are_added_up_over_stages_and_statements() -> None:
    first = stream(Progress({1: 10}), Progress({1: 40, 2: 0}), Complete())
    second = stream(Progress({1: 2}), Complete())
    with playing(Script(streams=[first, second])) as url, opened(url) as engine:
        before = engine.scanned()
        engine.rows("SELECT 1")
        engine.rows("SELECT 2")

        assert (before, engine.scanned()) == (None, 42)


def test_version_is_reported_to_the_doctor() -> None:
    script = Script(analyzed=[Columns({"n": "long"})], version="4.0.1.dev-SNAPSHOT")
    with playing(script) as url, opened(url) as engine:
        (result,) = engine.examine("r")

    assert (result.message, result.remedy) == ("Spark 4.0.1.dev-SNAPSHOT", "")


def test_condition_is_parsed_in_sparks_own_sql() -> None:
    with opened("sc://127.0.0.1:1") as engine:
        assert engine.parse("bad", "`status` >= 500").columns == {"status"}


def test_error_while_the_version_is_requested_is_reported() -> None:
    with opened("sc://127.0.0.1:1") as engine, pytest.raises(MeasurementError, match="refused"):
        engine.examine("r")
