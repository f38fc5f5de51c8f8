"""How many failures an hour a budget can still afford until a date."""

from collections.abc import Sequence
from datetime import datetime
from fractions import Fraction

from gate.analysis.forecast import Affordable
from gate.budget.assessment import Assessment
from gate.budget.forecast import affordable_failures
from gate.budget.ratio import budget_to_date, seconds, slices_in
from gate.policy.tiers import Tier
from gate.slo.objective import RatioSlo, RollingWindow, SpendSlo


def affordable(
    assessment: Assessment, better: Sequence[Tier], *, at: datetime, until: datetime | None
) -> Affordable | None:
    """Return how much an hour may fail; None where that cannot be said.

    Args:
        assessment: a measured budget, if it is a rolling one with its recovery.
        better: the tiers above the one that it is in.
        at: now.
        until: the date; None: the reset, or one window from now.
    """
    slo, now = assessment.slo, assessment.compared
    if not isinstance(slo, RatioSlo | SpendSlo) or now is None:
        return None
    share = _share_of_one(slo, assessment.total or Fraction(0), at)
    rolling = isinstance(slo.window, RollingWindow)
    whole = slo.window.whole(at)
    end = at + whole.length if rolling else whole.end
    last = end if until is None else min(until, end)
    future = list(assessment.recovering()) if rolling else [(last, now)]
    if share is None or not any(instant <= last for instant, _ in future):
        return None

    def rate(threshold: Fraction) -> Fraction | None:
        return affordable_failures(future, now, at=at, until=last, threshold=threshold, share=share)

    return Affordable(
        until=last,
        at_reset=not rolling and last == end,
        rate=rate(Fraction(0)),
        back={
            tier.name: rate(tier.condition.threshold)
            for tier in better
            if tier.condition is not None
        },
        what=_what(slo),
    )


def _share_of_one(slo: RatioSlo | SpendSlo, total: Fraction, at: datetime) -> Fraction | None:
    """Return which share of the budget one more bad event spends; None without any event.

    Of a calendar budget by events as many are taken to come as have come, in proportion; of one
    that grows with its events, as if none came: it can afford more in the end.
    """
    if isinstance(slo, SpendSlo):
        return 1 / slo.allowance
    whole, counted = slo.window.whole(at).length, slo.window.counted(at).length
    if slo.slices is not None:
        return 1 / (slo.budget * slices_in(whole, slo.slices.length))
    part = Fraction(1) if budget_to_date(slo) else seconds(counted) / seconds(whole)
    return part / (slo.budget * total) if total else None


def _what(slo: RatioSlo | SpendSlo) -> str:
    if isinstance(slo, SpendSlo):
        return slo.unit or "units"
    return "failures" if slo.slices is None else "bad slices"
