from datetime import UTC, datetime, timedelta

import pytest

from gate.measure import Cause
from gate.policy.findings import Rule, Verdict
from gate.policy.rule_settings import Freeze
from tests.budget.building import MONTH, lost, ratio
from tests.policy.building import found, judged, left, said

ALLOW, _WARN, UNDECIDED, BLOCK = Verdict
START, END = datetime(2026, 12, 20, tzinfo=UTC), datetime(2027, 1, 3, tzinfo=UTC)
TICK = timedelta(microseconds=1)


def freeze(
    start: datetime = START,
    end: datetime | None = END,
    allow: frozenset[str] = frozenset({"rollback"}),
) -> Freeze:
    return Freeze(start=start, end=end, reason="year end", allow=allow)


@pytest.mark.parametrize(
    "at, frozen",
    [(START - TICK, False), (START, True), (END - TICK, True), (END, False), (END + TICK, False)],
)
def test_a_freeze_begins_at_its_start_and_is_over_at_its_end(at: datetime, frozen: bool) -> None:
    judgement = judged("canary", left("1"), at=at, freezes=(freeze(),))
    assert judgement.verdict is (BLOCK if frozen else ALLOW)
    assert len(found(judgement, Rule.FREEZE)) == frozen
    assert judgement.allowed_again_at == (END if frozen else None)


@pytest.mark.parametrize("at, frozen", [(START - TICK, False), (START, True), (END, True)])
def test_a_freeze_whose_end_is_not_known_goes_on(at: datetime, frozen: bool) -> None:
    judgement = judged("canary", left("1"), at=at, freezes=(freeze(end=None),))
    assert judgement.verdict is (BLOCK if frozen else ALLOW)
    assert judgement.allowed_again_at is None


def test_an_instant_in_another_zone_is_the_same_instant() -> None:
    at = datetime.fromisoformat("2026-12-20T01:59:59+02:00")
    assert judged("canary", left("1"), at=at, freezes=(freeze(),)).verdict is ALLOW


def test_a_freeze_says_why_and_until_when() -> None:
    judgement = judged("canary", left("1"), at=START, freezes=(freeze(),))
    assert said(judgement, Rule.FREEZE) == (BLOCK, "frozen: year end")
    assert [finding.until for finding in found(judgement, Rule.FREEZE)] == [END]


def test_a_class_that_a_freeze_allows_ships_and_the_freeze_is_still_named() -> None:
    judgement = judged("rollback", left("1"), at=START, freezes=(freeze(),))
    assert judgement.verdict is ALLOW
    assert said(judgement, Rule.FREEZE) == (ALLOW, "frozen: year end; rollback may ship")
    assert judgement.allowed_again_at is None


def test_a_freeze_stops_what_the_budget_would_allow_and_not_the_other_way_round() -> None:
    everything = frozenset({"canary"})
    judgement = judged("canary", left("0"), at=START, freezes=(freeze(allow=everything),))
    assert judgement.verdict is BLOCK
    assert judgement.allowed_again_at is None


@pytest.mark.parametrize(
    "others, again",
    [
        ((), END),
        # Overlapping, adjoining, and one after the other in any order.
        ((freeze(START, END + timedelta(days=3)),), END + timedelta(days=3)),
        ((freeze(END, END + timedelta(days=3)),), END + timedelta(days=3)),
        (
            (
                freeze(END + timedelta(days=2), END + timedelta(days=9)),
                freeze(END - TICK, END + timedelta(days=2)),
            ),
            END + timedelta(days=9),
        ),
        # Without a known end, and one more after it.
        ((freeze(END - TICK, None), freeze(END, END + timedelta(days=3))), None),
        # One that begins later, one that is over, one that lets this class through.
        ((freeze(END + TICK, END + timedelta(days=3)),), END),
        ((freeze(START - timedelta(days=9), START),), END),
        ((freeze(END, END + timedelta(days=3), frozenset({"canary"})),), END),
    ],
)
def test_a_change_is_allowed_again_when_no_freeze_stops_it_any_more(
    others: tuple[Freeze, ...], again: datetime | None
) -> None:
    judgement = judged("canary", left("1"), at=START, freezes=(*others, freeze()))
    assert judgement.allowed_again_at == again


def test_a_budget_that_renews_during_a_freeze_waits_for_its_end() -> None:
    # Overspent in November, and frozen from the last day of it.
    at = datetime(2026, 11, 20, 14, tzinfo=UTC)
    late = freeze(datetime(2026, 11, 30, tzinfo=UTC), datetime(2026, 12, 5, tzinfo=UTC))
    judgement = judged("canary", left("0", window=MONTH), at=at, freezes=(late,))
    assert found(judgement, Rule.FREEZE) == []
    assert judgement.allowed_again_at == datetime(2026, 12, 5, tzinfo=UTC)


def test_a_freeze_ends_but_what_cannot_be_measured_has_no_time() -> None:
    judgement = judged("canary", ratio(lost(Cause.NO_DATA)), at=START, freezes=(freeze(),))
    assert judgement.verdict is BLOCK
    assert [finding.verdict for finding in judgement.findings] == [BLOCK, UNDECIDED]
    assert judgement.allowed_again_at is None
