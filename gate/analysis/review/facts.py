"""The results for one objective, in sentences."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from math import floor
from typing import Final

from gate import wording
from gate.analysis import why_unmeasured
from gate.analysis.review import MovedReview, Review, SloReview
from gate.history.objective_candidates import Fit, expected_share
from gate.history.periods import PastPeriod
from gate.measure import Unmeasured
from gate.reporters.page import Fact
from gate.slo.objective import RatioSlo
from gate.slo.quantities import format_duration
from gate.wording import shown

NO_SLIDING: Final = "no sliding window has enough data"


def review_facts(reviewed: SloReview) -> Iterator[Fact]:
    """Yield the results for an SLO's objective, and the unknown parts."""
    slo, review = reviewed.slo, reviewed.review
    yield from unmeasured_facts(reviewed.unmeasured)
    if review is None:
        return
    if review.counted:
        yield "Result", _meaning(slo, review)
        yield "Sliding", _of_moved(slo, review.moved)
        yield "Candidate", _in_most(review)
        if slo.sla is not None:
            yield "SLA", _margin(slo.sla, review)
        if slo.sampled is not None:
            yield "Sampled", "the uncertainty of a sample is not taken into account here"
    yield from begin_facts(review.begins)
    if review.unknown:
        share = wording.spent(review.unknown)
        yield "Unknown", f"for {share} of the time the remaining budget is unknown"
    yield from (("Note", note) for note in review.notes)


def unmeasured_facts(unmeasured: Unmeasured | None) -> Iterator[Fact]:
    """Yield why nothing was measured, where that is so."""
    if unmeasured is not None:
        yield "Not measured", why_unmeasured(unmeasured)


def begin_facts(begins: datetime | None) -> Iterator[Fact]:
    """Yield when the history begins, if that is later than the examined time."""
    if begins is not None:
        at = wording.instant(begins)
        yield "History", f"begins about {at}; nothing is kept from before"


def _meaning(slo: RatioSlo, review: Review) -> str:
    consumed = [period.consumed(slo.objective) for period in review.counted]
    missed, most = sum(share > 1 for share in consumed), wording.spent(max(consumed))
    fact = f"{_missed_in(missed, review.counted)}, at most {most} of the budget used"
    advice = {
        Fit.STRICT: "lower the objective, or improve the service",
        Fit.LOOSE: "raise the objective, or use the budget to ship more and faster",
        Fit.UNDECIDED: "look at more periods",
    }
    return "; ".join(filter(None, [fact, advice.get(review.fit)]))


def _of_moved(slo: RatioSlo, moved: MovedReview | None) -> str:
    """Describe the budget in windows that do not begin where the periods do."""
    if moved is None:
        return NO_SLIDING
    used = wording.spent(shown(moved.worst / slo.budget))
    sliding = missed_sliding(moved.missed, moved.count, moved.step)
    return f"{sliding}; the worst, to {wording.instant(moved.worst_end)}, used {used} of the budget"


def missed_sliding(missed: Fraction, count: int, step: timedelta) -> str:
    """Say in which share of the sliding windows an objective, or an allowance, was missed."""
    often = f"missed in {wording.spent(missed)}" if missed else "missed in none"
    return (
        f"{often} of {count:,} windows {format_duration(step)} apart (they overlap, so this is"
        " weaker evidence)"
    )


def _in_most(review: Review) -> str:
    """Say which objective was met in most periods, and how often it will be."""
    count = len(review.counted)
    if review.met is None:
        return f"nothing failed in {_periods(review.counted)}, so any objective was met"
    met, expected = review.met_periods, expected_share(count)
    of = "the only period" if count == 1 else f"{met} of {_periods(review.counted)}"
    coming = count + (met == count)
    often = f"about {floor(expected * coming)} of {coming}"
    return f"{wording.percent(review.met)} was met in {of}; expect {often} future ones to meet it"


def _margin(sla: Fraction, review: Review) -> str:
    counted, moved = review.counted, review.moved
    missed = sum(period.consumed(sla) > 1 for period in counted)
    worst = max(counted, key=lambda period: period.consumed(sla))
    left = wording.budget_left(shown(1 - worst.consumed(sla)))
    when, spare = wording.instant(worst.span.start), whole(worst.spare(sla))
    if missed:
        over = f"{spare.removeprefix('-')} bad events too many"
        which = f"was {_missed_in(missed, counted)}; the worst"
    else:
        over = f"{spare} more could have failed"
        never = moved is not None and not moved.sla_missed
        often = "never missed" if never else _missed_in(0, counted)
        which = f"was {often}; the closest period"
    said = f"{wording.percent(sla)} {which} began {when}: {left}, {over}"
    if moved is None or not moved.sla_missed:
        return said
    at_worst = wording.budget_left(shown(1 - moved.worst / (1 - sla)))
    return (
        f"{said}; {wording.spent(moved.sla_missed)} of the windows"
        f" {format_duration(moved.step)} apart missed it; in the worst, to"
        f" {wording.instant(moved.worst_end)}, {at_worst}"
    )


def _missed_in(missed: int, counted: Sequence[PastPeriod]) -> str:
    """Say in how many of the periods an objective was missed."""
    if len(counted) == 1:
        return f"{'' if missed else 'not '}missed in the only period"
    return f"missed in {missed or 'none'} of {_periods(counted)}"


def _periods(counted: Sequence[PastPeriod]) -> str:
    return f"{len(counted)} period{'' if len(counted) == 1 else 's'}"


def whole(count: Fraction) -> str:
    """Write the whole events in a count; rounded down, also below 0."""
    return f"{int(shown(count) // 1):,}"
