"""Values of JSON: what is a number or an instant, and what is nothing."""

import json
from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest

from gate.backends.platforms.messages import finite, refusal_of_the_past, timestamp
from gate.measure import Cause

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", 0),
        ("12", 12),
        ("-0.5", Fraction(-1, 2)),
        ("0.1", Fraction(1, 10)),
        ("99.9", Fraction(999, 10)),
        ("1e3", 1000),
        ("2.5e-7", Fraction(1, 4_000_000)),
        ("123456789012345678901", 123456789012345678901),
    ],
)
def test_a_number_is_read_as_it_is_written(text: str, number: Fraction) -> None:
    assert finite(json.loads(text)) == number


@pytest.mark.parametrize(
    "text",
    [
        "null",
        "true",
        "false",
        '"1"',
        "[]",
        "[1]",
        "{}",
        "NaN",
        "Infinity",
        "-Infinity",
        "1e999",
        "1" + "0" * 400,
        "-1" + "0" * 400,
    ],
)
def test_what_is_not_a_finite_number_is_nothing_and_not_zero(text: str) -> None:
    assert finite(json.loads(text)) is None


@pytest.mark.parametrize(
    "text", ["2026-11-01T12:00:00Z", "2026-11-01T12:00:00.000Z", "2026-11-01T13:00:00+01:00"]
)
def test_an_instant_has_a_zone(text: str) -> None:
    assert timestamp(text) == NOW


@pytest.mark.parametrize(
    "value",
    [
        None,
        0,
        1_793_534_400,
        "",
        "now",
        "2026-11-01T12:00:00",
        "2026-13-01",
        "9999-12-31T23:59:59-23:59",
        "0001-01-01T00:00:00+23:59",
    ],
)
def test_what_has_no_zone_or_is_not_a_time_is_nothing(value: object) -> None:
    assert timestamp(value) is None


@pytest.mark.parametrize("minutes", [0, 15, -15])
def test_about_now_is_now(minutes: int) -> None:
    assert refusal_of_the_past("Example", NOW - timedelta(minutes=minutes), NOW) is None


@pytest.mark.parametrize("minutes", [16, -16, 60 * 24 * 30])
def test_another_time_is_refused_in_words(minutes: int) -> None:
    refusal = refusal_of_the_past("Example", NOW - timedelta(minutes=minutes), NOW)

    assert refusal is not None
    assert refusal.cause is Cause.INVALID
    assert refusal.reason.startswith(
        "Example only answers for the present, and the requested instant is 2026-1"
    )
