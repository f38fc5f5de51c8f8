"""Counts over windows of any age agree with the events, and no event is counted twice."""

import random
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import pairwise

import pytest

from gate.backends.cloudwatch.client import CloudWatch
from gate.backends.cloudwatch.periods import (
    counted_span,
    pieces_of,
    seconds,
    usual_period,
)
from gate.measure import Answer, Cause, CountRequest, Counts, Unmeasured
from gate.measure.history import Series, SeriesRequest, on_the_clock
from gate.slo.indicator import EmptySlice, Sli, Slices
from gate.slo.objective import Span
from tests.backends.cloudwatch.asking import (
    AT,
    BAD,
    CHAT,
    MONTH,
    TOTAL,
    answers,
    asking,
    counts,
    request,
    service,
    settings,
    spent,
    unmeasured,
    whole,
)
from tests.servers.cloudwatch import FakeCloudWatch, key_of

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


def grain(at: datetime, now: datetime) -> int:
    """Return to how many seconds AWS documents that a start of this age is rounded."""
    age = now - at
    return 60 if age < 15 * DAY else 300 if age < 63 * DAY else 3600


def random_service(seed: int) -> FakeCloudWatch:
    generator = random.Random(seed)
    fake = FakeCloudWatch(now=lambda: AT)
    moments = [AT - timedelta(seconds=generator.randrange(90 * 86_400)) for _ in range(3000)]
    fake.publish(TOTAL, ((at, generator.randrange(1, 50)) for at in moments))
    fake.publish(BAD, ((at, 1) for at in moments if generator.random() < 0.1))
    return fake


def truth(fake: FakeCloudWatch, span: Span) -> tuple[int, int]:
    start, end = span.start.timestamp(), span.end.timestamp()
    total, bad = (
        sum(value * times for at, value, times in fake.events[key] if start <= at < end)
        for key in (TOTAL, BAD)
    )
    return int(total), int(bad)


@pytest.mark.parametrize("seed", range(3))
def test_windows_of_any_age_have_all_their_events_once(seed: int) -> None:
    fake, generator = random_service(seed), random.Random(seed)
    requests = []
    for _ in range(25):
        at = AT - timedelta(seconds=generator.randrange(80 * 86_400))
        length = generator.choice([5 * MINUTE, HOUR, 6 * HOUR, 3 * DAY, 30 * DAY, 47 * DAY])
        requests.append(request(length=length, at=at, probe=False))
    for asked_for, answer in zip(requests, answers(fake, requests), strict=True):
        start, end = (
            datetime.fromtimestamp(at.timestamp() // size * size, UTC)
            for at in (asked_for.span.start, asked_for.span.end)
            # An hour before a period is dropped it is no longer asked for.
            for size in (grain(at - HOUR, AT),)
        )
        total, bad = truth(fake, Span(start, end))
        if total:
            assert isinstance(answer, Counts), (asked_for.span, answer)
            assert whole(answer) == (total, bad), asked_for.span
        else:
            assert isinstance(answer, Unmeasured)
            assert answer.cause is Cause.NO_DATA


@pytest.mark.parametrize("seed", range(20))
def test_pieces_are_on_the_clock_follow_each_other_and_fit_their_age(seed: int) -> None:
    generator = random.Random(seed)
    now = AT + timedelta(seconds=generator.randrange(86_400))
    for _ in range(50):
        end = now - timedelta(seconds=generator.randrange(70 * 86_400))
        length = timedelta(seconds=generator.randrange(60, 40 * 86_400))
        period = generator.choice([usual_period(length), 60, 120, 300, 900, 3600])
        pieces = pieces_of(Span(end - length, end), now, period)
        for before, after in pairwise(pieces):
            assert before.end == after.start
        for piece in pieces:
            assert piece.start < piece.end
            assert not piece.start % piece.period
            assert not piece.end % piece.period
            age = seconds(now) - piece.start
            assert (
                piece.period % (60 if age < 15 * 86_400 else 300 if age < 63 * 86_400 else 3600)
                == 0
            )
        if pieces:
            span = counted_span(pieces)
            assert timedelta() <= end - length - span.start < HOUR
            assert timedelta() <= end - span.end < HOUR


def test_a_window_of_a_month_is_requested_in_three_calls_whatever_the_number_of_slos() -> None:
    fake = service()
    slis = [Sli(bad=f"Chat Bad{n}", total=f"Chat Total{n}") for n in range(40)]
    for n in range(40):
        fake.publish(key_of("Chat", f"Total{n}"), [(AT - 3 * DAY, 10.0 + n)])
    windows = (MONTH, HOUR, 5 * MINUTE, 30 * MINUTE, 6 * HOUR)
    requests = [request(sli, length, probe=False) for sli in slis for length in windows]
    found = answers(fake, requests)

    totals = [answer.total for answer in found if isinstance(answer, Counts)]
    assert totals == [10 + n for n in range(40)]
    calls = fake.asked("GetMetricData")
    assert len(calls) == 3
    assert {len(call["MetricDataQueries"]) for call in calls} == {80}


def test_calls_stay_within_the_limits_of_metrics_and_of_points() -> None:
    fake = service()
    for n in range(300):
        fake.publish(key_of("Chat", f"Total{n}"), [(AT - 3 * DAY, 10.0 + n)])
    requests = [
        request(Sli(bad=f"Chat Bad{n}", total=f"Chat Total{n}"), probe=False) for n in range(300)
    ]
    found = answers(fake, requests)

    assert [answer.total for answer in found if isinstance(answer, Counts)] == [
        10 + n for n in range(300)
    ]
    for call in fake.asked("GetMetricData"):
        points = sum(
            (call["EndTime"] - call["StartTime"]) // query["MetricStat"]["Period"]
            for query in call["MetricDataQueries"]
        )
        assert len(call["MetricDataQueries"]) <= 500
        assert points <= 100_800


def test_pages_of_any_size_give_the_same_counts() -> None:
    fake = service()
    in_one_page = counts(fake)
    fake.wrong.page = 50

    assert whole(counts(fake)) == whole(in_one_page) == (72_000, 72)
    assert any("NextToken" in call for call in fake.asked("GetMetricData"))


# Indicators


def test_good_or_bad_is_what_is_left_of_the_total() -> None:
    fake = service()
    fake.publish(key_of("Chat", "Good"), ((AT - n * DAY, 700) for n in range(1, 30)))

    answer = counts(fake, request(Sli(good="Chat Good", total=CHAT.total)))
    assert whole(answer) == (72_000, 72_000 - 29 * 700)
    answer = counts(fake, request(Sli(good="Chat Good", bad=CHAT.bad)))
    assert whole(answer) == (29 * 700 + 72, 72)


def test_bad_events_in_a_period_without_any_other_are_counted() -> None:
    fake = service()
    fake.publish(BAD, [(AT - 3 * HOUR - 20 * MINUTE, 5)])

    assert whole(counts(fake)) == (72_000, 77)
    span = on_the_clock(Span(AT - DAY, AT), 5 * MINUTE)
    steps = series(fake, SeriesRequest(sli=CHAT, span=span, step=5 * MINUTE))
    assert sum(bad or 0 for bad in steps.bad) == 3  # a step has no more bad events than events


def test_sums_differences_and_factors_of_metrics_are_exact() -> None:
    fake = service()
    fake.publish(key_of("Chat", "Health"), ((AT - n * HOUR - MINUTE, 0.1) for n in range(10)))

    answer = counts(fake, request(Sli(bad=CHAT.bad, total=f"{CHAT.total} - Chat Health")))
    assert answer.total == 72_000 - 1
    answer = counts(fake, request(Sli(bad=f"0.5 * {CHAT.bad}", total=CHAT.total)))
    assert answer.bad == 36


def test_what_is_spent_is_the_sum_of_tokens_times_their_price() -> None:
    fake = FakeCloudWatch(now=lambda: AT)
    fake.publish(key_of("AWS/Bedrock", "InputTokenCount", ModelId="m"), [(AT - DAY, 1000)], 50)
    fake.publish(key_of("AWS/Bedrock", "OutputTokenCount", ModelId="m"), [(AT - DAY, 200)], 50)
    text = (
        '0.000003 * AWS/Bedrock InputTokenCount{ModelId="m"}'
        ' + 0.000015 * AWS/Bedrock OutputTokenCount{ModelId="m"}'
    )

    # 50,000 tokens at $3 and 10,000 at $15 for a million.
    assert spent(fake, text).amount == Fraction("0.15") + Fraction("0.15")
    assert spent(fake, text.replace("+", "-")).amount == 0


def test_what_was_spent_cannot_be_below_zero() -> None:
    fake = service()
    answer = unmeasured(fake, request(Sli(spent=f"{CHAT.bad} - {CHAT.total}")))

    assert answer.cause is Cause.INVALID
    assert "what was spent is -71,928: more is subtracted than there is" in answer.reason


@pytest.mark.parametrize(
    ("bad", "total", "words"),
    [
        (CHAT.bad, f"{CHAT.bad} - {CHAT.total}", "the total is -71,928"),
        (f"Chat Other - {CHAT.bad}", CHAT.total, "the number of bad events is -72"),
    ],
)
def test_a_count_cannot_be_below_zero(bad: str, total: str, words: str) -> None:
    answer = unmeasured(service(), request(Sli(bad=bad, total=total), probe=False))

    assert answer.cause is Cause.INVALID
    assert words in answer.reason


def latency(times: int = 1, **values: float) -> FakeCloudWatch:
    fake = FakeCloudWatch(now=lambda: AT)
    for value in values.values():
        fake.publish(
            key_of("AWS/Bedrock", "InvocationLatency", ModelId="m"),
            ((AT - n * HOUR - MINUTE, value) for n in range(720)),
            times,
        )
    return fake


LATENCY = Sli(column='AWS/Bedrock InvocationLatency{ModelId="m"}', threshold=Fraction(2000))


def test_a_latency_at_the_threshold_is_good_and_one_above_it_is_bad() -> None:
    answer = counts(latency(zero=0, at=2000, above=2000.5, below=1999, times=3), request(LATENCY))

    assert whole(answer) == (4 * 3 * 720, 3 * 720)


# Timeslices


def slices(length: timedelta, empty: EmptySlice = EmptySlice.LEFT_OUT) -> Slices:
    return Slices(length=length, target=Fraction(95, 100), empty=empty)


@pytest.mark.parametrize(
    ("length", "window"), [(MINUTE, DAY), (5 * MINUTE, 30 * DAY), (2 * HOUR, 30 * DAY)]
)
def test_timeslices_are_bad_by_the_ratio_of_their_events(
    length: timedelta, window: timedelta
) -> None:
    fake = FakeCloudWatch(now=lambda: AT)
    midnight = AT.replace(hour=0, minute=0, second=0)
    # Every second hour of the day has events, with 6% bad in every third of these.
    moments = [midnight - n * 2 * HOUR + 30 * MINUTE for n in range(-6, 12 * 31)]
    fake.publish(TOTAL, ((at, 100) for at in moments))
    fake.publish(BAD, ((at, 6) for at in moments[::3]))
    answer = counts(fake, request(length=window, slices=slices(length)))

    # A slice belongs to the window in which it ends.
    ends = [at + length - (at - midnight) % length for at in moments]
    inside = [AT - window < end <= AT for end in ends]
    assert answer.total == sum(inside)
    assert answer.bad == sum(inside[::3])


def test_timeslices_that_cloudwatch_no_longer_has_are_refused_with_words() -> None:
    answer = unmeasured(service(), request(slices=slices(MINUTE)))

    assert answer.cause is Cause.INVALID
    assert "timeslices of 1m cannot be counted so far back" in answer.reason
    assert "make the timeslices a multiple of 5m" in answer.reason
    assert counts(service(), request(length=14 * DAY, slices=slices(MINUTE))).total == 336


def test_empty_timeslices_count_as_the_slo_says() -> None:
    fake = service(range(0, 240, 2))

    day = request(length=DAY, slices=slices(HOUR, EmptySlice.BAD))
    assert whole(counts(fake, day)) == (24, 12)


def test_where_no_timeslice_with_an_event_has_ended_there_is_no_traffic() -> None:
    answer = unmeasured(service([0]), request(length=DAY, slices=slices(HOUR)))

    assert answer.cause is Cause.NO_TRAFFIC


# History


def series(fake: FakeCloudWatch, asked_for: SeriesRequest) -> Series:
    with asking(fake) as backend:
        (answer,) = backend.history([asked_for])
    assert isinstance(answer, Series)
    return answer


@pytest.mark.parametrize(
    ("step", "length"),
    [
        (5 * MINUTE, 6 * HOUR),
        (HOUR, 30 * DAY),
        (62 * MINUTE, 31 * DAY),
        (HOUR, 80 * DAY),
        (DAY, 80 * DAY),
    ],
)
def test_the_steps_of_a_history_add_up_to_the_count(step: timedelta, length: timedelta) -> None:
    fake = random_service(7)
    span = on_the_clock(Span(AT - length, AT), step)
    answer = series(fake, SeriesRequest(sli=CHAT, span=span, step=step))
    counted = counts(fake, CountRequest(sli=CHAT, span=span))

    assert len(answer.total) == len(answer.bad) == -(-span.length // step)
    assert sum(total or 0 for total in answer.total) == pytest.approx(float(counted.total))
    assert sum(bad or 0 for bad in answer.bad) == pytest.approx(float(counted.bad), rel=0.01)
    assert all(
        bad is not None and 0 <= bad <= total
        for total, bad in zip(answer.total, answer.bad, strict=True)
        if total is not None
    )


def test_an_hour_of_which_only_the_hour_is_kept_is_spread_over_its_steps() -> None:
    fake = FakeCloudWatch(now=lambda: AT)
    start = datetime(2026, 8, 1, tzinfo=UTC)
    fake.publish(TOTAL, [(start + MINUTE, 120)])
    fake.publish(BAD, [(start + 2 * MINUTE, 12)])
    span = Span(start, start + 2 * HOUR)
    answer = series(fake, SeriesRequest(sli=CHAT, span=span, step=5 * MINUTE))

    assert answer.total[:12] == (10.0,) * 12
    assert answer.bad[:12] == (1.0,) * 12
    assert answer.total[12:] == (None,) * 12


def test_a_step_without_points_is_unknown_or_empty_by_what_is_usual() -> None:
    span = on_the_clock(Span(AT - 2 * DAY, AT), HOUR)
    wanted = SeriesRequest(sli=CHAT, span=span, step=HOUR, max_age=2 * HOUR)
    busy = series(service([*range(4, 20), *range(30, 40)], each=100), wanted)
    quiet = series(service([*range(4, 20), *range(30, 40)], each=0.25), wanted)

    assert [busy.total[-1 - place] for place in (4, 25, 35, 45)] == [100, None, 100, None]
    assert [quiet.total[-1 - place] for place in (4, 25, 35, 45)] == [0.25, 0.0, 0.25, None]
    # Silence says that nothing happened for as long as the newest point may be old.
    assert [quiet.total[-1 - place] for place in (0, 1, 2, 3)] == [None, None, 0.0, 0.0]


def test_a_history_without_any_point_knows_nothing() -> None:
    span = on_the_clock(Span(AT - DAY, AT), HOUR)
    fake = FakeCloudWatch(now=lambda: AT)

    assert set(series(fake, SeriesRequest(sli=CHAT, span=span, step=HOUR)).total) == {None}


def test_a_history_of_timeslices_has_slices_in_the_steps_in_which_they_end() -> None:
    fake = service(range(48), bad=50)
    span = on_the_clock(Span(AT - DAY, AT), 2 * HOUR)
    wanted = SeriesRequest(sli=CHAT, span=span, step=2 * HOUR, slices=slices(HOUR))
    answer = series(fake, wanted)

    assert answer.total == (2.0,) * 12 + (None,)
    assert sum(bad or 0 for bad in answer.bad) == 2  # every tenth hour, but for the current one


def test_a_history_that_was_refused_says_why() -> None:
    fake = service()
    fake.wrong.status = "Forbidden"
    span = on_the_clock(Span(AT - DAY, AT), HOUR)
    wanted = SeriesRequest(sli=CHAT, span=span, step=HOUR)
    with asking(fake) as backend:
        forbidden, mistaken = backend.history(
            [wanted, SeriesRequest(sli=Sli(bad="A"), span=span, step=HOUR)]
        )

    assert isinstance(forbidden, Unmeasured)
    assert forbidden.cause is Cause.BACKEND_ERROR
    assert isinstance(mistaken, Unmeasured)
    assert mistaken.cause is Cause.INVALID


# The past


def test_what_is_past_is_requested_once() -> None:
    fake = service(range(3000))
    instants = [AT - 20 * DAY + n * HOUR for n in range(48)]
    found = list[Answer]()
    with asking(fake) as backend:
        for at in instants:
            windows = (request(at=at), request(length=HOUR, at=at, probe=False))
            found += backend.measure(windows, at)

    assert len(fake.asked("GetMetricData")) < 15
    for at, answer in list(zip(instants, found[::2], strict=True))[::8]:
        assert isinstance(answer, Counts)
        alone = counts(fake, request(at=at))
        assert whole(answer) == whole(alone)


def test_an_answer_that_did_not_come_is_requested_again() -> None:
    fake = service(range(3000))
    at = AT - 20 * DAY
    with asking(fake) as backend:
        fake.wrong.status = "InternalError"
        (failed,) = backend.measure([request(at=at)], at)
        fake.wrong.status = None
        (answer,) = backend.measure([request(at=at)], at)

    assert isinstance(failed, Unmeasured)
    assert isinstance(answer, Counts)


def test_a_period_that_begins_only_now_has_nothing_to_count() -> None:
    answer = unmeasured(service(), request(length=timedelta(seconds=20)))

    assert answer.cause is Cause.NO_DATA
    assert "the period began only now" in answer.reason


def test_nothing_is_sent_before_something_is_asked() -> None:
    CloudWatch(settings("http://127.0.0.1:9"), 1.0)
