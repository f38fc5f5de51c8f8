"""Findings and suspicions as sentences; a fact that several SLOs share is written once."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from fractions import Fraction
from typing import Final

from gate import wording
from gate.budget.assessment import Assessment
from gate.decision.decision import PolicyDecision
from gate.measure import Cause, Suspicion
from gate.policy.findings import Finding, Rule, Verdict
from gate.policy.rounding import compared_between
from gate.policy.rules.tiers import tier_verdict
from gate.policy.suspicions import left_between
from gate.policy.tiers import tier_of
from gate.reporters.page import Fact
from gate.slo.objective import RatioSlo, Slo, SpendSlo

Said = tuple[str | None, str]
"""The SLO that a sentence is about (None: the change as a whole), and the sentence."""


def reason(finding: Finding) -> str:
    """Write a finding with its SLO, and with the time when it ends by itself."""
    about = f"{finding.slo}: " if finding.slo else ""
    return f"{about}{_text(finding, None)}"


def reasons(decided: PolicyDecision, verdict: Verdict) -> list[str]:
    """Return the reasons for the verdict of a policy, the most important first.

    After the worst budget, the others whose tiers object are one sentence. Unchecked facts without
    effect are left to the details; a requirement that is met is listed with the other requirements.
    """
    findings = [
        finding
        for finding in decided.judgement.findings
        if finding.verdict is verdict and not _unimportant(finding) and not _met(finding)
    ]
    others = _others(decided, findings)
    kept = _in_common([finding for finding in findings if finding not in others])
    alike, slos = list(_alike(kept)), len(decided.assessments)
    again = decided.judgement.allowed_again_at
    more = {id(finding) for group in alike for finding in group[1:]}
    said = [(f.slo, _text(f, again)) for f in kept if id(f) not in more]
    sentences = list(grouped(said, slos))
    if others:
        sentences.insert(1, _either(decided, others, verdict))
    return [*sentences, *(_and_more(group, slos) for group in alike)]


def grouped(said: Iterable[Said], slos: int) -> Iterator[str]:
    """Yield each sentence once, with the SLOs that it is about.

    Args:
        said: pairs of SLO and sentence.
        slos: the number of SLOs of the policy.
    """
    names: dict[str, dict[str, None]] = {}
    for slo, sentence in said:
        names.setdefault(sentence, {}).update({} if slo is None else {slo: None})
    for sentence, about in names.items():
        yield f"{_who(list(about), slos)}: {sentence}" if about else sentence


def not_looked_at(decided: PolicyDecision, slo: str) -> list[str]:
    """Return the facts that no rule checks about an SLO, without effect on the verdict."""
    findings = decided.judgement.findings
    return [f.reason for f in findings if f.slo == slo and _unimportant(f)]


_OF_WINDOW: Final = re.compile(r"burn rate over (\w+): ")
_OF_PART: Final = re.compile(r"(?:total|bad|good|spent|ratio): (?=https?://)")
"""The part of an indicator before the address of a backend that failed: the cause is the
backend."""


def _in_common(findings: Sequence[Finding]) -> list[Finding]:
    """Return the findings with one sentence for those that differ only in window or query."""
    windows: dict[tuple[str | None, Cause | None, str], list[str]] = {}
    parts: dict[tuple[Cause | None, str], set[str]] = {}
    split = [_split(finding.reason) for finding in findings]
    for finding, (window, part, rest) in zip(findings, split, strict=True):
        windows.setdefault((finding.slo, finding.cause, rest), []).extend(window)
        parts.setdefault((finding.cause, rest), set()).add(part)
    shared = []
    for finding, (window, part, rest) in zip(findings, split, strict=True):
        lengths = list(dict.fromkeys(windows[finding.slo, finding.cause, rest])) if window else []
        over = f"burn rate{'s' * (len(lengths) > 1)} over {', '.join(lengths)}: " if lengths else ""
        query = part if len(parts[finding.cause, rest]) == 1 else ""
        shared.append(replace(finding, reason=f"{over}{query}{rest}"))
    return shared


def _split(why: str) -> tuple[list[str], str, str]:
    """Return the burn-rate window in a reason, its part of the indicator, and the rest."""
    window = _OF_WINDOW.match(why)
    rest = why[window.end() :] if window else why
    part = _OF_PART.match(rest)
    begins = part.group() if part else ""
    return [window.group(1)] if window else [], begins, rest.removeprefix(begins)


_MANY: Final = 3
"""The number of findings with one cause above which only the first is written, and a count."""


def _alike(findings: Sequence[Finding]) -> Iterator[list[Finding]]:
    """Yield the findings that share a cause, if there would be too many sentences."""
    by_cause: dict[Cause, list[Finding]] = {}
    for finding in findings:
        if finding.cause is not None:
            by_cause.setdefault(finding.cause, []).append(finding)
    for group in by_cause.values():
        if len({_text(finding, None) for finding in group}) > _MANY:
            yield group


def _and_more(group: Sequence[Finding], slos: int) -> str:
    names = dict.fromkeys(finding.slo for finding in group[1:] if finding.slo is not None)
    cause = str(group[0].cause).replace("_", " ")
    return f"{_who(list(names), slos)}: {cause}, {len(group) - 1} more of these"


def _met(finding: Finding) -> bool:
    return finding.rule is Rule.REQUIREMENT and finding.verdict is Verdict.ALLOW


def _unimportant(finding: Finding) -> bool:
    return finding.cause is Cause.NOT_COVERED and finding.verdict is Verdict.ALLOW


def _text(finding: Finding, again: datetime | None) -> str:
    """Write a finding; with its end only if the change is not allowed again at that time."""
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
    """Return the findings of later tiers that say only that their tier objects."""
    by_tier = [finding for finding in findings if finding.rule is Rule.TIER]
    return [finding for finding in by_tier[1:] if _plain(decided, finding)]


def _plain(decided: PolicyDecision, finding: Finding) -> bool:
    """Return whether a budget simply objects by its tier: neither advisory nor excused."""
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
    lefts = {
        a.slo.name: wording.left_between(*compared_between(a))
        for a in decided.assessments
        if a.compared is not None
    }
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


_LABEL: Final = "suspected"


def suspicion_facts(assessment: Assessment) -> Iterator[Fact]:
    """Yield each suspicion about a budget, and what would be left if all of them were true."""
    if not assessment.suspicions:
        return
    for suspicion in assessment.suspicions:
        yield _LABEL, suspicion_sentence(suspicion, assessment.slo)
    if (between := left_between(assessment)) is not None:
        yield _LABEL, f"{between}, depending on how much of that is true"


def suspicion_sentence(suspicion: Suspicion, slo: Slo) -> str:
    """Describe a suspicion about an SLO's count, with its cause and its number."""
    cause = suspicion.cause.replace("_", " ")
    parts = [f"{cause}: {suspicion.reason}", *_numbers(suspicion, slo), suspicion.remedy]
    return "; ".join(parts)


def _numbers(suspicion: Suspicion, slo: Slo) -> Iterator[str]:
    """Yield how many events may have been counted wrongly."""
    if suspicion.hidden != 0:
        yield _hidden(suspicion.hidden, slo)
    if suspicion.doubtful != 0:
        counted = _amount(suspicion.doubtful, "all", slo)
        money = isinstance(slo, SpendSlo)
        yield f"{counted} counted as {'spent may not have been' if money else 'bad may be good'}"


def _hidden(hidden: Fraction | None, slo: Slo) -> str:
    if isinstance(slo, SpendSlo):
        return f"{_amount(hidden, 'any amount', slo)} more may have been spent"
    return f"{_amount(hidden, f'any number of {_events(slo)}', slo)} more may have been bad"


def _amount(number: Fraction | None, unknown: str, slo: Slo) -> str:
    if number is None:
        return unknown
    unit = slo.unit if isinstance(slo, SpendSlo) else _events(slo)
    return f"up to {wording.amount(number)} {unit}".rstrip()


def _events(slo: Slo) -> str:
    return "slices" if isinstance(slo, RatioSlo) and slo.slices is not None else "events"
