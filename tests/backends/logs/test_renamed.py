"""A column that has another name in later rows, and beside it changes that hide nothing."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import pytest

from gate.measure import Answer, Cause, Counts, Suspicion
from gate.slo.indicator import Sli
from tests.backends.logs.test_suspicions import MONTH, PER_HOUR, rows_of
from tests.backends.logs.written import FAILED, ask, write, write_parquet

HOURS: Final = 720
EVERY: Final = HOURS * PER_HOUR
HALF: Final = EVERY // 2
BY_ERROR: Final = Sli(bad="error IS NOT NULL")
OPTIONAL: Final = {"error": "VARCHAR"}
Row = dict[str, Any]
Change = Callable[[int, bool], Row]
"""Given a row's number and whether it failed, returns what else it says."""


def rows(change: Change, length: int = EVERY) -> list[Row]:
    """Return a month of rows of which every 50th failed."""
    written = []
    for number, row in enumerate(rows_of(hours=length // PER_HOUR)):
        written.append({"ts": row["ts"], **change(number, row["status"] == 500)})
    return written


def in_two(folder: Path, written: Sequence[Row], form: str = "jsonl") -> Path:
    """Write the first half of the rows into a file, and the second half into a later one."""
    half = len(written) // 2
    for name, some in (("a", written[:half]), ("b", written[half:])):
        columns = dict.fromkeys(column for row in some for column in row)
        whole = [{column: row.get(column) for column in columns} for row in some]
        texts = {column: "VARCHAR" for column in columns if column not in {"ts", "status"}}
        if form == "parquet":
            write_parquet(folder / f"{name}.parquet", whole, texts)
        else:
            write(folder / f"{name}.{form}", some)
    return folder / f"*.{form}"


def answer_of(
    log: Path,
    sli: Sli = BY_ERROR,
    columns: Mapping[str, str] = OPTIONAL,
    window: timedelta = MONTH,
) -> Answer:
    return ask(log, sli, window, probe=True, columns=columns, optional=frozenset(columns))


def suspicions(
    log: Path, sli: Sli = BY_ERROR, columns: Mapping[str, str] = OPTIONAL
) -> tuple[Suspicion, ...]:
    answer = answer_of(log, sli, columns)
    assert isinstance(answer, Counts), answer
    return answer.evidence.suspicions


def bounds(suspicion: Suspicion) -> tuple[Fraction | int | None, Fraction | int | None]:
    assert suspicion.cause is Cause.UNMATCHED
    return suspicion.hidden, suspicion.doubtful


def failing(name: str) -> Callable[[bool], Row]:
    return lambda failed: {name: "boom"} if failed else {}


def renamed(number: int, failed: bool) -> Row:
    return failing("error" if number < HALF else "err")(failed)


@pytest.mark.variants(1)
@pytest.mark.parametrize("form", ["jsonl", "csv", "parquet"])
def test_failures_under_the_new_name_of_an_optional_column_are_reported(
    tmp_path: Path, form: str
) -> None:
    written = rows(renamed)
    missed = sum("err" in row for row in written)
    answer = answer_of(in_two(tmp_path, written, form))

    assert isinstance(answer, Counts)
    assert answer.bad == sum("error" in row for row in written)
    (suspicion,) = answer.evidence.suspicions
    assert bounds(suspicion) == (missed, 0)
    assert '"error" has no value in the ' in suspicion.reason
    assert 'while rows have "err", which is new' in suspicion.reason
    assert f"{missed} count as good and 0 as bad" in suspicion.reason
    assert "boom" not in suspicion.reason + suspicion.remedy


def test_ten_of_twenty_failures_are_in_doubt(tmp_path: Path) -> None:
    places = range(24, 1000, 49)
    written = [
        {"ts": row["ts"], **(renamed(HALF * (place >= 500), True) if place in places else {})}
        for place, row in enumerate(rows(lambda *_: {}, 1000))
    ]

    (suspicion,) = suspicions(in_two(tmp_path, written))

    assert (len(places), bounds(suspicion)) == (20, (10, 0))


RENAMED: Final[Mapping[str, tuple[Change, Sli, Mapping[str, str], str]]] = {
    "within a file": (renamed, BY_ERROR, {}, "err"),
    "into two columns": (
        lambda n, failed: (
            renamed(n, failed)
            if n < HALF
            else {"err": "boom", "err_type": "x"}
            if failed and n % 4 == 1
            else {"err_type": "x"}
            if failed
            else {}
        ),
        BY_ERROR,
        OPTIONAL,
        "err_type",
    ),
    "while some processes were of the old release": (
        lambda n, failed: failing(
            "err" if n >= HALF or (n >= HALF - 300 and n % 100 == 7) else "error"
        )(failed),
        BY_ERROR,
        OPTIONAL,
        "err",
    ),
    "with an empty text where nothing failed": (
        lambda n, failed: (
            {"error": "boom"} if failed and n < HALF else {"err": "boom" if failed else ""}
        ),
        BY_ERROR,
        OPTIONAL,
        "err",
    ),
    "of every row": (
        lambda n, failed: {"result" if n < HALF else "outcome": "bad" if failed else "ok"},
        Sli(bad="coalesce(result, '') = 'bad'"),
        {"result": "VARCHAR"},
        "outcome",
    ),
    "of a number": (
        lambda n, failed: {"code" if n < HALF else "status": 500} if failed else {},
        Sli(bad="coalesce(code, 0) >= 500"),
        {"code": "DOUBLE"},
        "status",
    ),
}


@pytest.mark.variants(3)
@pytest.mark.parametrize("name", RENAMED)
def test_what_counts_as_good_under_another_name_is_hidden(tmp_path: Path, name: str) -> None:
    change, sli, columns, later = RENAMED[name]
    written = rows(change)
    log = in_two(tmp_path, written) if columns else write(tmp_path / "a.jsonl", written)

    (suspicion,) = suspicions(log, sli, columns)

    assert bounds(suspicion) == (sum(bool(r.get(later)) for r in written), 0)


def test_good_events_under_another_name_may_have_been_good(tmp_path: Path) -> None:
    written = rows(lambda n, failed: {} if failed else {"answer" if n < HALF else "reply": "hi"})
    good = sum("reply" in row for row in written)

    found = suspicions(
        in_two(tmp_path, written), Sli(good="answer IS NOT NULL"), {"answer": "VARCHAR"}
    )

    (suspicion,) = found
    assert bounds(suspicion) == (0, good)


def test_a_new_name_that_the_beginning_of_the_last_file_lacks_is_seen(tmp_path: Path) -> None:
    written = rows(lambda n, failed: renamed(n, failed) if not HALF <= n < HALF + 2000 else {})

    (suspicion,) = suspicions(in_two(tmp_path, written))

    assert suspicion.hidden == sum("err" in row for row in written)


def test_many_new_names_are_reported_in_short(tmp_path: Path) -> None:
    several = {f"err_{letter}": "boom" for letter in "abcde"}
    written = rows(lambda n, failed: renamed(n, failed) if n < HALF else several if failed else {})

    (suspicion,) = suspicions(in_two(tmp_path, written))

    assert '"err_a", "err_b", "err_c" and 2 more' in suspicion.reason
    assert suspicion.hidden == sum("err_a" in row for row in written)


QUIET: Final[Mapping[str, Change]] = {
    "only failures have it": lambda _, failed: failing("error")(failed),
    "nothing ever failed": lambda *_: {},
    "it was mended": lambda n, failed: failing("error")(failed and n < HALF),
    "failures began": lambda n, failed: failing("error")(failed and n >= HALF),
    "an hour without failures": lambda n, failed: (
        failing("error")(failed and n < EVERY - PER_HOUR) | ({"hour": "x"} if n % 12 == 3 else {})
    ),
    "a column came, and the old one stays": lambda n, failed: (
        failing("error")(failed) | (failing("err")(failed) if n >= HALF else {})
    ),
    "a column came for all rows when it was mended": lambda n, failed: (
        failing("error")(failed) if n < HALF else {"region": "eu"}
    ),
    "a rare column was always there, and it was mended": lambda n, failed: (
        failing("error")(failed and n < HALF) | ({"retry": "1"} if n % 60 == 11 else {})
    ),
    "another rare column ended, and it was mended": lambda n, failed: (
        failing("error")(failed and n < HALF)
        | ({"retry": "1"} if n < HALF and n % 60 == 11 else {})
    ),
    "a column of which hardly any row has a value came, and it was mended": lambda n, failed: (
        failing("error")(failed and n < HALF) | ({"note": "1"} if n == EVERY - 5 else {})
    ),
    "two services side by side": lambda n, failed: failing("error" if n % 100 == 7 else "err")(
        failed
    ),
}


@pytest.mark.parametrize("name", QUIET)
@pytest.mark.parametrize("form", ["jsonl", pytest.param("csv", marks=pytest.mark.crossed)])
def test_nothing_is_suspected_where_no_name_changed(tmp_path: Path, name: str, form: str) -> None:
    assert suspicions(in_two(tmp_path, rows(QUIET[name]), form)) == ()


def test_a_column_of_which_the_files_disagree_is_passed_over(tmp_path: Path) -> None:
    def row_of(number: int, failed: bool) -> Row:
        values = {"error": None, "other": number} if number < HALF else {"err": None, "other": [1]}
        return values | renamed(number, failed)

    written = rows(row_of)
    for name, some, kind in (("a", written[:HALF], "BIGINT"), ("b", written[HALF:], "BIGINT[]")):
        types = {"error": "VARCHAR", "err": "VARCHAR", "other": kind}
        write_parquet(tmp_path / f"{name}.parquet", some, types)

    (suspicion,) = suspicions(tmp_path / "*.parquet")

    assert suspicion.hidden == sum(row.get("err") is not None for row in written)


@pytest.mark.slow
def test_keys_that_users_name_are_not_a_new_names(tmp_path: Path) -> None:
    def words(number: int, failed: bool) -> Row:
        there = number > HALF + 1500 and number % 5 == 1
        return failing("error")(failed and number < HALF) | (
            {f"word {number}": "1"} if there else {}
        )

    assert suspicions(in_two(tmp_path, rows(words))) == ()


def test_a_column_of_parts_of_objects_is_not_looked_for(tmp_path: Path) -> None:
    written = {"calls": rows(renamed)}
    log = write(tmp_path / "a.jsonl", [written])
    columns = {"ts": "VARCHAR", **OPTIONAL}

    answer = ask(
        log,
        BY_ERROR,
        MONTH,
        probe=True,
        columns=columns,
        optional=frozenset(OPTIONAL),
        unnest=("calls",),
    )

    assert isinstance(answer, Counts)
    assert answer.evidence.suspicions == ()


def test_a_status_that_all_rows_have_asks_for_no_other_column(tmp_path: Path) -> None:
    written = rows_of(
        row=lambda n: {"status": 200, "fixed": 1} if n >= HALF and n % 50 == 7 else {}
    )

    assert suspicions(write(tmp_path / "a.jsonl", written), FAILED, {}) == ()


def test_failures_of_a_nested_time_are_looked_for(tmp_path: Path) -> None:
    written = [{"at": {"end": row.pop("ts")}, **row} for row in rows(renamed)]
    log = in_two(tmp_path, written)

    answer = ask(
        log,
        BY_ERROR,
        MONTH,
        probe=True,
        columns=OPTIONAL,
        optional=frozenset(OPTIONAL),
        timestamp="at.end",
    )

    assert isinstance(answer, Counts)
    (suspicion,) = answer.evidence.suspicions
    assert suspicion.hidden == Fraction(sum("err" in row for row in written))
