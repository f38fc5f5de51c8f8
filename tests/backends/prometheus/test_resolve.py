"""Histograms and metrics of several names, as far as a real server will not play the part."""

import json
from dataclasses import replace
from fractions import Fraction

import pytest

from gate.measure import Cause, CountRequest, Counts, Unmeasured
from gate.slo.indicator import Bucket, Histogram, Sli
from tests.backends.prometheus.played import (
    AT,
    MONTH,
    VALUES,
    FakePrometheus,
    ask,
    backend,
    failure,
    parts_of,
    success,
)


def histogram(selector: str = "x", **more: object) -> Sli:
    known = {"good": selector, "total": selector, "threshold": Fraction(2), "unit": "s"}
    return Sli(histogram=Histogram(**{**known, **more}))  # type: ignore[arg-type]  # as each test has it


NEWER = Sli(bad="new_bad", total="new", older=(Sli(bad="old_bad", total="old"),))


def unmeasured(sli: Sli) -> Unmeasured:
    answer = ask(sli, probe=True)
    assert isinstance(answer, Unmeasured), answer
    return answer


@pytest.mark.parametrize("sli", [histogram(), NEWER])
def test_a_server_that_does_not_say_what_it_has_is_a_backend_error(
    prometheus: FakePrometheus, sli: Sli
) -> None:
    prometheus.refuse = lambda _: (500, {}, failure("internal", "broken"))

    found = unmeasured(sli)

    assert found.cause is Cause.BACKEND_ERROR
    assert found.reason.startswith("https://prometheus.example: ")
    assert "broken" in found.reason


@pytest.mark.parametrize("sli", [histogram(), NEWER])
def test_half_an_answer_does_not_say_what_a_server_has(
    prometheus: FakePrometheus, sli: Sli
) -> None:
    prometheus.more = {"warnings": ["store-7 did not answer"]}

    found = unmeasured(sli)

    assert found.cause is Cause.PARTIAL
    assert found.reason == "partial answer: store-7 did not answer"


def test_a_boundary_that_is_counted_as_nan_is_not_a_count(prometheus: FakePrometheus) -> None:
    prometheus.values = {"by (le)": "NaN"}

    assert unmeasured(histogram()).cause is Cause.INVALID


@pytest.mark.parametrize(
    ("sli", "reason"),
    [
        (histogram("sum(x)"), "a metric's name is expected here, with or without {...}"),
        (histogram('{job="a"}'), "a metric's name is expected here, with or without {...}"),
        (histogram("x{"), "a closing } is missing"),
        (replace(NEWER, total="new["), "a closing ] is missing"),
        (replace(NEWER, total="vector(1)"), "it has no $window and is not a bare"),
    ],
)
def test_what_cannot_be_read_is_reported_in_words(
    prometheus: FakePrometheus, sli: Sli, reason: str
) -> None:
    prometheus.values = VALUES

    found = unmeasured(sli)

    assert found.cause is Cause.INVALID
    assert reason in found.reason


def test_an_expression_without_a_metric_is_taken_as_it_is(prometheus: FakePrometheus) -> None:
    prometheus.values = {"vector": "5", "old": None, "bad": "1"}

    found = ask(replace(NEWER, total="vector(5) + 0 * $window"), span=MONTH)

    assert isinstance(found, Counts), found
    assert found.total == 5
    assert found.bad == 1


@pytest.mark.parametrize("bucket", list(Bucket))
def test_a_histogram_without_any_finite_boundary_has_none_to_stand_in(
    prometheus: FakePrometheus, bucket: Bucket
) -> None:
    prometheus.refuse = lambda _: (200, {}, boundaries("+Inf"))

    assert "2s is not a boundary of this histogram: there is none" in (
        unmeasured(histogram(bucket=bucket)).reason
    )


def test_the_flag_that_adds_a_boundary_is_reported(prometheus: FakePrometheus) -> None:
    prometheus.refuse = lambda _: (200, {}, boundaries("1.0", "+Inf"))

    found = unmeasured(histogram(advice="--buckets"))

    assert found.reason.endswith("or interpolate; another boundary is added by --buckets")


def boundaries(*texts: str) -> str:
    """Answer the first of the two parts that are asked about a histogram."""
    return success(
        [{"metric": {"le": text, "gate_part": "0"}, "value": [0, "1"]} for text in texts]
    )


def test_what_a_server_has_is_asked_together_with_the_counts_that_follow_most_likely(
    prometheus: FakePrometheus,
) -> None:
    prometheus.values = {"by (le)": ("1", "1"), **VALUES}
    prometheus.refuse = lambda query: (200, {}, counted(query)) if "by (le)" in query else None

    (answer,) = backend().measure([CountRequest(sli=histogram(), span=MONTH, probe=True)], AT)

    assert isinstance(answer, Counts), answer
    assert (answer.bad, answer.total) == (Fraction(40), Fraction(1000))
    assert len(prometheus.queries) == 1


def counted(query: str) -> str:
    """Answer as a histogram with a boundary at 2 does, of which 960 of 1,000 are at most that."""
    series: list[dict[str, object]] = []
    for mark, text in parts_of(query).items():
        if "by (le)" in text:
            series += [
                {"metric": {"gate_part": mark, "le": le}, "value": [0, "1"]} for le in ("2", "+Inf")
            ]
        elif text != "count(x)" and "unless" not in text and "by (instance, job)" not in text:
            value = (
                str(AT.timestamp()) if "timestamp" in text else "960" if "le=" in text else "1000"
            )
            series.append({"metric": {"gate_part": mark}, "value": [0, value]})
    return success(series)


def test_of_two_names_one_that_is_not_answered_is_not_a_zero(prometheus: FakePrometheus) -> None:
    prometheus.values = {
        "count_over_time((label_replace": None,
        "min_over_time": "0",
        "old_bad": "NaN",
        **VALUES,
    }
    prometheus.refuse = lambda query: (200, {}, both_there(prometheus.answer(query)))

    found = unmeasured(NEWER)

    assert found.cause is Cause.INVALID
    assert "bad: the value is NaN" in found.reason


def both_there(answer: str) -> str:
    """Say of both names since when they are there, where that is asked."""
    document = json.loads(answer)
    result = document["data"]["result"]
    for sample in [sample for sample in result if sample["value"][1] == "0"]:
        result.remove(sample)
        result += [
            {**sample, "metric": {**sample["metric"], "gate_name": place}} for place in ("0", "1")
        ]
    return json.dumps(document)
