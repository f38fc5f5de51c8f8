"""The history of each step, by buckets of events and by transitions."""

from datetime import timedelta
from typing import Any

import pytest

from gate.measure import Cause, Counts, Unmeasured
from gate.measure.history import Series, SeriesAnswer, SeriesRequest
from gate.slo.indicator import Sli
from gate.slo.objective import Span
from tests.backends.datadog.organization import (
    AT,
    AVAILABILITY,
    DAY,
    END,
    HOUR,
    MONTH,
    UPTIME,
    asked_windows,
    availability,
    backend_of,
    hourly,
    request,
    twisted,
    uptime,
)
from tests.servers.datadog import Body, Event, FakeDatadog

STEP = timedelta(hours=1)


def history(fake: FakeDatadog, slo: str = AVAILABILITY, **more: Any) -> SeriesAnswer:
    given = {"span": Span(AT - MONTH, AT), "step": STEP, "max_age": timedelta(minutes=10), **more}
    with backend_of(fake) as backend:
        (answer,) = backend.history([SeriesRequest(sli=Sli(slo=slo), **given)])
    return answer


def series(fake: FakeDatadog, slo: str = AVAILABILITY, **more: Any) -> Any:
    answer = history(fake, slo, **more)
    assert isinstance(answer, Series), answer
    return answer


def refused(answer: SeriesAnswer) -> tuple[str, str]:
    assert isinstance(answer, Unmeasured), answer
    return str(answer.cause), answer.reason


def test_events_of_a_month_are_reported_by_the_hour_in_pieces() -> None:
    fake = FakeDatadog(slos=[availability()])
    answer = series(fake)

    assert answer.total == (1000,) * 720
    assert answer.bad == tuple(float(hour % 4 == 0) for hour in reversed(range(720)))
    # Buckets of a month are days; of 30 and of 15 hours they are still too long, of 12 they are
    # hours.
    lengths = [seconds for _, seconds in asked_windows(fake)]
    assert lengths[:3] == [30 * DAY, 30 * HOUR, 15 * HOUR]
    assert lengths[3:] == [12 * HOUR] * 60


def test_steps_add_up_to_what_is_measured() -> None:
    fake = FakeDatadog(slos=[availability(), uptime()])
    with backend_of(fake) as backend:
        for slo in (AVAILABILITY, UPTIME):
            (measured,) = backend.measure([request(slo)], AT)
            (past,) = backend.history(
                [SeriesRequest(sli=Sli(slo=slo), span=Span(AT - MONTH, AT), step=STEP)]
            )
            assert isinstance(measured, Counts)
            assert isinstance(past, Series)
            assert sum(number or 0 for number in past.total) == measured.total
            assert sum(number or 0 for number in past.bad) == measured.bad


def test_buckets_that_fit_take_one_request() -> None:
    fake = FakeDatadog(slos=[availability()])
    answer = series(fake, span=Span(AT - MONTH, AT), step=timedelta(days=1))

    assert answer.total == (24_000,) * 30
    assert answer.bad == (6,) * 30
    assert len(asked_windows(fake)) == 1


def test_newest_step_may_be_shorter() -> None:
    at = AT - timedelta(minutes=30)
    fake = FakeDatadog(slos=[availability(events=hourly(24))])
    answer = series(fake, span=Span(AT - timedelta(hours=6), at), max_age=timedelta(hours=1))

    assert answer.total == (1000,) * 5 + (0,)


def test_seconds_are_reported_by_the_step_and_unknown_ones_left_out() -> None:
    states = [(END - 5 * HOUR - 600, 0), (END - 3 * HOUR - 900, 1), (END - 3 * HOUR, 0)]
    states += [(END - HOUR - 1200, 2), (END - 1200, 0)]
    fake = FakeDatadog(slos=[uptime(states=states)])
    answer = series(fake, UPTIME, span=Span(AT - timedelta(hours=6), AT))

    assert answer.total == (600, 3600, 3600, 3600, 2400, 1200)
    assert answer.bad == (0, 0, 900, 0, 0, 0)


def test_step_of_which_no_state_is_known_has_no_number() -> None:
    fake = FakeDatadog(slos=[uptime(states=[(END - 2 * HOUR, 0)])])
    answer = series(fake, UPTIME, span=Span(AT - timedelta(hours=4), AT))

    assert answer.total == (None, None, 3600, 3600)
    assert answer.bad == (None, None, 0, 0)


def test_silence_is_known_between_events_and_not_before_the_first_or_long_after_the_last() -> None:
    times = [10, 9, 8, 6, 5, 4]
    events = [Event(END - hours * HOUR + 60, 5, 0) for hours in times]
    fake = FakeDatadog(slos=[availability(events=events)])
    span = Span(AT - timedelta(hours=12), AT)

    # The bucket of the newest event ends four hours before; then it may be silent for an hour.
    answer = series(fake, span=span, max_age=timedelta(hours=1))
    assert answer.total == (None, None, 5, 5, 5, 0, 5, 5, 5, 0, None, None)
    assert series(fake, span=span, max_age=timedelta(hours=9)).total[-2:] == (0, 0)


def test_nothing_is_known_of_a_gap_where_events_are_usual() -> None:
    events = [event for event in hourly(48) if not END - 20 * HOUR < event.time < END - 10 * HOUR]
    fake = FakeDatadog(slos=[availability(events=events)])
    answer = series(fake, span=Span(AT - timedelta(days=2), AT))

    # Before the first of the ten hours has ended there is an event, one second before its end.
    assert [hour for hour, number in enumerate(answer.total) if number is None] == list(
        range(28, 38)
    )


def test_steps_that_no_piece_is_short_enough_for_are_refused() -> None:
    fake = FakeDatadog(slos=[availability()])
    cause, reason = refused(history(fake, step=timedelta(minutes=5)))

    assert cause == Cause.NO_DATA
    assert "in buckets of 1d, which do not make steps of 5m; look at a shorter stretch" in reason
    assert len(asked_windows(fake)) == 2


def test_steps_that_are_not_a_multiple_of_the_buckets_are_refused() -> None:
    fake = FakeDatadog(slos=[availability()])
    span = Span(AT - timedelta(days=3), AT)

    assert refused(history(fake, span=span, step=timedelta(minutes=7)))[0] == Cause.NO_DATA


def test_pieces_are_not_a_shorter_than_they_have_to_be() -> None:
    fake = FakeDatadog(slos=[availability()])
    answer = series(fake, span=Span(AT - timedelta(hours=6), AT), step=timedelta(minutes=7))

    assert sum(filter(None, answer.total)) == 6000
    # The whole, three pieces that are too long, and 13 of 28 minutes.
    assert len(asked_windows(fake)) == 17


def test_pieces_without_events_are_silent() -> None:
    events = [event for event in hourly() if event.time > END - 5 * DAY]
    answer = series(FakeDatadog(slos=[availability(events=events)]))

    assert answer.total[-120:] == (1000,) * 120
    assert set(answer.total[:-120]) == {None}


def test_stretch_without_any_event_is_no_traffic() -> None:
    fake = FakeDatadog(slos=[availability(events=[])])

    assert refused(history(fake))[0] == Cause.NO_TRAFFIC


def contradict(body: Body) -> None:
    body["data"]["overall"]["sli_value"] = 50.0


def leave_out(body: Body) -> None:
    body["data"]["series"]["numerator"]["sum"] -= 7


def hide_times(body: Body) -> None:
    body["data"]["series"]["times"] = []


def preview(body: Body) -> None:
    body["data"]["overall"]["preview"] = True


def break_off(body: Body) -> None:
    body["errors"] = ["broken"]


@pytest.mark.parametrize(
    ("twist", "cause", "words"),
    [
        (contradict, Cause.INVALID, "do not add up"),
        (leave_out, Cause.INVALID, "do not add up"),
        (hide_times, Cause.INVALID, "no times that lie in the window"),
        (preview, Cause.PARTIAL, "replays"),
        (break_off, Cause.BACKEND_ERROR, "broken"),
    ],
)
def test_history_that_is_not_a_good_is_refused(twist: Any, cause: Cause, words: str) -> None:
    told = refused(history(twisted(twist)))

    assert told[0] == cause
    assert words in told[1]


def test_later_piece_with_other_buckets_than_the_first_is_not_cut_wrongly() -> None:
    def twist(body: Body) -> None:
        start, end = body["data"]["from_ts"], body["data"]["to_ts"]
        if end - start == 12 * HOUR and start > END - 30 * DAY:
            series = body["data"]["series"]
            series["times"] = [time + 1_800_000 for time in series["times"]]

    assert refused(history(twisted(twist)))[0] == Cause.NO_DATA


@pytest.mark.parametrize("piece", [30 * HOUR, 12 * HOUR])
def test_piece_that_is_refused_is_not_a_silence(piece: int) -> None:
    fake = FakeDatadog(slos=[availability()])
    fake.fail = lambda path, params: (
        (500, {"errors": ["broken"]}, {})
        if path.endswith("/history") and int(params["to_ts"]) - int(params["from_ts"]) == piece
        else None
    )

    assert refused(history(fake))[0] == Cause.BACKEND_ERROR


def test_group_of_a_metric_based_slo_has_no_history() -> None:
    def twist(body: Body) -> None:
        body["data"]["groups"] = [{"group": "env:prod", "sli_value": 99.0}]

    with backend_of(twisted(twist)) as backend:
        (answer,) = backend.history(
            [
                SeriesRequest(
                    sli=Sli(slo=AVAILABILITY, group="env:prod"),
                    span=Span(AT - MONTH, AT),
                    step=STEP,
                )
            ]
        )

    assert refused(answer)[0] == Cause.INVALID
