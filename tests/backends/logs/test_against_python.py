"""Random logs: DuckDB's counts are plain Python's, over several windows, files and formats."""

import math
from collections.abc import Callable
from datetime import timedelta
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gate.measure import Cause, Unmeasured
from gate.slo.indicator import Sli
from tests.backends.logs.written import ask_all, before, counts, request, spent, write

ROW = st.fixed_dictionaries(
    {
        "us": st.one_of(
            st.sampled_from([0, -1, 1, 60_000_000, 60_000_001, 3_600_000_000, 86_400_000_000]),
            st.integers(-10_000_000, 2 * 86_400_000_000),
        ),
        "status": st.one_of(st.none(), st.sampled_from([200, 404, 499, 500, 503])),
        "ms": st.one_of(st.none(), st.integers(0, 9), st.sampled_from([2.5, 5.000001])),
        "cost": st.one_of(st.none(), st.integers(0, 1000).map(lambda n: n / 64)),
        "route": st.sampled_from(["/chat", "/rag", 'a "b", c', "d'e\n;"]),
    }
)
# Types are learned from values, so one row far outside all windows has one of each.
TYPED: Final[dict[str, Any]] = {"us": 10**12, "status": 1, "ms": 0.5, "cost": 0.5, "route": "/"}
WINDOWS: Final = [timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)]


def _failed(row: dict[str, Any]) -> bool:
    return row["status"] is None or row["status"] >= 500


def _slow(row: dict[str, Any]) -> bool:
    return row["ms"] is None or Fraction(row["ms"]) > 5


Condition = Callable[[dict[str, Any]], bool]
INDICATORS: Final[list[tuple[Sli, Condition, Condition]]] = [
    (Sli(bad="status >= 500"), lambda _: True, _failed),
    (Sli(good="status < 500", total="route = '/chat'"), lambda r: r["route"] == "/chat", _failed),
    (Sli(column="ms", threshold=Fraction(5)), lambda _: True, _slow),
    (
        Sli(column="ms", threshold=Fraction(5), total="status = 200"),
        lambda r: r["status"] == 200 or (r["status"] is None and _slow(r)),
        _slow,
    ),
]


def _written(row: dict[str, Any]) -> dict[str, Any]:
    return {"ts": before(row["us"] / 1e6), **{k: v for k, v in row.items() if k != "us"}}


@pytest.mark.variants(1)
@pytest.mark.parametrize("form", ["jsonl", "csv", "parquet", "jsonl.gz"])
@settings(max_examples=25, deadline=None)
@given(days=st.lists(st.lists(ROW, max_size=12), min_size=1, max_size=3))
def test_the_counts_are_those_of_plain_python(form: str, days: list[list[dict[str, Any]]]) -> None:
    with TemporaryDirectory() as folder:
        for number, rows in enumerate(days):
            write(Path(folder) / f"day-{number}.{form}", [_written(r) for r in [TYPED, *rows]])
        requests = [request(sli, w) for sli, _, _ in INDICATORS for w in WINDOWS]
        requests += [request(Sli(spent="cost"), w) for w in WINDOWS]
        answers = iter(ask_all(Path(folder) / f"*.{form}", requests))

        every = [row for rows in days for row in rows]
        for _, is_event, is_bad in INDICATORS:
            for window in WINDOWS:
                inside = _inside(every, window)
                events = [row for row in inside if is_event(row)]
                answer = next(answers)
                if events:
                    assert counts(answer) == (len(events), sum(map(is_bad, events)))
                else:
                    cause = Cause.NO_TRAFFIC if inside else Cause.NO_DATA
                    assert isinstance(answer, Unmeasured)
                    assert answer.cause is cause
        for window in WINDOWS:
            amounts = [r["cost"] for r in _inside(every, window) if r["cost"] is not None]
            answer = next(answers)
            if amounts:
                assert spent(answer).amount == Fraction(math.fsum(amounts))
            else:
                assert isinstance(answer, Unmeasured)
                assert answer.cause is Cause.NO_DATA


def _inside(rows: list[dict[str, Any]], window: timedelta) -> list[dict[str, Any]]:
    return [row for row in rows if 0 <= row["us"] < window // timedelta(microseconds=1)]
