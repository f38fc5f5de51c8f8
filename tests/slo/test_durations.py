from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.slo.quantities import format_duration, parse_duration

CENTURY_MS = 36525 * 86_400_000


@pytest.mark.parametrize(
    "text, milliseconds",
    [
        ("30d", 2_592_000_000),
        ("4w", 2_419_200_000),
        ("1h30m", 5_400_000),
        ("5m", 300_000),
        ("90s", 90_000),
        ("250ms", 250),
        ("1s5ms", 1_005),
        ("0.5h", 1_800_000),
        ("0.1s", 100),
        ("36525d", CENTURY_MS),
    ],
)
def test_a_duration_is_read_as_prometheus_reads_it(text: str, milliseconds: int) -> None:
    assert parse_duration(text) == timedelta(milliseconds=milliseconds)


EXAMPLES = "write for example 30d, 6h, 5m, 1h30m or 250ms"


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        *((text, EXAMPLES) for text in ("", "d", "-5m", "1e3s", ".5h", "٣d", "1h,5m", "1:30")),
        ("30", "add a unit, for example 30d, 30h, 30m or 30s"),
        *((text, "write 30d") for text in ("30 d", " 30d", "30d\n", "30D", "30 days", "1 month")),
        ("5min", "write 5m"),
        ("2 Hours", "write 2h"),
        ("250 msec", "write 250ms"),
        ("1.5 weeks", "write 1.5w"),
        ("1y", "write 365d"),
        ("1M", "write 1m for minutes, or 30d for months"),
        ("3 fortnights", "the units are w, d, h, m, s and ms"),
    ],
)
def test_what_is_not_a_duration_is_refused_with_what_to_write(text: str, advice: str) -> None:
    with pytest.raises(ValueError, match="is not a valid duration") as refused:
        parse_duration(text)
    assert str(refused.value) == f"{text!r} is not a valid duration; {advice}"


@pytest.mark.parametrize("text", ["0s", "0d0h", "0.0m"])
def test_a_duration_of_zero_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is zero"):
        parse_duration(text)


@pytest.mark.parametrize("text", ["36526d", "999999999d999999999d", "9" * 400 + "d"])
def test_a_duration_of_more_than_a_century_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is longer than 36525d"):
        parse_duration(text)


@pytest.mark.parametrize("text", ["0.5ms", "1.0005s", "5m0.1ms"])
def test_a_duration_finer_than_a_millisecond_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="finer than a millisecond"):
        parse_duration(text)


@given(st.integers(min_value=1, max_value=CENTURY_MS))
def test_a_written_duration_is_read_back_as_it_was(milliseconds: int) -> None:
    length = timedelta(milliseconds=milliseconds)
    assert parse_duration(format_duration(length)) == length


@pytest.mark.parametrize(
    "length, text",
    [
        (timedelta(weeks=4), "28d"),
        (timedelta(days=1, hours=2, minutes=3, seconds=4, milliseconds=5), "1d2h3m4s5ms"),
        (timedelta(hours=36), "1d12h"),
        (timedelta(), "0s"),
        (timedelta(seconds=1, microseconds=1), "1s"),
    ],
)
def test_a_duration_is_written_with_the_largest_units_first(length: timedelta, text: str) -> None:
    assert format_duration(length) == text
