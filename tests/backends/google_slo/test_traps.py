"""Where Google Cloud Monitoring says yes without having measured, and where it only looks so."""

import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from gate.backends import open_backend
from gate.backends.google_slo.points import read_points
from gate.backends.google_slo.settings import GoogleSloSettings
from gate.measure import Cause, CountRequest, Counts, Granted, Limits, MeasurementError, Unmeasured
from gate.measure.coverage import NO_GAPS
from gate.slo.calendar import Period
from gate.slo.indicator import Sli
from gate.slo.objective import CalendarWindow
from tests.backends.google_slo.policies import (
    DAY,
    HOUR,
    MINUTE,
    MONTH,
    ask,
    counts,
    opened,
    refused,
    slo,
    span,
    total_and_bad,
)
from tests.backends.loopback import serving
from tests.backends.prometheus.played import AT
from tests.servers.google_monitoring import (
    TOKEN,
    FakeMonitoring,
    Refusal,
    Sample,
    Samples,
    Spoil,
    every,
    written,
)

JsonObject = dict[str, Any]
BAD, EVENTS = 60, 60_000
"""The counts of the hour that the SLO has data for."""


def spoiling(change: Callable[[JsonObject], JsonObject | None]) -> Spoil:
    """Change each answer with numbers, or send another in its place."""

    def spoil(path: str, _params: Mapping[str, str], answer: JsonObject) -> JsonObject:
        if not path.endswith("/timeSeries"):
            return answer
        return change(answer) or answer

    return spoil


def changed(change: Callable[[JsonObject], JsonObject | None]) -> FakeMonitoring:
    return FakeMonitoring([slo()], spoiling(change))


def series_of(answer: JsonObject, kind: str) -> JsonObject:
    """Return the series of good or bad events."""
    return next(
        dict(each)
        for each in answer["timeSeries"]
        if each["metric"]["labels"]["event_type"] == kind
    )


def only(kind: str) -> Callable[[JsonObject], JsonObject]:
    return lambda answer: {**answer, "timeSeries": [series_of(answer, kind)]}


def answered(kind: str, value: object) -> JsonObject:
    """Return an answer with the value of one hour."""
    interval = {"startTime": written(AT - HOUR), "endTime": written(AT)}
    labels = {"labels": {"event_type": kind}}
    return {"timeSeries": [{"metric": labels, "points": [{"interval": interval, "value": value}]}]}


# Counts


def test_good_and_bad_events_are_counted_by_their_label() -> None:
    answer = counts(FakeMonitoring([slo()]))

    assert total_and_bad(answer) == (EVENTS, BAD)
    assert answer.evidence.newest == AT
    assert answer.evidence.coverage == 1
    assert answer.evidence.gaps == NO_GAPS
    assert not answer.evidence.warnings
    assert not answer.evidence.suspicions


def test_a_missing_bad_series_beside_good_events_is_not_a_bad_event() -> None:
    answer = counts(changed(only("good")))

    assert total_and_bad(answer) == (999 * 60, 0)


def test_a_missing_good_series_beside_bad_events_means_that_all_events_are_bad() -> None:
    answer = counts(changed(only("bad")))

    assert total_and_bad(answer) == (60, 60)


@pytest.mark.parametrize("empty", [{}, {"timeSeries": []}, {"timeSeries": None}, {"unit": "1"}])
def test_an_answer_without_any_series_is_no_data(empty: JsonObject) -> None:
    fake = FakeMonitoring([slo()], spoiling(lambda _: {"unit": "1", **empty}))

    answer = refused(fake)

    assert answer.cause is Cause.NO_DATA
    assert "no good and no bad events came back" in answer.reason


@pytest.mark.parametrize("points", [None, [], "none", {}, [None]])
@pytest.mark.parametrize("kind", ["good", "bad"])
def test_a_series_without_points_is_invalid_and_not_zero(kind: str, points: object) -> None:
    answer = answered(kind, {"doubleValue": 7.0})
    answer["timeSeries"][0]["points"] = points

    with pytest.raises(MeasurementError, match="points") as error:
        read_points([answer], span(HOUR), HOUR)

    assert error.value.cause is Cause.INVALID


def test_points_of_zero_are_data_that_say_that_nothing_happened() -> None:
    quiet = Samples(every(MINUTE, AT - HOUR, AT, good=0))

    assert refused(FakeMonitoring([slo(samples=quiet)])).cause is Cause.NO_TRAFFIC


@pytest.mark.parametrize(
    ("value", "count"),
    [
        ({"doubleValue": 7.0}, Fraction(7)),
        ({"doubleValue": 7}, Fraction(7)),
        ({"doubleValue": 0.5}, Fraction(1, 2)),
        ({"doubleValue": 0}, Fraction(0)),
        ({"int64Value": "7"}, Fraction(7)),
        ({"int64Value": "9007199254740993"}, Fraction(9007199254740993)),
        ({"int64Value": 7}, Fraction(7)),
        ({"int64Value": "0"}, Fraction(0)),
    ],
)
def test_a_number_is_read_exactly(value: JsonObject, count: Fraction) -> None:
    points = read_points([answered("bad", value)], span(HOUR), HOUR)

    assert points.within(span(HOUR)) == (count, count)


@pytest.mark.parametrize(
    "value",
    [
        None,
        {},
        7,
        "7",
        [],
        {"doubleValue": None},
        {"doubleValue": "7"},
        {"doubleValue": ""},
        {"doubleValue": True},
        {"doubleValue": "NaN"},
        {"doubleValue": "Infinity"},
        {"doubleValue": "-Infinity"},
        {"doubleValue": float("nan")},
        {"doubleValue": float("inf")},
        {"doubleValue": 1e300},
        {"doubleValue": 10**400},
        {"doubleValue": -0.5},
        {"doubleValue": [7]},
        {"int64Value": None},
        {"int64Value": ""},
        {"int64Value": "seven"},
        {"int64Value": "7.5"},
        {"int64Value": 7.5},
        {"int64Value": "-7"},
        {"int64Value": -7},
        {"int64Value": False},
        {"int64Value": "99999999999999999999"},
        {"int64Value": "\u0667"},
        {"boolValue": False},
        {"stringValue": "0"},
        {"distributionValue": {"count": "0"}},
        {"doubleValue": 7.0, "int64Value": "7"},
    ],
)
@pytest.mark.parametrize("kind", ["good", "bad"])
def test_what_is_not_a_number_of_events_is_invalid_and_never_zero(kind: str, value: object) -> None:
    with pytest.raises(MeasurementError, match="is not a number of events") as error:
        read_points([answered(kind, value)], span(HOUR), HOUR)

    assert error.value.cause is Cause.INVALID


@pytest.mark.parametrize(
    "series",
    [
        "good",
        {"good": 7},
        [7],
        [None],
        [[]],
    ],
)
def test_series_of_another_shape_are_invalid(series: object) -> None:
    answer = refused(changed(lambda _: {"timeSeries": series}))

    assert answer.cause is Cause.INVALID
    assert "timeSeries of the answer is not a list of objects" in answer.reason


@pytest.mark.parametrize(
    "metric",
    [
        None,
        {},
        "good",
        {"labels": None},
        {"labels": []},
        {"labels": {}},
        {"labels": {"event_type": ""}},
        {"labels": {"event_type": "GOOD"}},
        {"labels": {"event_type": "unknown"}},
        {"labels": {"event_type": 1}},
        {"labels": {"kind": "good"}},
    ],
)
def test_a_series_that_is_neither_good_nor_bad_is_invalid(metric: object) -> None:
    def change(answer: JsonObject) -> JsonObject:
        odd = {**series_of(answer, "bad"), "metric": metric}
        return {**answer, "timeSeries": [series_of(answer, "good"), odd]}

    answer = refused(changed(change))

    assert answer.cause is Cause.INVALID
    assert "which must be good or bad" in answer.reason


def test_several_series_of_one_kind_are_invalid() -> None:
    answer = refused(
        changed(lambda answer: {"timeSeries": [*answer["timeSeries"], series_of(answer, "bad")]})
    )

    assert (answer.cause, answer.reason) == (
        Cause.INVALID,
        "the answer has two series of bad events; compare the SLO, and its group, with"
        " the platform's own page of it",
    )


def test_series_of_several_types_of_resources_add_up() -> None:
    def change(answer: JsonObject) -> JsonObject:
        others = [{**each, "resource": {"type": "gce_instance"}} for each in answer["timeSeries"]]
        return {"timeSeries": [*answer["timeSeries"], *others]}

    answer = counts(changed(change))

    assert total_and_bad(answer) == (2 * EVENTS, 2 * BAD)


@pytest.mark.parametrize("resource", [None, "global", {}, {"type": "global"}])
def test_a_resource_of_another_shape_changes_nothing(resource: object) -> None:
    def change(answer: JsonObject) -> None:
        for each in answer["timeSeries"]:
            each["resource"] = resource

    assert counts(changed(change)).total == EVENTS


def test_a_cumulative_series_is_invalid_since_its_points_cannot_be_added_up() -> None:
    def change(answer: JsonObject) -> None:
        for each in answer["timeSeries"]:
            each["metricKind"] = "CUMULATIVE"

    answer = refused(changed(change))

    assert answer.cause is Cause.INVALID
    assert "the series of good events is cumulative" in answer.reason


# Times


def shifted(point: JsonObject, **by: timedelta) -> None:
    """Move the start or the end of a point."""
    for key, length in by.items():
        at = datetime.fromisoformat(point["interval"][f"{key}Time"]) + length
        point["interval"][f"{key}Time"] = written(at)


@pytest.mark.parametrize(
    ("place", "by"),
    [
        (-1, {"start": -HOUR}),
        (-1, {"start": -2 * MINUTE, "end": -MINUTE}),
        (-1, {"start": -MONTH, "end": -MONTH}),
        (0, {"end": MINUTE}),
        (0, {"end": timedelta(seconds=1)}),
        (0, {"start": DAY, "end": DAY}),
    ],
)
def test_a_point_beside_what_was_requested_is_invalid(
    place: int, by: Mapping[str, timedelta]
) -> None:
    answer = refused(
        changed(lambda answer: shifted(series_of(answer, "bad")["points"][place], **by))
    )

    assert answer.cause is Cause.INVALID
    assert "but the request was from" in answer.reason


def test_a_step_that_begins_before_a_window_cannot_be_cut() -> None:
    answer = answered("bad", {"doubleValue": 7.0})
    for point in answer["timeSeries"][0]["points"]:
        shifted(point, start=-HOUR / 2, end=-HOUR / 2)
    points = read_points([answer], span(2 * HOUR), HOUR)

    assert points.within(span(2 * HOUR)) == (Fraction(7), Fraction(7))
    with pytest.raises(MeasurementError, match="but the request was from") as error:
        points.within(span(HOUR))
    assert error.value.cause is Cause.INVALID


@pytest.mark.parametrize("by", [timedelta(milliseconds=1), -timedelta(seconds=59)])
def test_a_point_may_begin_with_the_minute_in_which_the_interval_begins(by: timedelta) -> None:
    answer = counts(
        changed(lambda answer: shifted(series_of(answer, "bad")["points"][-1], start=by))
    )

    assert answer.bad == BAD


def test_points_that_are_instants_end_a_step_each() -> None:
    def change(answer: JsonObject) -> None:
        for each in answer["timeSeries"]:
            each["metricKind"] = "GAUGE"
            for point in each["points"]:
                del point["interval"]["startTime"]

    assert counts(changed(change)).total == EVENTS


@pytest.mark.parametrize(
    "end", [None, "", "yesterday", 1767225600, [], "2026-01-01", "99999-01-01T00:00:00Z"]
)
def test_a_time_that_is_not_an_instant_is_invalid(end: object) -> None:
    def change(answer: JsonObject) -> None:
        series_of(answer, "bad")["points"][3]["interval"]["endTime"] = end

    assert refused(changed(change)).cause is Cause.INVALID


def test_a_point_without_an_interval_is_invalid() -> None:
    def change(answer: JsonObject) -> None:
        series_of(answer, "bad")["points"][3]["interval"] = None

    answer = refused(changed(change))

    assert answer.cause is Cause.INVALID
    assert "which is not an instant" in answer.reason


def test_a_time_may_have_nanoseconds() -> None:
    def change(answer: JsonObject) -> None:
        series_of(answer, "bad")["points"][0]["interval"]["startTime"] = (
            "2025-12-31T23:59:00.000000001Z"
        )

    assert counts(changed(change)).bad == BAD


@pytest.mark.parametrize("length", [MINUTE, 10 * MINUTE, HOUR - 2 * MINUTE])
def test_points_of_less_than_a_step_are_invalid(length: timedelta) -> None:
    def shorter(answer: JsonObject) -> None:
        for point in series_of(answer, "good")["points"]:
            end = datetime.fromisoformat(point["interval"]["endTime"])
            point["interval"]["startTime"] = written(end - length)

    samples = Samples(every(HOUR, AT - MONTH, AT, good=100))
    answer = refused(FakeMonitoring([slo(samples=samples)], spoiling(shorter)), MONTH)

    assert answer.cause is Cause.INVALID
    assert "steps of 1h were requested" in answer.reason


@pytest.mark.parametrize("length", [MINUTE, HOUR - MINUTE, HOUR + MINUTE / 2])
def test_the_first_point_of_a_series_may_be_of_a_part_of_its_step(length: timedelta) -> None:
    def shorter(answer: JsonObject) -> None:
        for each in answer["timeSeries"]:
            interval = each["points"][-1]["interval"]
            end = datetime.fromisoformat(interval["endTime"])
            if end < AT - DAY:
                interval["startTime"] = written(end - length)

    samples = Samples(every(HOUR, AT - 20 * DAY, AT, good=100))
    fake = FakeMonitoring([slo(samples=samples)], spoiling(shorter))

    assert total_and_bad(counts(fake, MONTH)) == (20 * 24 * 100, 0)


ODD = 14 * DAY + 12 * HOUR + 7 * MINUTE
"""No whole number of half hours, so that it is counted by itself and looked at in half hours."""


def of_the_whole(**values: float) -> Spoil:
    """Change the counts of a window of odd length, and not those of its parts."""

    def spoil(_path: str, params: Mapping[str, str], answer: JsonObject) -> JsonObject:
        if params.get("aggregation.alignmentPeriod") == f"{int(ODD.total_seconds())}s":
            for kind, value in values.items():
                series_of(answer, kind)["points"][0]["value"] = {"doubleValue": value}
        return answer

    return spoil


@pytest.mark.parametrize("values", [{"bad": 1.0}, {"good": 1.0}, {"bad": 0.0, "good": 0.5}])
def test_a_count_of_less_than_its_parts_have_is_suspected(values: Mapping[str, float]) -> None:
    samples = Samples(every(MINUTE, AT - ODD, AT, good=90, bad=10))
    answer = counts(FakeMonitoring([slo(samples=samples)], of_the_whole(**values)), ODD)

    (suspicion,) = answer.evidence.suspicions
    assert suspicion.cause is Cause.CONTRADICTED
    assert suspicion.hidden is None
    assert "in the parts of it" in suspicion.reason


@pytest.mark.parametrize("more", [-100.0, 0.0, 100.0, 100_000.0])
def test_events_that_come_in_between_two_requests_are_not_suspected(more: float) -> None:
    samples = Samples(every(MINUTE, AT - ODD, AT, good=90, bad=10))
    minutes = ODD // MINUTE
    spoil = of_the_whole(good=90 * minutes + more, bad=10 * minutes + more)
    answer = counts(FakeMonitoring([slo(samples=samples)], spoil), ODD)

    assert not answer.evidence.suspicions


def test_two_points_of_the_same_time_are_invalid() -> None:
    def change(answer: JsonObject) -> None:
        points = series_of(answer, "bad")["points"]
        points.append(points[3])

    answer = refused(changed(change))

    assert answer.cause is Cause.INVALID
    assert "two points of the series of bad events are of the same time" in answer.reason


# Half answers


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (
            {"executionErrors": [{"code": 14, "message": "shard 3 is down"}]},
            "the query had an error: shard 3 is down",
        ),
        ({"executionErrors": [{"code": 14}]}, "the query had an error: without words"),
        ({"executionErrors": ["shard 3"]}, "the query had an error: shard 3"),
        ({"executionErrors": {"message": "all down"}}, "the query had an error: all down"),
        ({"unreachable": ["europe-west1"]}, "europe-west1 cannot be reached"),
        ({"unreachable": "europe-west1"}, "europe-west1 cannot be reached"),
    ],
)
def test_what_is_reported_to_be_missing_in_a_200_makes_the_answer_partial(
    said: JsonObject, words: str
) -> None:
    assert counts(changed(lambda answer: {**answer, **said})).evidence.warnings == (words,)

    answer = refused(FakeMonitoring([slo()], spoiling(lambda _: said)))
    assert (answer.cause, answer.reason) == (Cause.PARTIAL, f"nothing came back: {words}")


@pytest.mark.parametrize(
    "said", [{}, {"executionErrors": []}, {"unreachable": []}, {"unreachable": None}]
)
def test_where_nothing_is_reported_to_be_missing_the_answer_is_whole(said: JsonObject) -> None:
    assert counts(changed(lambda answer: {**answer, **said})).evidence.warnings == ()


def test_a_warning_shows_no_token() -> None:
    said = {"unreachable": [f"region of {TOKEN}"]}
    (warning,) = counts(changed(lambda answer: {**answer, **said})).evidence.warnings

    assert warning == "region of *** cannot be reached"


def test_pages_are_put_together() -> None:
    fake = FakeMonitoring([slo()], page=7)
    answer = counts(fake)

    assert total_and_bad(answer) == (EVENTS, BAD)
    # 60 points of two series by 7: the 9th page has both series.
    assert sum(path.endswith("/timeSeries") for path, _ in fake.requests) == 18


@pytest.mark.parametrize("token", [None, ""])
def test_an_empty_token_is_that_of_no_page(token: object) -> None:
    assert counts(changed(lambda answer: {**answer, "nextPageToken": token})).bad == BAD


@pytest.mark.parametrize(
    ("token", "cause", "words"),
    [
        ("0", Cause.PARTIAL, "names the same next page again, after 2 pages"),
        (7, Cause.INVALID, "nextPageToken is not a text"),
        ([0], Cause.INVALID, "nextPageToken is not a text"),
    ],
)
def test_pages_that_do_not_end_give_no_count(token: object, cause: Cause, words: str) -> None:
    answer = refused(changed(lambda answer: {**answer, "nextPageToken": token}))

    assert answer.cause is cause
    assert words in answer.reason


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ({"code": 500, "status": "INTERNAL", "message": "boom"}, "boom"),
        ({"code": 500}, "without words"),
        ("boom", "boom"),
    ],
)
def test_a_page_with_an_error_in_a_200_leaves_no_count(error: object, words: str) -> None:
    def spoil(path: str, params: Mapping[str, str], answer: JsonObject) -> JsonObject:
        if not path.endswith("/timeSeries"):
            return answer
        if "pageToken" in params:
            return {"error": error}
        return {"timeSeries": [series_of(answer, "good")], "nextPageToken": "1000"}

    answer = refused(FakeMonitoring([slo()], spoil))

    assert answer.cause is Cause.BACKEND_ERROR
    assert "an error beside the status 200" in answer.reason
    assert words in answer.reason


def test_a_page_that_is_refused_leaves_no_count() -> None:
    def spoil(_path: str, params: Mapping[str, str], answer: JsonObject) -> JsonObject:
        if "pageToken" in params:
            raise Refusal(503, "UNAVAILABLE", "try later")
        return answer

    answer = refused(FakeMonitoring([slo()], spoil, page=50))

    assert answer.cause is Cause.BACKEND_ERROR
    assert "503 Service Unavailable (UNAVAILABLE): try later" in answer.reason


# The newest minutes


def test_the_answer_is_as_new_as_its_newest_minute() -> None:
    samples = every(MINUTE, AT - MONTH, AT - 3 * MINUTE, good=9, bad=1)
    answer = counts(FakeMonitoring([slo(samples=Samples(samples))]), MONTH)

    assert answer.evidence.newest == AT - 3 * MINUTE
    assert answer.bad == 30 * 24 * 60 - 3


def test_data_older_than_an_hour_are_as_new_as_the_step_that_has_them_begins() -> None:
    samples = every(HOUR, AT - MONTH, AT - 5 * HOUR, good=999, bad=1)
    answer = counts(FakeMonitoring([slo(samples=Samples(samples))]), MONTH)

    assert answer.evidence.newest == AT - 6 * HOUR


def test_the_instant_of_the_run_is_passed_on() -> None:
    fake, at = FakeMonitoring([slo()]), AT - 10 * MINUTE - timedelta(seconds=17.5)
    answer = counts(fake, at=at)

    intervals = {
        (params["interval.startTime"], params["interval.endTime"])
        for path, params in fake.requests
        if path.endswith("/timeSeries")
    }
    assert intervals == {("2025-12-31T22:49:42Z", "2025-12-31T23:49:42Z")}
    assert answer.bad == BAD - 10 - 1


# Windows


def test_all_windows_of_an_slo_are_counted_by_two_requests() -> None:
    samples = every(MINUTE, AT - MONTH, AT, good=9, bad=1)
    fake = FakeMonitoring([slo(samples=Samples(samples))])
    windows = [MONTH, 5 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 6 * HOUR, DAY, 3 * DAY]
    answers = ask(fake, *windows)

    bad = [answer.bad for answer in answers if isinstance(answer, Counts)]
    assert bad == [length // MINUTE for length in windows]
    periods = [params.get("aggregation.alignmentPeriod") for _, params in fake.requests]
    assert sorted(filter(None, periods)) == ["3600s", "60s"]


def test_a_window_that_is_not_made_of_these_steps_has_a_request_of_its_own() -> None:
    samples = every(MINUTE, AT - MONTH, AT, good=9, bad=1)
    fake = FakeMonitoring([slo(samples=Samples(samples))])
    (_, answer) = ask(fake, MONTH, 90 * MINUTE + timedelta(seconds=30))

    assert isinstance(answer, Counts)
    # The minutes that end 0 to 90 minutes ago.
    assert answer.bad == 91
    periods = [params.get("aggregation.alignmentPeriod") for _, params in fake.requests]
    assert sorted(filter(None, periods)) == ["3600s", "5430s", "60s"]


def test_a_window_of_a_burn_rate_without_data_is_not_calm() -> None:
    samples = every(MINUTE, AT - MONTH, AT - 6 * MINUTE, good=9, bad=1)
    answers = ask(FakeMonitoring([slo(samples=Samples(samples))]), MONTH, 5 * MINUTE)

    assert isinstance(answers[0], Counts)
    assert isinstance(answers[1], Unmeasured)
    assert answers[1].cause is Cause.NO_DATA


@pytest.mark.parametrize("length", [timedelta(0), timedelta(seconds=59), timedelta(seconds=59.9)])
def test_less_than_a_minute_is_not_requested(length: timedelta) -> None:
    fake = FakeMonitoring([slo()])
    answer = refused(fake, length)

    assert answer.cause is Cause.NO_DATA
    assert "cannot count less than a minute" in answer.reason
    assert not [path for path, _ in fake.requests if path.endswith("/timeSeries")]


@pytest.mark.parametrize("seconds", [60, 61, 90, 3599, 3600, 86_400 + 17])
def test_a_calendar_period_is_counted_from_its_start(seconds: int) -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    at = start + timedelta(seconds=seconds)
    # One bad event a second; those before the period belong to the one before.
    samples = every(timedelta(seconds=1), start - HOUR, at, good=9, bad=1)
    month = {"calendarPeriod": "MONTH"}
    fake = FakeMonitoring([slo(samples=Samples(samples), period=month)])
    window = CalendarWindow(Period.MONTH, UTC)
    with opened(fake) as backend:
        request = CountRequest(
            sli=Sli(slo="Chat availability"), span=window.counted(at), probe=True
        )
        (answer,) = backend.measure([request], at)

    assert isinstance(answer, Counts), answer
    assert total_and_bad(answer) == (10 * seconds, seconds)
    assert answer.evidence.definition is not None
    assert answer.evidence.definition.to_date
    assert any("names no time zone" in note for note in answer.evidence.notes)


@pytest.mark.parametrize("minutes", [5, 6, 20])
def test_minutes_that_are_under_way_are_not_missing_from_a_period_that_has_begun(
    minutes: int,
) -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    at = start + minutes * MINUTE
    samples = every(MINUTE, start - HOUR, at - 4 * MINUTE, good=99, bad=1)
    answer = counts(FakeMonitoring([slo(samples=Samples(samples))]), minutes * MINUTE, at=at)

    assert answer.evidence.newest == at - 4 * MINUTE
    assert answer.evidence.coverage == 1


def test_more_than_the_minutes_that_are_under_way_is_missing() -> None:
    samples = every(MINUTE, AT - HOUR, AT - 30 * MINUTE, good=99, bad=1)
    answer = counts(FakeMonitoring([slo(samples=Samples(samples))]))

    # 30 of the 55 minutes that have passed long enough ago.
    assert answer.evidence.coverage == Fraction(30, 55)


def test_the_only_minute_of_a_period_may_be_without_data() -> None:
    samples = [Sample(AT - 70 * MINUTE / 60, good=5)]
    fake = FakeMonitoring([slo(samples=Samples(samples))])
    answer = counts(fake, timedelta(seconds=90))

    assert (answer.total, answer.evidence.coverage) == (Fraction(5), Fraction(0))


# Windows that are good or bad as a whole

WINDOWS = {"windowsBased": {"windowPeriod": "300s", "goodBadMetricFilter": "a"}}


def windows(samples: list[Sample], period: str = "300s") -> FakeMonitoring:
    """Return an SLO of which each sample is a window."""
    indicator = {"windowsBased": {"windowPeriod": period, "goodBadMetricFilter": "a"}}
    return FakeMonitoring([slo(samples=Samples(samples), indicator=indicator)])


def test_windows_that_are_good_or_bad_count_as_seconds() -> None:
    samples = every(5 * MINUTE, AT - MONTH, AT - HOUR, good=1)
    samples += every(5 * MINUTE, AT - HOUR, AT, good=0, bad=1)
    answer = counts(windows(samples), MONTH)

    assert answer.total == MONTH.total_seconds()
    assert answer.bad == HOUR.total_seconds()
    assert answer.evidence.granted is Granted.SECONDS
    assert answer.evidence.coverage == 1
    assert "Google counts windows of 5m, good or bad as a whole" in answer.evidence.notes


def test_windows_that_are_missing_lower_the_coverage() -> None:
    # Each hour has some of its windows, but no more than one of twelve.
    answer = counts(windows(every(HOUR, AT - MONTH, AT, good=1)), MONTH)

    assert answer.total == 720 * 300
    assert answer.evidence.coverage == Fraction(720 * 300 + 300, 720 * 3600)


def test_a_window_that_is_not_over_yet_is_not_missing() -> None:
    samples = every(HOUR, AT - MONTH - HOUR, AT, good=1)
    answer = counts(windows(samples, "3600s"), MONTH, at=AT + 30 * MINUTE)

    assert answer.evidence.coverage == 1


def test_windows_of_a_day_are_not_stale_before_the_next_day_is_over() -> None:
    samples = every(DAY, AT - MONTH, AT, good=1)
    fake = windows(samples, "86400s")
    newest = {
        at: counts(fake, MONTH, at=at).evidence.newest
        for at in (AT, AT + HOUR, AT + 23 * HOUR, AT + 25 * HOUR)
    }

    assert newest == {
        AT: AT,
        AT + HOUR: AT + HOUR,
        AT + 23 * HOUR: AT + 23 * HOUR,
        AT + 25 * HOUR: AT + 24 * HOUR,
    }


@pytest.mark.variants(9)
@pytest.mark.parametrize("period", [5 * MINUTE, 90 * MINUTE, 6 * HOUR, DAY])
@pytest.mark.parametrize("length", [DAY, 7 * DAY, MONTH])
def test_windows_of_any_length_that_are_all_there_cover_everything(
    period: timedelta, length: timedelta
) -> None:
    midnight = AT - length - DAY
    samples = every(period, midnight, AT, good=1)
    fake = windows(samples, f"{period // timedelta(seconds=1)}s")
    for at in (AT, AT - 17 * MINUTE):
        evidence = counts(fake, length, at=at).evidence
        assert evidence.coverage == 1
        assert (evidence.gaps, evidence.suspicions) == (NO_GAPS, ())


def test_days_without_windows_are_a_hole() -> None:
    samples = [each for each in every(DAY, AT - MONTH, AT, good=1) if each.at.day not in {14, 15}]
    evidence = counts(windows(samples, "86400s"), MONTH).evidence

    assert evidence.coverage == Fraction(28, 30)
    (suspicion,) = evidence.suspicions
    assert suspicion.hidden == 2 * 86_400


def test_hours_without_windows_are_a_hole_with_that_much_time() -> None:
    samples = every(HOUR, AT - MONTH, AT - 100 * HOUR, good=1)
    samples += every(HOUR, AT - 90 * HOUR, AT, good=1)
    (suspicion,) = counts(windows(samples, "3600s"), MONTH).evidence.suspicions

    assert suspicion.cause is Cause.LOST
    assert suspicion.hidden == 10 * 3600


def test_more_windows_than_fit_into_the_time_are_invalid() -> None:
    answer = refused(windows(every(MINUTE, AT - MONTH, AT, good=1)), MONTH)

    assert (answer.cause, answer.reason) == (
        Cause.INVALID,
        "43,200 windows of 5m do not fit into 30d; compare the SLO, and its group, with"
        " the platform's own page of it",
    )


def test_a_short_window_of_long_windows_has_no_data() -> None:
    (main, short) = ask(
        windows(every(HOUR, AT - MONTH, AT, good=1), "3600s"),
        MONTH,
        5 * MINUTE,
        at=AT + 30 * MINUTE,
    )

    assert isinstance(main, Counts)
    assert isinstance(short, Unmeasured)
    assert short.cause is Cause.NO_DATA


# Holes


def test_a_hole_hides_as_many_events_as_are_usual() -> None:
    samples = every(HOUR, AT - MONTH, AT - 100 * HOUR, good=999, bad=1)
    samples += every(HOUR, AT - 90 * HOUR, AT, good=999, bad=1)
    (suspicion,) = counts(
        FakeMonitoring([slo(samples=Samples(samples))]), MONTH
    ).evidence.suspicions

    assert suspicion.cause is Cause.LOST
    assert suspicion.hidden == 10_000
    assert "where about 10,000 events are usual" in suspicion.reason


def test_a_service_with_few_users_has_hours_without_events() -> None:
    samples = every(5 * HOUR, AT - MONTH, AT, good=1)

    assert counts(FakeMonitoring([slo(samples=Samples(samples))]), MONTH).evidence.suspicions == ()


def test_several_holes_are_reported() -> None:
    samples = [
        sample
        for sample in every(HOUR, AT - MONTH, AT, good=1000)
        if not timedelta(hours=100) <= AT - sample.at < timedelta(hours=110)
        and not timedelta(hours=300) <= AT - sample.at < timedelta(hours=320)
    ]
    (suspicion,) = counts(
        FakeMonitoring([slo(samples=Samples(samples))]), MONTH
    ).evidence.suspicions

    assert ", and for other times, in" in suspicion.reason


# Many


@pytest.mark.slow
def test_many_slos_are_requested_eight_at_a_time() -> None:
    lock, under_way, most = threading.Lock(), 0, 0
    slos = [slo(id=f"slo-{place}", display_name=f"SLO {place}") for place in range(24)]
    fake = FakeMonitoring(slos)

    def counted(handler: BaseHTTPRequestHandler, body: bytes) -> None:
        nonlocal under_way, most
        with lock:
            under_way += 1
            most = max(most, under_way)
        time.sleep(0.005)
        fake(handler, body)
        with lock:
            under_way -= 1

    requests = [
        CountRequest(sli=Sli(slo=each.display_name), span=span(2 * HOUR), probe=True)
        for each in slos
    ]
    with serving(counted) as port:
        settings = GoogleSloSettings(
            project="acme-prod", url=f"http://127.0.0.1:{port}", bearer=TOKEN
        )
        backend = open_backend(settings, Limits(timeout=timedelta(seconds=60)))
        answers = backend.measure(requests, AT)

    assert {answer.bad for answer in answers if isinstance(answer, Counts)} == {60}
    assert len(answers) == 24
    assert 1 < most <= 8
    # The services and their SLOs, and two for each SLO.
    assert len(fake.requests) == 2 + 2 * 24


def test_the_service_of_another_project_is_asked_there() -> None:
    other = slo(project="acme-eu")
    fake = FakeMonitoring([other])
    answer = counts(fake, name=other.name)

    assert answer.bad == BAD
    assert {path for path, _ in fake.requests if path.endswith("/timeSeries")} == {
        "/v3/projects/acme-eu/timeSeries"
    }
