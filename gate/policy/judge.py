"""Judging: from the budgets to the findings, and from the findings to the verdict."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from gate.budget.assessment import Assessment, Doubt
from gate.dataclass import dataclass
from gate.policy.case import Case
from gate.policy.findings import Finding, Rule, Verdict, worst
from gate.policy.requirements import CheckedRequirement
from gate.policy.rounding import settle, worst_tier
from gate.policy.rule_settings import Effect
from gate.policy.rules import (
    burn_rates,
    exhaustion,
    freezes,
    requirements,
    samples,
    tiers,
)
from gate.policy.rules.freezes import after_freezes
from gate.policy.suspicions import suspicion_findings
from gate.policy.tiers import Tier


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """The judgement of a policy on a change at these budgets."""

    findings: tuple[Finding, ...]
    """The worst first."""
    verdict: Verdict
    tier: Tier | None
    """The tier of the worst measured budget; None if none was measured, if too little of its window
    was, or if the budget is rounded and may be in several tiers."""
    worst: Assessment | None
    """The SLO with that budget."""
    requirements: tuple[CheckedRequirement, ...]
    """The requirements of the tier for this class, each with its state."""
    allowed_again_at: datetime | None
    """The time when everything that stops the change will be over (a reset, the end of a freeze,
    recovery); None: nothing stops it, or the time is uncertain."""

    allowed_again_at_pace: datetime | None = None
    """The same if as much fails as in the last 7 days; None: never at that pace, or unknown."""
    paced: bool = False
    """Whether the future at that pace is known."""

    @property
    def obligations(self) -> tuple[str, ...]:
        """The names of the tier's requirements for this class."""
        return tuple(checked.requirement.name for checked in self.requirements)

    @property
    def needs_samples(self) -> int | None:
        """How many samples a window needs before the change can be allowed; None: it has enough."""
        needed = [
            finding.needs_samples
            for finding in self.findings
            if finding.needs_samples is not None and finding.verdict is self.verdict
        ]
        return max(needed, default=None)

    @property
    def allowed_again_if_calm(self) -> bool:
        """Whether `allowed_again_at` holds only if nothing more fails until then."""
        calm = any(finding.if_calm for finding in self.findings)
        return self.allowed_again_at is not None and calm


def _postmortems(case: Case) -> list[Finding]:
    """Apply the rule ``postmortems``; its module loads the statistics of the past."""
    if case.policy.postmortems is None:
        return []
    from gate.policy.rules.postmortems import findings  # noqa: PLC0415 - for this rule only

    rule = case.policy.postmortems
    return [*findings(case, rule), *_stated(case, Rule.POSTMORTEM, rule.allow)]


def _control_charts(case: Case) -> list[Finding]:
    """Apply the rule ``control_charts``; its module loads the charts."""
    if case.policy.control_charts is None:
        return []
    from gate.policy.rules.control_charts import findings  # noqa: PLC0415 - for this rule only

    rule = case.policy.control_charts
    stated = _stated(case, Rule.CONTROL_CHART, rule.allow, rule.effect)
    return [*findings(case, rule), *stated]


def _stated(
    case: Case, rule: Rule, allow: frozenset[str], effect: Effect = Effect.BLOCK
) -> Iterator[Finding]:
    """Yield the findings that a recorded case states."""
    assessments = {each.slo.name: each for each in case.assessments}
    for stated in case.past.stated:
        if stated.rule is not rule:
            continue
        assessment = assessments[stated.slo]
        if stated.unknown is not None:
            doubt = Doubt(cause=stated.unknown, reason="it cannot tell, as was recorded")
            about = f"the rule {rule}: "
            yield case.doubted(assessment, doubt, about=about, rule=rule, allow=allow)
            continue
        reason = f"the rule {rule} fires, as was recorded"
        advisory = assessment.slo.advisory
        yield case.fired(
            rule, reason, slo=stated.slo, allow=allow, effect=effect, advisory=advisory
        )


def _doubts(case: Case) -> Iterator[Finding]:
    """Yield a finding for every doubt about a budget, with the verdict of the policy's ``on``."""
    for assessment in case.assessments:
        for doubt in assessment.doubts:
            yield case.doubted(assessment, doubt)


RULES: Final[Mapping[Rule, Callable[[Case], Iterable[Finding]]]] = {
    Rule.MEASUREMENT: _doubts,
    Rule.TIER: tiers.findings,
    Rule.SAMPLES: samples.findings,
    Rule.REQUIREMENT: requirements.findings,
    Rule.BURN_RATE: burn_rates.findings,
    Rule.EXHAUSTION: exhaustion.findings,
    Rule.FREEZE: freezes.findings,
    Rule.POSTMORTEM: _postmortems,
    Rule.CONTROL_CHART: _control_charts,
}
"""The findings of each kind of rule, in the order in which findings of equal weight are
reported."""


def judge(case: Case) -> Judgement:
    """Judge a change of one class by every rule of the policy."""
    judged, about = case, list[Finding]()
    if any(assessment.worst_case is not None for assessment in case.assessments):
        judged, about = settle(case, _verdict_of)
        about += suspicion_findings(case, _verdict_of)
    findings = [*_findings(judged), *about]
    findings.sort(key=lambda finding: -finding.verdict.severity)
    again = _allowed_again_at(case, findings)
    paced = again is not None and any(finding.paced for finding in _stopping(findings))
    return Judgement(
        findings=tuple(findings),
        verdict=_verdict(findings),
        tier=worst_tier(case),
        worst=case.worst,
        requirements=tuple(requirements.checked(case)),
        allowed_again_at=again,
        allowed_again_at_pace=_allowed_again_at(case, findings, at_pace=True) if paced else None,
        paced=paced,
    )


def _verdict_of(case: Case) -> Verdict:
    return _verdict(_findings(case))


def _findings(case: Case) -> list[Finding]:
    return [finding for apply in RULES.values() for finding in apply(case)]


def _verdict(findings: Iterable[Finding]) -> Verdict:
    return worst(finding.verdict for finding in findings)


def allowed_now(case: Case) -> tuple[str, ...]:
    """Return all change classes that would ship now, sorted, whatever the class of the case."""
    # The times when they would ship otherwise are not needed, and would cost a pass over each
    # window.
    now = [replace(assessment, recovery=None) for assessment in case.assessments]
    case = replace(case, assessments=now)
    return tuple(
        change
        for change in sorted(case.policy.change_classes)
        if _ships(replace(case, change=change))
    )


def _ships(case: Case) -> bool:
    """Return whether the verdict on a change lets it ship, without the other results."""
    judged, about = case, list[Finding]()
    if any(assessment.worst_case is not None for assessment in case.assessments):
        judged, about = settle(case, _verdict_of, briefly=True)
        about += suspicion_findings(case, _verdict_of)
    return _verdict([*_findings(judged), *about]) in {Verdict.ALLOW, Verdict.WARN}


def _stopping(findings: Sequence[Finding]) -> list[Finding]:
    return [
        finding for finding in findings if finding.verdict in {Verdict.UNDECIDED, Verdict.BLOCK}
    ]


def _allowed_again_at(
    case: Case, findings: Sequence[Finding], *, at_pace: bool = False
) -> datetime | None:
    ends = [
        finding.until_at_pace if at_pace and finding.paced else finding.until
        for finding in _stopping(findings)
    ]
    certain = [end for end in ends if end is not None]
    if not ends or len(certain) < len(ends):
        return None
    # At that time, another freeze may have begun.
    return after_freezes(case.policy.freezes, case.change, max(certain))
