"""The definitions of platforms are looked up once, at the start of a run."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from fractions import Fraction

import pytest

from gate.analysis.anomalies.run import AnomalyOptions, chart_indicators
from gate.analysis.forecast import ForecastOptions
from gate.analysis.forecast.run import forecast_budgets
from gate.analysis.incidents import IncidentOptions
from gate.analysis.incidents.run import search_incidents
from gate.analysis.review.run import ReviewOptions, review_objectives
from gate.check.options import Options
from gate.check.promises import promised, with_promises
from gate.check.run import run_check, run_status
from gate.config.load import PolicyFile
from gate.config.proposal import ProposedPolicy
from gate.history.charts.build import Charting
from gate.history.charts.signals import DEFAULT
from gate.measure import (
    Backend,
    Cause,
    Definition,
    Limits,
    Promise,
    Unmeasured,
)
from gate.policy.findings import Verdict
from gate.slo.indicator import Sli
from gate.slo.objective import CompositeSlo, Member, PlatformSlo, RatioSlo, RollingWindow, Slo
from gate.wording import PROPOSAL_DIFFERS
from tests.analysis.memory import AT, Memory, Opening, counts, file, slo
from tests.analysis.remembered import Remembered

MONTH = RollingWindow(timedelta(days=30))
MINUTE = timedelta(minutes=1)
SLI = Sli(slo="Chat", bad="a", total="total")
"""`Memory` answers by ``bad``."""


@dataclass(slots=True)
class Defining(Memory):
    """A backend of a platform that counts how often it is asked for definitions."""

    objective: Fraction = Fraction("0.999")
    looked_up: list[Sequence[Sli]] = field(default_factory=list)

    def definitions(self, slis: Sequence[Sli]) -> list[Definition | Unmeasured]:
        self.looked_up.append(slis)
        promise = Promise(window=MONTH, objective=self.objective)
        return [Definition(id="1", name=str(sli.slo), promises=(promise,)) for sli in slis]


def platform_file(service: str = "chat", name: str = "a") -> PolicyFile:
    """Return a policy with an SLO whose promise is a platform's, and one that it has itself."""
    read = file(service, slo("a"), slo("b"))
    changed: tuple[Slo, ...] = tuple(
        PlatformSlo(name=each.name, sli=SLI) if each.name == name else each
        for each in read.policy.slos
    )
    return replace(read, policy=replace(read.policy, slos=changed))


def defining() -> Defining:
    return Defining(answers={"a": counts(10**6, 100), "b": counts(10**6, 200)})


def test_a_policy_without_such_an_slo_is_left_alone() -> None:
    files, opening = [file("chat", slo("a"))], Opening({})

    assert with_promises(files, AT, MINUTE, opening) == (files, opening)
    assert opening.opened == []


def test_the_backend_that_was_asked_is_the_one_that_measures() -> None:
    first, second, third = defining(), defining(), defining()
    opening = Opening({"chat": first, "search": second, "other": third})
    files = [platform_file(), file("search", slo("b")), platform_file("other")]

    resolved, open_again = with_promises(files, AT, MINUTE, opening)

    assert [name for name, _ in opening.opened] == ["chat", "other"]
    limits = Limits(timeout=MINUTE)
    assert open_again(files[2].settings, limits) is third
    assert open_again(files[0].settings, limits) is first
    assert len(opening.opened) == 2
    assert open_again(files[0].settings, limits) is first, "which was opened once more"
    assert open_again(files[1].settings, limits) is second
    assert [name for name, _ in opening.opened] == ["chat", "other", "chat", "search"]
    assert isinstance(resolved[0].policy.slos[0], RatioSlo)
    assert resolved[1] is files[1]


def test_a_check_looks_up_each_definition_once() -> None:
    backend = defining()

    decision = run_check(
        [platform_file()], Options(at=AT, change="canary"), open_with=Opening({"chat": backend})
    )

    assert decision.verdict is Verdict.ALLOW
    assert len(backend.looked_up) == 1
    assert len(backend.asked) == 1


def test_a_backend_without_slos_of_its_own_promises_nothing() -> None:
    memory = Memory(answers={"b": counts(10**6, 200)})

    status = run_status([platform_file()], Options(at=AT), open_with=Opening({"chat": memory}))

    first, _ = status.policies[0].assessments
    assert [doubt.cause for doubt in first.doubts] == [Cause.INVALID]


def test_what_was_asked_in_vain_is_not_asked_again() -> None:
    lost = Unmeasured(cause=Cause.BACKEND_ERROR, reason="down")
    policy = replace(platform_file().policy, undefined={"a": lost})
    backend = defining()

    assert promised(policy, backend, AT).undefined == {"a": lost}
    assert backend.looked_up in ([], [[]])


def test_an_slo_that_nothing_was_asked_of_is_not_measured() -> None:
    from gate.check.measure import measure  # noqa: PLC0415 - beside what it shows

    first, _ = measure(platform_file().policy, defining(), at=AT)

    assert not first.measured
    assert first.doubts[0].reason == "the platform was not queried for its objective"


def proposed(becomes: PolicyFile, in_force: PolicyFile) -> PolicyFile:
    made = ProposedPolicy(policy=becomes.policy, same_backend=True, sha256="1" * 64)
    return replace(in_force, proposed=made)


def decide(read: PolicyFile, backend: Backend) -> tuple[Verdict | None, str]:
    decision = run_check(
        [read], Options(at=AT, change="canary"), open_with=Opening({"chat": backend})
    )
    judged = decision.policies[0].proposed
    assert judged is not None
    return judged.verdict, judged.reason


def test_a_proposed_policy_takes_what_was_promised_to_the_one_in_force() -> None:
    backend = defining()

    verdict, reason = decide(proposed(platform_file(), platform_file()), backend)

    assert (verdict, reason) == (Verdict.ALLOW, "")
    assert len(backend.asked) == 1


def test_a_proposed_policy_asks_no_platform() -> None:
    backend = defining()

    verdict, reason = decide(proposed(platform_file(), file("chat", slo("a"), slo("b"))), backend)

    assert (verdict, reason) == (Verdict.UNDECIDED, PROPOSAL_DIFFERS)
    assert all(not slis for slis in backend.looked_up)


def test_a_proposed_policy_of_another_kind_needs_no_definition() -> None:
    backend = defining()

    verdict, _ = decide(proposed(file("chat", slo("b")), platform_file()), backend)

    assert verdict is Verdict.ALLOW
    assert len(backend.looked_up) == 1


@pytest.mark.parametrize("at", [AT, AT - timedelta(days=1)])
def test_the_instant_of_the_run_is_that_of_the_windows(at: datetime) -> None:
    settled = promised(platform_file().policy, defining(), at)

    assert settled.slos[0] == RatioSlo(name="a", sli=SLI, window=MONTH, objective=Fraction("0.999"))


@dataclass(slots=True)
class Silent(Remembered):
    """A backend with a history, whose platform does not say what it promises."""

    def definitions(self, slis: Sequence[Sli]) -> list[Definition | Unmeasured]:
        return [LOST] * len(slis)


LOST = Unmeasured(cause=Cause.BACKEND_ERROR, reason="http://toy answered 503")


def silent() -> Opening:
    return Opening({"chat": Silent({"a": [0] * 720, "b": [0] * 720})})


def test_an_slo_that_is_not_defined_is_not_searched_for_incidents() -> None:
    options = IncidentOptions(
        at=AT,
        last=timedelta(days=30),
        step=timedelta(hours=1),
        threshold=Fraction(6),
        timeout=MINUTE,
    )

    report = search_incidents([platform_file()], options, open_with=silent())

    found = {each.slo: each.unmeasured for each in report.services[0].slos}
    assert found == {"a": LOST, "b": None}


def test_an_slo_that_is_not_defined_is_not_forecast() -> None:
    options = ForecastOptions(at=AT, last=timedelta(days=30), timeout=MINUTE)

    report = forecast_budgets([platform_file()], options, open_with=silent())

    first, second = report.services[0].slos
    assert first.unmeasured is not None
    assert first.unmeasured.reason == LOST.reason
    assert second.unmeasured is None


def test_an_slo_that_is_not_defined_is_left_out_of_what_needs_its_objective() -> None:
    reviewed = review_objectives(
        [platform_file()], ReviewOptions(at=AT, periods=1, timeout=MINUTE), open_with=silent()
    )
    charted = chart_indicators(
        [platform_file()],
        AnomalyOptions(
            at=AT,
            last=timedelta(days=30),
            step=timedelta(hours=1),
            charting=Charting(baseline=timedelta(days=7), rules=DEFAULT),
        ),
        MINUTE,
        open_with=silent(),
    )

    why = ("a", "it is not measured: http://toy answered 503")
    assert reviewed.services[0].left_out == (why,)
    assert charted.services[0].left_out == (why,)


def test_a_composite_of_what_is_not_defined_has_no_past_budget() -> None:
    read = platform_file()
    whole = CompositeSlo(name="all", members=(Member(slo="a", weight=Fraction(1)),))
    policy = replace(read.policy, slos=(*read.policy.slos, whole))

    options = IncidentOptions(
        at=AT,
        last=timedelta(days=30),
        step=timedelta(hours=1),
        threshold=Fraction(6),
        timeout=MINUTE,
    )
    report = search_incidents([replace(read, policy=policy)], options, open_with=silent())

    assert report.services[0].slos[-1].unmeasured == LOST
