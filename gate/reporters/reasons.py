"""Findings as sentences: those that say the same of several SLOs are said once."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from gate import wording
from gate.decision.decision import PolicyDecision
from gate.measure import Cause
from gate.policy.findings import Finding, Rule, Verdict
from gate.policy.rules.tiers import tier_verdict
from gate.policy.tiers import tier_of

Said = tuple[str | None, str]
"""The SLO that a sentence is about, None for the change as a whole; and the sentence."""


def reason(finding: Finding) -> str:
    """Write a finding with the SLO that it is about, and when it ends by itself."""
    about = f"{finding.slo}: " if finding.slo else ""
    return f"{about}{_text(finding, None)}"


def reasons(decided: PolicyDecision, verdict: Verdict) -> list[str]:
    """Return why the verdict of a policy is this one, the most important first.

    After the worst budget the others whose tiers object are one sentence. What is not looked at
    and changes nothing is left to the details.
    """
    findings = [
        finding
        for finding in decided.judgement.findings
        if finding.verdict is verdict and not _unimportant(finding)
    ]
    others = _others(decided, findings)
    said = [
        (finding.slo, _text(finding, decided.judgement.allowed_again_at))
        for finding in findings
        if finding not in others
    ]
    sentences = list(grouped(said, len(decided.assessments)))
    if others:
        sentences.insert(1, _either(decided, others, verdict))
    return sentences


def grouped(said: Iterable[Said], slos: int) -> Iterator[str]:
    """Yield each sentence once, with the SLOs that it is about.

    Args:
        said: which SLO and what.
        slos: how many the policy has.
    """
    names: dict[str, list[str]] = {}
    for slo, sentence in said:
        names.setdefault(sentence, []).extend([] if slo is None else [slo])
    for sentence, about in names.items():
        yield f"{_who(about, slos)}: {sentence}" if about else sentence


def not_looked_at(decided: PolicyDecision, slo: str) -> list[str]:
    """Return what no rule looks at of an SLO, where that changes nothing."""
    findings = decided.judgement.findings
    return [f.reason for f in findings if f.slo == slo and _unimportant(f)]


def _unimportant(finding: Finding) -> bool:
    return finding.cause is Cause.NOT_COVERED and finding.verdict is Verdict.ALLOW


def _text(finding: Finding, again: datetime | None) -> str:
    """Write a finding; when it ends only where that is not when the change is allowed again."""
    why = finding.reason
    if finding.verdict is Verdict.UNDECIDED and finding.cause is not None:
        why = f"{finding.cause.replace('_', ' ')}: {why}"
    if finding.until is None or finding.until == again:
        return why
    earliest = " at the earliest" if finding.if_calm else ""
    return f"{why} (until {wording.instant(finding.until)}{earliest})"


def _who(names: Sequence[str], slos: int) -> str:
    if len(names) == slos > 1:
        return f"{slos} of {slos} SLOs"
    every = ", ".join(names)
    return every if len(names) <= 3 else f"{len(names)} of {slos} SLOs ({every})"  # noqa: PLR2004 - more than three are counted


def _others(decided: PolicyDecision, findings: Sequence[Finding]) -> list[Finding]:
    """Return the findings of tiers after the first that say no more than that theirs objects."""
    by_tier = [finding for finding in findings if finding.rule is Rule.TIER]
    return [finding for finding in by_tier[1:] if _plain(decided, finding)]


def _plain(decided: PolicyDecision, finding: Finding) -> bool:
    """Return whether a budget objects as its tier says: it is not advisory, and nothing excuses."""
    return any(
        assessment.compared is not None
        and not assessment.slo.advisory
        and tier_verdict(tier_of(decided.policy.tiers, assessment.compared), decided.change_class)
        is finding.verdict
        for assessment in decided.assessments
        if assessment.slo.name == finding.slo
    )


def _either(decided: PolicyDecision, others: Sequence[Finding], verdict: Verdict) -> str:
    """Say which other budgets are in tiers that object, too, and what is left of each."""
    lefts = {a.slo.name: wording.left_or_overspent(a.compared) for a in decided.assessments}
    shares = [(f.slo, lefts[f.slo]) for f in others if f.slo is not None]
    names = ", ".join(
        f"{name} ({left if left.startswith('overspent') else f'{left} left'})"
        for name, left in shares
    )
    is_or_are = "is in a tier that" if len(shares) == 1 else "are in tiers that"
    if verdict is Verdict.BLOCK:
        does = "does not" if len(shares) == 1 else "do not"
        return f"{names} {is_or_are} {does} allow it either"
    return f"{names} {is_or_are} {'warns' if len(shares) == 1 else 'warn'} of it, too"
