"""The section about one allowance: sentences and cells."""

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction

from gate import wording
from gate.analysis.review.facts import NO_SLIDING, begin_facts, missed_sliding, unmeasured_facts
from gate.analysis.review.spending import WHOLE, ReviewedSpend, SpendReview, is_met
from gate.history.periods import PastPeriod
from gate.reporters.budgets import cause
from gate.reporters.page import MUST, Block, Column, Fact, Facts, Section, said, tabulate
from gate.slo.objective import SpendSlo


def spend_section(reviewed: ReviewedSpend, state: str) -> Section:
    """Return the section of a page about one allowance.

    Args:
        reviewed: the result.
        state: the result in a few words.
    """
    slo, review = reviewed.slo, reviewed.review
    blocks: list[Block] = [] if review is None else [tabulate(review.periods, _columns(slo))]
    return Section(
        title=slo.name,
        tail=f": {_money(slo, slo.allowance)} over {slo.window}: {state}",
        blocks=said(*blocks, Facts(tuple(_facts(reviewed)))),
    )


def _columns(slo: SpendSlo) -> tuple[Column[PastPeriod], ...]:
    def start(period: PastPeriod) -> str:
        return wording.minute(period.span.start)

    def end(period: PastPeriod) -> str:
        return wording.minute(period.span.end)

    def spent(period: PastPeriod) -> str:
        if not period.coverage:
            return wording.NOTHING
        return f"{'at least ' * (period.doubt is not None)}{_money(slo, period.bad)}"

    def used(period: PastPeriod) -> str:
        return wording.spent(period.consumed(WHOLE)) if period.coverage else wording.NOTHING

    def difference(period: PastPeriod) -> str:
        return _difference(slo, period) if period.coverage else wording.NOTHING

    return (
        Column(title="From, UTC", cell=start, right=False, keep=MUST),
        Column(title="To, UTC", cell=end, right=False, keep=3),
        Column(title="Spent", cell=spent, keep=MUST),
        Column(title="Allowance used", cell=used, keep=5),
        Column(title="Difference", cell=difference, keep=4),
        Column(title="Result", cell=_result, right=False, keep=MUST),
    )


def _result(period: PastPeriod) -> str:
    word = {True: "met", False: "missed", None: "open"}[is_met(period)]
    if period.doubt is None:
        return word
    return f"{word}: {cause(period.doubt)} ({wording.left(period.coverage, 0)} has data)"


def _difference(slo: SpendSlo, period: PastPeriod) -> str:
    missed, partly = is_met(period) is False, period.doubt is not None
    bound = f"at {'least' if missed else 'most'} " * partly
    return f"{bound}{_money(slo, abs(period.spare(WHOLE)))} {'too much' if missed else 'left'}"


def _facts(reviewed: ReviewedSpend) -> Iterator[Fact]:
    slo, review = reviewed.slo, reviewed.review
    yield from unmeasured_facts(reviewed.unmeasured)
    if review is None:
        return
    if review.settled:
        yield "Result", _meaning(slo, review)
        yield "Sliding", _sliding(slo, review)
        if review.open:
            yield "Open", f"too little is known of {review.open} of {len(review.periods)} periods"
    yield from begin_facts(review.begins)
    yield from (("Note", note) for note in review.notes)


def _meaning(slo: SpendSlo, review: SpendReview) -> str:
    worst = max(review.settled, key=lambda period: period.bad)
    count, when = len(review.settled), wording.instant(worst.span.start)
    which = "the only period" if count == 1 else f"{review.missed or count} of {count} periods"
    return (
        f"the allowance was {'missed' if review.missed else 'met'} in {which}; most was spent in"
        f" the period from {when}: {_money(slo, worst.bad)}, {_difference(slo, worst)}"
    )


def _sliding(slo: SpendSlo, review: SpendReview) -> str:
    """Describe the spending in windows that do not begin where the periods do."""
    moved = review.moved
    if not moved.ratios:
        return NO_SLIDING
    sliding = missed_sliding(moved.missed(WHOLE), len(moved.ratios), review.cut.step)
    worst = _money(slo, review.moved_worst(slo))
    return f"{sliding}; the worst, to {wording.instant(review.moved_worst_end)}, spent {worst}"


def _money(slo: SpendSlo, amount: Fraction) -> str:
    """Write an amount with all its digits: a cent too much is a miss."""
    digits = Decimal(amount.numerator) / Decimal(amount.denominator)
    return f"{digits:,f} {slo.unit}".rstrip()
