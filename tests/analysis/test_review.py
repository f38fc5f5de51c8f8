"""Looking back at objectives: what is asked of a backend, and what is made of its answers."""

from collections import Counter
from datetime import timedelta
from fractions import Fraction

import pytest

from gate.analysis.review import CandidateReplay, Review, ReviewReport, SloReview
from gate.analysis.review.run import ReviewOptions, review_objectives
from gate.check.measure import measure
from gate.errors import ExitCode, UsageError
from gate.history.objective_candidates import CandidateKind, Fit
from gate.measure import Cause, Unmeasured
from tests.analysis.memory import AT, Memory, Opening, file, slo
from tests.analysis.remembered import (
    ALLOWED,
    CALENDAR,
    DAY,
    HOUR,
    MONTH,
    OUTAGES,
    Bad,
    Remembered,
)


def look(backend: Remembered, *slos: str, periods: int = 3) -> ReviewReport:
    asked = ReviewOptions(at=AT, periods=periods, timeout=timedelta(seconds=3))
    return review_objectives([file("chat", *slos)], asked, open_with=Opening({"chat": backend}))


def only(report: ReviewReport) -> SloReview:
    (service,) = report.services
    (one,) = service.slos
    return one


def found(bad: Bad, text: str | None = None, periods: int = 3) -> Review:
    one = only(look(Remembered({"a": bad}), text or slo("a"), periods=periods)).review
    assert one is not None
    return one


def candidate(one: Review, kind: CandidateKind) -> CandidateReplay:
    (wanted,) = [replayed for replayed in one.replayed if replayed.candidate.kind is kind]
    return wanted


def tier(left: Fraction) -> str:
    if left > Fraction(1, 2):
        return "healthy"
    return "caution" if left > Fraction(1, 10) else "exhausted"


def test_each_period_is_reported_with_what_it_consumed() -> None:
    one = found(OUTAGES)

    objective = Fraction(999, 1000)
    assert [period.consumed(objective) for period in one.periods] == [0, Fraction(900, ALLOWED), 0]
    assert [period.span.end for period in one.periods] == [AT - 60 * DAY, AT - 30 * DAY, AT]
    assert one.fit is Fit.UNDECIDED  # one miss of three says little
    assert one.moved is not None
    # Windows that have both outages are those that end in the 720 hours from the second on, less
    # those before it that have the first no more: 901 + 719 and 1,202.
    both = [end for end in range(MONTH, 3 * MONTH + 1) if 1202 <= end <= 900 + MONTH]
    assert one.moved.missed == Fraction(len(both), 2 * MONTH + 1)
    assert float(one.moved.worst) == 900 / 720_000
    assert one.moved.worst_end == AT - 90 * DAY + 1202 * HOUR
    assert one.met == Fraction("0.9987")  # 900 of 720,000 are 0.125%
    assert (one.begins, one.notes) == (None, ("seen",))
    assert one.unknown == 0


@pytest.mark.variants(2)
@pytest.mark.parametrize(
    ("kind", "allowed", "met"),
    [
        (CandidateKind.STRICTER, ALLOWED // 2, 2),
        (CandidateKind.PRESENT, ALLOWED, 2),
        (CandidateKind.LAXER, ALLOWED * 2, 3),
        (CandidateKind.MET, ALLOWED * 1.3, 3),
        (CandidateKind.SLA, ALLOWED * 5, 3),
    ],
)
def test_each_candidate_is_replayed_hour_by_hour(
    kind: CandidateKind, allowed: float, met: int
) -> None:
    one = candidate(found(OUTAGES, slo("a", more="sla: 99.5%")), kind)

    windows = [sum(OUTAGES[end - MONTH : end]) for end in range(MONTH, 3 * MONTH + 1)]
    left = [1 - Fraction(bad) / Fraction(allowed) for bad in windows]
    spread = Counter(map(tier, left))
    assert one.tiers == {
        name: Fraction(spread[name], len(left)) for name in ("healthy", "caution", "exhausted")
    }
    assert one.exhausted == Fraction(sum(share <= 0 for share in left), len(left))
    assert one.met == met


def test_a_calendar_budget_is_replayed_from_each_reset_on() -> None:
    # September, and October to its end; all of 300 in the first hour of October.
    bad = [*[0] * (30 * 24), 300, *[0] * (31 * 24 - 1)]

    one = found(bad, CALENDAR, periods=2)

    assert [period.span.start.month for period in one.periods] == [9, 10]
    # 300 of the 744 that may fail: against the whole period it is 40% all month, or 81% of half.
    present = candidate(one, CandidateKind.PRESENT)
    assert present.tiers == {"healthy": 1, "caution": 0, "exhausted": 0}
    stricter = candidate(one, CandidateKind.STRICTER)
    assert stricter.tiers["caution"] == Fraction(744, 744 + 720)
    assert [period.consumed(Fraction(999, 1000)) for period in one.periods] == [
        0,
        Fraction(300, 744),
    ]


def test_one_question_is_asked_for_all_periods_of_an_slo() -> None:
    backend = Remembered({"a": OUTAGES, "b": OUTAGES})

    look(backend, slo("a"), slo("b"))

    assert [one.span.length for one in backend.asked] == [90 * DAY] * 2
    assert {one.step for one in backend.asked} == {HOUR}


def test_periods_that_are_not_known_are_not_counted_as_met() -> None:
    one = found([None] * 800 + [0] * (3 * MONTH - 800))

    assert [period.doubt for period in one.periods] == [Cause.NO_DATA, Cause.LOW_COVERAGE, None]
    assert one.fit is Fit.UNDECIDED
    assert candidate(one, CandidateKind.PRESENT).met == 1
    assert one.begins == AT - 3 * MONTH * HOUR + 800 * HOUR
    # A window that ends within it is known where nine tenths of it are.
    blind = [end for end in range(MONTH, 3 * MONTH + 1) if end - 800 < 0.9 * MONTH]
    assert one.unknown == Fraction(len(blind), 2 * MONTH + 1)


def test_where_no_period_counts_nothing_is_proved_and_what_is_known_is_reported() -> None:
    report = look(Remembered({"a": [1] * 100}), slo("a"))

    one = only(report)
    assert one.unmeasured is not None
    assert one.unmeasured.cause is Cause.MOSTLY_UNCOVERED
    assert one.unmeasured.reason == "of none of the last 3 enough is known to count it"
    assert one.review is not None
    assert one.review.replayed[0].exhausted is None
    assert one.review.replayed[0].tiers == {}
    assert report.exit_code is ExitCode.UNDECIDED


def test_a_history_that_is_not_available_is_undecided() -> None:
    lost = Unmeasured(cause=Cause.BACKEND_ERROR, reason="it is down")

    report = look(Remembered({"a": [0] * 3 * MONTH}, lost={"a": lost}), slo("a"))

    assert only(report) == SloReview(slo=only(report).slo, review=None, unmeasured=lost)
    assert report.exit_code is ExitCode.UNDECIDED


def test_slices_are_reviewed_and_a_composite_is_left_out() -> None:
    # Of 720 hours 0.72 may be bad: one was, in the second of three windows.
    bad = [*[0] * MONTH, 1, *[0] * (2 * MONTH - 1)]
    report = look(
        Remembered({"a": bad}),
        slo("a", more="timeslices: {length: 1h, target: 99%}"),
        "  - {name: c, composite: [{slo: a, weight: 1}]}\n",
    )

    (service,) = report.services
    (reviewed,) = service.slos
    assert reviewed.review is not None
    assert [one.total for one in reviewed.review.periods] == [720] * 3
    assert [one.bad for one in reviewed.review.periods] == [0, 1, 0]
    assert [one.doubt for one in reviewed.review.periods] == [None] * 3
    assert service.left_out == (("c", "it is a composite; its members are examined instead"),)
    assert report.exit_code is ExitCode.ALLOW


@pytest.mark.parametrize("budget", ["", ", timeslices: {length: 1h, target: 99%}"])
def test_a_sliding_window_is_what_the_status_said_at_its_end(budget: str) -> None:
    # 5 or 8 bad hours of 720, of which 7.2 may be bad; 40 hours in the middle are not known.
    bad = [*[0] * 900, *[1] * 5, *[None] * 40, *[1] * 3, *[0] * (3 * MONTH - 948)]
    text = "  - {name: a, objective: 99%, window: 30d, sli: {bad: a, total: total}BUDGET}\n"
    backend, policy = Remembered({"a": bad}), file("chat", text.replace("BUDGET", budget)).policy
    said = [
        measure(policy, backend, at=AT - hours * HOUR)[0].consumed or Fraction(0)
        for hours in range(2 * MONTH, -1, -1)
    ]

    moved = found(bad, text.replace("BUDGET", budget)).moved

    assert moved is not None
    assert moved.count == len(said)
    assert moved.missed == Fraction(sum(share > 1 for share in said), len(said))
    assert moved.worst / Fraction(1, 100) == pytest.approx(float(max(said)))
    assert moved.worst_end == AT - (2 * MONTH - said.index(max(said))) * HOUR


def test_a_backend_without_a_history_is_a_usage_error() -> None:
    asked = ReviewOptions(at=AT, periods=1, timeout=timedelta(seconds=3))

    with pytest.raises(UsageError, match="keeps no history"):
        review_objectives([file("chat", slo("a"))], asked, open_with=Opening({"chat": Memory({})}))
