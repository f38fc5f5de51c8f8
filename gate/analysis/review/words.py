"""What a review found, in words and cells that are not yet escaped for any format."""

from collections import Counter
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Final

from gate import wording
from gate.analysis.review.result import Replayed, Review, ReviewReport, ServiceReview, SloReview
from gate.history.objective_candidates import Fit
from gate.history.periods import PastPeriod
from gate.policy.findings import Verdict
from gate.reporters import summary
from gate.reporters.budgets import cause
from gate.reporters.column import MUST, Column
from gate.reporters.details import Fact
from gate.slo.objective import RatioSlo

_NOT_MEASURED: Final = "not measured"


_VERDICTS: Final = {
    _NOT_MEASURED: Verdict.UNDECIDED,
    Fit.STRICT: Verdict.WARN,
    Fit.LOOSE: Verdict.WARN,
    Fit.UNTOLD: Verdict.UNDECIDED,
    Fit.RIGHT: Verdict.ALLOW,
}
"""What is found of an SLO, the most pressing first."""


_FULL: Final = 100
"""Per cent."""


_TWENTY: Final = 20
"""Of fewer, 95 % are all."""


def verdict(service: ServiceReview) -> tuple[Verdict, str]:
    """Return how bad it is, for signs and colours, and in capitals how many are how."""
    found = Counter(_state(one) for one in service.slos)
    if not found:
        return Verdict.UNDECIDED, "NOTHING TO REVIEW"
    words = ", ".join(f"{found[state]} {state.upper()}" for state in _VERDICTS if found[state])
    return next(verdict for state, verdict in _VERDICTS.items() if found[state]), words


def heading(one: SloReview) -> str:
    """Say what was promised, and how that fits."""
    return f"{wording.percent(one.slo.objective)} over {one.slo.window}: {_state(one)}"


def period_columns(slo: RatioSlo) -> tuple[Column[PastPeriod], ...]:
    """Return the columns of the table of periods."""
    sla = slo.sla
    return (
        Column(
            title="From, UTC", cell=lambda one: _minute(one, start=True), right=False, keep=MUST
        ),
        Column(title="To, UTC", cell=lambda one: _minute(one, start=False), right=False, keep=3),
        Column(title="Bad of total", cell=_events, keep=5),
        Column(title="Consumed", cell=lambda one: _consumed(one, slo.objective), keep=MUST),
        *([_left_of_sla(sla), _spare(sla)] if sla is not None else []),
        Column(title="Counted", cell=_counted, right=False, keep=7),
    )


def candidate_columns(found: Review) -> tuple[Column[Replayed], ...]:
    """Return the columns of the table of objectives that could have been."""
    counted = len(found.counted)
    return (
        Column(title="Objective", cell=_objective, keep=MUST),
        Column(title="", cell=lambda one: one.candidate.kind, right=False, keep=MUST),
        Column(title="Met", cell=lambda one: f"{one.met} of {counted}", keep=8),
        Column(title="Nothing left", cell=lambda one: _share(one.exhausted), keep=3),
        *(_in_tier(tier) for tier in found.replayed[0].tiers),
    )


def about(one: SloReview) -> Iterator[Fact]:
    """Yield what the periods come to, the SLA's margin, and what is not known."""
    if one.unmeasured is not None:
        yield "Not measured", f"{cause(one.unmeasured.cause)}: {one.unmeasured.reason}"
    found = one.review
    if found is None:
        return
    if found.counted:
        yield "Means", _meaning(one.slo, found)
        yield "In 95 %", _in_most(found)
        if one.slo.sla is not None:
            yield "SLA", _margin(one.slo.sla, found.counted)
        if one.slo.sampled is not None:
            yield "Sampled", "how sure one can be of the shares of a sample is not counted here"
    if found.begins is not None:
        begins = wording.instant(found.begins)
        yield "History", f"begins about {begins}; none is kept from before, or there was none"
    if found.unknown:
        yield "Unknown", f"{wording.spent(found.unknown)} of the time it is not known what was left"
    yield from (("Note", note) for note in found.notes)


def around(service: ServiceReview) -> list[Fact]:
    """Return what the tiers stop, which SLOs were not looked at, and which policy was read."""
    return [
        *(("Tiers", text) for text in _tiers(service)),
        *(("Left out", f"{slo}: {reason}") for slo, reason in service.left_out),
        ("Policy", summary.provenance(service.source)),
    ]


def closing(report: ReviewReport) -> Iterator[Fact]:
    """Yield when and by what it was looked at."""
    yield "Evaluated", wording.exact_instant(report.evaluated_at)
    yield "By", f"gate {report.tool_version}"


def _tiers(service: ServiceReview) -> Iterator[str]:
    yield "the share of the time at which the SLO's budget, by itself, would have been in each"
    for tier in service.policy.tiers:
        if tier.allow is not None:
            yield f"{tier.name} lets ship only {', '.join(sorted(tier.allow | tier.warn))}"


def _state(one: SloReview) -> str:
    if one.review is None or one.unmeasured is not None:
        return _NOT_MEASURED
    return one.review.fit


def _meaning(slo: RatioSlo, found: Review) -> str:
    consumed = [one.consumed(slo.objective) for one in found.counted]
    missed, most = sum(one > 1 for one in consumed), wording.spent(max(consumed))
    fact = f"missed in {missed} of {_periods(found.counted)}, at most {most} of the budget used"
    advice = {
        Fit.STRICT: "promise less, or make the service better",
        Fit.LOOSE: "promise more, or use the budget to change more and faster",
    }
    return "; ".join(filter(None, [fact, advice.get(found.fit)]))


def _in_most(found: Review) -> str:
    count = len(found.counted)
    if found.met is None:
        return f"nothing failed in {_periods(found.counted)}: any objective was met"
    share, few = ("95 %", "") if count >= _TWENTY else ("each", " (95 % of so few are all)")
    said = f"{wording.percent(found.met)} was met in {share} of {_periods(found.counted)}{few}"
    if found.met_moved is None or found.moved <= count:
        return said
    return (
        f"{said}; {wording.percent(found.met_moved)} in 95 % of {found.moved:,} windows moved"
        " through the time, which overlap and so tell less than as many periods would"
    )


def _margin(sla: Fraction, counted: Sequence[PastPeriod]) -> str:
    missed = sum(one.consumed(sla) > 1 for one in counted)
    worst = max(counted, key=lambda one: one.consumed(sla))
    left, when = wording.left(_fine(1 - worst.consumed(sla))), wording.instant(worst.span.start)
    spare = worst.spare(sla)
    if missed:
        over = f"{_whole(spare).removeprefix('-')} bad events too many"
        which = f"was missed in {missed} of {_periods(counted)}; the worst"
    else:
        over = f"{_whole(spare)} more could have failed"
        which = "was never missed; the nearest to it"
    return f"{wording.percent(sla)} {which} began {when}: {left} of its budget left, {over}"


def _periods(counted: Sequence[PastPeriod]) -> str:
    return f"{len(counted)} period{'' if len(counted) == 1 else 's'}"


def _minute(one: PastPeriod, *, start: bool) -> str:
    at = one.span.start if start else one.span.end
    return wording.instant(at).removesuffix(" UTC")


def _events(one: PastPeriod) -> str:
    if not one.coverage:
        return wording.NOTHING
    return f"{wording.amount(_fine(one.bad))} of {wording.amount(_fine(one.total))}"


def _consumed(one: PastPeriod, objective: Fraction) -> str:
    return wording.spent(_fine(one.consumed(objective))) if one.total else wording.NOTHING


def _counted(one: PastPeriod) -> str:
    if one.doubt is None:
        return "yes"
    return f"no: {cause(one.doubt)} ({wording.left(one.coverage, 0)} has data)"


def _left_of_sla(sla: Fraction) -> Column[PastPeriod]:
    def cell(one: PastPeriod) -> str:
        return wording.left(_fine(1 - one.consumed(sla))) if one.total else wording.NOTHING

    return Column(title="Left of SLA", cell=cell, keep=6)


def _spare(sla: Fraction) -> Column[PastPeriod]:
    def cell(one: PastPeriod) -> str:
        return _whole(one.spare(sla)) if one.total else wording.NOTHING

    return Column(title="Spare events", cell=cell, keep=2)


def _in_tier(tier: str) -> Column[Replayed]:
    return Column(title=tier, cell=lambda one: _share(one.tiers.get(tier)), keep=5)


def _objective(one: Replayed) -> str:
    return wording.percent(one.candidate.objective)


def _share(part: Fraction | None) -> str:
    return wording.NOTHING if part is None else f"{float(part * _FULL):.1f} %"


def _whole(count: Fraction) -> str:
    return f"{int(_fine(count) // 1):,}"


def _fine(number: Fraction) -> Fraction:
    return wording.shown(float(number))
