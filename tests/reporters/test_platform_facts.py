"""The facts of a platform's report among the details of an SLO."""

from fractions import Fraction

import pytest

from gate.measure import Definition, Granted, Promise
from gate.reporters.budgets import details
from gate.slo.objective import Window
from tests.budget.building import MONTH, ROLLING, counts, ratio


def fact(window: Window, *, to_date: bool = False, **more: object) -> str:
    """Return the details about the platform of an SLO that it has counted."""
    promise = Promise(window=window, objective=Fraction("0.999"))
    definition = Definition(
        id="abc", name="Chat", platform="Datadog", promises=(promise,), to_date=to_date
    )
    answer = counts(bad=1, total=10_000, definition=definition, **more)
    return dict(details(ratio(answer, window=window)))["platform"]


def test_how_new_an_answer_is_is_reported_where_the_platform_says_it() -> None:
    assert fact(ROLLING) == ('Datadog reported counts for "Chat", as of 2026-11-20 14:00 UTC')
    assert fact(ROLLING, newest=None) == 'Datadog reported counts for "Chat"'


def test_seconds_are_reported_to_be_time() -> None:
    told = fact(ROLLING, newest=None, granted=Granted.SECONDS)

    assert told == 'Datadog reported counts of time for "Chat"'


@pytest.mark.parametrize(
    ("to_date", "convention"),
    [(True, "against the events so far"), (False, "against the whole period")],
)
def test_of_a_calendar_window_the_convention_of_the_platform_is_reported(
    to_date: bool, convention: str
) -> None:
    assert fact(MONTH, to_date=to_date).endswith(f"its own budget is {convention}")
