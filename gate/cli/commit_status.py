"""Setting the status of the commit. Whatever fails here is told, and no more."""

from collections.abc import Iterable
from typing import Final

from gate.ci.commit_status import CommitStatus, State
from gate.ci.rest import RestError
from gate.cli.place import Place
from gate.cli.streams import tell
from gate.decision.decision import Decision
from gate.errors import ExitCode
from gate.reporters import summary
from gate.reporters.escape import plain

_STATES: Final[dict[ExitCode, State]] = {
    ExitCode.ALLOW: "success",
    ExitCode.WARN: "warning",
    ExitCode.BLOCK: "failure",
}


def show_verdict(decision: Decision, place: Place) -> None:
    """Set the status, or say why there is none; its state is what the exit code says."""
    services = [one.policy.service for one in decision.policies]
    state = _STATES.get(decision.exit_code, "error")
    tell(show(state, summary.headline(decision), services, place))


def show(state: State, description: str, services: Iterable[str], place: Place) -> str:
    """Set a status on the commit of this run, and return what became of it, in a sentence.

    The name of the check tells apart services and environments: ``gate/chat/production``.
    """
    context = place.context
    client, revision = place.host(), context.revision
    if revision is None:
        return "gate: no commit status: no commit is known"
    if context.no_secrets:
        return "gate: no commit status: a run of a fork or of Dependabot may only read"
    if client is None:
        return f"gate: no commit status: there is no token for {context.system}"
    name = "/".join(filter(None, ["gate", ", ".join(services), context.environment]))
    status = CommitStatus(
        state=state, name=plain(name), description=plain(description), url=context.url
    )
    try:
        client.set_status(revision, status)
    except RestError as error:
        return f"gate: warning: no commit status: {error}"
    return f"gate: commit status {state}: {status.name}"
