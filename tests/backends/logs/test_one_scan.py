"""However many SLOs and windows there are, the files are read once."""

import json
from collections.abc import Iterator
from datetime import timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import duckdb
import pytest

from gate.measure import CountRequest
from gate.slo.indicator import Sli, Slices
from tests.backends.logs.written import ask_all, before, counts, request, watch, write

READERS = ("read_json(", "read_csv(", "read_parquet(")
ROWS: list[dict[str, Any]] = [
    {"ts": before(n * 60), "status": 500 if n % 50 == 0 else 200, "ms": n / 2} for n in range(1440)
]
WINDOWS = [timedelta(minutes=m) for m in (5, 30, 60, 120, 360, 720, 1440)]


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Record what DuckDB is asked."""
    seen: list[str] = []
    watch(monkeypatch, lambda _, sql: seen.append(sql))
    return seen


def many(slos: int) -> list[CountRequest]:
    slices = Slices(length=timedelta(minutes=1), target=Fraction(9, 10))
    requests = []
    for number in range(slos):
        sli = Sli(bad="status >= 500", total=f"ms > {number}")
        requests += [request(sli, window, probe=window == WINDOWS[-1]) for window in WINDOWS]
        requests.append(request(sli, WINDOWS[-1], slices=slices))
    return requests


def scans(statements: list[str]) -> list[str]:
    """Return the statements that read files to the end, not only to learn types."""
    whole = [sql for sql in statements if any(reader in sql for reader in READERS)]
    return [sql for sql in whole if "DESCRIBE" not in sql and "LIMIT" not in sql]


@pytest.mark.slow
@pytest.mark.variants(1)
@pytest.mark.parametrize("form", ["jsonl", "csv", "parquet"])
def test_twenty_slos_over_eight_windows_are_one_scan(
    tmp_path: Path, statements: list[str], form: str
) -> None:
    write(tmp_path / f"a.{form}", ROWS[:600])
    write(tmp_path / f"b.{form}", ROWS[600:])

    answers = ask_all(tmp_path / f"*.{form}", many(20))

    assert len(answers) == 160
    assert counts(answers[6]) == (1439, 28)  # ms > 0
    # Parquet's second one only asks the files' own statistics for rows without a time.
    first, *others = scans(statements)
    assert first.startswith("SELECT _k0")
    assert all('WHERE "ts" IS NULL' in sql for sql in others)
    assert len(others) == (form == "parquet")


@pytest.mark.slow
@pytest.mark.variants(1)
@pytest.mark.parametrize("form", ["jsonl", "csv", "parquet"])
def test_where_a_short_window_seems_to_miss_rows_the_times_are_read_once_more(
    tmp_path: Path, statements: list[str], form: str
) -> None:
    rows = [row for n, row in enumerate(ROWS) if not 300 <= n < 600]
    log = write(tmp_path / f"a.{form}", [*rows, {**ROWS[0], "ts": before(10**6)}])

    ask_all(log, many(20))

    _, *others = scans(statements)
    (again,) = [sql for sql in others if 'WHERE "ts" IS NULL' not in sql]
    assert "_v0" not in again


@pytest.mark.variants(1)
@pytest.mark.parametrize("form", ["jsonl", "csv", "parquet"])
def test_its_plan_reads_each_file_once_and_only_the_columns_in_use(
    tmp_path: Path, statements: list[str], form: str
) -> None:
    log = write(tmp_path / f"a.{form}", [{**row, "unused": "x"} for row in ROWS])
    ask_all(log, many(3))
    select = scans(statements)[0]

    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        ((_, text),) = connection.execute(f"EXPLAIN (FORMAT json) {select}").fetchall()

    readers = [node for node in _nodes(json.loads(text)) if node["name"].strip().startswith("READ")]
    assert len(readers) == 1
    assert "unused" not in str(readers[0]["extra_info"])
    assert "status" in str(readers[0]["extra_info"])


def _nodes(plan: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for node in plan:
        yield node
        yield from _nodes(node["children"])


def test_a_parquet_file_outside_the_window_is_skipped_by_its_statistics(tmp_path: Path) -> None:
    write(tmp_path / "a.parquet", ROWS)
    old = write(tmp_path / "b.parquet", [{**row, "ts": before(10**7)} for row in ROWS])
    # Were its rows read, the damage would show: the footer is whole, the values are not.
    content = bytearray(old.read_bytes())
    content[4:40] = bytes(36)
    old.write_bytes(content)

    answers = ask_all(tmp_path / "*.parquet", [request(window=timedelta(hours=1))])

    assert counts(answers[0]) == (60, 2)
