"""The classes of changes, and how the class of a change is recognised from what is known of it.

Several classes may match: the riskiest counts, the one that the fewest tiers allow. What is not
known cannot rule a class out, so that a failed lookup never makes a change look safer.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from gate.policy.globs import matches
from gate.policy.tiers import Tier

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
"""What a change is when nothing says otherwise: the class that the fewest tiers allow."""
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


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeFacts:
    """What is known of the change itself. None: not known, which is not the same as none."""

    paths: Sequence[str] | None = ()
    """Changed files, from the top of the repository."""
    labels: Sequence[str] | None = ()
    """Of the pull request."""
    branches: Sequence[str] | None = ()
    """The branch that the change comes from."""
    subjects: Sequence[str] | None = ()
    """The pull request's title and the first line of each commit message."""
    trailers: Sequence[tuple[str, str]] | None = ()
    """Key and value of each commit's trailers."""
    unknown: Mapping[str, str] = field(default_factory=dict)
    """Field that is None -> why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeMatcher:
    """How a class is recognised: by any of these."""

    paths: tuple[str, ...] = ()
    """Globs."""
    labels: tuple[str, ...] = ()
    branches: tuple[str, ...] = ()
    """Globs."""
    types: tuple[str, ...] = ()
    """Of conventional commits: ``fix`` (https://www.conventionalcommits.org)."""
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
    """Why nobody counts."""


Approve = Callable[[ChangeMatcher], Approval]
"""Asks who has approved what a matcher recognised; only called where the answer matters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recognition:
    """The class, and why."""

    change: str
    how: str
    """What gave it: ``paths``, ``labels``, ``default``, ``unknown``, or what stated the class."""
    evidence: tuple[str, ...] = ()
    """What matched: ``prompts/system.md (prompts/**)``."""
    notes: tuple[str, ...] = ()
    """Other matches, what was not known, what was not approved and by whom it was."""

    def __str__(self) -> str:
        return f"{self.change} by {self.how}" + (
            f" ({', '.join(self.evidence)})" if self.evidence else ""
        )


_CONVENTIONAL: Final = re.compile(r"(?P<type>[a-zA-Z][\w-]*)(?:\([^)]*\))?!?:\s")
_MOST: Final = 5
"""Pieces of evidence that a person reads."""


def recognise(
    matchers: Mapping[str, ChangeMatcher],
    facts: ChangeFacts,
    *,
    tiers: Sequence[Tier],
    default: str,
    approve: Approve,
) -> Recognition:
    """Return the riskiest class that matches, or might; the default where none does.

    Args:
        matchers: class -> how it is recognised, in the policy's order, which settles a tie.
        facts: what is known of the change.
        tiers: of the policy; how many of them allow a class says how risky it is.
        default: the class of whatever is not recognised, or recognised but not approved.
        approve: asks for the approval of a class that matched and needs one.
    """
    notes: list[str] = []
    matched: dict[str, Recognition] = {}
    otherwise = Recognition(change=default, how="default")
    for change, matcher in matchers.items():
        match = _match(change, matcher, facts)
        if match is not None and matcher.approved_by:
            approval = approve(matcher)
            notes.append(_approved(match, approval))
            match = match if approval.by else otherwise
        if match is not None:
            matched.setdefault(match.change, match)
    if not matched or any(match.how == "unknown" for match in matched.values()):
        matched.setdefault(default, otherwise)
    riskiest = min(matched.values(), key=lambda match: _allowing(tiers, match.change))
    notes += [f"also {other}" for other in matched.values() if other.change != riskiest.change]
    return Recognition(
        change=riskiest.change, how=riskiest.how, evidence=riskiest.evidence, notes=tuple(notes)
    )


def _allowing(tiers: Sequence[Tier], change: str) -> int:
    return sum(tier.allows(change) for tier in tiers)


def _approved(match: Recognition, approval: Approval) -> str:
    if approval.by:
        return f"{match.change} approved by {', '.join(approval.by)}"
    return f"{match} does not count: {approval.why_not}"


def _match(change: str, matcher: ChangeMatcher, facts: ChangeFacts) -> Recognition | None:
    """Return the first thing that matches; else what could not be ruled out; else None."""
    evidences = {
        "paths": _globbed(facts.paths, matcher.paths),
        "labels": _labelled(facts.labels, matcher.labels),
        "branches": _globbed(facts.branches, matcher.branches),
        "subjects": _typed(facts.subjects, matcher.types),
        "trailers": _trailed(facts.trailers, matcher.trailers),
    }
    for how, evidence in evidences.items():
        if evidence:
            return Recognition(change=change, how=how, evidence=tuple(evidence[:_MOST]))
    unknown = [how for how, evidence in evidences.items() if evidence is None]
    if not unknown:
        return None
    reasons = tuple(f"{how}: {facts.unknown.get(how, 'not known')}" for how in unknown)
    return Recognition(change=change, how="unknown", evidence=reasons)


def _globbed(texts: Sequence[str] | None, wanted: Sequence[str]) -> list[str] | None:
    if texts is None:
        return None if wanted else []
    return [f"{text} ({glob})" for text in texts for glob in wanted if matches_glob(glob, text)]


def _labelled(texts: Sequence[str] | None, wanted: Sequence[str]) -> list[str] | None:
    if texts is None:
        return None if wanted else []
    return [text for text in texts if text in wanted]


def _typed(subjects: Sequence[str] | None, wanted: Sequence[str]) -> list[str] | None:
    if subjects is None:
        return None if wanted else []
    read = [(subject, _CONVENTIONAL.match(subject)) for subject in subjects]
    return [subject for subject, match in read if match and match["type"].lower() in wanted]


def _trailed(
    trailers: Sequence[tuple[str, str]] | None, wanted: Mapping[str, str]
) -> list[str] | None:
    if trailers is None:
        return None if wanted else []
    lower = {(key.lower(), value) for key, value in wanted.items()}
    return [f"{key}: {value}" for key, value in trailers if (key.lower(), value) in lower]
