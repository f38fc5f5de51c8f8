from datetime import UTC, datetime, timedelta
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from gate.budget.recovery import recovery
from gate.slo.history import Series

AT = datetime(2026, 11, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
BAD = st.lists(st.integers(0, 1000), min_size=1, max_size=60)


def series(*bad: float | None) -> Series:
    total = tuple(None if one is None else 1000.0 for one in bad)
    return Series(total=total, bad=bad, query="asked")


def test_a_budget_comes_back_as_its_failures_leave_the_window() -> None:
    # Of 10 failures 4 are in the oldest hour and 6 in the third: they leave after 1 and 3 hours.
    found = recovery(series(4, 0, 6, 0), AT, HOUR)
    assert found is not None

    assert list(found.remaining(Fraction(-1, 2))) == [
        (AT + 1 * HOUR, 1 - Fraction(3, 2) * Fraction(6, 10)),
        (AT + 2 * HOUR, 1 - Fraction(3, 2) * Fraction(6, 10)),
        (AT + 3 * HOUR, Fraction(1)),
        (AT + 4 * HOUR, Fraction(1)),
    ]


def test_hours_of_which_nothing_is_known_give_nothing_back() -> None:
    found = recovery(series(None, 5), AT, HOUR)
    assert found is not None

    assert found.left == (Fraction(1), Fraction(0))


def test_without_failures_there_is_nothing_to_recover() -> None:
    assert recovery(series(0, None, 0), AT, HOUR) is None


@given(BAD, st.fractions(-3, 1))
def test_recovery_never_takes_back_and_ends_with_a_full_budget(
    bad: list[int], left: Fraction
) -> None:
    found = recovery(series(*bad), AT, HOUR)
    if found is None:
        assert sum(bad) == 0
        return
    remaining = [share for _, share in found.remaining(left)]

    assert len(remaining) == len(bad)
    assert remaining == sorted(remaining)
    assert remaining[0] >= left
    assert remaining[-1] == 1
