"""Loading policy files: the text, its place in git, and what it says."""

import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

from gate.backends import Settings
from gate.config.policy_schema import POLICY, Contents
from gate.decision.decision import PolicySource
from gate.errors import Mistake, PolicyError
from gate.parsing.files import Folder, Imports, Tree, read_bytes
from gate.parsing.reader import Reader, UnreadableError, compose, decode
from gate.policy.policy import Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyFile:
    """A policy that was read, and where it came from."""

    policy: Policy
    settings: Settings
    source: PolicySource
    warnings: tuple[Mistake, ...]
    altered: str | None = None
    """Hash of the files as the change would have them, where it differs; None: it does not."""
    proposed: "PolicyFile | None" = None
    """The altered file's policy; None: nothing is altered, or it is no policy any more."""


def load(path: str, environ: Mapping[str, str]) -> PolicyFile:
    """Read one policy file, and the files that it reads.

    Raises:
        PolicyError: one cannot be read or says something wrong; carries every mistake.
    """
    raw, imports = read_bytes(path), _imports(path)
    read = _read(raw, path, environ, imports)
    revision, modified = _revision(Path(path), imports.patterns)
    return replace(read, source=replace(read.source, revision=revision, modified=modified))


def load_pinned(
    path: str, environ: Mapping[str, str], raw: bytes, tree: Tree, revision: str
) -> PolicyFile:
    """Read a policy as another commit has it, and beside it what the files say now.

    Args:
        path: of the policy's file.
        environ: the environment.
        raw: the text that the commit has.
        tree: the other files, as the commit has them.
        revision: the commit.

    Raises:
        PolicyError: the pinned text says something wrong; carries every mistake.
    """
    then, imports, proposed = Imports(tree=tree), _imports(path), None
    read = _read(raw, path, environ, then)
    pinned = replace(read, source=replace(read.source, revision=revision))
    try:
        now = read_bytes(path)
    except PolicyError:
        return replace(pinned, altered=sha256().hexdigest())  # the change deletes it
    if now == raw and not then.patterns:
        return pinned
    with suppress(PolicyError):
        proposed = _read(now, path, environ, imports)
    altered = imports.digest(Path(path).name, now)
    return (
        pinned
        if altered == read.source.sha256
        else replace(pinned, altered=altered, proposed=proposed)
    )


def _imports(path: str) -> Imports:
    return Imports(tree=Folder(Path(path).parent))


def _read(raw: bytes, path: str, environ: Mapping[str, str], imports: Imports) -> PolicyFile:
    contents, mistakes = parse(raw, Reader(file=path, environ=environ, imports=imports))
    if contents is None:
        raise PolicyError(mistakes)
    digest = imports.digest(Path(path).name, raw)
    return PolicyFile(
        policy=contents.policy,
        settings=contents.settings,
        source=PolicySource(path=path, sha256=digest, revision=None, modified=False),
        warnings=mistakes,
    )


def validate(path: str, environ: Mapping[str, str]) -> tuple[Mistake, ...]:
    """Return every mistake and warning in a file; what it needs beyond it need not be there."""
    try:
        raw = read_bytes(path)
    except PolicyError as error:
        return error.mistakes
    reader = Reader(file=path, environ=environ, imports=_imports(path), offline=True)
    return parse(raw, reader)[1]


def parse(raw: bytes, reader: Reader) -> tuple[Contents | None, tuple[Mistake, ...]]:
    """Return what a file says and what is wrong with it; nothing where something is."""
    contents = None
    with suppress(UnreadableError):
        contents = POLICY.read(compose(decode(raw, reader), reader), reader)
    mistakes = tuple(sorted(set(reader.mistakes)))
    fatal = any(mistake.fatal for mistake in mistakes)
    return (None if fatal else contents), mistakes


def _revision(path: Path, patterns: Sequence[str]) -> tuple[str | None, bool]:
    """Return the commit that is checked out, and whether the policy's files differ from it.

    One question to git, of the kind that is quick in large repositories too: no history is walked.
    https://git-scm.com/docs/git-status#_porcelain_format_version_2
    """
    told = ("status", "--porcelain=v2", "--branch", "--ignored", "-z", "--")
    globs = (":(glob)" + pattern.replace("[", r"\[") for pattern in patterns)
    command = ["git", "-C", str(path.parent), *told, f":(literal){path.name}", *globs]
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
