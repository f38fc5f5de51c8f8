"""A decision becomes a case that comes to the same, whatever the policy and the counts are."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from gate.analysis.cases.record import add_case
from gate.check.options import Options
from gate.check.run import run_check
from gate.config.cases_schema import read_cases
from gate.config.load import PolicyFile
from gate.config.stated import UNMEASURED
from gate.decision.decision import PolicySource
from gate.decision.document import to_document
from gate.measure import (
    Answer,
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
WINDOWS = ("1h", "5m", "6h", "30m", "1d", "2h", "3d")


def shares(least: int, most: int) -> st.SearchStrategy[Fraction]:
    return st.integers(least, most).map(lambda number: Fraction(number, 100))


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

    draw: st.DrawFn

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


@given(st.data(), policies())
def test_a_decision_is_recorded_as_a_case_that_passes(data: st.DataObject, text: str) -> None:
    contents, mistakes = read(text)
    assert contents is not None, mistakes
    source = PolicySource(path="gate.yaml", sha256="0" * 64, revision=None, modified=False)
    file = PolicyFile(**contents._asdict(), source=source, warnings=())
    change = data.draw(st.sampled_from(CLASSES))
    shadow = {"shadow": "link"} if "shadow" in text and data.draw(st.booleans()) else {}
    options = Options(
        at=AT,
        change=change,
        satisfied=shadow,
        fail_on_warn=data.draw(st.booleans()),
        observe=data.draw(st.booleans()),
    )
    decision = run_check([file], options, open_with=lambda _s, _l: Drawn(data.draw))
    document = json.loads(json.dumps(to_document(decision)))

    added = add_case(b"", "gate.test.yaml", file, document, None)

    (case,) = read_cases(added.encode(), "gate.test.yaml", {}).cases
    assert case.expect.verdict == decision.policies[0].verdict
    assert case.expect.no_other_rule
