"""What a change still needs, what may ship instead of it, and when it may ship itself, in words."""

from datetime import datetime
from typing import Final

from gate import wording
from gate.budget.forecast import PACE
from gate.decision.decision import PolicyDecision
from gate.policy.findings import Rule, Verdict
from gate.policy.judge import Judgement
from gate.slo.objective import RatioSlo, RollingWindow, SpendSlo
from gate.slo.quantities import format_duration
from gate.wording import describe_time

STOPPING: Final = frozenset({Verdict.BLOCK, Verdict.UNDECIDED})
_BURNING: Final = frozenset({Rule.BURN_RATE, Rule.EXHAUSTION})


def obligation(name: str, decided: PolicyDecision) -> str:
    """Say whether a requirement has been met, and what shows it."""
    if name in decided.satisfied:
        return f"{name}, done: {decided.satisfied[name]}"
    return f"{name}, not done yet"


def allowed_now(decided: PolicyDecision) -> str:
    """Name the change classes that would ship now."""
    if set(decided.allowed_now) == decided.policy.change_classes:
        return "every change class"
    return ", ".join(decided.allowed_now) or "no change class at all"


def allowed_again(decided: PolicyDecision, at: datetime) -> str:
    """Say when the change will be allowed, as far as that is known at the instant ``at``."""
    judgement = decided.judgement
    again = judgement.allowed_again_at
    stopping = {finding.rule for finding in judgement.findings if finding.verdict in STOPPING}
    by_record = stopping == {Rule.POSTMORTEM}
    if again is None:
        return _not_known(decided, stopping)
    when = f"{wording.instant(again)} (in {describe_time(again - at)})"
    if judgement.allowed_again_if_calm:
        when = f"not before {when}, if nothing more fails{at_pace(judgement)}"
    return f"once the record is reviewed; else {when}" if by_record else when


def _not_known(decided: PolicyDecision, stopping: set[Rule]) -> str:
    """Say what must happen first where no instant is known."""
    judgement = decided.judgement
    if judgement.needs_samples is not None:
        return (
            f"not at this rate of sampling: it takes {judgement.needs_samples:,} samples in the"
            " window, even if none of them is bad"
        )
    if stopping == {Rule.POSTMORTEM}:
        return "once the incident is over and its record is reviewed"
    if stopping <= _BURNING:
        return "once it burns slower"
    if decided.verdict is Verdict.UNDECIDED:
        return "once it can be measured"
    slo = judgement.worst.slo if judgement.worst else None
    rolling = isinstance(slo, RatioSlo | SpendSlo) and isinstance(slo.window, RollingWindow)
    if rolling and Rule.TIER in stopping:
        return "not known: a rolling window gives back as old failures leave it"
    return "not known"


def at_pace(judgement: Judgement) -> str:
    """Say when a change is allowed again if as much fails as lately; nothing if that is unknown."""
    if not judgement.paced:
        return ""
    again = judgement.allowed_again_at_pace
    when = "not at all" if again is None else wording.instant(again)
    return f"; at the pace of the last {format_duration(PACE)}: {when}"
