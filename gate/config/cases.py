"""The cases that a policy is tested with: what each states, and what it expects."""

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime
from pathlib import Path
from typing import Final, Literal

from gate.budget.impact import Impact
from gate.config.stated import FULL, Nodes, StatedSlo
from gate.dataclass import dataclass
from gate.errors import ExitCode
from gate.history.records import IncidentRecord
from gate.parsing.reader import Reader
from gate.policy.case import StatedFinding
from gate.policy.changes import ChangeCommit
from gate.policy.findings import Rule, Verdict

ENDINGS: Final = {".yaml": ".test.yaml", ".yml": ".test.yml"}
"""How the file of the cases is called beside a policy: gate.yaml has gate.test.yaml."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatedChange:
    """The facts that a case states about a change whose class is recognised; others are absent."""

    paths: tuple[str, ...] | None = None
    """None: those of the commits."""
    labels: tuple[str, ...] = ()
    branch: str | None = None
    title: str | None = None
    commits: tuple[ChangeCommit, ...] = ()
    approved_by: tuple[str, ...] = ()
    """Those of a class's ``approved_by`` that have approved the change."""
    was_live: bool = False
    """Whether this very commit was live before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedRule:
    """A finding that does more than let the change pass."""

    rule: Rule
    slo: str | None = None
    """None: any SLO, or the change as a whole."""
    verdict: Verdict | None = None
    """None: any but allow."""

    def __str__(self) -> str:
        about = f" of {self.slo}" if self.slo is not None else ""
        return f"{self.rule}{about}{f': {self.verdict}' if self.verdict is not None else ''}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """The outcome that a case expects; None: any."""

    verdict: Verdict
    exit_code: ExitCode | None = None
    change: str | None = None
    """The class that is recognised."""
    tier: str | None = None
    worst_slo: str | None = None
    rules: tuple[ExpectedRule, ...] = ()
    """That fire, each."""
    no_other_rule: bool = False
    """Whether no other rule may fire."""
    allowed_now: frozenset[str] | Literal["all"] | None = None
    """The classes that may ship, all of them."""
    obligations: frozenset[str] | None = None
    """All requirements of the tier for the change."""
    nodes: Nodes = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class StatedCase:
    """One case: a change at an instant, the budgets and the past then, and what is expected."""

    name: str
    at: datetime
    change: str | StatedChange
    """A class, or what it is recognised by."""
    slos: Mapping[str, StatedSlo] = field(default_factory=dict)
    others: StatedSlo = FULL
    """The budget of the SLOs that ``slos`` does not name."""
    records: tuple[IncidentRecord, ...] = ()
    """The records of incidents that take the place of those that the policy reads."""
    findings: tuple[StatedFinding, ...] = ()
    """The findings of rules that look back, without the past that they follow from."""
    satisfied: tuple[str, ...] = ()
    impact: Impact | None = None
    fail_on_warn: bool = False
    ci_freeze: bool = False
    """Whether the CI system itself says that deploys are frozen."""
    expect: Expectation
    nodes: Nodes = field(compare=False, repr=False)

    @property
    def line(self) -> int:
        """Its place in the file, from 1."""
        return self.nodes[""].start_mark.line + 1


@dataclass(frozen=True, slots=True)
class CasesFile:
    """A file of cases that was read."""

    cases: tuple[StatedCase, ...]
    """At least one."""
    reader: Reader
    """Notes what is wrong with them under a policy."""

    @property
    def path(self) -> str:
        """The file, as the user gave it."""
        return self.reader.file


def place_of_cases(policy: str) -> str:
    """Return where the cases of a policy are, or would be: gate.yaml has gate.test.yaml beside it.

    Either ending may be either of the two that YAML files have.
    """
    path = Path(policy)
    places = [path.with_name(path.stem + ending) for ending in ENDINGS.values()]
    return str(next((place for place in places if place.is_file()), places[0]))


def policy_beside(path: str) -> str | None:
    """Return the policy that a file of cases is for, by its name; None: it is named otherwise."""
    for policy, cases in ENDINGS.items():
        if path.endswith(cases):
            return path.removesuffix(cases) + policy
    return None
