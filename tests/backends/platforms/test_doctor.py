"""The doctor of every platform: never red on a healthy SLO, never green on a doubtful one."""

from collections.abc import Mapping
from datetime import timedelta
from fractions import Fraction

import pytest

from gate.backends.platforms.backend import PlatformBackend
from gate.backends.platforms.doctor import PlatformDoctor
from gate.measure import (
    Cause,
    Definition,
    Evidence,
    Granted,
    Promise,
    Share,
    Suspicion,
    Unmeasured,
)
from gate.measure.coverage import Gaps
from gate.measure.diagnosis import Check, CheckedSlo, CheckResult, Diagnosis, Level
from gate.slo.objective import RollingWindow, Span, Window
from tests.backends.platforms.played import AT, MONTH, NOT_THERE, Played, counts, defined, request

MINUTE = timedelta(minutes=1)
WEEK = RollingWindow(timedelta(days=7))


def checked(
    name: str = "chat",
    *,
    window: Window | None = MONTH,
    objective: Fraction | None = Fraction(999, 1000),
) -> CheckedSlo:
    return CheckedSlo(
        name=name,
        request=request(name),
        whole=timedelta(days=30),
        max_age=10 * MINUTE,
        min_coverage=Fraction(9, 10),
        window=window,
        objective=objective,
    )


def examine(platform: Played, *slos: CheckedSlo) -> Diagnosis:
    return PlatformDoctor(PlatformBackend(platform)).examine(slos or [checked()], AT)


def wrong(diagnosis: Diagnosis) -> Mapping[Check, Level]:
    (results,) = diagnosis.slos
    return {result.check: result.level for result in results if result.level is not Level.OK}


def message(diagnosis: Diagnosis, check: Check) -> str:
    (results,) = diagnosis.slos
    (said,) = [result.message for result in results if result.check is check]
    return said


SOUND = counts(newest=AT - 3 * MINUTE, coverage=Fraction(1), notes=("2 corrections are applied",))


def test_a_healthy_slo_is_sound_and_says_what_was_seen() -> None:
    definition = defined(no_data="minutes without events count as nothing")
    diagnosis = examine(Played({"chat": SOUND}, definitions={"chat": definition}))

    assert not wrong(diagnosis)
    assert diagnosis.skipped == ((),)
    assert [result.message for result in diagnosis.backend] == ["the key may only read"]
    assert message(diagnosis, Check.DEFINITION) == (
        'Example has "chat" (id-of-chat) with 99.9% over 30d'
    )
    assert message(diagnosis, Check.COUNTED) == (
        "400 bad of 1,000,000 events; 2 corrections are applied"
    )
    assert message(diagnosis, Check.FRESHNESS) == "the answer is 3m old"
    assert message(diagnosis, Check.COVERAGE) == "100.0% of the window has data"
    assert message(diagnosis, Check.NO_DATA) == "minutes without events count as nothing"


HEALTHY = {
    "a share": Share(
        bad=Fraction(4, 10_000), error=Fraction(1, 20_000), evidence=Evidence(query="q")
    ),
    "no event is bad": counts(0),
    "all events are bad": counts(1000, 1000),
    "a few events only": counts(0, 3),
    "as old as allowed": counts(newest=AT - 10 * MINUTE),
    "newer than the run, by another clock": counts(newest=AT + MINUTE),
    "as much coverage as is asked for": counts(coverage=Fraction(9, 10)),
    "nothing is said of coverage and age": counts(),
}


@pytest.mark.parametrize("answer", HEALTHY.values(), ids=HEALTHY)
def test_what_is_unusual_and_healthy_is_sound(answer: Share) -> None:
    assert not wrong(examine(Played({"chat": answer})))


def test_what_a_platform_does_not_say_is_listed_with_the_reason_and_is_not_a_fault() -> None:
    diagnosis = examine(Played({"chat": counts()}))

    (skipped,) = diagnosis.skipped
    assert {skip.check: skip.reason for skip in skipped} == {
        Check.NO_DATA: "Example does not say how it counts time without data",
        Check.FRESHNESS: "Example does not say how new the data of its answer are",
        Check.COVERAGE: "Example does not say how much of the window has data",
    }
    assert not any(skip.applies for skip in skipped)


def test_a_share_is_reported_with_its_rounding_and_what_it_is_of() -> None:
    share = Share(bad=Fraction(4, 10_000), error=Fraction(1, 20_000), evidence=Evidence(query="q"))
    definition = defined(granted=Granted.SECONDS)
    diagnosis = examine(Played({"chat": share}, definitions={"chat": definition}))

    assert message(diagnosis, Check.COUNTED) == ("of all seconds 0.04% bad, give or take 0.005%")


def test_several_promises_of_which_one_is_the_policys_agree() -> None:
    promises = (
        Promise(window=WEEK, objective=Fraction(99, 100)),
        Promise(window=MONTH, objective=Fraction(999, 1000)),
    )
    platform = Played({"chat": SOUND}, definitions={"chat": defined(promises=promises)})
    diagnosis = examine(platform)

    assert not wrong(diagnosis)
    assert message(diagnosis, Check.DEFINITION).endswith("with 99% over 7d and 99.9% over 30d")


@pytest.mark.parametrize(
    ("window", "objective", "own"),
    [
        (WEEK, Fraction(999, 1000), "99.9% over 7d"),
        (MONTH, Fraction(99, 100), "99% over 30d"),
        (MONTH, Fraction(9999, 10_000), "99.99% over 30d"),
    ],
)
def test_a_difference_between_platform_and_policy_is_a_fault_that_names_both(
    window: Window, objective: Fraction, own: str
) -> None:
    diagnosis = examine(Played({"chat": SOUND}), checked(window=window, objective=objective))

    assert wrong(diagnosis) == {Check.DEFINITION: Level.FAULT}
    assert message(diagnosis, Check.DEFINITION) == (
        f'the policy promises {own}; Example\'s SLO "chat" promises 99.9% over 30d'
    )


def test_without_a_window_of_the_policy_nothing_is_compared() -> None:
    assert not wrong(examine(Played({"chat": SOUND}), checked(window=None, objective=None)))


DOUBTFUL = {
    "old": (counts(newest=AT - 11 * MINUTE), {Check.FRESHNESS: Level.FAULT}),
    "a part is missing": (
        counts(warnings=("a region did not answer",)),
        {Check.PARTIAL: Level.FAULT},
    ),
    "uncovered": (
        counts(
            coverage=Fraction(1, 2),
            gaps=Gaps(
                late=Fraction(0),
                holes=Fraction(1, 2),
                longest=Span(AT - timedelta(days=15), AT),
            ),
        ),
        {Check.COVERAGE: Level.DOUBT},
    ),
    "suspected": (
        counts(
            suspicions=(
                Suspicion(
                    cause=Cause.LOST, reason="12 minutes are missing", remedy="see why", hidden=None
                ),
            )
        ),
        {Check.GAPS: Level.DOUBT},
    ),
}


@pytest.mark.parametrize(("answer", "expected"), DOUBTFUL.values(), ids=DOUBTFUL)
def test_what_is_doubtful_is_reported(answer: Share, expected: Mapping[Check, Level]) -> None:
    assert wrong(examine(Played({"chat": answer}))) == expected


UNMEASURED = {
    Cause.NO_DATA: Check.COUNTED,
    Cause.NO_TRAFFIC: Check.COUNTED,
    Cause.INVALID: Check.COUNTED,
    Cause.PARTIAL: Check.COUNTED,
    Cause.STALE: Check.COUNTED,
    Cause.BACKEND_ERROR: Check.REACH,
}


@pytest.mark.parametrize(("cause", "check"), UNMEASURED.items())
def test_what_is_not_measured_is_a_fault(cause: Cause, check: Check) -> None:
    diagnosis = examine(Played({"chat": Unmeasured(cause=cause, reason="it is so")}))

    assert wrong(diagnosis) == {check: Level.FAULT}
    assert "it is so" in message(diagnosis, check)


@pytest.mark.parametrize(
    ("cause", "check"),
    [
        (Cause.NO_DATA, Check.DEFINITION),
        (Cause.INVALID, Check.DEFINITION),
        (Cause.BACKEND_ERROR, Check.REACH),
    ],
)
def test_what_is_not_defined_is_a_fault(cause: Cause, check: Check) -> None:
    platform = Played({}, definitions={"chat": Unmeasured(cause=cause, reason="it is so")})

    assert wrong(examine(platform)) == {check: Level.FAULT}


def test_one_slo_that_fails_takes_no_other_along() -> None:
    platform = Played({"a": SOUND, "c": SOUND}, definitions={"b": NOT_THERE})
    diagnosis = examine(platform, checked("a"), checked("b"), checked("c"))

    levels = [{result.level for result in results} for results in diagnosis.slos]
    assert levels == [{Level.OK}, {Level.FAULT}, {Level.OK}]


def test_a_platform_that_cannot_be_reached_is_reported_once_and_nothing_more_is_asked() -> None:
    platform = Played({}, cannot={"examine"})
    diagnosis = examine(platform, checked("a"), checked("b"))

    (result,) = diagnosis.backend
    assert (result.check, result.level) == (Check.REACH, Level.FAULT)
    assert result.message == "https://platform.example: 503"
    assert diagnosis.slos == ((), ())
    assert "define" not in platform.calls


def test_a_fault_of_the_platform_as_a_whole_ends_the_examination() -> None:
    fault = CheckResult(check=Check.REACH, level=Level.FAULT, message="no login")
    diagnosis = examine(Played({}, whole=(fault,)))

    assert diagnosis.backend == (fault,)
    assert diagnosis.slos == ((),)


def test_a_doubt_about_the_platform_as_a_whole_does_not() -> None:
    doubt = CheckResult(check=Check.RIGHTS, level=Level.DOUBT, message="the key may write")
    diagnosis = examine(Played({"chat": SOUND}, whole=(doubt,)))

    assert diagnosis.backend == (doubt,)
    assert not wrong(diagnosis)


def test_all_slos_are_measured_in_one_round() -> None:
    platform = Played({"a": SOUND, "b": SOUND})
    examine(platform, checked("a"), checked("b"))

    assert platform.calls.count("define") == platform.calls.count("answer") == 1
    assert isinstance(defined(), Definition)
