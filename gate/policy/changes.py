"""The classes of changes, the facts about a change, and how a policy recognises its class."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field, replace
from typing import Final, Literal

from gate.dataclass import dataclass
from gate.policy.globs import matches

BUILT_IN_CHANGES: Final = {
    "canary": "the change first serves a small share of the traffic",
    "full-rollout": "the change serves all of the traffic",
    "model-update": "another model, or other weights",
    "prompt-update": "another prompt or prompt template",
    "config-change": "other settings of the same code and model",
    "experiment": "a change that may be discarded again",
    "bug-fix": "fixes a fault that affects users",
    "reliability-fix": "makes failures rarer or shorter",
    "security-patch": "closes a security hole",
    "rollback": "goes back to an earlier version",
}
DEFAULT_CHANGE: Final = "full-rollout"
"""The class of a change that matches no class; the fewest tiers allow it."""
ROLLBACK: Final = "rollback"
"""The class that a gate must not forbid: forbidding it would prolong an outage."""
REPAIRS: Final = frozenset({"bug-fix", "reliability-fix", "security-patch", "rollback"})
"""The classes that a fast burn does not stop by default: they may end it."""


def matches_glob(glob: str, path: str) -> bool:
    """Return whether a whole path, with ``/``, matches a glob.

    ``*`` and ``?`` stay within one folder; ``**`` crosses folders: ``models/**`` is everything
    below ``models``, and ``**/prompt.md`` is a file of this name in any folder, including the top
    one.
    """
    return matches(glob, path)


LiveKind = Literal["github-deployments", "gitlab-environments", "file"]


@dataclass(frozen=True, slots=True)
class Live:
    """The source of the live commit, which a deploy is compared with."""

    kind: LiveKind
    place: str
    """The environment, or the path of a file that the deploy writes."""

    def __str__(self) -> str:
        return f"{self.kind}: {self.place}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedWith:
    """The base that a change was compared with, and the size of the difference."""

    base: str | None
    """The commit, or the name that was given for it; None: unknown."""
    base_from: str
    """The source of the base: ``--base``, ``pull request``, ``github-deployments: production``."""
    files: int | None = None
    """The number of changed files that were checked; None: unknown."""
    commits: int | None = None
    """The number of commits that were checked; None: unknown."""


_CONVENTIONAL: Final = re.compile(r"(?P<type>[a-zA-Z][\w-]*)(?:\([^)]*\))?(?P<breaking>!)?:\s")
_BREAKING: Final = re.compile(r"^BREAKING[ -]CHANGES?\b", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeCommit:
    """One commit of a change: its message, and the files that it touches."""

    message: str
    trailers: Sequence[tuple[str, str]] = ()
    """Pairs of key and value."""
    paths: Sequence[str] | None = None
    """The files that it changes; for a merge, the files that differ from both sides; None:
    unknown."""

    @property
    def subject(self) -> str:
        """The first line of the message."""
        return self.message.strip().partition("\n")[0]

    @property
    def breaking(self) -> bool:
        """Whether it declares a breaking change: by ``fix!:`` or by a footer.

        https://www.conventionalcommits.org/en/v1.0.0/#specification, 11 to 13 and 16
        """
        match = _CONVENTIONAL.match(self.subject)
        marked = match is not None and match["breaking"] is not None
        return marked or _BREAKING.search(self.message) is not None


def conventional_type(subject: str) -> str | None:
    """Return the type of a conventional commit in lower case; None if it has none."""
    match = _CONVENTIONAL.match(subject)
    return None if match is None else match["type"].lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeFacts:
    """The known facts about the change itself. None means unknown, which differs from empty."""

    paths: Sequence[str] | None = ()
    """The changed files, from the top of the repository, with the old names of moved files."""
    commits: Sequence[ChangeCommit] | None = ()
    """All its commits; a file that none of them touches was changed in another way."""
    titles: Sequence[str] | None = ()
    """The titles of the pull requests."""
    labels: Sequence[str] | None = ()
    """The labels that any of the pull requests has."""
    common_labels: Sequence[str] | None = None
    """The labels that each of several pull requests has; None for one pull request or none."""
    sources: Sequence[tuple[int, str]] = ()
    """Number and newest commit of its pull requests; empty if not all of it came through these."""
    branches: Sequence[str] | None = ()
    """The branch that the change comes from; several for several pull requests."""
    was_live: str = ""
    """The host's record that this commit is or was live; empty: the host has none."""
    unknown: Mapping[str, str] = field(default_factory=dict)
    """The reason by the name of each field that is None."""
    comparison: ComparedWith | None = None
    """None: it was not compared with a base."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeMatcher:
    """The criteria of a class: any of them suffices, as `gate.policy.recognition` says."""

    paths: tuple[str, ...] = ()
    """Globs."""
    labels: tuple[str, ...] = ()
    branches: tuple[str, ...] = ()
    """Globs."""
    types: tuple[str, ...] = ()
    """The types of conventional commits: ``fix`` (https://www.conventionalcommits.org)."""
    trailers: Mapping[str, str] = field(default_factory=dict)
    """Trailers such as ``Change-Class: canary``."""
    approved_by: tuple[str, ...] = ()
    """People (``@ada``), teams (``@acme/security``) or ``write``; empty: needs no approval."""

    @property
    def looks(self) -> bool:
        """Whether there is any criterion."""
        return any((self.paths, self.labels, self.branches, self.types, self.trailers))


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """The approval of a class by somebody who is entitled to it, and is not the author."""

    by: tuple[str, ...] = ()
    """The approvers; empty: there are none."""
    why_not: str = ""
    """The reason why no approver counts."""


Approve = Callable[[ChangeMatcher, ChangeFacts], Approval]
"""A function that returns who has approved a recognised class; called only if it matters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recognition:
    """The recognised class, and the reason."""

    change: str
    how: str
    """The source of the class: ``paths``, ``labels``, ``default``, ``unknown``, or the option that
    stated it."""
    evidence: tuple[str, ...] = ()
    """The evidence: ``prompts/system.md (prompts/**)``; for the default, the parts without a
    match."""
    notes: tuple[str, ...] = ()
    """Notes on the missing approvals and on those that were given."""
    others: "tuple[Recognition, ...]" = ()
    """The classes of other parts of the change, which count too; the riskiest first."""
    comparison: ComparedWith | None = None
    """The base that the change was compared with; None: no comparison was needed."""

    @property
    def remarks(self) -> tuple[str, ...]:
        """The notes, and the classes of the other parts."""
        return (*self.notes, *(f"also {other}" for other in self.others))

    def led_by(self, change: str) -> "Recognition":
        """Return a copy with another of its classes as the first."""
        if change == self.change:
            return self
        (leader,) = (other for other in self.others if other.change == change)
        rest = (replace(self, notes=(), others=(), comparison=None), *self.others)
        others = tuple(part for part in rest if part.change != change)
        return replace(leader, notes=self.notes, others=others, comparison=self.comparison)

    def __str__(self) -> str:
        return f"{self.change} by {self.how}" + (
            f" ({', '.join(self.evidence)})" if self.evidence else ""
        )
