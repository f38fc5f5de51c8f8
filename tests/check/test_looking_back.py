"""Looking back: what is asked of a backend's history, and that nothing is asked without a rule."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path

import pytest

from gate.backends import Settings, open_backend, registration
from gate.backends.logs.settings import LogsSettings
from gate.backends.prometheus.settings import PrometheusSettings
from gate.backends.records import Records
from gate.backends.static import StaticSettings
from gate.check.options import Options
from gate.check.past import incident_requests, past_incidents
from gate.check.run import run_check, run_status
from gate.config.load import PolicyFile
from gate.decision.decision import PolicyDecision
from gate.measure import Answer, Cause, CountRequest, Limits
from gate.measure.capabilities import history_of
from gate.measure.history import Series, SeriesAnswer, SeriesRequest
from gate.policy.case import SloIncidents
from gate.policy.findings import Rule, Verdict
from gate.policy.rule_settings import PostmortemRule
from gate.slo.objective import Span
from tests.analysis.memory import AT, Memory, Opening, counts, file, slo, unmeasured

DAY, STEP = timedelta(days=1), timedelta(minutes=5)
RULE = PostmortemRule(
    share=Fraction(1, 5), threshold=Fraction(6), patterns=("incidents/*.yaml",), records=()
)
FINE = counts(1e6, 100)


@dataclass(slots=True)
class Remembering:
    """A backend with a history, by an indicator's text; nothing failed where it has no text."""

    answers: Mapping[str, SeriesAnswer] = field(default_factory=dict)
    counted: Answer = FINE
    others: Mapping[str, Answer] = field(default_factory=dict)
    asked: list[list[SeriesRequest]] = field(default_factory=list)

    def measure(self, requests: Sequence[CountRequest], _at: datetime) -> list[Answer]:
        return [self.others.get(str(one.sli.bad), self.counted) for one in requests]

    def history(self, requests: Sequence[SeriesRequest]) -> list[SeriesAnswer]:
        self.asked.append(list(requests))
        return [self.answers.get(str(one.sli.bad), series(one)) for one in requests]


def series(request: SeriesRequest, failed: Mapping[int, float] | None = None) -> Series:
    """1,000 events in each step; place from the newest -> how many of them failed."""
    bad = [0.0] * request.steps
    for place, count in (failed or {}).items():
        bad[-1 - place] = count
    return Series(total=(1000.0,) * request.steps, bad=tuple(bad), query="asked")


def policy(*slos: str, rule: PostmortemRule | None = RULE) -> PolicyFile:
    read = file("chat", *slos)
    return replace(read, policy=replace(read.policy, postmortems=rule))


def decide(read: PolicyFile, backend: Remembering | Memory) -> PolicyDecision:
    options = Options(at=AT, change="full-rollout")
    (decided,) = run_check([read], options, open_with=Opening({"chat": backend})).policies
    return decided


def test_without_a_rule_that_looks_back_no_history_is_requested() -> None:
    backend = Remembering()
    assert decide(policy(slo("a"), rule=None), backend).verdict is Verdict.ALLOW
    run_status([policy(slo("a"))], Options(at=AT), open_with=Opening({"chat": backend}))
    assert backend.asked == []


def test_all_that_the_rules_need_is_requested_at_once() -> None:
    backend = Remembering()
    decided = decide(policy(slo("a"), slo("b")), backend)
    (requests,) = backend.asked
    assert [one.sli.bad for one in requests] == ["a", "b"]
    # A day more than the window has, so that an incident keeps its start.
    assert {(one.span.start, one.span.end, one.step) for one in requests} == {
        (AT - 31 * DAY, AT, STEP)
    }
    assert decided.verdict is Verdict.ALLOW


def test_whatever_has_a_budget_of_its_own_has_a_past() -> None:
    spend = slo("money", budget="allowance: 100 USD", more="sli: {spent: money}")
    sliced = slo("up", more="timeslices: {length: 15m, target: 95%}")
    both = "  - {name: all, composite: [{slo: a}, {slo: up}]}\n"
    asked = incident_requests(policy(slo("a"), sliced, spend, both).policy, AT)
    assert {
        name: (one.step, one.slices is not None, one.amount) for name, one in asked.items()
    } == {
        "a": (STEP, False, False),
        "up": (3 * STEP, True, False),
        "money": (STEP, False, True),
    }
    # How large these budgets are does not hang on what happened.
    assert {asked[name].span.start for name in ("up", "money")} == {AT - 31 * DAY}


def test_the_incident_that_the_history_has_is_found_and_decides() -> None:
    read = policy(slo("a"))
    (request,) = incident_requests(read.policy, AT).values()
    # 8,640,000 events in 30 days, of which 8,640 may fail; the steps from 2 h ago on took 2,000.
    outage = {23: 1000.0, 22: 1000.0}
    decided = decide(read, Remembering({"a": series(request, outage)}))
    assert decided.verdict is Verdict.BLOCK
    (finding,) = [one for one in decided.judgement.findings if one.rule is Rule.POSTMORTEM]
    assert "2026-10-31 22:00 to 22:10 UTC (10m) took 23.2% of the budget" in finding.reason
    assert decided.allowed_now == ("bug-fix", "reliability-fix", "rollback", "security-patch")
    assert decided.judgement.allowed_again_at == AT + 30 * DAY - timedelta(hours=1, minutes=50)
    assert decided.judgement.allowed_again_if_calm


def test_an_incident_that_goes_on_has_no_end_to_wait_for() -> None:
    read = policy(slo("a"))
    (request,) = incident_requests(read.policy, AT).values()
    decided = decide(read, Remembering({"a": series(request, {0: 1000.0, 1: 1000.0})}))
    assert (decided.verdict, decided.judgement.allowed_again_at) == (Verdict.BLOCK, None)


@pytest.mark.parametrize("cause", [Cause.BACKEND_ERROR, Cause.PARTIAL])
def test_a_history_that_is_not_available_is_undecided(cause: Cause) -> None:
    decided = decide(policy(slo("a")), Remembering({"a": unmeasured(cause)}))
    assert decided.verdict is Verdict.UNDECIDED
    assert decided.judgement.findings[0].reason == f"incidents of the past: it is {cause}"


def test_a_history_without_known_data_is_no_data() -> None:
    empty = Series(total=(None,) * 8640, bad=(None,) * 8640, query="asked")
    decided = decide(policy(slo("a")), Remembering({"a": empty}))
    assert decided.verdict is Verdict.UNDECIDED
    assert decided.judgement.findings[0].reason.endswith(
        "there is no data for any step of the examined time"
    )


def test_what_is_known_of_the_day_before_only_is_no_data() -> None:
    read = policy(slo("a").replace("window: 30d", "window: 1d"))
    (request,) = incident_requests(read.policy, AT).values()
    whole = series(request)
    lost = (None,) * 288
    begun = replace(whole, total=(*whole.total[:-288], *lost), bad=(*whole.bad[:-288], *lost))
    told = past_incidents(read.policy, {"a": request}, {"a": begun})["a"]
    assert not isinstance(told, SloIncidents)
    assert told.cause is Cause.NO_DATA


def test_a_backend_that_keeps_no_history_is_undecided() -> None:
    decided = decide(policy(slo("a")), Memory({"a": FINE}))
    assert decided.verdict is Verdict.UNDECIDED
    assert (
        decided.judgement.findings[0].reason
        == "incidents of the past: this backend keeps no history"
    )


def test_without_the_rule_incidents_are_neither_requested_nor_found() -> None:
    quiet = policy(slo("a"), rule=None).policy
    assert incident_requests(quiet, AT) == {}
    assert past_incidents(quiet, {}, {}) == {}


def test_what_is_found_is_compared_with_the_budget_of_one_window_of_the_slo() -> None:
    read = policy(slo("a"), rule=replace(RULE, last=3 * DAY))
    asked = incident_requests(read.policy, AT)
    assert asked["a"].span.start == AT - 30 * DAY
    told = past_incidents(read.policy, asked, {"a": series(asked["a"], {40: 500.0})})["a"]
    assert isinstance(told, SloIncidents)
    # 1,000 in 5 minutes are 8,640,000 in 30 days, of which 0.1% may fail.
    assert told.budget.share(told.incidents[0]) == Fraction(500, 8640)
    assert [one.bad for one in told.incidents] == [500]
    assert told.coverage == 1


@pytest.mark.parametrize("at", ["2026-11-01T00:00", "2026-11-01T00:02", "2026-11-02T00:04"])
def test_of_a_calendar_window_what_has_passed_of_it_is_examined(at: str) -> None:
    monthly = slo("a").replace("window: 30d", "window: {calendar: month}")
    instant = datetime.fromisoformat(at).replace(tzinfo=UTC)
    read = policy(monthly).policy
    asked = incident_requests(read, instant)
    assert asked["a"].span == Span(datetime(2026, 10, 31, tzinfo=UTC), instant)
    # What failed at noon, before the month began, is not what the month is about.
    outage = asked["a"].steps - 144
    told = past_incidents(read, asked, {"a": series(asked["a"], {outage: 1000.0})})["a"]
    assert isinstance(told, SloIncidents)
    assert [one.end <= datetime(2026, 11, 1, tzinfo=UTC) for one in told.incidents] == [True]
    assert told.coverage == 1


def test_that_nothing_is_known_yet_of_a_part_of_a_step_is_not_a_gap() -> None:
    read = policy(slo("a").replace("window: 30d", "window: {calendar: day}"))
    (request,) = incident_requests(read.policy, AT + timedelta(seconds=9)).values()
    whole = series(request)
    begun = replace(whole, total=(*whole.total[:-1], None), bad=(*whole.bad[:-1], None))
    told = past_incidents(read.policy, {"a": request}, {"a": begun})["a"]
    assert isinstance(told, SloIncidents)
    assert told.coverage == 1


def test_each_settings_says_rightly_whether_its_backend_keeps_a_history(
    tmp_path: Path,
) -> None:
    every: list[Settings] = [
        PrometheusSettings(url="http://127.0.0.1:1"),
        LogsSettings(path="*.jsonl", directory=tmp_path, records=Records(timestamp="ts")),
        StaticSettings(path=tmp_path / "counts.yaml"),
    ]
    for settings in every:
        backend = open_backend(settings, Limits(timeout=DAY))
        assert (history_of(backend) is not None) == registration(settings.kind).keeps_history
