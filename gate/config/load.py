"""Loading policy files: the text, its place in git, and what it says."""

import subprocess
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from gate.config.policy_shape import POLICY, Contents
from gate.config.reader import Reader, UnreadableError, compose
from gate.decision.decision import Source
from gate.errors import Mistake, PolicyError, UsageError
from gate.policy.policy import Policy
from gate.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyFile:
    """A policy that was read, and where it came from."""

    policy: Policy
    settings: Settings
    source: Source
    warnings: tuple[Mistake, ...]


def load(path: str, environ: Mapping[str, str]) -> PolicyFile:
    """Read one policy file.

    Raises:
        UsageError: the file cannot be read at all.
        PolicyError: it says something wrong; carries every mistake.
    """
    text, digest = _text(path)
    contents, mistakes = parse(text, Reader(file=path, environ=environ))
    if contents is None:
        raise PolicyError(mistakes)
    revision, modified = _revision(Path(path))
    return PolicyFile(
        policy=contents.policy,
        settings=contents.settings,
        source=Source(path=path, sha256=digest, revision=revision, modified=modified),
        warnings=mistakes,
    )


def validate(path: str, environ: Mapping[str, str]) -> tuple[Mistake, ...]:
    """Return every mistake and warning in a file, without touching anything beyond it.

    Raises:
        UsageError: the file cannot be read at all.
    """
    _, mistakes = parse(_text(path)[0], Reader(file=path, environ=environ, offline=True))
    return mistakes


def parse(text: str, reader: Reader) -> tuple[Contents | None, tuple[Mistake, ...]]:
    """Return what the text says and what is wrong with it; nothing where something is."""
    contents = None
    with suppress(UnreadableError):
        contents = POLICY.read(compose(text, reader), reader)
    mistakes = tuple(sorted(set(reader.mistakes)))
    fatal = any(mistake.fatal for mistake in mistakes)
    return (None if fatal else contents), mistakes


def _text(path: str) -> tuple[str, str]:
    try:
        raw = Path(path).read_bytes()
        return raw.decode("utf-8-sig"), sha256(raw).hexdigest()
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: no UTF-8 text at byte {error.start}") from error


def _revision(path: Path) -> tuple[str | None, bool]:
    """Return the commit that last touched the file, and whether the file differs from it."""
    revision = _git(path, "log", "-1", "--format=%H")
    if not revision:
        return None, False
    return revision, bool(_git(path, "status", "--porcelain"))


def _git(path: Path, *arguments: str) -> str:
    command = ["git", "-C", str(path.parent), *arguments, "--", path.name]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=10)  # noqa: S603 - fixed command, no shell
    except (OSError, subprocess.SubprocessError):
        return ""  # no git, no checkout: a policy need not live in one
    return done.stdout.strip()
