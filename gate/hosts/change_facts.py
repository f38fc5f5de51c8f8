"""What is known of the change itself: its paths, commit messages, labels and branch."""

from collections.abc import Callable, Sequence
from typing import Final

from gate.decision.decision import Context
from gate.hosts.git import Checkout, GitError
from gate.policy.changes import ChangeFacts

AskPaths = Callable[[], Sequence[str]]
"""Asks the code host which files a pull request changes.

Raises:
    LookupError: it cannot tell; the text says why.
"""
_NO_BASE: Final = "there is no commit to compare with; name a base"


def change_facts(
    context: Context, checkout: Checkout, *, ask_paths: AskPaths | None = None
) -> ChangeFacts:
    """Return everything that a policy may recognise a change by.

    Args:
        context: of the run; its ``base`` and ``revision`` say what is compared.
        checkout: is asked first, since it costs no round trip.
        ask_paths: is asked where the checkout is too shallow to tell.
    """
    unknown: dict[str, str] = {}
    paths = _paths(context, checkout, ask_paths, unknown)
    subjects, trailers = _messages(context, checkout, unknown)
    if context.labels is None:
        unknown["labels"] = f"{context.system} does not tell them"
    if context.branch is None:
        unknown["branches"] = f"{context.system} does not tell it"
    return ChangeFacts(
        paths=paths,
        labels=context.labels,
        branches=None if context.branch is None else (context.branch,),
        subjects=subjects,
        trailers=trailers,
        unknown=unknown,
    )


def _paths(
    context: Context, checkout: Checkout, ask: AskPaths | None, unknown: dict[str, str]
) -> Sequence[str] | None:
    try:
        return checkout.changed_paths(*_span(context))
    except GitError as error:
        unknown["paths"] = str(error)
    if ask is None:
        return None
    try:
        paths = ask()
    except LookupError as error:
        unknown["paths"] += f"; {error}"
        return None
    del unknown["paths"]
    return paths


def _messages(
    context: Context, checkout: Checkout, unknown: dict[str, str]
) -> tuple[Sequence[str] | None, Sequence[tuple[str, str]] | None]:
    title = (context.title,) if context.title else ()
    try:
        commits = checkout.commits(*_span(context))
    except GitError as error:
        unknown["trailers"] = str(error)
        if not title:
            unknown["subjects"] = str(error)
        return title or None, None
    return (*title, *commits.subjects), commits.trailers


def _span(context: Context) -> tuple[str, str]:
    if context.base is None:
        raise GitError(_NO_BASE)
    return context.base, context.revision or "HEAD"
