"""What a check does beside its report: the comment and the status of the commit."""

from collections.abc import Iterable
from typing import Final

from gate.cli.ci_environment import CiEnvironment
from gate.cli.streams import tell
from gate.decision.decision import Decision
from gate.errors import ExitCode
from gate.hosts import CommitStatus, RestError, State
from gate.hosts.comments import Act, CommentOutcome, marker, upsert
from gate.reporters import render, summary
from gate.reporters.ansi import Style
from gate.reporters.escape import plain

_STYLE: Final = Style()


def keep_comment(decision: Decision, place: CiEnvironment) -> None:
    """Write or update the comment, or say why there is none."""
    context = place.context
    client, pull = place.host(), context.pull_request
    if pull is None:
        tell("gate: no comment: there is no pull request")
    elif context.no_secrets:
        tell("gate: no comment: a run of a fork or of Dependabot may only read")
    elif client is None:
        tell(f"gate: no comment: there is no token for {context.system}")
    else:
        services = ", ".join(decided.policy.service for decided in decision.policies)
        paths = ", ".join(decided.source.path for decided in decision.policies)
        mark = marker(services, paths, context.environment)
        tell(_told(upsert(client, pull, mark, render("markdown", decision, _STYLE))))


def _told(outcome: CommentOutcome) -> str:
    if outcome.act is Act.FAILED:
        return f"gate: warning: no comment: {outcome.trouble}"
    trouble = f"; warning: {outcome.trouble}" if outcome.trouble else ""
    return f"gate: comment {outcome.act}: {outcome.url}{trouble}"


_STATES: Final[dict[ExitCode, State]] = {
    ExitCode.ALLOW: "success",
    ExitCode.WARN: "warning",
    ExitCode.BLOCK: "failure",
}


def show_verdict(decision: Decision, place: CiEnvironment) -> None:
    """Set the status, or say why there is none; its state is what the exit code says."""
    services = [one.policy.service for one in decision.policies]
    state = _STATES.get(decision.exit_code, "error")
    tell(show(state, summary.headline(decision), services, place))


def show(state: State, description: str, services: Iterable[str], place: CiEnvironment) -> str:
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
