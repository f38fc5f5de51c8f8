"""Counting at many instants: what is asked together, and what by itself."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
import responses

from gate.backends.prometheus import past
from gate.measure import Answer, CountRequest, Counts
from gate.measure.past import PastRun, measure_past
from gate.slo.indicator import Sli
from gate.slo.objective import Span
from tests.backends.prometheus.played import AT, RATIO, VALUES, FakePrometheus, backend

DAY = timedelta(days=1)


def run_at(at: datetime, *slis: Sli) -> PastRun:
    requests = tuple(CountRequest(sli=sli, span=Span(at - DAY, at)) for sli in slis)
    return PastRun(requests=requests, at=at)


def counted(answers: Sequence[Sequence[Answer]]) -> list[int]:
    return [int(a.total) for own in answers for a in own if isinstance(a, Counts)]


def test_each_run_looks_back_to_its_own_instant(prometheus: FakePrometheus) -> None:
    prometheus.values = {"x[86400s] offset 86400s": "70", **VALUES}
    runs = [run_at(AT - days * DAY, RATIO) for days in (0, 2, 1)]

    answers = measure_past(backend(), runs)

    assert counted(answers) == [1000, 70, 1000]
    # The first one tells what the server takes; the others are asked at the newest of them.
    assert len(prometheus.queries) == 2
    assert float(prometheus.forms[1]["time"][0]) == (AT - DAY).timestamp()


def test_what_comes_back_is_kept_for_some_runs_at_a_time(
    prometheus: FakePrometheus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(past, "_AT_ONCE", 2)
    prometheus.values = VALUES

    measure_past(backend(), [run_at(AT - days * DAY, RATIO) for days in range(5)])

    assert len(prometheus.queries) == 3


def test_what_cannot_be_moved_is_counted_at_its_own_instant(prometheus: FakePrometheus) -> None:
    prometheus.values = VALUES
    fixed = Sli(bad="sum(increase(x[$window] @ end()))", total="sum(increase(x[$window]))")

    answers = measure_past(backend(), [run_at(AT - DAY, fixed), run_at(AT, RATIO)])

    assert counted(answers) == [1000, 1000]
    times = [float(form["time"][0]) for form in prometheus.forms]
    assert times == [(AT - DAY).timestamp(), AT.timestamp()]


def test_no_run_asks_nothing(prometheus: FakePrometheus) -> None:
    assert measure_past(backend(), []) == []
    assert measure_past(backend(), [PastRun(requests=(), at=AT)]) == [[]]
    assert prometheus.queries == []


@pytest.mark.parametrize(("header", "most"), [("X-Other", 80_000), ("X-Server-Hostname", 15_000)])
def test_queries_are_as_long_as_the_server_takes(
    http: responses.RequestsMock, header: str, most: int
) -> None:
    fake = FakePrometheus(values=VALUES)
    http.add_callback(
        responses.POST,
        "https://prometheus.example/api/v1/query",
        callback=lambda request: (200, {header: "host"}, fake(request)[2]),
    )
    runs = [run_at(AT - hours * timedelta(hours=1), RATIO) for hours in range(600)]

    measure_past(backend(), runs)

    longest = max(map(len, fake.queries))
    assert most * 0.9 < longest <= most
