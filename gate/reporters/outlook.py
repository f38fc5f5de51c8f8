"""The outlook of a change: its requirements, what the budget covers, when it may ship."""

import re
import shlex
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Final

from gate import wording
from gate.budget.forecast import PACE
from gate.decision.decision import PolicyDecision, PolicySource
from gate.errors import ExitCode
from gate.measure import Cause
from gate.measure.remedies import advice_in, remedy_of
from gate.policy.findings import Rule, Verdict
from gate.policy.judge import Judgement
from gate.policy.requirements import CheckedRequirement, EvaluationRequirement, RequirementState
from gate.reporters.page import ShellCommand
from gate.slo.objective import RatioSlo, RollingWindow, SpendSlo
from gate.slo.quantities import format_duration
from gate.wording import describe_time

if TYPE_CHECKING:
    pass

STOPPING: Final = frozenset({Verdict.BLOCK, Verdict.UNDECIDED})
_BURNING: Final = frozenset({Rule.BURN_RATE, Rule.EXHAUSTION})


def obligation(checked: CheckedRequirement) -> str:
    """Say whether a requirement has been met, with the evidence.

    The reason why one is not met, or unknown, is among the reasons of the verdict.
    """
    name, result = checked.requirement.name, checked.result
    if result.state is RequirementState.MET:
        return f"{name}, met: {result.reason}"
    if result.state is RequirementState.CLAIMED:
        return f"{name}, {result.reason}"
    return f"{name}, {'not met' if result.state is RequirementState.NOT_MET else 'undecided'}"


def allowed_now(decided: PolicyDecision) -> str:
    """Name the change classes that would ship now."""
    if set(decided.allowed_now) == decided.policy.change_classes:
        return "every change class"
    return ", ".join(decided.allowed_now) or "no change class at all"


def allowed_again(decided: PolicyDecision, at: datetime) -> str:
    """Say when the change will be allowed, as far as this is known at the instant ``at``."""
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
    """Say what must happen first if the instant is unknown."""
    judgement = decided.judgement
    if judgement.needs_samples is not None:
        return (
            f"not at this rate of sampling: it takes {judgement.needs_samples:,} samples in the"
            " window, even if none of them is bad"
        )
    if stopping == {Rule.POSTMORTEM}:
        return "once the incident is over and its record is reviewed"
    if stopping <= _BURNING:
        return "once the burn rate is lower"
    if decided.verdict is Verdict.UNDECIDED or stopping == {Rule.REQUIREMENT}:
        shown = stopping == {Rule.REQUIREMENT}
        return "once the requirements are met" if shown else "once it can be measured"
    slo = judgement.worst.slo if judgement.worst else None
    rolling = isinstance(slo, RatioSlo | SpendSlo) and isinstance(slo.window, RollingWindow)
    if rolling and Rule.TIER in stopping:
        return "not known: a rolling window recovers as old failures leave it"
    return "not known"


def at_pace(judgement: Judgement) -> str:
    """Say when a change is allowed again if as much fails as lately; empty if unknown."""
    if not judgement.paced:
        return ""
    again = judgement.allowed_again_at_pace
    when = "never" if again is None else wording.instant(again)
    return f"; at the rate of the last {format_duration(PACE)}: {when}"


_SUSPECTED: Final = frozenset(
    {
        Cause.UNMATCHED,
        Cause.BORN,
        Cause.CONTRADICTED,
        Cause.LOST,
        Cause.UNKNOWN_OUTCOME,
        Cause.ROUNDED,
    }
)
"""The causes of suspicions, which give their remedy themselves."""
_DOCTOR: Final = "gate doctor"
_COMMANDS: Final = {
    Rule.MEASUREMENT: (_DOCTOR, ""),
    Rule.SAMPLES: (_DOCTOR, ""),
    Rule.TIER: ("gate incidents", "shows what used the budget"),
    Rule.BURN_RATE: ("gate incidents", "shows what is using the budget"),
    Rule.EXHAUSTION: ("gate forecast", "shows when each budget runs out"),
    Rule.POSTMORTEM: ("gate incidents", "shows the incidents and their records"),
    Rule.CONTROL_CHART: ("gate anomalies", "shows the charts"),
}
"""The commands by the rule that objects first: each takes a policy file, and has a purpose."""


def remedies(decided: PolicyDecision) -> Iterator[str]:
    """Yield the remedy for each cause that leaves the verdict undecided, each once."""
    hints = (
        remedy_of(finding.cause).hint
        for finding in decided.judgement.findings
        if finding.verdict is Verdict.UNDECIDED
        and finding.cause is not None
        and finding.cause not in _SUSPECTED
        and not advice_in(finding.reason)
    )
    yield from dict.fromkeys(hint.replace("gate.yaml", _file(decided)) for hint in hints)


def next_step(decided: PolicyDecision) -> ShellCommand | None:
    """Return the command that helps next; None: no objections, or no command helps."""
    verdict = decided.verdict
    if verdict is Verdict.ALLOW:
        return None
    rules = [f.rule for f in decided.judgement.findings if f.verdict is verdict]
    if rules and rules[0] is Rule.REQUIREMENT and (step := _evaluation_step(decided)) is not None:
        return step
    commands = [_COMMANDS[rule] for rule in rules if rule in _COMMANDS]
    if not commands:
        return None
    command, purpose = commands[0]
    if command != _DOCTOR and not decided.keeps_history:
        command, purpose = "gate status", "shows every budget"
    return ShellCommand(label="Next", command=f"{command} {_file(decided)}", purpose=purpose)


def _evaluation_step(decided: PolicyDecision) -> ShellCommand | None:
    """Return the command about the files of the first evaluation that objects and has files."""
    for checked in decided.judgement.requirements:
        requirement, passes = checked.requirement, checked.result.state.verdict is Verdict.ALLOW
        if passes or not isinstance(requirement, EvaluationRequirement):
            continue
        if requirement.artifact is None:
            # Without quotes, the shell expands a glob in the same way as the policy.
            files = " ".join(map(_as_glob, requirement.files))
            purpose = "shows what the gate reads in these files"
            return ShellCommand(label="Next", command=f"gate evaluation {files}", purpose=purpose)
    return None


def _as_glob(pattern: str) -> str:
    """Return a glob for a shell: everything except its wildcards is quoted."""
    return "".join(
        part if part in {"*", "?"} else shlex.quote(part)
        for part in re.split(r"([*?])", pattern)
        if part
    )


def doctor_steps(seen: Iterable[tuple[PolicySource, ExitCode]]) -> Iterator[ShellCommand]:
    """Yield the command that examines each policy with unmeasured parts.

    Args:
        seen: each policy, with the exit code of the questions about it alone.
    """
    for source, code in seen:
        if code is ExitCode.UNDECIDED:
            yield ShellCommand(label="Next", command=f"{_DOCTOR} {shlex.quote(source.path)}")


def _file(decided: PolicyDecision) -> str:
    """Return the path of the policy, quoted for a shell."""
    return shlex.quote(decided.source.path)
