"""How long a decision holds, where only its instants are looked at."""

from datetime import UTC, datetime, timedelta

import pytest

from gate.decision.holding import _times

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)


def instant(minutes: int) -> str:
    return (NOW + timedelta(minutes=minutes)).isoformat()


@pytest.mark.parametrize(
    ("until", "flaws"),
    [(-1, 1), (0, 1), (4, 1), (5, 0), (60, 0)],
    ids=["ended", "ends now", "before the decision", "with it", "after it"],
)
def test_a_decision_holds_no_longer_than_its_override(until: int, flaws: int) -> None:
    override = {"reason": "x", "approved_by": "@grace", "until": instant(until), "label": None}
    document = {
        "evaluated_at": instant(-5),
        "expires_at": instant(5),
        "override": override,
        "override_confirmed": True,
    }
    reasons = list(_times(document, NOW))
    assert len(reasons) == flaws
    assert all("its override ends at" in reason for reason in reasons)
