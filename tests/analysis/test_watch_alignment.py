"""A server scrapes the canary and the baseline at different moments: outages of both look unlike.

Each second is known here. The canary's counts of a step are those of a step that is shifted by
``offset`` seconds, as if its targets were scraped so much later than those of the baseline.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from gate.analysis.watch import WatchReport
from gate.analysis.watch.alignment import aligned
from gate.analysis.watch.run import watch, watch_grid, watch_question
from gate.analysis.watch.state import WatchState, read_state
from gate.history.sequential import ComparedStep
from gate.history.sequential.verdict import CanaryVerdict
from gate.measure import Answer, Cause, CountRequest, Unmeasured
from gate.measure.cohorts import Cohort, CohortAnswer, CohortRequest, Cohorts, LabelValues
from tests.analysis.memory import Opening, counts, file, slo
from tests.analysis.watching import ALONE, CANARY, STABLE, START, Machine, options

MINUTE = 60
Ratio = Callable[[int], float]
"""Which share of the requests of a second fails, by the seconds since the start."""


@dataclass(slots=True)
class Scraped:
    """A backend that scrapes the canary so many seconds later than the baseline."""

    offset: int
    canary: Ratio
    stable: Ratio
    machine: Machine
    traffic: int = 100
    """The canary's requests of a second; the baseline has nine times as many."""
    silent: bool = False
    """Whether it knows nothing of steps that are shifted."""
    asked: list[CohortRequest] = field(default_factory=list)

    def measure(self, requests: Sequence[CountRequest], _at: object) -> list[Answer]:
        return [counts(1_000_000_000, 0) for _ in requests]

    def cohorts(self, requests: Sequence[CohortRequest]) -> list[CohortAnswer]:
        self.asked += requests
        return [self._answer(request) for request in requests]

    def _answer(self, request: CohortRequest) -> CohortAnswer:
        first = int((request.span.start - START).total_seconds())
        if self.silent and first % MINUTE:
            return Unmeasured(cause=Cause.BACKEND_ERROR, reason="it is gone")
        assert first + request.steps * MINUTE <= self.machine.seconds, "that is in the future"
        begins = [first + place * MINUTE for place in range(request.steps)]
        canary = [self._step(self.canary, begin + self.offset, self.traffic) for begin in begins]
        stable = [self._step(self.stable, begin, 9 * self.traffic) for begin in begins]
        groups: dict[LabelValues, Cohort] = {}
        for values, steps in ((CANARY, canary), (STABLE, stable)):
            totals, bad = zip(*steps, strict=True)
            groups[values] = Cohort(total=totals, bad=bad)
        return Cohorts(groups=groups, query="asked")

    def _step(self, ratio: Ratio, begin: int, traffic: int) -> tuple[float, float]:
        bad = sum(ratio(second) * traffic for second in range(begin, begin + MINUTE))
        return float(traffic * MINUTE), bad


def watched(backend: Scraped, *, alone: bool = False, state: str | None = None) -> WatchReport:
    """Watch for a quarter of an hour, from the start or from what was seen before."""
    more = {"arms": ALONE} if alone else {}
    wanted = options(lasting=timedelta(minutes=15), **more)
    policy = file("chat", slo("errors"))
    question = watch_question(policy, wanted)
    begun = (
        WatchState(question=question, grid=watch_grid(wanted, START))
        if state is None
        else read_state(state.encode(), question, "state.json")
    )
    surroundings = backend.machine.surroundings()
    return watch(policy, wanted, begun, surroundings, open_with=Opening({"chat": backend}))


def outage(begin: int, end: int) -> Ratio:
    """Return a service half of whose requests fail for a while, and else one in 5,000."""
    return lambda second: 0.5 if begin <= second < end else 0.0002


@pytest.mark.crossed
@pytest.mark.parametrize("offset", [15, -15, 1, 0])
@pytest.mark.parametrize("begin, end", [(299, 420), (300, 420), (291, 430), (360, 488), (305, 421)])
@pytest.mark.parametrize("late", [False, True], ids=["live", "recorded"])
def test_an_outage_of_both_accuses_nobody_whenever_each_is_scraped(
    offset: int, begin: int, end: int, late: bool
) -> None:
    machine = Machine(seconds=86_400 if late else 0)
    backend = Scraped(offset, outage(begin, end), outage(begin, end), machine)

    assert watched(backend).verdict is not CanaryVerdict.ROLL_BACK


@pytest.mark.parametrize("offset", [15, -15])
@pytest.mark.parametrize("late", [False, True], ids=["live", "recorded"])
def test_short_outages_of_both_accuse_nobody_however_many_fall_on_the_edge_of_a_step(
    offset: int, late: bool
) -> None:
    def blips(second: int) -> float:
        since = second % 120 if offset > 0 else (second + 12) % 120
        return 0.5 if 2 <= since < 10 else 0.0002

    machine = Machine(seconds=86_400 if late else 0)

    report = watched(Scraped(offset, blips, blips, machine))

    assert report.verdict is not CanaryVerdict.ROLL_BACK


@pytest.mark.parametrize("offset", [15, -15, 0])
def test_a_canary_that_fails_alone_is_found_in_two_steps(offset: int) -> None:
    backend = Scraped(offset, outage(300, 900), outage(0, 0), Machine())

    report = watched(backend)

    assert report.verdict is CanaryVerdict.ROLL_BACK
    # Two steps have to say it; where it is scraped later it fails by then in one more of them.
    assert report.ended_at in (START + timedelta(minutes=6), START + timedelta(minutes=7))
    (seen,) = report.slos
    assert seen.baseline is not None
    assert seen.baseline[1] == pytest.approx(0.0002 * seen.baseline[0]), "it is told as counted"


def test_what_was_aligned_is_kept_for_a_watch_that_goes_on() -> None:
    both = outage(299, 420)
    stopped = Machine(until=9 * MINUTE + 30)
    assert watched(Scraped(15, both, both, stopped)).interrupted

    again = watched(Scraped(15, both, both, Machine(seconds=600)), state=stopped.states[-1])

    assert again.verdict is not CanaryVerdict.ROLL_BACK


def test_a_step_that_accuses_nobody_is_requested_as_it_is_and_no_canary_that_is_alone() -> None:
    calm = Scraped(15, outage(0, 0), outage(0, 0), Machine(seconds=86_400))
    watched(calm)
    alone = Scraped(15, outage(300, 900), outage(0, 0), Machine(seconds=86_400))
    assert watched(alone, alone=True).verdict is CanaryVerdict.ROLL_BACK

    for backend in (calm, alone):
        seconds = {(request.span.start - START).total_seconds() for request in backend.asked}
        assert {second % MINUTE for second in seconds} == {0}


def test_where_nothing_is_known_of_shifted_steps_the_counts_stay_as_they_are() -> None:
    backend = Scraped(0, outage(300, 900), outage(0, 0), Machine(), silent=True)

    assert watched(backend).verdict is CanaryVerdict.ROLL_BACK


@pytest.mark.parametrize("until, latency", [(7 * MINUTE + 10, 0.0), (7 * MINUTE + 21.5, 1.0)])
def test_a_signal_while_it_looks_again_ends_the_watch(until: float, latency: float) -> None:
    # Two minutes after the canary has begun to fail it would be accused; a third of a minute later
    # the step that says so is looked at again.
    machine = Machine(until=until, latency=latency)
    backend = Scraped(0, outage(300, 900), outage(0, 0), machine)

    report = watched(backend)

    assert report.interrupted
    assert report.verdict is CanaryVerdict.ROLL_BACK, "that is what was seen"


@pytest.mark.parametrize(
    "shifted, bad",
    [((3.0, 8.0), 8.0), ((8.0, 3.0), 8.0), ((3.0, 4.0), 5.0), ((None, 9.0), 9.0), ((None,), 5.0)],
)
def test_the_most_failures_of_the_baseline_count(
    shifted: tuple[float | None, ...], bad: float
) -> None:
    step = ComparedStep(100.0, 7.0, 900.0, 5.0)
    others = [None if one is None else ComparedStep(90.0, 50.0, 800.0, one) for one in shifted]

    assert aligned(step, others) == ComparedStep(100.0, 7.0, 900.0, bad)


def test_there_are_never_more_failures_than_requests() -> None:
    step = ComparedStep(100.0, 7.0, 6.0, 5.0)

    assert aligned(step, [ComparedStep(90.0, 0.0, 20.0, 9.0)]).baseline_bad == 6.0
