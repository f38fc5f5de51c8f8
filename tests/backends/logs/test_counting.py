"""Counts of events, failures, thresholds and amounts, in every format."""

from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from gate.measure import Cause, Counts, Unmeasured
from gate.slo.indicator import EmptySlice, Sli, Slices
from gate.slo.objective import Span
from tests.backends.logs.written import (
    AT,
    DAY,
    FAILED,
    FORMATS,
    ask,
    ask_all,
    before,
    counts,
    refused,
    request,
    spent,
    write,
    write_parquet,
)

ROWS: list[dict[str, Any]] = [
    {"ts": before(10), "status": 200, "route": "/chat", "ttft_ms": 1999.5, "cost": 0.25},
    {"ts": before(20), "status": 503, "route": "/chat", "ttft_ms": 2000, "cost": 0.5},
    {"ts": before(30), "status": 200, "route": "/rag", "ttft_ms": 2000.5, "cost": 0.7},
    {"ts": before(3600), "status": 500, "route": "/rag", "ttft_ms": 9000, "cost": 1.5},
    {"ts": before(86_399), "status": 429, "route": "/rag", "ttft_ms": 1, "cost": 0},
]


@pytest.fixture(params=FORMATS)
def log(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return write(tmp_path / f"requests.{request.param}", ROWS)


COUNTED: list[tuple[Sli, tuple[int, int]]] = [
    (Sli(bad="status >= 500"), (5, 2)),
    (Sli(good="status < 500"), (5, 2)),
    (Sli(bad="status >= 500", total="route = '/rag'"), (3, 1)),
    (Sli(bad="status >= 500", good="ttft_ms < 2000.5"), (5, 3)),
    (Sli(column="ttft_ms", threshold=Fraction(2000)), (5, 2)),
    (Sli(column="ttft_ms", threshold=Fraction(2000), total="status = 200"), (2, 1)),
    (Sli(column="TTFT_MS", threshold=Fraction(4001, 2)), (5, 1)),
    (Sli(bad="false"), (5, 0)),
]


@pytest.mark.variants(3)
def test_events_and_failures_are_counted_in_every_format(log: Path) -> None:
    answers = ask_all(log, [request(sli) for sli, _ in COUNTED])

    assert list(map(counts, answers)) == [expected for _, expected in COUNTED]


def test_an_amount_adds_up_exactly_in_every_format(log: Path) -> None:
    assert spent(ask(log, Sli(spent="cost"))).amount == Fraction("2.95")


def test_a_condition_of_an_amount_is_its_own(log: Path) -> None:
    sli = Sli(spent="CASE WHEN route = '/chat' THEN cost ELSE 0 END")

    assert spent(ask(log, sli)).amount == Fraction("0.75")


STARTS = [
    (timedelta(seconds=15), (1, 0)),
    (timedelta(seconds=30), (2, 1)),
    (timedelta(seconds=30, microseconds=1), (3, 1)),
    (timedelta(hours=1), (3, 1)),
    (timedelta(hours=1, microseconds=1), (4, 2)),
    (DAY, (5, 2)),
]


def test_the_start_of_a_window_is_left_out(log: Path) -> None:
    answers = ask_all(log, [request(window=window) for window, _ in STARTS])

    assert list(map(counts, answers)) == [expected for _, expected in STARTS]


@pytest.mark.variants(3)
def test_all_windows_of_a_run_are_as_if_each_were_asked_alone(log: Path) -> None:
    windows = [DAY, timedelta(seconds=25), timedelta(hours=2), timedelta(seconds=10)]
    slis = [FAILED, Sli(column="ttft_ms", threshold=Fraction(2000))]
    requests = [request(sli, window) for window in windows for sli in slis]

    together = ask_all(log, [*requests, requests[0]])

    assert together[:-1] == [ask_all(log, [one])[0] for one in requests]
    assert together[-1] == together[0]


@pytest.mark.parametrize("form", ["jsonl", "csv", "parquet"])
def test_the_end_of_a_window_belongs_to_it_and_the_future_does_not(
    tmp_path: Path, form: str
) -> None:
    log = write(
        tmp_path / f"requests.{form}",
        [{"ts": before(seconds), "status": 500} for seconds in (-3600, -0.000001, 0, 0.000001)],
    )

    assert counts(ask(log)) == (2, 2)


@pytest.mark.parametrize("form", ["jsonl", "csv", "parquet"])
def test_a_window_without_rows_is_no_data_and_no_zero(tmp_path: Path, form: str) -> None:
    log = write(tmp_path / f"requests.{form}", [{"ts": before(7200), "status": 200}])

    answers = ask_all(log, [request(), request(window=timedelta(hours=1))])

    assert counts(answers[0]) == (1, 0)
    assert refused(answers[1], Cause.NO_DATA) == (
        "the logs have no row between 2026-10-31 11:00:00 and 2026-10-31 12:00:00 UTC"
    )
    assert isinstance(answers[1], Unmeasured)
    assert answers[1].silent


@pytest.mark.parametrize(
    ("empty", "silent"),
    [(EmptySlice.LEFT_OUT, True), (EmptySlice.GOOD, False), (EmptySlice.BAD, False)],
)
def test_empty_slices_that_count_are_no_silence(
    tmp_path: Path, empty: EmptySlice, *, silent: bool
) -> None:
    log = write(tmp_path / "requests.jsonl", [{"ts": before(7200), "status": 200}])
    slices = Slices(length=timedelta(minutes=5), target=Fraction(9, 10), empty=empty)
    hour = replace(request(window=timedelta(hours=1)), slices=slices)

    _, answer = ask_all(log, [request(), hour])

    assert isinstance(answer, Unmeasured)
    assert answer.silent is silent


@pytest.mark.variants(3)
def test_rows_of_which_none_is_an_event_are_not_a_traffic(log: Path) -> None:
    reason = refused(ask(log, Sli(bad="status >= 500", total="route = '/x'")), Cause.NO_TRAFFIC)

    assert reason == "none of 5 rows is an event: total is never true"


UNKNOWN: list[dict[str, Any]] = [
    {"ts": before(1), "status": 200, "failed": False, "ok": True, "ms": 5},
    {"ts": before(2), "status": None, "failed": None, "ok": None, "ms": None},
    {"ts": before(3), "status": 500, "failed": True, "ok": False, "ms": 50},
]


AGAINST: list[tuple[Sli, tuple[int, int]]] = [
    (Sli(bad="failed"), (3, 2)),
    (Sli(good="ok"), (3, 2)),
    (Sli(column="ms", threshold=Fraction(10)), (3, 2)),
    (Sli(bad="status >= 500"), (3, 2)),
    (Sli(bad="ms / 0 > 1"), (3, 3)),  # what is divided by zero is NULL
    (Sli(bad="status = 500", total="status = 200"), (2, 1)),
    (Sli(bad="coalesce(failed, false)", total="status = 200"), (1, 0)),
]


@pytest.mark.parametrize("form", ["jsonl", "csv", "parquet"])
def test_what_is_unknown_counts_against_the_service(tmp_path: Path, form: str) -> None:
    log = write(tmp_path / f"requests.{form}", UNKNOWN)

    answers = ask_all(log, [request(sli) for sli, _ in AGAINST])

    assert list(map(counts, answers)) == [expected for _, expected in AGAINST]


def test_a_value_that_is_not_a_number_is_over_every_threshold(tmp_path: Path) -> None:
    log = tmp_path / "requests.jsonl"
    log.write_text(
        "".join(f'{{"ts": "{before(1)}", "ms": {ms}}}\n' for ms in ("1.5", "NaN", "Infinity"))
    )

    assert counts(ask(log, Sli(column="ms", threshold=Fraction(10**9)))) == (3, 2)


@pytest.mark.parametrize(
    ("kind", "good", "bad", "threshold"),
    [
        ("DOUBLE", "0.1", "0.10000000000000002", "0.1"),
        ("FLOAT", "0.1", "0.11", "0.1"),
        ("DECIMAL(9,3)", "0.333", "0.334", "1/3"),
        ("INTEGER", "2000", "2001", "2000.7"),
        ("UBIGINT", "18446744073709551614", "18446744073709551615", "18446744073709551614"),
        ("DECIMAL(38,0)", "-1", "0", "-1/2"),
    ],
)
def test_a_threshold_is_as_exact_as_the_column(
    tmp_path: Path, kind: str, good: str, bad: str, threshold: str
) -> None:
    rows = [{"ts": before(1), "value": value} for value in (good, bad)]
    log = write_parquet(tmp_path / "requests.parquet", rows, {"value": kind})

    assert counts(ask(log, Sli(column="value", threshold=Fraction(threshold)))) == (2, 1)


@pytest.mark.parametrize(
    ("kind", "values", "expected"),
    [
        ("DOUBLE", ["0.1"] * 10, "1"),
        ("DECIMAL(18,6)", ["0.000001", "1234567.890123"], "1234567.890124"),
        ("BIGINT", ["9223372036854775807", "1"], "9223372036854775808"),
        ("UTINYINT", ["255", "255"], "510"),
    ],
)
def test_amounts_add_up_exactly(
    tmp_path: Path, kind: str, values: list[str], expected: str
) -> None:
    rows = [{"ts": before(1), "cost": value} for value in values]
    log = write_parquet(tmp_path / "requests.parquet", rows, {"cost": kind})

    assert spent(ask(log, Sli(spent="cost"))).amount == Fraction(expected)


def test_a_missing_amount_is_reported_and_adds_nothing(tmp_path: Path) -> None:
    rows = [{"ts": before(n), "cost": cost} for n, cost in enumerate((1.5, None, 2.5))]

    answer = spent(ask(write(tmp_path / "requests.jsonl", rows), Sli(spent="cost")))

    assert answer.amount == 4
    assert answer.evidence.notes == ("spent is NULL in 1 of 3 rows",)


def test_amounts_that_are_all_missing_are_no_data(tmp_path: Path) -> None:
    rows = [{"ts": before(n), "cost": cost} for n, cost in ((1, None), (2, None), (90_000, 1.5))]

    reason = refused(
        ask(write(tmp_path / "requests.jsonl", rows), Sli(spent="cost")), Cause.NO_DATA
    )

    assert reason == "spent is NULL in all 2 rows"


@pytest.mark.crossed
@pytest.mark.parametrize("form", ["jsonl", "csv"])
@pytest.mark.parametrize("wrong", ["NaN", "Infinity", "-Infinity", "-5", "-0.01"])
def test_an_amount_that_is_none_is_invalid_however_much_others_spent(
    tmp_path: Path, form: str, wrong: str
) -> None:
    log = tmp_path / f"requests.{form}"
    lines = {
        "jsonl": '{{"ts": "{ts}", "cost": {cost}}}\n',
        "csv": "{ts},{cost}\n",
    }[form]
    head = "ts,cost\n" if form == "csv" else ""
    log.write_text(head + "".join(lines.format(ts=before(1), cost=c) for c in ("100", wrong)))

    assert "an amount must be 0 or more" in refused(ask(log, Sli(spent="cost")))


def test_the_newest_event_and_the_coverage_are_reported_when_asked(log: Path) -> None:
    sli = Sli(bad="status >= 500", total="route = '/rag'")

    asked, unasked = ask_all(log, [request(sli, probe=True), request(sli)])

    assert isinstance(asked, Counts)
    assert isinstance(unasked, Counts)
    assert asked.evidence.newest == AT - timedelta(seconds=30)
    # Five rows in a day are so few that none for hours is nothing unusual.
    assert asked.evidence.coverage == 1
    assert asked.evidence.suspicions == ()
    assert (unasked.evidence.newest, unasked.evidence.coverage) == (None, None)


@pytest.mark.parametrize(
    ("window", "parts"),
    [
        (timedelta(seconds=50), 1),  # within a minute
        (timedelta(minutes=1), 1),
        (timedelta(minutes=10), 10),
        (timedelta(hours=12), 720),
        (timedelta(days=30), 720),
    ],
)
def test_coverage_is_of_720_parts_or_of_a_minute(
    tmp_path: Path, window: timedelta, parts: int
) -> None:
    rows = [{"ts": before(0), "status": 200}] * 20
    log = write(tmp_path / "requests.jsonl", rows)

    answer = ask(log, window=window, probe=True)

    assert isinstance(answer, Counts)
    assert answer.evidence.coverage == Fraction(1, parts)


@pytest.mark.parametrize(
    ("seconds", "parts"), [((0, 59.999999), 1), ((0, 60), 2), ((60, 119.999999), 2)]
)
def test_a_part_has_its_end_and_not_its_start(
    tmp_path: Path, seconds: tuple[float, float], parts: int
) -> None:
    rows = [{"ts": before(second), "status": 200} for second in seconds for _ in range(20)]
    answer = ask(write(tmp_path / "requests.jsonl", rows), window=timedelta(minutes=10), probe=True)

    assert isinstance(answer, Counts)
    # What follows the newest row is missing, too.
    assert answer.evidence.coverage == Fraction(parts - (seconds[0] >= 60), 10)


def test_a_lost_hour_is_suspected_with_what_is_usual_in_it(tmp_path: Path) -> None:
    minutes = [n for n in range(24 * 60) if not 600 <= n < 660]
    rows = [{"ts": before(60 * n + 30), "status": 200, "cost": 0.5} for n in minutes]
    log = write(tmp_path / "requests.jsonl", rows)

    answer = ask(log, probe=True)

    assert isinstance(answer, Counts)
    assert answer.evidence.coverage == Fraction(23, 24)
    assert answer.evidence.gaps is not None
    assert answer.evidence.gaps.holes == Fraction(1, 24)
    hole = answer.evidence.gaps.longest
    assert hole == Span(AT - timedelta(hours=11), AT - timedelta(hours=10))
    (lost,) = answer.evidence.suspicions
    assert (lost.cause, lost.within) == (Cause.LOST, hole)
    assert lost.hidden == 60
    assert "where about 60 rows are usual" in lost.reason
    (money,) = spent(ask(log, Sli(spent="cost"), probe=True)).evidence.suspicions
    assert money.hidden == 30


@pytest.mark.parametrize(("empty", "hidden"), [("left-out", 60), ("good", 60), ("bad", 0)])
def test_of_slices_as_many_may_have_been_bad_as_the_lost_hour_has(
    tmp_path: Path, empty: str, hidden: int
) -> None:
    minutes = [n for n in range(24 * 60) if not 600 <= n < 660]
    rows = [{"ts": before(60 * n + 30), "status": 200} for n in minutes]
    slices = Slices(length=timedelta(minutes=1), target=Fraction("0.9"), empty=EmptySlice(empty))

    answer = ask(write(tmp_path / "requests.jsonl", rows), slices=slices, probe=True)

    assert isinstance(answer, Counts)
    assert [lost.hidden for lost in answer.evidence.suspicions] == [hidden]


def test_an_amount_has_its_newest_row_and_coverage(log: Path) -> None:
    evidence = spent(ask(log, Sli(spent="cost"), probe=True)).evidence

    assert evidence.newest == AT - timedelta(seconds=10)
    assert evidence.coverage == 1


def test_a_row_in_every_part_is_full_coverage(tmp_path: Path) -> None:
    rows = [{"ts": before(300 * n), "status": 200} for n in range(288)]

    answer = ask(write(tmp_path / "requests.csv", rows), probe=True)

    assert isinstance(answer, Counts)
    assert answer.evidence.coverage == 1


def test_no_request_needs_no_file(tmp_path: Path) -> None:
    assert ask_all(tmp_path / "missing.jsonl", []) == []
