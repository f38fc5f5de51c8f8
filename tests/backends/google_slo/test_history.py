"""The past of an SLO step by step: the same events as in its budget, and no silence for zero."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gate.measure import Cause, Unmeasured
from gate.measure.history import Series, SeriesRequest, clock_start, on_the_clock
from gate.slo.indicator import Sli
from gate.slo.objective import Span
from tests.backends.google_slo.policies import DAY, HOUR, MINUTE, NAME, counts, opened, slo
from tests.servers.google_monitoring import FakeMonitoring, Sample, Samples, Spoil, every

AT = datetime(2026, 1, 1, 10, 20, 30, tzinfo=UTC)
JsonObject = dict[str, Any]


def history(
    samples: Sequence[Sample],
    length: timedelta,
    step: timedelta,
    *,
    max_age: timedelta = timedelta(),
    spoil: Spoil | None = None,
    indicator: Mapping[str, Any] | None = None,
) -> Series | Unmeasured:
    own = slo(samples=Samples(samples), **({} if indicator is None else {"indicator": indicator}))
    fake = FakeMonitoring([own]) if spoil is None else FakeMonitoring([own], spoil)
    span = on_the_clock(Span(AT - length, AT), step)
    with opened(fake) as backend:
        (answer,) = backend.history(
            [SeriesRequest(sli=Sli(slo=NAME), span=span, step=step, max_age=max_age)]
        )
    return answer


def series(*arguments: Any, **more: Any) -> Series:
    answer = history(*arguments, **more)
    assert isinstance(answer, Series), answer
    return answer


def test_steps_hang_on_the_clock_and_the_newest_is_a_part_of_one() -> None:
    # One sample in each minute, half a minute after it: 60 an hour, and 21 from 10:00 on.
    samples = every(MINUTE, AT - 6 * HOUR, AT, good=2, bad=1)
    answer = series(samples, 3 * HOUR, HOUR)

    # From 07:00 on; data begin at 04:20:30.
    assert answer.total == (180.0, 180.0, 180.0, 63.0)
    assert answer.bad == (60.0, 60.0, 60.0, 21.0)
    assert "Google counts the good and bad events of two metrics" in answer.notes


def test_the_sum_of_the_steps_is_the_count_of_the_window() -> None:
    end = clock_start(AT, HOUR)
    samples = every(timedelta(seconds=77), end - DAY, end, good=2, bad=1)
    fake = FakeMonitoring([slo(samples=Samples(samples))])
    whole = counts(fake, DAY, at=end)
    with opened(fake) as backend:
        request = SeriesRequest(sli=Sli(slo=NAME), span=Span(end - DAY, end), step=HOUR)
        (answer,) = backend.history([request])

    assert isinstance(answer, Series)
    assert sum(filter(None, answer.total)) == float(whole.total) == 3 * len(samples)
    assert sum(filter(None, answer.bad)) == float(whole.bad) == len(samples)


def test_of_less_than_a_minute_at_the_end_nothing_is_known() -> None:
    end = clock_start(AT, HOUR) + timedelta(seconds=59)
    fake = FakeMonitoring([slo(samples=Samples(every(MINUTE, end - DAY, end, good=1)))])
    with opened(fake) as backend:
        span = Span(clock_start(AT, HOUR) - HOUR, end)
        request = SeriesRequest(sli=Sli(slo=NAME), span=span, step=HOUR)
        (answer,) = backend.history([request])

    assert isinstance(answer, Series)
    assert answer.total == (60.0, None)


def test_a_stretch_shorter_than_a_minute_has_no_request() -> None:
    start = clock_start(AT, HOUR)
    fake = FakeMonitoring([slo()])
    with opened(fake) as backend:
        request = SeriesRequest(
            sli=Sli(slo=NAME), span=Span(start, start + timedelta(seconds=30)), step=HOUR
        )
        (answer,) = backend.history([request])

    assert isinstance(answer, Series)
    assert (answer.total, answer.query) == ((None,), "")
    assert not [path for path, _ in fake.requests if path.endswith("/timeSeries")]


def test_nothing_is_known_before_the_first_data() -> None:
    samples = every(MINUTE, AT - 2 * HOUR, AT, good=1)
    answer = series(samples, 5 * HOUR, HOUR)

    assert answer.total == (None, None, None, 39.0, 60.0, 21.0)


def test_silence_between_data_is_nothing_where_few_events_are_usual() -> None:
    samples = every(3 * HOUR, AT - DAY, AT, good=1)
    answer = series(samples, 9 * HOUR, HOUR)

    assert answer.total == (1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 1.0)


def test_silence_between_data_is_unknown_where_many_events_are_usual() -> None:
    samples = every(MINUTE, AT - DAY, AT - 8 * HOUR, good=10)
    samples += every(MINUTE, AT - 5 * HOUR, AT, good=10)
    answer = series(samples, 10 * HOUR, HOUR)

    # No sample from 02:20:30 to 05:20:30.
    assert answer.total[3:5] == (None, None)
    assert None not in answer.total[5:]


@pytest.mark.parametrize(
    ("max_age", "newest"),
    [(timedelta(), (None, None)), (HOUR, (0.0, None)), (2 * HOUR, (0.0, 0.0))],
)
def test_silence_after_the_newest_data_is_nothing_for_some_time(
    max_age: timedelta, newest: tuple[float | None, ...]
) -> None:
    # The newest is of 08:20:30, in the step that ends at 09:00.
    samples = every(HOUR, AT - 9 * HOUR, AT - 2 * HOUR, good=1)
    answer = series(samples, 5 * HOUR, HOUR, max_age=max_age)

    assert answer.total == (1.0, 1.0, 1.0, 1.0, *newest)


def test_windows_count_as_seconds_and_a_missing_one_is_unknown() -> None:
    indicator = {"windowsBased": {"windowPeriod": "1800s", "goodBadMetricFilter": "a"}}
    start = clock_start(AT, HOUR)
    samples = [
        sample
        for sample in every(HOUR / 2, start - 6 * HOUR, start, good=0, bad=1)
        if not start - 3 * HOUR < sample.at <= start - 2 * HOUR
    ]
    answer = series(samples, 5 * HOUR, HOUR, indicator=indicator)

    assert answer.total == (3600.0, 3600.0, None, 3600.0, 3600.0, None)
    assert answer.bad == answer.total


def test_no_data_is_not_a_series_of_zeros() -> None:
    assert series([], 2 * HOUR, HOUR).total == (None, None, None)


def test_a_past_of_which_a_part_is_missing_is_not_drawn() -> None:
    def spoil(path: str, _params: Mapping[str, str], answer: JsonObject) -> JsonObject:
        return {**answer, "unreachable": ["us-east1"]} if path.endswith("timeSeries") else answer

    answer = history(every(MINUTE, AT - DAY, AT, good=1), 5 * HOUR, HOUR, spoil=spoil)

    assert isinstance(answer, Unmeasured)
    assert answer.cause is Cause.PARTIAL
    assert answer.reason == "a part of the history is missing: us-east1 cannot be reached"


def test_a_past_that_cannot_be_read_has_its_reason() -> None:
    def spoil(path: str, _params: Mapping[str, str], answer: JsonObject) -> JsonObject:
        return {"timeSeries": 7} if path.endswith("timeSeries") else answer

    answer = history([], 5 * HOUR, HOUR, spoil=spoil)

    assert isinstance(answer, Unmeasured)
    assert answer.cause is Cause.INVALID
