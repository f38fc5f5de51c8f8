"""The requests of a policy to its backend, and the use of the answers."""

from collections.abc import Sequence
from datetime import timedelta
from fractions import Fraction

import pytest

from gate.budget.impact import Impact
from gate.check.measure import measure
from gate.check.options import Options
from gate.check.run import run_check
from gate.errors import UsageError
from gate.measure import Answer, Cause, CountRequest, Unmeasured
from gate.policy.findings import Rule, Verdict
from tests.analysis.memory import (
    AT,
    Answering,
    Memory,
    Opening,
    counts,
    file,
    slo,
    spent,
    unmeasured,
)

RATES = """\
burn_rates:
  - {long: 6h, short: 30m, rate: 6}
  - {long: 1h, short: 5m, rate: 14.4}
"""
MEMBERS = "composite: [{slo: a, weight: 0.5}, {slo: b, weight: 0.5}]"
COMPOSITE = f"  - {{name: all, {MEMBERS}}}\n"


def test_all_windows_of_all_slos_are_one_question() -> None:
    backend = Memory({"a": counts(1e6, 0), "b": counts(1e6, 0)})

    measure(file("chat", slo("a"), slo("b"), more=RATES).policy, backend, at=AT)

    ((requests, _),) = backend.asked
    windows = [timedelta(minutes=m) for m in (30 * 24 * 60, 5, 30, 60, 360)]
    for name in ("a", "b"):
        own = [request for request in requests if request.sli.bad == name]
        assert [request.span.length for request in own] == windows
        assert [request.probe for request in own] == [True, False, False, False, False]


def test_the_last_hour_is_requested_without_any_burn_rate_rule() -> None:
    backend = Memory({"a": counts(1e6, 0)})

    measure(file("chat", slo("a")).policy, backend, at=AT)

    ((requests, _),) = backend.asked
    assert [r.span.length for r in requests] == [timedelta(days=30), timedelta(hours=1)]


def test_a_composite_asks_nothing_and_weighs_its_members() -> None:
    """0.5 x 80% + 0.5 x 40% = 60% consumed."""
    backend = Memory({"a": counts(1e6, 800), "b": counts(1e6, 400)})

    *_, whole = measure(file("chat", slo("a"), slo("b"), COMPOSITE).policy, backend, at=AT)

    ((requests, _),) = backend.asked
    assert {request.sli.bad for request in requests} == {"a", "b"}
    assert whole.remaining == Fraction(4, 10)


def test_a_composite_of_which_a_part_is_unknown_is_unknown() -> None:
    backend = Memory({"a": counts(1e6, 0), "b": unmeasured(Cause.STALE)})

    *_, whole = measure(file("chat", slo("a"), slo("b"), COMPOSITE).policy, backend, at=AT)

    assert not whole.measured
    assert [doubt.cause for doubt in whole.doubts] == [Cause.STALE]


def test_spending_is_requested_over_its_window_alone() -> None:
    allowance = slo("money", budget="allowance: 200 USD", more="sli: {spent: money}")
    backend = Memory({"money": spent(150)})

    (money,) = measure(file("chat", allowance, more=RATES).policy, backend, at=AT)

    ((requests, _),) = backend.asked
    assert [request.span.length for request in requests] == [timedelta(days=30)]
    assert money.remaining == Fraction(1, 4)


def test_a_burn_window_shorter_than_a_slice_is_not_requested_and_not_mistaken_for_calm() -> None:
    sliced = slo("a", more="timeslices: {length: 10m, target: 95%}")
    backend = Memory({"a": counts(4320, 0)})

    (known,) = measure(file("chat", sliced, more=RATES).policy, backend, at=AT)

    ((requests, _),) = backend.asked
    assert timedelta(minutes=5) not in {request.span.length for request in requests}
    shortest = known.burn_rates[timedelta(minutes=5)]
    assert isinstance(shortest, Unmeasured)
    assert shortest.cause is Cause.NO_DATA


def test_an_impact_is_taken_as_spent_before_thresholds_are_applied() -> None:
    """A million events in 30 d, all failing for 20 m, are 463 bad ones: 46% of the budget."""
    month, hour = counts(1_000_000, 100), counts(Fraction(1_000_000, 720), 0)

    def answer(requests: Sequence[CountRequest]) -> list[Answer]:
        return [
            hour if request.span.length == timedelta(hours=1) else month for request in requests
        ]

    (known,) = measure(
        file("chat", slo("a")).policy,
        Answering(answer),
        at=AT,
        impact=Impact(detect=timedelta(minutes=20)),
    )

    assert known.compared is not None
    assert float(known.compared) == pytest.approx(0.9 - 1_000_000 * 20 / 43_200 / 1_000)


def test_the_class_is_the_one_given_or_else_the_policys_default() -> None:
    opening = Opening({"chat": Memory({"a": counts(1e6, 800)})})
    own = file("chat", slo("a"), more="changes: {default: canary}\n")

    default = run_check([own], Options(at=AT), open_with=opening).policies[0]
    given = run_check([own], Options(at=AT, change="model-update"), open_with=opening).policies[0]

    assert (default.recognition.change, default.verdict) == ("canary", Verdict.ALLOW)
    assert (given.recognition.change, given.verdict) == ("model-update", Verdict.BLOCK)
    assert (default.recognition.how, given.recognition.how) == ("default", "request")
    assert given.allowed_now == default.allowed_now == ("bug-fix", "canary", "rollback")


def test_a_class_must_be_known_to_every_policy() -> None:
    files = [
        file("chat", slo("a"), more="changes: {p0-fix: {description: x}}\n"),
        file("rag", slo("a")),
    ]

    with pytest.raises(UsageError) as error:
        run_check(files, Options(at=AT, change="p0-fix"), open_with=Opening({}))

    assert str(error.value).startswith("rag.yaml has no change class 'p0-fix'")


@pytest.mark.parametrize(
    ("name", "hint"), [("shadwo", "; did you mean 'shadow'?"), ("zzz", "; known: shadow")]
)
def test_a_requirement_that_no_policy_has_is_a_usage_error(name: str, hint: str) -> None:
    options = Options(at=AT, satisfied={name: "done"})

    with pytest.raises(UsageError) as error:
        run_check([file("chat", slo("a"))], options, open_with=Opening({}))

    assert str(error.value) == f"no policy requires {name!r}{hint}"


def test_evidence_is_recorded_where_it_was_required_and_only_there() -> None:
    opening = Opening(
        {"calm": Memory({"a": counts(1e6, 0)}), "spent": Memory({"a": counts(1e6, 1500)})}
    )
    options = Options(at=AT, change="security-patch", satisfied={"shadow": "https://ci.example/1"})

    calm, overspent = run_check(
        [file("calm", slo("a")), file("spent", slo("a"))], options, open_with=opening
    ).policies

    assert (calm.judgement.obligations, dict(calm.satisfied)) == ((), {})
    assert overspent.judgement.obligations == ("shadow",)
    assert overspent.satisfied == {"shadow": "https://ci.example/1"}
    assert overspent.verdict is Verdict.ALLOW


def test_the_worst_slo_decides_and_no_mean() -> None:
    """Mean of 100% and -10% left: 45%. The worst is overspent."""
    opening = Opening({"chat": Memory({"a": counts(1e6, 0), "b": counts(1e6, 1100)})})

    (decided,) = run_check(
        [file("chat", slo("a"), slo("b"))], Options(at=AT, change="canary"), open_with=opening
    ).policies

    assert decided.judgement.worst is not None
    assert (decided.judgement.worst.slo.name, decided.judgement.worst.remaining) == (
        "b",
        Fraction(-1, 10),
    )
    assert decided.judgement.tier is not None
    assert decided.judgement.tier.name == "exhausted"
    assert [f.rule for f in decided.judgement.findings if f.verdict is Verdict.BLOCK] == [Rule.TIER]


def test_of_a_change_without_known_data_no_class_is_ruled_out() -> None:
    opening = Opening({"chat": Memory({"a": counts(1e6, 800)})})
    matching = "changes: {model-update: {paths: ['models/**']}}\n"

    policy = run_check([file("chat", slo("a"), more=matching)], Options(at=AT), open_with=opening)

    assert policy.policies[0].recognition.change == "model-update"
    assert policy.policies[0].recognition.how == "unknown"
