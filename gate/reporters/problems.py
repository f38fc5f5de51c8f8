"""What a decision objects to, worst first, as the formats for machines list it."""

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePath
from posixpath import join, normpath

from gate.decision.decision import Decision, PolicyDecision, PolicySource
from gate.policy.findings import Finding, Rule, Verdict
from gate.reporters import summary


def place(source: PolicySource, decision: Decision) -> str:
    """Return the path of a policy as a code host looks for it: from the top of the repository."""
    path = PurePath(source.path)
    if path.is_absolute():
        return path.as_posix()
    return normpath(join(decision.context.folder, path.as_posix()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One finding that does not simply allow the change."""

    decided: PolicyDecision
    finding: Finding
    number: int = 1
    """Of those about the same: two incidents of one SLO are two objections."""

    @property
    def text(self) -> str:
        """The verdict, what it is about, and why, in one sentence."""
        change, service = self.decided.change_class, self.decided.policy.service
        return f"{self.finding.verdict}: {change} of {service}: {summary.reason(self.finding)}"

    @property
    def fingerprint(self) -> str:
        """What it is about, without the numbers: the same objection tomorrow is no new one."""
        finding, decided = self.finding, self.decided
        about = [decided.policy.service, decided.change_class, finding.rule, finding.slo or ""]
        about += [str(self.number)] if self.number > 1 else []
        return hashlib.sha256("\0".join(about).encode("utf-8", "replace")).hexdigest()


def problems(decision: Decision) -> list[Problem]:
    """Return all of them; those of equal weight stay in the order of the policies."""
    return sorted(_all(decision), key=lambda problem: -problem.finding.verdict.severity)


def _all(decision: Decision) -> Iterator[Problem]:
    for decided in decision.policies:
        alike = Counter[tuple[Rule, str | None]]()
        for finding in decided.judgement.findings:
            if finding.verdict is not Verdict.ALLOW:
                alike[finding.rule, finding.slo] += 1
                number = alike[finding.rule, finding.slo]
                yield Problem(decided=decided, finding=finding, number=number)
