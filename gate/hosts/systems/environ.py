"""Reading the environment of a CI system: numbers, lists and addresses."""

from collections.abc import Mapping
from urllib.parse import urlsplit

Environ = Mapping[str, str]


def number(text: str | None) -> int | None:
    """Return a number of digits; None: the text is something else."""
    return int(text) if text and text.isascii() and text.isdigit() else None


def split(text: str | None) -> tuple[str, ...]:
    """Return what stands between commas."""
    return tuple(part.strip() for part in (text or "").split(",") if part.strip())


def repository(url: str | None) -> str | None:
    """Return ``acme/chat`` of ``git@host:acme/chat.git`` or ``https://host/acme/chat``."""
    if not url:
        return None
    path = urlsplit(url).path if "://" in url else url.rpartition(":")[2]
    return path.strip("/").removesuffix(".git") or None
