"""The requests to a backend to compare cohorts, and the results of its answers."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Final

from gate.analysis.cohorts import Group, SloCohorts
from gate.budget.ratio import wilson_interval
from gate.check.measure import period_begun
from gate.dataclass import dataclass
from gate.errors import nearest
from gate.history.cohorts import FEWEST_STEPS, Arm, Pair, arm, own_effect
from gate.history.cohorts.comparison import (
    Comparison,
    ComparisonOutcome,
    always_or_never,
    is_part_of_bad,
)
from gate.history.cohorts.contests import Contest
from gate.measure import Cause, Unmeasured
from gate.measure.cohorts import Cohort, CohortAnswer, CohortRequest, Cohorts, LabelValues
from gate.measure.history import on_the_clock, unknown_share
from gate.policy.coverage import history_reservations
from gate.policy.policy import Policy
from gate.policy.shadows import without_groups
from gate.slo.objective import RatioSlo, Slo, Span

_STEPS: Final = (5, 10, 15, 30, 60, 120, 180, 240, 360, 720)
"""The possible steps in minutes; longer ones are whole days."""
_MOST_STEPS: Final = 200
"""The maximum number of steps: an hour for 7 days, 4 hours for 30; enough to show how failures are
spread, and few to send."""
_MINUTE: Final = timedelta(minutes=1)
SHORTEST: Final = FEWEST_STEPS * _STEPS[0] * _MINUTE
"""The shortest time that can be compared."""
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class CohortOptions:
    """The settings of the comparison."""

    at: datetime
    by: str
    """A label (Prometheus), or a column or expression on a row (logs)."""
    timeout: timedelta
    stratify_by: str | None = None
    """A second label, for comparisons within each of its values."""
    baseline: str | None = None
    """The value that the others are compared with; None to compare each with the rest."""
    last: timedelta | None = None
    """The length of the examined time; None for the elapsed part of each SLO's window."""
    slos: tuple[str, ...] = ()
    """Only these SLOs; all if empty."""
    top: int = 20
    """The number of values that get a group of their own, at least 1."""


SloRequest = tuple[RatioSlo, CohortRequest]


def cohort_requests(policy: Policy, options: CohortOptions) -> list[SloRequest]:
    """Return the requests to a backend for a policy, each with its SLO."""
    return [
        (slo, _request(slo, options))
        for slo in policy.slos
        if isinstance(slo, RatioSlo) and without_groups(slo) is None and _wanted(slo, options)
    ]


def left_out_slos(policy: Policy, options: CohortOptions) -> tuple[tuple[str, str], ...]:
    """Return the SLOs without events that could be grouped, each with the reason."""
    return tuple(
        (slo.name, reason)
        for slo in policy.slos
        if _wanted(slo, options) and (reason := without_groups(slo)) is not None
    )


def _request(slo: RatioSlo, options: CohortOptions) -> CohortRequest:
    counted = slo.window.counted(options.at)
    step = _step(options.last or counted.length)
    length = max(options.last or counted.length, step)  # a period may just begin
    return CohortRequest(
        sli=slo.sli,
        span=on_the_clock(Span(counted.end - length, counted.end), step),
        step=step,
        by=(options.by,) if options.stratify_by is None else (options.by, options.stratify_by),
        most=options.top,
        keep=options.baseline,
    )


def _step(length: timedelta) -> timedelta:
    """Return the shortest step that does not give too many steps."""
    fitting = [minutes * _MINUTE for minutes in _STEPS if length <= minutes * _MINUTE * _MOST_STEPS]
    return fitting[0] if fitting else -(-length // (_MOST_STEPS * _DAY)) * _DAY


def _wanted(slo: Slo, options: CohortOptions) -> bool:
    return not options.slos or slo.name in options.slos


_WHOLE: Final = 1e-6
"""The tolerance: a count that is further from a whole number is a server's estimate."""
_ESTIMATED: Final = (
    "the server extrapolates, so counts need not be whole; for the tests they are rounded"
)
_BY_DEFINITION: Final = Comparison(
    outcome=ComparisonOutcome.NOT_COMPARED,
    why="each value always fails or never does, so they differ by definition",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredCohorts:
    """The groups of one SLO before they are compared; without groups, the reason."""

    cohorts: SloCohorts
    groups: Sequence[Group] = ()
    contested: Sequence[str] = ()
    """The values whose groups are compared, in the order of the contests."""

    def compared(self, comparisons: Sequence[Comparison]) -> SloCohorts:
        """Return the groups with their results, the most expensive first."""
        by_value = dict(zip(self.contested, comparisons, strict=True))
        if self.cohorts.by_definition:
            by_value = {group.value: _BY_DEFINITION for group in self.groups}
        groups = [replace(each, comparison=by_value.get(each.value)) for each in self.groups]
        ranked = sorted(groups, key=lambda group: (-group.bad, -group.total, group.value))
        return replace(self.cohorts, groups=tuple(ranked))


def _groups(slo: RatioSlo, cohorts: SloCohorts, arms: Mapping[str, Arm]) -> list[Group]:
    """Return the groups of an SLO, not yet compared."""
    events = sum(each.sums[0] for each in arms.values())
    measured = cohorts.span.length * (1 - float(cohorts.unknown))
    # How many events may fail in the budget's period, at the mean traffic.
    allowed = float(slo.budget) * events * (cohorts.budget_period / measured)
    return [_group(slo, value, each, allowed) for value, each in arms.items()]


def _group(slo: RatioSlo, value: str, events: Arm, allowed: float) -> Group:
    total, bad = events.sums
    effect = own_effect(events)
    low, high = wilson_interval(Fraction(bad / effect), Fraction(total / effect))
    return Group(
        value=value,
        total=total,
        bad=bad,
        interval=(float(low), float(high)),
        burn_rate=bad / total / float(slo.budget),
        budget_share=bad / allowed,
        comparison=None,
    )


def measured_slo(
    policy: Policy,
    slo: RatioSlo,
    request: CohortRequest,
    answer: CohortAnswer,
    options: CohortOptions,
) -> tuple[MeasuredCohorts, list[Contest]]:
    """Return the groups that an answer about one SLO has, and the comparisons to make of them."""
    slo_cohorts = SloCohorts(slo=slo.name, span=request.span, step=request.step, query=answer.query)
    if options.last is None and slo.window.counted(options.at).length < request.step:
        answer = period_begun(slo, options.at)
    if isinstance(answer, Unmeasured):
        return _lost(slo_cohorts, answer)
    by_value: dict[str, dict[LabelValues, Cohort]] = {}
    for values, cohort in answer.groups.items():
        by_value.setdefault(values[0], {})[values] = cohort
    groups = {value: arm(some.values(), request.steps) for value, some in by_value.items()}
    if options.baseline is not None and options.baseline not in groups:
        reason = (
            f"{options.by} has no value {options.baseline!r}{nearest(options.baseline, groups)}"
        )
        return _lost(slo_cohorts, Unmeasured(cause=Cause.NO_DATA, reason=reason))
    baseline = options.baseline if options.baseline is not None else _one_of_two(groups)
    totals, sums = _totals(answer), [group.sums for group in groups.values()]
    by_definition = always_or_never(bad / total for total, bad in sums)
    estimated = any(abs(number - round(number)) > _WHOLE for counts in sums for number in counts)
    slo_cohorts = replace(
        slo_cohorts,
        baseline=None if by_definition else baseline,
        budget_period=max(slo.window.whole(request.span.end).length, request.span.length),
        defining=is_part_of_bad(options.by, slo.sli),
        by_definition=by_definition,
        unknown=unknown_share(request.steps - totals.count(None), request.steps),
        reservations=tuple(history_reservations(policy, slo, totals, request.span)),
        notes=(*answer.notes, *((_ESTIMATED,) if estimated else ())),
    )
    contested = [value for value in groups if value != baseline and not by_definition]
    contests = [_contest(value, baseline, answer.groups, request, options) for value in contested]
    measured = MeasuredCohorts(
        cohorts=slo_cohorts, groups=_groups(slo, slo_cohorts, groups), contested=contested
    )
    return measured, contests


def _totals(answer: Cohorts) -> list[float | None]:
    """Return the events of all groups together, step by step; None: unknown."""
    steps = zip(*(cohort.total for cohort in answer.groups.values()), strict=True)
    measured = ([total for total in step if total is not None] for step in steps)
    return [sum(some) if some else None for some in measured]


def _lost(slo_cohorts: SloCohorts, why: Unmeasured) -> tuple[MeasuredCohorts, list[Contest]]:
    return MeasuredCohorts(cohorts=replace(slo_cohorts, unmeasured=why)), []


def _contest(
    value: str,
    baseline: str | None,
    groups: Mapping[LabelValues, Cohort],
    request: CohortRequest,
    options: CohortOptions,
) -> Contest:
    def pair(stratum: str | None) -> Pair:
        alike = {
            values: cohort
            for values, cohort in groups.items()
            if stratum is None or values[-1] == stratum
        }
        mine = [cohort for values, cohort in alike.items() if values[0] == value]
        others = [
            cohort
            for values, cohort in alike.items()
            if (values[0] != value if baseline is None else values[0] == baseline)
        ]
        return Pair(arm(mine, request.steps), arm(others, request.steps))

    if options.stratify_by is None:
        return Contest(whole=pair(None))
    strata = sorted({values[-1] for values in groups})
    return Contest(whole=pair(None), strata=tuple(map(pair, strata)))


def _one_of_two(groups: Mapping[str, Arm]) -> str | None:
    """Return the busier of two groups, with which the other is compared; None for more groups."""
    two = sorted(groups, key=lambda value: (-groups[value].sums[0], value))
    return two[0] if len(two) == 2 else None  # noqa: PLR2004 - each is all the rest of the other
