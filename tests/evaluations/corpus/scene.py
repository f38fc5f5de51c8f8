"""The place where a doctored or an honest file is tried: a repository, its policy, and a check.

Each scene is a git repository whose policy lets a model update ship only with an evaluation. The
budget is untouched, so that only the evaluation decides. The honest files were written by real
tools on 28 November 2026 (`tests/data/evaluations`); the only change to them is that the commit
that they name is the one of the scene, which is what the tool would have written there.
"""

import atexit
import base64
import hmac
import io
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, Final

from tests.command import Result, gate
from tests.hosts.repository import commit, git

if sys.version_info >= (3, 14):
    import zipfile
else:
    from backports.zstd import zipfile

DATA: Final = Path(__file__).parents[2] / "data" / "evaluations"
AT: Final = datetime(2026, 11, 28, 23, 30, tzinfo=UTC)
"""When the check happens: half an hour after the honest runs, whose times stay as they are."""
HONEST_COMMITS: Final = ("46c34f6b8f3fe90c303ccc3e1cca1a21079c6849", "68c0ea6", "50edd5c")
"""The commits that the honest files name, whole or their first 7 digits."""
OTHER_COMMIT: Final = "0123456789abcdef0123456789abcdef01234567"
ATTESTED_AT: Final = "2026-11-28T23:00:00Z"
BEFORE: Final = "evals/before.json"
"""The results of the commit before, where they are compared."""
ENDING: Final = ".attestation.json"
KEY: Final = "a secret of the runs that may attest to files"
"""The secret that the scene's runs sign with, and that the check verifies with."""

POLICY: Final = """\
version: 1
service: chat
backend: {type: static, path: counts.yaml}
slos:
  - {name: availability, objective: 99.9%, window: 30d}
tiers:
  - {name: any, otherwise: true, allow: all, require: {model-update: [REQUIREMENT]}}
"""
COUNTS: Final = "counts: {availability: {total: 1000000, bad: 0}}\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """An honest run that meets a requirement, from which doctorings start."""

    source: str
    """The honest file, below `DATA`."""
    requirement: Mapping[str, Any]
    """The keys of the requirement except ``from``."""
    target: str = "evals/run.json"
    """Where the tool writes it in the scene."""
    compared: str | None = None
    """The honest file with the results of the commit before; None: nothing is compared."""
    attested: bool = False
    """Whether the run attests to the files, as their format has no commit or time."""
    files: Mapping[str, str] = field(default_factory=dict)
    """Further files of the commit, such as a list of case ids: name and text."""


@cache
def _template(policy: str, files: tuple[tuple[str, str], ...]) -> Path:
    """Return a repository with one commit that has the policy; it is copied and never changed."""
    folder = Path(mkdtemp(prefix="gate-corpus-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    git(folder, "init", "--quiet", "--template=", "--initial-branch=main")
    commit(folder, "begin", {"gate.yaml": policy, "counts.yaml": COUNTS, **dict(files)})
    return folder


def packed_again(content: bytes, change: Callable[[str, bytes], bytes | None]) -> bytes:
    """Return an archive of Inspect, compressed as it was, with other content of its members.

    The function gets the name and the content of each, and returns None where it is left out.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as before, zipfile.ZipFile(buffer, "w") as after:
        for member in before.infolist():
            changed = change(member.filename, before.read(member))
            if changed is not None:
                after.writestr(member, changed)
    return buffer.getvalue()


def envelope(statement: Mapping[str, Any], key: str = KEY) -> str:
    """Return a statement in a signed DSSE envelope."""
    kind = "application/vnd.in-toto+json"
    payload = json.dumps(statement).encode()
    text = b"DSSEv1 %d %s %d %s" % (len(kind), kind.encode(), len(payload), payload)
    signature = hmac.new(key.encode(), text, "sha256").digest()
    return json.dumps(
        {
            "payloadType": kind,
            "payload": base64.b64encode(payload).decode(),
            "signatures": [{"sig": base64.b64encode(signature).decode()}],
        }
    )


@dataclass(slots=True, kw_only=True)
class Scene:
    """A repository with an honest run in it, which a doctoring then changes."""

    folder: Path
    base: Base
    head: str = ""
    before: str = ""
    """The commit before, where the base is compared."""
    environment: dict[str, str] = field(default_factory=lambda: {"GATE_SIGNING_KEY": KEY})

    @classmethod
    def begin(cls, folder: Path, base: Base) -> "Scene":
        """Make the repository of a base in a folder that is not there yet, with its honest files.

        They are attested to later, so that a doctored content is what the run itself attests to.
        """
        requirement = json.dumps({"from": "evals/*", **base.requirement})
        template = _template(
            POLICY.replace("REQUIREMENT", requirement), tuple(sorted(base.files.items()))
        )
        shutil.copytree(template, folder)
        scene = cls(folder=folder, base=base, head=git(folder, "rev-parse", "HEAD"))
        scene.take(base.source)
        if base.compared is not None:
            scene.write(scene.honest(base.compared), BEFORE)
            scene.before = scene.head
            git(folder, "commit", "--quiet", "--allow-empty", "--message=change")
            scene.head = git(folder, "rev-parse", "HEAD")
            scene.take(base.source)
        return scene

    @property
    def file(self) -> Path:
        """The result file."""
        return self.folder / self.base.target

    def honest(self, source: str) -> bytes:
        """Return an honest file as its tool would have written it in this repository."""
        content = (DATA / source).read_bytes()
        if source.endswith(".eval"):
            return packed_again(content, lambda _, member: self._about_head(member))
        if source.startswith("promptfoo/"):  # some runs were not given a tag
            tags = b'"config":{"tags":{"git.sha":"%s"}' % HONEST_COMMITS[0].encode()
            content = content.replace(b'"config":{"tags":{}', tags)
        return self._about_head(content)

    def _about_head(self, content: bytes) -> bytes:
        for digits in (40, 7):
            for named in HONEST_COMMITS:
                written = named[:digits]
                content = content.replace(written.encode(), self.head[: len(written)].encode())
        return content

    def write(self, content: bytes | str, target: str | None = None) -> Path:
        """Write a result file; without a name the one that the base has."""
        path = self.folder / (target or self.base.target)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def take(self, source: str, target: str | None = None) -> None:
        """Write an honest file."""
        self.write(self.honest(source), target)

    def replace(self, old: str, new: str, count: int = -1) -> None:
        """Replace text in the result file, in which it must be."""
        text = self.file.read_text(encoding="utf-8")
        assert old in text, f"{self.base.source} does not have {old}"
        self.write(text.replace(old, new, count))

    @contextmanager
    def json(self, target: str | None = None) -> Iterator[Any]:
        """Give the document of a JSON file, and write what the block made of it."""
        path = self.folder / (target or self.base.target)
        document = json.loads(path.read_bytes())
        yield document
        self.write(json.dumps(document, separators=(",", ":")), target)

    @property
    def results(self) -> list[str]:
        """The names of all result files, without attestations."""
        names = sorted(path.name for path in (self.folder / "evals").iterdir())
        return [f"evals/{name}" for name in names if not name.endswith(ENDING)]

    @property
    def is_attested(self) -> bool:
        """Whether somebody has attested to the results already."""
        return any(path.name.endswith(ENDING) for path in (self.folder / "evals").iterdir())

    def attest(self) -> None:
        """Run ``gate attest`` on the results, as if right after the evaluation."""
        done = gate(
            *("attest", *self.results, "--at", ATTESTED_AT),
            cwd=self.folder,
            env=self.environment,
        )
        assert done.exit_code == 0, done.stderr

    def sign(self, *, key: str = KEY, commit: str | None = None, at: str = ATTESTED_AT) -> None:
        """Sign for the results whatever they are, as a careless job or somebody with a key does.

        This is written by the description of the format, and not with the program.
        """
        for name in self.results:
            digest = sha256((self.folder / name).read_bytes()).hexdigest()
            statement = {
                "_type": "https://in-toto.io/Statement/v1",
                "subject": [{"name": name, "digest": {"sha256": digest}}],
                "predicateType": "urn:error-budget-gate:evaluation-result:1",
                "predicate": {"commit": commit or self.head, "time": at, "tool_version": "0.1.0"},
            }
            self.write(envelope(statement, key), f"{name}{ENDING}")

    @property
    def arguments(self) -> list[str]:
        """The command line of the check, without the name of the program."""
        base = ["--base", self.before] if self.before else []
        return ["check", "gate.yaml", "--change", "model-update", "--policy-ref", "none", *base]

    def check(self, *more: str) -> Result:
        """Decide on the change, half an hour after the honest runs."""
        return gate(
            *self.arguments,
            *("--at", f"{AT:%Y-%m-%dT%H:%M:%SZ}"),
            *more,
            cwd=self.folder,
            env={**dict.fromkeys(("GATE_SIGNING_KEY", "GATE_VERIFY_KEY")), **self.environment},
        )

    def touch(self, at: datetime = AT) -> None:
        """Set the time of the result file's last change."""
        os.utime(self.file, (at.timestamp(), at.timestamp()))
