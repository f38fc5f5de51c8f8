"""The facts of a decision: why, what is missing, what to do."""

from collections.abc import Iterator
from typing import Final

from gate import wording
from gate.decision.decision import Decision, PolicyDecision
from gate.policy.findings import Verdict
from gate.reporters import budgets
from gate.reporters.outlook import STOPPING, allowed_again, allowed_now, obligation, remedies
from gate.reporters.pace import most_affordable
from gate.reporters.page import Fact
from gate.reporters.reasons import Said, grouped, reasons, suspicion_sentence
from gate.reporters.summary import enforced

_OBJECTING: Final = frozenset({Verdict.WARN, Verdict.UNDECIDED, Verdict.BLOCK})
"""The verdicts of findings that are always reported."""
_LEADING: Final = frozenset({"Why", "Override", "Needs", "Allowed now"})


def leading(verdict: Verdict) -> frozenset[str]:
    """Return the labels of `facts` that say what to do now."""
    return _LEADING | {"Allowed again", "Ask"} if verdict in STOPPING else _LEADING


def decision_facts(decided: PolicyDecision, decision: Decision) -> Iterator[Fact]:
    """Yield labelled sentences; a repeated label belongs to the sentence before it."""
    verdict = decided.verdict
    if enforced(verdict, decision) is not verdict:
        yield "Why", _another_moment(verdict, decision)
    yield from (("Why", sentence) for sentence in reasons(decided, verdict))
    yield from _overriding(decision)
    yield from _gaps(decided)
    for lesser in reversed(Verdict):
        if lesser not in {verdict, Verdict.ALLOW}:
            yield from (("Also", f"{lesser}: {why}") for why in reasons(decided, lesser))
    yield from _notes(decided)
    required = sorted(
        decided.judgement.requirements, key=lambda each: -each.result.state.verdict.severity
    )
    yield from (("Needs", obligation(checked)) for checked in required)
    yield from (("Remedy", remedy) for remedy in remedies(decided))
    yield "Allowed now", allowed_now(decided)
    if verdict in STOPPING:
        yield "Allowed again", allowed_again(decided, decision.evaluated_at)
    elif (affordable := most_affordable(decided.assessments)) is not None:
        yield "Headroom", affordable
    if decided.policy.owners:
        yield "Ask", ", ".join(decided.policy.owners)


def _another_moment(verdict: Verdict, decision: Decision) -> str:
    at = wording.instant(decision.evaluated_at)
    return (
        f"at {at}, which was given, the verdict was {verdict}; only a current decision lets a"
        " change ship: leave the time out, or use a dry run to look at the past"
    )


def _overriding(decision: Decision) -> Iterator[Fact]:
    """Yield who lets the change ship although the policy does not, why, and until when."""
    override = decision.override
    if override is not None:
        needed = "" if decision.overridden else " (not needed)"
        until = wording.instant(override.until)
        by = f" by the label {override.label}" if override.label else ""
        claimed = "" if override.confirmed else "; the approval is claimed, not confirmed"
        who = f"approved by {override.approved_by}{by}, until {until}{needed}{claimed}"
        yield "Override", f"{override.reason}; {who}"
    if decision.not_overridden:
        yield "Override", decision.not_overridden


def _gaps(decided: PolicyDecision) -> Iterator[Fact]:
    """Yield each doubt about a number that no finding mentions, once for all its SLOs."""
    verdict, untold = decided.verdict, list[tuple[str, Said]]()
    findings = [f for f in decided.judgement.findings if f.verdict in {verdict, *_OBJECTING}]
    for assessment in decided.assessments:
        name = assessment.slo.name
        reasons_of = [finding.reason for finding in findings if finding.slo == name]
        label = "In doubt" if assessment.measured else "Not measured"
        sentences = [
            (doubt.reason, f"{budgets.cause(doubt.cause)}, {doubt.reason}")
            for doubt in assessment.doubts
        ] + [
            (suspicion.reason, suspicion_sentence(suspicion, assessment.slo))
            for suspicion in assessment.suspicions
        ]
        untold += [
            (label, (name, sentence))
            for key, sentence in sentences
            if not any(key in text for text in reasons_of)
        ]
    for label in ("Not measured", "In doubt"):
        said = [pair for kind, pair in untold if kind == label]
        yield from ((label, sentence) for sentence in grouped(said, len(decided.assessments)))


def _notes(decided: PolicyDecision) -> Iterator[Fact]:
    """Yield facts without effect that readers must know, such as a missing error series."""
    said = [
        (assessment.slo.name, note)
        for assessment in decided.assessments
        for note in (assessment.evidence.notes if assessment.evidence else ())
    ]
    yield from (("Note", sentence) for sentence in grouped(said, len(decided.assessments)))
