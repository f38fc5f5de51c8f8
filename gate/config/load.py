"""Load a policy file with its revision in git, and the version of it that a change proposes."""

import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import field, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from gate.backends import Settings
from gate.config.policy_contents import Contents
from gate.config.policy_schema import POLICY, UNOPENED, parse
from gate.dataclass import dataclass
from gate.decision.decision import PolicySource
from gate.errors import Mistake, PolicyError
from gate.git import GitError
from gate.git.objects import Entry, blob_id
from gate.git.repository import find_repository
from gate.measure import Limits
from gate.parsing.files import Folder, Imports, Tree, read_bytes
from gate.parsing.objects import Object
from gate.parsing.reader import Reader
from gate.parsing.trees import CommitTree
from gate.policy.policy import Policy

if TYPE_CHECKING:
    from gate.config.preset import Preset
    from gate.config.proposal import ProposedPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyFile:
    """A policy that was read, with its source."""

    policy: Policy
    settings: Settings
    source: PolicySource
    warnings: tuple[Mistake, ...]
    presets: "Mapping[str, Preset]" = field(default_factory=dict)
    """The presets of the policy's own preset files, by name."""
    proposed: "ProposedPolicy | None" = None
    """The policy that the change proposes; None if the change does not alter it."""
    max_scan: int | None = None
    """Maximum of bytes that a statement of the backend may read, from the command; None: the
    block's."""

    def limits(self, timeout: timedelta) -> Limits:
        """Return the limits of a run's work on its backend."""
        return Limits(timeout=timeout, max_scan=self.max_scan)


def load(path: str, environ: Mapping[str, str]) -> PolicyFile:
    """Read one policy file, and the files that it refers to.

    Raises:
        PolicyError: one cannot be read, or is not valid; carries every mistake.
    """
    raw, imports = read_bytes(path), _imports(path)
    read = _read(raw, path, environ, imports)
    texts = {Path(path).name: raw, **imports.texts}
    revision, modified = revision_of(Path(path), texts, imports.patterns)
    return replace(read, source=replace(read.source, revision=revision, modified=modified))


@dataclass(frozen=True, slots=True)
class UnopenedSettings:
    """Settings of a backend that is neither read nor opened."""

    kind: ClassVar[str] = "unopened"


def load_unopened(path: str, environ: Mapping[str, str]) -> PolicyFile:
    """Read one policy file and the files that it refers to, without the settings of its backend.

    The variables and files that only the connection to the backend needs may be missing.

    Raises:
        PolicyError: one cannot be read, or is not valid; carries every mistake.
    """
    own = (mistake for mistake in validate_file(path, environ) if mistake.file == path)
    if fatal := tuple(mistake for mistake in own if mistake.fatal):
        raise PolicyError(fatal)
    read = _read(read_bytes(path), path, {}, _imports(path), UNOPENED)
    return replace(read, settings=UnopenedSettings())


@dataclass(frozen=True, slots=True)
class Proposal:
    """A policy as a change proposes it."""

    raw: bytes | None
    """Its text; None if the change deletes it."""
    tree: Tree
    """The other files, as they are in a commit of the change."""


def load_pinned(  # noqa: PLR0917 - two texts, each with its files
    path: str,
    environ: Mapping[str, str],
    raw: bytes,
    tree: Tree,
    revision: str,
    proposal: Proposal | None,
) -> PolicyFile:
    """Read a policy as it is in another commit, and the version of it that a change proposes.

    Args:
        path: the policy's file.
        environ: the environment of this process; the proposal gets nothing of it.
        raw: the text of the policy in the commit.
        tree: the other files of the commit.
        revision: the commit.
        proposal: the policy as the change proposes it; None if the change leaves it alone, or if
            that is unknown.

    Raises:
        PolicyError: the pinned text is not valid; carries every mistake.
    """
    then = Imports(tree=tree)
    read = _read(raw, path, environ, then)
    pinned = replace(read, source=replace(read.source, revision=revision))
    if proposal is None or (proposal.raw == raw and _has_same(proposal.tree, then)):
        return pinned
    from gate.config.proposal import read_proposal  # noqa: PLC0415 - for changes of a policy only

    proposed = read_proposal(path, proposal.raw, proposal.tree, counting=raw)
    return replace(pinned, proposed=proposed)


def _has_same(tree: Tree, read: Imports) -> bool:
    """Return whether another tree has the same content in all files that a policy has read."""
    try:
        names = {name for pattern in read.patterns for name in tree.find(pattern)}
        return names == read.texts.keys() and all(
            tree.read(name) == text for name, text in read.texts.items()
        )
    except Exception:  # noqa: BLE001 - what cannot be read of a change is not the same
        return False


def _imports(path: str) -> Imports:
    return Imports(tree=Folder(Path(path).parent))


def _read(
    raw: bytes,
    path: str,
    environ: Mapping[str, str],
    imports: Imports,
    schema: Object[Contents] = POLICY,
) -> PolicyFile:
    reader = Reader(file=path, environ=environ, imports=imports)
    contents, mistakes = parse(raw, reader, schema)
    if contents is None:
        raise PolicyError(mistakes)
    digest = imports.digest(Path(path).name, raw)
    source = PolicySource(path=path, sha256=digest, revision=None, modified=False)
    return PolicyFile(**contents._asdict(), source=source, warnings=mistakes)


def validate_file(path: str, environ: Mapping[str, str]) -> tuple[Mistake, ...]:
    """Return every mistake and warning in a file, without the variables and files that it needs."""
    try:
        raw = read_bytes(path)
    except PolicyError as error:
        return error.mistakes
    return validate_text(raw, path, environ)


def validate_text(raw: bytes, path: str, environ: Mapping[str, str]) -> tuple[Mistake, ...]:
    """Return every mistake and warning in the text of a policy.

    Args:
        raw: the text.
        path: the path in the messages; the files that the policy refers to are beside it.
        environ: the environment of this process.
    """
    return parse(raw, Reader(file=path, environ=environ, imports=_imports(path), offline=True))[1]


def digest_of(path: str, environ: Mapping[str, str]) -> str:
    """Return the hash of a policy file and of the files that it refers to, as they are.

    It equals the hash in `gate.decision.decision.PolicySource`. It does not depend on the variables
    for the connection to the backend, which the deploying job may lack.

    Raises:
        PolicyError: the file cannot be read, or is not a policy.
    """
    raw, imports = read_bytes(path), _imports(path)
    reader = Reader(file=path, environ=environ, imports=imports, offline=True)
    mistakes = parse(raw, reader)[1]
    fatal = tuple(mistake for mistake in mistakes if mistake.fatal)
    if fatal:
        raise PolicyError(fatal)
    return imports.digest(Path(path).name, raw)


def revision_of(
    path: Path, texts: Mapping[str, bytes], patterns: Sequence[str]
) -> tuple[str | None, bool]:
    """Return the commit that is checked out, and whether a policy's files differ from it.

    Files that differ only in their line ends count as equal: a checkout for Windows changes these.

    Args:
        path: the policy's file.
        texts: the texts that were read, by path from the policy's folder, with that of the policy
            itself.
        patterns: globs of the files that the policy refers to; a deleted file differs, too.

    Returns:
        None and False outside of a checkout, and if a file was never committed.
    """
    folder = path.absolute().parent
    repository = find_repository(folder)
    if repository is None:
        return None, False
    place = folder.relative_to(repository.top).parts
    try:
        head, objects = repository.head_and_objects()
        tree = CommitTree(objects, head, place)
        entries = {name: objects.look_up(head, (*place, *name.split("/"))) for name in texts}
        listed = {posixpath.normpath(name) for glob in patterns for name in tree.find(glob)}
    except GitError:
        return None, False  # no git, or no commit: a policy works without both
    if None in entries.values():
        return None, False
    same = all(
        entry is not None and _is(entry, texts[name], objects.form)
        for name, entry in entries.items()
    )
    return head, not same or not listed <= texts.keys()


def _is(entry: Entry, text: bytes, form: str) -> bool:
    return entry.id in {blob_id(text, form), blob_id(text.replace(b"\r\n", b"\n"), form)}
