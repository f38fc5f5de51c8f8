"""Telling cohorts apart: what is asked of a backend, and what is made of its answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from gate.analysis.cohorts import CohortReport, Group, SloCohorts
from gate.analysis.cohorts.measure import CohortOptions
from gate.analysis.cohorts.run import compare_cohorts
from gate.errors import ExitCode, UsageError
from gate.history.cohorts.comparison import ComparisonOutcome
from gate.measure import Answer, Cause, CountRequest
from gate.measure.cohorts import Cohort, CohortAnswer, CohortRequest, Cohorts, LabelValues
from gate.slo.objective import RatioSlo
from tests.analysis.memory import AT, Memory, Opening, file, slo, unmeasured

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
WEEK = 7 * DAY


@dataclass(slots=True)
class Apart:
    """A backend that tells events apart, by an indicator's text."""

    answers: dict[str, CohortAnswer]
    asked: list[CohortRequest] = field(default_factory=list)

    def measure(self, _requests: Sequence[CountRequest], _at: object) -> list[Answer]:
        raise AssertionError("nothing is counted as a whole")

    def cohorts(self, requests: Sequence[CohortRequest]) -> list[CohortAnswer]:
        self.asked += requests
        return [self.answers[str(one.sli.bad)] for one in requests]


def cohort(total: float, bad: float, steps: int = 168) -> Cohort:
    return Cohort(total=(total / steps,) * steps, bad=(bad / steps,) * steps)


def cohorts(groups: Mapping[LabelValues, tuple[float, float]], *notes: str) -> Cohorts:
    found = {values: cohort(*counts) for values, counts in groups.items()}
    return Cohorts(groups=found, query="asked", notes=notes)


PLANTED = cohorts({("v5",): (16_800, 168), ("v6",): (16_800, 168), ("v7",): (8_400, 504)})


def asked(**fields: object) -> CohortOptions:
    known: dict[str, object] = {
        "at": AT,
        "by": "template",
        "last": WEEK,
        "timeout": timedelta(seconds=3),
    }
    return CohortOptions(**(known | fields))  # type: ignore[arg-type]  # by name


def look(
    answers: Mapping[str, CohortAnswer], *slos: str, what: CohortOptions | None = None
) -> tuple[CohortReport, Apart]:
    backend = Apart(dict(answers))
    policy = file("chat", *(slos or map(slo, answers)))
    report = compare_cohorts([policy], what or asked(), open_with=Opening({"chat": backend}))
    return report, backend


def only(report: CohortReport) -> SloCohorts:
    ((one,),) = (service.slos for service in report.services)
    return one


def by_value(one: SloCohorts) -> dict[str, Group]:
    return {group.value: group for group in one.groups}


def outcome(one: Group) -> ComparisonOutcome | None:
    return one.comparison.outcome if one.comparison is not None else None


def test_a_group_is_reported_with_what_it_took_of_the_budget() -> None:
    report, _ = look({"a": PLANTED})
    found = only(report)
    first, *others = found.groups

    # 42,000 in a week are 180,000 in 30 days, of which 180 may fail.
    assert (first.value, first.total, first.bad) == ("v7", 8_400, 504)
    assert first.budget_share == pytest.approx(504 / 180)
    assert first.burn_rate == pytest.approx(60)
    assert first.interval[0] < 0.06 < first.interval[1]
    assert outcome(first) is ComparisonOutcome.WORSE
    assert [one.value for one in others] == ["v5", "v6"]
    assert found.baseline is None
    assert found.unknown == 0
    assert (found.query, len(found.notes)) == ("asked", 0)
    assert report.exit_code is ExitCode.ALLOW


def test_each_may_be_compared_with_a_baseline() -> None:
    report, backend = look({"a": PLANTED}, what=asked(baseline="v7"))
    groups = by_value(only(report))

    assert groups["v7"].comparison is None
    assert outcome(groups["v5"]) is outcome(groups["v6"]) is ComparisonOutcome.BETTER
    comparison = groups["v5"].comparison
    assert comparison is not None
    assert comparison.crude is not None
    assert comparison.crude.ratio == pytest.approx(1 / 6)
    assert {one.keep for one in backend.asked} == {"v7"}


def test_of_two_groups_the_busier_is_the_baseline() -> None:
    report, _ = look({"a": cohorts({("v7",): (8_400, 504), ("v6",): (16_800, 168)})})
    found = only(report)

    assert found.baseline == "v6"
    assert outcome(by_value(found)["v7"]) is ComparisonOutcome.WORSE
    assert by_value(found)["v6"].comparison is None


def test_a_baseline_without_events_is_not_measured_and_the_nearest_is_named() -> None:
    report, _ = look({"a": PLANTED}, what=asked(baseline="v77"))
    lost = only(report).unmeasured

    assert lost is not None
    assert lost.cause is Cause.NO_DATA
    assert lost.reason == "template has no value 'v77'; did you mean 'v7'?"
    assert report.exit_code is ExitCode.UNDECIDED


def test_like_is_compared_with_like() -> None:
    # Nine tenths of v7's requests go to the model of which a tenth fails.
    mix = cohorts(
        {
            ("v7", "large"): (9_000, 900),
            ("v7", "small"): (1_000, 10),
            ("v6", "large"): (2_000, 200),
            ("v6", "small"): (20_000, 200),
            ("v5", "small"): (20_000, 200),
        }
    )

    report, backend = look({"a": mix}, what=asked(stratify_by="model"))
    found = by_value(only(report))["v7"].comparison

    assert backend.asked[0].by == ("template", "model")
    assert found is not None
    assert found.outcome is ComparisonOutcome.MIX
    assert found.within is not None
    assert found.within.ratio == pytest.approx(1)
    assert by_value(only(report))["v7"].total == 10_000


@pytest.mark.parametrize(
    ("last", "step", "steps"),
    [
        (WEEK, HOUR, 168),
        (30 * DAY, 4 * HOUR, 180),
        (6 * HOUR, timedelta(minutes=5), 72),
        (DAY, timedelta(minutes=10), 144),
        (365 * DAY, 2 * DAY, 183),
        (timedelta(minutes=1), timedelta(minutes=5), 1),
        (None, 4 * HOUR, 180),
    ],
)
def test_time_is_cut_into_steps_of_the_clock_that_are_not_too_many(
    last: timedelta | None, step: timedelta, steps: int
) -> None:
    _, backend = look({"a": unmeasured(Cause.NO_DATA)}, what=asked(last=last))
    (request,) = backend.asked

    assert (request.step, request.steps) == (step, steps)
    assert request.span.end == AT
    assert request.span.start <= AT - (last or 30 * DAY) < request.span.start + step
    assert not (request.span.start - datetime(1970, 1, 1, tzinfo=UTC)) % step


def test_in_each_minute_of_a_step_its_bounds_are_the_same() -> None:
    starts = set()
    for minutes in range(1, 61, 7):
        at = AT + minutes * timedelta(minutes=1)
        _, backend = look({"a": unmeasured(Cause.NO_DATA)}, what=replace(asked(last=WEEK), at=at))
        (request,) = backend.asked
        assert (request.span.end, request.steps) == (at, 169)
        starts.add(request.span.start)
    assert starts == {AT - WEEK}


def test_all_slos_are_requested_at_once_and_corrected_together() -> None:
    report, backend = look({"a": PLANTED, "b": PLANTED})
    first, second = report.services[0].slos
    comparison = first.groups[1].comparison

    assert len(backend.asked) == 2
    assert comparison is not None
    assert comparison.crude is not None
    assert comparison.crude.adjusted > comparison.crude.probability
    assert len(second.groups) == 3


def test_time_without_data_is_reported() -> None:
    part = Cohort(total=(None,) * 42 + (100.0,) * 126, bad=(None,) * 42 + (0.0,) * 126)
    report, _ = look({"a": Cohorts(groups={("v1",): part, ("v2",): part}, query="q")})
    found = only(report)

    assert found.unknown == pytest.approx(0.25)
    # 12,600 events in three quarters of a week are 72,000 of each group in 30 days.
    assert {one.budget_share for one in found.groups} == {0}


def test_counts_that_a_server_extrapolates_are_reported_to_be_rounded() -> None:
    report, _ = look({"a": cohorts({("v1",): (1_000.4, 9.7), ("v2",): (2_000, 20)}, "seen")})

    assert only(report).notes == (
        "seen",
        "the server extrapolates, so counts need not be whole; for the tests they are rounded",
    )


def test_what_could_not_be_distinguished_is_undecided() -> None:
    report, _ = look({"a": unmeasured(Cause.INVALID), "b": PLANTED})
    lost, found = report.services[0].slos

    assert lost.unmeasured is not None
    assert lost.groups == ()
    assert len(found.groups) == 3
    assert report.exit_code is ExitCode.UNDECIDED


def test_what_has_no_events_is_left_out_and_reported() -> None:
    money = slo("m", budget="allowance: 5 USD").replace("30d", "30d, sli: {spent: m}")
    sliced = slo("s", more="timeslices: {length: 5m, target: 95%}")
    both = "  - {name: all, composite: [{slo: s, weight: 1}]}\n"

    report, backend = look({"a": PLANTED}, money, sliced, both, slo("a"))

    assert dict(report.services[0].left_out) == {
        "m": "spend is an amount, not a count of events",
        "s": "it counts slices of time, which belong to no group",
        "all": "it is a composite; its members are examined instead",
    }
    assert len(backend.asked) == 1


def test_what_holds_ratios_of_slices_is_left_out() -> None:
    policy = file("chat", slo("a"))
    (only_one,) = policy.policy.slos
    assert isinstance(only_one, RatioSlo)
    mean = replace(only_one, sli=replace(only_one.sli, sliced=True))
    recorded = replace(policy, policy=replace(policy.policy, slos=(mean,)))

    report = compare_cohorts([recorded], asked(), open_with=Opening({"chat": Apart({})}))

    assert dict(report.services[0].left_out) == {
        "a": "its series have ratios of slices of time, whose events are unknown"
    }


def test_only_the_slos_that_were_requested_are_examined() -> None:
    report, backend = look({"a": PLANTED, "b": PLANTED}, what=asked(slos=("b",)))

    assert [one.slo for one in report.services[0].slos] == ["b"]
    assert [one.sli.bad for one in backend.asked] == ["b"]
    with pytest.raises(UsageError, match="no policy has the SLO c; known: a"):
        look({"a": PLANTED}, what=asked(slos=("c",)))


def test_a_backend_that_cannot_distinguish_events_is_reported_before_any_is_asked() -> None:
    apart = Apart({"a": PLANTED})
    opening = Opening({"chat": apart, "mail": Memory({})})

    with pytest.raises(UsageError, match=r"^mail.yaml: the backend static cannot separate"):
        compare_cohorts(
            [file("chat", slo("a")), file("mail", slo("a"))], asked(), open_with=opening
        )
    assert apart.asked == []


def test_the_share_is_that_of_the_examined_time_where_that_is_longer_than_the_window() -> None:
    # 1 of 1,000 an hour fails, which just spends the budget of 99.9%, for 23 days.
    steps, values = 138, ("v1", "v2", "v3")
    even = Cohort(total=(4_000.0,) * steps, bad=(4.0,) * steps)
    groups: dict[LabelValues, Cohort] = {(value,): even for value in values}
    short = slo("a").replace("30d", "7d")

    report, _ = look({"a": Cohorts(groups=groups, query="q")}, short, what=asked(last=23 * DAY))
    found = only(report)

    assert found.budget_period == 23 * DAY
    assert sum(one.budget_share for one in found.groups) == pytest.approx(1)
    # Of a window that is longer than what is looked at, the share is that of the window.
    report, _ = look({"a": PLANTED})
    assert only(report).budget_period == 30 * DAY


STATUS = cohorts({("200",): (10_000, 0), ("500",): (30, 30), ("503",): (10, 10)})


def test_the_label_that_makes_events_bad_is_not_compared_but_its_shares_are_reported() -> None:
    report, _ = look({"a": STATUS}, what=asked(by="status"))
    found = only(report)

    assert (found.by_definition, found.defining, found.baseline) == (True, False, None)
    assert {outcome(one) for one in found.groups} == {ComparisonOutcome.NOT_COMPARED}
    assert [one.value for one in found.groups] == ["500", "503", "200"]
    # 40 of 10,040 in a week, 30 of them: three quarters of 23.2 budgets are 17.4 windows' worth.
    assert found.groups[0].budget_share == pytest.approx(30 / (0.001 * 10_040 * 30 / 7))


def test_a_label_that_is_a_part_of_it_is_reported_to_be_and_compared() -> None:
    bad = 'sum(increase(a{status=~"5.."}[$window]))'
    report, _ = look(
        {bad: PLANTED}, slo("a").replace("bad: a", f"bad: '{bad}'"), what=asked(by="status")
    )
    found = only(report)

    assert (found.by_definition, found.defining) == (False, True)
    assert outcome(found.groups[0]) is ComparisonOutcome.WORSE


def test_two_values_that_always_and_never_fail_have_no_baseline() -> None:
    two = cohorts({("200",): (10_000, 0), ("500",): (30, 30)})
    report, _ = look({"a": two}, what=asked(by="status", baseline="200"))

    assert only(report).baseline is None
    assert outcome(only(report).groups[0]) is ComparisonOutcome.NOT_COMPARED
