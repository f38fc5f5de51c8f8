"""What to do about a verdict that objects: the remedy of each cause, and the next command."""

import shlex
from collections.abc import Iterator
from typing import Final

from gate.decision.decision import PolicyDecision
from gate.measure import Cause
from gate.measure.remedies import REMEDIES, remedy_of
from gate.policy.findings import Finding, Rule, Verdict
from gate.reporters.page import ShellCommand

_SUSPECTED: Final = frozenset(
    {Cause.UNMATCHED, Cause.BORN, Cause.CONTRADICTED, Cause.LOST, Cause.UNKNOWN_OUTCOME}
)
"""Causes of suspicions, which say their remedy themselves."""
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
"""By the rule that objects first: a command for a policy file, and what it is good for."""


def remedies(decided: PolicyDecision) -> Iterator[str]:
    """Yield what to do about each cause that leaves the verdict undecided, each once."""
    hints = (
        remedy_of(finding.cause).hint
        for finding in decided.judgement.findings
        if finding.verdict is Verdict.UNDECIDED
        and finding.cause is not None
        and finding.cause not in _SUSPECTED
        and not _has_remedy(finding)
    )
    yield from dict.fromkeys(hint.replace("gate.yaml", _file(decided)) for hint in hints)


def next_step(decided: PolicyDecision) -> ShellCommand | None:
    """Return the command that helps on; None: nothing objects, or no command helps."""
    verdict = decided.verdict
    if verdict is Verdict.ALLOW:
        return None
    rules = [f.rule for f in decided.judgement.findings if f.verdict is verdict]
    commands = [_COMMANDS[rule] for rule in rules if rule in _COMMANDS]
    if not commands:
        return None
    command, purpose = commands[0]
    if command != _DOCTOR and not decided.keeps_history:
        command, purpose = "gate status", "shows every budget"
    return ShellCommand(label="Next", command=f"{command} {_file(decided)}", purpose=purpose)


def _has_remedy(finding: Finding) -> bool:
    """Return whether the reason itself ends with what to do."""
    return any(finding.reason.endswith(remedy.hint) for remedy in REMEDIES.values())


def _file(decided: PolicyDecision) -> str:
    """Return the path of the policy as a shell reads it."""
    return shlex.quote(decided.source.path)
