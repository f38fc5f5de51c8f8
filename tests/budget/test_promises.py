"""The objectives of a policy and of a platform agree, or the answer names both."""

from datetime import UTC, timedelta, timezone
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from gate.budget.promises import difference, with_promise
from gate.measure import Cause, Definition, Promise, Unmeasured
from gate.slo.calendar import Period
from gate.slo.indicator import Sli
from gate.slo.objective import (
    CalendarWindow,
    Denominator,
    PlatformSlo,
    RatioSlo,
    RollingWindow,
    Window,
)
from tests.budget.building import AT, MONTH, ROLLING, counts, ratio, ratio_slo, share

WEEK = RollingWindow(timedelta(days=7))
SLI = Sli(slo="Chat")


def defined(*promises: tuple[Window, str]) -> Definition:
    return Definition(
        id="abc",
        name="Chat",
        platform="Datadog",
        promises=tuple(
            Promise(window=window, objective=Fraction(objective)) for window, objective in promises
        ),
    )


@pytest.mark.parametrize(
    "definition",
    [
        defined((ROLLING, "0.999")),
        defined((WEEK, "0.99"), (ROLLING, "0.999")),
        defined((ROLLING, "0.9990000000000001")),
    ],
)
def test_a_platform_that_promises_the_same_is_not_a_difference(definition: Definition) -> None:
    assert difference(ratio_slo(), definition, AT) is None


@pytest.mark.parametrize(
    ("mine", "theirs", "same"),
    [
        (MONTH, CalendarWindow(Period.MONTH, ZoneInfo("UTC")), True),
        (MONTH, CalendarWindow(Period.MONTH, timezone(timedelta(0))), True),
        (MONTH, CalendarWindow(Period.MONTH, ZoneInfo("Europe/London")), False),
        (MONTH, CalendarWindow(Period.WEEK, UTC), False),
        (MONTH, ROLLING, False),
        (ROLLING, MONTH, False),
        (ROLLING, WEEK, False),
        (
            CalendarWindow(Period.MONTH, ZoneInfo("Europe/Berlin")),
            CalendarWindow(Period.MONTH, ZoneInfo("Europe/Paris")),
            True,
        ),
    ],
)
def test_windows_are_the_same_that_are_the_same_time(
    mine: Window, theirs: Window, same: bool
) -> None:
    definition = defined((theirs, "0.999"))

    assert (difference(ratio_slo(window=mine), definition, AT) is None) is same


def test_a_difference_names_both() -> None:
    definition = defined((ROLLING, "0.995"), (WEEK, "0.995"), (MONTH, "0.99"))

    assert difference(ratio_slo(), definition, AT) == (
        'the policy promises 99.9% over 30d; Datadog\'s SLO "Chat" promises 99.5% over 30d and 7d,'
        " 99% over calendar month (UTC); write the same in both, or take objective and window from"
        " the platform with from: platform"
    )


@pytest.mark.parametrize("rounded", [False, True])
def test_an_answer_of_a_platform_that_promises_something_else_is_invalid(rounded: bool) -> None:
    other = defined((ROLLING, "0.995"))
    whole = counts(bad=1, total=10**6, definition=other)

    assessment = ratio(share("0.0001", "0.00001", definition=other) if rounded else whole)

    assert not assessment.measured
    assert [doubt.cause for doubt in assessment.doubts] == [Cause.INVALID]
    assert "99.9% over 30d; Datadog" in assessment.doubts[0].reason


def test_the_only_promise_of_a_platform_is_taken() -> None:
    slo = PlatformSlo(name="chat", sli=SLI, min_events=5, sla=Fraction("0.99"), advisory=True)

    assert with_promise(slo, defined((MONTH, "0.999")), AT) == RatioSlo(
        name="chat",
        sli=SLI,
        window=MONTH,
        objective=Fraction("0.999"),
        min_events=5,
        sla=Fraction("0.99"),
        denominator=Denominator.PERIOD,
        advisory=True,
    )


@pytest.mark.parametrize(
    ("chosen", "window"),
    [({"window": WEEK}, WEEK), ({"objective": Fraction("0.999")}, ROLLING)],
)
def test_of_several_promises_the_policy_chooses_one(chosen: dict[str, Any], window: Window) -> None:
    slo = PlatformSlo(name="chat", sli=SLI, **chosen)

    found = with_promise(slo, defined((WEEK, "0.99"), (ROLLING, "0.999")), AT)

    assert isinstance(found, RatioSlo)
    assert found.window == window


def why_not(definition: Definition, **fields: Any) -> str:
    answer = with_promise(PlatformSlo(name="chat", sli=SLI, **fields), definition, AT)
    assert isinstance(answer, Unmeasured)
    assert answer.cause is Cause.INVALID
    return answer.reason


def test_several_promises_of_which_none_is_chosen_are_named() -> None:
    assert why_not(defined((WEEK, "0.99"), (ROLLING, "0.999"))) == (
        'Datadog\'s SLO "Chat" promises 99% over 7d, 99.9% over 30d; choose one of these promises'
        " with window, or with objective"
    )


@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        ({"window": MONTH}, "calendar month (UTC)"),
        ({"objective": Fraction("0.9")}, "90%"),
        ({"objective": Fraction("0.99"), "window": ROLLING}, "99% over 30d"),
    ],
)
def test_a_choice_that_the_platform_does_not_have_names_both(
    chosen: dict[str, Any], words: str
) -> None:
    reason = why_not(defined((WEEK, "0.99")), **chosen)

    assert reason == (
        f'the policy chooses {words}; Datadog\'s SLO "Chat" promises 99% over 7d; choose one of'
        " these promises with window, or with objective"
    )


def test_an_sla_that_is_stricter_than_the_platform_is_refused() -> None:
    reason = why_not(defined((WEEK, "0.99")), sla=Fraction("0.995"))

    assert reason.startswith(
        'the sla 99.5% must be lower than the objective; Datadog\'s SLO "Chat"'
    )
