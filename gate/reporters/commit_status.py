"""A decision as the status of a commit, and the facts that can be read back from it."""

import hashlib
import json
import re
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from gate.dataclass import dataclass
from gate.decision.decision import Decision
from gate.decision.slo_document import rfc3339
from gate.errors import ExitCode
from gate.hosts import CommitStatus, PostedStatus, State
from gate.hosts.identity import GateIdentity, StatusLink
from gate.reporters.escape import plain
from gate.reporters.summary import headline

STATES: Final[dict[ExitCode, State]] = {
    ExitCode.ALLOW: "success",
    ExitCode.WARN: "warning",
    ExitCode.BLOCK: "failure",
}
"""The state of a status by the exit code of its run; for any other code, it is an error."""
_WHY: Final = {
    ExitCode.USAGE: "the command line, the inputs or a policy file are wrong",
    ExitCode.UNDECIDED: "the text of the policy that counts is unknown",
    ExitCode.INTERRUPTED: "the run was interrupted",
}
_ENDING: Final = re.compile(r"; policy (?P<hash>[0-9a-f]{12}), until (?P<until>[0-9T:-]{19}Z)$")
MEASURING: Final = "Decision pending; a run that ends without a verdict leaves this status."


def decision_status(
    decision: Decision, identity: GateIdentity, job: str | None = None
) -> CommitStatus:
    """Return the status that shows a decision; its state follows from the exit code.

    Its text ends with the hash of the policies' text and the time until which the decision holds.

    Args:
        decision: the decision to show.
        identity: the identity of the gate.
        job: the job that sets it, as in `StatusLink`.
    """
    policies = decision.policies
    ending = ", ".join(
        (
            f"; policy {policies_hash(policy.source.sha256 for policy in policies)}",
            f"until {rfc3339(decision.expires_at)}",
        )
    )
    link = StatusLink(identity.digest, question(decision, identity), job)
    return CommitStatus(
        state=STATES.get(decision.exit_code, "error"),
        name=identity.check_name([policy.policy.service for policy in policies]),
        description=plain(headline(decision)),
        ending=ending,
        url=link.at(decision.context.url),
    )


def undecided_status(state: State, description: str, name: str, url: str | None) -> CommitStatus:
    """Return the status of a run that has not decided, or not yet."""
    return CommitStatus(state=state, name=name, description=description, url=url)


def no_decision(code: ExitCode) -> str:
    """Say why a run has ended without a decision, without any foreign text."""
    return f"No decision: {_WHY.get(code, 'the gate failed')}; see the log of the run"


def policies_hash(hashes: Iterable[str]) -> str:
    """Return twelve hexadecimal digits that identify the text of some policies."""
    every = sorted(hashes)
    text = every[0] if len(every) == 1 else hashlib.sha256("".join(every).encode()).hexdigest()
    return text[:12]


def question(decision: Decision, identity: GateIdentity) -> str:
    """Return twelve hexadecimal digits that identify the question of a decision.

    Two decisions have the same question only if the class, the options and the claims are the same;
    only then may a later decision replace an earlier one.
    """
    override, classes = decision.override, [policy.change_class for policy in decision.policies]
    parts = [
        sorted(zip(identity.paths, classes, strict=True)),
        decision.observe,
        decision.fail_on_warn,
        sorted((*pair,) for policy in decision.policies for pair in policy.satisfied.items()),
        any(a.impact_stated for policy in decision.policies for a in policy.assessments),
        None if override is None or override.label else [override.reason, override.approved_by],
    ]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class StatusText:
    """The facts about a decision in the text of its status."""

    policies: str
    """The `policies_hash` of the policies that counted."""
    until: datetime

    @staticmethod
    def read(status: PostedStatus) -> "StatusText | None":
        """Return the facts in a status; None: it has no decision, or an older version's."""
        match = _ENDING.search(status.description)
        try:
            return (
                StatusText(match["hash"], datetime.fromisoformat(match["until"])) if match else None
            )
        except ValueError:
            return None
