"""One updated comment per pull request and gate, cut to the maximum length of the host."""

import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import field
from enum import StrEnum
from http import HTTPStatus
from typing import Final, Protocol

from gate.dataclass import dataclass
from gate.hosts import RestError
from gate.hosts.cut import truncate

LIMIT: Final = 65_536
"""The maximum number of characters in a GitHub comment."""
_POINTER: Final = "_Cut here: a comment cannot be longer. The job summary has the whole report._"
_ROUNDS: Final = 4
"""The number of attempts before another writer that deletes the comment wins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment:
    """A comment on the code host."""

    id: int
    """A later comment has a larger id."""
    author: str
    """Login; empty: the account was deleted."""
    body: str
    url: str
    """The address of its page."""


class Commenter(Protocol):
    """The operations of a code host's client on comments. Every method raises `RestError`."""

    def login(self) -> str:
        """Return the account of this token."""

    def comments(self, pull: int) -> Iterable[Comment]:
        """Return all comments of a pull request."""

    def create_comment(self, pull: int, body: str) -> Comment:
        """Write a comment."""

    def update_comment(self, comment: Comment, body: str) -> Comment:
        """Replace the text of a comment; status 404: it no longer exists."""

    def delete_comment(self, comment: Comment) -> None:
        """Delete a comment; status 404: it no longer exists."""


class Act(StrEnum):
    """The outcome for a comment."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    KEPT = "kept"
    """Another job of the same run wrote it, with a worse verdict."""
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class CommentOutcome:
    """The outcome of `upsert`."""

    act: Act
    url: str | None = None
    """The address of the comment; None: no comment, or it could not be written."""
    trouble: str = ""
    """The failure; with another act than ``failed``, a warning in the log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommentWriter:
    """The run and the job that write a comment, and the severity of its verdict."""

    run: str
    """A text that identifies the run and its attempt."""
    job: str
    """A text that identifies the job in the run, also the legs of a matrix."""
    severity: int
    """A larger number is worse."""

    @property
    def line(self) -> str:
        """The hidden second line of the comment."""
        return f"<!-- gate:run {self.digits[:12]} {self.digits[12:]} {self.severity} -->"

    @property
    def digits(self) -> str:
        """24 hexadecimal digits: twelve identify the run, and twelve the job."""
        names = (self.run, self.job)
        return "".join(hashlib.sha256(name.encode()).hexdigest()[:12] for name in names)

    def yields_to(self, body: str) -> bool:
        """Return whether another job of the same run wrote this comment, with a worse verdict."""
        theirs = _WRITER.fullmatch((body.splitlines()[1:2] or [""])[0])
        ours = _WRITER.fullmatch(self.line)
        if theirs is None or ours is None or theirs["run"] != ours["run"]:
            return False
        return theirs["job"] != ours["job"] and int(theirs["severity"]) > self.severity


_WRITER: Final = re.compile(
    r"<!-- gate:run (?P<run>[0-9a-f]{12}) (?P<job>[0-9a-f]{12}) (?P<severity>[0-9]) -->"
)
_SHARED: Final = (
    "another job of this run wrote a worse verdict there; give each job its own gate key"
)


def marker(service: str, policy_path: str, environment: str | None) -> str:
    """Return the first line of comments from before places and keys were distinguished.

    Such a comment is reused, and gets the line of `GateIdentity.marker`.
    """
    name = json.dumps([service, policy_path, environment])
    return f"<!-- gate:v1 id={hashlib.sha256(name.encode()).hexdigest()[:32]} -->"


def upsert(
    client: Commenter,
    pull: int,
    marker: str,
    body: str,
    *,
    former: str | None = None,
    writer: CommentWriter | None = None,
) -> CommentOutcome:
    """Make sure that the pull request has exactly one comment with this marker and this text.

    Our comment has the marker as its first line and our account as its author: anybody can write a
    marker. If two runs raced, the oldest comment stays. Never raises.

    Args:
        client: the client of the code host.
        pull: the number of the pull request.
        marker: the marker of the gate.
        body: Markdown; it is cut if it is too long.
        former: the marker that a comment of the same gate may still have; None: no such marker.
        writer: the job that writes; it does not replace another job's worse verdict by a better
            one. None: unknown.
    """
    head = marker if writer is None else f"{marker}\n{writer.line}"
    whole = truncate(f"{head}\n{body}", LIMIT, _POINTER)
    try:
        return _Upsert(client, pull, (marker, former or marker), whole, writer).run()
    except RestError as error:
        return CommentOutcome(act=Act.FAILED, trouble=str(error))


@dataclass(slots=True)
class _Upsert:
    client: Commenter
    pull: int
    markers: tuple[str, ...]
    body: str
    writer: CommentWriter | None = None
    me: str | None = None
    """The login; None: not asked yet."""
    made: Comment | None = None
    """The comment that this run made; the host's list may lag behind."""
    gone: set[int] = field(default_factory=set)
    """The deleted comments that the host's list still has."""

    def run(self) -> CommentOutcome:
        for _ in range(_ROUNDS):
            ours = self._ours()
            if not ours:
                self.made = self.client.create_comment(self.pull, self.body)
                self.me = (
                    self.made.author
                )  # an app cannot ask this, and the assumed account may be wrong
                continue  # then check whether another run has done the same meanwhile
            keep, *later = ours
            if self.writer is not None and any(self.writer.yields_to(c.body) for c in ours):
                return self._left_alone(ours)
            url = self._update(keep)
            if url is not None:
                return CommentOutcome(act=self._act(keep), url=url, trouble=self._delete(later))
            self.gone.add(keep.id)
        trouble = "cannot update the comment: somebody deletes it as soon as it is written"
        return CommentOutcome(act=Act.FAILED, trouble=trouble)

    def _left_alone(self, ours: Sequence[Comment]) -> CommentOutcome:
        """Leave another job's comment as it is, and delete one that this job has just made."""
        mine = [c for c in ours if self.made is not None and c.id == self.made.id]
        trouble = "; ".join(filter(None, [_SHARED, self._delete(mine)]))
        kept = next(comment for comment in ours if comment not in mine)
        return CommentOutcome(act=Act.KEPT, url=kept.url, trouble=trouble)

    def _ours(self) -> list[Comment]:
        """Return our comments, the oldest first."""
        marked = {
            comment.id: comment
            for comment in self.client.comments(self.pull)
            if comment.body.split("\n", 1)[0].rstrip("\r") in self.markers
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
        """Return the address of the comment with its new text; None: it no longer exists."""
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
    """Return the visible text: hosts may change line ends, and trim."""
    return "\n".join(body.splitlines()).strip()
