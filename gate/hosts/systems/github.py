"""GitHub: its variables, and the event that started the run.

https://docs.github.com/en/actions/reference/workflows-and-actions/variables
https://docs.github.com/en/actions/reference/workflows-and-actions/events-that-trigger-workflows
"""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from gate.decision.decision import Context
from gate.hosts.systems.environ import Environ, number

_DEPENDABOT: Final = "dependabot[bot]"
_QUEUED: Final = re.compile(r"refs/heads/gh-readonly-queue/.+/pr-([0-9]+)-[0-9a-f]{40,64}")
"""The branch of a merge queue, which names the last pull request of its group."""
_BRANCH: Final = "refs/heads/"
_PEOPLE: Final = (
    ("sender", "login"),
    ("pusher", "name"),
    ("head_commit", "author", "username"),
    ("head_commit", "committer", "username"),
    ("deployment", "creator", "login"),
    ("workflow_run", "actor", "login"),
    ("workflow_run", "triggering_actor", "login"),
)
"""The paths in an event to an account that wrote, pushed or started something."""


def github(environ: Environ) -> Context | None:
    """Return the context of a workflow."""
    if environ.get("GITHUB_ACTIONS") != "true":
        return None
    event = _event(environ.get("GITHUB_EVENT_PATH"))
    try:
        return _checked(_context(event, environ))
    except (AttributeError, KeyError, TypeError, ValueError):
        # An event in another form than GitHub's is not evidence, not even that no labels are set.
        return replace(_context({}, environ), labels=None)


def _checked(context: Context) -> Context:
    """Return a context whose fields have the right types.

    Raises:
        TypeError: a field has another type.
    """
    texts: tuple[object, ...] = (
        *(context.revision, context.branch, context.base, context.base_branch),
        *(context.default_branch, context.title, context.author, *context.people),
    )
    labels: tuple[object, ...] = tuple(context.labels or ())
    pull: object = context.pull_request
    if not all(isinstance(text, str | None) for text in (*texts, *labels)):
        raise TypeError("a text field of the event is not a text")
    if not isinstance(pull, int | None):
        raise TypeError("the number of the pull request is not a number")
    return context


def _context(event: dict[str, Any], environ: Environ) -> Context:
    repository = environ.get("GITHUB_REPOSITORY")
    actors = (environ.get("GITHUB_TRIGGERING_ACTOR"), environ.get("GITHUB_ACTOR"))
    attempt = number(environ.get("GITHUB_RUN_ATTEMPT")) or 1
    voucher = _voucher(event)
    started = [actor for actor in actors if voucher is None or actor != voucher]
    if attempt > 1:  # the person who set the label may also have started a re-run
        started.append(environ.get("GITHUB_TRIGGERING_ACTOR"))
    involved = started + [person for person in _people(event) if person != voucher]
    common: dict[str, Any] = {
        "system": "github",
        "event": environ.get("GITHUB_EVENT_NAME"),
        "repository": repository,
        "default_branch": _dig(event, "repository", "default_branch"),
        "workspace": environ.get("GITHUB_WORKSPACE"),
        "attempt": attempt,
        "actor": next(filter(None, actors), None),
        "people": tuple(dict.fromkeys(filter(None, involved))),
        "url": f"{environ.get('GITHUB_SERVER_URL', 'https://github.com')}/{repository}/actions/runs/"
        f"{environ.get('GITHUB_RUN_ID')}",
    }
    pull = event.get("pull_request")
    if isinstance(pull, dict) and "head" in pull:
        return Context(**common, **_pull_request(pull, repository, environ))
    return Context(**common, **_without_pull_request(event, environ))


def _pull_request(pull: dict[str, Any], repository: str | None, environ: Environ) -> dict[str, Any]:
    # The repository of a fork is missing if the fork was deleted.
    source = _dig(pull, "head", "repo", "full_name")
    return {
        "revision": _dig(pull, "head", "sha"),
        "branch": _dig(pull, "head", "ref"),
        "base": _dig(pull, "base", "sha"),
        "base_branch": _dig(pull, "base", "ref"),
        "pull_request": pull.get("number"),
        "title": pull.get("title"),
        "labels": tuple(label["name"] for label in pull.get("labels", ())),
        "author": _dig(pull, "user", "login"),
        "no_secrets": source != repository or _is_dependabot(environ),
    }


def _without_pull_request(event: dict[str, Any], environ: Environ) -> dict[str, Any]:
    """Return the context of the other events; comments and queues name their pull requests, too."""
    group = event.get("merge_group", {})
    run = event.get("workflow_run") or event.get("check_suite") or event.get("check_run") or {}
    issue = event.get("issue", {})
    sha = group.get("head_sha") or _dig(event, "deployment", "sha") or run.get("head_sha")
    commented = issue.get("number") if "pull_request" in issue else None
    return {
        # A comment starts a run on the default branch, but it is about a pull request.
        "revision": sha or (None if commented else environ.get("GITHUB_SHA")),
        "branch": run.get("head_branch") or environ.get("GITHUB_REF_NAME"),
        # The commit before a push need not be live: earlier pushes may have been stopped.
        "base": group.get("base_sha"),
        "base_branch": (group.get("base_ref") or "").removeprefix(_BRANCH) or None,
        "pull_request": commented,
        "labels": None if commented else (),
        "pull_requests": tuple(_numbers(group, run)),
        "author": _dig(event, "head_commit", "author", "username"),
        "no_secrets": _is_dependabot(environ),
    }


def _numbers(group: dict[str, Any], run: dict[str, Any]) -> Iterator[int]:
    queued = _QUEUED.fullmatch(group.get("head_ref") or "")
    if queued is not None:
        yield int(queued[1])
    for pull in run.get("pull_requests") or ():
        yield int(pull["number"])


def _voucher(event: dict[str, Any]) -> str | None:
    """Return who has set a label or submitted a review, if that is the event.

    Such an event starts a run, too, but it vouches for a change of somebody else.
    """
    action = event.get("action")
    if action == "labeled" or (action == "submitted" and "review" in event):
        login: str | None = _dig(event, "sender", "login")
        return login
    return None


def _people(event: dict[str, Any]) -> Iterator[str | None]:
    yield from (_dig(event, *path) for path in _PEOPLE)
    for commit in event.get("commits") or ():
        yield _dig(commit, "author", "username")
        yield _dig(commit, "committer", "username")


def _is_dependabot(environ: Environ) -> bool:
    # Not the triggering actor: a re-run keeps the rights of the first actor, whoever starts it.
    return environ.get("GITHUB_ACTOR") == _DEPENDABOT


def _event(path: str | None) -> dict[str, Any]:
    """Return the event that started the run; empty if it cannot be read."""
    try:
        event = json.loads(Path(path or "").read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return event if isinstance(event, dict) else {}


def _dig(value: Any, *keys: str) -> Any:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value
