"""One policy's decision, from its budgets and what is known of the change."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Final

from gate.budget.assessment import Assessment
from gate.check.options import Options
from gate.check.recover import Recover
from gate.config.load import PolicyFile
from gate.decision.decision import PolicyDecision
from gate.policy.findings import Verdict
from gate.policy.judge import allowed_now, judge
from gate.policy.past import Past
from gate.policy.policy import Freeze, Policy
from gate.policy.recognition import ChangeFacts, Recognition, recognise

_IN_A_FREEZE: Final = frozenset({"rollback", "security-patch"})
"""What a CI system's own freeze, which knows no classes, lets through."""


def decide(
    file: PolicyFile,
    assessments: tuple[Assessment, ...],
    options: Options,
    facts: Callable[[], ChangeFacts],
    recover: Recover,
    *,
    past: Past,
) -> PolicyDecision:
    """Return what a policy says of the change.

    ``facts`` is called only if the policy needs it, and ``recover`` only if the change is
    stopped and it is not known until when.
    """
    policy = _closed(file.policy, options)
    recognition = _recognition(policy, options, facts)
    change, satisfied = recognition.change, options.satisfied
    judging = partial(judge, policy, change=change, at=options.at, satisfied=satisfied, past=past)
    judgement = judging(assessments)
    if judgement.verdict is Verdict.BLOCK and judgement.allowed_again_at is None:
        assessments = recover(policy, assessments, change)
        judgement = judging(assessments)
    return PolicyDecision(
        policy=policy,
        source=file.source,
        recognition=recognition,
        assessments=assessments,
        findings=judgement.findings,
        verdict=judgement.verdict,
        tier=judgement.tier,
        worst=judgement.worst,
        allowed_now=allowed_now(policy, assessments, at=options.at, satisfied=satisfied, past=past),
        allowed_again_at=judgement.allowed_again_at,
        obligations=judgement.obligations,
        satisfied={
            name: evidence for name, evidence in satisfied.items() if name in judgement.obligations
        },
    )


def _recognition(policy: Policy, options: Options, facts: Callable[[], ChangeFacts]) -> Recognition:
    if options.change is not None:
        return Recognition(change=options.change, how="--change")
    if not policy.matchers:
        return Recognition(change=policy.default_change, how="default")
    return recognise(
        policy.matchers,
        facts(),
        tiers=policy.tiers,
        default=policy.default_change,
        approve=options.approve,
    )


def _closed(policy: Policy, options: Options) -> Policy:
    """Add the freeze that the CI system has declared, whose end it does not tell."""
    if not options.context.frozen:
        return policy
    freeze = Freeze(
        start=options.at,
        end=None,
        reason=f"{options.context.system} has a deploy freeze",
        allow=_IN_A_FREEZE,
    )
    return replace(policy, freezes=(*policy.freezes, freeze))
