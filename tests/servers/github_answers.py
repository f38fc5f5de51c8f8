"""The answers of the fake GitHub, in the forms of GitHub's published description."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.parse import urlencode

from tests.servers.openapi import Description

Item = TypeVar("Item")

_LONGEST_COMMENT: Final = 65_536
_LARGEST_PAGE: Final = 100


@cache
def description() -> Description:
    """Return GitHub's published description."""
    return Description(Path(__file__).with_name("github-openapi.json"))


def user(login: str) -> dict[str, Any]:
    """Return an account as GitHub describes it."""
    kind = "Bot" if login.endswith("[bot]") else "User"
    return description().example("simple-user", login=login, type=kind)


def written(
    sha: str,
    author: str | None = "ada",
    committer: str | None = "web-flow",
    *,
    message: str = "feat: rewrite",
    name: str = "Ada Lovelace",
    email: str = "ada@example.com",
    at: str = "2026-11-01T00:00:00Z",
    parents: Sequence[str] = (),
) -> dict[str, Any]:
    """Return a commit as GitHub describes it; None: it knows no account of that address."""
    commit = description().example("commit", sha=sha)
    signature = {"name": name, "email": email, "date": at}
    by_site = {"name": "GitHub", "email": "noreply@github.com", "date": at}
    text = {
        "message": message,
        "author": signature,
        "committer": by_site if committer == "web-flow" else signature,
    }
    link = {"url": "https://x.example", "html_url": "https://x.example"}
    return commit | {
        "author": None if author is None else user(author),
        "committer": None if committer is None else user(committer),
        "commit": commit["commit"] | text,
        "parents": [{"sha": parent, **link} for parent in parents],
    }


@dataclass(frozen=True, slots=True)
class Answer:
    """The content of an answer."""

    status: int = 200
    body: Any = None
    """JSON; bytes are sent as they are, and not held against the description."""
    headers: dict[str, str] = field(default_factory=dict)


def refused(status: int, message: str, **headers: str) -> Answer:
    """Return an error as GitHub words it; underscores in the names of headers become dashes."""
    body = {"message": message, "documentation_url": "https://docs.github.com/rest"}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, body | {"status": str(status)}, named)


@dataclass(frozen=True, slots=True)
class Call:
    """A request that the description knows."""

    parts: dict[str, str]
    query: dict[str, str]
    body: Any
    url: str
    """Without the query."""


def page(
    call: Call, items: Sequence[Item], form: Callable[[Item], Any], cursor: str = "page"
) -> Answer:
    """Return one page of a list, each item in its form, and where the next is.

    Pages have numbers, or a cursor of another name, which only the host understands.
    """
    size = min(int(call.query.get("per_page", "30")), _LARGEST_PAGE)
    number = int(call.query.get(cursor, "1"))
    more = {**call.query, "per_page": str(size), cursor: str(number + 1)}
    link = f'<{call.url}?{urlencode(more)}>; rel="next"'
    shown = [form(item) for item in items[(number - 1) * size : number * size]]
    return Answer(200, shown, {"Link": link} if number * size < len(items) else {})


def too_long(body: str) -> Answer | None:
    if len(body) <= _LONGEST_COMMENT:
        return None
    return invalid("Body is too long (maximum is 65536 characters)")


def invalid(message: str) -> Answer:
    error = {"resource": "IssueComment", "code": "unprocessable", "field": "data"}
    answer = refused(422, "Validation Failed")
    return Answer(422, answer.body | {"errors": [error | {"message": message}]})
