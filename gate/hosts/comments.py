"""One sticky comment per pull request, policy and environment, cut to what a host takes."""

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from http import HTTPStatus
from typing import Final, Protocol

from gate.hosts import RestError

_FENCE: Final = re.compile(r" {0,3}(?P<marks>`{3,}|~{3,})(?P<rest>.*)")
_TAG: Final = re.compile(r"<(?P<end>/?)(?P<name>details|summary|pre|code)\b[^>]*>", re.IGNORECASE)


def truncate(text: str, limit: int, pointer: str) -> str:
    """Return the text, or as many of its lines as fit with the pointer after them.

    What is open at the cut, folded details and blocks of code, is closed.

    Args:
        text: Markdown.
        limit: the most characters that are returned; more than the pointer has.
        pointer: Markdown that says where the whole is.
    """
    if len(text) <= limit:
        return text
    kept, tail, read, nesting = 0, pointer, 0, _Nesting()
    for line in text.splitlines(keepends=True):
        read += len(line)
        nesting.read(line)
        after = "".join(f"\n\n{part}" for part in (nesting.end(), pointer) if part)
        if read + len(after) <= limit:
            kept, tail = read, after
    return text[:kept].rstrip("\n") + tail


@dataclass(slots=True)
class _Nesting:
    """What is open after the lines that were read."""

    fence: str = ""
    tags: list[str] = field(default_factory=list)

    def read(self, line: str) -> None:
        fence = None if "pre" in self.tags else _FENCE.match(line)
        if fence is not None:
            self._pass(fence["marks"], fence["rest"].strip())
        elif not self.fence:
            for tag in _TAG.finditer(line):
                self._meet(tag["name"].lower(), ends=bool(tag["end"]))

    def end(self) -> str:
        """Return what closes it all, innermost first."""
        return "\n".join(filter(None, (self.fence, *(f"</{tag}>" for tag in self.tags[::-1]))))

    def _pass(self, marks: str, rest: str) -> None:
        if not self.fence:
            self.fence = marks
        elif marks.startswith(self.fence) and not rest:
            self.fence = ""

    def _meet(self, tag: str, *, ends: bool) -> None:
        if not ends:
            self.tags.append(tag)
        elif tag in self.tags:
            while self.tags.pop() != tag:
                pass


LIMIT: Final = 65_536
"""Characters that GitHub takes in a comment."""
_POINTER: Final = (
    "_Cut here: a comment holds no more. The summary of the job has the whole report._"
)
_ROUNDS: Final = 4
"""Of reading and writing, before whoever deletes the comment has won."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment:
    """A comment as the code host has it."""

    id: int
    """The later one has the larger."""
    author: str
    """Login; empty: the account is no more."""
    body: str
    url: str
    """Of its page."""


class Commenter(Protocol):
    """What a code host's client can do about comments. Every method raises `RestError`."""

    def login(self) -> str:
        """Return who writes with this token."""

    def comments(self, pull: int) -> Iterable[Comment]:
        """Return all comments of a pull request."""

    def create_comment(self, pull: int, body: str) -> Comment:
        """Write a comment."""

    def update_comment(self, comment: Comment, body: str) -> Comment:
        """Replace the text of a comment; status 404: it is no more."""

    def delete_comment(self, comment: Comment) -> None:
        """Delete a comment; status 404: it is no more."""


class Act(StrEnum):
    """What became of a comment."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class CommentOutcome:
    """What `upsert` did."""

    act: Act
    url: str | None = None
    """Of the comment; None: there is none, or it could not be written."""
    trouble: str = ""
    """What failed; with another act than ``failed``, that a duplicate could not be deleted."""


def marker(service: str, policy_path: str, environment: str | None) -> str:
    """Return the hidden first line of the comment on a policy; safe for any text."""
    name = json.dumps([service, policy_path, environment])
    return f"<!-- gate:v1 id={hashlib.sha256(name.encode()).hexdigest()[:32]} -->"


def upsert(client: Commenter, pull: int, marker: str, body: str) -> CommentOutcome:
    """Make sure that the pull request has one comment with this marker, and that it says this.

    Ours is a comment whose first line is the marker and whose author we are: anybody can plant a
    marker. Where two runs raced, the oldest stays. Never raises.

    Args:
        client: of the code host.
        pull: number of the pull request.
        marker: as the function of that name makes it.
        body: Markdown; cut where it is too long.
    """
    try:
        return _Upsert(client, pull, marker, truncate(f"{marker}\n{body}", LIMIT, _POINTER)).run()
    except RestError as error:
        return CommentOutcome(act=Act.FAILED, trouble=str(error))


@dataclass(slots=True)
class _Upsert:
    client: Commenter
    pull: int
    marker: str
    body: str
    me: str | None = None
    """Login; None: not asked yet."""
    made: Comment | None = None
    """By this run; the host's list may lag behind."""
    gone: set[int] = field(default_factory=set)
    """Those that the host's list still had."""

    def run(self) -> CommentOutcome:
        for _ in range(_ROUNDS):
            ours = self._ours()
            if not ours:
                self.made = self.client.create_comment(self.pull, self.body)
                self.me = self.made.author  # an app cannot ask, and what is assumed may be wrong
                continue  # and look whether another run did the same at the same time
            keep, *later = ours
            url = self._update(keep)
            if url is not None:
                return CommentOutcome(act=self._act(keep), url=url, trouble=self._delete(later))
            self.gone.add(keep.id)
        trouble = "cannot keep the comment: somebody deletes it as soon as it is written"
        return CommentOutcome(act=Act.FAILED, trouble=trouble)

    def _ours(self) -> list[Comment]:
        """Return the comments that count as ours, oldest first."""
        marked = {
            comment.id: comment
            for comment in self.client.comments(self.pull)
            if comment.body.splitlines()[:1] == [self.marker]
        }
        if self.made is not None:
            marked.setdefault(self.made.id, self.made)
        if marked and self.me is None:
            self.me = self.client.login()
        mine = (comment for comment in marked.values() if comment.author == self.me)
        return sorted(
            (comment for comment in mine if comment.id not in self.gone),
            key=lambda comment: comment.id,
        )

    def _update(self, comment: Comment) -> str | None:
        """Return the address of the comment, which says now what it should; None: it is gone."""
        if _text(comment.body) == _text(self.body):
            return comment.url
        try:
            return self.client.update_comment(comment, self.body).url
        except RestError as error:
            if error.status != HTTPStatus.NOT_FOUND:
                raise
            return None

    def _act(self, kept: Comment) -> Act:
        if self.made is not None and kept.id == self.made.id:
            return Act.CREATED
        return Act.UNCHANGED if _text(kept.body) == _text(self.body) else Act.UPDATED

    def _delete(self, comments: Iterable[Comment]) -> str:
        for comment in comments:
            try:
                self.client.delete_comment(comment)
            except RestError as error:
                if error.status != HTTPStatus.NOT_FOUND:
                    return str(error)
        return ""


def _text(body: str) -> str:
    """Return what a reader sees of it: hosts may change line ends, and trim."""
    return "\n".join(body.splitlines()).strip()
