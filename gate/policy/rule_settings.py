"""The settings of each rule: thresholds, effects and exempt change classes.

Source of `PostmortemRule`: https://sre.google/workbook/error-budget-policy/, "Outage Policy": a
postmortem for a single incident that consumed more than 20% of the error budget over four weeks.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from fractions import Fraction
from typing import TYPE_CHECKING, Final

from gate.dataclass import dataclass
from gate.policy.changes import REPAIRS
from gate.slo.objective import CalendarWindow, RatioSlo, Span, SpendSlo

if TYPE_CHECKING:  # imported only when used: most policies have no such rule
    from gate.history.records import IncidentRecord, UnreadableRecord


class Effect(StrEnum):
    """The effect of a rule that fires, on a change that is not exempt."""

    BLOCK = "block"
    WARN = "warn"


@dataclass(frozen=True, slots=True, kw_only=True)
class BurnRateRule:
    """One pair of windows."""

    long: timedelta
    """The long window, which shows that the burn matters."""
    short: timedelta
    """The short window, which shows that the burn goes on; usually a twelfth of ``long``."""
    rate: Fraction
    """The rule fires when both burn rates are at least this; above 0."""
    effect: Effect
    allow: frozenset[str] = REPAIRS
    """The change classes that may ship anyway."""


GOOGLE_30D: Final = (
    # Site Reliability Workbook, chapter 5, table 5-8 and the multiwindow example below it
    # (https://sre.google/workbook/alerting-on-slos/): 2% of a 30-day budget in 1 h, 5% in 6 h, 10%
    # in 1 d and in 3 d; rate = share x 30 d / long window; short = long / 12. There, the first two
    # page somebody; here, they block. There, the last two open a ticket; here, they warn.
    BurnRateRule(
        long=timedelta(hours=1),
        short=timedelta(minutes=5),
        rate=Fraction("14.4"),
        effect=Effect.BLOCK,
    ),
    BurnRateRule(
        long=timedelta(hours=6), short=timedelta(minutes=30), rate=Fraction(6), effect=Effect.BLOCK
    ),
    BurnRateRule(
        long=timedelta(days=1), short=timedelta(hours=2), rate=Fraction(3), effect=Effect.WARN
    ),
    BurnRateRule(
        long=timedelta(days=3), short=timedelta(hours=6), rate=Fraction(1), effect=Effect.WARN
    ),
)
NAMED_BURN_RATES: Final = {"google-30d": GOOGLE_30D}
"""The sets of rules that a policy can name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExhaustionRule:
    """How long every budget must last at its current burn rate."""

    within: timedelta
    """The rule fires if a budget runs out within this time."""
    effect: Effect = Effect.WARN
    allow: frozenset[str] = REPAIRS
    """The change classes that may ship anyway."""

    @property
    def long(self) -> timedelta:
        """The window that shows that the rate matters: a third of ``within``, in whole minutes.

        docs/rules.md says how often that is right, and compares it with other windows.
        """
        return _whole_minutes(self.within / 3)

    @property
    def short(self) -> timedelta:
        """The window that shows that the burn goes on: a twelfth of ``within``, in minutes."""
        return _whole_minutes(self.within / 12)


_MINUTE: Final = timedelta(minutes=1)
_SHORTEST: Final = timedelta(minutes=5)


def _whole_minutes(length: timedelta) -> timedelta:
    return max(length // _MINUTE * _MINUTE, _SHORTEST)


CHART_LENGTH: Final = timedelta(days=14)
CHART_STEP: Final = timedelta(hours=1)
SIGNAL_TTL: Final = timedelta(hours=24)
"""The defaults of `ControlChartRule`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlChartRule:
    """The settings of the charts, and their effect on a change."""

    effect: Effect = Effect.WARN
    last: timedelta = CHART_LENGTH
    """The length of the history on a chart."""
    step: timedelta = CHART_STEP
    """The length of one point of a chart."""
    baseline: timedelta = CHART_LENGTH / 2
    """The length of the baseline at the start of the chart; less than ``last``."""
    signal_ttl: timedelta = SIGNAL_TTL
    """A signal counts while it goes on, and for this time after its end."""
    allow: frozenset[str] = REPAIRS
    """The change classes that ship anyway."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PostmortemRule:
    """The incidents that need a reviewed record, and the existing records."""

    share: Fraction
    """An incident that took more than this share of a budget needs a record; 0 to 1."""
    threshold: Fraction
    """The burn rate at which an incident begins, above 0."""
    patterns: tuple[str, ...]
    """Globs of the files with records, for the message about a missing record."""
    records: "tuple[IncidentRecord, ...]"
    unreadable: "tuple[UnreadableRecord, ...]" = ()
    """The records with a mistake: the incidents that they may be about are in doubt."""
    last: timedelta | None = None
    """How far back incidents count; None: the SLO's own window."""
    allow: frozenset[str] = REPAIRS
    """The change classes that ship anyway."""
    excuse_reviewed: bool = False
    """Whether reviewed incidents excuse the part of a budget that they took."""

    def counted_span(self, slo: RatioSlo | SpendSlo, at: datetime) -> Span:
        """Return the time span whose incidents need a record."""
        return slo.window.counted(at) if self.last is None else Span(at - self.last, at)

    def span(self, slo: RatioSlo | SpendSlo, at: datetime) -> Span:
        """Return the time span that is examined: for the excuses, the budget's whole window."""
        counted = self.counted_span(slo, at)
        if not self.excuse_reviewed:
            return counted
        return max(counted, slo.window.counted(at), key=lambda span: span.length)

    def forgotten_at(self, slo: RatioSlo | SpendSlo, end: datetime, at: datetime) -> datetime:
        """Return the time when an incident that ended within the counted span will be out of it."""
        if self.last is not None:
            return end + self.last
        if isinstance(slo.window, CalendarWindow):
            return slo.window.whole(at).end
        return end + slo.window.duration


@dataclass(frozen=True, slots=True, kw_only=True)
class Freeze:
    """A stretch of time in which only some change classes may ship."""

    start: datetime
    end: datetime | None
    """The first instant after the freeze; None: unknown."""
    reason: str
    allow: frozenset[str]

    def stops(self, change: str, at: datetime) -> bool:
        """Return whether a change of this class may not ship at this instant."""
        return self.holds(at) and change not in self.allow

    def holds(self, at: datetime) -> bool:
        """Return whether an instant is in the freeze."""
        return self.start <= at and (self.end is None or at < self.end)
