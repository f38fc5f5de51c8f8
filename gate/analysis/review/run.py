"""Review the objectives of one or several policies by their last periods."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from fractions import Fraction

from gate import __version__
from gate.analysis.review import (
    CandidateReplay,
    MovedReview,
    Review,
    ReviewReport,
    ServiceReview,
    SloReview,
)
from gate.analysis.review.spending import ReviewedSpend, SpendReview
from gate.backends import open_backend
from gate.backends.waits import run_concurrently
from gate.check.measure import OpenBackend, not_looked_at, open_history, with_past
from gate.check.promises import with_promises
from gate.config.load import PolicyFile
from gate.dataclass import dataclass
from gate.history.events import keeps_past
from gate.history.objective_candidates import (
    Candidate,
    MovedWindows,
    budget_spent_by_step,
    candidates,
    fit,
    met_in_most,
    moved_windows,
)
from gate.history.periods import PastPeriod, PeriodCut, cut_periods, review_periods
from gate.measure import Unmeasured
from gate.measure.capabilities import each_answer
from gate.measure.history import Series, SeriesAnswer, SeriesRequest, unknown_share
from gate.policy.policy import Policy
from gate.policy.tiers import Tier, tier_of
from gate.slo.objective import RatioSlo, SpendSlo


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewOptions:
    """The periods to review."""

    at: datetime
    """The instant by which the periods have ended."""
    periods: int
    """The number of periods, at least 1."""
    timeout: timedelta


def review_objectives(
    files: Sequence[PolicyFile], options: ReviewOptions, *, open_with: OpenBackend = open_backend
) -> ReviewReport:
    """Return the results of the last periods for the objectives of every policy.

    Raises:
        UsageError: a backend keeps no history, or a package of one is missing.
    """
    files, open_with = with_promises(files, options.at, options.timeout, open_with)
    histories = [open_history(file, options.timeout, open_with)[1] for file in files]

    def task(place: int) -> Callable[[], ServiceReview]:
        file, history = files[place], histories[place]

        def review() -> ServiceReview:
            requests = review_requests(file.policy, options)
            return service_review(file, each_answer(history, list(requests.values())), options)

        return review

    return ReviewReport(
        services=tuple(run_concurrently([task(place) for place in range(len(files))])),
        periods=options.periods,
        evaluated_at=options.at,
        tool_version=__version__,
    )


def review_requests(policy: Policy, options: ReviewOptions) -> dict[str, SeriesRequest]:
    """Return the request for the history of each SLO that has one: all of its periods together."""
    requests = {}
    for slo in with_past(policy):
        cut = _cut(slo, options)
        requests[slo.name] = SeriesRequest(
            sli=slo.sli,
            # Steps end where the periods do, off the clock, so that their counts are exact.
            span=cut.span,
            step=cut.step,
            slices=slo.slices if isinstance(slo, RatioSlo) else None,
            amount=isinstance(slo, SpendSlo),
            max_age=policy.guards_of(slo).max_age,
        )
    return requests


def _cut(slo: RatioSlo | SpendSlo, options: ReviewOptions) -> PeriodCut:
    slices = slo.slices if isinstance(slo, RatioSlo) else None
    return cut_periods(slo.window, options.periods, options.at, slices=slices)


def service_review(
    file: PolicyFile, answers: Iterator[SeriesAnswer], options: ReviewOptions
) -> ServiceReview:
    """Return the results of the last periods for a policy's objectives.

    Args:
        file: the policy.
        answers: the answers to `review_requests`, in their order; none is kept.
        options: the periods to review.
    """
    policy = file.policy
    slos, spending = list[SloReview](), list[ReviewedSpend]()
    for slo in with_past(policy):
        answer = next(answers)  # released once its results are known
        if isinstance(slo, SpendSlo):
            spending.append(_spend(policy, slo, answer, options))
        else:
            slos.append(_slo(policy, slo, answer, options))
        del answer
    return ServiceReview(
        policy=policy,
        source=file.source,
        slos=tuple(slos),
        spending=tuple(spending),
        left_out=tuple(
            (slo.name, reason)
            for slo in policy.slos
            if not keeps_past(slo) and (reason := not_looked_at(policy, slo))
        ),
    )


def _slo(policy: Policy, slo: RatioSlo, answer: SeriesAnswer, options: ReviewOptions) -> SloReview:
    if isinstance(answer, Unmeasured):
        return SloReview(slo=slo, review=None, unmeasured=answer)
    cut, guards = _cut(slo, options), policy.guards_of(slo)
    least, periods = guards.min_coverage, review_periods(slo, answer, cut, guards)
    counted = [period for period in periods if period.doubt is None]
    ratios = [period.error_ratio for period in counted]
    moved, met = moved_windows(slo, answer, cut, least), met_in_most(ratios)
    left = budget_spent_by_step(slo, answer, cut, least)
    known_shares = [share for share in left if share is not None]
    review = Review(
        periods=periods,
        fit=fit(slo, counted, moved),
        met=met,
        moved=_moved(slo, moved, cut) if moved.ratios else None,
        replayed=tuple(
            _replay(candidate, counted, known_shares, policy.tiers)
            for candidate in candidates(slo, met)
        ),
        unknown=unknown_share(len(known_shares), len(left)),
        begins=_begins(answer, cut),
        query=answer.query,
        notes=answer.notes,
    )
    return SloReview(
        slo=slo, review=review, unmeasured=None if counted else _nothing(periods, answer)
    )


def _spend(
    policy: Policy, slo: SpendSlo, answer: SeriesAnswer, options: ReviewOptions
) -> ReviewedSpend:
    if isinstance(answer, Unmeasured):
        return ReviewedSpend(slo=slo, review=None, unmeasured=answer)
    cut, guards = _cut(slo, options), policy.guards_of(slo)
    review = SpendReview(
        periods=review_periods(slo, answer, cut, guards),
        cut=cut,
        moved=moved_windows(slo, answer, cut, guards.min_coverage),
        begins=_begins(answer, cut),
        query=answer.query,
        notes=answer.notes,
    )
    return ReviewedSpend(
        slo=slo,
        review=review,
        unmeasured=None if review.settled else _nothing(review.periods, answer),
    )


def _moved(slo: RatioSlo, moved: MovedWindows, cut: PeriodCut) -> MovedReview:
    return MovedReview(
        count=len(moved.ratios),
        step=cut.step,
        missed=moved.missed(slo.objective),
        sla_missed=None if slo.sla is None else moved.missed(slo.sla),
        worst=Fraction(moved.worst),
        worst_end=cut.bounds[0] + moved.worst_end * cut.step,
    )


def _replay(
    candidate: Candidate,
    counted: Sequence[PastPeriod],
    spent_shares: Sequence[float],
    tiers: Sequence[Tier],
) -> CandidateReplay:
    """Compare a candidate with the periods, and with each moment."""
    budget = float(1 - candidate.objective)
    left = [Fraction(1 - share / budget) for share in spent_shares]
    spread = Counter(tier_of(tiers, share).name for share in left)
    return CandidateReplay(
        candidate=candidate,
        met=sum(period.consumed(candidate.objective) <= 1 for period in counted),
        exhausted=Fraction(sum(share <= 0 for share in left), len(left)) if left else None,
        tiers={tier.name: Fraction(spread[tier.name], len(left)) for tier in tiers if left},
    )


def _begins(series: Series, cut: PeriodCut) -> datetime | None:
    first = next((place for place, total in enumerate(series.total) if total is not None), 0)
    return cut.bounds[0] + first * cut.step if first else None


def _nothing(periods: Sequence[PastPeriod], series: Series) -> Unmeasured:
    """Say why no period counts, by the newest, which should have the most data."""
    causes = [period.doubt for period in periods if period.doubt is not None]
    reason = f"of none of the last {len(causes)} enough is known to count it"
    return Unmeasured(cause=causes[-1], reason=reason, query=series.query)
