"""The policy in the form that the rest of the program uses, whatever file it was read from."""

from collections.abc import Mapping
from dataclasses import field
from datetime import timedelta
from enum import StrEnum
from fractions import Fraction
from typing import Final

from gate.budget.coverage import Guards
from gate.dataclass import dataclass
from gate.measure import Cause, Unmeasured
from gate.policy.changes import ChangeMatcher, Live
from gate.policy.override import OverrideRule
from gate.policy.requirements import Requirement
from gate.policy.rule_settings import (
    BurnRateRule,
    ControlChartRule,
    ExhaustionRule,
    Freeze,
    PostmortemRule,
)
from gate.policy.tiers import Tier
from gate.slo.objective import CompositeSlo, PlatformSlo, RatioSlo, Slo, SpendSlo


class Action(StrEnum):
    """The effect on a change of a budget that is unknown or in doubt."""

    BLOCK = "block"
    """The verdict is undecided: the change does not ship."""
    WARN = "warn"
    """The change ships, with a warning that says what is unknown."""
    ALLOW = "allow"
    """The change ships; the report still says what is unknown."""


DEFAULT_ACTIONS: Final = {
    Cause.NO_DATA: Action.BLOCK,
    Cause.NO_TRAFFIC: Action.BLOCK,
    Cause.INVALID: Action.BLOCK,
    Cause.STALE: Action.BLOCK,
    Cause.PARTIAL: Action.BLOCK,
    Cause.BACKEND_ERROR: Action.BLOCK,
    Cause.LOW_TRAFFIC: Action.WARN,
    Cause.LOW_COVERAGE: Action.WARN,
    Cause.MOSTLY_UNCOVERED: Action.BLOCK,
    Cause.UNMATCHED: Action.BLOCK,
    Cause.BORN: Action.BLOCK,
    Cause.CONTRADICTED: Action.BLOCK,
    Cause.LOST: Action.BLOCK,
    Cause.UNKNOWN_OUTCOME: Action.BLOCK,
    Cause.ROUNDED: Action.BLOCK,
    Cause.NOT_COVERED: Action.WARN,
}
LONGEST_VALID_FOR: Final = timedelta(hours=24)
"""The longest time for which a decision is valid: an old measurement says too little about the
present. At a burn rate of 14.4, which pages somebody, half of a 30-day budget is gone in a day
(https://sre.google/workbook/alerting-on-slos/)."""
DEFAULT_GUARDS: Final = Guards(max_age=timedelta(minutes=10), min_coverage=Fraction(9, 10))


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The contents of a policy file, checked and with its defaults filled in."""

    service: str
    owners: tuple[str, ...]
    slos: tuple[Slo, ...]
    """At least one; names are unique; members of a composite come before it."""
    tiers: tuple[Tier, ...]
    """At least one; the last applies to every budget."""
    burn_rates: tuple[BurnRateRule, ...]
    freezes: tuple[Freeze, ...]
    on: Mapping[Cause, Action]
    """The action for each cause."""
    exempt: frozenset[str]
    """The change classes that ship although a budget could not be measured."""
    guards: Guards
    """The requirements on every measurement, unless an SLO has its own (`guards_of`)."""
    change_classes: frozenset[str]
    """The built-in classes and the policy's own."""
    default_change: str
    matchers: Mapping[str, ChangeMatcher]
    """The criteria of classes, in the policy's order."""
    overrides: OverrideRule
    valid_for: timedelta
    """The time for which a decision may be used; at most `LONGEST_VALID_FOR`."""
    live: Live | None = None
    """The source of the live commit; None: the policy names none."""
    dashboard: str | None = None
    """The address of a dashboard, which reports link to."""
    exhaustion: ExhaustionRule | None = None
    postmortems: PostmortemRule | None = None
    control_charts: ControlChartRule | None = None
    backends: Mapping[str, str] = field(default_factory=dict)
    """The type of each backend by the name that SLOs use; the name of a single backend is empty."""
    own_actions: Mapping[str, Mapping[Cause, Action]] = field(default_factory=dict)
    """The actions of an SLO or of its backend that replace those of ``on``, by the SLO's name."""
    undefined: Mapping[str, Unmeasured] = field(default_factory=dict)
    """The reason why the objective and the window of a platform's SLO are unknown, by the SLO's
    name."""
    claims: bool = False
    """Whether a claim suffices for a requirement that nothing can check."""

    @property
    def requirements(self) -> tuple[Requirement, ...]:
        """All requirements of the tiers, each once."""
        listed = (each for tier in self.tiers for each in tier.require.values())
        return tuple(dict.fromkeys(requirement for each in listed for requirement in each))

    @property
    def waits_for_platforms(self) -> bool:
        """Whether an SLO has its objective and window from a platform that is not queried yet."""
        return any(
            isinstance(slo, PlatformSlo) and slo.name not in self.undefined for slo in self.slos
        )

    def guards_of(self, slo: Slo) -> Guards:
        """Return the requirements on the measurements of an SLO."""
        return self.guards.of(slo)

    def counted_by(self, backend: str) -> tuple[RatioSlo | SpendSlo | PlatformSlo, ...]:
        """Return the SLOs that a backend of this name counts, in the policy's order."""
        own = (slo for slo in self.slos if not isinstance(slo, CompositeSlo))
        return tuple(slo for slo in own if slo.sli.backend == backend)

    def action_of(self, slo: Slo, cause: Cause) -> Action:
        """Return the effect of a cause on a change if it is about this SLO."""
        return self.own_actions.get(slo.name, {}).get(cause, self.on[cause])

    @property
    def looks_back(self) -> bool:
        """Whether a rule needs the history, not only counts."""
        return self.postmortems is not None or self.control_charts is not None
