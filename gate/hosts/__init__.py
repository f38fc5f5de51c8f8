"""Code hosts, CI systems and git: what they know about a change, and what they show of it."""

from datetime import datetime
from typing import Literal

from gate.dataclass import dataclass


class RestError(LookupError):
    """A code host did not carry out a request; the text is one sentence, without any secret."""

    def __init__(self, sentence: str, status: int | None = None) -> None:
        super().__init__(sentence)
        self.status = status
        """The HTTP status; 429 if a limit is reached, None without an answer."""


@dataclass(frozen=True, slots=True)
class Purpose:
    """The purpose of a request."""

    doing: str
    """The words that follow "cannot"."""
    needs: str
    """The permission that it needs: ``pull-requests: write``; empty: none."""


State = Literal["pending", "success", "warning", "failure", "error"]
"""``warning``: the command's exit code 11, with which a workflow fails and a GitLab job goes on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitStatus:
    """A verdict in the form that a code host shows; each host has fewer states of its own."""

    state: State
    name: str
    """The name of the check; another check of the same name is replaced."""
    description: str
    """One line; it is cut if it is too long."""
    ending: str = ""
    """The text after the description, which is never cut."""
    url: str | None
    """The address of a page with more; None: no such page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PostedStatus:
    """A status that a commit has, or had before another one of the same name."""

    state: State
    """One of the host's states; any other counts as ``pending``."""
    name: str
    description: str
    url: str
    author: str
    """Login; empty: the account was deleted."""
    at: datetime
    """The time when it was set."""


def shortened(text: str, most: int) -> str:
    """Return the text, cut to at most ``most`` characters."""
    return text if len(text) <= most else f"{text[: most - 3]}..."


def described(status: CommitStatus, most: int) -> str:
    """Return the text of a status, cut to at most ``most`` characters, with its whole ending."""
    return shortened(status.description, most - len(status.ending)) + status.ending
