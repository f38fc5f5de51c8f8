"""Shadow requirements, judged by real request logs; and whatever else a backend may answer."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from fractions import Fraction
from pathlib import Path

import pytest

from gate.backends import open_backend
from gate.backends.prometheus.settings import PrometheusSettings
from gate.backends.static import StaticSettings
from gate.check.shadow import judge_shadows
from gate.measure import (
    Answer,
    Backend,
    Cause,
    CountRequest,
    Counts,
    Evidence,
    Limits,
    Suspicion,
    Unmeasured,
)
from gate.measure.cohorts import Cohort, CohortAnswer, CohortRequest, Cohorts
from gate.measure.pairing import PairAnswer, PairRequest
from gate.policy.requirements import RequirementResult, RequirementState, ShadowRequirement
from tests.backends.logs.written import AT
from tests.check.shadows import (
    HOUR,
    MINUTE,
    Minute,
    hour,
    judge,
    policy_of,
    required,
    write_minutes,
)

MET, NOT_MET, UNDECIDED = (
    RequirementState.MET,
    RequirementState.NOT_MET,
    RequirementState.UNDECIDED,
)
PAIRED = required(pair_by="request_id")
Minutes = list[Minute]
LIVE = hour("live", 60_000, 60)


def shadow(requests: int, bad: int, minutes: int = 60) -> Minutes:
    return hour("shadow", requests, bad, minutes)


def outage(arm: str, requests: int, *, shift: int = 0) -> Minutes:
    """Return an hour of which five minutes failed by half, and hardly any other request."""
    return [
        replace(each, bad=each.requests // 2 if 20 <= each.minute < 25 else each.bad, shift=shift)
        for each in hour(arm, requests, 60)
    ]


def nights(arm: str, *, each: int) -> Minutes:
    """Return days with requests by day only, of which a few fail; the last day has most."""
    return [
        Minute(
            minute=n,
            arm=arm,
            requests=each if n < 24 * 60 else 2,
            bad=int(n % (1_000 // each) == 0),
            first=n * each,
        )
        for n in range(5 * 24 * 60)
        if not 3 * 60 <= n % (24 * 60) < 11 * 60
    ]


LEGITIMATE: dict[str, tuple[Minutes, ShadowRequirement]] = {
    "equal": (LIVE + shadow(60_000, 60), required()),
    "equal, and paired": (LIVE + shadow(60_000, 60), PAIRED),
    "better": (hour("live", 60_000, 600) + shadow(6_000, 6), required()),
    "worse by less than the margin": (LIVE + shadow(60_000, 180), required()),
    "a part of the traffic": (hour("live", 60_000, 600) + shadow(6_000, 60), required()),
    "no failure, and enough requests": (LIVE + shadow(900, 0), required()),
    "no failure of either": (hour("live", 60_000, 0) + shadow(1_200, 0), required()),
    "an outage of both": (outage("live", 60_000) + outage("shadow", 60_000), required()),
    "an outage of both, request by request": (
        outage("live", 12_000) + outage("shadow", 12_000),
        PAIRED,
    ),
    "a day with a night, as all days": (
        nights("live", each=100) + nights("shadow", each=10),
        required(lasting=24 * HOUR),
    ),
    "other deployments beside them": (
        LIVE + shadow(60_000, 60) + hour("canary", 60_000, 6_000),
        required(),
    ),
    "a few requests that were not mirrored": (
        [m for m in LIVE if m.minute != 59] + shadow(60_000, 60),
        required(pair_by="request_id", lasting=HOUR - MINUTE),
    ),
}


@pytest.mark.variants(1)
@pytest.mark.parametrize("name", LEGITIMATE)
def test_a_shadow_that_is_not_worse_is_shown_to_be_so(name: str, tmp_path: Path) -> None:
    minutes, requirement = LEGITIMATE[name]

    result = judge(write_minutes(tmp_path / "requests.parquet", minutes), requirement)

    assert result.state is MET, result.reason
    assert result.facts["slo"] == "availability"
    assert "95%" in result.reason


def some(minutes: Minutes, keep: Callable[[int], bool]) -> Minutes:
    return [each for each in minutes if keep(each.minute)]


def fading(minutes: Minutes, *, first: int) -> Minutes:
    """Return minutes of which the newest quarter of an hour has one request each, with own ids."""
    newest = [
        replace(each, requests=1, bad=0, first=each.first + first)
        for each in minutes
        if each.minute < 15
    ]
    return newest + some(minutes, lambda minute: minute >= 15)


def renumbered(minutes: Minutes, *, first: int) -> Minutes:
    return [replace(each, first=each.first + first) for each in minutes]


def without_ids(minutes: Minutes) -> Minutes:
    return [replace(each, unlabelled=each.bad) for each in minutes]


SHADOW = shadow(60_000, 60)
FAULTS: dict[str, tuple[Minutes, ShadowRequirement, RequirementState, str]] = {
    "worse": (
        LIVE + shadow(6_000, 120),
        required(),
        NOT_MET,
        "availability: 2% of 6,000 requests of deployment=shadow failed, and 0.1% of 60,000",
    ),
    "worse, and paired": (
        LIVE + shadow(60_000, 600),
        PAIRED,
        NOT_MET,
        "of 60,000 requests that both handled, 1% failed with deployment=shadow and 0.1% with",
    ),
    "too few requests": (
        hour("live", 60_000, 600) + shadow(600, 6),
        required(),
        UNDECIDED,
        "it takes about 1,700 more requests of deployment=shadow, at this rate about 3h: mirror"
        " more requests to it, or write for: 4h",
    ),
    "somewhat worse": (
        hour("live", 60_000, 600) + shadow(600, 10),
        required(),
        UNDECIDED,
        "more requests will not show it to be allowed: find out why deployment=shadow fails",
    ),
    "failures in bursts": (
        LIVE + [replace(each, bad=150 * (each.minute == 10)) for each in shadow(60_000, 0)],
        required(),
        UNDECIDED,
        "failures come in bursts, so the requests count as",
    ),
    "five minutes": (
        LIVE + shadow(5_000, 5, 5),
        required(),
        UNDECIDED,
        "deployment=shadow has run since 2026-10-31 11:55 UTC only, and the last 1h is compared;"
        " check again after 2026-10-31 12:55 UTC",
    ),
    "live for five minutes": (
        hour("live", 5_000, 5, 5) + SHADOW,
        required(),
        UNDECIDED,
        "deployment=live has run since 2026-10-31 11:55 UTC only",
    ),
    "a hole": (
        LIVE + some(SHADOW, lambda minute: not 20 <= minute < 32),
        required(),
        UNDECIDED,
        "deployment=shadow has no requests from 2026-10-31 11:30 to 11:40 UTC (10m), and all of the"
        " last 1h is compared; check again after 2026-10-31 12:40 UTC",
    ),
    "gone": (
        LIVE + some(SHADOW, lambda minute: minute >= 20),
        required(),
        UNDECIDED,
        "there is no data on deployment=shadow since 2026-10-31 11:40 UTC; check that it runs",
    ),
    "logs that ended": (
        some(LIVE + SHADOW, lambda minute: minute >= 20),
        required(),
        UNDECIDED,
        "there is no data on deployment=shadow since 2026-10-31 11:40 UTC",
    ),
    "never at the same time": (
        some(LIVE, lambda minute: minute < 30) + some(SHADOW, lambda minute: minute >= 30),
        required(),
        UNDECIDED,
        "there is no data on deployment=shadow since 2026-10-31 11:30 UTC",
    ),
    "another name": (
        LIVE + hour("shadw", 60_000, 60),
        required(),
        UNDECIDED,
        "no request of the last 1h has deployment=shadow: deploy the shadow and mirror requests to"
        " it, or correct candidate, or the selector of the SLO if that leaves them out; did you"
        " mean 'shadw'?",
    ),
    "another name of live": (
        hour("live-1", 60_000, 60) + SHADOW,
        required(),
        UNDECIDED,
        "has deployment=live: correct against, or the selector of the SLO if that leaves them out;"
        " did you mean 'live-1'?",
    ),
    "another label": (
        LIVE + SHADOW,
        required(by="deploymnt"),
        UNDECIDED,
        'no column "deploymnt" in the logs; there are: deployment',
    ),
    "another id": (
        LIVE + SHADOW,
        required(pair_by="requestid"),
        UNDECIDED,
        'no column "requestid" in the logs; there are: request_id',
    ),
    "ids of its own": (
        LIVE + renumbered(SHADOW, first=10**6),
        PAIRED,
        UNDECIDED,
        "60,000 of 60,000 requests with deployment=shadow have no partner by request_id (100%, and"
        " at most 5% may lack it)",
    ),
    "a tenth of the traffic, paired": (
        hour("live", 60_000, 60) + shadow(6_000, 6),
        PAIRED,
        UNDECIDED,
        "requests with deployment=live have no partner by request_id",
    ),
    "failures without an id": (
        LIVE + without_ids(shadow(60_000, 600)),
        PAIRED,
        UNDECIDED,
        "failures without a partner could decide it either way; log the id of every request",
    ),
    "most rows without an id": (
        LIVE + without_ids(shadow(60_000, 6_000)),
        PAIRED,
        UNDECIDED,
        "6,000 of them have no request_id",
    ),
    "retries under one id": (
        LIVE + SHADOW + renumbered(shadow(60_000, 600), first=0),
        PAIRED,
        UNDECIDED,
        "values of request_id that came more than once could decide it either way",
    ),
    "pairs in too few steps": (
        fading(LIVE, first=0) + fading(SHADOW, first=10**6),
        PAIRED,
        UNDECIDED,
        "both have requests in only 9 of 12 steps",
    ),
    "requests in too few steps": (
        hour("live", 60_000, 60)
        + [Minute(minute=n, arm="shadow", requests=1) for n in (2, 30, 55)],
        required(margin=Fraction(60)),
        UNDECIDED,
        "both have requests in only 3 of 12 steps of 5m, and 10 are needed to see whether failures"
        " come in bursts; mirror more requests, or write a longer for",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_whatever_is_not_shown_does_not_pass_and_says_what_to_do(name: str, tmp_path: Path) -> None:
    minutes, requirement, state, words = FAULTS[name]

    result = judge(write_minutes(tmp_path / "requests.parquet", minutes), requirement)

    assert result.state is state, result.reason
    assert words in result.reason


@pytest.mark.slow
def test_the_figures_are_those_of_the_logs(tmp_path: Path) -> None:
    # The newest minute's shadow rows are not there yet, and one request is retried.
    minutes = (
        LIVE
        + [m for m in shadow(60_000, 120) if m.minute]
        + [Minute(minute=30, arm="shadow", requests=1, first=30_000)]
    )
    log = write_minutes(tmp_path / "requests.parquet", minutes)

    separate, paired = judge(log).facts, judge(log, PAIRED).facts

    assert separate["live_requests"] == 60_000
    assert separate["live_bad"] == 60
    assert separate["shadow_requests"] == 59_001
    assert separate["shadow_bad"] == 118
    assert separate["excess"] == pytest.approx(118 / 59_001 - 60 / 60_000)
    assert separate["excess_allowed"] == pytest.approx(0.005)
    assert separate["design_effect"] == pytest.approx(1)
    assert paired["shadow_requests"] == paired["live_requests"] == 59_000
    assert (paired["shadow_bad"], paired["live_bad"]) == (118, 59)
    assert (paired["shadow_unpaired"], paired["live_unpaired"]) == (0, 1_000)
    assert (paired["shadow_repeated_ids"], paired["live_repeated_ids"]) == (1, 0)


TWO = """\
slos:
  - {name: availability, objective: 99%, window: 30d, sli: {bad: status >= 500}}
  - {name: outcome, objective: 99%, window: 30d, sli: {bad: status = 429, total: status > 0}}
  - {name: strict, objective: 99.9%, window: 30d, sli: {bad: status >= 500}}
  - {name: spend, allowance: 5 USD, window: 30d, sli: {spent: status}}
"""


@pytest.mark.slow
def test_the_worst_of_all_slos_decides_and_is_named(tmp_path: Path) -> None:
    log = write_minutes(tmp_path / "requests.parquet", LIVE + shadow(60_000, 150))

    every = judge(log, slos=TWO)
    without = judge(log, required(slos=("availability", "outcome")), slos=TWO)
    broken = judge(log, slos=TWO.replace("status = 429", "stats = 429"))

    assert (every.state, every.facts["slo"]) == (NOT_MET, "strict")
    assert (without.state, without.facts["slo"]) == (MET, "availability")
    assert without.reason.endswith("(50% of the error budget); 1 more SLO passed")
    assert (broken.state, broken.facts["slo"]) == (NOT_MET, "strict")


@pytest.mark.slow
def test_one_slo_that_is_not_shown_keeps_the_others_from_passing(tmp_path: Path) -> None:
    log = write_minutes(tmp_path / "requests.parquet", LIVE + shadow(60_000, 75))

    unsure = judge(log, slos=TWO)
    broken = judge(log, required(slos=("availability", "outcome")), slos=TWO.replace("= 429", "<"))

    assert (unsure.state, unsure.facts["slo"]) == (UNDECIDED, "strict")
    assert (broken.state, broken.facts["slo"]) == (UNDECIDED, "outcome")
    assert broken.reason.startswith("outcome: bad: 'status <' is not a valid SQL expression")


@pytest.mark.slow
def test_several_slos_that_cannot_be_compared_are_counted(tmp_path: Path) -> None:
    log = write_minutes(tmp_path / "requests.parquet", LIVE)

    result = judge(log, slos=TWO)

    assert result.state is UNDECIDED
    assert result.reason.startswith("availability (and 2 more SLOs): no request of the last 1h")


@pytest.mark.variants(2)
@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"against": "shadow"}, "candidate and against are both 'shadow'"),
        (
            {"lasting": timedelta(minutes=5)},
            "for is 5m; write at least 10m, since bursts of failures do not show",
        ),
        ({"slos": ("availabilty",)}, "no SLO is named 'availabilty'; did you mean 'availability'?"),
        (
            {"slos": ("spend",)},
            "spend cannot be compared: spend is an amount, not a count of events; name other SLOs",
        ),
        ({"by": "status"}, "status is part of what makes an event of availability bad"),
    ],
)
def test_a_requirement_that_no_data_can_meet_says_what_to_write(
    tmp_path: Path, fields: dict[str, object], words: str
) -> None:
    result = judge(tmp_path / "none.parquet", required(**fields), slos=TWO)

    assert result.state is UNDECIDED
    assert words in result.reason


def test_an_slo_in_slices_and_a_policy_without_events_are_not_compared(tmp_path: Path) -> None:
    slices = (
        "slos:\n  - name: sliced\n    objective: 99%\n    window: 30d\n"
        "    timeslices: {length: 5m, target: 99%}\n    sli: {bad: status >= 500}\n"
    )

    named = judge(tmp_path / "none.parquet", required(slos=("sliced",)), slos=slices)
    empty = judge(tmp_path / "none.parquet", slos=slices)

    assert "sliced cannot be compared: it counts slices of time" in named.reason
    assert "no SLO here counts events, by which the two could be compared" in empty.reason


@pytest.mark.slow
def test_a_short_time_is_examined_in_shorter_steps(tmp_path: Path) -> None:
    log = write_minutes(tmp_path / "requests.parquet", LIVE + SHADOW)

    for minutes in (10, 17, 59):
        result = judge(log, required(lasting=timedelta(minutes=minutes)))
        assert result.state is MET, result.reason


EVIDENCE = Evidence(query="asked", newest=AT)
FLOW = Cohort(total=(5_000.0,) * 12, bad=(5.0,) * 12)
BOTH: dict[tuple[str, ...], Cohort] = {("live",): FLOW, ("shadow",): FLOW}


@dataclass(slots=True)
class Answering:
    """A backend that answers what a test has it answer, and remembers what it was asked."""

    evidence: Evidence | Unmeasured = EVIDENCE
    groups: dict[tuple[str, ...], Cohort] | Unmeasured = field(default_factory=lambda: BOTH)
    """By step; a backend that sees single requests is asked for nothing else."""
    unpaired: Unmeasured | None = None
    asked: list[CountRequest | CohortRequest] = field(default_factory=list)

    def measure(self, requests: Sequence[CountRequest], at: datetime) -> list[Answer]:
        assert {request.span.end for request in requests} == {at}
        self.asked += requests
        if isinstance(self.evidence, Unmeasured):
            return [self.evidence] * len(requests)
        counts = Counts(total=Fraction(120_000), bad=Fraction(120), evidence=self.evidence)
        return [counts] * len(requests)

    def cohorts(self, requests: Sequence[CohortRequest]) -> list[CohortAnswer]:
        self.asked += requests
        if isinstance(self.groups, Unmeasured):
            return [self.groups] * len(requests)
        return [Cohorts(groups=self.groups, query="asked")] * len(requests)

    def pairs(self, requests: Sequence[PairRequest]) -> list[PairAnswer]:
        assert self.unpaired is not None
        return [self.unpaired] * len(requests)


def answer(backend: Backend, requirement: ShadowRequirement | None = None) -> RequirementResult:
    wanted = requirement or required()
    return judge_shadows(policy_of(), [wanted], backend, AT)[wanted]


@pytest.mark.slow
def test_everything_is_asked_at_once_for_the_same_time() -> None:
    backend, other = Answering(), required(margin=Fraction(1))

    results = judge_shadows(policy_of(TWO), [required(), other, required()], backend, AT)

    assert set(results) == {required(), other}
    assert {result.state for result in results.values()} == {MET}
    assert len(backend.asked) == 12  # two requirements of three SLOs each
    assert {(r.span.start, r.span.end) for r in backend.asked} == {(AT - HOUR, AT)}
    assert all(r.probe for r in backend.asked if isinstance(r, CountRequest))


def failure(cause: Cause, reason: str = "it failed") -> Unmeasured:
    return Unmeasured(cause=cause, reason=reason)


@pytest.mark.parametrize(
    ("backend", "words"),
    [
        (
            Answering(groups=failure(Cause.BACKEND_ERROR, "the server does not answer")),
            "the server does not answer; check the backend's address, login and health",
        ),
        (
            Answering(evidence=failure(Cause.NO_TRAFFIC, "no event")),
            "no event; check that the service receives requests",
        ),
        (
            Answering(evidence=replace(EVIDENCE, newest=AT - timedelta(minutes=20))),
            "the newest data is from 2026-10-31 11:40 UTC, and max_age is 10m; check that the"
            " target is up and scraped, or fetch the newest logs",
        ),
        (
            Answering(evidence=replace(EVIDENCE, warnings=("store 2 is down",))),
            "partial answer: store 2 is down; check which store or shard is down",
        ),
    ],
)
def test_what_the_backend_cannot_answer_is_undecided_with_what_to_do(
    backend: Answering, words: str
) -> None:
    result = answer(backend)

    assert result.state is UNDECIDED
    assert result.reason.startswith(f"availability: {words}")


def suspected(hidden: int | None, doubtful: int | None = 0) -> Evidence:
    suspicion = Suspicion(
        cause=Cause.BORN,
        reason="counters began with failures",
        remedy="initialise them to zero",
        hidden=None if hidden is None else Fraction(hidden),
        doubtful=None if doubtful is None else Fraction(doubtful),
    )
    return replace(EVIDENCE, suspicions=(suspicion, replace(suspicion, hidden=Fraction(0))))


@pytest.mark.variants(1)
@pytest.mark.parametrize(("hidden", "state"), [(100, MET), (400, UNDECIDED), (None, UNDECIDED)])
def test_a_doubt_about_the_counts_matters_where_it_could_change_the_result(
    hidden: int | None, state: RequirementState
) -> None:
    result = answer(Answering(evidence=suspected(hidden)))

    assert result.state is state
    doubted = "counters began with failures; initialise them to zero" in result.reason
    assert doubted == (state is UNDECIDED)


def test_a_doubt_may_also_keep_a_shadow_from_failing() -> None:
    failing = replace(FLOW, bad=(50.0,) * 12)
    groups = {**BOTH, ("shadow",): failing}

    assert answer(Answering(groups=groups)).state is NOT_MET
    assert answer(Answering(groups=groups, evidence=suspected(0, 500))).state is UNDECIDED
    assert answer(Answering(groups=groups, evidence=suspected(0, None))).state is UNDECIDED


def test_pairs_that_are_not_available_are_undecided() -> None:
    lost = Answering(unpaired=failure(Cause.INVALID, "no such column"))

    assert answer(lost, PAIRED).reason.endswith(
        "availability: no such column; correct by or pair_by, or the indicator of the SLO"
    )


def test_a_backend_that_cannot_separate_or_pair_requests_says_which_can(tmp_path: Path) -> None:
    limits = Limits(timeout=timedelta(seconds=5))
    static = open_backend(StaticSettings(path=tmp_path / "counts.yaml"), limits)
    prometheus = open_backend(PrometheusSettings(url="http://127.0.0.1:1"), limits)

    assert answer(static).reason == (
        "the backend cannot separate requests by deployment; measure the SLOs with Prometheus or"
        " request logs"
    )
    assert answer(prometheus, PAIRED).reason == (
        "requests can be paired by request_id only in request logs, which have single requests;"
        " leave out pair_by, or measure the SLOs with a backend of the type logs"
    )
    assert answer(prometheus).state is UNDECIDED


def test_the_policys_design_effect_widens_the_interval() -> None:
    sampled = """\
slos:
  - name: availability
    objective: 99%
    window: 30d
    sampled: {design_effect: 300}
    sli: {bad: status >= 500}
"""
    wanted = required()

    result = judge_shadows(policy_of(sampled), [wanted], Answering(), AT)[wanted]

    assert result.state is UNDECIDED
    assert result.facts["design_effect"] == 300
    assert "the requests count as 300.0 times fewer" in result.reason


@pytest.mark.slow
def test_a_long_time_and_a_shadow_that_fails_less_are_written_plainly() -> None:
    # Three requests in a thousand fail, and the margin is a thousandth of a percent.
    scarce = required(margin=Fraction(1, 1_000))
    better = Answering(groups={**BOTH, ("shadow",): replace(FLOW, bad=(4.0,) * 12)})
    best = Answering(groups={**BOTH, ("shadow",): replace(FLOW, bad=(0.0,) * 12)})

    worse = Answering(groups={**BOTH, ("shadow",): replace(FLOW, bad=(8.0,) * 12)})

    assert (
        "the excess is between 0.0194% and 0.102%"
        in answer(worse, required(margin=Fraction(1, 20))).reason
    )
    assert (
        "the excess is between -0.0364% and 0.0364% (95% confidence)"
        in answer(Answering(), scarce).reason
    )
    assert "at this rate about" in answer(Answering(), scarce).reason
    assert "0.01% is allowed" in answer(better, required(margin=Fraction(1, 100))).reason
    assert "the excess is at most 0%" in answer(best, scarce).reason
