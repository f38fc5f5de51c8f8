"""The classes of changes, what is known of a change, and what a policy recognises its class by."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field, replace
from typing import Final, Literal

from gate.dataclass import dataclass
from gate.policy.globs import matches

BUILT_IN_CHANGES: Final = {
    "canary": "a small share of traffic meets the change first",
    "full-rollout": "all of the traffic meets the change",
    "model-update": "another model, or other weights",
    "prompt-update": "another prompt or prompt template",
    "config-change": "other settings of the same code and model",
    "experiment": "a change that may be thrown away again",
    "bug-fix": "mends a fault that users have",
    "reliability-fix": "makes failures fewer or shorter",
    "security-patch": "closes a hole",
    "rollback": "back to what ran before",
}
DEFAULT_CHANGE: Final = "full-rollout"
"""The class of a change that nothing classifies: the one that the fewest tiers allow."""
ROLLBACK: Final = "rollback"
"""The class that a gate must not forbid: that would prolong the outage."""
REPAIRS: Final = frozenset({"bug-fix", "reliability-fix", "security-patch", "rollback"})
"""Classes that a fast burn does not stop by default: they may be what ends it."""


def matches_glob(glob: str, path: str) -> bool:
    """Return whether a path, with ``/``, matches a glob as a whole.

    ``*`` and ``?`` stay within one folder; ``**`` does not: ``models/**`` is all below ``models``,
    ``**/prompt.md`` is a file of this name in any folder, the top one included.
    """
    return matches(glob, path)


LiveKind = Literal["github-deployments", "gitlab-environments", "file"]


@dataclass(frozen=True, slots=True)
class Live:
    """The source that says which commit is live, which a deploy is compared with."""

    kind: LiveKind
    place: str
    """The environment, or the path of a file that the deploy writes."""

    def __str__(self) -> str:
        return f"{self.kind}: {self.place}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedWith:
    """The base that a change was compared with, and the size of the difference."""

    base: str | None
    """The commit, or as it was named; None: nobody knows."""
    base_from: str
    """The source of the base: ``--base``, ``pull request``, ``github-deployments: production``."""
    files: int | None = None
    """The changed files that were checked; None: unknown."""
    commits: int | None = None
    """As above."""


_CONVENTIONAL: Final = re.compile(r"(?P<type>[a-zA-Z][\w-]*)(?:\([^)]*\))?(?P<breaking>!)?:\s")
_BREAKING: Final = re.compile(r"^BREAKING[ -]CHANGES?\b", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeCommit:
    """One commit of a change: its message, and the files that it touches."""

    message: str
    trailers: Sequence[tuple[str, str]] = ()
    """Key and value."""
    paths: Sequence[str] | None = None
    """Files that it changes, of a merge those that neither side has so; None: not known."""

    @property
    def subject(self) -> str:
        """The first line of the message."""
        return self.message.strip().partition("\n")[0]

    @property
    def breaking(self) -> bool:
        """Whether it says that it breaks something: ``fix!:``, or a footer.

        https://www.conventionalcommits.org/en/v1.0.0/#specification, 11 to 13 and 16
        """
        match = _CONVENTIONAL.match(self.subject)
        marked = match is not None and match["breaking"] is not None
        return marked or _BREAKING.search(self.message) is not None


def conventional_type(subject: str) -> str | None:
    """Return the type of a conventional commit in small letters; None: it has none."""
    match = _CONVENTIONAL.match(subject)
    return None if match is None else match["type"].lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeFacts:
    """The known facts about the change itself. None: not known, which is not the same as empty."""

    paths: Sequence[str] | None = ()
    """Changed files, from the top of the repository, old names of moved ones too."""
    commits: Sequence[ChangeCommit] | None = ()
    """All of them; a file that none of them touches was changed by something else."""
    titles: Sequence[str] | None = ()
    """The titles of the pull requests."""
    labels: Sequence[str] | None = ()
    """That any of the pull requests has."""
    common_labels: Sequence[str] | None = None
    """That each of them has; None for one pull request at most."""
    sources: Sequence[tuple[int, str]] = ()
    """Number and newest commit of the pull requests that it came by; empty: not by those only."""
    branches: Sequence[str] | None = ()
    """The branch that the change comes from."""
    was_live: str = ""
    """Where the host says that this very commit was live before, or is; empty: it does not."""
    unknown: Mapping[str, str] = field(default_factory=dict)
    """Field that is None -> why."""
    comparison: ComparedWith | None = None
    """None: it was compared with nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeMatcher:
    """How a class is recognised: by any of these, as `gate.policy.recognition` says."""

    paths: tuple[str, ...] = ()
    """Globs."""
    labels: tuple[str, ...] = ()
    branches: tuple[str, ...] = ()
    """Globs."""
    types: tuple[str, ...] = ()
    """The types of conventional commits: ``fix`` (https://www.conventionalcommits.org)."""
    trailers: Mapping[str, str] = field(default_factory=dict)
    """``Change-Class: canary``."""
    approved_by: tuple[str, ...] = ()
    """People (``@ada``), teams (``@acme/security``) or ``write``; empty: needs no approval."""

    @property
    def looks(self) -> bool:
        """Whether there is anything that it recognises a change by."""
        return any((self.paths, self.labels, self.branches, self.types, self.trailers))


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """Whether somebody who has the right, and is not the author, stands behind a class."""

    by: tuple[str, ...] = ()
    """Who; empty: nobody."""
    why_not: str = ""
    """The reason why nobody counts."""


Approve = Callable[[ChangeMatcher, ChangeFacts], Approval]
"""Asks who has approved what a matcher recognised; only called where the answer matters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recognition:
    """The class, and why."""

    change: str
    how: str
    """The source of the class: ``paths``, ``labels``, ``default``, ``unknown``, or the option that
    stated it."""
    evidence: tuple[str, ...] = ()
    """The match: ``prompts/system.md (prompts/**)``; for the default, what nothing matched."""
    notes: tuple[str, ...] = ()
    """The approvals that are missing, and those that were given."""
    others: "tuple[Recognition, ...]" = ()
    """Classes of other parts of the change, which count too; the riskiest first."""
    comparison: ComparedWith | None = None
    """The base that the change was compared with; None: no comparison was needed."""

    @property
    def remarks(self) -> tuple[str, ...]:
        """The notes, and the classes of the other parts."""
        return (*self.notes, *(f"also {other}" for other in self.others))

    def led_by(self, change: str) -> "Recognition":
        """Return the same with another of its classes first."""
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
