"""Read the environment of a CI system: numbers, lists and addresses."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

Environ = Mapping[str, str]
_LONGEST: Final = 18
"""The maximum number of digits; Python refuses to read thousands of them."""


def number(text: str | None) -> int | None:
    """Return a number that consists of digits; None for another text, or for too many digits."""
    if not text or len(text) > _LONGEST or not text.isascii() or not text.isdigit():
        return None
    return int(text)


def split(text: str | None) -> tuple[str, ...]:
    """Return the parts between commas."""
    return tuple(part.strip() for part in (text or "").split(",") if part.strip())


def repository(url: str | None) -> str | None:
    """Return ``acme/chat`` of ``git@host:acme/chat.git`` or ``https://host/acme/chat``.

    None: no url was given, or it is not an address.
    """
    if not url:
        return None
    try:
        path = urlsplit(url).path if "://" in url else url.rpartition(":")[2]
    except ValueError:
        return None
    return path.strip("/").removesuffix(".git") or None


_OFF: Final = frozenset({"", "0", "false", "no", "off"})
CI_SIGNS: Final = (
    "CI",
    "CONTINUOUS_INTEGRATION",
    "APPVEYOR",
    "BITBUCKET_BUILD_NUMBER",
    "BUILD_NUMBER",
    "CODEBUILD_BUILD_ID",
    "DRONE",
    "HARNESS_BUILD_ID",
    "SEMAPHORE",
    "TEAMCITY_VERSION",
    "TF_BUILD",
    "TRAVIS",
)
"""The variables that CI systems set in every job: nearly all set ``CI``, others set another one
(https://github.com/watson/ci-info/blob/master/index.js; docs of Azure Pipelines and TeamCity)."""


def in_ci(environ: Environ) -> bool:
    """Return whether this is a job of any CI system, even of an unknown one."""
    return any(environ.get(name, "").strip().lower() not in _OFF for name in CI_SIGNS)
