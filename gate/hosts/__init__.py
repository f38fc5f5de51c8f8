"""Code hosts, CI systems and git: what they know of a change, and what they show of it."""

from dataclasses import dataclass


class RestError(LookupError):
    """A code host could not be asked or told; the text is one sentence, without any secret."""

    def __init__(self, sentence: str, status: int | None = None) -> None:
        super().__init__(sentence)
        self.status = status
        """Of HTTP, 429 where a limit is reached; None: there was no answer."""


@dataclass(frozen=True, slots=True)
class Purpose:
    """What a request is for."""

    doing: str
    """As it follows "cannot"."""
    needs: str
    """The permission: ``pull-requests: write``; empty: none."""
