"""Cut the operations that the fake GitHub plays out of GitHub's whole published description.

Nothing is changed, only left out. How to run it is in github-openapi.md beside it.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

OPERATIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "/orgs/{org}/teams/{team_slug}/memberships/{username}": ("get",),
    "/repos/{owner}/{repo}": ("get",),
    "/repos/{owner}/{repo}/actions/artifacts": ("get",),
    "/repos/{owner}/{repo}/actions/artifacts/{artifact_id}/{archive_format}": ("get",),
    "/repos/{owner}/{repo}/activity": ("get",),
    "/repos/{owner}/{repo}/collaborators/{username}/permission": ("get",),
    "/repos/{owner}/{repo}/commits/{ref}/statuses": ("get",),
    "/repos/{owner}/{repo}/commits/{commit_sha}/pulls": ("get",),
    "/repos/{owner}/{repo}/commits/{ref}": ("get",),
    "/repos/{owner}/{repo}/compare/{basehead}": ("get",),
    "/repos/{owner}/{repo}/contents/{path}": ("get",),
    "/repos/{owner}/{repo}/deployments": ("get",),
    "/repos/{owner}/{repo}/deployments/{deployment_id}/statuses": ("get",),
    "/repos/{owner}/{repo}/git/ref/{ref}": ("get",),
    "/repos/{owner}/{repo}/git/tags/{tag_sha}": ("get",),
    "/repos/{owner}/{repo}/issues/comments/{comment_id}": ("delete", "patch"),
    "/repos/{owner}/{repo}/issues/{issue_number}/comments": ("get", "post"),
    "/repos/{owner}/{repo}/issues/{issue_number}/events": ("get",),
    "/repos/{owner}/{repo}/pulls": ("get",),
    "/repos/{owner}/{repo}/pulls/{pull_number}": ("get",),
    "/repos/{owner}/{repo}/pulls/{pull_number}/commits": ("get",),
    "/repos/{owner}/{repo}/pulls/{pull_number}/files": ("get",),
    "/repos/{owner}/{repo}/pulls/{pull_number}/reviews": ("get",),
    "/repos/{owner}/{repo}/statuses/{sha}": ("post",),
    "/user": ("get",),
    "/users/{username}": ("get",),
}
"""Path -> methods, as the description writes them."""

_ALSO: Final = "#/components/schemas/basic-error"
"""The schema of an error that an operation does not list."""
_LEFT_OUT: Final = frozenset({"examples", "externalDocs", "x-github", "x-octokit"})
"""Keys that say nothing about what is valid."""


def subset(whole: Mapping[str, Any]) -> dict[str, Any]:
    """Return the operations and, of the components, whatever they refer to."""
    paths = {
        path: {method: _pruned(whole["paths"][path][method]) for method in methods}
        for path, methods in OPERATIONS.items()
    }
    cut: dict[str, Any] = {
        "openapi": whole["openapi"],
        "info": whole["info"],
        "servers": whole["servers"],
        "paths": paths,
        "components": {},
    }
    waiting = [_ALSO, *_references(paths)]
    while waiting:
        _, _, kind, name = waiting.pop().split("/")
        room = cut["components"].setdefault(kind, {})
        if name not in room:
            room[name] = _pruned(whole["components"][kind][name])
            waiting += _references(room[name])
    return cut


def _pruned(node: Any) -> Any:
    if isinstance(node, list):
        return [_pruned(item) for item in node]
    if isinstance(node, dict):
        return {key: _pruned(value) for key, value in node.items() if key not in _LEFT_OUT}
    return node


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, list):
        for item in node:
            yield from _references(item)
    elif isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for value in node.values():
            yield from _references(value)


if __name__ == "__main__":
    source, target = map(Path, sys.argv[1:])
    made = subset(json.loads(source.read_text(encoding="utf-8")))
    target.write_text(
        json.dumps(made, indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8"
    )
