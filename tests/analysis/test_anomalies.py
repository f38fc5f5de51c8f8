"""Control charts: what is asked of a backend, and what is made of its answers."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from fractions import Fraction

import pytest

from gate.analysis.anomalies import AnomalyReport
from gate.analysis.anomalies.run import (
    AnomalyOptions,
    anomaly_requests,
    chart_indicators,
    service_anomalies,
)
from gate.check.options import Options
from gate.check.run import run_check
from gate.errors import ExitCode, UsageError
from gate.history.charts.build import Charting
from gate.history.charts.chart import ChartKind
from gate.history.charts.signals import DEFAULT
from gate.history.records import IncidentRecord, RecordStatus
from gate.measure import Answer, Cause, CountRequest
from gate.measure.history import Measured, Series, SeriesAnswer, SeriesRequest
from gate.policy.findings import Rule, Verdict
from tests.analysis.memory import AT, Memory, Opening, counts, file, slo, unmeasured

HOUR = timedelta(hours=1)
DAY = 24 * HOUR
HOURS = 14 * 24
LOOK = AnomalyOptions(
    at=AT, last=14 * DAY, step=HOUR, charting=Charting(baseline=7 * DAY, rules=DEFAULT)
)
RNG = random.Random(12)
CALM = tuple(100 + RNG.gauss(0, 10) for _ in range(HOURS))
WORSE = (*CALM[:-10], *(300.0,) * 10)


@dataclass(slots=True)
class Remembering:
    """A backend with a history, by an indicator's text."""

    answers: dict[str, SeriesAnswer]
    asked: list[SeriesRequest] = field(default_factory=list)
    rounds: int = 0

    def measure(self, asked: Sequence[CountRequest], _at: object) -> list[Answer]:
        return [counts(1_000_000, 100)] * len(asked)

    def history(self, asked: Sequence[SeriesRequest]) -> list[SeriesAnswer]:
        assert asked
        self.asked += asked
        self.rounds += 1
        return [self.answers[str(one.sli.bad)] for one in asked]


def series(bad: Sequence[float | None], measured: Measured | None = None) -> Series:
    total = tuple(None if one is None else 100_000.0 for one in bad)
    return Series(total=total, bad=tuple(bad), query="q", notes=("seen",), measured=measured)


def look(
    answers: dict[str, SeriesAnswer], *slos: str, what: AnomalyOptions = LOOK
) -> tuple[AnomalyReport, Remembering]:
    backend = Remembering(answers)
    policy = file("chat", *(slos or map(slo, answers)))
    opening = Opening({"chat": backend})
    return chart_indicators([policy], what, timedelta(seconds=3), open_with=opening), backend


def test_a_shift_is_found_and_what_is_usual_is_reported() -> None:
    report, _ = look({"a": series(WORSE), "b": series(CALM)})
    (service,) = report.services
    (_, worse), (_, calm) = service.charts

    assert [one.since for one in worse.worse] == [AT - 10 * HOUR]
    assert calm.worse == ()
    assert worse.usual.centre == pytest.approx(0.001, rel=0.02)
    assert (service.missing, service.lost) == ((), ())
    assert report.exit_code is ExitCode.ALLOW


def test_all_slos_are_requested_at_once_with_their_means_in_steps_on_the_clock() -> None:
    longer = AnomalyOptions(at=AT, last=14 * DAY + HOUR / 2, step=HOUR, charting=LOOK.charting)

    _, backend = look({"a": series(CALM), "b": series(CALM)}, what=longer)

    assert backend.rounds == 1
    assert [(one.span.start, one.span.end, one.step, one.mean) for one in backend.asked] == [
        (AT - 14 * DAY - HOUR, AT, HOUR, True)
    ] * 2


def test_a_mean_has_a_chart_beside_the_ratio() -> None:
    sums = tuple(400.0 + RNG.gauss(0, 10) for _ in range(HOURS))
    measured = Measured(sums=sums, events=(1000.0,) * HOURS)

    report, _ = look({"a": series(CALM, measured)})

    assert [chart.kind for _, chart in report.services[0].charts] == [
        ChartKind.RATIO,
        ChartKind.MEAN,
    ]


def test_a_known_incident_is_left_out_of_the_baseline_and_named() -> None:
    begin = AT - 10 * HOUR
    record = IncidentRecord(
        id="INC",
        title="t",
        services=("chat",),
        start=begin,
        end=AT,
        status=RecordStatus.OPEN,
    )
    charting = Charting(baseline=7 * DAY, rules=DEFAULT, records=(record,))

    report, _ = look(
        {"a": series(WORSE)},
        what=AnomalyOptions(at=AT, last=14 * DAY, step=HOUR, charting=charting),
    )
    ((_, chart),) = report.services[0].charts

    assert chart.worse[0].records == (record,)


@pytest.mark.parametrize("answer", [unmeasured(Cause.NO_DATA), series([None] * HOURS)])
def test_what_has_no_history_is_undecided_and_not_in_control(answer: SeriesAnswer) -> None:
    report, _ = look({"a": answer, "b": series(CALM)})
    (service,) = report.services

    assert [(one.slo.name, lost.cause) for one, lost in service.lost] == [("a", Cause.NO_DATA)]
    assert service.slos[0].unknown == 1
    assert len(service.charts) == 1
    assert report.exit_code is ExitCode.UNDECIDED


def test_a_chart_that_could_not_be_drawn_is_reported_and_the_history_is_there() -> None:
    report, _ = look({"a": series([*[None] * 160, *CALM[160:]])})
    ((_, missing),) = report.services[0].missing

    assert missing.cause is Cause.LOW_COVERAGE
    assert report.services[0].slos[0].unknown == Fraction(160, HOURS)
    assert report.exit_code is ExitCode.UNDECIDED


def test_of_timeslices_the_slices_are_charted_in_steps_of_whole_slices() -> None:
    # Of 6 slices of ten minutes an hour 0, 1 or 2 are bad, in the newest ten hours all of them.
    bad = [*([0.0, 1.0, 2.0, 1.0] * (HOURS // 4))[:-10], *[6.0] * 10]
    told = Series(total=(6.0,) * HOURS, bad=tuple(bad), query="q")
    sliced = slo("a", more="timeslices: {length: 10m, target: 95%}")
    report, backend = look({"a": told}, sliced)
    ((_, chart),) = report.services[0].charts

    assert [request.slices is not None for request in backend.asked] == [True]
    assert not any(request.mean for request in backend.asked)
    # As many are bad as there are hours in the baseline: one of six.
    assert chart.usual.centre == pytest.approx(1 / 6)
    assert [signal.since for signal in chart.worse] == [AT - 10 * HOUR]
    assert report.services[0].left_out == ()


def test_slices_that_are_hardly_ever_bad_have_no_chart_and_it_is_reported() -> None:
    bad = [1.0 if hour == 70 else 0.0 for hour in range(HOURS)]
    told = Series(total=(6.0,) * HOURS, bad=tuple(bad), query="q")
    report, _ = look({"a": told}, slo("a", more="timeslices: {length: 10m, target: 95%}"))
    ((_, missing),) = report.services[0].missing

    assert missing.cause is Cause.LOW_TRAFFIC


def test_slices_longer_than_a_step_are_the_steps() -> None:
    answer = Series(total=(1.0,) * 84, bad=(0.0, 1.0) * 42, query="q")
    longer = slo("a", more="timeslices: {length: 4h, target: 95%}")

    _, backend = look({"a": answer}, longer)

    assert {request.step for request in backend.asked} == {4 * HOUR}


def test_what_has_no_ratio_step_by_step_is_left_out_and_reported() -> None:
    money = slo("m", budget="allowance: 5 USD").replace("30d", "30d, sli: {spent: m}")

    report, backend = look({}, money)

    assert report.services[0].left_out == (("m", "spend is an amount, not a count of events"),)
    assert (backend.asked, report.services[0].charts) == ([], ())


def test_a_backend_that_keeps_no_history_is_reported_before_any_is_asked() -> None:
    remembering = Remembering({"a": series(CALM)})
    files = [file("chat", slo("a")), file("mail", slo("a"))]
    opening = Opening({"chat": remembering, "mail": Memory({})})

    with pytest.raises(UsageError, match=r"^mail.yaml: the backend static keeps no history"):
        chart_indicators(files, LOOK, HOUR, open_with=opening)
    assert remembering.asked == []


def test_answers_that_somebody_else_has_fetched_make_the_same_charts() -> None:
    policy = file("chat", slo("a"))
    asked = anomaly_requests(policy.policy, LOOK)

    service = service_anomalies(policy, iter([series(WORSE)]), LOOK)

    assert list(asked) == ["a"]
    assert service == look({"a": series(WORSE)})[0].services[0]


def checked(answer: SeriesAnswer, more: str) -> tuple[Remembering, list[str]]:
    """Check a canary, and return what the rules that look back have found."""
    backend = Remembering({"a": answer})
    options = Options(at=AT, change="canary", timeout=HOUR)
    decision = run_check(
        [file("chat", slo("a"), more=more)], options, open_with=Opening({"chat": backend})
    )
    (policy,) = decision.policies
    rules = {Rule.CONTROL_CHART, Rule.MEASUREMENT}
    return backend, [
        f"{one.verdict} {one.reason}" for one in policy.judgement.findings if one.rule in rules
    ]


def test_the_rule_has_its_charts_drawn_in_one_round() -> None:
    backend, said = checked(series(WORSE), "control_charts: warn\n")

    assert backend.rounds == 1
    (finding,) = said
    assert finding.startswith(f"{Verdict.WARN} the ratio of bad events is worse than usual since")


def test_without_the_rule_nothing_is_asked() -> None:
    backend, said = checked(series(WORSE), "")

    assert (backend.rounds, said) == (0, [])


def test_the_rule_is_undecided_without_a_history() -> None:
    _, said = checked(unmeasured(Cause.PARTIAL), "control_charts: warn\n")

    assert said == [f"{Verdict.UNDECIDED} control charts: it is partial"]


def test_what_the_rule_finds_in_control_is_reported() -> None:
    _, said = checked(series(CALM), "control_charts: {effect: block}\n")

    assert said == [f"{Verdict.ALLOW} no control chart of a is out of control"]
