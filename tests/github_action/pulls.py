"""Events of a pull request, as GitHub sends them, with what the gate reads of them."""

from typing import Any

from tests.servers.github import PULL, REPOSITORY


def pull_request(**head: Any) -> dict[str, Any]:
    """Return the event of a pull request of the repository itself, unless ``repo`` says else."""
    repo = {"full_name": head.pop("repo", REPOSITORY)}
    return {
        "number": PULL,
        "pull_request": {
            "number": PULL,
            "title": "Answer in fewer words",
            "user": {"login": "ada"},
            "labels": [],
            "head": {"sha": "a" * 40, "ref": "shorter", "repo": repo, **head},
            "base": {"sha": "b" * 40, "ref": "main"},
        },
    }
