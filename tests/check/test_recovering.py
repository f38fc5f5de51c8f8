"""When a budget that forbids a change comes back: what is asked, and what is told."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from gate.check.options import Options
from gate.check.run import run_check
from gate.decision.decision import PolicyDecision
from gate.measure import Answer, Backend, Cause
from gate.measure.history import Series, SeriesAnswer
from gate.policy.findings import Verdict
from tests.analysis.memory import AT, Opening, counts, file, slo, unmeasured
from tests.check.test_looking_back import Remembering

HOUR, DAY, STEP = timedelta(hours=1), timedelta(days=1), timedelta(minutes=5)
SPENT, HALF = counts(1e6, 1500), counts(1e6, 500)


def failing(at: int, *, steps: int, count: float = 100.0) -> Series:
    """1,000 events in each step, of which one step, from the oldest, had failures."""
    bad = [0.0] * steps
    bad[at] = count
    return Series(total=(1000.0,) * steps, bad=tuple(bad), query="asked")


def composite(*members: str) -> str:
    parts = ", ".join(f"{{slo: {one}}}" for one in members)
    return f"  - {{name: all, composite: [{parts}]}}\n"


def decide(
    slos: list[str],
    answers: Mapping[str, SeriesAnswer],
    counted: Answer,
    others: Mapping[str, Answer] | None = None,
) -> tuple[PolicyDecision, list[str]]:
    """Return the decision on a canary, and of which indicators the history was asked for."""
    backend = Remembering(answers, counted=counted, others=others or {})
    options = Options(at=AT, change="canary")
    decision = run_check([file("chat", *slos)], options, open_with=Opening({"chat": backend}))
    (decided,) = decision.policies
    assert decided.verdict is Verdict.BLOCK
    (asked,) = backend.asked
    return decided, [str(one.sli.bad) for one in asked]


@dataclass
class Limited(Remembering):
    """Works within a time limit, and can go on within another one."""

    limits: list[timedelta] = field(default_factory=list)

    def within(self, timeout: timedelta) -> Backend:
        self.limits.append(timeout)
        return self


def test_the_backend_that_has_counted_goes_on_within_a_short_time() -> None:
    backend = Limited({"a": failing(0, steps=720)}, counted=SPENT)
    opening = Opening({"chat": backend})

    run_check([file("chat", slo("a"))], Options(at=AT, change="canary"), open_with=opening)

    assert [limits.timeout for _, limits in opening.opened] == [timedelta(seconds=60)]
    assert backend.limits == [timedelta(seconds=10)]
    assert len(backend.asked) == 1


def test_timeslices_come_back_as_their_bad_ones_leave_the_window() -> None:
    # Of 8,640 slices 8.64 may be bad; ten are, of which the history knows those of two times.
    sliced = slo("a", more="timeslices: {length: 5m, target: 95%}")
    bad = [0.0] * 8640
    bad[10] = bad[20] = 51.0  # of 1,000, one too many
    bad[30] = 50.0
    series = Series(total=(1000.0,) * 8640, bad=tuple(bad), query="asked")

    decided, asked = decide([sliced], {"a": series}, counts(8640, 10))

    assert asked == ["a"]
    # Half of it has gone when the first has left: 5 of 8.64 are spent, and 42% is left.
    assert decided.judgement.allowed_again_at == AT + 11 * STEP
    assert decided.judgement.allowed_again_if_calm


def test_a_window_shorter_than_a_step_is_one_step() -> None:
    short = slo("a").replace("window: 30d", "window: 4m")

    decided, _ = decide([short], {"a": failing(0, steps=1)}, SPENT)

    assert decided.judgement.allowed_again_at == AT + timedelta(minutes=4)


def test_a_composite_comes_back_as_its_members_do() -> None:
    # Each has 50% left, together nothing; a's failures leave after 240 hours, b's after 480.
    series = {name: failing(at, steps=720) for name, at in (("a", 239), ("b", 479))}

    decided, asked = decide([slo("a"), slo("b"), composite("a", "b")], series, HALF)

    assert asked == ["a", "b"]
    assert decided.judgement.worst is not None
    assert decided.judgement.worst.slo.name == "all"
    assert decided.judgement.allowed_again_at == AT + 240 * HOUR


def test_what_resets_gives_a_composite_its_part_back_then() -> None:
    # The week ends in 24 hours; b's failures are longer in the window.
    weekly = slo("a").replace("window: 30d", "window: {calendar: week, denominator: to-date}")
    series = {"b": failing(479, steps=720)}

    decided, asked = decide([weekly, slo("b"), composite("a", "b")], series, HALF)

    assert asked == ["b"]
    assert decided.judgement.allowed_again_at == AT + DAY


def test_a_member_that_took_nothing_need_not_come_back() -> None:
    series: dict[str, SeriesAnswer] = {
        "a": failing(239, steps=720),
        "b": unmeasured(Cause.NO_DATA),
    }
    slos = [slo("a", more="advisory: true"), slo("b"), composite("a", "b")]

    decided, _ = decide(slos, series, SPENT, {"b": counts(1e6, 0)})

    assert decided.judgement.allowed_again_at == AT + 240 * HOUR


@pytest.mark.parametrize(
    "answer", [unmeasured(Cause.BACKEND_ERROR), failing(0, steps=720, count=0)]
)
def test_of_what_is_not_known_of_a_member_nothing_is_promised(answer: SeriesAnswer) -> None:
    series: dict[str, SeriesAnswer] = {"a": failing(239, steps=720), "b": answer}

    decided, _ = decide([slo("a"), slo("b"), composite("a", "b")], series, HALF)

    assert decided.judgement.allowed_again_at is None


def test_a_gauge_is_requested_as_well_and_the_backend_says_what_it_can() -> None:
    gauge = slo("a").replace("sli: {bad: a, total: total}", "sli: {gauge: up}")
    decided, asked = decide([gauge], {"None": unmeasured(Cause.NO_DATA)}, counts(43_200, 60))

    assert asked == ["None"]
    assert decided.judgement.allowed_again_at is None
