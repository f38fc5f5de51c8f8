"""What ``gate check --trigger`` wrote down before the change, as limits of a watch."""

import os

from gate.analysis.watch import SpendLimit
from gate.cli.decision_file import read_trigger_file
from gate.cli.keys import verifying_key
from gate.cli.log_files import NotReadableError, named
from gate.cli.streams import write_note, write_stderr
from gate.config.load import PolicyFile
from gate.decision.reading import OddDocumentError
from gate.decision.trigger import ServicePromises, Trigger
from gate.errors import UsageError
from gate.policy.findings import Verdict

_AGAIN = "write it again with gate check"
_GIVE_KEY = "if it is signed, set GATE_SIGNING_KEY or GATE_VERIFY_KEY"


def promised_limits(
    path: str, file: PolicyFile, environment: str | None
) -> tuple[str, dict[str, SpendLimit]]:
    """Return the class of the change, and by SLO what it may cost.

    Args:
        path: of the trigger.
        file: the policy that is watched.
        environment: that the canary is in; None: nobody said so.

    Raises:
        UsageError: the file is not a trigger that counts here; the message says why.
    """
    key = verifying_key(os.environ)
    try:
        trigger = read_trigger_file(path, key)
    except (NotReadableError, OddDocumentError) as error:
        remedy = _AGAIN if key is not None else f"{_AGAIN}, or {_GIVE_KEY}"
        raise UsageError(f"the trigger {named(path)} is refused: {error}; {remedy}") from error
    promised = _of(trigger, file)
    if promised is None:
        raise UsageError(
            f"the trigger {named(path)} is refused: it was written for another policy than"
            f" {file.source.path}, or before that changed; {_AGAIN}"
        )
    if None not in (environment, trigger.environment) and environment != trigger.environment:
        raise UsageError(
            f"the trigger {named(path)} is refused: it was written for the environment"
            f" {trigger.environment}; {_AGAIN} for {environment}"
        )
    if promised.verdict is Verdict.BLOCK and not trigger.overridden:
        write_stderr("gate: warning: the decision of the trigger was to block this change")
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


def _of(trigger: Trigger, file: PolicyFile) -> ServicePromises | None:
    """Return the promises of one policy; None: there are none of this service and text."""
    for policy in trigger.policies:
        if (policy.service, policy.source.sha256) == (file.policy.service, file.source.sha256):
            return policy
    return None
