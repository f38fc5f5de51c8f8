"""A suspicion about a count is shown wherever its budget is: what it may hide, and what to do."""

from fractions import Fraction
from typing import Any

import pytest

from gate.decision.decision import Decision
from gate.measure import Cause, Spent, Suspicion
from gate.policy.case import Case
from gate.policy.judge import judge
from gate.reporters import render, render_page
from gate.reporters.ansi import Style
from gate.reporters.decision_page import status_output
from gate.reporters.reasons import suspicion_facts, suspicion_sentence
from gate.slo.indicator import Sli
from gate.slo.objective import SpendSlo
from tests.budget.building import spend as spent
from tests.reporters.builders import (
    AT,
    BERLIN,
    allow_policy,
    availability,
    by_the_minute,
    counts,
    decision,
    evidence,
    policy_of,
    status,
)

WIDE = Style(width=400)
MONEY = SpendSlo(
    name="spend", window=BERLIN, sli=Sli(spent="s"), allowance=Fraction(100), unit="USD"
)


def suspicion(hidden: int | None = 0, doubtful: int | None = 0, **fields: Any) -> Suspicion:
    made: dict[str, Any] = {
        "cause": Cause.UNKNOWN_OUTCOME,
        "reason": "status is NULL in 300 rows",
        "remedy": "log the status",
    }
    return Suspicion(
        **(made | fields),
        hidden=None if hidden is None else Fraction(hidden),
        doubtful=None if doubtful is None else Fraction(doubtful),
    )


def decided(*suspicions: Suspicion, bad: int = 10) -> Decision:
    """Return a decision in which this number of the budget's 400 bad events was counted."""
    known = availability(counts(bad, 400_000, suspicions=suspicions))
    policy = policy_of((known,), burn_rates=())
    case = Case(policy=policy, assessments=(known,), change="full-rollout", at=AT)
    return decision(allow_policy(policy=policy, assessments=(known,), judgement=judge(case)))


@pytest.mark.parametrize(
    ("hidden", "doubtful", "says"),
    [
        (90, 0, "up to 90 events more may have been bad"),
        (None, 0, "any number of events more may have been bad"),
        (0, 300, "up to 300 events counted as bad may be good"),
        (0, None, "all counted as bad may be good"),
        (0, 0, None),
    ],
)
def test_a_suspicion_says_how_many_events_may_have_been_otherwise(
    hidden: int | None, doubtful: int | None, says: str | None
) -> None:
    slo = availability(counts(1, 2)).slo
    sentence = suspicion_sentence(suspicion(hidden, doubtful), slo)
    middle = "" if says is None else f"; {says}"
    assert sentence == (f"unknown outcome: status is NULL in 300 rows{middle}; log the status")


def test_slices_and_money_have_their_own_words() -> None:
    slices = by_the_minute(1).slo
    assert "up to 2 slices more may have been bad" in suspicion_sentence(suspicion(2), slices)
    assert "up to 2 USD more may have been spent" in suspicion_sentence(suspicion(2), MONEY)
    assert "any amount more may have been spent" in suspicion_sentence(suspicion(None), MONEY)
    less = suspicion_sentence(suspicion(0, 5), MONEY)
    assert "up to 5 USD counted as spent may not have been" in less


def test_what_is_left_lies_between_what_could_be_so() -> None:
    known = availability(counts(110, 400_000, suspicions=(suspicion(90, 30),)))
    (_, first), (_, between) = suspicion_facts(known)
    assert "up to 90 events more may have been bad; up to 30 events counted" in first
    # 200 or 80 of 400.
    assert between == "between 50.0% and 80.0% is left, depending on how much of that is true"
    unknown = availability(counts(110, 400_000, suspicions=(suspicion(None),)))
    assert len(list(suspicion_facts(unknown))) == 1
    amount = spent(Spent(amount=Fraction(10), evidence=evidence(suspicions=(suspicion(20),))))
    assert "between 70.0% and 90.0% is left" in [*suspicion_facts(amount)][1][1]
    assert list(suspicion_facts(availability(counts(1, 2)))) == []


@pytest.mark.parametrize("form", ["terminal", "markdown"])
def test_a_suspicion_that_decides_is_reported_with_its_range_and_its_remedy(form: str) -> None:
    text = " ".join(render(form, decided(suspicion(300)), WIDE).split())
    assert "between 22.5% and 97.5% is left; log the status" in text
    assert "in doubt: unknown outcome" in text
    assert "up to 300 events more may have been bad" in text


@pytest.mark.parametrize("form", ["terminal", "markdown"])
def test_one_that_changes_nothing_is_reported_beside_whatever_verdict(form: str) -> None:
    small = suspicion(1)
    allowed = " ".join(render(form, decided(small), WIDE).split())
    assert "ALLOW" in allowed
    assert "status is NULL in 300 rows" in allowed
    blocked = " ".join(render(form, decided(small, bad=4_000), WIDE).split())
    assert "BLOCK" in blocked
    assert "In doubt" in blocked
    assert "up to 1 events more may have been bad" in blocked


def test_the_status_has_no_good_colour_for_what_is_suspected() -> None:
    color = Style(width=200, color=True)
    known = availability(counts(10, 400_000, suspicions=(suspicion(1),)))
    page = status_output(status(allow_policy(assessments=(known,))))
    text = render_page("terminal", page, color)
    assert "in doubt: unknown outcome" in text
    assert "\x1b[32m" not in text
    assert "status is NULL in 300 rows" in text
