"""GitHub's REST API: what the gate asks of it, and the little that it tells it.

https://docs.github.com/en/rest?apiVersion=2022-11-28; GitHub Enterprise has the same elsewhere.
"""

import base64
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final, Literal
from urllib.parse import quote

import requests

from gate.ci.comments import Comment
from gate.ci.rest import Clock, Purpose, Rest, RestError

URL: Final = "https://api.github.com"
"""Where GITHUB_API_URL does not say otherwise."""
ACTIONS: Final = "github-actions[bot]"
"""Who writes with a workflow's own token, which may not ask who it is."""

_MOST_FILES: Final = 3_000
"""That GitHub lists: https://docs.github.com/en/rest/pulls/pulls#list-pull-requests-files"""
_NAMES: Final = ("filename", "previous_filename")
_LONGEST_DESCRIPTION: Final = 140
_JUDGING: Final = frozenset({"APPROVED", "CHANGES_REQUESTED", "DISMISSED"})
"""States of a review; a mere comment takes no approval back."""

_FILES: Final = Purpose("list the files that the pull request changes", "pull-requests: read")
_LABELS: Final = Purpose("list the labels of the pull request", "pull-requests: read")
_CONTENT: Final = Purpose("read a file of the repository", "contents: read")
_RIGHT: Final = Purpose("ask who may write to the repository", "metadata: read")
_TEAM: Final = Purpose("ask who is in the team", "members: read of the organization")
_REVIEWS: Final = Purpose("list the reviews of the pull request", "pull-requests: read")
_EVENTS: Final = Purpose("ask who set the label", "pull-requests: read")
_LOGIN: Final = Purpose("ask whose token this is", "")
_COMMENTS: Final = Purpose("list the comments of the pull request", "pull-requests: read")
_WRITE: Final = Purpose("write the comment", "pull-requests: write")
_DELETE: Final = Purpose("delete a duplicate of the comment", "pull-requests: write")
_STATUS: Final = Purpose("set the commit status", "statuses: write")


class GitHubError(RestError):
    """GitHub could not be asked or told; the text is one sentence, without the token."""


@dataclass(frozen=True, slots=True, order=True)
class Account:
    """Who did something."""

    login: str
    bot: bool = False


@dataclass(frozen=True, slots=True)
class Membership:
    """Whether somebody is in a team."""

    member: bool
    """True only where GitHub says so."""
    untold: str = ""
    """Why it cannot be told; then ``member`` is False, which means nothing."""


class GitHub:
    """One repository, with one token. One thread at a time.

    Every method raises `GitHubError` where GitHub does not answer as it should.
    """

    def __init__(
        self,
        repository: str,
        token: str,
        *,
        url: str = URL,
        session: requests.Session | None = None,
        clock: Clock | None = None,
        seconds: float = 90.0,
    ) -> None:
        """Prepare; nothing is sent.

        Args:
            repository: ``acme/chat``.
            token: not empty.
            url: of the API: GITHUB_API_URL.
            session: to send with; None: one is made.
            clock: None: the real one.
            seconds: that all requests together may take, pauses between tries included.

        Raises:
            GitHubError: the repository's name is none.
        """
        self._repository = f"repos/{_path(*repository.split('/'))}"
        self._rest = Rest(
            url,
            host="GitHub",
            headers={
                "Accept": "application/vnd.github+json",
                "Authorization": f"Bearer {token}",
                "X-GitHub-Api-Version": "2022-11-28",
            },
            secret=token,
            error=GitHubError,
            session=session,
            clock=clock,
            seconds=seconds,
        )

    def changed_paths(self, pull: int) -> tuple[str, ...]:
        """Return the files that a pull request changes, old names of moved ones too."""
        with self._rest.understood(_FILES):
            files = list(self._rest.pages(_FILES, f"{self._repository}/pulls/{pull}/files"))
            if len(files) >= _MOST_FILES:
                raise GitHubError(f"cannot {_FILES.doing}: GitHub lists the first 3,000 only")
            names = [file[key] for file in files for key in _NAMES if file.get(key) is not None]
        return tuple(dict.fromkeys(names))

    def labels(self, pull: int) -> tuple[str, ...]:
        """Return the names of the labels of a pull request."""
        path = f"{self._repository}/issues/{pull}/labels"
        with self._rest.understood(_LABELS):
            return tuple(label["name"] for label in self._rest.pages(_LABELS, path))

    def content(self, path: str, ref: str) -> bytes | None:
        """Return a file as a commit or branch has it; None: that has no such file.

        Args:
            path: from the top of the repository, with slashes.
            ref: a commit, branch or tag.
        """
        address = f"{self._repository}/contents/{_path(*path.split('/'))}"
        try:
            file = self._rest.ask(_CONTENT, "GET", address, query={"ref": ref})
        except GitHubError as error:
            if error.status != HTTPStatus.NOT_FOUND:
                raise
            # So says GitHub also where the token may not read files, or there is no such commit.
            self._rest.ask(
                _CONTENT, "GET", f"{self._repository}/commits/{_path(ref)}", query={"per_page": "1"}
            )
            return None
        with self._rest.understood(_CONTENT):
            # A folder is a list; of a file above 1 MB there is no content.
            if isinstance(file, list) or file["type"] != "file" or file["encoding"] != "base64":
                raise GitHubError(f"cannot {_CONTENT.doing}: {path} is no file, or one above 1 MB")
            return base64.b64decode(file["content"])

    def may_write(self, login: str) -> bool:
        """Tell whether somebody has the right to push to the repository."""
        path = f"{self._repository}/collaborators/{_path(login)}/permission"
        with self._rest.understood(_RIGHT):
            # Of the finer roles, maintain counts as write here, and triage as read.
            return self._rest.ask(_RIGHT, "GET", path)["permission"] in {"admin", "write"}

    def in_team(self, organization: str, slug: str, login: str) -> Membership:
        """Tell whether somebody is in a team; GitHub hides teams from a workflow's own token."""
        path = f"orgs/{_path(organization)}/teams/{_path(slug)}/memberships/{_path(login)}"
        try:
            with self._rest.understood(_TEAM):
                return Membership(self._rest.ask(_TEAM, "GET", path)["state"] == "active")
        except GitHubError as error:
            if error.status not in {HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND}:
                raise
            return Membership(member=False, untold=str(error))

    def approvers(self, pull: int, revision: str) -> tuple[Account, ...]:
        """Return whose last judgement on a pull request approves this very revision."""
        path, latest = f"{self._repository}/pulls/{pull}/reviews", dict[Account, Any]()
        with self._rest.understood(_REVIEWS):
            reviews = [
                review
                for review in self._rest.pages(_REVIEWS, path)
                if review["state"] in _JUDGING and review["user"] is not None
            ]
            for review in sorted(reviews, key=lambda review: str(review["submitted_at"])):
                latest[_account(review["user"])] = review
            return tuple(
                account
                for account, review in latest.items()
                if review["state"] == "APPROVED" and review["commit_id"] == revision
            )

    def label_setter(self, pull: int, label: str) -> Account | None:
        """Return who last set a label; None: it was removed since, never set, or nobody knows."""
        path = f"{self._repository}/issues/{pull}/events"
        with self._rest.understood(_EVENTS):
            changes = [
                event
                for event in self._rest.pages(_EVENTS, path)
                if event["event"] in {"labeled", "unlabeled"} and event["label"]["name"] == label
            ]
            last = max(changes, key=lambda event: int(event["id"]), default=None)
            if last is None or last["event"] == "unlabeled" or last["actor"] is None:
                return None
            return _account(last["actor"])

    def login(self) -> str:
        """Return who writes with this token."""
        try:
            with self._rest.understood(_LOGIN):
                return str(self._rest.ask(_LOGIN, "GET", "user")["login"])
        except GitHubError as error:
            if error.status != HTTPStatus.FORBIDDEN:
                raise
            return ACTIONS

    def comments(self, pull: int) -> tuple[Comment, ...]:
        """Return all comments of a pull request, those on lines of code left out."""
        path = f"{self._repository}/issues/{pull}/comments"
        with self._rest.understood(_COMMENTS):
            return tuple(map(_comment, self._rest.pages(_COMMENTS, path)))

    def create_comment(self, pull: int, body: str) -> Comment:
        """Write a comment."""
        return self._write("POST", f"issues/{pull}/comments", body)

    def update_comment(self, comment: Comment, body: str) -> Comment:
        """Replace the text of a comment."""
        return self._write("PATCH", f"issues/comments/{comment.id}", body)

    def delete_comment(self, comment: Comment) -> None:
        """Delete a comment."""
        self._rest.ask(_DELETE, "DELETE", f"{self._repository}/issues/comments/{comment.id}")

    def set_status(
        self,
        revision: str,
        state: Literal["error", "failure", "pending", "success"],
        *,
        context: str,
        description: str,
        url: str | None = None,
    ) -> None:
        """Set a commit status.

        Args:
            revision: the full name of the commit.
            state: what the commit list shows.
            context: the name of the check; another of the same name is replaced.
            description: one line; cut where it is too long.
            url: of the page that has more; None: there is none.
        """
        short = description
        if len(short) > _LONGEST_DESCRIPTION:
            short = short[: _LONGEST_DESCRIPTION - 3] + "..."
        body = {"state": state, "context": context, "description": short}
        path = f"{self._repository}/statuses/{_path(revision)}"
        self._rest.ask(_STATUS, "POST", path, body=body | ({"target_url": url} if url else {}))

    def _write(self, method: str, path: str, body: str) -> Comment:
        with self._rest.understood(_WRITE):
            answer = self._rest.ask(
                _WRITE, method, f"{self._repository}/{path}", body={"body": body}
            )
            return _comment(answer)


def _path(*parts: str) -> str:
    """Return parts of an address; none of them can lead to another address."""
    try:
        quoted = [quote(part, safe="") for part in parts]
    except UnicodeError:  # half a character, of a file's name that is no text
        quoted = [""]
    if not {"", ".", ".."}.isdisjoint(quoted):
        raise GitHubError(f"cannot ask GitHub about {'/'.join(parts)!r}: it is no plain name")
    return "/".join(quoted)


def _comment(answer: Any) -> Comment:
    user = answer["user"]
    return Comment(
        id=int(answer["id"]),
        author="" if user is None else user["login"],
        body=answer["body"] or "",
        url=answer["html_url"],
    )


def _account(user: Any) -> Account:
    return Account(user["login"], bot=user.get("type") == "Bot")
