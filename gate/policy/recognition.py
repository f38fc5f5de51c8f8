"""The class of a change: the class of the whole change, so that no part of it hides another.

A class that an entitled person has vouched for is the class of the whole change. Otherwise a class
with paths takes the matching files, and a class with types or trailers takes the matching commits,
with those of their files that no class takes by its paths. The rest is of the default class.
Labels, branches and titles, which the author may choose, only ever add a class. The riskiest of all
these classes counts. Unknown facts rule no class out.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field, replace
from typing import Final

from gate.dataclass import dataclass
from gate.policy.changes import (
    ROLLBACK,
    Approval,
    Approve,
    ChangeCommit,
    ChangeFacts,
    ChangeMatcher,
    Recognition,
    conventional_type,
    matches_glob,
)
from gate.policy.tiers import Tier

_MOST: Final = 5
"""The maximum number of pieces of evidence in a report."""
_BY_COMMITS: Final = ("types", "trailers")
_Evidence = dict[tuple[str, str], list[str]]
"""For each class and criterion, its matches."""


def recognise(
    matchers: Mapping[str, ChangeMatcher],
    facts: ChangeFacts,
    *,
    tiers: Sequence[Tier],
    default: str,
    approve: Approve,
) -> Recognition:
    """Return the riskiest class that a part of the change has, or may have, and the other classes.

    Args:
        matchers: the criteria of each class, in the policy's order, which settles a tie.
        facts: the known facts about the change.
        tiers: the tiers of the policy; the fewer of them allow a class, the riskier it is.
        default: the class of every part that is not recognised, or recognised but not approved.
        approve: returns the approval of a class that matched and needs one.
    """
    change = _Change(matchers, facts, default)
    approvals = {
        name: approve(matcher, facts)
        for name, matcher in matchers.items()
        if matcher.approved_by and change.matches(name)
    }
    evidence = change.vouched(approvals) or change.parts(approvals)
    order = [*matchers, default, ROLLBACK]
    parts: dict[str, Recognition] = {}
    for (name, how), texts in evidence.items():
        part = Recognition(change=name, how=how, evidence=tuple(dict.fromkeys(texts))[:_MOST])
        parts.setdefault(name, part)
    riskiest, *others = sorted(
        parts.values(),
        key=lambda part: (
            sum(tier.allows(part.change) for tier in tiers),
            order.index(part.change),
        ),
    )
    notes = tuple(_approved(change.matched(name), approvals[name]) for name in approvals)
    return replace(riskiest, notes=notes, others=tuple(others), comparison=facts.comparison)


def _approved(match: Recognition, approval: Approval) -> str:
    if approval.by:
        return f"{match.change} approved by {', '.join(approval.by)}"
    return f"{match} does not count: {approval.why_not}"


@dataclass(slots=True)
class _Change:
    """The matches between classes and facts about the change."""

    matchers: Mapping[str, ChangeMatcher]
    facts: ChangeFacts
    default: str
    files: dict[str, dict[str, str]] = field(init=False)
    """For each file and class, the glob that matches."""
    claims: _Evidence = field(init=False)
    """The evidence from labels, branches and titles."""
    commits: list[tuple[ChangeCommit, _Evidence]] = field(init=False)
    """The evidence from each commit."""

    def __post_init__(self) -> None:
        """Match all known facts."""
        facts = self.facts
        touched = [path for commit in facts.commits or () for path in commit.paths or ()]
        self.files = {
            path: {
                name: glob
                for name, matcher in self.matchers.items()
                for glob in matcher.paths
                if matches_glob(glob, path)
            }
            for path in (*(facts.paths or ()), *touched)
        }
        self.claims = dict(self._claims())
        self.commits = [(commit, dict(self._said(commit))) for commit in facts.commits or ()]

    def matches(self, name: str) -> bool:
        """Return whether any known fact about the change matches a class."""
        return any(name == key[0] for evidence in self._all() for key in evidence)

    def matched(self, name: str) -> Recognition:
        """Return the first match of a class that has one."""
        keys = ((key, texts) for evidence in self._all() for key, texts in evidence.items())
        (_, how), texts = next(pair for pair in keys if pair[0][0] == name)
        return Recognition(change=name, how=how, evidence=tuple(texts[:_MOST]))

    def _all(self) -> Iterator[_Evidence]:
        yield self._taken()
        yield self.claims
        yield from (evidence for _, evidence in self.commits)

    def _taken(self) -> _Evidence:
        """Return the parts that classes take by their paths."""
        taken: _Evidence = {}
        for path in self.facts.paths or ():
            for name, glob in self.files[path].items():
                taken.setdefault((name, "paths"), []).append(f"{path} ({glob})")
        return taken

    def _claims(self) -> Iterator[tuple[tuple[str, str], list[str]]]:
        """Yield the matches of labels, branches and titles, which concern the whole change."""
        for name, matcher in self.matchers.items():
            branches = [
                f"{branch} ({glob})"
                for branch in self.facts.branches or ()
                for glob in matcher.branches
                if matches_glob(glob, branch)
            ]
            labels = [label for label in self.facts.labels or () if label in matcher.labels]
            titles = [t for t in self.facts.titles or () if conventional_type(t) in matcher.types]
            said = {"labels": labels, "branches": branches, "titles": titles}
            yield from (((name, how), texts) for how, texts in said.items() if texts)

    def _said(self, commit: ChangeCommit) -> Iterator[tuple[tuple[str, str], list[str]]]:
        """Yield the matches of a commit's message."""
        for name, matcher in self.matchers.items():
            if conventional_type(commit.subject) in matcher.types:
                yield (name, "subjects"), [commit.subject]
            wanted = {(key.lower(), value) for key, value in matcher.trailers.items()}
            pairs = [f"{key}: {v}" for key, v in commit.trailers if (key.lower(), v) in wanted]
            if pairs:
                yield (name, "trailers"), pairs

    def vouched(self, approvals: Mapping[str, Approval]) -> _Evidence:
        """Return the classes that somebody vouches for, for the whole change."""
        common, vouched = self.facts.common_labels, _Evidence()
        if self.facts.was_live:
            vouched[ROLLBACK, "deployments"] = [self.facts.was_live]
        for name, approval in approvals.items():
            if not approval.by:
                continue
            said = [
                evidence.get((name, "subjects")) or evidence.get((name, "trailers"))
                for commit, evidence in self.commits
                if commit.paths is None or commit.paths
            ]
            labels = self.claims.get((name, "labels"), [])
            if labels := [label for label in labels if common is None or label in common]:
                vouched[name, "labels"] = labels
            elif branches := self.claims.get((name, "branches")):
                vouched[name, "branches"] = branches
            elif said and all(said) and not any(commit.breaking for commit, _ in self.commits):
                vouched[name, "commits"] = [text for texts in said for text in texts or ()]
        return vouched

    def parts(self, approvals: Mapping[str, Approval]) -> _Evidence:
        """Return the classes of all parts of the change; parts without a match have the default."""
        refused = {name for name, approval in approvals.items() if not approval.by}
        parts = self._taken()
        uncovered = [*self._uncovered_commits(refused), *self._uncovered_files(refused)]
        for _, evidence in self.commits:
            for key, texts in evidence.items():
                parts.setdefault(key, []).extend(texts)
        unknown = dict(self._unknown())
        if uncovered or not parts or self._unsure(refused):
            why = list(dict.fromkeys(text for texts in unknown.values() for text in texts))
            how = "unknown" if self._unsure(refused) and why else "default"
            parts[self.default, how] = uncovered if how == "default" else [*why, *uncovered]
        return parts | self.claims | unknown

    def _is_taken(self, path: str, refused: set[str]) -> bool:
        return not refused.issuperset(self.files[path])

    def _is_said(self, evidence: _Evidence, refused: set[str]) -> bool:
        return not refused.issuperset(name for name, _ in evidence)

    def _uncovered_commits(self, refused: set[str]) -> Iterator[str]:
        # A file that one commit changes and another restores is not part of the change.
        net = None if self.facts.paths is None else frozenset(self.facts.paths)
        for commit, evidence in self.commits:
            if commit.breaking:
                yield f"{commit.subject!r} breaks something"
            elif self._is_said(evidence, refused):
                continue
            elif commit.paths is None:
                yield f"{commit.subject!r} matches no class"
            else:
                left = (path for path in commit.paths if net is None or path in net)
                loose = (path for path in left if not self._is_taken(path, refused))
                yield from (f"{path} matches no class" for path in loose)

    def _uncovered_files(self, refused: set[str]) -> Iterator[str]:
        said = [commit for commit, texts in self.commits if self._is_said(texts, refused)]
        everywhere = any(commit.paths is None for commit in said)
        touched = {path for commit in said for path in commit.paths or ()}
        for path in self.facts.paths or ():
            if not (everywhere or path in touched or self._is_taken(path, refused)):
                yield f"{path} matches no class"

    def _unsure(self, refused: set[str]) -> bool:
        """Return whether unknown files or commits may exist that match no class."""
        if self.facts.paths is not None:
            return False
        said = [self._is_said(evidence, refused) for _, evidence in self.commits]
        return not said or not all(said)

    def _unknown(self) -> Iterator[tuple[tuple[str, str], list[str]]]:
        """Yield the classes that unknown facts do not rule out."""
        facts = self.facts
        by_field = {
            "paths": (facts.paths, ("paths",)),
            "labels": (facts.labels, ("labels",)),
            "branches": (facts.branches, ("branches",)),
            "commits": (facts.commits, _BY_COMMITS),
            "titles": (facts.titles, ("types",)),
        }
        for name, matcher in self.matchers.items():
            reasons = [
                f"{what}: {facts.unknown.get(what, 'not known')}"
                for what, (value, keys) in by_field.items()
                if value is None and any(getattr(matcher, key) for key in keys)
            ]
            if reasons:
                yield (name, "unknown"), reasons
