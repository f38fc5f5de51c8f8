"""The report of a review: sentences, cells and the page."""

from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from functools import partial
from typing import Final

from gate import wording
from gate.analysis import examinations, left_out_facts
from gate.analysis.review import (
    CandidateReplay,
    Review,
    ReviewReport,
    ServiceReview,
    SloReview,
    review_document,
)
from gate.analysis.review.facts import review_facts, whole
from gate.analysis.review.spending import Kept, ReviewedSpend, SpendReview
from gate.analysis.review.spending_words import spend_section
from gate.history.objective_candidates import Fit
from gate.history.periods import PastPeriod
from gate.policy.findings import Verdict
from gate.reporters import summary
from gate.reporters.budgets import cause
from gate.reporters.page import (
    MUST,
    Badge,
    Block,
    Column,
    Facts,
    Output,
    Page,
    Section,
    said,
    tabulate,
)
from gate.slo.objective import RatioSlo
from gate.wording import shown

_NOT_MEASURED: Final = "not measured"
_VERDICTS: Final = {
    _NOT_MEASURED: Verdict.UNDECIDED,
    Fit.STRICT: Verdict.WARN,
    Fit.LOOSE: Verdict.WARN,
    Kept.MISSED: Verdict.WARN,
    Fit.UNDECIDED: Verdict.UNDECIDED,
    Kept.OPEN: Verdict.UNDECIDED,
    Fit.RIGHT: Verdict.ALLOW,
    Kept.MET: Verdict.ALLOW,
}
"""The results for an SLO, the most pressing first."""


def output(report: ReviewReport) -> Output:
    """Return the report in the form that every format is written from."""
    return Output(page=partial(page, report), document=partial(review_document, report))


def page(report: ReviewReport) -> Page:
    """Return the page on the objectives of every policy."""
    return Page(
        sections=tuple(map(_section, report.services)),
        closing=(
            summary.signature(report.evaluated_at, report.tool_version),
            *examinations(report),
        ),
    )


def _section(service: ServiceReview) -> Section:
    around = Facts(
        (
            *(("Tiers", text) for text in _tiers(service)),
            *left_out_facts(service.left_out),
            *summary.backend_facts(service.policy),
            ("Policy", summary.provenance(service.source)),
        )
    )
    return Section(
        title=service.policy.service,
        badge=_badge(service),
        blocks=(
            *map(_slo, service.slos),
            *(spend_section(spend, _state(spend)) for spend in service.spending),
            around,
        ),
    )


def _badge(service: ServiceReview) -> Badge:
    reviewed: list[SloReview | ReviewedSpend] = [*service.slos, *service.spending]
    counts = Counter(map(_state, reviewed))
    if not counts:
        return Badge(Verdict.UNDECIDED, "NOTHING TO REVIEW")
    words = ", ".join(
        f"{counts[state]} SLO{'s' * (counts[state] > 1)}: {state.upper()}"
        for state in _VERDICTS
        if counts[state]
    )
    return Badge(next(_VERDICTS[state] for state in _VERDICTS if counts[state]), words)


def _slo(reviewed: SloReview) -> Section:
    slo, review = reviewed.slo, reviewed.review
    blocks: list[Block] = []
    if review is not None:
        blocks.append(tabulate(review.periods, _period_columns(slo)))
        if review.counted:
            blocks.append(tabulate(review.replayed, _candidate_columns(review)))
    blocks.append(Facts(tuple(review_facts(reviewed))))
    return Section(
        title=slo.name,
        tail=f": {wording.percent(slo.objective)} over {slo.window}: {_state(reviewed)}",
        blocks=said(*blocks),
    )


def _period_columns(slo: RatioSlo) -> tuple[Column[PastPeriod], ...]:
    sla = slo.sla
    return (
        Column(title="From, UTC", cell=_start, right=False, keep=MUST),
        Column(title="To, UTC", cell=_end, right=False, keep=3),
        Column(title="Bad of total", cell=_events, keep=5),
        Column(
            title="Budget used", cell=lambda period: _consumed(period, slo.objective), keep=MUST
        ),
        *(_sla_columns(sla) if sla is not None else ()),
        Column(title="Counted", cell=_counted, right=False, keep=7),
    )


def _candidate_columns(review: Review) -> tuple[Column[CandidateReplay], ...]:
    counted = len(review.counted)
    return (
        Column(title="Objective", cell=_objective, keep=MUST),
        Column(title="Origin", cell=lambda row: row.candidate.kind, right=False, keep=MUST),
        Column(title="Met", cell=lambda row: f"{row.met} of {counted}", keep=8),
        Column(title="Exhausted", cell=lambda row: wording.rounded(row.exhausted), keep=3),
        *(_in_tier(tier) for tier in review.replayed[0].tiers),
    )


def _objective(row: CandidateReplay) -> str:
    return wording.percent(row.candidate.objective)


def _tiers(service: ServiceReview) -> Iterator[str]:
    yield "columns show how much of the time the SLO's own budget would have been in each tier"
    for tier in service.policy.tiers:
        if tier.allow is not None:
            yield f"{tier.name} allows only {', '.join(sorted(tier.allow | tier.warn))}"


def _state(reviewed: SloReview | ReviewedSpend) -> str:
    review = reviewed.review
    if review is None or reviewed.unmeasured is not None:
        return _NOT_MEASURED
    return review.kept if isinstance(review, SpendReview) else review.fit


def _start(period: PastPeriod) -> str:
    return wording.minute(period.span.start)


def _end(period: PastPeriod) -> str:
    return wording.minute(period.span.end)


def _events(period: PastPeriod) -> str:
    if not period.coverage:
        return wording.NOTHING
    return f"{wording.amount(shown(period.bad))} of {wording.amount(shown(period.total))}"


def _consumed(period: PastPeriod, objective: Fraction) -> str:
    return wording.spent(shown(period.consumed(objective))) if period.total else wording.NOTHING


def _counted(period: PastPeriod) -> str:
    if period.doubt is None:
        return "yes"
    return f"no: {cause(period.doubt)} ({wording.left(period.coverage, 0)} has data)"


def _sla_columns(sla: Fraction) -> Iterator[Column[PastPeriod]]:
    def left(period: PastPeriod) -> str:
        remaining = shown(1 - period.consumed(sla)) if period.total else None
        return wording.left_or_overspent(remaining)

    def spare(period: PastPeriod) -> str:
        return whole(period.spare(sla)) if period.total else wording.NOTHING

    yield Column(title="Left of SLA", cell=left, keep=6)
    yield Column(title="Spare events", cell=spare, keep=2)


def _in_tier(tier: str) -> Column[CandidateReplay]:
    return Column(title=tier, cell=lambda replay: wording.rounded(replay.tiers.get(tier)), keep=5)
