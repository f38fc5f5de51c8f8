"""The identity of a gate on one change: the mark of its comment, the name of its status.

A gate is the policies that it applies, the environment that the change would ship to, and a key
that the user sets where these are the same, as in the legs of a matrix. Two gates of different
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
"""A policy at this place needs no mention in the name of a status."""
_LONGEST_NAME: Final = 255
"""Bytes. GitLab documents 255 characters; GitHub documents no limit, and refuses longer names."""
_TAIL: Final = 12
"""Hexadecimal digits that replace the rest of a name that is too long."""
_RESERVED: Final = frozenset("%/(),")
"""Characters with a meaning in the name of a status."""
_UNSEEN: Final = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp", "Zs"})
"""Unicode categories that a reader cannot see, or take for something else."""
_PLANE: Final = 0xFFFF
"""Characters above it are refused by some hosts in some fields."""
_SERVICE: Final = re.compile(
    r"""^service:[ \t]+(?P<quote>["']?)(?P<name>[^"'#\r\n]*?)(?P=quote)[ \t]*(?:#.*)?\r?$""",
    re.MULTILINE,
)


def path_from_top(path: str, folder: str) -> str:
    """Return where a policy is, from the top of the repository, however it was given.

    Args:
        path: as it was given: absolute, or from the working folder.
        folder: the working folder, from the top; empty: it is the top.
    """
    return posixpath.normpath(posixpath.join(folder, *Path(os.path.relpath(path)).parts))


def claimed_service(text: str) -> str | None:
    """Return the service that the text of a policy names, be the rest of it wrong; None: none.

    It may be the text of the change, so nothing good may be said in its name.
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
    """The name of the commit status, of the user; None: it is made of the other fields."""

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

        A policy that is not ``gate.yaml`` at the top is named behind its service, so that two
        services of one name in two folders have two statuses. Two identities never have one name.

        Args:
            services: of the policies, in the order of ``paths``; None: it is not known.
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
    """Return a part of a name; two texts never become the same part."""
    return "".join(
        char if char in keep or _shows(char, place, len(text)) else _percent(char)
        for place, char in enumerate(text)
    )


def _shows(char: str, place: int, length: int) -> bool:
    if char == " ":  # hosts trim what they are sent
        return 0 < place < length - 1
    return (
        char not in _RESERVED and unicodedata.category(char) not in _UNSEEN and ord(char) <= _PLANE
    )


def _percent(char: str) -> str:
    return "".join(f"%{byte:02X}" for byte in char.encode("utf-8", "surrogatepass"))


def _within(name: str) -> str:
    """Return a name, or as much of it as a host takes with a hash of the whole."""
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
    """The facts about a commit status that its address carries; hosts have no field for them.

    It counts only in a status that the gate's own account has set.
    """

    gate: str
    """`GateIdentity.digest`."""
    question: str | None = None
    """Stands for the classes and the options of the decision. None: nothing was decided."""
    job: str | None = None
    """24 hexadecimal digits, of which the first 12 identify the run. None: it is not known."""

    @staticmethod
    def read(url: str) -> "StatusLink | None":
        """Return what an address says; None: no gate has made it."""
        match = _LINK.search(url)
        return StatusLink(match["gate"], match["question"], match["job"]) if match else None

    def yields_to(self, other: "StatusLink") -> bool:
        """Tell whether another status is of the same gate in the same run, but of another job."""
        if self.job is None or other.job is None or self.job == other.job:
            return False
        return self.gate == other.gate and self.job[:12] == other.job[:12]

    def at(self, url: str | None) -> str | None:
        """Return the address of a page, followed by this identity; None without a page."""
        more = f"-{self.question}" if self.question else ""
        more += f"~{self.job}" if self.job else ""
        return None if url is None else f"{url.split('#')[0]}#gate-{self.gate}{more}"
