"""Events by whatever labels the series have, as far as a real server will not play the part."""

from collections.abc import Mapping
from datetime import timedelta

import pytest
import responses

from gate.measure import Cause, Unmeasured
from gate.measure.capabilities import labels_of
from gate.measure.cohorts import LabelAnswer, LabelCounts, LabelRequest
from gate.slo.indicator import Sli
from gate.slo.objective import Span
from tests.backends.prometheus.played import (
    AT,
    RATIO,
    URL,
    FakePrometheus,
    backend,
    failure,
    parts_of,
    success,
)

HOUR = timedelta(hours=1)
WHOLE = Span(AT - 24 * HOUR, AT)
OUTAGE = Span(AT - 3 * HOUR, AT - 2 * HOUR)
GOOD = Sli(good='x{code="200"}', total="x")
BOTH = Sli(good="x_good", bad="x_bad")
Table = Mapping[str, tuple[str, ...]]
"""By a piece of the query: labels and number, as ``model=a,code=500:7``."""


def answer_with(table: Table, **more: object) -> FakePrometheus:
    """Return a server that knows numbers by labels; the first piece that fits counts."""

    def play(query: str) -> tuple[int, dict[str, str], str]:
        series: list[dict[str, object]] = []
        for mark, text in parts_of(query).items():
            lines = next((lines for piece, lines in table.items() if piece in text), ())
            for line in lines:
                labels, _, number = line.rpartition(":")
                metric = dict(pair.split("=") for pair in labels.split(",") if pair)
                marked = {**metric, **({"gate_part": mark} if mark else {})}
                series.append({"metric": marked, "value": [AT.timestamp(), number]})
        return 200, {}, success(series, **more)

    return FakePrometheus(refuse=play)


def ask(
    http: responses.RequestsMock,
    fake: FakePrometheus,
    sli: Sli = RATIO,
    spans: tuple[Span, ...] = (WHOLE,),
    most: int = 50,
) -> LabelAnswer:
    http.add_callback(responses.POST, URL, callback=fake)
    asked = labels_of(backend())
    assert asked is not None
    (answer,) = asked.label_counts([LabelRequest(sli=sli, spans=spans, most=most)])
    return answer


def counted(answer: LabelAnswer) -> LabelCounts:
    assert isinstance(answer, LabelCounts), answer
    return answer


def refused(answer: LabelAnswer, cause: Cause = Cause.INVALID) -> str:
    assert isinstance(answer, Unmeasured), answer
    assert answer.cause is cause
    return answer.reason


def test_each_value_of_each_label_has_its_events_in_each_span(
    http: responses.RequestsMock,
) -> None:
    fake = answer_with(
        {
            'x{code="500"}[3600s] offset 7200s': ("model=a,code=500:7",),
            'x{code="500"}[86400s]': ("model=a,code=500:9", "model=b,code=500:2"),
            "[3600s] offset 7200s": ("model=a,code=500:7", "model=a,code=200:3"),
            "[86400s]": ("model=a,code=200:100", "model=b,code=200:50", "model=b,code=500:2"),
        }
    )

    found = counted(ask(http, fake, spans=(WHOLE, OUTAGE)))

    assert found.labels == {
        "code": {"200": ((150, 0), (3, 0)), "500": ((2, 11), (7, 7))},
        "model": {"a": ((100, 9), (10, 7)), "b": ((52, 2), (0, 0))},
    }
    assert len(fake.queries) == 1, "one round of queries"
    assert "sum without (le, instance, pod," in fake.queries[0]


def test_what_is_not_good_is_bad(http: responses.RequestsMock) -> None:
    fake = answer_with(
        {"200": ("model=a,code=200:90",), "x[": ("model=a,code=200:90", "model=a,code=500:10")}
    )

    found = counted(ask(http, fake, GOOD))

    assert found.labels["model"] == {"a": ((100, 10),)}
    assert found.labels["code"] == {"200": ((90, 0),), "500": ((10, 10),)}


def test_good_and_bad_make_a_total(http: responses.RequestsMock) -> None:
    fake = answer_with({"x_good": ("model=a:90",), "x_bad": ("model=a,why=limit:10",)})

    found = counted(ask(http, fake, BOTH))

    assert found.labels["model"] == {"a": ((100, 10),)}
    assert found.labels["why"] == {"limit": ((0, 10),)}


def test_series_without_a_label_have_an_empty_value(http: responses.RequestsMock) -> None:
    fake = answer_with({"500": ("model=a:3", ":4"), "x": ("model=a:90", ":50")})

    assert counted(ask(http, fake)).labels == {"model": {"": ((50, 4),), "a": ((90, 3),)}}


def test_a_label_with_too_many_values_is_left_out(http: responses.RequestsMock) -> None:
    tenants = tuple(f"tenant={place},code=500:1" for place in range(4))
    fake = answer_with({"500": tenants, "x": tenants})

    found = counted(ask(http, fake, most=3))

    assert (set(found.labels), found.left_out) == ({"code"}, {"tenant": 4})


def test_a_window_that_is_counted_in_pieces_is_added_up_by_label(
    http: responses.RequestsMock,
) -> None:
    whole = answer_with({"500": ("model=a:3",), "x": ("model=a:90", "model=b:10")})
    play = whole.refuse

    def refuse_long(query: str) -> tuple[int, dict[str, str], str] | None:
        if "[86400s]" in query:
            return 422, {}, failure("execution", "query processing would load too many samples")
        return play(query)

    whole.refuse = refuse_long
    found = counted(ask(http, whole))

    assert found.labels["model"]["a"][0].bad % 3 == 0
    assert found.labels["model"]["a"][0].bad >= 6
    assert found.labels["model"]["a"][0].total == 30 * found.labels["model"]["a"][0].bad


@pytest.mark.parametrize(
    ("sli", "reason"),
    [
        (Sli(spent="x"), "only events can be grouped by labels"),
        (Sli(bad="max(x[$window])", total="x"), "bad: it cannot be grouped by labels"),
        (Sli(bad="x", total="y{"), "total: "),
    ],
)
def test_what_has_no_events_by_label_is_refused(
    http: responses.RequestsMock, sli: Sli, reason: str
) -> None:
    http.assert_all_requests_are_fired = False

    assert refused(ask(http, answer_with({}), sli)).startswith(reason)


def test_a_part_of_an_answer_is_none(http: responses.RequestsMock) -> None:
    fake = answer_with({"x": ("model=a:3",)}, warnings=["a store is down"])

    assert "partial answer: a store is down" in refused(ask(http, fake), Cause.PARTIAL)


def test_a_server_that_does_not_answer_is_reported(http: responses.RequestsMock) -> None:
    fake = FakePrometheus(refuse=lambda _: (503, {}, "down"))

    assert "503" in refused(ask(http, fake), Cause.BACKEND_ERROR)


def test_a_number_that_is_none_is_reported(http: responses.RequestsMock) -> None:
    assert "NaN" in refused(ask(http, answer_with({"x": ("model=a:NaN",)})))


def test_of_nothing_nothing_is_asked() -> None:
    asked = labels_of(backend())
    assert asked is not None
    assert asked.label_counts([]) == []


def test_of_a_metric_that_was_renamed_each_name_counts_for_its_part(
    http: responses.RequestsMock,
) -> None:
    sli = Sli(bad="new_bad", total="new_total", older=(Sli(bad="old_bad", total="old_total"),))
    fake = answer_with(
        {
            "count_over_time((label_replace": ("gate_name=1:5",),  # side by side for a while
            "gate_name": ("gate_name=0:0", "gate_name=1:0"),
            "new_bad[": ("model=a:3",),
            "new_total[": ("model=a:60", "model=b:40"),
            "old_bad": ("model=a:2", "model=b:5"),
            "old_total": ("model=a:30", "model=b:20"),
        }
    )

    found = counted(ask(http, fake, sli))

    assert found.labels == {"model": {"a": ((90, 5),), "b": ((60, 5),)}}
    (query,) = [query for query in fake.queries if "sum without" in query]
    assert "(old_bad unless on (" in query
