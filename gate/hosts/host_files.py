"""Questions to code hosts about branches, commits and files of the repository of the run."""

import base64
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote

from gate.dataclass import dataclass
from gate.hosts import Purpose, RestError
from gate.hosts.github_events import github_path
from gate.hosts.rest import Rest

_CONTENT: Final = Purpose("read a file of the repository", "contents: read")
_REF: Final = Purpose("read a branch of the repository", "contents: read")
_PULL: Final = Purpose("ask where the pull request goes", "pull-requests: read")
_REPOSITORY: Final = Purpose("ask for the default branch", "metadata: read")
_NEEDS: Final = "the scope read_api and the role Reporter"
_PROJECT_FILE: Final = Purpose("read a file of the project", _NEEDS)
_PROJECT_REF: Final = Purpose("read a branch of the project", _NEEDS)
_MERGE_REQUEST: Final = Purpose("ask where the merge request goes", _NEEDS)
_PROJECT: Final = Purpose("ask for the default branch", _NEEDS)
_MOST_TAGS: Final = 5
"""The maximum depth of tags: a tag can point to a tag."""


@dataclass(frozen=True, slots=True)
class GitHubFiles:
    """The client for one repository. Every method raises `RestError` if GitHub does not answer."""

    rest: Rest
    repository: str
    """The repository's path: ``repos/acme/chat``."""

    def base_branch(self, pull: int) -> str:
        """Return the branch that a pull request currently goes into."""
        with self.rest.understood(_PULL):
            path = f"{self.repository}/pulls/{pull}"
            return _name(self.rest.ask(_PULL, "GET", path)["base"]["ref"])

    def default_branch(self) -> str:
        """Return the name of the default branch."""
        with self.rest.understood(_REPOSITORY):
            return _name(self.rest.ask(_REPOSITORY, "GET", self.repository)["default_branch"])

    def commit(self, ref: str) -> str | None:
        """Return the commit of a ref, ``refs/heads/main``; None: no such ref."""
        path = f"{self.repository}/git/ref/{github_path(*ref.split('/')[1:])}"
        with self.rest.understood(_REF):
            answer = _unless_missing(self.rest, _REF, path)
            if answer is None:
                return None
            target = answer["object"]
            for _ in range(_MOST_TAGS):
                if target["type"] == "commit":
                    return _name(target["sha"])
                tag = f"{self.repository}/git/tags/{github_path(target['sha'])}"
                target = self.rest.ask(_REF, "GET", tag)["object"]
            raise ValueError(ref)

    def file(self, path: str, commit: str) -> bytes | None:
        """Return a file as it is in a commit, given by its full hash; None: it has no such file."""
        contents = f"{self.repository}/contents/{github_path(*path.split('/'))}"
        # First read the commit: GitHub also answers "not found" to a token that may not read files.
        commits = f"{self.repository}/commits/{github_path(commit)}"
        with self.rest.understood(_CONTENT):
            there = self.rest.ask(_CONTENT, "GET", commits, query={"per_page": "1"})
            if there["sha"] != commit:  # a branch may have any name, also that of a hash
                raise RestError(f"cannot {_CONTENT.doing}: GitHub has another commit at {commit}")
            answer = _unless_missing(self.rest, _CONTENT, contents, ref=commit)
            if answer is None:
                return None
            # A folder is a list; a file above 1 MB comes without its content.
            kind = "folder" if isinstance(answer, list) else answer["type"]
            if kind != "file" or answer["encoding"] != "base64":
                reason = f"{path} is not a file, or is larger than 1 MB"
                raise RestError(f"cannot {_CONTENT.doing}: {reason}")
            return base64.b64decode(answer["content"])


@dataclass(frozen=True, slots=True)
class GitLabFiles:
    """The client for one project. Every method raises `RestError` if GitLab does not answer."""

    rest: Rest
    project: str
    """The project's path: ``projects/42``."""

    def base_branch(self, pull: int) -> str:
        """Return the branch that a merge request currently goes into."""
        with self.rest.understood(_MERGE_REQUEST):
            path = f"{self.project}/merge_requests/{pull}"
            return _name(self.rest.ask(_MERGE_REQUEST, "GET", path)["target_branch"])

    def default_branch(self) -> str:
        """Return the name of the default branch."""
        with self.rest.understood(_PROJECT):
            return _name(self.rest.ask(_PROJECT, "GET", self.project)["default_branch"])

    def commit(self, ref: str) -> str | None:
        """Return the commit of a ref, ``refs/heads/main``; None: no such ref."""
        _, kind, name = ref.split("/", 2)
        place = {"heads": "branches", "tags": "tags"}.get(kind)
        if place is None:
            raise RestError(f"cannot {_PROJECT_REF.doing}: {ref} is neither a branch nor a tag")
        path = f"{self.project}/repository/{place}/{quote(name, safe='')}"
        with self.rest.understood(_PROJECT_REF):
            answer = _unless_missing(self.rest, _PROJECT_REF, path)
            return None if answer is None else _name(answer["commit"]["id"])

    def file(self, path: str, commit: str) -> bytes | None:
        """Return a file as it is in a commit, given by its full hash; None: it has no such file."""
        commits = f"{self.project}/repository/commits/{quote(commit, safe='')}"
        # First read the commit: GitLab also answers 404 for a commit that it does not have.
        self.rest.ask(_PROJECT_FILE, "GET", commits)
        files = f"{self.project}/repository/files/{quote(path, safe='')}"
        with self.rest.understood(_PROJECT_FILE):
            answer = _unless_missing(self.rest, _PROJECT_FILE, files, ref=commit)
            return None if answer is None else base64.b64decode(answer["content"])


def _unless_missing(rest: Rest, purpose: Purpose, path: str, **query: str) -> Any:
    """Return the answer; None if the host answers that it does not exist."""
    try:
        answer = rest.ask(purpose, "GET", path, query=query or None)
    except RestError as error:
        if error.status != HTTPStatus.NOT_FOUND:
            raise
        return None
    if answer is None:
        raise TypeError(path)  # an empty answer is not a proof
    return answer


def _name(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise TypeError(value)
    return value
