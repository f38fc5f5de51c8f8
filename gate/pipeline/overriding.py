"""Overrides: the one that the command line asks for, and the one that a label stands for."""

from collections.abc import Sequence

from gate.config.load import PolicyFile
from gate.decision.decision import PolicyDecision, exit_code
from gate.errors import ExitCode, UsageError
from gate.pipeline.options import Options
from gate.policy.override import Labelled, refusal


def check_asked(file: PolicyFile, options: Options) -> None:
    """Let an override of the command line pass only where a policy lets itself be overridden.

    Raises:
        UsageError: it does not count under this policy.
    """
    if options.override is None:
        return
    authors = [who for who in (options.context.author, options.context.actor) if who]
    flaw = refusal(
        options.override,
        file.policy.overrides,
        at=options.at,
        authors=authors,
        ask=options.entitled,
    )
    if flaw is not None:
        raise UsageError(f"--override does not count under {file.source.path}: {flaw}")


def overriding(decided: Sequence[PolicyDecision], options: Options) -> Labelled:
    """Return the override that counts: the one that was asked for, else one by a label.

    Of several policies each that stops the change must have a label that overrides it; of these
    overrides the one that ends first is told.
    """
    if options.override is not None:
        return Labelled(override=options.override)
    rules = [one.policy.overrides for one in decided if _stops(one, options)]
    if not all(rule.label for rule in rules):
        return Labelled()
    answers = [options.labelled(rule, options.at) for rule in dict.fromkeys(rules)]
    found = [one.override for one in answers if one.override is not None]
    if found and len(found) == len(answers):
        return Labelled(override=min(found, key=lambda override: override.until))
    return Labelled(why_not="; ".join(filter(None, dict.fromkeys(a.why_not for a in answers))))


def _stops(decided: PolicyDecision, options: Options) -> bool:
    told = exit_code(decided.verdict, observe=options.observe, fail_on_warn=options.fail_on_warn)
    return told is not ExitCode.ALLOW
