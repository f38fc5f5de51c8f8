"""The decision of one policy, from its budgets and the facts about the change."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from gate.backends import keeps_history
from gate.backends.waits import run_both
from gate.budget.assessment import Assessment
from gate.budget.composite import composed
from gate.budget.forecast import Recovery, renewal
from gate.check.options import AskFacts, Options, StatedEvidence
from gate.config.load import PolicyFile
from gate.decision.decision import PolicyDecision
from gate.measure import Backend
from gate.measure.capabilities import HistoryBackend
from gate.measure.history import SHORTEST, Series, SeriesRequest, step_of
from gate.policy.case import Case, Past
from gate.policy.changes import Recognition
from gate.policy.findings import Verdict
from gate.policy.judge import Judgement, allowed_now, judge
from gate.policy.policy import Policy
from gate.policy.requirements import Claim
from gate.policy.rule_settings import Freeze
from gate.slo.objective import CalendarWindow, CompositeSlo, RatioSlo, RollingWindow, SpendSlo

BudgetsAndPast = tuple[tuple[Assessment, ...], Past]
"""The budgets of a policy, and the past that its rules need."""
Measure = Callable[[Policy, Backend, Options], BudgetsAndPast]
"""A function that measures both at the instant of the options."""
OpenHistory = Callable[[], HistoryBackend | None]
"""A function that opens the history for recoveries; None: the backend has no history."""
_IN_A_FREEZE: Final = frozenset({"rollback", "security-patch"})
"""The classes that a CI system's own freeze allows; the freeze itself has no classes."""


def decide(
    file: PolicyFile,
    measured: BudgetsAndPast,
    options: Options,
    facts: AskFacts,
    open_history: OpenHistory,
) -> PolicyDecision:
    """Return the decision of a policy on the change.

    ``facts`` is called only if the policy needs it, and ``open_history`` only if the change is
    stopped and the end of that is unknown.
    """
    case, recognition, judgement = judge_change(file, measured, options, facts)
    assessments: tuple[Assessment, ...] = tuple(case.assessments)
    if judgement.verdict is Verdict.BLOCK and judgement.allowed_again_at is None:
        assessments = recover(case, open_history())
        judgement = judge(replace(case, assessments=assessments))
    return PolicyDecision(
        policy=case.policy,
        source=file.source,
        recognition=recognition.led_by(case.change),
        assessments=assessments,
        judgement=judgement,
        # The budgets have no recoveries yet: these change no verdict and take time.
        allowed_now=allowed_now(case),
        satisfied=_counting_statements(judgement, options),
        keeps_history=keeps_history(file.settings),
    )


def _counting_statements(judgement: Judgement, options: Options) -> Mapping[str, str]:
    """Return the statements about the requirements of the change, by name."""
    stated = {
        checked.requirement.name
        for checked in judgement.requirements
        if isinstance(checked.requirement, Claim) or isinstance(options.evidence, StatedEvidence)
    }
    return {name: link for name, link in options.satisfied.items() if name in stated}


def judge_change(
    file: PolicyFile, measured: BudgetsAndPast, options: Options, facts: AskFacts
) -> tuple[Case, Recognition, Judgement]:
    """Return the decision of a policy on the change, before recoveries are requested.

    Recoveries do not change the verdict. The case is that of the part of the change to which the
    policy objects most; the recognition has all parts.
    """
    assessments, past = measured
    policy = _with_declared_freeze(file.policy, options)
    recognition = _recognition(policy, options, facts)
    case = Case(
        policy=policy,
        assessments=assessments,
        change=recognition.change,
        at=options.at,
        satisfied=options.satisfied,
        past=past,
    )
    strictest, judgement = _strictest(case, recognition)
    return strictest, recognition, judgement


def _strictest(case: Case, recognition: Recognition) -> tuple[Case, Judgement]:
    """Judge the class of every part of the change, and return the one with the worst verdict.

    A rule beside the tiers, such as a freeze or a requirement, may stop a class that more tiers
    allow.
    """
    cases = [replace(case, change=part.change) for part in (recognition, *recognition.others)]
    judged = [(each, judge(each)) for each in cases]
    return max(judged, key=lambda pair: pair[1].verdict.severity)


def _recognition(policy: Policy, options: Options, facts: AskFacts) -> Recognition:
    if options.change is not None:
        return Recognition(change=options.change, how=options.change_from)
    if not policy.matchers and policy.live is None:
        return Recognition(change=policy.default_change, how="default")
    from gate.policy.recognition import recognise  # noqa: PLC0415 - where nobody says what it is

    return recognise(
        policy.matchers,
        facts(policy.live),
        tiers=policy.tiers,
        default=policy.default_change,
        approve=options.approve,
    )


def _with_declared_freeze(policy: Policy, options: Options) -> Policy:
    """Add the freeze that the CI system has declared; its end is unknown."""
    if not options.context.frozen:
        return policy
    freeze = Freeze(
        start=options.at,
        end=None,
        reason=f"{options.context.system} has a deploy freeze",
        allow=_IN_A_FREEZE,
    )
    return replace(policy, freezes=(*policy.freezes, freeze))


def recover(case: Case, history: HistoryBackend | None) -> tuple[Assessment, ...]:
    """Return the budgets; those that forbid the change have their recovery, if it is known.

    This takes one round of range queries, or one scan, for all. The recovery of a composite is that
    of its members.
    """
    assessments, stopping = tuple(case.assessments), case.objecting
    if history is None:
        return assessments
    from gate.history.events import past_request, window_recovery  # noqa: PLC0415 - for a block only

    rolling, requests = list[tuple[RatioSlo | SpendSlo, Assessment]](), list[SeriesRequest]()
    for assessment in _counted(stopping, assessments):
        slo = assessment.slo
        if isinstance(slo, RatioSlo | SpendSlo) and isinstance(slo.window, RollingWindow):
            step, span = _step(slo, slo.window.duration), slo.window.counted(case.at)
            max_age = case.policy.guards_of(slo).max_age
            requests.append(past_request(slo, span, step, max_age=max_age))
            rolling.append((slo, assessment))
    recoveries: dict[str, Recovery | None] = {}
    answers = history.history(requests)
    for (slo, assessment), request, series in zip(rolling, requests, answers, strict=True):
        if isinstance(series, Series):
            recoveries[slo.name] = window_recovery(slo, assessment, series, request)
    for assessment in stopping:
        composite = assessment.slo
        if isinstance(composite, CompositeSlo):
            recoveries[composite.name] = _composite(composite, assessments, recoveries, case.at)
    return tuple(
        replace(assessment, recovery=recoveries.get(assessment.slo.name))
        for assessment in assessments
    )


def _counted(
    stopping: Sequence[Assessment], assessments: Sequence[Assessment]
) -> Iterator[Assessment]:
    """Yield the budgets that stop a change, by themselves or as a part of a composite."""
    names = {
        name
        for assessment in stopping
        for name in (
            [member.slo for member in assessment.slo.members]
            if isinstance(assessment.slo, CompositeSlo)
            else [assessment.slo.name]
        )
    }
    yield from (assessment for assessment in assessments if assessment.slo.name in names)


def _composite(
    slo: CompositeSlo,
    assessments: Sequence[Assessment],
    recoveries: Mapping[str, Recovery | None],
    at: datetime,
) -> Recovery | None:
    """Return the recovery of a composite; None if it is unknown for a member that took some."""
    by_name = {assessment.slo.name: assessment for assessment in assessments}
    parts = []
    for member in slo.members:
        part = by_name[member.slo]
        if not part.consumed:
            continue
        back = recoveries.get(member.slo)
        if not isinstance(part.slo, CompositeSlo) and isinstance(part.slo.window, CalendarWindow):
            back = renewal(part.slo.window.whole(at).end, SHORTEST)
        if back is None:
            return None
        parts.append((member.weight * part.consumed, back))
    return composed(parts) if parts else None


def _step(slo: RatioSlo | SpendSlo, window: timedelta) -> timedelta:
    """Return the step of `step_of`; for timeslices, their own length, but at least five minutes."""
    slices = slo.slices if isinstance(slo, RatioSlo) else None
    return step_of(window) if slices is None else max(slices.length, SHORTEST)


def with_evidence(
    policy: Policy, backend: Backend, options: Options, measure_: Measure
) -> BudgetsAndPast:
    """Measure with a function that returns the budgets and the past; check the requirements."""
    if isinstance(options.evidence, StatedEvidence):
        assessments, past = measure_(policy, backend, options)
        return assessments, replace(past, evidence=options.evidence(policy, options.at))
    if all(isinstance(requirement, Claim) for requirement in policy.requirements):
        return measure_(policy, backend, options)

    def with_shadows() -> BudgetsAndPast:
        # A backend answers one question at a time.
        assessments, past = measure_(policy, backend, options)
        return assessments, replace(past, evidence=options.shadows(policy, backend, options.at))

    evidence, (assessments, past) = run_both(
        partial(options.evidence, policy, options.at), with_shadows
    )
    return assessments, replace(past, evidence={**past.evidence, **evidence})
