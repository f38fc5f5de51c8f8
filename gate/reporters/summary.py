"""The decision of one policy in the order of a reader's questions, in words not yet escaped.

The order is: the verdict, the reason, the number and its threshold, what is allowed now instead,
when the change will be allowed again, and whom to ask.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from gate import wording
from gate.budget.assessment import Assessment
from gate.decision.decision import (
    Decision,
    Mode,
    PolicyDecision,
    PolicySource,
    Proposed,
    overall_verdict,
)
from gate.decision.document import answered
from gate.policy.changes import ComparedWith, Recognition
from gate.policy.findings import Verdict
from gate.policy.policy import Policy
from gate.reporters.page import Fact, Facts
from gate.wording import PROPOSAL_DELETED, PROPOSAL_UNREADABLE

_REVISION: Final = 12
"""The length of a hash for people."""
_OPENING: Final = frozenset({Verdict.ALLOW, Verdict.WARN})
_SEVERAL: Final = 2
"""With this number of backends or more, reports name the backend of each SLO."""
_LISTED: Final = 20
"""The maximum number of a backend's SLOs that a page names; the JSON format has all."""
_NAMED: Final = 2
"""The maximum number of unmeasured SLOs that a headline names."""


def verdict_word(verdict: Verdict, decision: Decision) -> str:
    """Write a verdict such that a verdict without effect cannot be mistaken for an enforced one."""
    word = verdict.upper()
    if decision.mode is Mode.STATED_INSTANT and verdict in _OPENING:
        return f"{Verdict.UNDECIDED.upper()} ({verdict} then, which lets nothing ship now)"
    if decision.observe:
        return f"{word} (dry run: not enforced, exit code 0)"
    if decision.overridden and verdict is not Verdict.ALLOW:
        return f"{word} (overridden: exit code 0)"
    return word


def enforced(verdict: Verdict, decision: Decision) -> Verdict:
    """Return a policy's verdict; undecided if it allows a change at another time only."""
    return overall_verdict((verdict,), decision.mode)


def subject(decided: PolicyDecision) -> str:
    """Write the subject of the decision, and whether some budgets were not measured."""
    unmeasured = [each.slo.name for each in decided.assessments if not each.measured]
    count = len(decided.assessments)
    of = "its only SLO is" if count == 1 else f"{len(unmeasured)} of {count} SLOs"
    named = len(unmeasured) < count and len(unmeasured) <= _NAMED
    which = f": {', '.join(unmeasured)}" if named else ""
    gap = f" ({of} not measured{which})" if unmeasured else ""
    return f"{decided.change_class} of {decided.policy.service}{gap}"


def headline(decision: Decision) -> str:
    """Write the decision and its subject on one line."""
    (first, *others) = decision.policies
    about = overall(decision) if others else subject(first)
    return f"{verdict_word(decision.verdict, decision)}: {about}"


def overall(decision: Decision) -> str:
    """Count the verdicts of several policies, the worst first, and name those that object."""
    parts = []
    for verdict in reversed(Verdict):
        names = [
            decided.policy.service for decided in decision.policies if decided.verdict is verdict
        ]
        if names:
            who = "" if verdict is Verdict.ALLOW else f" ({', '.join(names)})"
            parts.append(f"{len(names)} {verdict}{who}")
    return f"{len(decision.policies)} policies: {', '.join(parts)}"


def in_question(decided: PolicyDecision) -> list[Assessment]:
    """Return the budgets that a reader will want to know more about."""
    named = {f.slo for f in decided.judgement.findings if f.verdict is not Verdict.ALLOW}
    return [
        assessment
        for assessment in decided.assessments
        if assessment.slo.name in named
        or assessment.doubts
        or assessment.suspicions
        or _exhausted(assessment)
    ]


def provenance(source: PolicySource) -> str:
    """Name the text of the policy that decided."""
    revision = f"revision {source.revision[:_REVISION]}" if source.revision else "not committed"
    modified = ", modified since" if source.revision and source.modified else ""
    return f"{source.path} ({revision}{modified}, sha256 {source.sha256[:_REVISION]})"


def policy_text(
    policy: Policy, source: PolicySource, assessments: Sequence[Assessment] | None = None
) -> Facts:
    """Return the text of the policy that was read, and what each of several backends counted.

    ``assessments`` is as for `gate.decision.document.backends_document`.
    """
    return Facts((*backend_facts(policy, assessments), ("Policy", provenance(source))), small=True)


def backend_facts(
    policy: Policy, assessments: Sequence[Assessment] | None = None
) -> Iterator[Fact]:
    """Yield what each backend counts, if a policy has several; arguments as for `policy_text`."""
    if len(policy.backends) < _SEVERAL:
        return
    for name, kind in policy.backends.items():
        slos = [slo.name for slo in policy.counted_by(name)]
        more = f" and {len(slos) - _LISTED} more" if len(slos) > _LISTED else ""
        counts = ", ".join(slos[:_LISTED]) + more if slos else "no SLO"
        silent = assessments is not None and answered(policy, name, assessments) is False
        yield "Backends", f"{name} ({kind}){', which did not answer' * silent}: {counts}"


def signature(at: datetime, tool_version: str, *before: Fact) -> Facts:
    """Return when and by which version a page was made, as its signature."""
    end = (("Evaluated", wording.exact_instant(at)), ("Version", f"gate {tool_version}"))
    return Facts((*before, *end), small=True)


def origin(decided: PolicyDecision) -> Iterator[Fact]:
    """Yield how the class was recognised, and the text that decided."""
    yield "Change", ", ".join([decided.change_class, *_recognised(decided.recognition)])
    yield from (("Change", note) for note in decided.recognition.remarks)
    if decided.recognition.comparison is not None:
        yield "Compared with", _compared(decided.recognition.comparison)
    yield from backend_facts(decided.policy, decided.assessments)
    yield "Policy", provenance(decided.source)
    if decided.proposed is not None:
        yield "Policy", _proposed(decided.proposed)


def decision_closing(decision: Decision) -> Iterator[Fact]:
    """Yield the exit code, the instant, how long the decision holds, and the version."""
    until = wording.instant(decision.expires_at)
    yield "Exit code", str(int(decision.exit_code))
    yield "Evaluated", f"{wording.exact_instant(decision.evaluated_at)}, holds until {until}"
    yield "Version", f"gate {decision.tool_version}"


def _exhausted(assessment: Assessment) -> bool:
    return assessment.remaining is not None and assessment.remaining <= 0


def _recognised(recognition: Recognition) -> Iterator[str]:
    evidence = ", ".join(recognition.evidence)
    if recognition.how == "unknown":
        yield f"which cannot be ruled out: {evidence}"
    elif recognition.how == "default":
        yield "by the policy's default" + (f": {evidence}" if evidence else "")
    else:
        yield f"by {recognition.how}" + (f": {evidence}" if evidence else "")


def _compared(comparison: ComparedWith) -> str:
    """Write the base of the comparison, its source, and the size of the change."""
    base = comparison.base[:_REVISION] if comparison.base else "nothing: the live commit is unknown"
    sizes = {"files": comparison.files, "commits": comparison.commits}
    looked_at = ", ".join(f"{size} {what}" for what, size in sizes.items() if size is not None)
    return f"{base} ({comparison.base_from})" + (f": {looked_at}" if looked_at else "")


def _proposed(proposed: Proposed) -> str:
    if proposed.verdict is None:
        gone = proposed.reason in {PROPOSAL_DELETED, PROPOSAL_UNREADABLE}
        altered = f"alters it{' into something that is not a policy' if gone else ''}"
        return (
            f"this change {altered}, which does not count here; proposed: not judged, because"
            f" {proposed.reason}"
        )
    whole = f"this change alters it; by its own text the verdict would be {proposed.verdict}"
    return f"{whole} ({proposed.reason})" if proposed.reason else whole
