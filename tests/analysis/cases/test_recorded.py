"""A decision becomes a case that comes to the same, whatever the policy and the counts are."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.analysis.cases.record import add_case
from gate.check.options import Options
from gate.check.run import run_check
from gate.config.cases import StatedCase
from gate.config.cases_schema import read_cases
from gate.config.load import PolicyFile
from gate.config.stated import UNMEASURED
from gate.decision.decision import Context, PolicySource
from gate.decision.document import to_document
from gate.errors import UsageError
from gate.measure import (
    Answer,
    Backend,
    Cause,
    CountRequest,
    Counts,
    Evidence,
    Spent,
    Suspicion,
    Unmeasured,
)
from gate.measure.coverage import Gaps
from gate.policy.changes import BUILT_IN_CHANGES
from tests.config.texts import BACKEND, read

AT = datetime(2026, 11, 20, 14, 0, tzinfo=UTC)
CLASSES = sorted(BUILT_IN_CHANGES)


@st.composite
def policies(draw: st.DrawFn) -> str:
    """Return the text of a policy of SLOs of every kind, with any tiers and rules."""
    lines = ["version: 1", "service: chat", BACKEND.strip(), "slos:"]
    kinds = [draw(st.sampled_from(KINDS[1:])), *draw(st.lists(st.sampled_from(KINDS), max_size=3))]
    lines += [f"  - {{name: slo-{place}, {kind}}}" for place, kind in enumerate(kinds)]
    ratios = [place for place, kind in enumerate(kinds) if "objective" in kind]
    if len(ratios) > 1 and draw(st.booleans()):
        members = ", ".join(f"{{slo: slo-{place}, weight: 0.5}}" for place in ratios)
        lines.append(f"  - {{name: whole, composite: [{members}]}}")
    high, low = draw(st.sampled_from([(50, 10), (25, 0), (90, -20)]))
    classes = ", ".join(sorted({*draw(st.lists(st.sampled_from(CLASSES), max_size=5)), "rollback"}))
    require = draw(st.sampled_from(["", ", require: {rollback: [shadow]}"]))
    lines += [
        "tiers:",
        f'  - {{name: healthy, remaining: "> {high}%", allow: all}}',
        f'  - {{name: caution, remaining: ">= {low}%", allow: [canary, {classes}]}}',
        f"  - {{name: exhausted, otherwise: true, allow: [rollback], warn: [bug-fix]{require}}}",
        "claims: allowed",
        draw(st.sampled_from(["", "burn_rates: google-30d"])),
        draw(st.sampled_from(["", "exhaustion: {within: 3d, effect: block}"])),
        draw(st.sampled_from(["", FREEZE])),
        draw(st.sampled_from(["", "on: {low_traffic: block, stale: warn, except: [rollback]}"])),
        draw(st.sampled_from(["", "min_coverage: 50%", "coverage_floor: 10%"])),
    ]
    return "\n".join(line for line in lines if line) + "\n"


KINDS = (
    "objective: 95%, window: 7d, advisory: true, sli: {bad: b, total: t}",
    "objective: 99.9%, window: 30d, sli: {bad: b, total: t}",
    "objective: 98%, window: 30d, sampled: true, sli: {bad: b, total: t}",
    "objective: 99%, window: {calendar: month, time_zone: Europe/Berlin}, sli: {bad: b, total: t}",
    "objective: 99%, window: {calendar: month, denominator: to-date}, sli: {bad: b, total: t}",
    "objective: 99%, window: 30d, timeslices: {length: 10m, target: 95%}, sli: {bad: b, total: t}",
    "objective: 99%, window: 30d, min_events: 5000, sli: {bad: b, total: t}",
    "allowance: 5000 USD, window: {calendar: month}, sli: {spent: s}",
)
FREEZE = "freezes: [{from: 2026-11-20, to: 2026-11-21, reason: r, allow: [canary, rollback]}]"


@dataclass
class Drawn:
    """A backend that draws its answers, as any backend could give them."""

    draw: Callable[[st.SearchStrategy[Any]], Any]

    def measure(self, requests: Sequence[CountRequest], at: datetime) -> list[Answer]:
        return [self._answer(request, at) for request in requests]

    def _answer(self, request: CountRequest, at: datetime) -> Answer:
        if self.draw(st.sampled_from([False] * 7 + [True])):
            cause = self.draw(st.sampled_from(UNMEASURED))
            return Unmeasured(cause=cause, reason=f"it is {cause}")
        evidence = self._evidence(at) if request.probe else Evidence(query="asked")
        if request.amount:
            return Spent(amount=Fraction(self.draw(st.integers(0, 9000)), 7), evidence=evidence)
        total = Fraction(self.draw(st.sampled_from([1, 90, 4000, 1_000_000, 10**9])), 3)
        if request.slices is not None:
            total = Fraction(request.span.length // request.slices.length)
        ratio = self.draw(st.sampled_from([0, 1, 3, 9, 100, 999, 1000, 1440, 20_000, 10**6]))
        return Counts(total=total, bad=total * ratio / 10**6, evidence=evidence)

    def _evidence(self, at: datetime) -> Evidence:
        age = self.draw(st.sampled_from([0, 5, 600_000, 600_001, 5_000_000]))
        share = self.draw(st.sampled_from([Fraction(1), Fraction(9, 10), Fraction(2, 3)]))
        holes = self.draw(st.sampled_from([0, 0, 0, 30]))
        return Evidence(
            query="asked",
            newest=at - timedelta(milliseconds=age),
            coverage=self.draw(st.sampled_from([None, share])),
            gaps=Gaps(late=Fraction(0), holes=Fraction(holes, 100)) if holes else None,
            warnings=self.draw(st.sampled_from([(), (), ("a shard is down",)])),
            suspicions=self.draw(st.sampled_from([(), (), SUSPECTED])),
        )


SUSPECTED = (
    Suspicion(
        cause=Cause.BORN, reason="r", remedy="m", hidden=Fraction(400), doubtful=Fraction(1, 3)
    ),
    Suspicion(cause=Cause.LOST, reason="r", remedy="m", hidden=None),
)


def policy_of(text: str) -> PolicyFile:
    """Return a policy as if it had been read."""
    contents, mistakes = read(text)
    assert contents is not None, mistakes
    source = PolicySource(path="gate.yaml", sha256="0" * 64, revision=None, modified=False)
    return PolicyFile(**contents._asdict(), source=source, warnings=())


def recorded(file: PolicyFile, backend: Backend, options: Options) -> StatedCase:
    """Return the case that a decision becomes, which comes to the same."""
    decision = run_check([file], options, open_with=lambda _settings, _limits: backend)
    document = json.loads(json.dumps(to_document(decision)))

    added = add_case(b"", "gate.test.yaml", file, document, None)

    (case,) = read_cases(added.encode(), "gate.test.yaml", {}).cases
    assert case.expect.verdict == decision.policies[0].verdict
    assert case.expect.no_other_rule
    return case


@given(st.data(), policies())
def test_a_decision_is_recorded_as_a_case_that_passes(data: st.DataObject, text: str) -> None:
    shadow = {"shadow": "link"} if "shadow" in text and data.draw(st.booleans()) else {}
    options = Options(
        at=AT,
        change=data.draw(st.sampled_from(CLASSES)),
        satisfied=shadow,
        fail_on_warn=data.draw(st.booleans()),
        observe=data.draw(st.booleans()),
    )

    recorded(policy_of(text), Drawn(data.draw), options)


@dataclass
class Answers:
    """A backend that gives one answer to what it is asked of budgets, and one to all else."""

    main: Answer
    other: Answer

    def measure(self, requests: Sequence[CountRequest], at: datetime) -> list[Answer]:  # noqa: ARG002
        return [self.main if request.probe else self.other for request in requests]


def counts(total: float, bad: float, **evidence: Any) -> Counts:
    told = Evidence(query="asked", **evidence)
    return Counts(total=Fraction(total), bad=Fraction(bad), evidence=told)


HOLES = Gaps(late=Fraction(0), holes=Fraction(3, 10))
TIERS = """\
tiers:
  - {name: healthy, remaining: "> 50%", allow: all}
  - {name: exhausted, otherwise: true, allow: [rollback], require: {rollback: [shadow]}}
claims: allowed
"""
CALM = counts(1000, 0)
LOST = Unmeasured(cause=Cause.NO_DATA, reason="there is nothing")


@pytest.mark.parametrize(
    ("kind", "main", "other", "stated"),
    [
        (1, counts(10**6, 400), CALM, {"counts": (10**6, 400)}),
        (1, counts(1000 / 8, 1 / 8), CALM, {"counts": (125, Fraction(1, 8))}),
        (1, counts(10**6, 400), LOST, {"burn_rates": {"1h": Cause.NO_DATA}}),
        (1, LOST, LOST, {"unmeasured": Cause.NO_DATA, "burn_rates": {}}),
        (1, LOST, CALM, {"burn_rates": {"1h": 0}}),
        (5, counts(4320, 9), LOST, {"burn_rates": {"1h": Cause.NO_DATA}}),
        (7, Spent(amount=Fraction(7), evidence=CALM.evidence), CALM, {"spent": 7}),
        (
            1,
            counts(10**6, 1, coverage=Fraction(1), gaps=HOLES),
            CALM,
            {"coverage": Fraction(7, 10)},
        ),
        (1, counts(10**6, 1, coverage=Fraction(7, 10), gaps=HOLES), CALM, {"coverage": "1/4"}),
        (1, counts(10**6, 1, coverage=Fraction(4, 5)), CALM, {"coverage": "4/5"}),
        (1, counts(10**6, 1, newest=AT - timedelta(hours=1)), CALM, {"newest": timedelta(hours=1)}),
        (1, counts(10**6, 1, newest=AT), CALM, {"newest": None}),
        (1, counts(10**6, 1, warnings=("a",)), CALM, {"partial": True}),
        (1, counts(10**6, 1e-40), CALM, {}),
    ],
)
def test_what_a_decision_was_made_by_is_stated(
    kind: int, main: Answer, other: Answer, stated: dict[str, Any]
) -> None:
    text = f"version: 1\nservice: chat\n{BACKEND}slos:\n  - {{name: a, {KINDS[kind]}}}\n{TIERS}"

    case = recorded(policy_of(text), Answers(main, other), Options(at=AT, change="canary"))

    slo = case.slos["a"]
    wanted = {k: Fraction(v) if type(v) is str else v for k, v in stated.items()}
    assert {key: getattr(slo, key) for key in stated} == wanted


def test_suspicions_are_stated_with_their_numbers() -> None:
    text = f"version: 1\nservice: chat\n{BACKEND}slos:\n  - {{name: a, {KINDS[1]}}}\n{TIERS}"
    backend = Answers(counts(10**6, 400, suspicions=SUSPECTED), CALM)

    case = recorded(policy_of(text), backend, Options(at=AT, change="canary"))

    assert [(each.cause, each.hidden) for each in case.slos["a"].suspicions] == [
        (Cause.BORN, Fraction(400)),
        (Cause.LOST, None),
    ]


def test_what_another_class_was_satisfied_by_is_stated() -> None:
    """The document names the requirements of the change alone; its list of classes tells more."""
    text = f"version: 1\nservice: chat\n{BACKEND}slos:\n  - {{name: a, {KINDS[1]}}}\n{TIERS}"
    options = Options(at=AT, change="canary", satisfied={"shadow": "link"})

    case = recorded(policy_of(text), Answers(counts(10**6, 999), CALM), options)

    assert (case.satisfied, case.expect.allowed_now) == (("shadow",), frozenset({"rollback"}))


def test_a_cause_that_no_case_can_state_is_reported() -> None:
    text = f"version: 1\nservice: chat\n{BACKEND}slos:\n  - {{name: a, {KINDS[1]}}}\n{TIERS}"
    lost = Unmeasured(cause=Cause.LOST, reason="gone")

    with pytest.raises(UsageError, match=r"a is not measured \(lost\), which no case can state"):
        recorded(policy_of(text), Answers(lost, lost), Options(at=AT, change="canary"))


def test_a_freeze_of_the_ci_system_is_recorded() -> None:
    text = f"version: 1\nservice: chat\n{BACKEND}slos:\n  - {{name: a, {KINDS[1]}}}\n{TIERS}"
    options = Options(at=AT, change="canary", context=Context(system="gitlab", frozen=True))

    case = recorded(policy_of(text), Answers(counts(10**6, 1), CALM), options)

    assert case.ci_freeze


def test_members_are_stated_and_not_what_they_make() -> None:
    slos = f"  - {{name: a, {KINDS[1]}}}\n  - {{name: c, composite: [{{slo: a, weight: 1}}]}}\n"
    text = f"version: 1\nservice: chat\n{BACKEND}slos:\n{slos}{TIERS}"

    case = recorded(policy_of(text), Answers(counts(10**6, 400), CALM), Options(at=AT))

    assert list(case.slos) == ["a"]


def test_a_window_shorter_than_a_slice_is_not_stated() -> None:
    text = f"version: 1\nservice: chat\n{BACKEND}slos:\n  - {{name: a, {KINDS[5]}}}\n{TIERS}"
    options = Options(at=AT, change="canary")
    policy = policy_of(f"{text}burn_rates: google-30d\n")

    case = recorded(policy, Answers(counts(4320, 9), counts(6, 1)), options)

    assert "5m" not in case.slos["a"].burn_rates
    assert case.slos["a"].burn_rates["1h"] > 0  # type: ignore[operator]


def test_a_decision_by_another_text_is_reported_where_it_comes_to_something_else() -> None:
    tiers = TIERS.replace(", require: {rollback: [shadow]}", "")
    text = f"version: 1\nservice: chat\n{BACKEND}slos:\n  - {{name: a, {KINDS[1]}}}\n{tiers}"
    backend = Answers(counts(10**6, 600), CALM)
    decision = run_check([policy_of(text)], Options(at=AT), open_with=lambda *_: backend)
    altered = policy_of(text.replace("> 50%", "> 30%"))

    with pytest.raises(UsageError, match="tier was exhausted, and comes to healthy"):
        add_case(b"", "a", altered, json.loads(json.dumps(to_document(decision))), None)
