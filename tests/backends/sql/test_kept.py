"""The history that a stopped change asks for is told by the scan that has counted."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from gate.backends import Settings, open_backend
from gate.backends.several.asking import AskedBackend
from gate.backends.several.backend import SeveralBackends
from gate.backends.sql.answering import RowsBackend
from gate.check.measure import KeptHistory, main_request
from gate.check.options import Options
from gate.check.run import run_check
from gate.config.load import load
from gate.history.events import past_request
from gate.measure import Answer, Backend, Cause, CountRequest, Limits, Unmeasured
from gate.measure.history import SHORTEST, Series, SeriesRequest, step_of
from gate.policy.findings import Verdict
from gate.slo.indicator import Sli, Slices
from gate.slo.objective import RatioSlo, RollingWindow, Span, SpendSlo
from tests.backends.logs import written
from tests.backends.sql.tables import AT, MINUTE, Table, backend, table_of

DAY: Final = timedelta(days=1)
HOUR: Final = timedelta(hours=1)
FAILED: Final = Sli(bad="status >= 500")
TYPES: Final = {"ts": "TIMESTAMPTZ", "status": "INTEGER", "cost": "DECIMAL(12, 4)"}
WINDOWS: Final = (7 * DAY, timedelta(hours=12), timedelta(minutes=90))


def rows(first: int = 0, every: int = 7, days: int = 9) -> list[dict[str, Any]]:
    """Return a row every few minutes, without four hours of the newest day, some of them failed."""
    hole = range(10 * 60, 14 * 60)
    return [
        {
            "ts": (AT - number * MINUTE).isoformat(),
            "status": 500 if number % 35 < every else 200,
            "cost": 0.25,
        }
        for number in range(first, days * 24 * 60, every)
        if number not in hole
    ]


def slo(window: timedelta, slices: Slices | None) -> RatioSlo:
    return RatioSlo(
        name="a",
        objective=Fraction(9, 10),
        window=RollingWindow(duration=window),
        sli=FAILED,
        slices=slices,
    )


def asked(slo: RatioSlo | SpendSlo) -> tuple[CountRequest, SeriesRequest]:
    """Return what a check asks about an SLO to count, and to see when a budget recovers."""
    window = slo.window.whole(AT).length
    slices = slo.slices if isinstance(slo, RatioSlo) else None
    step = step_of(window) if slices is None else max(slices.length, SHORTEST)
    return main_request(slo, AT), past_request(slo, slo.window.counted(AT), step, max_age=HOUR)


def logs(folder: Path, logged: Sequence[Mapping[str, Any]], form: str) -> Callable[[], Backend]:
    log = written.write(folder / f"log.{form}", logged)
    return lambda: open_backend(written.settings(log), Limits(timeout=MINUTE))


def opened(
    folder: Path, logged: Sequence[Mapping[str, Any]], form: str
) -> tuple[Callable[[], Backend], Table]:
    """Return what opens a backend over rows, in files or in a table."""
    table = Table() if form != "table" else table_of(logged, **TYPES)
    return (lambda: backend(table)) if form == "table" else logs(folder, logged, form), table


def grouped(statements: Sequence[str]) -> list[str]:
    """Return the statements that read all rows of the windows."""
    return [sql for sql in statements if sql.startswith("SELECT _k0")]


@pytest.mark.variants(1)
@pytest.mark.parametrize("form", ["table", "jsonl", "parquet"])
@pytest.mark.parametrize("first", [0, 1440])
def test_what_is_kept_is_what_a_scan_of_its_own_says(tmp_path: Path, form: str, first: int) -> None:
    open_one, _ = opened(tmp_path, rows(first), form)
    slices = (None, Slices(length=MINUTE, target=Fraction(1, 2)))
    slos: list[RatioSlo | SpendSlo] = [slo(window, each) for window in WINDOWS for each in slices]
    slos.append(
        SpendSlo(
            name="b",
            allowance=Fraction(10**6),
            window=RollingWindow(duration=7 * DAY),
            sli=Sli(spent="cost"),
            unit="USD",
        )
    )
    pairs = [asked(slo) for slo in slos]
    measuring, alone = open_one(), open_one()
    assert isinstance(measuring, RowsBackend)
    assert isinstance(alone, RowsBackend)
    measuring.measure([request for request, _ in pairs], AT)

    expected = alone.history([wanted for _, wanted in pairs])

    assert all(isinstance(series, Series) for series in expected)
    for (_, wanted), series in zip(pairs, expected, strict=True):
        kept = measuring.kept(wanted)
        assert isinstance(kept, Series)
        assert isinstance(series, Series)
        assert (kept.total, kept.bad) == (series.total, series.bad)


def test_what_the_scan_has_not_distinguished_is_asked() -> None:
    table = table_of(rows(), **TYPES)
    sql = backend(table)
    request, wanted = asked(slo(7 * DAY, None))
    dear = Sli(column="cost", threshold=Fraction(1))
    sql.measure([request, replace(request, sli=dear)], AT)
    others = [
        SeriesRequest(sli=dear, span=wanted.span, step=wanted.step, mean=True),
        SeriesRequest(sli=wanted.sli, span=wanted.span, step=timedelta(minutes=5)),
        SeriesRequest(sli=wanted.sli, span=Span(AT - 8 * DAY, AT), step=wanted.step),
        SeriesRequest(sli=wanted.sli, span=Span(wanted.span.start, AT - DAY), step=wanted.step),
        SeriesRequest(sli=Sli(bad="status >= 400"), span=wanted.span, step=wanted.step),
        SeriesRequest(
            sli=wanted.sli,
            span=wanted.span,
            step=wanted.step,
            slices=Slices(length=MINUTE, target=Fraction(1, 2)),
        ),
    ]

    assert sql.kept(wanted) is not None
    assert [sql.kept(other) for other in others] == [None] * 6
    before = len(grouped(table.statements))
    answers = sql.history([wanted, others[4], wanted])
    assert len(grouped(table.statements)) == before + 1
    assert [isinstance(answer, Series) for answer in answers] == [True] * 3
    assert answers[0] == answers[2] == sql.kept(wanted)
    sql.measure([CountRequest(sli=FAILED, span=request.span)], AT)
    assert sql.kept(wanted) is None  # It is not a budget's window.


def test_where_what_lies_beside_the_window_cannot_be_read_the_history_is_not_known() -> None:
    table = table_of(rows(first=1440), **TYPES)
    sql = backend(table)
    request, wanted = asked(slo(7 * DAY, None))
    sql.measure([request], AT)
    table.connection.execute("DROP TABLE requests")

    answer = sql.kept(wanted)

    assert isinstance(answer, Unmeasured)
    assert answer.cause is Cause.BACKEND_ERROR


def test_a_backend_that_kept_something_may_have_no_history() -> None:
    class Keeping:
        def kept(self, request: SeriesRequest) -> None:
            assert request.sli == FAILED

    _, wanted = asked(slo(7 * DAY, None))
    (answer,) = KeptHistory(Keeping(), lambda: None).history([wanted])

    assert isinstance(answer, Unmeasured)
    assert KeptHistory(Keeping(), lambda: backend(table_of(rows(), **TYPES))).history([wanted])


class Forgetful:
    """A backend that keeps nothing."""

    def measure(self, requests: Sequence[CountRequest], at: datetime) -> list[Answer]:
        raise AssertionError((requests, at))


def test_of_several_backends_each_shows_what_it_has_kept(tmp_path: Path) -> None:
    table, log = table_of(rows(), **TYPES), written.settings(tmp_path / "log.jsonl")
    backends: dict[str, Callable[[], Backend]] = {"": lambda: backend(table), "b": Forgetful}
    several = SeveralBackends(
        {name: AskedBackend(name, log, open_it) for name, open_it in backends.items()},
        Limits(timeout=MINUTE),
    )
    request, wanted = asked(slo(7 * DAY, None))
    several.measure([request], AT)

    assert isinstance(several.kept(wanted), Series)
    assert several.kept(replace(wanted, sli=replace(FAILED, backend="b"))) is None


@pytest.mark.variants(3)
@pytest.mark.parametrize("form", ["table", "parquet", "jsonl"])
@pytest.mark.parametrize(("objective", "verdict"), [("50%", Verdict.ALLOW), ("90%", Verdict.BLOCK)])
def test_a_check_is_one_scan_be_the_change_allowed_or_stopped(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    form: str,
    objective: str,
    verdict: Verdict,
) -> None:
    statements: list[str] = []
    written.watch(monkeypatch, lambda _, sql: statements.append(sql))
    open_one, table = opened(tmp_path, rows(), form)
    policy = tmp_path / "gate.yaml"
    policy.write_text(
        yaml.safe_dump(
            {
                "version": 1,
                "service": "chat",
                "backend": {"type": "logs", "path": "log.jsonl", "timestamp": "ts"},
                "max_age": "1h",
                "tiers": [
                    {"name": "healthy", "remaining": "> 0%", "allow": "all"},
                    {"name": "exhausted", "otherwise": True, "allow": ["rollback"]},
                ],
                "slos": [
                    {
                        "name": "errors",
                        "objective": objective,
                        "window": "7d",
                        "sli": {"bad": "status >= 500"},
                    }
                ],
            }
        )
    )

    def open_it(_: Settings, __: Limits) -> Backend:
        return open_one()

    options = Options(at=AT, timeout=MINUTE)
    decision = run_check([load(str(policy), {})], options, open_with=open_it)

    (decided,) = decision.policies
    assert decided.verdict is verdict
    assert (decided.assessments[0].recovery is not None) == (verdict is Verdict.BLOCK)
    statements += table.statements
    assert len(grouped(statements)) == 1
    reading = [sql for sql in statements if "read_" in sql and "LIMIT" not in sql]
    # Parquet's second statement only asks the files' own statistics for rows without a time.
    assert len([sql for sql in reading if "DESCRIBE" not in sql and "IS NULL" not in sql]) < 3
