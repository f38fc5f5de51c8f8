"""The spending of an allowance in past periods: the result, and its document."""

from datetime import datetime
from enum import StrEnum
from fractions import Fraction

from gate.analysis import unmeasured_document
from gate.dataclass import dataclass
from gate.decision.slo_document import Json, number, rfc3339, share
from gate.history.objective_candidates import MovedWindows
from gate.history.periods import PastPeriod, PeriodCut, to_digits
from gate.measure import Unmeasured
from gate.slo.objective import SpendSlo

WHOLE = Fraction(0)
"""The objective of an allowance: all of it may be spent."""


class Kept(StrEnum):
    """Whether an allowance was enough for the periods."""

    MISSED = "allowance missed"
    """Some period spent more."""
    OPEN = "periods open"
    """Some period has too little data, and none is known to have spent more."""
    MET = "allowance met"


@dataclass(frozen=True, slots=True, kw_only=True)
class SpendReview:
    """The periods of one allowance."""

    periods: tuple[PastPeriod, ...]
    """The oldest first; the total of each is the allowance, and bad is the spent amount."""
    cut: PeriodCut
    moved: MovedWindows
    """Sliding windows of a period's length, with the share of the allowance that each spent."""
    begins: datetime | None
    """The first instant with known data; None if that is the start of the requested time."""
    query: str
    notes: tuple[str, ...]

    @property
    def settled(self) -> list[PastPeriod]:
        """The periods that are known to have kept to the allowance or exceeded it."""
        return [period for period in self.periods if is_met(period) is not None]

    @property
    def missed(self) -> int:
        """The number of periods that spent more than the allowance."""
        return sum(is_met(period) is False for period in self.periods)

    @property
    def open(self) -> int:
        """The number of periods that are not settled."""
        return len(self.periods) - len(self.settled)

    @property
    def kept(self) -> Kept:
        """Whether the allowance was enough."""
        if self.missed:
            return Kept.MISSED
        return Kept.OPEN if self.open else Kept.MET

    def moved_worst(self, slo: SpendSlo) -> Fraction:
        """Return the most that a sliding window spent; there is at least one."""
        return to_digits(self.moved.worst * float(slo.allowance))

    @property
    def moved_worst_end(self) -> datetime:
        """The end of the first sliding window that spent most; there is at least one."""
        return self.cut.bounds[0] + self.moved.worst_end * self.cut.step


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewedSpend:
    """An allowance that was reviewed."""

    slo: SpendSlo
    review: SpendReview | None
    unmeasured: Unmeasured | None
    """The reason why the allowance, or all its periods, cannot be reviewed; None if some can."""


def is_met(period: PastPeriod) -> bool | None:
    """Return whether a period kept to the allowance; None: too little is known.

    The known part may already exceed it, whatever the rest was.
    """
    if period.consumed(WHOLE) > 1:
        return False
    return True if period.doubt is None else None


def spend_document(reviewed: ReviewedSpend) -> Json:
    """Return the spending as plain data; shares are fractions of the allowance."""
    slo = reviewed.slo
    return {
        "name": slo.name,
        "allowance": number(slo.allowance),
        "unit": slo.unit,
        "window": str(slo.window),
        "unmeasured": unmeasured_document(reviewed.unmeasured),
        "review": _review(slo, reviewed.review) if reviewed.review else None,
    }


def _review(slo: SpendSlo, review: SpendReview) -> Json:
    return {
        "result": review.kept,
        "periods_met": len(review.settled) - review.missed,
        "periods_missed": review.missed,
        "periods_open": review.open,
        "periods": [_period(period) for period in review.periods],
        "moved_windows": _moved(slo, review) if review.moved.ratios else None,
        "history_begins": rfc3339(review.begins),
        "query": review.query,
        "notes": list(review.notes),
    }


def _period(period: PastPeriod) -> Json:
    return {
        "start": rfc3339(period.span.start),
        "end": rfc3339(period.span.end),
        "spent": number(period.bad) if period.coverage else None,
        "left": number(period.spare(WHOLE)) if period.coverage else None,
        "consumed": share(period.consumed(WHOLE)) if period.coverage else None,
        "coverage": share(period.coverage),
        "partly_known": period.doubt,
        "met": is_met(period),
    }


def _moved(slo: SpendSlo, review: SpendReview) -> Json:
    moved = review.moved
    return {
        "windows": len(moved.ratios),
        "step_seconds": review.cut.step.total_seconds(),
        "missed_share": share(moved.missed(WHOLE)),
        "worst_spent": number(review.moved_worst(slo)),
        "worst_consumed": moved.worst,
        "worst_end": rfc3339(review.moved_worst_end),
    }
