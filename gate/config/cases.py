"""The test cases of a policy: the facts that each case states, and its expected outcome."""

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Final, Literal

import yaml

from gate.budget.impact import Impact
from gate.dataclass import dataclass
from gate.errors import ExitCode
from gate.history.records import IncidentRecord
from gate.measure import Cause
from gate.parsing.reader import Reader
from gate.policy.case import StatedFinding
from gate.policy.changes import ChangeCommit
from gate.policy.findings import Rule, Verdict

ENDINGS: Final = {".yaml": ".test.yaml", ".yml": ".test.yml"}
"""The endings of a file of cases: gate.test.yaml belongs to gate.yaml."""
Nodes = Mapping[str, yaml.Node]
"""The node of each value of a block, by key, and of the block itself under the empty name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatedSuspicion:
    """A reason to doubt a count."""

    cause: Cause
    hidden: Fraction | None = Fraction(0)
    """The largest number of further events that may have been bad (or spent); None: unlimited."""
    doubtful: Fraction | None = Fraction(0)
    """The largest number of events counted as bad that may have been good; None: all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatedIncident:
    """A stretch of time in which an SLO's budget burned."""

    start: datetime
    end: datetime | None
    """Later than ``start``; None: it is still going on."""
    share: Fraction | None
    """The share of the budget that it took, above 0; None: ``bad`` gives it."""
    bad: Fraction | None
    """The number of bad events or slices in it, above 0; for an allowance, the amount spent in
    it."""
    nodes: Nodes = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class StatedSignal:
    """A stretch of time in which an indicator was worse than usual."""

    start: datetime
    end: datetime | None
    """Later than ``start``; None: it is still going on."""
    nodes: Nodes = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class StatedSlo:
    """The facts of a case about one SLO; one of the first four keys gives the remaining budget."""

    counts: tuple[Fraction, Fraction] | None = None
    """Total and bad over the SLO's own window."""
    remaining: Fraction | None = None
    """The share of the budget, at most 1; below 0 it is overspent."""
    rounding: Fraction | None = None
    """The error of ``remaining`` in both directions, above 0; None: it is exact."""
    spent: Fraction | None = None
    unmeasured: Cause | None = None
    burn_rates: Mapping[str, Fraction | Cause] = field(default_factory=dict)
    """The burn rates by window, as it is written; a cause says why a rate is unknown."""
    newest: timedelta | None = None
    """The age of the newest sample; None: it is new."""
    coverage: Fraction = Fraction(1)
    """The share of the window with data."""
    partial: bool = False
    suspicions: tuple[StatedSuspicion, ...] = ()
    incidents: tuple[StatedIncident, ...] = ()
    signals: tuple[StatedSignal, ...] = ()
    history: Cause | None = None
    """The reason why the history is unknown; None: it is known, if the budget is."""
    nodes: Nodes = field(default_factory=dict, compare=False, repr=False)


FULL: Final = StatedSlo(remaining=Fraction(1))
"""The defaults for those SLOs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatedChange:
    """The facts that a case states about a change, from which its class is recognised."""

    paths: tuple[str, ...] | None = None
    """None: the paths of the commits."""
    labels: tuple[str, ...] = ()
    branch: str | None = None
    title: str | None = None
    commits: tuple[ChangeCommit, ...] = ()
    approved_by: tuple[str, ...] = ()
    """The entries of a class's ``approved_by`` that have approved the change."""
    was_live: bool = False
    """Whether this commit was live before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedRule:
    """A finding that does more than let the change pass."""

    rule: Rule
    slo: str | None = None
    """None: any SLO, or the change as a whole."""
    verdict: Verdict | None = None
    """None: any verdict except allow."""

    def __str__(self) -> str:
        about = f" of {self.slo}" if self.slo is not None else ""
        return f"{self.rule}{about}{f': {self.verdict}' if self.verdict is not None else ''}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """The expected outcome of a case; None: anything."""

    verdict: Verdict
    exit_code: ExitCode | None = None
    change: str | None = None
    """The change class that is recognised."""
    tier: str | None = None
    worst_slo: str | None = None
    rules: tuple[ExpectedRule, ...] = ()
    """The rules that must all fire."""
    no_other_rule: bool = False
    """Whether no other rule may fire."""
    allowed_now: frozenset[str] | Literal["all"] | None = None
    """All classes that may ship."""
    obligations: frozenset[str] | None = None
    """All requirements of the tier for the change."""
    nodes: Nodes = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class StatedCase:
    """One case: a change at an instant, the budgets and the past then, and the expected outcome."""

    name: str
    at: datetime
    change: str | StatedChange
    """The change class, or the facts from which it is recognised."""
    slos: Mapping[str, StatedSlo] = field(default_factory=dict)
    others: StatedSlo = FULL
    """The budget of the SLOs that are not in ``slos``."""
    records: tuple[IncidentRecord, ...] = ()
    """The incident records that replace the records of the policy."""
    findings: tuple[StatedFinding, ...] = ()
    """The findings of rules that look back, stated without the past that leads to them."""
    satisfied: tuple[str, ...] = ()
    impact: Impact | None = None
    fail_on_warn: bool = False
    ci_freeze: bool = False
    """Whether the CI system itself declares a deploy freeze."""
    expect: Expectation
    nodes: Nodes = field(compare=False, repr=False)

    @property
    def line(self) -> int:
        """Its line in the file, from 1."""
        return self.nodes[""].start_mark.line + 1


@dataclass(frozen=True, slots=True)
class CasesFile:
    """A file of cases, after reading."""

    cases: tuple[StatedCase, ...]
    """At least one case."""
    reader: Reader
    """Notes the mistakes that the cases have together with a policy."""

    @property
    def path(self) -> str:
        """The path of the file, as the user gave it."""
        return self.reader.file


def place_of_cases(policy: str) -> str:
    """Return the path of the cases of a policy: gate.test.yaml beside gate.yaml.

    Each file may end in .yaml or in .yml.
    """
    path = Path(policy)
    places = [path.with_name(path.stem + ending) for ending in ENDINGS.values()]
    return str(next((place for place in places if place.is_file()), places[0]))


def policy_beside(path: str) -> str | None:
    """Return the policy that a file of cases is for, by its name; None for another form of name."""
    for policy, cases in ENDINGS.items():
        if path.endswith(cases):
            return path.removesuffix(cases) + policy
    return None
