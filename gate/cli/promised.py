"""The trigger file of ``gate check --trigger`` as limits of a watch."""

import os
from datetime import datetime, timedelta
from typing import Final

from gate.analysis.watch import SpendLimit
from gate.cli.decision_file import read_trigger_file
from gate.cli.keys import verifying_key
from gate.cli.log_files import NotReadableError, named
from gate.cli.session import now
from gate.cli.streams import write_note, write_stderr
from gate.config.load import PolicyFile
from gate.decision.decision import Context, Mode
from gate.decision.holding import shown
from gate.decision.reading import OddDocumentError
from gate.decision.trigger import ServicePromises, Trigger
from gate.errors import UsageError
from gate.policy.findings import Verdict, worst
from gate.wording import describe_time

_DAY: Final = timedelta(days=1)
_NOT_ALLOWED: Final = {
    Verdict.BLOCK: "the decision of the trigger was to block this change",
    Verdict.UNDECIDED: "the decision of the trigger was undecided",
}
_AGAIN = "write it again with gate check"
_GIVE_KEY = "if it is signed, set GATE_SIGNING_KEY or GATE_VERIFY_KEY"


def promised_limits(
    path: str, file: PolicyFile, context: Context, stated: datetime | None
) -> tuple[str, dict[str, SpendLimit]]:
    """Return the class of the change, and its maximum cost by SLO.

    Args:
        path: the path of the trigger.
        file: the policy of the watch.
        context: the context of this run: the environment of the canary, and the commit.
        stated: the instant at which a replay begins; None: the watch begins now.

    Raises:
        UsageError: the file is not a trigger for this watch; the message says why.
    """
    key = verifying_key(os.environ)
    try:
        trigger = read_trigger_file(path, key)
    except (NotReadableError, OddDocumentError) as error:
        remedy = _AGAIN if key is not None else f"{_AGAIN}, or {_GIVE_KEY}"
        raise UsageError(f"the trigger {named(path)} is refused: {error}; {remedy}") from error
    promised = _of(trigger, file)
    flaw = _flaw(trigger, context, replayed=stated is not None)
    if promised is None or flaw is not None:
        flaw = flaw or (
            f"it was written for another policy than {file.source.path}, or before that policy"
            " changed;"
            f" {_AGAIN}"
        )
        raise UsageError(f"the trigger {named(path)} is refused: {flaw}")
    if _doubt(trigger) is not None:
        write_stderr(f"gate: warning: {_doubt(trigger)}, which did not stop it (dry run)")
    age = (stated or now()) - trigger.evaluated_at
    if age > _DAY:
        write_note(f"gate: the trigger was written {describe_time(age)} before this watch")
    limits = {
        promise.slo: SpendLimit(
            most=promise.largest_loss, expected=promise.expected_cost, promised=True
        )
        for promise in promised.slos
        if promise.largest_loss is not None
    }
    for promise in promised.slos:
        if promise.largest_loss is None:
            write_note(f"gate: the trigger has no limit for {promise.slo}: {promise.reason}")
    return promised.change, limits


def _flaw(trigger: Trigger, context: Context, *, replayed: bool) -> str | None:
    """Return why a trigger does not count in this run, and what to do; None: it counts."""
    doubt = _doubt(trigger)
    if doubt is not None and not trigger.overridden and trigger.mode != Mode.OBSERVE:
        return f"{doubt}; run gate check again, and deploy nothing that it does not allow"
    if trigger.mode == Mode.STATED_INSTANT and not replayed:
        return f"its decision is about another moment than the one at which it was made; {_AGAIN}"
    wanted, there = context.environment, trigger.environment
    if wanted is not None and there is None:
        return f"it was written for no environment; {_AGAIN} for {wanted}"
    if None not in (wanted, there) and wanted != there:
        return f"it was written for the environment {there}; {_AGAIN} for {wanted}"
    if None not in (context.revision, trigger.revision) and context.revision != trigger.revision:
        return (
            f"it was written for the commit {shown(str(trigger.revision))}, and this run is about"
            f" {context.revision}; {_AGAIN} for that"
        )
    return None


def _doubt(trigger: Trigger) -> str | None:
    """Return why the decision of a trigger did not allow the change; None: it did."""
    verdict = worst(policy.verdict for policy in trigger.policies)
    return _NOT_ALLOWED.get(verdict)


def _of(trigger: Trigger, file: PolicyFile) -> ServicePromises | None:
    """Return the promises of one policy; None: none has this service and text."""
    for policy in trigger.policies:
        if (policy.service, policy.source.sha256) == (file.policy.service, file.source.sha256):
            return policy
    return None
