"""Finding out where the gate runs, from the environment and the event file alone."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from gate.decision.decision import Context

Environ = Mapping[str, str]
Detect = Callable[[Environ], Context | None]
"""Returns None where its CI system does not run."""
_DEPENDABOT: Final = "dependabot[bot]"
_NO_COMMIT: Final = "0" * 40
"""What GitHub and GitLab give as the commit before a new branch."""


def detect(environ: Environ, system: str = "auto") -> Context:
    """Return the context of this run.

    Args:
        environ: the environment.
        system: a key of `SYSTEMS` (nothing else is looked at), ``none``, or ``auto``.
    """
    candidates = (
        SYSTEMS.values() if system == "auto" else [SYSTEMS[system]] if system in SYSTEMS else []
    )
    for candidate in candidates:
        context = candidate(environ)
        if context is not None:
            return context
    return Context(system="shell" if system == "auto" else system)


def github(environ: Environ) -> Context | None:
    """Read https://docs.github.com/en/actions/reference/workflows-and-actions/variables."""
    if environ.get("GITHUB_ACTIONS") != "true":
        return None
    event = _event(environ.get("GITHUB_EVENT_PATH"))
    repository = environ.get("GITHUB_REPOSITORY")
    actor = environ.get("GITHUB_TRIGGERING_ACTOR") or environ.get("GITHUB_ACTOR")
    common: dict[str, Any] = {
        "system": "github",
        "repository": repository,
        "actor": actor,
        "url": f"{environ.get('GITHUB_SERVER_URL', 'https://github.com')}/{repository}/actions/runs/"
        f"{environ.get('GITHUB_RUN_ID')}",
    }
    pull = event.get("pull_request") or event.get("issue") or {}
    if "head" in pull:
        return Context(**common, **_github_pull_request(pull, repository, environ))
    group = event.get("merge_group", {})
    deployment = event.get("deployment", {})
    before = event.get("before")
    return Context(
        **common,
        revision=group.get("head_sha") or deployment.get("sha") or environ.get("GITHUB_SHA"),
        branch=environ.get("GITHUB_REF_NAME"),
        base=group.get("base_sha") or (before if before != _NO_COMMIT else None),
        author=_dig(event, "head_commit", "author", "username"),
        no_secrets=_is_dependabot(environ),
    )


def _github_pull_request(
    pull: dict[str, Any], repository: str | None, environ: Environ
) -> dict[str, Any]:
    # Of a deleted fork there is no repository any more.
    source = _dig(pull, "head", "repo", "full_name")
    return {
        "revision": _dig(pull, "head", "sha"),
        "branch": _dig(pull, "head", "ref"),
        "base": _dig(pull, "base", "sha"),
        "pull_request": pull.get("number"),
        "title": pull.get("title"),
        "labels": tuple(label["name"] for label in pull.get("labels", ())),
        "author": _dig(pull, "user", "login"),
        "no_secrets": source != repository or _is_dependabot(environ),
    }


def _is_dependabot(environ: Environ) -> bool:
    # Not the triggering actor: whoever starts a run once more, it keeps the rights that it had.
    return environ.get("GITHUB_ACTOR") == _DEPENDABOT


def gitlab(environ: Environ) -> Context | None:
    """Read https://docs.gitlab.com/ci/variables/predefined_variables/."""
    if environ.get("GITLAB_CI") != "true":
        return None
    request = environ.get("CI_MERGE_REQUEST_IID")
    before = environ.get("CI_COMMIT_BEFORE_SHA", _NO_COMMIT)
    base = environ.get("CI_MERGE_REQUEST_DIFF_BASE_SHA") if request else before
    project, source = (
        environ.get("CI_PROJECT_PATH"),
        environ.get("CI_MERGE_REQUEST_SOURCE_PROJECT_PATH"),
    )
    return Context(
        system="gitlab",
        repository=project,
        # In a merged results pipeline CI_COMMIT_SHA is the trial merge.
        revision=environ.get("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA") or environ.get("CI_COMMIT_SHA"),
        branch=environ.get("CI_MERGE_REQUEST_SOURCE_BRANCH_NAME")
        or environ.get("CI_COMMIT_REF_NAME"),
        base=base if base != _NO_COMMIT else None,
        pull_request=_number(request),
        title=environ.get("CI_MERGE_REQUEST_TITLE"),
        labels=_split(environ.get("CI_MERGE_REQUEST_LABELS")),
        actor=environ.get("GITLAB_USER_LOGIN"),
        no_secrets=source is not None and source != project,
        url=environ.get("CI_JOB_URL"),
        frozen=bool(environ.get("CI_DEPLOY_FREEZE")),
    )


def buildkite(environ: Environ) -> Context | None:
    """Read https://buildkite.com/docs/pipelines/configure/environment-variables."""
    if environ.get("BUILDKITE") != "true":
        return None
    return Context(
        system="buildkite",
        repository=_repository(environ.get("BUILDKITE_REPO")),
        revision=environ.get("BUILDKITE_COMMIT"),
        branch=environ.get("BUILDKITE_BRANCH"),
        base=environ.get("BUILDKITE_PULL_REQUEST_BASE_BRANCH") or None,
        pull_request=_number(environ.get("BUILDKITE_PULL_REQUEST")),
        labels=_split(environ.get("BUILDKITE_PULL_REQUEST_LABELS")),
        actor=environ.get("BUILDKITE_BUILD_CREATOR"),
        url=environ.get("BUILDKITE_BUILD_URL"),
    )


def jenkins(environ: Environ) -> Context | None:
    """Read https://www.jenkins.io/doc/book/pipeline/multibranch/#additional-environment-variables."""
    if "JENKINS_URL" not in environ:
        return None
    request = _number(environ.get("CHANGE_ID"))
    return Context(
        system="jenkins",
        repository=_repository(environ.get("GIT_URL")),
        revision=environ.get("GIT_COMMIT"),
        branch=environ.get("CHANGE_BRANCH") or environ.get("BRANCH_NAME"),
        base=environ.get("CHANGE_TARGET"),
        pull_request=request,
        title=environ.get("CHANGE_TITLE"),
        labels=() if request is None else None,
        author=environ.get("CHANGE_AUTHOR"),
        no_secrets="CHANGE_FORK" in environ,
        url=environ.get("BUILD_URL"),
    )


def circleci(environ: Environ) -> Context | None:
    """Read https://circleci.com/docs/variables/#built-in-environment-variables."""
    if environ.get("CIRCLECI") != "true":
        return None
    request = _number(environ.get("CIRCLE_PULL_REQUEST", "").rpartition("/")[2])
    user, name = environ.get("CIRCLE_PROJECT_USERNAME"), environ.get("CIRCLE_PROJECT_REPONAME")
    return Context(
        system="circleci",
        repository=f"{user}/{name}" if user and name else None,
        revision=environ.get("CIRCLE_SHA1"),
        branch=environ.get("CIRCLE_BRANCH"),
        pull_request=request,
        labels=() if request is None else None,
        actor=environ.get("CIRCLE_USERNAME"),
        no_secrets="CIRCLE_PR_NUMBER" in environ,  # is set for forks only
        url=environ.get("CIRCLE_BUILD_URL"),
    )


SYSTEMS: Final[Mapping[str, Detect]] = {
    "github": github,
    "gitlab": gitlab,
    "buildkite": buildkite,
    "jenkins": jenkins,
    "circleci": circleci,
}
"""By the name that ``--ci`` takes, in the order in which they are tried."""


def _event(path: str | None) -> dict[str, Any]:
    """Return the event that started the run; nothing where it cannot be read."""
    try:
        event = json.loads(Path(path or "").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return event if isinstance(event, dict) else {}


def _dig(value: Any, *keys: str) -> Any:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() else None


def _split(text: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in (text or "").split(",") if part.strip())


def _repository(url: str | None) -> str | None:
    """Return ``acme/chat`` of ``git@host:acme/chat.git`` or ``https://host/acme/chat``."""
    if not url:
        return None
    path = urlsplit(url).path if "://" in url else url.rpartition(":")[2]
    return path.strip("/").removesuffix(".git") or None
