"""Counting for many runs from one scan: each answer is what the run gives alone."""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from gate.backends import open_backend
from gate.backends.logs.backend import LogsBackend
from gate.measure import Answer, Cause, CountRequest, Counts, Limits, Spent, Unmeasured
from gate.measure.capabilities import PastRun, measure_past
from gate.slo.calendar import Period
from gate.slo.indicator import EmptySlice, Sli, Slices
from gate.slo.objective import CalendarWindow, RollingWindow
from tests.amounts import repeats
from tests.backends.logs.written import AT, DAY, settings, watch, write

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
DAYS = 40
START = AT - DAYS * DAY
LOST = 12 * DAY
"""After the start: for three hours there is no row."""
RENAMED, RESPELLED = 20 * DAY, 27 * DAY
Row = dict[str, Any]

SLIS = {
    "failed": Sli(bad="status >= 500"),
    "outcome": Sli(bad="outcome = 'error'"),
    "good": Sli(good="outcome = 'ok'", total="route = '/chat'"),
    "slow": Sli(column="ms", threshold=Fraction(900)),
    "rare": Sli(bad="ms > 990", total="route = '/rag'"),
}
SPENT = {"cost": Sli(spent="cost"), "tokens": Sli(spent="tokens")}
SLICES = (
    Slices(length=HOUR, target=Fraction(97, 100)),
    Slices(length=7 * MINUTE, target=Fraction(9, 10), empty=EmptySlice.BAD),
)
WINDOWS = (
    RollingWindow(30 * DAY),
    RollingWindow(7 * DAY),
    CalendarWindow(Period.MONTH, ZoneInfo("Europe/Berlin")),
    CalendarWindow(Period.DAY, ZoneInfo("Asia/Kathmandu")),
)
BURN = (5 * MINUTE, HOUR, 6 * HOUR, 3 * DAY)


def rows() -> list[Row]:
    """Return forty days of a service that sleeps at night, with everything that can be doubted."""
    rng, made = random.Random("past"), list[Row]()
    for hour in range(DAYS * 24):
        for place in range(14 if 6 <= (START + hour * HOUR).hour < 22 else 0):
            passed = hour * HOUR + HOUR * (place + rng.random()) / 14
            if LOST < passed <= LOST + 3 * HOUR:
                continue
            failed = rng.random() < 0.06
            outcome = "error" if failed and passed < RESPELLED else "ERROR" if failed else "ok"
            made.append(
                {
                    "ts": (START + passed).isoformat(),
                    "status": None if rng.random() < 0.01 else 500 if failed else 200,
                    "outcome": outcome,
                    "route": rng.choice(("/chat", "/rag")),
                    "ms": None if passed > RENAMED else rng.randrange(1000),
                    "cost": rng.randrange(1, 9_999) / 10**6,
                    "tokens": rng.randrange(1, 9_999),
                }
            )
    return made


def requests_at(at: datetime) -> tuple[CountRequest, ...]:
    """Return what a policy asks: of every SLO its window, and burn rates."""
    asked = list[CountRequest]()
    for number, sli in enumerate(SLIS.values()):
        window = WINDOWS[number % len(WINDOWS)]
        asked.append(CountRequest(sli=sli, span=window.counted(at), probe=True))
        asked += [CountRequest(sli=sli, span=RollingWindow(b).counted(at)) for b in BURN]
    for slices in SLICES:
        for window in WINDOWS[:2]:
            span = window.counted(at)
            asked.append(CountRequest(sli=SLIS["failed"], span=span, slices=slices, probe=True))
    asked += [
        CountRequest(sli=sli, span=WINDOWS[2].counted(at), amount=True, probe=True)
        for sli in SPENT.values()
    ]
    return tuple(asked)


def instants(number: int) -> list[datetime]:
    """Return instants by chance, and some on the bounds of everything."""
    rng = random.Random(number)
    chosen = [START + rng.random() * (DAYS + 2) * DAY for _ in range(number)]
    return [START, START + LOST + HOUR, *chosen, AT, AT + 3 * DAY]


def compare(log: Path, runs: Sequence[PastRun], **more: Any) -> list[list[Answer]]:
    backend = open_backend(settings(log, **more), Limits(timeout=timedelta(minutes=5)))
    together = measure_past(backend, runs)
    assert len(together) == len(runs)
    for run, answers in zip(runs, together, strict=True):
        alone = backend.measure(run.requests, run.at)
        for request, answer, expected in zip(run.requests, answers, alone, strict=True):
            assert answer == expected, (run.at, request)
    return together


def runs_at(moments: Sequence[datetime]) -> list[PastRun]:
    return [PastRun(requests=requests_at(at), at=at) for at in moments]


@pytest.mark.slow
@pytest.mark.parametrize("form", ["jsonl", pytest.param("parquet", marks=pytest.mark.slow)])
def test_every_answer_is_what_the_run_gives_alone(tmp_path: Path, form: str) -> None:
    log = write(tmp_path / f"a.{form}", rows())

    answers = compare(log, runs_at(instants(7)))

    flat = [answer for of_run in answers for answer in of_run]
    causes = {
        suspicion.cause
        for answer in flat
        if not isinstance(answer, Unmeasured)
        for suspicion in answer.evidence.suspicions
    }
    # What there is to doubt has been doubted somewhere.
    assert causes == {Cause.UNKNOWN_OUTCOME, Cause.LOST, Cause.UNMATCHED}
    assert {answer.cause for answer in flat if isinstance(answer, Unmeasured)} >= {Cause.NO_DATA}
    assert {type(answer) for answer in flat} == {Counts, Spent, Unmeasured}


@pytest.mark.slow
def test_every_answer_of_many_random_instants_is_what_the_run_gives_alone(tmp_path: Path) -> None:
    # A fault at one instant of twenty escapes 60 of them with a chance of 5%.
    moments = instants(repeats(60, explored=250))
    compare(write(tmp_path / "a.parquet", rows()), runs_at(moments))


@pytest.mark.slow
def test_a_file_that_lacks_a_key_spoils_the_runs_that_look_at_it_only(tmp_path: Path) -> None:
    made = rows()
    early, late = made[:2_000], made[2_000:]
    write(tmp_path / "a.jsonl", [{**row, "status": None} for row in early])
    lacking = [{key: value for key, value in row.items() if key != "status"} for row in late[:300]]
    write(tmp_path / "b.jsonl", lacking)
    write(tmp_path / "c.jsonl", late[300:])

    answers = compare(tmp_path / "*.jsonl", runs_at(instants(3)))

    refused = [
        isinstance(of_run[0], Unmeasured) and 'no column "status"' in of_run[0].reason
        for of_run in answers
    ]
    assert 0 < sum(refused) < len(refused)


@pytest.mark.slow
def test_a_run_without_such_files_or_with_few_of_one_row_is_as_alone(tmp_path: Path) -> None:
    for number, row in enumerate(rows()[::90]):
        written = {k: v for k, v in row.items() if k != "route" or number % 3}
        write(tmp_path / f"{number:04}.jsonl", [written])

    compare(tmp_path / "*.jsonl", runs_at(instants(4)))


@pytest.mark.slow
@pytest.mark.variants(1)
@pytest.mark.parametrize("form", ["jsonl", "parquet"])
def test_a_value_that_cannot_be_read_spoils_the_runs_that_need_it(
    tmp_path: Path, form: str
) -> None:
    made = rows()[::20]
    made[40]["route"] = "no date"
    for row in made[:40] + made[41:]:
        row["route"] = "2026-01-01"
    sli = Sli(bad="route::DATE > DATE '2026-06-01'")
    runs = [
        PastRun(requests=(CountRequest(sli=sli, span=RollingWindow(5 * DAY).counted(at)),), at=at)
        for at in instants(7)
    ]

    answers = compare(write(tmp_path / f"a.{form}", made), runs)

    spoilt = [isinstance(answer, Unmeasured) for (answer,) in answers]
    assert all(spoilt) if form == "jsonl" else not all(spoilt)


def test_what_spoils_one_indicator_of_a_run_spoils_no_other(tmp_path: Path) -> None:
    bad = (Sli(bad="nothing > 1"), Sli(bad="outcome::DATE > DATE '2026-06-01'"), SLIS["failed"])
    runs = [
        PastRun(
            requests=tuple(
                CountRequest(sli=sli, span=RollingWindow(5 * DAY).counted(at)) for sli in bad
            ),
            at=at,
        )
        for at in instants(4)
    ]
    answers = compare(write(tmp_path / "a.parquet", rows()[::20]), runs)

    assert any(isinstance(failed, Counts) for _, _, failed in answers)


def test_many_runs_are_one_scan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = write(tmp_path / "a.jsonl", rows()[::10])
    seen = list[str]()
    watch(monkeypatch, lambda _, sql: seen.append(sql))
    sli = SLIS["failed"]
    runs = [
        PastRun(
            requests=(CountRequest(sli=sli, span=RollingWindow(30 * DAY).counted(at), probe=True),),
            at=at,
        )
        for at in instants(60)
    ]
    backend = open_backend(settings(log), Limits(timeout=timedelta(minutes=5)))
    assert isinstance(backend, LogsBackend)

    assert len(backend.measure_past(runs)) == len(runs)

    assert len([sql for sql in seen if "read_json(" in sql and "DESCRIBE" not in sql]) == 1


def test_no_run_needs_no_file(tmp_path: Path) -> None:
    backend = open_backend(settings(tmp_path / "missing.jsonl"), Limits(timeout=MINUTE))

    assert measure_past(backend, []) == []
    assert measure_past(backend, [PastRun(requests=(), at=AT)]) == [[]]
