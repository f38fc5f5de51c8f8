"""Commands that look at a history keep what each SLO's comes to, and let go of its points."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from fractions import Fraction
from weakref import ref

import pytest

from gate.analysis.anomalies.run import AnomalyOptions, chart_indicators
from gate.analysis.cohorts import CohortReport
from gate.analysis.cohorts.measure import CohortOptions
from gate.analysis.cohorts.run import compare_cohorts
from gate.analysis.forecast import ForecastOptions
from gate.analysis.forecast.run import forecast_budgets
from gate.analysis.incidents import IncidentOptions
from gate.analysis.incidents.run import search_incidents
from gate.analysis.report import Report
from gate.analysis.report.run import gather_report
from gate.analysis.review.run import ReviewOptions, review_objectives
from gate.check.measure import OpenBackend
from gate.check.options import Options
from gate.check.past import gather_history
from gate.config.load import PolicyFile
from gate.history.charts.build import Charting
from gate.history.charts.signals import DEFAULT
from gate.history.cohorts.comparison import ComparisonOutcome
from gate.history.records import Deployment, IncidentRecord, RecordStatus
from gate.measure.cohorts import Cohort, CohortAnswer, CohortRequest, Cohorts
from gate.measure.history import Series, SeriesAnswer, SeriesRequest
from gate.policy.case import SloIncidents
from gate.policy.rule_settings import ControlChartRule, PostmortemRule
from tests.analysis.memory import AT, Opening, file, slo
from tests.analysis.remembered import DAY, HOUR, OUTAGE, Remembered

NAMES = "abcdef"
BATCH = 2
DEPLOY = Deployment(time=AT - 9 * DAY, revision="r1")
RECORD = IncidentRecord(
    id="INC-1",
    title="t",
    services=("chat",),
    start=AT - 9 * DAY,
    end=AT - 9 * DAY + HOUR,
    status=RecordStatus.RESOLVED,
)
RULE = PostmortemRule(share=Fraction(1, 5), threshold=Fraction(6), patterns=(), records=())
Run = Callable[[Sequence[PolicyFile], OpenBackend], object]


def search() -> IncidentOptions:
    return IncidentOptions(
        at=AT,
        last=20 * DAY,
        step=HOUR,
        threshold=Fraction(6),
        timeout=HOUR,
        min_share=Fraction(1, 10),
        records=(RECORD,),
        deploys=(DEPLOY,),
        since=DEPLOY,
    )


def incidents(files: Sequence[PolicyFile], open_with: OpenBackend) -> object:
    return search_incidents(files, search(), open_with=open_with)


def report(files: Sequence[PolicyFile], open_with: OpenBackend) -> object:
    short = replace(search(), last=2 * DAY)
    return gather_report(files, Options(at=AT), short, open_with=open_with)


def groups(files: Sequence[PolicyFile], open_with: OpenBackend) -> object:
    options = CohortOptions(at=AT, by="route", timeout=HOUR, last=4 * DAY)
    return compare_cohorts(files, options, open_with=open_with)


def review(files: Sequence[PolicyFile], open_with: OpenBackend) -> object:
    options = ReviewOptions(at=AT, periods=1, timeout=HOUR)
    return review_objectives(files, options, open_with=open_with)


def forecast(files: Sequence[PolicyFile], open_with: OpenBackend) -> object:
    options = ForecastOptions(at=AT, last=DAY, timeout=HOUR)
    return forecast_budgets(files, options, open_with=open_with)


def anomalies(files: Sequence[PolicyFile], open_with: OpenBackend) -> object:
    charting = Charting(baseline=7 * DAY, rules=DEFAULT)
    options = AnomalyOptions(at=AT, last=14 * DAY, step=HOUR, charting=charting)
    return chart_indicators(files, options, timedelta(hours=1), open_with=open_with)


class Point(float):
    """A number of which it is seen whether anything still has it."""


class WatchedSeries(Series):
    """A series of which it is seen whether anything still has it."""

    __slots__ = ("__weakref__",)


@dataclass(slots=True)
class InBatches(Remembered):
    """Answers two requests at a time, and sees which of the points before are kept somewhere."""

    given: list[ref[Point] | ref[WatchedSeries]] = field(default_factory=list)
    """The points of all batches before."""
    kept: list[int] = field(default_factory=list)
    """How many of them were still there when the next batch was asked for, by batch."""
    series: list[int] = field(default_factory=list)
    """How many whole series were."""

    def each_history(self, requests: Sequence[SeriesRequest]) -> Iterator[SeriesAnswer]:
        for first in range(0, len(requests), BATCH):
            there = [each() for each in self.given]
            self.kept.append(sum(each is not None for each in there))
            self.series.append(sum(isinstance(each, WatchedSeries) for each in there))
            del there
            for request in requests[first : first + BATCH]:
                yield self._watched(request)

    def _watched(self, request: SeriesRequest) -> Series:
        series = self._told(request)
        numbers = {*series.total, *series.bad}
        points = {number: Point(number) for number in numbers if number is not None}
        watched = WatchedSeries(
            total=tuple(number if number is None else points[number] for number in series.total),
            bad=tuple(number if number is None else points[number] for number in series.bad),
            query=series.query,
            notes=series.notes,
        )
        self.given += [ref(watched), *map(ref, points.values())]
        return watched


@dataclass(slots=True)
class Grouped(InBatches):
    """Has two routes, of which one fails, and answers a request at a time."""

    def cohorts(self, requests: Sequence[CohortRequest]) -> list[CohortAnswer]:
        return list(self.each_cohorts(requests))

    def each_cohorts(self, requests: Sequence[CohortRequest]) -> Iterator[CohortAnswer]:
        for request in requests:
            self.kept.append(sum(each() is not None for each in self.given))
            yield self._groups(request)

    def _groups(self, request: CohortRequest) -> Cohorts:
        points = [Point(100 + place) for place in range(request.steps)]
        self.given += map(ref, points)
        none, few = (0.0,) * request.steps, (1.0,) * request.steps
        total = tuple(points)
        both = {"r1": none, "r2": few}
        groups: dict[tuple[str, ...], Cohort] = {
            (route,): Cohort(total=total, bad=bad) for route, bad in both.items()
        }
        return Cohorts(groups=groups, query="asked")


def policy() -> PolicyFile:
    composite = "  - {name: all, composite: [{slo: a}, {slo: b}]}\n"
    return file("chat", *map(slo, NAMES), composite)


@pytest.mark.variants(1)
@pytest.mark.parametrize("run", [incidents, review, forecast])
def test_no_point_of_a_batch_is_kept_when_the_next_is_requested(run: Run) -> None:
    backend = InBatches(bad=dict.fromkeys(NAMES, OUTAGE))

    run([policy()], Opening({"chat": backend}))

    assert backend.kept == [0, 0, 0]
    assert len(backend.given) > len(NAMES)


def test_of_a_report_only_what_composites_need_is_kept_when_the_next_batch_is_asked_for() -> None:
    calm = (*[0] * 1400, 5, *[0] * 39)
    without, both = (InBatches(bad=dict.fromkeys(NAMES, calm)) for _ in range(2))

    report([file("chat", *map(slo, NAMES))], Opening({"chat": without}))
    found = report([policy()], Opening({"chat": both}))

    assert (without.series[0], set(without.series)) == (0, {0})
    assert max(both.series) == 2
    assert isinstance(found, Report)
    assert found.services[0].traces["all"].left


def test_of_rules_that_look_back_only_the_steps_of_incidents_are_kept() -> None:
    backend = InBatches(bad=dict.fromkeys(NAMES, OUTAGE))
    hours = "timeslices: {length: 1h, target: 99%}"
    sliced = file("chat", *(slo(name, more=hours) for name in NAMES)).policy
    looking = replace(sliced, postmortems=RULE, control_charts=ControlChartRule())

    past = gather_history(looking, backend, AT)

    assert set(backend.series) == {0}
    found = past.incidents["a"]
    assert isinstance(found, SloIncidents)
    assert [len(steps.series.bad) for steps in found.steps.values()] == [1]
    assert found.bad == 600
    assert list(past.charts) == list(NAMES)


def test_no_point_of_the_groups_of_one_slo_is_kept_when_the_next_is_asked_for() -> None:
    backend = Grouped(bad=dict.fromkeys(NAMES, OUTAGE))

    found = groups([policy()], Opening({"chat": backend}))

    assert backend.kept == [0] * len(NAMES)
    assert isinstance(found, CohortReport)
    compared = [group.comparison for slo in found.services[0].slos for group in slo.groups]
    outcomes = {each.outcome for each in compared if each is not None}
    assert outcomes == {ComparisonOutcome.WORSE}


def test_of_control_charts_only_the_points_are_kept_that_they_show() -> None:
    backend = InBatches(bad=dict.fromkeys(NAMES, OUTAGE))

    report = anomalies([policy()], Opening({"chat": backend}))

    assert report is not None
    assert not [each for each in backend.given if isinstance(each(), Series)]


@pytest.mark.variants(2)
@pytest.mark.parametrize("run", [incidents, review, forecast, anomalies])
def test_answers_in_batches_come_to_the_same_as_all_at_once(run: Run) -> None:
    bad = {name: [*OUTAGE[place:], *[0] * place] for place, name in enumerate(NAMES)}
    both = [
        run([policy()], Opening({"chat": backend}))
        for backend in (Remembered(bad=bad), InBatches(bad=bad))
    ]

    assert both[0] == both[1]
