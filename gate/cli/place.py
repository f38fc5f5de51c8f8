"""Where ``gate check`` runs: the context, and how to find out about the change."""

import os
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

from gate.ci.systems import detect
from gate.decision.context import Context
from gate.policy.recognition import ChangeFacts


def context_of(system: str, base: str | None) -> Context:
    """Return the context of this run; ``base`` goes before what the CI system says."""
    context = detect(os.environ, system)
    if context.revision is None:
        context = replace(context, revision=_head())
    return context if base is None else replace(context, base=base)


def facts_of(context: Context) -> Callable[[], ChangeFacts]:
    """Return a function that finds out about the change, when a policy needs to know."""

    @cache
    def facts() -> ChangeFacts:
        # Git is run for policies that recognise changes only.
        from gate.ci.facts import change_facts  # noqa: PLC0415
        from gate.ci.git import Checkout  # noqa: PLC0415

        return change_facts(context, Checkout(Path.cwd()))

    return facts


def _head() -> str | None:
    from gate.ci.git import Checkout, GitError  # noqa: PLC0415 - outside CI only

    try:
        return Checkout(Path.cwd()).head()
    except GitError:
        return None  # not in a checkout: a decision need not be about a commit
