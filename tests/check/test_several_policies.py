"""One run over several policies: one instant, the worst decides, and no fault becomes a pass."""

import itertools
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest

from gate.check.options import Options
from gate.check.run import run_check, run_status
from gate.errors import ExitCode, UsageError
from gate.measure import Answer, Backend, Cause, CountRequest
from gate.policy.findings import Verdict
from tests.analysis.memory import (
    AT,
    Answering,
    Memory,
    Opening,
    Raising,
    counts,
    file,
    slo,
    spent,
    unmeasured,
)

HEALTHY, CAUTIOUS, SPENT = counts(1e6, 100), counts(1e6, 800), counts(1e6, 1500)
UNKNOWN = unmeasured(Cause.NO_DATA)
BY_VERDICT: dict[Verdict, Answer] = {
    Verdict.ALLOW: HEALTHY,
    Verdict.WARN: CAUTIOUS,
    Verdict.UNDECIDED: UNKNOWN,
    Verdict.BLOCK: SPENT,
}
FAULTS = [ZeroDivisionError("planted"), OSError("planted"), KeyError("a"), SystemExit(0)]


def services(*answers: Answer) -> dict[str, Backend]:
    return {f"s{place}": Memory({"a": answer}) for place, answer in enumerate(answers)}


def test_every_policy_is_measured_at_the_one_instant_of_the_run() -> None:
    backends = {name: Memory({"a": HEALTHY, "b": HEALTHY}) for name in ("chat", "rag", "agent")}
    files = [file(name, slo("a"), slo("b")) for name in backends]

    decision = run_check(files, Options(at=AT), open_with=Opening(backends))

    for backend in backends.values():
        ((requests, at),) = backend.asked  # one call a policy, whatever it has to count
        assert at == AT
        assert {request.span.end for request in requests} == {AT}
    assert decision.evaluated_at == AT


@pytest.mark.parametrize("verdicts", list(itertools.permutations(Verdict, 2)), ids="-".join)
def test_the_worst_verdict_of_two_policies_decides_in_either_order(
    verdicts: tuple[Verdict, Verdict],
) -> None:
    severity = ["allow", "warn", "undecided", "block"]
    backends = services(*[BY_VERDICT[verdict] for verdict in verdicts])
    files = [file(name, slo("a")) for name in backends]

    decision = run_check(files, Options(at=AT, change="bug-fix"), open_with=Opening(backends))

    assert tuple(policy.verdict for policy in decision.policies) == verdicts
    assert decision.verdict == max(verdicts, key=severity.index)


def test_each_policy_keeps_its_own_answers_and_its_place() -> None:
    backends = services(HEALTHY, SPENT, CAUTIOUS)
    files = [file(name, slo("a")) for name in backends]

    decision = run_check(files, Options(at=AT), open_with=Opening(backends))

    assert [policy.policy.service for policy in decision.policies] == ["s0", "s1", "s2"]
    assert [float(p.assessments[0].remaining or 0) for p in decision.policies] == [0.9, -0.5, 0.2]


def test_two_policies_with_the_same_backend_ask_it_apart() -> None:
    backend = Memory({"a": HEALTHY, "b": SPENT})
    files = [file("same", slo("a")), file("same", slo("b"))]

    decision = run_check(files, Options(at=AT), open_with=Opening({"same": backend}))

    assert sorted({r.sli.bad for r in requests} for requests, _ in backend.asked) == [{"a"}, {"b"}]
    assert [policy.verdict for policy in decision.policies] == [Verdict.ALLOW, Verdict.BLOCK]


def test_slow_backends_are_waited_for_together() -> None:
    both = Barrier(2, timeout=10)

    def answer(requests: Sequence[CountRequest]) -> list[Answer]:
        both.wait()  # breaks, if the second is asked only after the first has answered
        return [HEALTHY for _ in requests]

    backends = {name: Answering(answer) for name in ("chat", "rag")}
    files = [file(name, slo("a")) for name in backends]

    assert run_check(files, Options(at=AT), open_with=Opening(backends)).verdict is Verdict.ALLOW


@pytest.mark.parametrize("error", FAULTS, ids=repr)
@pytest.mark.parametrize("names", [["bad"], ["bad", "good"], ["good", "bad"]], ids="-".join)
@pytest.mark.parametrize("more", ["", "on: {backend_error: allow, no_data: allow}\n"])
def test_a_fault_of_a_backend_is_never_a_verdict(
    names: list[str], error: BaseException, more: str
) -> None:
    backends: dict[str, Backend] = {"bad": Raising(error), "good": Memory({"a": HEALTHY})}
    files = [file(name, slo("a"), more=more) for name in names]

    with pytest.raises(type(error)) as raised:
        run_check(files, Options(at=AT, observe=True), open_with=Opening(backends))

    assert raised.value is error


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        (lambda _: [], "gave 0 answers to 2 requests"),
        (lambda requests: [HEALTHY] * (len(requests) + 1), "gave 3 answers to 2 requests"),
        (lambda requests: [spent(1) for _ in requests], "counts were requested, but Spent came"),
        (lambda requests: [None for _ in requests], "counts were requested, but NoneType came"),
    ],
)
def test_answers_that_do_not_fit_the_questions_are_a_fault(answer: object, fault: str) -> None:
    backends = {"chat": Answering(answer)}  # type: ignore[arg-type]

    with pytest.raises((RuntimeError, TypeError), match=fault):
        run_check([file("chat", slo("a"))], Options(at=AT), open_with=Opening(backends))


def test_counts_for_an_allowance_are_a_fault() -> None:
    allowance = slo("money", budget="allowance: 100 USD", more="sli: {spent: money}")
    backends = {"chat": Memory({"money": HEALTHY})}

    with pytest.raises(TypeError, match="an amount was requested, but Counts came"):
        run_check([file("chat", allowance)], Options(at=AT), open_with=Opening(backends))


def test_every_backend_is_opened_with_the_runs_timeout_before_any_is_asked() -> None:
    opening = Opening({**services(HEALTHY), "broken": Raising(AssertionError("asked"))})
    files = [file("s0", slo("a")), file("broken", slo("a"))]

    with pytest.raises(AssertionError, match="asked"):
        run_check(files, Options(at=AT, timeout=timedelta(seconds=7)), open_with=opening)

    assert [(name, limits.timeout.seconds) for name, limits in opening.opened] == [
        ("s0", 7),
        ("broken", 7),
    ]


def test_a_backend_whose_package_is_missing_stops_the_run() -> None:
    def cannot(*_: object) -> Backend:
        raise UsageError("the logs backend needs DuckDB")

    with pytest.raises(UsageError, match="needs DuckDB"):
        run_check([file("chat", slo("a"))], Options(at=AT), open_with=cannot)


def test_a_decision_expires_with_the_policy_that_is_valid_for_the_shortest_time() -> None:
    backends = services(HEALTHY, HEALTHY, HEALTHY)
    files = [
        file("s0", slo("a"), more="valid_for: 1h\n"),
        file("s1", slo("a"), more="valid_for: 5m\n"),
        file("s2", slo("a")),
    ]

    decision = run_check(files, Options(at=AT), open_with=Opening(backends))

    assert decision.expires_at == datetime(2026, 11, 1, 0, 5, tzinfo=UTC)


def test_the_status_has_every_budget_and_no_verdict() -> None:
    backends = services(HEALTHY, UNKNOWN)
    files = [file(name, slo("a")) for name in backends]

    budgets = run_status(files, Options(at=AT), open_with=Opening(backends))

    assert [p.assessments[0].measured for p in budgets.policies] == [True, False]
    assert budgets.evaluated_at == AT
    assert not hasattr(budgets, "verdict")


@pytest.mark.parametrize(
    ("answer", "observe", "fail_on_warn", "code"),
    [
        (HEALTHY, False, False, ExitCode.ALLOW),
        (CAUTIOUS, False, False, ExitCode.ALLOW),
        (CAUTIOUS, False, True, ExitCode.WARN),
        (CAUTIOUS, True, True, ExitCode.ALLOW),
        (UNKNOWN, False, True, ExitCode.UNDECIDED),
        (UNKNOWN, True, False, ExitCode.ALLOW),
        (SPENT, False, True, ExitCode.BLOCK),
        (SPENT, True, True, ExitCode.ALLOW),
    ],
)
def test_observing_changes_the_exit_code_and_never_the_verdict(
    answer: Answer, observe: bool, fail_on_warn: bool, code: ExitCode
) -> None:
    opening = Opening(services(answer))
    options = Options(at=AT, change="bug-fix", observe=observe, fail_on_warn=fail_on_warn)

    decision = run_check([file("s0", slo("a"))], options, open_with=opening)

    assert (decision.exit_code, decision.observe, decision.fail_on_warn) == (
        code,
        observe,
        fail_on_warn,
    )
    assert BY_VERDICT[decision.verdict] is answer
