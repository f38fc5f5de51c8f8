"""Instants on the command line: RFC 3339, always with their offset."""

import re
from datetime import UTC, datetime

import pytest

from gate.parsing.values import parse_instant


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-11-20T14:00:00Z", datetime(2026, 11, 20, 14, tzinfo=UTC)),
        ("2026-11-20T14:00:00+05:30", datetime(2026, 11, 20, 8, 30, tzinfo=UTC)),
        ("2026-11-20 14:00Z", datetime(2026, 11, 20, 14, tzinfo=UTC)),
        ("1970-01-01T00:00:00+14:00", datetime(1969, 12, 31, 10, tzinfo=UTC)),
    ],
)
def test_an_instant_is_read_as_utc(text: str, instant: datetime) -> None:
    parsed = parse_instant(text)

    assert (parsed, parsed.tzinfo) == (instant, UTC)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "2026-11-20",
            "'2026-11-20' is not a valid time; write for example 2026-11-20T14:00:00Z",
        ),
        ("now", "'now' is not a valid time; write for example 2026-11-20T14:00:00Z"),
        (
            "2026-11-20T14:00:00",
            "'2026-11-20T14:00:00' has no offset from UTC; write for example 2026-11-20T14:00:00Z",
        ),
        (
            "0001-01-01T00:00:00+05:00",
            "'0001-01-01T00:00:00+05:00' is not between 1970 and 9998",
        ),
        (
            "9999-12-31T23:59:59-05:00",
            "'9999-12-31T23:59:59-05:00' is not between 1970 and 9998",
        ),
    ],
)
def test_what_is_not_an_instant_says_so(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        parse_instant(text)
