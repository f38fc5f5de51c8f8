"""Freezes, the ``on`` table and the guards of a policy."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest

from gate.measure import Cause
from gate.policy.policy import DEFAULT_ACTIONS, Action
from gate.policy.rule_settings import Freeze
from tests.config.texts import assert_mistake, policy, sound


@pytest.mark.parametrize(
    ("keys", "start", "end"),
    [
        (
            "from: 2026-12-20, to: 2027-01-02",
            datetime(2026, 12, 20, tzinfo=UTC),
            datetime(2027, 1, 3, tzinfo=UTC),
        ),
        (
            "from: 2026-12-20, to: 2026-12-20, time_zone: Asia/Kolkata",
            datetime(2026, 12, 19, 18, 30, tzinfo=UTC),
            datetime(2026, 12, 20, 18, 30, tzinfo=UTC),
        ),
        (  # the night in which Berlin's summer time ends has 25 hours
            "from: 2026-10-25, to: 2026-10-25, time_zone: Europe/Berlin",
            datetime(2026, 10, 24, 22, tzinfo=UTC),
            datetime(2026, 10, 25, 23, tzinfo=UTC),
        ),
        (
            "from: 2026-12-20T18:00, to: 2026-12-21T06:00:00Z, time_zone: Europe/Berlin",
            datetime(2026, 12, 20, 17, tzinfo=UTC),
            datetime(2026, 12, 21, 6, tzinfo=UTC),
        ),
        (
            "from: 1970-01-01, to: 9998-12-31, time_zone: Asia/Tokyo",
            datetime(1969, 12, 31, 15, tzinfo=UTC),
            datetime(9998, 12, 31, 15, tzinfo=UTC),
        ),
    ],
)
def test_a_freeze_ends_with_its_last_day_in_its_own_zone(
    keys: str, start: datetime, end: datetime
) -> None:
    (freeze,) = sound(policy(more=f"freezes: [{{{keys}, reason: year end}}]\n")).freezes

    assert freeze == Freeze(start=start, end=end, reason="year end", allow=frozenset())


def test_freezes_may_overlap_and_allow_classes() -> None:
    text = """\
freezes:
  - {from: 2026-12-20, to: 2027-01-02, reason: year end, allow: [rollback]}
  - {from: 2026-12-24, to: 2026-12-26, reason: Christmas}
"""
    freezes = sound(policy(more=text)).freezes

    assert [freeze.allow for freeze in freezes] == [{"rollback"}, frozenset()]


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ("from: 2026-01-02, to: ¦2026-01-01", "the freeze ends before it begins; swap from and to"),
        (
            "from: 2026-01-01T10:00, to: ¦2026-01-01T10:00",
            "the freeze ends before it begins; swap from and to",
        ),
        *(
            (
                f"from: ¦{text}, to: 2027-01-01",
                f"{text!r} is not a valid date from 1970 to 9998; write for example 2026-12-20 or"
                " 2026-12-20T18:00",
            )
            for text in (
                "20.12.2026",
                "2026-02-30",
                "12/20/2026",
                "tomorrow",
                "20261220",
                "2026-W51",
                "0001-01-01",
                "9999-12-31",
                "2026-12-20T25:00",
            )
        ),
    ],
)
def test_a_freeze_that_cannot_be_meant_is_reported(keys: str, message: str) -> None:
    assert_mistake(policy(more=f"freezes: [{{{keys}, reason: x}}]\n"), message)


def test_on_keeps_its_defaults_for_what_it_does_not_name() -> None:
    policy_read = sound(policy(more="on: {no_data: allow, except: [rollback]}\n"))

    assert policy_read.on == {**DEFAULT_ACTIONS, Cause.NO_DATA: Action.ALLOW}
    assert policy_read.exempt == {"rollback"}
    assert sound(policy()).on == DEFAULT_ACTIONS


def test_on_knows_three_actions() -> None:
    assert_mistake(
        policy(more="on: {stale: ¦ignore}\n"),
        "'ignore' is not a valid value; write allow, block or warn",
    )


@pytest.mark.parametrize(
    "least, floor",
    [("", "91%"), ("min_coverage: 40%\n", "41%")],
)
def test_the_floor_of_the_coverage_is_not_above_its_other_bound(least: str, floor: str) -> None:
    needs = "40" if least else "90"
    assert_mistake(
        policy(more=f"{least}coverage_floor: ¦{floor}\n"),
        f"coverage_floor must not be above min_coverage, which is {needs}%",
    )


@pytest.mark.parametrize(
    "written, floor",
    [
        ("", "50%"),
        ("min_coverage: 30%\n", "30%"),
        ("coverage_floor: 20%\n", "20%"),
        ("min_coverage: 30%\ncoverage_floor: 30%\n", "30%"),
    ],
)
def test_the_floor_is_half_of_the_window_where_the_policy_does_not_say_otherwise(
    written: str, floor: str
) -> None:
    assert sound(policy(more=written)).guards.floor == Fraction(floor.rstrip("%")) / 100


def test_the_guards_are_read() -> None:
    policy_read = sound(policy(more="max_age: 1h\nmin_coverage: 95%\nvalid_for: 5m\n"))

    assert policy_read.guards.max_age == timedelta(hours=1)
    assert policy_read.guards.min_coverage == Fraction(95, 100)
    assert policy_read.valid_for == timedelta(minutes=5)
