"""The rule that what a costly incident taught is written down before features ship again.

Source: https://sre.google/workbook/error-budget-policy/, "Outage Policy": a postmortem for a single
incident that consumed more than 20 % of the error budget over four weeks.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction

from gate.history.records import IncidentRecord
from gate.policy.changes import REPAIRS
from gate.slo.objective import RatioSlo
from gate.slo.window import CalendarWindow, Span


@dataclass(frozen=True, slots=True, kw_only=True)
class PostmortemRule:
    """Which incidents need a reviewed record, and the records that there are."""

    share: Fraction
    """An incident that took more than this of a budget needs one; 0 to 1."""
    threshold: Fraction
    """The burn rate at which an incident begins, above 0."""
    patterns: tuple[str, ...]
    """Globs of the files that records are in, for those who must write one."""
    records: tuple[IncidentRecord, ...]
    last: timedelta | None = None
    """How far back incidents count; None: as far as the SLO's own window."""
    allow: frozenset[str] = REPAIRS
    """Change classes that ship all the same."""
    excuse_reviewed: bool = False
    """Whether reviewed incidents excuse the part of a budget that they took."""

    def counts(self, slo: RatioSlo, at: datetime) -> Span:
        """Return the time whose incidents need a record."""
        return slo.window.counted(at) if self.last is None else Span(at - self.last, at)

    def looks_at(self, slo: RatioSlo, at: datetime) -> Span:
        """Return the time that must be looked at: also all that the budget remembers, to excuse."""
        counts = self.counts(slo, at)
        if not self.excuse_reviewed:
            return counts
        return max(counts, slo.window.counted(at), key=lambda span: span.length)

    def explaining(self, start: datetime, end: datetime) -> list[IncidentRecord]:
        """Return the records that overlap a stretch of time, complete or not."""
        return [record for record in self.records if record.overlaps(start, end)]

    def forgets(self, slo: RatioSlo, end: datetime, at: datetime) -> datetime:
        """Return when an incident that ended within the time that counts will be out of it."""
        if self.last is not None:
            return end + self.last
        if isinstance(slo.window, CalendarWindow):
            return slo.window.whole(at).end
        return end + slo.window.duration
