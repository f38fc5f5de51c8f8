"""The identity of a gate on one change: the marker of its comment, the name of its status.

A gate consists of the policies that it applies, the environment that the change would ship to, and
a key that the user sets if these are equal, as in the legs of a matrix. Two gates with different
identities never share a comment or a status.
"""

import hashlib
import json
import os
import posixpath
import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from gate.dataclass import dataclass

_DEFAULT_PATH: Final = "gate.yaml"
"""The path of a policy that is not mentioned in the name of a status."""
_LONGEST_NAME: Final = 255
"""The maximum length of a name in bytes. GitLab documents 255 characters; GitHub documents no
limit, and refuses longer names."""
_TAIL: Final = 12
"""The number of hexadecimal digits that replace the rest of a name that is too long."""
_RESERVED: Final = frozenset("%/(),")
"""The characters with a meaning in the name of a status."""
_UNSEEN: Final = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp", "Zs"})
"""The Unicode categories that a reader cannot see, or confuses with others."""
_PLANE: Final = 0xFFFF
"""The largest character that all hosts accept in all fields."""
_SERVICE: Final = re.compile(
    r"""^service:[ \t]+(?P<quote>["']?)(?P<name>[^"'#\r\n]*?)(?P=quote)[ \t]*(?:#.*)?\r?$""",
    re.MULTILINE,
)


def path_from_top(path: str, folder: str) -> str:
    """Return the path of a policy from the top of the repository, however it was given.

    Args:
        path: the path as it was given: absolute, or from the working folder.
        folder: the working folder, from the top; empty: the top itself.
    """
    return posixpath.normpath(posixpath.join(folder, *Path(os.path.relpath(path)).parts))


def claimed_service(text: str) -> str | None:
    """Return the service that the text of a policy names, even if the rest is wrong; None: none.

    The text may come from the change, so a verdict in favour of it must not use this name.
    """
    match = _SERVICE.search(text)
    return match["name"] or None if match else None


@dataclass(frozen=True, slots=True, kw_only=True)
class GateIdentity:
    """The identity of a gate."""

    paths: tuple[str, ...]
    """The paths of the policies, from the top of the repository, in the order given."""
    environment: str | None = None
    key: str | None = None
    """Set by the user; None: not given."""
    status_name: str | None = None
    """The name of the commit status, set by the user; None: it is made of the other fields."""

    @property
    def digest(self) -> str:
        """Twelve hexadecimal digits that identify this gate."""
        return self._hash()[:12]

    @property
    def marker(self) -> str:
        """The hidden first line of the comment; safe for any text."""
        return f"<!-- gate:v2 id={self._hash()[:32]} -->"

    def check_name(self, services: Sequence[str | None]) -> str:
        """Return the name of the commit status: ``gate/SERVICE[/ENVIRONMENT][/KEY]``.

        The path of a policy that is not ``gate.yaml`` at the top follows its service, so that two
        services of the same name in two folders have two statuses. Two identities never have the
        same name.

        Args:
            services: the services of the policies, in the order of ``paths``; None: unknown.
        """
        if self.status_name is not None:
            return _within(self.status_name)
        policies = sorted(zip(self.paths, services, strict=True), key=lambda pair: pair[0])
        parts = ["gate", ", ".join(_policy(path, service) for path, service in policies)]
        if self.environment or self.key:
            parts.append(_escaped(self.environment or ""))
        if self.key:
            parts.append(_escaped(self.key))
        return _within("/".join(parts))

    def _hash(self) -> str:
        name = json.dumps([sorted(self.paths), self.environment or None, self.key or None])
        return hashlib.sha256(name.encode()).hexdigest()


def _policy(path: str, service: str | None) -> str:
    name = "" if service is None else _escaped(service)
    if path == _DEFAULT_PATH and name:
        return name
    return f"{name} ({_escaped(path, keep='/')})".strip()


def _escaped(text: str, keep: str = "") -> str:
    """Return an escaped part of a name; two texts never become the same part."""
    return "".join(
        char if char in keep or _shows(char, place, len(text)) else _percent(char)
        for place, char in enumerate(text)
    )


def _shows(char: str, place: int, length: int) -> bool:
    if char == " ":  # hosts trim names
        return 0 < place < length - 1
    return (
        char not in _RESERVED and unicodedata.category(char) not in _UNSEEN and ord(char) <= _PLANE
    )


def _percent(char: str) -> str:
    return "".join(f"%{byte:02X}" for byte in char.encode("utf-8", "surrogatepass"))


def _within(name: str) -> str:
    """Return a name, or its beginning and a hash of the whole if it is too long for a host."""
    encoded = name.encode("utf-8", "replace")
    if len(encoded) <= _LONGEST_NAME:
        return name
    tail = hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()[:_TAIL]
    kept = encoded[: _LONGEST_NAME - _TAIL - 1].decode("utf-8", "ignore")
    return f"{kept}~{tail}"


_LINK: Final = re.compile(
    r"#gate-(?P<gate>[0-9a-f]{12})(?:-(?P<question>[0-9a-f]{12}))?(?:~(?P<job>[0-9a-f]{24}))?$"
)


@dataclass(frozen=True, slots=True)
class StatusLink:
    """The facts about a commit status in its address, since hosts have no field for them.

    They count only in a status that the gate's own account has set.
    """

    gate: str
    """The `GateIdentity.digest`."""
    question: str | None = None
    """A hash of the classes and the options of the decision. None: no decision."""
    job: str | None = None
    """24 hexadecimal digits, of which the first 12 identify the run. None: unknown."""

    @staticmethod
    def read(url: str) -> "StatusLink | None":
        """Return the facts in an address; None: it was not made by a gate."""
        match = _LINK.search(url)
        return StatusLink(match["gate"], match["question"], match["job"]) if match else None

    def yields_to(self, other: "StatusLink") -> bool:
        """Return whether another status is of the same gate and run, but of another job."""
        if self.job is None or other.job is None or self.job == other.job:
            return False
        return self.gate == other.gate and self.job[:12] == other.job[:12]

    def at(self, url: str | None) -> str | None:
        """Return the address of a page with these facts at its end; None without a page."""
        more = f"-{self.question}" if self.question else ""
        more += f"~{self.job}" if self.job else ""
        return None if url is None else f"{url.split('#')[0]}#gate-{self.gate}{more}"
