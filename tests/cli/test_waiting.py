"""The pace at which the gate asks again, in a time of its own."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from gate.cli import check as waiting
from gate.decision.decision import Decision
from tests.hosts.asking import Time
from tests.reporters.builders import EVERY_KIND

AT = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    known = Time()
    clock = SimpleNamespace(monotonic=lambda: known.now, sleep=known.sleep)
    monkeypatch.setattr("gate.cli.check.time", clock)
    return known


def wait(time: Time, minutes: int, allowed_at: float = float("inf")) -> Decision:
    """Wait for a change that may ship after so many seconds."""
    begun = time.now

    def decide(_at: datetime) -> Decision:
        return EVERY_KIND["allowed" if time.now - begun >= allowed_at else "blocked"]

    return waiting.until_allowed(decide, AT, timedelta(minutes=minutes))


def test_it_asks_after_15_seconds_and_then_ever_more_rarely_up_to_two_minutes(time: Time) -> None:
    assert wait(time, 30) is EVERY_KIND["blocked"]
    assert time.slept[:7] == [15, 22.5, 33.75, 50.625, 75.9375, 113.90625, 120]
    assert set(time.slept[7:-1]) == {120}
    assert sum(time.slept) == 1800
    assert len(time.slept) == 19


def test_it_stops_asking_once_the_change_may_ship(time: Time) -> None:
    assert wait(time, 30, allowed_at=60) is EVERY_KIND["allowed"]
    assert time.slept == [15, 22.5, 33.75]


def test_a_change_that_may_ship_at_once_waits_for_nothing(time: Time) -> None:
    assert wait(time, 30, allowed_at=0) is EVERY_KIND["allowed"]
    assert time.slept == []
