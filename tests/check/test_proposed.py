"""A policy that the change alters is judged on what was asked anyway, and asks nothing itself."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest

from gate.check import proposed as module
from gate.check.options import Options
from gate.check.run import run_check
from gate.config.load import PolicyFile
from gate.config.proposal import ProposedPolicy
from gate.decision.decision import Decision, Proposed
from gate.measure import Answer, Backend, Cause, CountRequest
from gate.measure.history import Series, SeriesAnswer, SeriesRequest
from gate.policy.changes import Approval, ChangeFacts, ChangeMatcher, Live
from gate.policy.findings import Verdict
from gate.policy.rule_settings import PostmortemRule
from gate.slo.objective import CompositeSlo
from gate.wording import (
    PROPOSAL_DIFFERS,
    PROPOSAL_FAILED,
    PROPOSAL_OTHER_BACKEND,
    PROPOSAL_OTHER_BACKENDS,
    PROPOSAL_TOO_LARGE,
    PROPOSAL_TOO_SLOW,
)
from tests.analysis.memory import AT, Opening, counts, file, slo, unmeasured

LABELLED = "changes: {canary: {labels: [canary], approved_by: ['@ada']}}\n"
RULE = PostmortemRule(
    share=Fraction(1, 5), threshold=Fraction(6), patterns=("incidents/*.yaml",), records=()
)


@dataclass(slots=True)
class Counting:
    """A backend that answers everything with one count, and counts what it is asked."""

    answer: Answer
    requests: list[CountRequest] = field(default_factory=list)
    calls: int = 0

    def measure(self, requests: Sequence[CountRequest], _at: datetime) -> list[Answer]:
        self.calls += 1
        self.requests += requests
        return [self.answer] * len(requests)


@dataclass(slots=True)
class Remembering(Counting):
    """The same with a history in which nothing failed."""

    series: list[SeriesRequest] = field(default_factory=list)

    def history(self, requests: Sequence[SeriesRequest]) -> list[SeriesAnswer]:
        self.calls += 1
        self.series += requests
        return [
            Series(total=(1000.0,) * one.steps, bad=(0.0,) * one.steps, query="asked")
            for one in requests
        ]


CAUTION = counts(1_000_000, 800)
"""20% is left: caution."""


def altered(pinned: PolicyFile, becomes: PolicyFile, *, same: bool = True) -> PolicyFile:
    made = ProposedPolicy(policy=becomes.policy, same_backend=same, sha256="1" * 64)
    return replace(pinned, proposed=made)


def check(read: PolicyFile, backend: Backend, **options: Any) -> Decision:
    opening = Opening({"chat": backend})
    return run_check([read], Options(at=AT, **options), open_with=opening)


def proposal(read: PolicyFile, backend: Backend, **options: Any) -> Proposed:
    options = {"change": "full-rollout"} | options
    (decided,) = check(read, backend, **options).policies
    assert decided.proposed is not None
    assert decided.proposed.sha256 == "1" * 64
    return decided.proposed


def loose(*slos: str) -> PolicyFile:
    """Return a policy that lets everything ship down to 10%."""
    read = file("chat", *slos)
    first, *rest = read.policy.tiers
    ten = replace(first, condition=replace(first.condition, threshold=Fraction(1, 10)))  # type: ignore[type-var]
    return replace(read, policy=replace(read.policy, tiers=(ten, *rest[1:])))


def test_rules_that_differ_are_judged_on_what_the_counting_policy_had_measured() -> None:
    backend = Counting(CAUTION)
    plain = Counting(CAUTION)
    without = check(file("chat", slo("a")), plain, change="full-rollout")

    made = proposal(altered(file("chat", slo("a")), loose(slo("a"))), backend)

    assert without.verdict is Verdict.BLOCK
    assert (made.verdict, made.reason) == (Verdict.ALLOW, "")
    assert (backend.calls, len(backend.requests)) == (plain.calls, len(plain.requests))


def test_what_the_proposal_alone_needs_is_not_measured_and_at_best_undecided() -> None:
    backend, pinned = Counting(counts(1_000_000, 1)), file("chat", slo("a"))
    for becomes in (
        file("chat", slo("b")),
        file("chat", slo("a"), slo("b")),
        file("chat", slo("a").replace("30d", "7d")),
        file("chat", slo("a", more="timeslices: {length: 5m, target: 95%}")),
        file("chat", slo("a"), more="burn_rates: [{long: 3d, short: 6h, rate: 1}]\n"),
        file("chat", slo("b"), more="on: {no_data: allow, backend_error: allow}\n"),
        file("chat", slo("b"), more="on: {except: [full-rollout]}\n"),
        file("chat", slo("a"), slo("b", more="advisory: true")),
    ):
        made = proposal(altered(pinned, becomes), backend)
        assert (made.verdict, made.reason) == (Verdict.UNDECIDED, PROPOSAL_DIFFERS)
    assert {request.sli.bad for request in backend.requests} == {"a"}


def test_what_a_proposal_needs_less_or_calls_otherwise_is_measured() -> None:
    backend = Counting(counts(1_000_000, 1))
    pinned = file("chat", slo("a"), slo("b"), more="burn_rates: google-30d\n")
    for becomes in (
        file("chat", slo("a")),
        file("chat", slo("b"), slo("a")),
        file("chat", slo("a").replace("99.9%", "99%")),
        file("chat", slo("a").replace("name: a,", "name: other,")),
        file("another", slo("a")),
        file("chat", slo("a"), more="freezes: []\nvalid_for: 1d\nowners: [x]\n"),
    ):
        assert proposal(altered(pinned, becomes), backend) == Proposed(
            verdict=Verdict.ALLOW, sha256="1" * 64
        )


def test_a_freeze_that_is_proposed_blocks_whatever_is_not_measured() -> None:
    freeze = "freezes: [{from: 2026-10-30, to: 2026-11-02, reason: year end}]\n"
    becomes = file("chat", slo("b"), more=freeze)
    made = proposal(altered(file("chat", slo("a")), becomes), Counting(counts(1_000_000, 1)))
    assert (made.verdict, made.reason) == (Verdict.BLOCK, PROPOSAL_DIFFERS)


def test_an_answer_that_says_why_there_is_no_count_is_an_answer() -> None:
    backend = Counting(unmeasured(Cause.NO_TRAFFIC))
    becomes = file("chat", slo("a"), more="on: {no_traffic: allow}\n")
    made = proposal(altered(file("chat", slo("a")), becomes), backend)
    assert (made.verdict, made.reason) == (Verdict.ALLOW, "")


def test_of_another_backend_nothing_is_measured_and_none_is_opened() -> None:
    backend, pinned = Counting(counts(1_000_000, 1)), file("chat", slo("a"))
    opening = Opening({"chat": backend})
    read = altered(pinned, file("chat", slo("a")), same=False)

    (decided,) = run_check([read], Options(at=AT, change="canary"), open_with=opening).policies

    assert decided.verdict is Verdict.ALLOW
    assert decided.proposed is not None
    assert decided.proposed.verdict is Verdict.UNDECIDED
    assert decided.proposed.reason == PROPOSAL_OTHER_BACKEND
    assert (len(opening.opened), backend.calls) == (1, 1)


def looking_back(*slos: str, days: int = 30) -> PolicyFile:
    read = file("chat", *slos)
    rule = replace(RULE, last=timedelta(days=days))
    return replace(read, policy=replace(read.policy, postmortems=rule))


@pytest.mark.parametrize(
    "becomes, verdict",
    [
        (looking_back(slo("a")), Verdict.ALLOW),
        (looking_back(slo("a"), days=7), Verdict.ALLOW),
        (looking_back(slo("a"), days=60), Verdict.UNDECIDED),
        (file("chat", slo("a")), Verdict.ALLOW),
    ],
)
def test_the_history_of_a_proposal_is_what_was_asked_anyway(
    becomes: PolicyFile, verdict: Verdict
) -> None:
    backend = Remembering(counts(8_640_000, 1))
    made = proposal(altered(looking_back(slo("a")), becomes), backend)
    assert made.verdict is verdict
    assert (backend.calls, len(backend.series)) == (2, 1)


@pytest.mark.parametrize("backend", [Counting(CAUTION), Remembering(counts(8_640_000, 1))])
def test_a_rule_that_looks_back_only_in_the_proposal_asks_for_no_history(
    backend: Counting,
) -> None:
    made = proposal(altered(file("chat", slo("a")), looking_back(slo("a"))), backend)
    assert made.verdict in {Verdict.UNDECIDED, Verdict.BLOCK}
    assert made.reason == PROPOSAL_DIFFERS
    assert backend.calls == 1


def test_a_proposal_that_blocks_does_not_ask_when_that_ends() -> None:
    backend = Remembering(CAUTION)
    strict = file("chat", slo("a").replace("99.9%", "99.99%"))
    made = proposal(altered(loose(slo("a")), strict), backend)
    assert (made.verdict, backend.calls) == (Verdict.BLOCK, 1)


def several(names: dict[str, str], *, more: str = "") -> PolicyFile:
    """Return a policy of an SLO for each backend, by the SLO's name."""
    plain = file("chat", *map(slo, names), more=more)
    slos = tuple(
        replace(each, sli=each.sli.counted_by(names[each.name]))
        for each in plain.policy.slos
        if not isinstance(each, CompositeSlo)
    )
    return replace(plain, policy=replace(plain.policy, slos=slos))


def with_backends(pinned: PolicyFile, becomes: PolicyFile, same: dict[str, str]) -> PolicyFile:
    made = ProposedPolicy(policy=becomes.policy, backends=same, sha256="1" * 64)
    return replace(pinned, proposed=made)


@pytest.mark.parametrize("more", ["", "control_charts: warn\n"])
def test_a_proposal_is_measured_by_those_of_its_backends_that_are_in_force(more: str) -> None:
    backend = Remembering(counts(8_640_000, 1))
    pinned = several({"a": "prom", "b": "judge"}, more=more)
    renamed = several({"a": "metrics", "b": "scores"}, more=more)

    whole = proposal(
        with_backends(pinned, renamed, {"metrics": "prom", "scores": "judge"}), backend
    )
    part = proposal(with_backends(pinned, renamed, {"metrics": "prom"}), backend)
    swapped = proposal(
        with_backends(pinned, renamed, {"metrics": "judge", "scores": "prom"}), backend
    )
    nothing = proposal(with_backends(pinned, renamed, {}), backend)

    assert (whole.verdict, whole.reason) == (Verdict.ALLOW, "")
    assert (part.verdict, part.reason) == (Verdict.UNDECIDED, PROPOSAL_OTHER_BACKENDS)
    assert (swapped.verdict, swapped.reason) == (Verdict.UNDECIDED, PROPOSAL_OTHER_BACKENDS)
    assert (nothing.verdict, nothing.reason) == (Verdict.UNDECIDED, PROPOSAL_OTHER_BACKEND)
    assert {request.sli.backend for request in backend.requests} == {"prom", "judge"}


@dataclass(slots=True)
class Host:
    """A code host, and how often it is asked."""

    facts: int = 0
    approvals: int = 0

    def find(self, _: Live | None) -> ChangeFacts:
        self.facts += 1
        return ChangeFacts(labels=("canary",))

    def approve(self, _: ChangeMatcher, _facts: ChangeFacts) -> Approval:
        self.approvals += 1
        return Approval(by=("ada",))


def test_a_proposal_asks_the_host_for_nothing_of_its_own() -> None:
    backend, host = Counting(CAUTION), Host()
    both = altered(file("chat", slo("a"), more=LABELLED), file("chat", slo("a"), more=LABELLED))
    options: dict[str, Any] = {"change": None, "facts": host.find, "approve": host.approve}

    assert proposal(both, backend, **options).verdict is Verdict.ALLOW
    assert (host.facts, host.approvals) == (1, 1)

    other = LABELLED.replace("ada", "mallory")
    another = altered(file("chat", slo("a"), more=LABELLED), file("chat", slo("a"), more=other))
    assert proposal(another, backend, **options).verdict is Verdict.BLOCK
    assert (host.facts, host.approvals) == (2, 2)

    live = LABELLED + "live: {file: /etc/hostname}\n"
    elsewhere = altered(file("chat", slo("a"), more=LABELLED), file("chat", slo("a"), more=live))
    assert proposal(elsewhere, backend, **options).verdict is Verdict.BLOCK
    assert (host.facts, host.approvals) == (3, 3)

    only = altered(file("chat", slo("a")), file("chat", slo("a"), more=LABELLED))
    assert proposal(only, backend, **options).verdict is Verdict.BLOCK
    assert (host.facts, host.approvals) == (3, 3)


def test_a_proposal_sets_neither_how_long_the_decision_holds_nor_whether_it_is_overridden() -> None:
    becomes = file("chat", slo("a"), more="valid_for: 1m\noverrides: {label: ship-it}\n")
    decision = check(
        altered(file("chat", slo("a")), becomes), Counting(CAUTION), change="full-rollout"
    )
    assert decision.expires_at == AT + timedelta(minutes=15)
    assert decision.override is None
    assert decision.exit_code == 10


def test_a_proposal_that_needs_too_much_is_not_judged() -> None:
    rates = ", ".join(f"{{long: {60 + n}m, short: {n + 1}m, rate: 1}}" for n in range(40))
    slos = [slo(f"a{n}") for n in range(260)]
    becomes = file("chat", *slos, more=f"burn_rates: [{rates}]\n")
    made = proposal(altered(file("chat", slo("a")), becomes), Counting(CAUTION))
    assert (made.verdict, made.reason) == (None, PROPOSAL_TOO_LARGE)


def test_judging_that_fails_or_takes_too_long_changes_nothing_of_the_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read = altered(file("chat", slo("a")), file("chat", slo("a")))

    def fail(*_: object) -> None:
        raise MemoryError("hunter2")

    monkeypatch.setattr(module, "burn_windows", fail)
    assert proposal(read, Counting(CAUTION)).reason == PROPOSAL_FAILED
    monkeypatch.setattr(module, "burn_windows", lambda _: time.sleep(0.5))
    monkeypatch.setattr(module, "_SECONDS", 0.05)
    assert proposal(read, Counting(CAUTION)).reason == PROPOSAL_TOO_SLOW


def test_of_several_policies_each_is_beside_its_own_proposal() -> None:
    backend = Counting(CAUTION)
    alone = file("chat", slo("a"))
    decision = run_check(
        [alone, altered(alone, loose(slo("a"))), alone],
        Options(at=AT, change="full-rollout"),
        open_with=Opening({"chat": backend}),
    )
    verdicts = [one.proposed and one.proposed.verdict for one in decision.policies]
    assert verdicts == [None, Verdict.ALLOW, None]


def test_indicators_are_the_same_whatever_the_order_of_their_labels() -> None:
    def labelled(labels: str) -> PolicyFile:
        sli = f"sli: {{bad: 'x{{$labels}}', total: y, labels: {{{labels}}}}}"
        return file("chat", slo("a").replace("sli: {bad: a, total: total}", sli))

    backend = Counting(counts(1_000_000, 1))
    pinned = labelled("a: 1, b: 2")
    assert proposal(altered(pinned, labelled("b: 2, a: 1")), backend).reason == ""
    assert proposal(altered(pinned, labelled("b: 1, a: 2")), backend).reason == PROPOSAL_DIFFERS
