"""A decision of one job and the job that deploys, with everything between them in foreign hands."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gate.decision.seal import SealKey, sealed
from tests.attacks.world import World, keeps_its_secrets
from tests.command import Result, gate
from tests.hosts.repository import git

SECRET: Final = "a secret of both sides, of 32 bytes"
Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Deploy:
    """A repository whose newest commit has been decided on, and the job that would ship it."""

    world: World

    def begin_anew(self) -> None:
        """Take away what an attempt has left."""
        git(self.world.checkout, "checkout", "--quiet", "--", ".")
        git(self.world.checkout, "clean", "-fdq")
        if self.file.is_dir() and not self.file.is_symlink():
            self.file.rmdir()
        self.file.unlink(missing_ok=True)

    @property
    def file(self) -> Path:
        """The file that one job hands to the other."""
        return self.world.folder / "decision.json"

    def decide(
        self, *arguments: str, change: str = "canary", form: str = "json", **more: Any
    ) -> Document:
        """Have the first job write a decision, and return it."""
        self.file.unlink(missing_ok=True)
        words = ("--change", change, "--write", f"{form}={self.file}", *arguments)
        self.world.run(*words, **more)
        read: Document = json.loads(self.file.read_text(encoding="utf-8"))
        return read

    def verify(
        self, document: object = None, *arguments: str, late: timedelta = timedelta(), **more: Any
    ) -> Result:
        """Run ``gate verify`` in the second job.

        Args:
            document: what lies there then; bytes as they are, None: what was handed over.
            arguments: further ones of the command.
            late: how much later that job runs.
            more: variables that it has.
        """
        if isinstance(document, bytes):
            self.file.write_bytes(document)
        elif document is not None:
            self.file.write_text(json.dumps(document), encoding="utf-8")
        then = datetime.now(UTC) + late
        with patch("gate.cli.verify.now", lambda: then):
            result = gate(
                *("verify", str(self.file), *arguments),
                cwd=self.world.checkout,
                env=self.world.environment(**more),
            )
        assert "Traceback" not in result.stderr
        assert keeps_its_secrets(result)
        return result


def refused(result: Result, words: str = "") -> bool:
    """Tell whether a decision was refused in one line, for a reason that has these words."""
    (line,) = result.stdout.splitlines()
    return result.exit_code == 3 and line.startswith("REFUSED ") and words in line


def resealed(document: Document, key: SealKey | None = None) -> Document:
    """Return a document with a seal that fits, as everybody can make who has the key."""
    return sealed({name: value for name, value in document.items() if name != "seal"}, key)


def changed(document: Document, path: tuple[str | int, ...], value: object) -> Document:
    """Return a copy of a document in which one value is another."""
    copy: Document = json.loads(json.dumps(document))
    node: Any = copy
    for step in path[:-1]:
        node = node[step]
    node[path[-1]] = value
    return copy


def paths_of(node: Any, above: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Yield where a document has a value, of whatever kind."""
    if above:
        yield above
    steps: Iterable[tuple[str | int, Any]] = node.items() if isinstance(node, dict) else ()
    steps = enumerate(node) if isinstance(node, list) else steps
    for step, child in steps:
        yield from paths_of(child, (*above, step))


def pair() -> tuple[str, str]:
    """Return a new Ed25519 key in PEM, the private half first."""
    private = Ed25519PrivateKey.generate()
    return (
        private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ).decode(),
        public_pem(private),
    )


def public_pem(private: Any) -> str:
    """Return the public half of a key of any kind in PEM."""
    text: bytes = private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return text.decode()
