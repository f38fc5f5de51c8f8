"""Loading policy files: the text, its place in git, and what it says."""

import subprocess
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

from gate.config.policy_shape import POLICY, Contents
from gate.config.reader import Reader, UnreadableError, after, compose
from gate.decision.decision import Source
from gate.errors import Mistake, PolicyError
from gate.policy.policy import Policy
from gate.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyFile:
    """A policy that was read, and where it came from."""

    policy: Policy
    settings: Settings
    source: Source
    warnings: tuple[Mistake, ...]
    altered: str | None = None
    """Hash of the file as the change would have it, where that differs; None: it does not."""
    proposed: "PolicyFile | None" = None
    """The altered file's policy; None: nothing is altered, or it is no policy any more."""


def load(path: str, environ: Mapping[str, str]) -> PolicyFile:
    """Read one policy file.

    Raises:
        PolicyError: it cannot be read or says something wrong; carries every mistake.
    """
    raw = _bytes(path)
    revision, modified = _revision(Path(path))
    return _read(raw, path, environ, revision=revision, modified=modified)


def load_pinned(path: str, environ: Mapping[str, str], raw: bytes, revision: str) -> PolicyFile:
    """Read a policy as another commit has it, and beside it what the file says now.

    Raises:
        PolicyError: the pinned text says something wrong; carries every mistake.
    """
    pinned = _read(raw, path, environ, revision=revision, modified=False)
    try:
        now = _bytes(path)
    except PolicyError:
        return replace(pinned, altered=sha256().hexdigest())  # the change deletes it
    if now == raw:
        return pinned
    proposed = None
    with suppress(PolicyError):
        proposed = _read(now, path, environ, revision=None, modified=True)
    return replace(pinned, altered=sha256(now).hexdigest(), proposed=proposed)


def _read(
    raw: bytes, path: str, environ: Mapping[str, str], *, revision: str | None, modified: bool
) -> PolicyFile:
    contents, mistakes = parse(raw, Reader(file=path, environ=environ))
    if contents is None:
        raise PolicyError(mistakes)
    digest = sha256(raw).hexdigest()
    return PolicyFile(
        policy=contents.policy,
        settings=contents.settings,
        source=Source(path=path, sha256=digest, revision=revision, modified=modified),
        warnings=mistakes,
    )


def validate(path: str, environ: Mapping[str, str]) -> tuple[Mistake, ...]:
    """Return every mistake and warning in a file; what it needs beyond it need not be there."""
    try:
        raw = _bytes(path)
    except PolicyError as error:
        return error.mistakes
    return parse(raw, Reader(file=path, environ=environ, offline=True))[1]


def parse(raw: bytes, reader: Reader) -> tuple[Contents | None, tuple[Mistake, ...]]:
    """Return what a file says and what is wrong with it; nothing where something is."""
    contents = None
    with suppress(UnreadableError):
        contents = POLICY.read(compose(_text(raw, reader), reader), reader)
    mistakes = tuple(sorted(set(reader.mistakes)))
    fatal = any(mistake.fatal for mistake in mistakes)
    return (None if fatal else contents), mistakes


def _bytes(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        message = f"the file cannot be read: {error.strerror}"
        raise PolicyError((Mistake(file=path, line=1, column=1, message=message),)) from error


def _text(raw: bytes, reader: Reader) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode("utf-8-sig")
        raise reader.fail(after(before), "this is no UTF-8 text") from error


def _revision(path: Path) -> tuple[str | None, bool]:
    """Return the commit that is checked out, and whether the file differs from it.

    One question to git, of the kind that is quick in large repositories too: no history is walked.
    https://git-scm.com/docs/git-status#_porcelain_format_version_2
    """
    told = ("status", "--porcelain=v2", "--branch", "--ignored", "-z", "--", path.name)
    command = ["git", "--literal-pathspecs", "-C", str(path.parent), *told]
    try:
        done = subprocess.run(command, capture_output=True, check=True, timeout=10)  # noqa: S603 - fixed command, no shell
    except (OSError, subprocess.SubprocessError, ValueError):
        return None, False  # no git, no checkout: a policy need not live in one
    lines = done.stdout.decode("utf-8", "replace").split("\0")
    states = {line[0] for line in lines if line and not line.startswith("#")}
    commits = [line.split()[-1] for line in lines if line.startswith("# branch.oid ")]
    if not commits or commits[0] == "(initial)" or states & {"?", "!"}:
        return None, False
    return commits[0], bool(states)
