"""The SQL in the report: what a person runs to see the same numbers."""

from fractions import Fraction
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pytest

from gate.measure import Counts
from gate.slo.indicator import Sli
from tests.backends.logs.written import FORMATS, ask, before, counts, spent, write


def run(query: str) -> Any:
    with duckdb.connect() as connection:
        return connection.execute(query).fetchone()


@pytest.mark.variants(4)
@pytest.mark.parametrize("form", FORMATS)
def test_the_query_that_is_shown_gives_the_same_counts(tmp_path: Path, form: str) -> None:
    rows = [{"ts": before(n), "status": n, "_at": "x"} for n in range(498, 503)]
    write(tmp_path / f"a.{form}", rows[:2])
    write(tmp_path / f"b.{form}", rows[2:])
    sli = Sli(bad="status >= 500", total="status > 498 AND _at = 'x'")

    answer = ask(tmp_path / f"*.{form}", sli)

    assert isinstance(answer, Counts)
    assert run(answer.evidence.query) == counts(answer) == (4, 3)


def test_the_query_of_an_amount_gives_the_same(tmp_path: Path) -> None:
    rows = [{"ts": before(n), "cost": n / 4} for n in range(5)]

    answer = spent(ask(write(tmp_path / "a.parquet", rows), Sli(spent="cost")))

    assert run(answer.evidence.query) == (2.5,)
    assert answer.amount == Fraction("2.5")


def test_the_query_sets_the_time_zone_of_the_log(tmp_path: Path) -> None:
    rows = [{"ts": "2026-10-31 12:30:00", "status": 500}, {"ts": "2026-10-31 13:30", "status": 500}]
    log = write(tmp_path / "a.csv", rows)

    answer = ask(log, time_zone=ZoneInfo("Europe/Berlin"))

    assert isinstance(answer, Counts)
    assert run(answer.evidence.query) == counts(answer) == (1, 1)


def test_files_with_their_columns_in_another_order_are_all_in_the_query(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", [{"ts": before(1), "status": 500}])
    write(tmp_path / "b.csv", [{"status": 200, "ts": before(1)}])

    answer = ask(tmp_path / "*.csv")

    assert isinstance(answer, Counts)
    assert run(answer.evidence.query) == counts(answer) == (2, 1)
