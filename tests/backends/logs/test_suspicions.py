"""Counts that are not what happened, and beside them services of which nothing is suspected."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from gate.backends import open_backend
from gate.measure import Cause, CountRequest, Counts, Limits, Spent, Suspicion
from gate.slo.indicator import Sli, Slices
from gate.slo.objective import Span
from tests.backends.logs.written import AT, FAILED, ask, settings, watch, write

HOUR = timedelta(hours=1)
MONTH = timedelta(days=30)
PER_HOUR = 12
Row = dict[str, Any]


def rows_of(
    per_hour: int = PER_HOUR, hours: int = 720, row: Callable[[int], Row] = lambda _: {}
) -> list[Row]:
    """Return rows evenly spread over the hours that end at `AT`; every 50th failed."""
    rows = []
    for number in range(hours * per_hour):
        at = AT - hours * HOUR + (2 * number + 1) * HOUR / (2 * per_hour)
        status = 500 if number % 50 == 7 else 200
        outcome = "error" if status == 500 else "ok"
        rows.append({"ts": at.isoformat(), "status": status, "outcome": outcome} | row(number))
    return rows


def moment(row: Row) -> datetime:
    return datetime.fromisoformat(row["ts"])


def ask_for(
    folder: Path, rows: Iterable[Row], sli: Sli = FAILED, form: str = "jsonl", **more: Any
) -> Counts:
    log = write(folder / f"a.{form}", list(rows))
    answer = ask(log, sli, more.pop("window", MONTH), probe=True, **more)
    assert isinstance(answer, Counts), answer
    return answer


def suspicions(folder: Path, rows: Iterable[Row], **more: Any) -> tuple[Suspicion, ...]:
    return ask_for(folder, rows, **more).evidence.suspicions


@pytest.mark.crossed
@pytest.mark.parametrize("form", ["jsonl", "csv", "parquet"])
@pytest.mark.parametrize(
    "sli",
    [
        Sli(bad="status >= 500"),
        Sli(good="status < 500"),
        Sli(column="ms", threshold=Fraction(10)),
        Sli(bad="status >= 500", total="ms IS NOT NULL"),
        Sli(bad="ms > 10", good="status < 500", total="true"),
        Sli(bad="status >= 500", total="ms > 5"),
    ],
)
def test_outcomes_that_are_null_are_reported_with_their_exact_number(
    tmp_path: Path, form: str, sli: Sli
) -> None:
    rows: list[Row] = []
    for number in range(100):
        status = None if number % 5 == 0 else 500 if number in {1, 2, 3} else 200
        ms = None if number % 10 == 5 else 20 if number % 5 == 4 else 10 if number >= 10 else 6
        rows.append(
            {"ts": (AT - timedelta(minutes=number + 1)).isoformat()} | {"status": status, "ms": ms}
        )

    answer = ask_for(tmp_path, rows, sli, form, window=timedelta(days=1))
    (suspicion,) = answer.evidence.suspicions

    assert suspicion.cause is Cause.UNKNOWN_OUTCOME
    assert suspicion.hidden == 0
    truth = [outcome(sli, row) for row in rows]
    assert answer.total == sum(event for event, _, _ in truth)
    assert answer.bad == sum(is_bad for _, is_bad, _ in truth)
    assert suspicion.doubtful == sum(open_ for _, _, open_ in truth)
    assert f"of {answer.total} events is NULL" in suspicion.reason


def outcome(sli: Sli, row: Row) -> tuple[bool, bool, bool]:
    """Return whether a row is an event, a bad one, and bad only for want of a value."""
    status, ms = row["status"], row["ms"]
    known: list[bool | None] = []
    if sli.bad == "ms > 10":
        known.append(None if ms is None else ms > 10)
    if sli.bad == "status >= 500" or sli.good is not None:
        known.append(None if status is None else status >= 500)
    if sli.column is not None:
        known.append(None if ms is None else ms > 10)
    is_bad, sure = any(k is not False for k in known), any(k is True for k in known)
    total: bool | None = True
    if sli.total == "ms IS NOT NULL":
        total = ms is not None
    if sli.total == "ms > 5":
        total = None if ms is None else ms > 5
    event = is_bad if total is None else total
    return event, event and is_bad, event and is_bad and not (sure and total is True)


def test_slices_that_are_bad_for_lack_of_an_outcome_are_any_number(tmp_path: Path) -> None:
    rows = rows_of(hours=24, row=lambda n: {"status": None} if n % 3 == 0 else {})
    slices = Slices(length=HOUR, target=Fraction(9, 10))

    (suspicion,) = suspicions(tmp_path, rows, window=timedelta(days=1), slices=slices)

    assert (suspicion.hidden, suspicion.doubtful) == (Fraction(0), None)


@pytest.mark.crossed
@pytest.mark.parametrize("form", ["jsonl", "parquet"])
@pytest.mark.parametrize("hours", [1, 2, 30])
def test_hours_that_are_lost_are_reported_with_what_is_usual_then(
    tmp_path: Path, form: str, hours: int
) -> None:
    start = AT - 200 * HOUR
    rows = [row for row in rows_of() if not start < moment(row) <= start + hours * HOUR]

    (suspicion,) = suspicions(tmp_path, rows, form=form)

    assert suspicion.cause is Cause.LOST
    assert suspicion.doubtful == 0
    assert suspicion.hidden == hours * PER_HOUR
    assert f"the logs have no row from {start:%F %R} to " in suspicion.reason
    assert f"about {hours * PER_HOUR} rows are usual" in suspicion.reason


def test_an_hour_that_is_lost_is_seen_at_any_minute_of_the_run(tmp_path: Path) -> None:
    start = AT - 200 * HOUR
    shift = timedelta(minutes=34, seconds=5)
    rows = [row for row in rows_of() if not start < moment(row) <= start + HOUR]
    log = write(tmp_path / "a.jsonl", rows)
    backend = open_backend(settings(log), Limits(timeout=timedelta(minutes=1)))
    span = Span(AT + shift - MONTH, AT + shift)
    (answer,) = backend.measure([CountRequest(sli=FAILED, span=span, probe=True)], AT + shift)

    assert isinstance(answer, Counts)
    assert [s.cause for s in answer.evidence.suspicions] == [Cause.LOST]


def asleep(row: Row) -> bool:
    return not 7 <= moment(row).hour < 19


def weekend(row: Row) -> bool:
    return moment(row).weekday() >= 5


QUIET: dict[str, list[Row]] = {
    "busy all day": rows_of(),
    "it sleeps at night": [row for row in rows_of() if not asleep(row)],
    "it sleeps at the weekend": [row for row in rows_of() if not weekend(row)],
    "office hours": [row for row in rows_of() if not asleep(row) and not weekend(row)],
    "young": [row for row in rows_of() if moment(row) > AT - 50 * HOUR],
    "few users": [row for number, row in enumerate(rows_of()) if number % 37 == 0],
    "nothing ever failed": rows_of(row=lambda _: {"status": 200, "outcome": "ok"}),
    "it was mended": rows_of(row=lambda n: {"status": 200, "outcome": "ok"} if n > 4000 else {}),
    "a new answer came when it was mended": rows_of(
        row=lambda n: {"status": 200, "outcome": "cached" if n % 2 else "ok"} if n > 4000 else {}
    ),
    "it was mended, and users' words": rows_of(
        row=lambda n: {"status": 200, "outcome": f"words {n}"} if n > 4000 else {}
    ),
    "failures began": rows_of(row=lambda n: {"status": 200, "outcome": "ok"} if n < 6000 else {}),
    "users' words": rows_of(row=lambda n: {"outcome": f"words {n}"} if n % 50 != 7 else {}),
}


@pytest.mark.crossed
@pytest.mark.parametrize("name", QUIET)
@pytest.mark.parametrize(
    "sli",
    [FAILED, Sli(bad="outcome = 'error'"), Sli(good="outcome <> 'error'"), Sli(bad="false")],
)
def test_nothing_is_suspected_of_a_healthy_service(tmp_path: Path, name: str, sli: Sli) -> None:
    assert suspicions(tmp_path, QUIET[name], sli=sli) == ()


@pytest.mark.parametrize("name", ["it sleeps at night", "it sleeps at the weekend", "office hours"])
def test_silence_that_is_usual_counts_as_covered(tmp_path: Path, name: str) -> None:
    evidence = ask_for(tmp_path, QUIET[name]).evidence

    assert evidence.coverage is not None
    assert evidence.coverage > Fraction(95, 100)


def test_a_column_that_has_gone_is_reported_with_what_counts_as_good_since(tmp_path: Path) -> None:
    def renamed(number: int) -> Row:
        return {"status": None, "status_code": 500} if number >= 6000 else {"status_code": None}

    found = suspicions(tmp_path, rows_of(row=renamed), sli=Sli(bad="coalesce(status, 200) >= 500"))

    (suspicion,) = found
    assert suspicion.cause is Cause.UNMATCHED
    assert suspicion.hidden == 720 * PER_HOUR - 6000
    assert '"status" has a value in nearly all rows until' in suspicion.reason


def test_a_column_that_has_gone_and_counts_as_bad_is_reported(tmp_path: Path) -> None:
    rows = rows_of(row=lambda n: {"status": None} if n >= 6000 else {})

    found = {s.cause: s for s in suspicions(tmp_path, rows)}

    assert found[Cause.UNKNOWN_OUTCOME].doubtful == 720 * PER_HOUR - 6000
    assert found[Cause.UNMATCHED].hidden == 0


@pytest.mark.crossed
@pytest.mark.parametrize("spelling", ["ERROR", "failed"])
@pytest.mark.parametrize("form", ["jsonl", "csv", "parquet"])
def test_a_bad_value_in_another_spelling_is_reported_and_not_shown(
    tmp_path: Path, spelling: str, form: str
) -> None:
    def respelled(number: int) -> Row:
        return {"outcome": spelling} if number >= 6000 and number % 50 == 7 else {}

    rows = rows_of(row=respelled)
    missed = sum(row["outcome"] == spelling for row in rows)

    (suspicion,) = suspicions(tmp_path, rows, sli=Sli(bad="outcome = 'error'"), form=form)

    assert suspicion.cause is Cause.UNMATCHED
    assert suspicion.hidden == missed
    assert suspicion.doubtful == 0
    assert f'"outcome" has a new value, in {missed} events that count as good' in suspicion.reason
    assert spelling not in suspicion.reason + suspicion.remedy


def test_a_good_value_in_another_spelling_may_have_been_good(tmp_path: Path) -> None:
    rows = rows_of(row=lambda n: {"outcome": "OK"} if n >= 6000 and n % 50 != 7 else {})
    good = sum(row["outcome"] == "OK" for row in rows)

    found = suspicions(tmp_path, rows, sli=Sli(good="outcome = 'ok'"))

    (suspicion,) = found
    assert suspicion.cause is Cause.UNMATCHED
    assert suspicion.hidden == 0
    assert suspicion.doubtful == good


def test_the_logs_are_read_again_only_where_a_condition_stopped_matching(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scans: list[str] = []
    watch(monkeypatch, lambda _, sql: scans.append(sql) if "read_json(" in sql else None)

    suspicions(tmp_path, QUIET["busy all day"], sli=Sli(bad="outcome = 'error'"))

    assert len([sql for sql in scans if "DESCRIBE" not in sql]) == 1


def test_only_a_probe_is_judged(tmp_path: Path) -> None:
    log = write(tmp_path / "a.jsonl", rows_of(row=lambda n: {"status": None} if n % 2 else {}))

    answer = ask(log, FAILED, MONTH)

    assert isinstance(answer, Counts)
    assert answer.evidence.suspicions == ()


def test_of_what_is_spent_no_outcome_is_unknown(tmp_path: Path) -> None:
    log = write(tmp_path / "a.jsonl", rows_of(row=lambda n: {"cost": None if n % 2 else 0.5}))

    answer = ask(log, Sli(spent="cost"), MONTH, probe=True, slices=None)

    assert isinstance(answer, Spent)
    assert answer.evidence.suspicions == ()
    assert answer.evidence.notes == ("spent is NULL in 4,320 of 8,640 rows",)


def test_rows_in_no_whole_part_of_a_short_window_are_judged(tmp_path: Path) -> None:
    rows = [{"ts": (AT - timedelta(seconds=1)).isoformat(), "status": None, "x": 1}] * 3
    log = write(tmp_path / "a.jsonl", [*rows, {"ts": AT.isoformat(), "status": 500, "x": 1}])

    answer = ask(log, FAILED, timedelta(minutes=4), probe=True)

    assert isinstance(answer, Counts)
    (suspicion,) = answer.evidence.suspicions
    assert suspicion.cause is Cause.UNKNOWN_OUTCOME
    assert suspicion.doubtful == 3
