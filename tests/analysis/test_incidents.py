"""Looking for incidents: what is asked of a backend, and what is made of its answers."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from fractions import Fraction

import pytest
import yaml

from gate.analysis.incidents import IncidentOptions, IncidentReport
from gate.analysis.incidents.draft import draft_record
from gate.analysis.incidents.run import search_incidents
from gate.errors import ExitCode, UsageError
from gate.history.burned import FailureLabels
from gate.history.records import Deployment, IncidentRecord, RecordStatus
from gate.measure import Answer, Cause, CountRequest, Unmeasured
from gate.measure.cohorts import EventCounts, LabelAnswer, LabelCounts, LabelRequest
from gate.measure.history import Series, SeriesAnswer, SeriesRequest
from tests.analysis.memory import AT, Memory, Opening, file, slo, unmeasured

HOUR = timedelta(hours=1)
DAY = 24 * HOUR
CALM = (0.0,) * 24
BAD = (*(0.0,) * 10, 1000.0, *(0.0,) * 13)
"""By hour: all fail from 10 to 11."""


@dataclass(slots=True)
class Remembering:
    """A backend with a history, by an indicator's text."""

    answers: dict[str, SeriesAnswer]
    asked: list[SeriesRequest] = field(default_factory=list)

    def measure(self, _requests: Sequence[CountRequest], _at: object) -> list[Answer]:
        raise AssertionError("nothing is counted over a window")

    def history(self, requests: Sequence[SeriesRequest]) -> list[SeriesAnswer]:
        assert requests
        self.asked += requests
        return [longer(self.answers[str(one.sli.bad)], one) for one in requests]


def longer(answer: SeriesAnswer, request: SeriesRequest) -> SeriesAnswer:
    """Return the newest steps, and before them as much traffic of which nothing failed."""
    if not isinstance(answer, Series):
        return answer
    more = request.steps - len(answer.total)
    nothing = answer.total.count(None) == len(answer.total)
    total = None if nothing else next(filter(None, answer.total), 0.0)
    return replace(
        answer,
        total=((total,) * more + answer.total)[-request.steps :],
        bad=((None if nothing else 0.0,) * more + answer.bad)[-request.steps :],
    )


def series(bad: Sequence[float | None]) -> Series:
    total = tuple(None if one is None else 1000.0 for one in bad)
    return Series(total=total, bad=tuple(bad), query="asked", notes=("seen",))


def asked(**fields: object) -> IncidentOptions:
    known: dict[str, object] = {
        "at": AT,
        "last": DAY,
        "step": HOUR,
        "threshold": Fraction(6),
        "timeout": timedelta(seconds=3),
    }
    return IncidentOptions(**(known | fields))  # type: ignore[arg-type]  # by name


def look(
    answers: dict[str, SeriesAnswer], *slos: str, what: IncidentOptions | None = None
) -> tuple[IncidentReport, Remembering]:
    backend = Remembering(answers)
    policy = file("chat", *(slos or map(slo, answers)))
    report = search_incidents([policy], what or asked(), open_with=Opening({"chat": backend}))
    return report, backend


def test_an_incident_is_reported_with_what_it_took_of_the_budget() -> None:
    report, _ = look({"a": series(BAD)})
    (service,) = report.services
    (explained,) = service.annotated
    (felt,) = explained.incident.impacts

    # 1,000 an hour are 720,000 in 30 days, of which 720 may fail.
    assert felt.share == pytest.approx(1000 / 720)
    assert felt.incident.start == AT - 14 * HOUR
    assert service.reliability.mtbf == 23 * HOUR
    assert service.drain is not None
    assert service.drain.per_window == pytest.approx(30)
    assert report.exit_code is ExitCode.ALLOW


def test_what_cost_less_than_requested_is_summed_up() -> None:
    # Of 720 that may fail in 30 days: 20 at 5 o'clock, which burn at 20, and 300 at 15 o'clock.
    bad = (*(0.0,) * 5, 20.0, *(0.0,) * 9, 300.0, *(0.0,) * 8)
    report, _ = look({"a": series(bad)}, what=asked(min_share=Fraction(1, 10)))
    (service,) = report.services
    (looked,) = service.slos

    assert [felt.incident.bad for felt in looked.impacts] == [300]
    assert [felt.share for felt in looked.smaller] == [pytest.approx(20 / 720)]
    assert service.reliability.count == 1
    assert [one.incident.impacts for one in service.annotated] == [looked.impacts]


@pytest.mark.parametrize(
    "last, before", [(DAY, 30 * DAY), (29 * DAY, 30 * DAY), (31 * DAY, 32 * DAY)]
)
def test_all_slos_are_requested_at_once_with_a_day_more_and_all_that_the_budget_remembers(
    last: timedelta, before: timedelta
) -> None:
    _, backend = look({"a": series(CALM), "b": series(CALM)}, what=asked(last=last))

    assert [(one.span.start, one.span.end, one.step) for one in backend.asked] == [
        (AT - before, AT, HOUR)
    ] * 2


def test_incidents_that_overlap_are_one_of_the_service() -> None:
    report, _ = look({"a": series(BAD), "b": series(BAD), "c": series(CALM)})
    (explained,) = report.services[0].annotated

    assert [one.slo for one in explained.incident.impacts] == ["a", "b"]
    assert report.services[0].reliability.count == 1


def test_an_slo_that_one_incident_affects_twice_is_drafted_once() -> None:
    long = (*(0.0,) * 2, *(1000.0,) * 18, *(0.0,) * 4)
    twice = tuple(300.0 if hour in (4, 15) else 0.0 for hour in range(24))
    both = "  - {name: both, composite: [{slo: a}, {slo: b}]}\n"
    report, _ = look({"a": series(long), "b": series(twice)}, slo("a"), slo("b"), both)
    (annotated,) = report.services[0].annotated
    draft = yaml.safe_load(draft_record(report, annotated.incident.id("chat"), ()))

    assert [one.slo for one in annotated.incident.impacts] == ["a", "both", "b", "b"]
    assert draft["slos"] == ["a", "both", "b"]
    impact = draft["measured"]["impact"]
    assert impact["b"] == {
        "bad": 600,
        "budget_share": pytest.approx(600 / 720, abs=1e-4),
        "peak_burn_rate": 300,
    }
    assert "bad" not in impact["both"]


def test_time_without_data_is_neither() -> None:
    report, _ = look({"a": series([None] * 6 + [0.0] * 18), "b": series(BAD)})
    known, other = report.services[0].slos

    assert (known.unknown, other.unknown) == (Fraction(1, 4), Fraction(0))
    assert (known.query, known.notes) == ("asked", ("seen",))
    # Something is known of the service all day: by the other SLO.
    assert report.services[0].reliability.mtbf == 23 * HOUR


def test_a_part_of_a_step_without_known_data_yet_is_not_a_time_without_data() -> None:
    late = asked(at=AT + timedelta(seconds=9))

    report, _ = look({"a": series([*CALM, None])}, what=late)
    known, _ = look({"a": series([*CALM, None, 0.0])}, what=late)

    assert report.services[0].slos[0].unknown == 0
    assert known.services[0].slos[0].unknown > 0


def test_what_is_known_of_earlier_times_only_is_not_known() -> None:
    report, _ = look({"a": series([None] * 24)}, what=asked())
    longer_ago, _ = look({"a": series([*BAD, *[None] * 24])}, what=asked())

    for told in (report, longer_ago):
        (lost,) = told.services[0].slos
        assert lost.unmeasured is not None
        assert lost.unmeasured.cause is Cause.NO_DATA
        assert told.exit_code is ExitCode.UNDECIDED


@pytest.mark.parametrize("answer", [unmeasured(Cause.NO_DATA), series([None] * 24)])
def test_what_has_no_history_is_undecided_and_not_calm(answer: SeriesAnswer) -> None:
    report, _ = look({"a": answer, "b": series(BAD)})
    lost, other = report.services[0].slos

    assert lost.unmeasured is not None
    assert lost.unmeasured.cause is Cause.NO_DATA
    assert lost.unknown == 1
    assert len(other.impacts) == 1
    assert report.exit_code is ExitCode.UNDECIDED


def test_so_little_traffic_that_one_failure_is_an_incident_is_reported() -> None:
    # 1,000 an hour at 99.9%: one bad event in an hour is a burn rate of 1.
    few, _ = look({"a": series(CALM)}, what=asked(threshold=Fraction(1)))
    enough, _ = look({"a": series(CALM)}, what=asked(threshold=Fraction(101, 100)))
    none, _ = look({"a": Series(total=CALM, bad=CALM, query="asked")})

    (low,), (normal,), (silent,) = (found.services[0].slos for found in (few, enough, none))
    assert low.low_traffic == (
        "traffic is so low that one bad event counts as an incident (burn rate 1.00)"
    )
    assert (normal.low_traffic, silent.low_traffic) == (None, None)
    assert (low.notes, silent.notes) == (("seen",), ())


def test_whatever_has_a_budget_has_incidents() -> None:
    # By hour: of 12 slices three are bad at ten o'clock; of 720 USD 60 are spent at eleven.
    slices = Series(total=(12.0,) * 24, bad=(*CALM[:10], 3.0, *CALM[11:]), query="asked")
    spending = (*(0.5,) * 11, 60.0, *(0.5,) * 12)
    money = slo("m", budget="allowance: 720 USD").replace("30d", "30d, sli: {spent: m}")
    sliced = slo("s", more="timeslices: {length: 5m, target: 95%}")
    both = "  - {name: all, composite: [{slo: a, weight: 0.5}, {slo: s, weight: 0.5}]}\n"
    answers: dict[str, SeriesAnswer] = {
        "a": series(BAD),
        "s": slices,
        "None": Series(total=spending, bad=spending, query="asked"),
    }

    report, _ = look(answers, slo("a"), sliced, money, both)
    (service,) = report.services
    impacts = {
        impact.slo: impact
        for annotated in service.annotated
        for impact in annotated.incident.impacts
    }

    # 720 of 720,000 events may be bad, 8.64 of 8,640 slices, and 720 USD may be spent.
    assert {name: impact.share for name, impact in impacts.items()} == pytest.approx(
        {
            "a": 1000 / 720,
            "s": 3 / 8.64,
            "m": 60 / 720,
            "all": (1000 / 720 + 3 / 8.64) / 2,
        }
    )
    starts = {name: impact.incident.start for name, impact in impacts.items()}
    began = AT - 14 * HOUR
    assert starts == {"a": began, "s": began, "m": began + HOUR, "all": began}
    assert [len(annotated.incident.impacts) for annotated in service.annotated] == [3, 1]
    assert service.left_out == ()
    assert service.drain is not None
    assert service.drain.slo == "a"


def test_a_composite_is_not_known_where_a_member_is_not() -> None:
    both = "  - {name: all, composite: [{slo: a}, {slo: b}]}\n"

    report, _ = look({"a": series(BAD), "b": unmeasured(Cause.NO_DATA)}, slo("a"), slo("b"), both)
    *_, whole = report.services[0].slos

    assert whole.unmeasured is not None
    assert whole.unmeasured.cause is Cause.NO_DATA
    assert whole.unknown == 1
    assert [impact.share for impact in whole.impacts] == [pytest.approx(1000 / 720)]


def test_what_is_known_is_put_to_what_was_found() -> None:
    begin = AT - 14 * HOUR
    explaining, missed = (
        IncidentRecord(
            id=name,
            title=name,
            services=("chat",),
            start=start,
            end=start + HOUR,
            status=RecordStatus.OPEN,
        )
        for name, start in (("felt", begin), ("missed", begin + 5 * HOUR))
    )
    mine, other = (
        Deployment(time=begin, revision=service, service=service) for service in ("chat", "mail")
    )

    report, _ = look(
        {"a": series(BAD)}, what=asked(records=(explaining, missed), deploys=(mine, other))
    )
    (explained,) = report.services[0].annotated

    assert (explained.records, explained.deploys) == ((explaining,), (mine,))
    assert report.without_impact == (missed,)


def test_a_backend_that_keeps_no_history_is_reported_before_any_is_asked() -> None:
    remembering = Remembering({"a": series(BAD)})
    files = [file("chat", slo("a")), file("mail", slo("a"))]
    opening = Opening({"chat": remembering, "mail": Memory({})})

    with pytest.raises(UsageError, match=r"^mail.yaml: the backend static keeps no history"):
        search_incidents(files, asked(), open_with=opening)
    assert remembering.asked == []


def test_each_policy_has_its_own_incidents() -> None:
    backends = {"chat": Remembering({"a": series(BAD)}), "mail": Remembering({"a": series(CALM)})}
    opening = Opening(backends)

    report = search_incidents(
        [file(name, slo("a")) for name in backends], asked(), open_with=opening
    )

    assert [one.reliability.count for one in report.services] == [1, 0]
    assert {limits.timeout for _, limits in opening.opened} == {timedelta(seconds=3)}


@dataclass(slots=True)
class Labelling(Remembering):
    """A backend that also knows the labels of failures: those of two models."""

    requests: list[LabelRequest] = field(default_factory=list)

    def label_counts(self, requests: Sequence[LabelRequest]) -> list[LabelAnswer]:
        self.requests += requests
        whole, outage = EventCounts(12_000, 1040), EventCounts(1000, 1000)
        rest = EventCounts(12_000, 6)
        values = {"gpt-x": (whole, outage), "llama": (rest, EventCounts(1000, 0))}
        return [LabelCounts(labels={"model": values})] * len(requests)


CHRONIC = (*(2.0,) * 10, 1000.0, *(2.0,) * 13)
"""Twice the budget all the time, and an outage of an hour."""


def test_it_is_asked_which_labels_the_failures_have() -> None:
    backend = Labelling({"a": series(CHRONIC), "b": series(CALM)})
    report = search_incidents(
        [file("chat", slo("a"), slo("b"))], asked(), open_with=Opening({"chat": backend})
    )
    a, b = report.services[0].slos

    (request,) = backend.requests
    assert [span.length for span in request.spans] == [DAY, HOUR]
    assert a.burned is not None
    assert (a.burned.bad, a.burned.in_incidents, a.burned.chronic) == (1046, 1000, 46)
    assert isinstance(a.labels, FailureLabels)
    assert [one.value for one in a.labels.chronic] == ["gpt-x"]
    assert [one.value for one in a.standouts(a.impacts[0].incident)] == ["gpt-x"]
    assert (b.labels, b.standouts(a.impacts[0].incident)) == (None, ())


def test_a_backend_that_knows_no_labels_says_so() -> None:
    report, _ = look({"a": series(CHRONIC)})
    (searched,) = report.services[0].slos

    assert isinstance(searched.labels, Unmeasured)
    assert searched.labels.reason == "this backend cannot group failures by label"
    assert searched.standouts(searched.impacts[0].incident) == ()
