"""Every way in which Datadog says yes without having measured, and what is legitimate beside it."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from fractions import Fraction
from typing import Any

import pytest

from gate.measure import Cause, Counts, Granted, Share
from tests.backends.datadog.organization import (
    AT,
    AVAILABILITY,
    DAY,
    END,
    HOUR,
    LATENCY,
    MONTH,
    UPTIME,
    answer_to,
    asked_windows,
    availability,
    backend_of,
    counts,
    hourly,
    latency,
    measure,
    refused,
    request,
    twisted,
    uptime,
)
from tests.servers.datadog import Body, Event, FakeDatadog, FakeSlo

Twist = Callable[[Body], None]
WINDOW = 30 * DAY


def overall(**values: Any) -> Twist:
    """Change the part of an answer that is about all of the SLO."""
    return lambda body: body["data"]["overall"].update(values)


def without(*path: str) -> Twist:
    """Leave a field out."""

    def twist(body: Body) -> None:
        for key in path[:-1]:
            body = body[key]
        del body[path[-1]]

    return twist


def setting(value: Any, *path: str) -> Twist:
    """Give a field another value."""

    def twist(body: Body) -> None:
        for key in path[:-1]:
            body = body[key]
        body[path[-1]] = value

    return twist


def test_metric_based_slo_is_counted_in_events() -> None:
    (answer,) = measure(FakeDatadog(slos=[availability()]))

    assert counts(answer) == (180, 720_000)
    assert isinstance(answer, Counts)
    assert answer.evidence.granted is Granted.EVENTS
    assert answer.evidence.newest == AT
    assert answer.evidence.coverage == 1
    assert not answer.evidence.warnings
    assert not answer.evidence.notes


@pytest.mark.parametrize("slo", [uptime(), latency()])
def test_time_based_slo_is_counted_in_seconds(slo: FakeSlo) -> None:
    (answer,) = measure(FakeDatadog(slos=[slo]), request(slo.id))

    assert counts(answer) == (36 * 60, WINDOW)
    assert isinstance(answer, Counts)
    assert answer.evidence.granted is Granted.SECONDS
    assert answer.evidence.newest == AT
    assert answer.evidence.coverage == 1


# Errors in an answer with the status 200

ERRORS: list[Twist] = [
    setting([{"error": "Query timed out"}], "errors"),
    setting(["Query timed out"], "errors"),
    setting("Query timed out", "errors"),
    setting({"title": "Query timed out"}, "errors"),
    setting("Query timed out", "error"),
    setting([{"error": "Query timed out"}], "data", "errors"),
    overall(errors=[{"error_type": "TIMEOUT", "error_message": "Query timed out"}]),
    overall(errors=["Query timed out"]),
    overall(errors=[{"error_message": "Query timed out"}]),
]


@pytest.mark.parametrize("slo", [availability(), uptime()])
@pytest.mark.parametrize("twist", ERRORS)
def test_errors_inside_a_200_are_an_error(twist: Twist, slo: FakeSlo) -> None:
    cause, reason = refused(answer_to(twist, slo))

    assert cause == Cause.BACKEND_ERROR
    assert "Query timed out" in reason


@pytest.mark.parametrize("errors", [[None], [{}], [""], [{"code": 7}]])
def test_errors_without_words_are_errors(errors: list[Any]) -> None:
    assert refused(answer_to(setting(errors, "errors")))[0] == Cause.BACKEND_ERROR


@pytest.mark.parametrize(
    "twist",
    [
        setting(None, "errors"),
        setting([], "errors"),
        without("errors"),
        setting(None, "error"),
        setting(None, "data", "errors"),
        overall(errors=[]),
        overall(errors=None),
    ],
)
def test_no_errors_are_not_errors(twist: Twist) -> None:
    assert counts(answer_to(twist)) == (180, 720_000)


# No data


@pytest.mark.parametrize("no_data", [2, 2.0, "NO_DATA", "no_data"])
@pytest.mark.parametrize("slo", [uptime, latency])
def test_no_data_is_not_uptime(slo: Callable[..., FakeSlo], no_data: Any) -> None:
    states = [(END - 40 * DAY, 0), (END - 10 * DAY, 1), (END - 9 * DAY, no_data)]
    (answer,) = measure(FakeDatadog(slos=[slo(states=states)]), request(slo().id))

    # 20 days up, one down, and nine of which nobody knows.
    assert counts(answer) == (DAY, 21 * DAY)
    assert isinstance(answer, Counts)
    assert answer.evidence.coverage == Fraction(21, 30)
    assert answer.evidence.newest == AT - timedelta(days=9)


def test_gaps_of_a_timeline_are_reported() -> None:
    states = [(END - 25 * DAY, 0), (END - 20 * DAY, 2), (END - 18 * DAY, 0)]
    states += [(END - 10 * DAY, 2), (END - 9 * DAY, 1), (END - 8 * DAY, 0)]
    (answer,) = measure(FakeDatadog(slos=[uptime(states=states)]), request(UPTIME))

    assert isinstance(answer, Counts)
    gaps = answer.evidence.gaps
    assert gaps is not None
    assert (gaps.late, gaps.holes) == (Fraction(5, 30), Fraction(3, 30))
    assert gaps.since == AT - timedelta(days=25)
    assert gaps.longest is not None
    assert gaps.longest.length == timedelta(days=2)
    assert gaps.between is not None
    assert gaps.between.length == timedelta(days=11)
    assert answer.evidence.coverage == Fraction(22, 30)


def test_time_before_the_first_transition_is_not_known() -> None:
    (answer,) = measure(FakeDatadog(slos=[latency(states=[(END - DAY, 0)])]), request(LATENCY))

    assert counts(answer) == (0, DAY)
    assert isinstance(answer, Counts)
    assert answer.evidence.coverage == Fraction(1, 30)


@pytest.mark.parametrize("states", [[], [(END - 40 * DAY, 2)], [(END + 5, 0)]])
def test_timeline_that_knows_nothing_is_no_data(states: list[tuple[int, int]]) -> None:
    twist = setting([list(pair) for pair in states], "data", "overall", "history")

    assert refused(answer_to(twist, latency()))[0] == Cause.NO_DATA


def test_states_in_words_are_read() -> None:
    states = [(END - 40 * DAY, "OK"), (END - 10 * DAY, "ALERT"), (END - 9 * DAY, "UP")]
    states += [(END - 2 * DAY, "DOWN"), (END - DAY, "OK")]

    assert counts(answer_to(setting(states, "data", "overall", "history"), latency())) == (
        2 * DAY,
        WINDOW,
    )


def test_transitions_out_of_order_and_repeated_are_put_in_order() -> None:
    states = [(END - 9 * DAY, 0), (END - 40 * DAY, 0), (END - 10 * DAY, 0), (END - 10 * DAY, 1)]
    states += [(END - 9 * DAY + 60, 0)]

    assert counts(answer_to(setting(states, "data", "overall", "history"), uptime())) == (
        DAY,
        WINDOW,
    )


@pytest.mark.parametrize("slo", [availability(), uptime()])
def test_sli_that_is_null_is_no_data(slo: FakeSlo) -> None:
    cause, reason = refused(answer_to(overall(sli_value=None), slo))

    assert cause == Cause.NO_DATA
    assert "sli_value is null" in reason


@pytest.mark.parametrize("slo", [availability(), uptime()])
def test_state_no_data_is_no_data(slo: FakeSlo) -> None:
    assert refused(answer_to(overall(state="no_data"), slo))[0] == Cause.NO_DATA
    assert refused(answer_to(overall(state="NO_DATA"), slo))[0] == Cause.NO_DATA


@pytest.mark.parametrize("state", ["ok", "breached", "warning"])
def test_other_states_are_not_examined(state: str) -> None:
    assert counts(answer_to(overall(state=state))) == (180, 720_000)


def test_denominator_of_zero_is_no_traffic_although_datadog_calls_it_an_error() -> None:
    (answer,) = measure(FakeDatadog(slos=[availability(events=[])]))

    cause, reason = refused(answer)
    assert cause == Cause.NO_TRAFFIC
    assert "none happened, or none was reported" in reason


def test_error_of_a_zero_denominator_beside_events_is_an_error() -> None:
    error = {"error_type": "ZERO_VALUED_DENOMINATOR", "error_message": "zero"}

    assert refused(answer_to(overall(errors=[error])))[0] == Cause.BACKEND_ERROR


def test_other_errors_beside_a_zero_denominator_are_errors() -> None:
    errors = [
        {"error_type": "ZERO_VALUED_DENOMINATOR", "error_message": "zero"},
        {"error_type": "BAD_QUERY", "error_message": "no such metric"},
    ]
    answer = answer_to(overall(errors=errors), availability(events=[]))

    assert refused(answer)[0] == Cause.BACKEND_ERROR


# Partial answers


@pytest.mark.parametrize("slo", [availability(), uptime(), latency()])
def test_preview_is_a_partial_answer(slo: FakeSlo) -> None:
    answer = answer_to(overall(preview=True), slo)

    assert isinstance(answer, Counts)
    assert "replays" in answer.evidence.warnings[0]


def test_message_of_the_series_is_a_partial_answer() -> None:
    answer = answer_to(setting("some hosts did not report", "data", "series", "message"))

    assert isinstance(answer, Counts)
    assert "some hosts did not report" in answer.evidence.warnings[0]


@pytest.mark.parametrize(
    "twist",
    [
        overall(preview=False),
        overall(preview=None),
        setting("", "data", "series", "message"),
        setting(None, "data", "series", "message"),
        without("data", "series", "message"),
        setting(END - WINDOW - 200, "data", "from_ts"),
        setting(END + 60, "data", "to_ts"),
        without("data", "from_ts"),
    ],
)
def test_whole_answers_are_not_a_partial_ones(twist: Twist) -> None:
    answer = answer_to(twist)

    assert isinstance(answer, Counts)
    assert not answer.evidence.warnings


@pytest.mark.parametrize("shift", [31, 250, 300])
@pytest.mark.parametrize("key", ["from_ts", "to_ts"])
def test_minutes_beside_a_short_window_are_not_that_window(key: str, shift: int) -> None:
    def twist(body: Body) -> None:
        body["data"][key] -= shift

    (answer,) = measure(twisted(twist), request(length=timedelta(minutes=5), probe=False))

    cause, reason = refused(answer)
    assert cause == Cause.NO_DATA
    assert "another window" in reason


@pytest.mark.parametrize(("length", "shift"), [(300, 30), (3600, 300), (30 * DAY, 300)])
def test_window_may_be_cut_by_a_little(length: int, shift: int) -> None:
    def twist(body: Body) -> None:
        body["data"]["from_ts"] -= shift

    (answer,) = measure(twisted(twist), request(length=timedelta(seconds=length), probe=False))

    assert isinstance(answer, Counts)
    assert not answer.evidence.warnings


@pytest.mark.parametrize(
    ("twist", "words"),
    [
        (setting(END - 20 * DAY, "data", "from_ts"), "2025-12-12 00:00 UTC, and 2025-12-02"),
        (setting(END - 3600, "data", "to_ts"), "2025-12-31 23:00 UTC"),
        (setting(10**18, "data", "to_ts"), "1000000000000000000"),
    ],
)
def test_answer_about_another_window_is_a_partial_one(twist: Twist, words: str) -> None:
    answer = answer_to(twist)

    assert isinstance(answer, Counts)
    assert words in answer.evidence.warnings[0]


# Numbers that are none

SUMS = (("numerator", "sum"), ("denominator", "sum"))
NOT_NUMBERS: list[Any] = [
    None,
    "999500",
    True,
    [],
    {},
    float("nan"),
    float("inf"),
    float("-inf"),
    10**400,
    -5.0,
]


@pytest.mark.parametrize("value", NOT_NUMBERS)
@pytest.mark.parametrize("path", SUMS)
def test_sum_that_is_not_a_count_is_invalid(path: tuple[str, str], value: Any) -> None:
    assert refused(answer_to(setting(value, "data", "series", *path)))[0] == Cause.INVALID


@pytest.mark.parametrize(
    "path",
    [
        ("data",),
        ("data", "overall"),
        ("data", "series"),
        ("data", "series", "numerator"),
        ("data", "series", "denominator"),
        ("data", "series", "numerator", "sum"),
        ("data", "series", "denominator", "sum"),
        ("data", "series", "interval"),
        ("data", "series", "numerator", "values"),
    ],
)
def test_field_that_is_missing_or_of_another_type_is_not_zero(path: tuple[str, ...]) -> None:
    assert refused(answer_to(without(*path)))[0] == Cause.INVALID
    assert refused(answer_to(setting("x", *path)))[0] == Cause.INVALID


@pytest.mark.parametrize("value", ["99.9", True, [], float("nan"), float("inf"), -3.0, 150.0])
@pytest.mark.parametrize("slo", [availability(), uptime()])
def test_sli_that_is_not_a_percentage_is_invalid(slo: FakeSlo, value: Any) -> None:
    assert refused(answer_to(overall(sli_value=value), slo))[0] == Cause.INVALID


@pytest.mark.parametrize(
    "history",
    [
        None,
        "up",
        [[END - DAY]],
        [[END - DAY, 0, 1]],
        [END - DAY],
        [[END - DAY, 3]],
        [[END - DAY, 0.5]],
        [[END - DAY, True]],
        [[END - DAY, None]],
        [[END - DAY, "MAYBE"]],
        [["yesterday", 0]],
        [[None, "OK"]],
        [[float("nan"), 0]],
    ],
)
def test_history_that_is_not_a_list_of_states_is_invalid(history: Any) -> None:
    twist = setting(history, "data", "overall", "history")

    assert refused(answer_to(twist, uptime()))[0] == Cause.INVALID


def test_more_good_events_than_events_are_invalid() -> None:
    cause, reason = refused(answer_to(setting(720_001.0, "data", "series", "numerator", "sum")))

    assert cause == Cause.INVALID
    assert "720,001 good of only" not in reason
    assert "720,001 good of 720,000 events" in reason


def test_noise_of_floats_is_not_more_good_than_there_is() -> None:
    def twist(body: Body) -> None:
        body["data"]["series"]["numerator"]["sum"] *= 1 + 1e-13

    all_good = availability(events=[Event(event.time, event.total) for event in hourly()])

    assert counts(answer_to(twist, all_good)) == (0, 720_000)


def test_value_that_is_null_is_not_known() -> None:
    def twist(body: Body) -> None:
        if body["data"]["from_ts"] == END - WINDOW:
            for part in ("numerator", "denominator"):
                body["data"]["series"][part]["values"][3:5] = [None, None]

    answer = answer_to(twist)

    assert isinstance(answer, Counts)
    assert answer.evidence.coverage == Fraction(28, 30)
    assert answer.evidence.suspicions[0].cause is Cause.LOST


def test_times_on_no_grid_are_not_used() -> None:
    def twist(body: Body) -> None:
        times = body["data"]["series"]["times"]
        times[1:] = [time + 1000 * place for place, time in enumerate(times[1:], 1)]

    answer = answer_to(twist)

    assert counts(answer) == (180, 720_000)
    assert isinstance(answer, Counts)
    assert answer.evidence.coverage is None


@pytest.mark.parametrize("shift", [-10 * DAY, -2 * DAY, 3 * DAY, 30 * DAY, -END + 1])
def test_values_of_another_time_are_invalid(shift: int) -> None:
    def twist(body: Body) -> None:
        series = body["data"]["series"]
        series["times"] = [time + 1000.0 * shift for time in series["times"]]

    cause, reason = refused(answer_to(twist))

    assert cause == Cause.INVALID
    assert "its values are of times from" in reason


def test_times_that_end_after_the_window_are_not_used() -> None:
    def twist(body: Body) -> None:
        series = body["data"]["series"]
        series["times"] = [time + 1000.0 * series["interval"] for time in series["times"]]

    answer = answer_to(twist)

    assert counts(answer) == (180, 720_000)
    assert isinstance(answer, Counts)
    assert answer.evidence.coverage is None


def test_times_out_of_order_are_not_used() -> None:
    answer = answer_to(lambda body: body["data"]["series"]["times"].reverse())

    assert isinstance(answer, Counts)
    assert answer.evidence.coverage is None


@pytest.mark.parametrize("interval", [0, -60, "60", None])
def test_interval_that_is_not_a_length_is_invalid(interval: Any) -> None:
    assert refused(answer_to(setting(interval, "data", "series", "interval")))[0] == Cause.INVALID


@pytest.mark.parametrize("values", [[1.0], [None, "1"], [-1.0] * 31, [float("nan")] * 31])
@pytest.mark.parametrize("part", ["numerator", "denominator"])
def test_values_that_do_not_go_with_the_times_are_invalid(part: str, values: list[Any]) -> None:
    assert refused(answer_to(setting(values, "data", "series", part, "values")))[0] == Cause.INVALID


# Datadog's own SLI beside its counts


@pytest.mark.parametrize(
    ("slo", "sli", "hidden", "doubtful"),
    [
        # 0.025% of 720,000 are counted as bad, and 0.525% by the SLI.
        (availability(), 99.475, 720_000 * 0.005, 0),
        (uptime(), 99.0, WINDOW * 0.01 - 36 * 60, 0),
        (uptime(), 100.0, 0, 36 * 60),
    ],
)
def test_sli_that_differs_from_the_counts_is_suspected(
    slo: FakeSlo, sli: float, hidden: float, doubtful: float
) -> None:
    answer = answer_to(overall(sli_value=sli), slo)

    assert isinstance(answer, Counts)
    (suspicion,) = answer.evidence.suspicions
    assert suspicion.cause is Cause.CONTRADICTED
    assert f"own SLI is {sli:g}%" in suspicion.reason
    assert suspicion.hidden == hidden
    assert suspicion.doubtful == doubtful


@pytest.mark.parametrize(
    ("slo", "values"),
    [
        (availability(), {"sli_value": 99.97, "span_precision": 2}),
        (availability(), {"sli_value": 99.975006103515625, "span_precision": 6}),
        (availability(), {"sli_value": 100, "span_precision": 0}),
        (uptime(), {"sli_value": 99.92, "span_precision": 2}),
        (uptime(), {"sli_value": 99.915, "span_precision": 3}),
        (uptime(), {"sli_value": 99.91, "span_precision": None}),
        (uptime(), {"sli_value": 99.91, "span_precision": True}),
        (uptime(), {"sli_value": 99.91, "span_precision": -4}),
    ],
)
def test_sli_that_is_rounded_is_not_a_contradiction(slo: FakeSlo, values: dict[str, Any]) -> None:
    answer = answer_to(overall(**values), slo)

    assert isinstance(answer, Counts)
    assert not answer.evidence.suspicions


@pytest.mark.parametrize("share", [0.9, 0.9 + 0.1 * 0.3])
def test_sli_that_leaves_unknown_time_out_or_takes_it_for_up_is_not_a_contradiction(
    share: float,
) -> None:
    # 30 days: 21 known, of which 2.1 were down.
    states = [(END - 21 * DAY, 0), (END - 10 * DAY, 1), (END - 10 * DAY + DAY * 21 // 10, 0)]
    answer = answer_to(overall(sli_value=share * 100), uptime(states=states))

    assert isinstance(answer, Counts)
    assert not answer.evidence.suspicions


@pytest.mark.parametrize("unknown", [DAY, 4 * HOUR])
def test_time_without_data_that_datadog_takes_for_down_may_have_been_down(unknown: int) -> None:
    states = [(END - 40 * DAY, 0), (END - 10 * DAY, 2), (END - 10 * DAY + unknown, 0)]
    share = 1 - unknown / (30 * DAY)
    answer = answer_to(overall(sli_value=share * 100), uptime(states=states))

    assert counts(answer) == (0, 30 * DAY - unknown)
    assert isinstance(answer, Counts)
    (suspicion,) = answer.evidence.suspicions
    assert suspicion.cause is Cause.CONTRADICTED
    assert "time without data counted as down, and 100% without that time" in suspicion.reason
    assert float(suspicion.hidden or 0) == pytest.approx((1 - share) * (30 * DAY - unknown))


def test_sli_below_all_that_unknown_time_explains_hides_all_of_the_difference() -> None:
    # A day of 30 is not known, which is 3.33% of the time; Datadog has 4% for down.
    states = [(END - 40 * DAY, 0), (END - 10 * DAY, 2), (END - 9 * DAY, 0)]
    answer = answer_to(overall(sli_value=96.0), uptime(states=states))

    assert isinstance(answer, Counts)
    (suspicion,) = answer.evidence.suspicions
    assert suspicion.hidden == Fraction(4, 100) * 29 * DAY


def of_parts(*, bad: Sequence[float], totals: Sequence[float] = (1000.0,) * 30) -> Twist:
    """Return a change of the values by time, in days with so many events and bad ones."""

    def twist(body: Body) -> None:
        series = body["data"]["series"]
        if len(series["times"]) == len(totals):
            values = [total - own for total, own in zip(totals, bad, strict=True)]
            series["denominator"]["values"], series["numerator"]["values"] = list(totals), values

    return twist


def test_values_by_time_that_have_more_bad_events_than_the_sums_are_suspected() -> None:
    # The sums have 180 of 720,000.
    answer = answer_to(of_parts(bad=[10.0] * 30))

    assert counts(answer) == (180, 720_000)
    assert isinstance(answer, Counts)
    (suspicion,) = answer.evidence.suspicions
    assert suspicion.cause is Cause.CONTRADICTED
    assert suspicion.hidden == 300 - 180
    assert "sums have 180 bad events, and its values by time have 300" in suspicion.reason


@pytest.mark.parametrize(
    "twist",
    [
        of_parts(bad=[0.0] * 30),
        of_parts(bad=[0.0] * 30, totals=[0.0] * 30),
        # Rates: a minute's mean of 24,000 events a day with 6 bad ones.
        of_parts(bad=[6 / 1440] * 30, totals=[24_000 / 1440] * 30),
        of_parts(bad=[6 * 60.0] * 30, totals=[24_000 * 60.0] * 30),
        of_parts(bad=[6.0001] * 30, totals=[24_000.0] * 30),
    ],
)
def test_values_by_time_that_are_not_a_worse_than_the_sums_are_not_suspected(twist: Twist) -> None:
    answer = answer_to(twist)

    assert counts(answer) == (180, 720_000)
    assert isinstance(answer, Counts)
    assert not [each for each in answer.evidence.suspicions if each.cause is Cause.CONTRADICTED]


def test_values_by_time_may_have_what_corrections_leave_out_of_the_sums() -> None:
    correction = (END - 10 * DAY, END - 9 * DAY, "Other")
    fake = twisted(of_parts(bad=[10.0] * 30), availability(corrections=[correction]))
    (answer,) = measure(fake)

    assert isinstance(answer, Counts)
    assert not answer.evidence.suspicions


def test_sli_that_is_not_there_is_not_compared() -> None:
    assert counts(answer_to(without("data", "overall", "sli_value"))) == (180, 720_000)
    no_sli = without("data", "overall", "sli_value")
    assert counts(answer_to(no_sli, uptime())) == (36 * 60, 30 * DAY)


def test_old_name_of_the_sli_is_read() -> None:
    def twist(body: Body) -> None:
        del body["data"]["overall"]["sli_value"]
        body["data"]["overall"]["uptime"] = 90.0

    answer = answer_to(twist, uptime())

    assert isinstance(answer, Counts)
    assert answer.evidence.suspicions


# Corrections

MAINTENANCE = (END - 10 * DAY, END - 10 * DAY + HOUR, "Scheduled Maintenance")


def test_corrections_are_applied_and_named() -> None:
    events = [Event(END - 10 * DAY + 60, 1000, 1000), *hourly(240)]
    fake = FakeDatadog(slos=[availability(events=events, corrections=[MAINTENANCE])])
    (answer,) = measure(fake)

    assert counts(answer) == (60, 239_000)
    assert isinstance(answer, Counts)
    (note,) = answer.evidence.notes
    assert note == (
        "Datadog leaves out, by corrections: Scheduled Maintenance (2025-12-22 00:00 UTC to"
        " 2025-12-22 01:00 UTC)"
    )


def test_corrections_can_be_left_unapplied() -> None:
    events = [Event(END - 10 * DAY + 60, 1000, 1000), *hourly(240)]
    fake = FakeDatadog(slos=[availability(events=events, corrections=[MAINTENANCE])])
    (answer,) = measure(fake, corrections=False)

    assert counts(answer) == (1060, 241_000)
    assert isinstance(answer, Counts)
    assert answer.evidence.notes == ("status corrections are not applied, by the policy",)
    assert {params["apply_correction"] for path, params in fake.requests if "history" in path} == {
        "false"
    }


def test_corrections_for_deployments_draw_a_note() -> None:
    starts = [END - days * DAY for days in range(10, 5, -1)]
    corrections = [(start, start + 60, "Deployment") for start in starts]
    (answer,) = measure(FakeDatadog(slos=[availability(corrections=corrections)]))

    assert isinstance(answer, Counts)
    first, second = answer.evidence.notes
    assert "; 2 more" in first
    assert "leave out failures of deployments" in second


def test_share_means_counts_that_do_not_leave_out_what_corrections_name() -> None:
    # A monitor's transitions are those that happened; its SLI is without the corrected hour.
    (answer,) = measure(FakeDatadog(slos=[uptime(corrections=[MAINTENANCE])]), request(UPTIME))

    assert isinstance(answer, Share)
    assert answer.bad == 0
    assert answer.error == Fraction(5, 100_000)
    assert "this is Datadog's own SLI, 100%" in answer.evidence.notes[-1]


@pytest.mark.parametrize(
    ("seconds", "sli", "explained"),
    [
        (36 * 60, 100.0, True),
        (60, 100.0, False),
        (DAY, 100 - 2160 / (29 * DAY) * 100, True),
        (DAY, 99.0, False),
        (30 * DAY, 99.0, True),
    ],
)
def test_correction_explains_no_more_than_its_own_time(
    seconds: int, sli: float, explained: bool
) -> None:
    correction = (END - seconds, END, "Other")
    fake = twisted(overall(sli_value=sli), uptime(corrections=[correction]))
    (answer,) = measure(fake, request(UPTIME))

    assert isinstance(answer, Share | Counts)
    assert bool(answer.evidence.suspicions) is not explained


@pytest.mark.parametrize(
    ("start", "length", "sli", "explained"),
    [
        # Of 180 bad events of 720,000 a day has 6 of 24,000.
        (5, DAY, 100 - 174 / 696_000 * 100, True),
        (5, 1, 100 - 174 / 714_000 * 100, True),
        (5, 1, 100 - 174 / 719_994 * 100, True),
        (5, 1, 99.99, False),
        (5, 1, 100.0, False),
        (5, 1, 99.0, False),
        (30, 30 * DAY, 100.0, True),
    ],
)
def test_correction_explains_no_more_than_the_events_around_it(
    start: int, length: int, sli: float, explained: bool
) -> None:
    def twist(body: Body) -> None:
        values = {"sli_value": sli, "span_precision": 6, "corrections": [attributes]}
        body["data"]["overall"] |= values

    first = END - start * DAY
    attributes = {"start": first, "end": first + length, "category": "Other"}

    def with_correction(path: str, body: Body) -> None:
        if path.endswith("/history"):
            twist(body)
        if path.endswith("/corrections"):
            body["data"] = [{"attributes": attributes}]

    fake = FakeDatadog(slos=[availability()], twist=with_correction)
    (answer,) = measure(fake)

    assert isinstance(answer, Share | Counts)
    assert bool(answer.evidence.suspicions) is not explained


def test_correction_may_explain_any_difference_where_the_buckets_are_not_those_of_the_sums() -> (
    None
):
    def twist(path: str, body: Body) -> None:
        if path.endswith("/history"):
            of_parts(bad=[0.0] * 30)(body)
            body["data"]["overall"]["sli_value"] = 99.0

    correction = (END - 5 * DAY, END - 5 * DAY + 60, "Other")
    fake = FakeDatadog(slos=[availability(corrections=[correction])], twist=twist)
    (answer,) = measure(fake)

    assert isinstance(answer, Share)
    assert answer.bad == Fraction(1, 100)


def test_correction_that_recurs_may_explain_any_difference() -> None:
    def twist(path: str, body: Body) -> None:
        if path.endswith("/history"):
            body["data"]["overall"]["sli_value"] = 99.0
        if path.endswith("/corrections"):
            body["data"][0]["attributes"]["rrule"] = "FREQ=DAILY"

    fake = FakeDatadog(slos=[uptime(corrections=[MAINTENANCE])], twist=twist)
    (answer,) = measure(fake, request(UPTIME))

    assert isinstance(answer, Share)
    assert answer.bad == Fraction(1, 100)


def test_corrections_that_cannot_be_read_are_reported() -> None:
    fake = FakeDatadog(slos=[uptime(corrections=[MAINTENANCE])])
    fake.fail = lambda path, _: (
        (500, {"errors": ["broken"]}, {}) if path.endswith("/corrections") else None
    )
    (answer,) = measure(fake, request(UPTIME))

    # What makes the SLI better than the transitions is not known.
    assert isinstance(answer, Counts)
    assert answer.evidence.suspicions[0].cause is Cause.CONTRADICTED
    assert [note for note in answer.evidence.notes if "could not be read" in note]


@pytest.mark.parametrize(
    ("attributes", "words"),
    [
        ({"rrule": "FREQ=DAILY", "end": None, "start": END - 90 * DAY}, "Other (recurring since"),
        ({"end": None}, "2025-12-22 00:00 UTC to now"),
        ({"category": None}, "without a category"),
        ({"start": -(10**30)}, "-1000000000000000000000000000000 to"),
    ],
)
def test_corrections_of_every_form_are_named(attributes: dict[str, Any], words: str) -> None:
    correction = {"category": "Other", "start": END - 10 * DAY, "end": END, **attributes}

    assert words in corrected({"data": [{"attributes": correction}]})[0]


@pytest.mark.parametrize(
    "attributes",
    [{"start": END, "end": END + 60}, {"start": END - 40 * DAY, "end": END - 31 * DAY}],
)
def test_corrections_outside_the_window_are_not_named(attributes: dict[str, Any]) -> None:
    assert not corrected({"data": [{"attributes": {"category": "Other", **attributes}}]})


@pytest.mark.parametrize(
    "body",
    [
        {"errors": ["Forbidden"]},
        {"data": None},
        {"data": [{"attributes": {"start": "yesterday"}}]},
        {"data": [None]},
    ],
)
def test_list_of_corrections_that_is_none_is_reported(body: Body) -> None:
    assert "could not be read" in corrected(body)[0]


def test_corrections_are_read_page_by_page() -> None:
    fake = FakeDatadog(slos=[availability()])
    pages = iter(range(3))

    def twist(path: str, body: Body) -> None:
        if path.endswith("/history"):
            del body["data"]["overall"]["corrections"]
        if path.endswith("/corrections"):
            start = END - next(pages) * DAY - HOUR
            attributes = {"category": "Other", "start": start, "end": start + 60}
            body |= {"data": [{"attributes": attributes}], "meta": {"pagination": {"total": 3}}}

    fake.twist = twist
    (answer,) = measure(fake)

    assert isinstance(answer, Counts)
    assert answer.evidence.notes[0].count("Other") == 3
    offsets = [params for path, params in fake.requests if path.endswith("/corrections")]
    assert offsets == [{}, {"page[offset]": "1"}, {"page[offset]": "2"}]


def corrected(body: Body) -> tuple[str, ...]:
    """Return the notes where the corrections of the SLO are listed so."""
    fake = FakeDatadog(slos=[availability()])

    def twist(path: str, answer: Body) -> None:
        if path.endswith("/history"):
            del answer["data"]["overall"]["corrections"]
        if path.endswith("/corrections"):
            answer.clear()
            answer.update(body)

    fake.twist = twist
    (answer,) = measure(fake)
    assert isinstance(answer, Counts)
    return answer.evidence.notes


def test_list_of_corrections_without_an_end_is_not_read_for_ever() -> None:
    fake = FakeDatadog(slos=[uptime(corrections=[MAINTENANCE])])

    def twist(path: str, body: Body) -> None:
        if path.endswith("/corrections"):
            body["meta"]["page"]["total_count"] = 10_000

    fake.twist = twist
    measure(fake, request(UPTIME))

    assert len([path for path, _ in fake.requests if path.endswith("/corrections")]) == 21


def test_no_correction_costs_no_request() -> None:
    fake = FakeDatadog(slos=[availability()])
    measure(fake)

    assert not [path for path, _ in fake.requests if path.endswith("/corrections")]


# The SLO, the keys and the site


def test_deleted_slo_is_not_there() -> None:
    fake = FakeDatadog(slos=[availability(deleted=True), uptime()])

    for name in (AVAILABILITY, "Chat availability"):
        cause, reason = refused(measure(fake, request(name))[0])
        assert cause == Cause.NO_DATA
        assert "may have been deleted" in reason


def test_slo_that_is_deleted_after_it_was_found_is_an_error() -> None:
    fake = FakeDatadog(slos=[availability()])
    with backend_of(fake) as backend:
        backend.definitions([request().sli])
        fake.slos[0].deleted = True
        cause, reason = refused(backend.measure([request()], AT)[0])

    assert cause == Cause.BACKEND_ERROR
    assert "404 Not Found: SLO not found; the SLO may have been deleted" in reason


def test_key_of_another_site_is_refused_with_the_site() -> None:
    cause, reason = refused(measure(FakeDatadog(slos=[availability()]), api_key="other")[0])

    assert cause == Cause.BACKEND_ERROR
    assert "403 Forbidden" in reason
    assert "keys of another site are refused" in reason
    assert "scope slos_read" in reason


def test_window_that_is_too_long_is_explained() -> None:
    wanted = request(length=timedelta(days=900))
    cause, reason = refused(measure(FakeDatadog(slos=[availability()]), wanted)[0])

    assert cause == Cause.BACKEND_ERROR
    assert "400 Bad Request: The time window is too long" in reason
    assert "reaches further back than Datadog keeps data" in reason


def test_type_that_the_definition_does_not_say_is_invalid() -> None:
    for kind in ("monitor", "slices", 7, ["metric"]):
        assert refused(answer_to(setting(kind, "data", "type")))[0] == Cause.INVALID


def test_type_may_be_left_out() -> None:
    assert counts(answer_to(without("data", "type"))) == (180, 720_000)


# How new it is


@pytest.mark.parametrize(("late", "minutes"), [(0, 0), (20 * 60, 20), (90 * 60, 60)])
def test_age_of_the_newest_event_is_seen_although_buckets_are_days(late: int, minutes: int) -> None:
    (answer,) = measure(FakeDatadog(slos=[availability(events=hourly(before=late))]))

    assert isinstance(answer, Counts)
    assert answer.evidence.newest == AT - timedelta(minutes=minutes)


def test_events_that_ended_days_ago_are_old() -> None:
    (answer,) = measure(FakeDatadog(slos=[availability(events=hourly(before=3 * DAY))]))

    assert isinstance(answer, Counts)
    assert answer.evidence.newest == AT - timedelta(days=3)


def test_age_that_cannot_be_requested_is_not_an_answer() -> None:
    fake = FakeDatadog(slos=[availability()])
    fake.fail = lambda path, params: (
        (500, {"errors": ["broken"]}, {})
        if path.endswith("/history") and int(params["from_ts"]) == END - HOUR
        else None
    )

    assert refused(measure(fake)[0])[0] == Cause.BACKEND_ERROR


@pytest.mark.parametrize(
    "twist",
    [
        setting([], "data", "series", "times"),
        setting([(END - 1 - place) * 1000.0 for place in range(30)], "data", "series", "times"),
    ],
)
def test_age_is_requested_where_the_series_has_no_times_that_can_be_used(twist: Twist) -> None:
    def of_the_month(body: Body) -> None:
        if body["data"]["from_ts"] == END - WINDOW:
            if not body["data"]["series"]["times"]:
                return
            twist(body)
            if not body["data"]["series"]["times"]:
                for part in ("numerator", "denominator"):
                    body["data"]["series"][part]["values"] = []

    slo = availability(events=hourly(before=20 * 60))
    answer = answer_to(of_the_month, slo)

    assert isinstance(answer, Counts)
    assert answer.evidence.newest == AT - timedelta(minutes=20)
    assert answer.evidence.coverage is None
    assert any("holes in the window cannot be seen" in note for note in answer.evidence.notes)


def test_age_is_the_oldest_that_it_may_be_where_no_answer_has_times() -> None:
    def twist(body: Body) -> None:
        body["data"]["series"]["times"] = []
        for part in ("numerator", "denominator"):
            body["data"]["series"][part]["values"] = []

    answer = answer_to(twist, availability(events=hourly(before=20 * 60)))

    assert isinstance(answer, Counts)
    assert answer.evidence.newest == AT - timedelta(hours=1)


# Windows of burn rates


def test_shorter_windows_of_time_are_counted_from_the_answer_of_the_longest() -> None:
    states = [(END - 40 * DAY, 0), (END - 2 * HOUR, 1), (END - HOUR // 2, 0)]
    fake = FakeDatadog(slos=[uptime(states=states)])
    lengths = [MONTH, timedelta(hours=1), timedelta(hours=6), timedelta(minutes=5)]
    answers = measure(fake, *(request(UPTIME, length, probe=length == MONTH) for length in lengths))

    assert asked_windows(fake) == [("b", WINDOW)]
    assert [counts(answer) for answer in answers] == [
        (5400, WINDOW),
        (1800, HOUR),
        (5400, 6 * HOUR),
        (0, 300),
    ]


def test_shorter_windows_of_events_are_counted_from_the_buckets_where_one_begins() -> None:
    fake = FakeDatadog(slos=[availability()])
    lengths = [MONTH, timedelta(days=3), timedelta(hours=6), timedelta(minutes=5)]
    answers = measure(fake, *(request(length=length, probe=length == MONTH) for length in lengths))

    # A bucket of a day begins three days ago, and none six hours or five minutes ago.
    assert sorted(asked_windows(fake)) == [("a", 300), ("a", HOUR), ("a", 6 * HOUR), ("a", WINDOW)]
    assert [counts(answer) for answer in answers] == [
        (180, 720_000),
        (18, 72_000),
        (2, 6000),
        (1, 1000),
    ]


def test_window_of_a_burn_rate_shows_how_new_the_events_are() -> None:
    fake = FakeDatadog(slos=[availability(events=hourly(before=20 * 60))])
    hour = request(length=timedelta(hours=1), probe=False)
    (_, answer) = measure(fake, hour, request())

    assert asked_windows(fake) == [("a", WINDOW), ("a", HOUR)]
    assert isinstance(answer, Counts)
    assert answer.evidence.newest == AT - timedelta(minutes=20)


def test_window_without_events_is_no_traffic_and_without_states_no_data() -> None:
    fake = FakeDatadog(
        slos=[
            availability(events=hourly(before=2 * DAY)),
            uptime(states=[(END - 40 * DAY, 0), (END - DAY, 2)]),
        ]
    )
    day, hour = timedelta(days=1), timedelta(hours=1)
    answers = measure(
        fake,
        *(request(length=length, probe=False) for length in (MONTH, day, hour)),
        *(request(UPTIME, length, probe=False) for length in (MONTH, hour)),
    )

    assert [refused(answers[place])[0] for place in (1, 2, 4)] == [
        Cause.NO_TRAFFIC,
        Cause.NO_TRAFFIC,
        Cause.NO_DATA,
    ]


def test_shorter_windows_are_requested_where_the_answer_contradicts_itself() -> None:
    fake = twisted(overall(sli_value=90.0), uptime())
    measure(fake, request(UPTIME), request(UPTIME, timedelta(hours=1), probe=False))

    assert asked_windows(fake) == [("b", WINDOW), ("b", HOUR)]


def test_shorter_windows_are_requested_where_the_longest_is_refused() -> None:
    fake = FakeDatadog(slos=[availability()])
    answers = measure(
        fake, request(length=timedelta(days=900)), request(length=timedelta(hours=1), probe=False)
    )

    assert refused(answers[0])[0] == Cause.BACKEND_ERROR
    assert counts(answers[1]) == (1, 1000)


def test_buckets_that_do_not_add_up_to_the_sum_tell_no_shorter_window() -> None:
    def twist(body: Body) -> None:
        body["data"]["series"]["numerator"]["values"][0] -= 1

    fake = twisted(twist)
    measure(fake, request(), request(length=timedelta(days=3), probe=False))

    assert ("a", 3 * DAY) in asked_windows(fake)


def test_events_before_the_window_make_the_share_a_range() -> None:
    # Datadog counts from whole five minutes: here two minutes before the hour.
    at = AT + timedelta(seconds=90)
    events = [
        Event(END - HOUR + 10, 500, 500),
        Event(END - HOUR + 70, 100, 10),
        Event(END - HOUR + 180, 100, 4),
        Event(END - 60, 800, 16),
    ]
    fake = FakeDatadog(slos=[availability(events=events, grid=300)])
    with backend_of(fake) as backend:
        (answer,) = backend.measure([request(length=timedelta(hours=1), at=at)], at)

    # The first minute is before the window, and so is half of the second, with 100 events: all,
    # some or none of them were in the window. The truth, without them, is 20 of 900.
    assert isinstance(answer, Share)
    least, most = answer.bad - answer.error, answer.bad + answer.error
    assert least < Fraction(20, 900) < most
    assert (least, most) == (Fraction(20, 990), Fraction(30, 910))


def test_events_before_a_long_window_are_too_few_to_matter() -> None:
    at = AT + timedelta(minutes=2)
    fake = FakeDatadog(slos=[availability(grid=300)])
    with backend_of(fake) as backend:
        (answer,) = backend.measure([request(at=at)], at)

    assert counts(answer) == (180, 720_000)
    assert isinstance(answer, Counts)
    assert answer.evidence.notes == ("Datadog counts from 120 s before the window",)


def test_window_whose_events_may_all_lie_before_it_is_not_counted() -> None:
    at = AT + timedelta(seconds=90)
    fake = FakeDatadog(slos=[availability(events=[Event(END - HOUR + 70, 100, 10)], grid=300)])
    with backend_of(fake) as backend:
        (answer,) = backend.measure([request(length=timedelta(hours=1), at=at, probe=False)], at)

    assert refused(answer) == (
        Cause.NO_DATA,
        "Datadog counts from 30 s before this window, which it cannot count exactly",
    )


def test_no_bad_event_is_none_whenever_datadog_began_to_count() -> None:
    at = AT + timedelta(minutes=2)
    fake = FakeDatadog(slos=[availability(events=[Event(END - 60, 800)], grid=300)])
    with backend_of(fake) as backend:
        (answer,) = backend.measure([request(length=timedelta(hours=1), at=at)], at)

    assert counts(answer) == (0, 800)
