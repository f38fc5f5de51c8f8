"""Histories, as far as a real server will not play the part."""

import json
from datetime import timedelta
from fractions import Fraction

import pytest
import responses

from gate.measure import Cause, Unmeasured
from gate.measure.capabilities import history_of
from gate.measure.history import Measured, Series, SeriesAnswer, SeriesRequest
from gate.slo.indicator import Histogram, Sli
from gate.slo.objective import Span
from tests.backends.prometheus.played import AT, RATIO, FakePrometheus, backend, failure

HOUR = timedelta(hours=1)
SPAN = Span(AT - 3 * HOUR, AT)


def ask(sli: Sli) -> SeriesAnswer:
    history = history_of(backend())
    assert history is not None
    (answer,) = history.history([SeriesRequest(sli=sli, span=SPAN, step=HOUR)])
    return answer


def matrix(**series: list[str | None]) -> str:
    """Answer a query of parts, by their place, with values at the ends of the three hours."""
    times = [(SPAN.start + place * HOUR).timestamp() for place in (1, 2, 3)]
    result = [
        {
            "metric": {"gate_part": name.removeprefix("part")},
            "values": [
                [time, value]
                for time, value in zip(times, values, strict=True)
                if value is not None
            ],
        }
        for name, values in series.items()
    ]
    return json.dumps({"status": "success", "data": {"resultType": "matrix", "result": result}})


def played(prometheus: FakePrometheus, sli: Sli, **series: list[str | None]) -> SeriesAnswer:
    prometheus.refuse = lambda _: (200, {}, matrix(**series))
    return ask(sli)


@pytest.fixture
def prometheus(http: responses.RequestsMock) -> FakePrometheus:
    fake = FakePrometheus()
    http.add_callback(
        responses.POST, "https://prometheus.example/api/v1/query_range", callback=fake
    )
    return fake


def test_an_absent_bad_part_is_none_beside_a_total(prometheus: FakePrometheus) -> None:
    found = played(prometheus, RATIO, part0=["9", None, "7"], part1=["2", None, None])

    assert isinstance(found, Series)
    assert (found.total, found.bad) == ((9.0, None, 7.0), (2.0, None, 0.0))


@pytest.mark.parametrize(
    ("pair", "reason"),
    [
        ([AT.timestamp() + 3600, "1"], "an instant that was not requested"),
        ([SPAN.start.timestamp(), "1"], "an instant that was not requested"),
        ([AT.timestamp() - 1, "1"], "an instant that was not requested"),
        (["now", "1"], "a series without value"),
        ([AT.timestamp(), 1], "a series without value"),
        (7, "a series without value"),
    ],
)
def test_a_point_that_cannot_be_placed_is_an_error_of_the_server(
    prometheus: FakePrometheus, pair: object, reason: str
) -> None:
    answer = json.loads(matrix(part0=["9", "5", "0"], part1=["2", "1", "0"]))
    answer["data"]["result"][1]["values"].append(pair)
    prometheus.refuse = lambda _: (200, {}, json.dumps(answer))

    found = ask(RATIO)

    assert isinstance(found, Unmeasured)
    assert (found.cause, found.reason) == (Cause.BACKEND_ERROR, f"bad: the answer holds {reason}")


def test_good_and_bad_make_a_total(prometheus: FakePrometheus) -> None:
    sli = Sli(good="x_good", bad="x_bad")
    found = played(prometheus, sli, part0=["9", "5", None], part1=["2", None, "3"])

    assert isinstance(found, Series)
    assert (found.total, found.bad) == ((11.0, 5.0, None), (2.0, 0.0, None))


def test_a_good_part_that_is_absent_is_not_known_unless_nothing_happened(
    prometheus: FakePrometheus,
) -> None:
    sli = Sli(good="x_good", total="x")
    found = played(prometheus, sli, part0=["9", "5", "0"], part1=["9.5", None, None])

    assert isinstance(found, Series)
    assert (found.total, found.bad) == ((9.0, None, 0.0), (0.0, None, 0.0))


def test_it_is_requested_at_the_ends_of_the_steps(prometheus: FakePrometheus) -> None:
    played(prometheus, RATIO)

    (form,) = prometheus.forms
    assert float(form["start"][0]) == (SPAN.start + HOUR).timestamp()
    assert float(form["end"][0]) == AT.timestamp()
    assert form["step"] == ["3600.000"]
    assert "last_over_time(x[3599999ms])" in form["query"][0]


def unmeasured(sli: Sli) -> Unmeasured:
    found = ask(sli)
    assert isinstance(found, Unmeasured), found
    return found


def test_a_server_that_does_not_answer_has_told_nothing(prometheus: FakePrometheus) -> None:
    prometheus.refuse = lambda _: (500, {}, failure("internal", "broken"))

    found = unmeasured(RATIO)

    assert found.cause is Cause.BACKEND_ERROR
    assert "broken" in found.reason


def test_a_part_of_a_history_is_none(prometheus: FakePrometheus) -> None:
    whole = json.loads(matrix(part0=["1", "1", "1"]))
    prometheus.refuse = lambda _: (200, {}, json.dumps({**whole, "warnings": ["store-7 is down"]}))

    assert unmeasured(RATIO).reason == "partial answer: store-7 is down"


@pytest.mark.parametrize(
    ("series", "cause"),
    [
        ({"part0": ["1", "NaN", "1"]}, Cause.INVALID),
        ({"part0": ["1", "word", "1"]}, Cause.BACKEND_ERROR),
    ],
)
def test_what_is_not_a_number_is_no_history(
    prometheus: FakePrometheus, series: dict[str, list[str | None]], cause: Cause
) -> None:
    found = played(prometheus, RATIO, **series)

    assert isinstance(found, Unmeasured)
    assert found.cause is cause


def test_several_series_are_not_distinguished(prometheus: FakePrometheus) -> None:
    twice = json.loads(matrix(part0=["1", "1", "1"]))
    twice["data"]["result"] *= 2
    prometheus.refuse = lambda _: (200, {}, json.dumps(twice))

    assert "2 series came back instead of one" in unmeasured(RATIO).reason


@pytest.mark.parametrize("sli", [Sli(gauge="up"), Sli(spent="x"), Sli(bad="x")])
def test_only_events_have_a_history(prometheus: FakePrometheus, sli: Sli) -> None:
    assert unmeasured(sli).cause is Cause.INVALID
    assert prometheus.queries == []


def test_nothing_is_asked_where_nothing_is_wanted(prometheus: FakePrometheus) -> None:
    history = history_of(backend())
    assert history is not None

    assert history.history([]) == []
    assert prometheus.queries == []


LATENCY = Sli(histogram=Histogram(good="x", total="x", threshold=Fraction(2), unit="s"))


def told(
    prometheus: FakePrometheus, http: responses.RequestsMock, summed: list[str | None]
) -> Series:
    """Ask for the ratio and the mean of a histogram with a boundary at 2."""
    bounds = [
        {"metric": {"gate_part": "0", "le": le}, "value": [AT.timestamp(), "1"]}
        for le in ("2", "+Inf")
    ]
    known = {"status": "success", "data": {"resultType": "vector", "result": bounds}}
    http.add(responses.POST, "https://prometheus.example/api/v1/query", json=known)
    parts = matrix(part0=["9", None, "4"], part1=["8", None, "4"], part2=summed)
    prometheus.refuse = lambda _: (200, {}, parts)
    history = history_of(backend())
    assert history is not None
    asked = SeriesRequest(sli=LATENCY, span=SPAN, step=HOUR, mean=True)
    (found,) = history.history([asked])
    assert isinstance(found, Series), found
    return found


def test_the_mean_of_a_histogram_is_requested_beside_its_counts(
    prometheus: FakePrometheus, http: responses.RequestsMock
) -> None:
    found = told(prometheus, http, ["13.5", None, "6"])

    assert found.measured == Measured(sums=(13.5, None, 6.0), events=(9.0, None, 4.0))
    assert found.bad == (1.0, None, 0.0)
    assert "increase(x_sum[3600s])" in found.query
    assert len(prometheus.queries) == 1


def test_a_sum_that_is_missing_in_a_step_makes_its_mean_unknown(
    prometheus: FakePrometheus, http: responses.RequestsMock
) -> None:
    found = told(prometheus, http, ["13.5", "1", None])

    assert found.measured == Measured(sums=(13.5, None, None), events=(9.0, None, None))


def test_a_sum_that_is_not_a_number_spoils_the_mean_and_not_the_counts(
    prometheus: FakePrometheus, http: responses.RequestsMock
) -> None:
    found = told(prometheus, http, ["13.5", "NaN", "6"])

    assert isinstance(found.measured, Unmeasured)
    assert (found.measured.cause, found.measured.reason) == (
        Cause.INVALID,
        "sum: the value is NaN, which is not a count",
    )
    assert found.total == (9.0, None, 4.0)
