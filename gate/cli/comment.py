"""Keeping the comment on the pull request up to date. Whatever fails here is told, and no more."""

from typing import Final

from gate.ci.comments import Act, Outcome, marker, upsert
from gate.cli.place import Place
from gate.cli.streams import tell
from gate.decision.decision import Decision
from gate.reporters import Style, render

_STYLE: Final = Style()


def keep_comment(decision: Decision, place: Place) -> None:
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


def _told(outcome: Outcome) -> str:
    if outcome.act is Act.FAILED:
        return f"gate: warning: no comment: {outcome.trouble}"
    trouble = f"; warning: {outcome.trouble}" if outcome.trouble else ""
    return f"gate: comment {outcome.act}: {outcome.url}{trouble}"
