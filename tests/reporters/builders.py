"""Decisions of every kind, made by hand: what is measured goes through the real maths."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from gate.budget.assess import assess_ratio, assess_spend
from gate.budget.assessment import Assessment
from gate.budget.composite import assess_composite
from gate.budget.impact import Impact
from gate.decision.decision import (
    Context,
    Decision,
    Mode,
    PolicyDecision,
    PolicySource,
    exit_code,
    overall_verdict,
)
from gate.decision.status import PolicyStatus, Status
from gate.measure import Answer, Cause, Counts, Evidence, Spent, Unmeasured
from gate.policy.changes import BUILT_IN_CHANGES, Recognition
from gate.policy.findings import Finding, Rule, Verdict, worst
from gate.policy.judge import Judgement
from gate.policy.override import Override, OverrideRule
from gate.policy.policy import DEFAULT_ACTIONS, DEFAULT_GUARDS, Policy
from gate.policy.requirements import CheckedRequirement, Claim, RequirementResult, RequirementState
from gate.policy.rule_settings import GOOGLE_30D
from gate.policy.tiers import Condition, Tier
from gate.slo.calendar import Period
from gate.slo.indicator import Sli, Slices
from gate.slo.objective import (
    Bound,
    CalendarWindow,
    CompositeSlo,
    Denominator,
    Member,
    RatioSlo,
    RollingWindow,
    SpendSlo,
    Window,
)

AT = datetime(2026, 11, 23, 20, 53, 51, tzinfo=UTC)
MONTH = RollingWindow(timedelta(days=30))
BERLIN = CalendarWindow(Period.MONTH, ZoneInfo("Europe/Berlin"))
REPAIRS = frozenset({"bug-fix", "reliability-fix", "security-patch", "rollback"})
CAREFUL = frozenset({"canary", "config-change"}) | REPAIRS
LAST_RESORT = frozenset({"security-patch", "rollback"})
CLAIMED = CheckedRequirement(
    Claim(name="shadow"),
    RequirementResult(
        state=RequirementState.CLAIMED,
        reason="claimed, not verified: https://ci.acme.example/runs/17",
        facts={"claim": "https://ci.acme.example/runs/17"},
    ),
)
TIERS = (
    Tier(name="healthy", condition=Condition(">", Fraction(1, 2)), allow=None),
    Tier(name="caution", condition=Condition(">", Fraction(1, 10)), allow=CAREFUL),
    Tier(
        name="exhausted",
        condition=None,
        allow=LAST_RESORT,
        require={"security-patch": (Claim(name="shadow"),)},
    ),
)


def evidence(query: str = 'sum(increase(errors{code!~"5.."}[30d]))', **fields: Any) -> Evidence:
    known = Evidence(query=query, newest=AT - timedelta(seconds=21), coverage=Fraction(1))
    return replace(known, **fields)


def counts(bad: float | str, total: float | str, **fields: Any) -> Counts:
    return Counts(bad=Fraction(bad), total=Fraction(total), evidence=evidence(**fields))


def burning(bad: int, total: int) -> dict[timedelta, Answer]:
    """Answer the usual windows, all with the same counts."""
    minutes = (5, 30, 60, 120, 360, 1440, 4320)
    return {timedelta(minutes=length): counts(bad, total) for length in minutes}


def availability(
    answer: Answer, windows: Mapping[timedelta, Answer] | None = None, **fields: Any
) -> Assessment:
    impact = fields.pop("impact", None)
    assert impact is None or isinstance(impact, Impact)
    slo = RatioSlo(
        name="availability",
        window=MONTH,
        sli=Sli(bad="b", total="t"),
        objective=Fraction("0.999"),
        sla=Fraction("0.995"),
    )
    slo = replace(slo, **fields)
    return assess_ratio(slo, answer, windows or {}, at=AT, guards=DEFAULT_GUARDS, impact=impact)


def first_token(bad: int = 9_120, total: int = 400_000) -> Assessment:
    return availability(
        counts(bad, total),
        burning(31, 2_000),
        name="ttft",
        objective=Fraction("0.95"),
        sla=None,
        window=BERLIN,
    )


def by_the_minute(bad: int, **fields: Any) -> Assessment:
    return availability(
        counts(bad, 43_190),
        burning(0, 5),
        name="uptime",
        sla=None,
        slices=Slices(length=timedelta(minutes=1), target=Fraction("0.95")),
        **fields,
    )


def sampled(bound: Bound = Bound.PESSIMISTIC, design_effect: Fraction = Fraction(1)) -> Assessment:
    return availability(
        counts(6, 700),
        {},
        name="faithfulness",
        objective=Fraction("0.98"),
        sla=None,
        sampled=bound,
        design_effect=design_effect,
        advisory=True,
    )


def spend(amount: int = 12_340, window: Window = BERLIN) -> Assessment:
    slo = SpendSlo(
        name="spend", window=window, sli=Sli(spent="s"), allowance=Fraction(50_000), unit="USD"
    )
    answer = Spent(amount=Fraction(amount), evidence=evidence())
    return assess_spend(slo, answer, at=AT, guards=DEFAULT_GUARDS)


def composite(*parts: Assessment) -> Assessment:
    members = tuple(Member(slo=part.slo.name, weight=Fraction(1, 2)) for part in parts)
    slo = CompositeSlo(name="experience", members=members)
    return assess_composite(slo, {part.slo.name: part for part in parts})


def unmeasured(cause: Cause = Cause.BACKEND_ERROR, reason: str | None = None) -> Assessment:
    why = reason or "http://prometheus:9090 answered 503: query timed out after 2m0s"
    answer = Unmeasured(cause=cause, reason=why, query="sum(rate(x[$window]))")
    return availability(answer, name="answers", sla=None)


def healthy() -> Assessment:
    return availability(counts(288, "1200000.4"), burning(1, 2_000))


def overspent(**fields: Any) -> Assessment:
    return availability(counts(1_800, 1_200_000), burning(29, 2_000), **fields)


def policy_of(known: tuple[Assessment, ...], **fields: Any) -> Policy:
    policy = Policy(
        service="chat",
        owners=("@acme/llm-platform", "Ada <ada@acme.example>"),
        slos=tuple(one.slo for one in known),
        tiers=TIERS,
        burn_rates=GOOGLE_30D,
        freezes=(),
        on=DEFAULT_ACTIONS,
        exempt=frozenset(),
        guards=DEFAULT_GUARDS,
        change_classes=frozenset(BUILT_IN_CHANGES),
        default_change="full-rollout",
        matchers={},
        overrides=OverrideRule(),
        valid_for=timedelta(minutes=15),
        dashboard="https://grafana.acme.example/d/chat?orgId=1&from=now-30d",
    )
    return replace(policy, **fields)


def source(**fields: Any) -> PolicySource:
    known = PolicySource(
        path="policies/chat.yaml", sha256="5f" * 32, revision="1a2b3c4d" * 5, modified=False
    )
    return replace(known, **fields)


def finding(rule: Rule, verdict: Verdict, reason: str, slo: str | None = None) -> Finding:
    return Finding(rule=rule, slo=slo, verdict=verdict, reason=reason)


def talking(text: str) -> dict[str, Any]:
    """Return the fields of a decision that carry a text which anybody may choose."""
    override = Override(reason=text, approved_by=text, until=AT, label=text)
    told: dict[str, Any] = {
        "branch": text,
        "title": text,
        "author": text,
        "actor": text,
        "environment": text,
    }
    context = Context(system="github", labels=(text,), **told)
    return {"override": override, "not_overridden": text or "a", "context": context}


def decided(
    *known: Assessment, findings: tuple[Finding, ...], tier: str | None, **fields: Any
) -> PolicyDecision:
    """Build one policy's decision; the worst budget is the last of those given."""
    policy = fields.pop("policy", None) or policy_of(known)
    assert isinstance(policy, Policy)
    band = next((one for one in TIERS if one.name == tier), None)
    every = frozenset(BUILT_IN_CHANGES)
    allowed = tuple(sorted((band.allow or every) if band else ()))
    judgement = Judgement(
        findings=findings,
        verdict=worst(finding.verdict for finding in findings),
        tier=band,
        worst=known[-1] if band else None,
        requirements=fields.pop("requirements", ()),
        allowed_again_at=fields.pop("allowed_again_at", None),
    )
    made = PolicyDecision(
        policy=policy,
        source=source(),
        recognition=Recognition(change="full-rollout", how="default"),
        assessments=known,
        judgement=judgement,
        allowed_now=allowed,
    )
    return replace(made, **fields)


def judged(made: PolicyDecision, **fields: Any) -> PolicyDecision:
    """Return the decision of one policy with another judgement."""
    return replace(made, judgement=replace(made.judgement, **fields))


def decision(
    *policies: PolicyDecision, observe: bool = False, fail_on_warn: bool = False, **fields: Any
) -> Decision:
    mode = fields.pop("mode", Mode.OBSERVE if observe else Mode.ENFORCED)
    verdict = overall_verdict((one.verdict for one in policies), mode)
    override = fields.get("override")
    code = exit_code(verdict, observe=observe, fail_on_warn=fail_on_warn, override=override)
    made = Decision(
        policies=policies,
        verdict=verdict,
        exit_code=code,
        mode=mode,
        observe=observe,
        fail_on_warn=fail_on_warn,
        evaluated_at=AT,
        expires_at=AT + timedelta(minutes=15),
        tool_version="0.1.0",
    )
    return replace(made, **fields)


def allow_policy(**fields: Any) -> PolicyDecision:
    reason = "65.2% of its budget is left; tier healthy (> 50%) allows full-rollout"
    return decided(
        spend(),
        sampled(Bound.POINT),
        healthy(),
        first_token(),
        findings=(finding(Rule.TIER, Verdict.ALLOW, reason, "ttft"),),
        tier="healthy",
        **fields,
    )


def block_policy(**fields: Any) -> PolicyDecision:
    tier = (
        "its budget is overspent by 50.0%; tier exhausted (10% or less) does not allow full-rollout"
    )
    burn = "burns at 14.5 over 1h and 14.5 over 5m; the burn-rate rule is 14.4"
    again = "burns at 1.2 over 3d and 1.3 over 6h; the burn-rate rule is 1; rollback may ship"
    values = {"allowed_again_at": datetime(2026, 11, 30, 23, tzinfo=UTC), **fields}
    return decided(
        first_token(),
        by_the_minute(12),
        overspent(),
        findings=(
            finding(Rule.TIER, Verdict.BLOCK, tier, "availability"),
            finding(Rule.BURN_RATE, Verdict.BLOCK, burn, "availability"),
            finding(Rule.BURN_RATE, Verdict.ALLOW, again, "ttft"),
        ),
        tier="exhausted",
        **values,
    )


def undecided_policy(**fields: Any) -> PolicyDecision:
    lost = unmeasured()
    left = "76.0% of its budget is left; tier healthy (> 50%) allows full-rollout"
    return decided(
        lost,
        healthy(),
        findings=(
            replace(
                finding(
                    Rule.MEASUREMENT,
                    Verdict.UNDECIDED,
                    lost.doubts[0].reason,
                    "answers",
                ),
                cause=Cause.BACKEND_ERROR,
            ),
            finding(Rule.TIER, Verdict.ALLOW, left, "availability"),
        ),
        tier="healthy",
        **{"allowed_now": ("rollback", "security-patch"), **fields},
    )


def warn_policy(**fields: Any) -> PolicyDecision:
    thin = availability(
        counts(3, 400, coverage=Fraction(67, 100), notes=("counter resets: 2",)), burning(0, 0 + 1)
    )
    return decided(
        thin,
        findings=tuple(
            finding(
                Rule.MEASUREMENT,
                Verdict.WARN,
                f"in doubt: {doubt.reason}; the policy allows that (on.{doubt.cause})",
                "availability",
            )
            for doubt in thin.doubts
        ),
        tier="exhausted",
        recognition=Recognition(change="security-patch", how="--change"),
        requirements=(CLAIMED,),
        satisfied={"shadow": "https://ci.acme.example/runs/17"},
        **fields,
    )


def status(*policies: PolicyDecision) -> Status:
    return Status(
        policies=tuple(
            PolicyStatus(policy=one.policy, source=one.source, assessments=one.assessments)
            for one in policies
        ),
        evaluated_at=AT,
        tool_version="0.1.0",
    )


def postmortem_policy(**fields: Any) -> PolicyDecision:
    """Build what an incident without a record stops, although the budget is healthy."""
    missing = (
        "the incident of 2026-11-20 12:00 to 12:05 UTC (5m) took 34.8% of the budget: no record"
    )
    found = finding(Rule.POSTMORTEM, Verdict.BLOCK, missing, "availability")
    until = AT + timedelta(days=29)
    return decided(
        healthy(),
        findings=(replace(found, until=until, if_calm=True),),
        tier="healthy",
        **{"allowed_again_at": until, **fields},
    )


EVERY_KIND = {
    "allowed": decision(allow_policy()),
    "blocked": decision(block_policy()),
    "undecided": decision(undecided_policy()),
    "postmortem": decision(postmortem_policy()),
    "warned": decision(warn_policy()),
    "warned-fails": decision(warn_policy(), fail_on_warn=True),
    "observed": decision(block_policy(), observe=True),
    "several": decision(
        block_policy(), undecided_policy(policy=policy_of((), service="rag")), allow_policy()
    ),
    "impact": decision(
        decided(
            overspent(impact=Impact(canary=Fraction(1, 10)), slices=None),
            composite(healthy(), first_token()),
            composite(healthy(), unmeasured()),
            availability(
                counts(1, 10),
                {},
                window=BERLIN,
                denominator=Denominator.TO_DATE,
            ),
            findings=(finding(Rule.TIER, Verdict.BLOCK, "too little left"),),
            tier=None,
        )
    ),
}
