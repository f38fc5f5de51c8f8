"""What a code host shows beside a commit."""

from dataclasses import dataclass
from typing import Literal

State = Literal["success", "warning", "failure", "error"]
"""``warning``: the command's exit code 11, which a workflow fails on and GitLab lets pass."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitStatus:
    """A verdict as a code host shows it; each has fewer states of its own."""

    state: State
    name: str
    """Of the check; another of the same name is replaced."""
    description: str
    """One line; cut where it is too long."""
    url: str | None
    """Of the page that has more; None: there is none."""


def shortened(text: str, most: int) -> str:
    """Return a text of so many characters at most."""
    return text if len(text) <= most else f"{text[: most - 3]}..."
