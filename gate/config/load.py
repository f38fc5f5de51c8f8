"""Loading a policy file with its place in git, and beside it what a change would have it say."""

from collections.abc import Mapping
from dataclasses import field, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from gate.backends import Settings
from gate.config.policy_schema import POLICY, UNOPENED, Contents, parse
from gate.config.revision import revision_of
from gate.dataclass import dataclass
from gate.decision.decision import PolicySource
from gate.errors import Mistake, PolicyError
from gate.measure import Limits
from gate.parsing.files import Folder, Imports, Tree, read_bytes
from gate.parsing.objects import Object
from gate.parsing.reader import Reader
from gate.policy.policy import Policy

if TYPE_CHECKING:
    from gate.config.preset import Preset
    from gate.config.proposal import ProposedPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyFile:
    """A policy that was read, and where it came from."""

    policy: Policy
    settings: Settings
    source: PolicySource
    warnings: tuple[Mistake, ...]
    presets: "Mapping[str, Preset]" = field(default_factory=dict)
    """The presets of the policy's own preset files, by name."""
    proposed: "ProposedPolicy | None" = None
    """What the change would make of it; None: the change does not alter it."""
    max_scan: int | None = None
    """Bytes that one statement of its backend may read, as the command says; None: as the backend's
    block does."""

    def limits(self, timeout: timedelta) -> Limits:
        """Return the bounds of a run's work on its backend, which has so much time."""
        return Limits(timeout=timeout, max_scan=self.max_scan)


def load(path: str, environ: Mapping[str, str]) -> PolicyFile:
    """Read one policy file, and the files that it reads.

    Raises:
        PolicyError: one cannot be read or says something wrong; carries every mistake.
    """
    raw, imports = read_bytes(path), _imports(path)
    read = _read(raw, path, environ, imports)
    texts = {Path(path).name: raw, **imports.texts}
    revision, modified = revision_of(Path(path), texts, imports.patterns)
    return replace(read, source=replace(read.source, revision=revision, modified=modified))


@dataclass(frozen=True, slots=True)
class UnopenedSettings:
    """Stand in the place of a backend's, which is neither read nor opened."""

    kind: ClassVar[str] = "unopened"


def load_unopened(path: str, environ: Mapping[str, str]) -> PolicyFile:
    """Read one policy file, and the files that it reads, for what never asks its backend.

    What the backend's connection needs beyond the file need not be there: no variable, no file.

    Raises:
        PolicyError: one cannot be read or says something wrong; carries every mistake.
    """
    own = (mistake for mistake in validate_file(path, environ) if mistake.file == path)
    if fatal := tuple(mistake for mistake in own if mistake.fatal):
        raise PolicyError(fatal)
    read = _read(read_bytes(path), path, {}, _imports(path), UNOPENED)
    return replace(read, settings=UnopenedSettings())


@dataclass(frozen=True, slots=True)
class Proposal:
    """A policy as the change would have it."""

    raw: bytes | None
    """Its text; None: the change deletes it."""
    tree: Tree
    """The other files, as a commit of the change has them."""


def load_pinned(  # noqa: PLR0917 - two texts, each with its files
    path: str,
    environ: Mapping[str, str],
    raw: bytes,
    tree: Tree,
    revision: str,
    proposal: Proposal | None,
) -> PolicyFile:
    """Read a policy as another commit has it, and beside it what the change would have it say.

    Args:
        path: of the policy's file.
        environ: of this process; nothing of it reaches the proposal.
        raw: the text that the commit has.
        tree: the other files, as the commit has them.
        revision: the commit.
        proposal: what the change makes of it; None: the change has the same, or it is not known.

    Raises:
        PolicyError: the pinned text says something wrong; carries every mistake.
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
    """Return whether another tree has the same files that a policy has read."""
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
    """Return every mistake and warning in a file; what it needs beyond it need not be there."""
    try:
        raw = read_bytes(path)
    except PolicyError as error:
        return error.mistakes
    return validate_text(raw, path, environ)


def validate_text(raw: bytes, path: str, environ: Mapping[str, str]) -> tuple[Mistake, ...]:
    """Return every mistake and warning in the text of a policy.

    Args:
        raw: the text.
        path: what the mistakes name; the files that the policy reads are beside it.
        environ: of this process.
    """
    return parse(raw, Reader(file=path, environ=environ, imports=_imports(path), offline=True))[1]
