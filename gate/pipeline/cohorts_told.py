"""From a backend's answers to what can be said of whose events burn a policy's budgets."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Final

from gate.budget.cohorts.arms import Arm, Pair, arm
from gate.budget.cohorts.comparison import Comparison
from gate.budget.cohorts.contests import Contest, compare_all
from gate.budget.cohorts.dispersion import own_effect
from gate.budget.sampling import wilson_interval
from gate.config.load import PolicyFile
from gate.config.reader import nearest
from gate.decision.cohorts import Group, ServiceCohorts, SloCohorts
from gate.pipeline.cohort_requests import Split, cohort_requests, left_out
from gate.slo.cohorts import Cohort, CohortAnswer, CohortRequest, Values
from gate.slo.measurement import Cause, Unmeasured
from gate.slo.objective import RatioSlo

_WHOLE: Final = 1e-6
"""A count that is off by more is no number of events, but a server's estimate of one."""
_ESTIMATED: Final = (
    "the server extrapolates, so counts need not be whole; for the tests they are rounded"
)


def service_cohorts(
    file: PolicyFile, asked: Split, answers: Sequence[CohortAnswer]
) -> ServiceCohorts:
    """Return what the answers to a policy's `cohort_requests`, in their order, come to."""
    requests = cohort_requests(file.policy, asked)
    measured = [
        _measured(slo, request, answer, asked)
        for (slo, request), answer in zip(requests, answers, strict=True)
    ]
    compared = compare_all([list(one.contests.values()) for one in measured])
    return ServiceCohorts(
        policy=file.policy,
        source=file.source,
        slos=tuple(
            one.told(dict(zip(one.contests, found, strict=True)))
            for one, found in zip(measured, compared, strict=True)
        ),
        left_out=left_out(file.policy, asked),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Measured:
    """One SLO's groups, and what is to be compared; without groups: why there are none."""

    slo: RatioSlo
    known: SloCohorts
    groups: Mapping[str, Arm]
    contests: Mapping[str, Contest]

    def told(self, comparisons: Mapping[str, Comparison]) -> SloCohorts:
        """Return the groups with what was found, those that cost the most first."""
        groups = [self._group(value, comparisons.get(value)) for value in self.groups]
        ranked = sorted(groups, key=lambda one: (-one.bad, -one.total, one.value))
        return replace(self.known, groups=tuple(ranked))

    def _group(self, value: str, comparison: Comparison | None) -> Group:
        one, budget = self.groups[value], float(self.slo.budget)
        total, bad = one.sums
        effect = own_effect(one)
        low, high = wilson_interval(Fraction(bad / effect), Fraction(total / effect))
        return Group(
            value=value,
            total=total,
            bad=bad,
            interval=(float(low), float(high)),
            burn_rate=bad / total / budget,
            budget_share=bad / self._allowed(),
            comparison=comparison,
        )

    def _allowed(self) -> float:
        """Return how many events may fail in one SLO window, at the mean traffic of the time."""
        events = sum(one.sums[0] for one in self.groups.values())
        known = self.known.span.length * (1 - float(self.known.unknown))
        window = self.slo.window.whole(self.known.span.end).length
        return float(self.slo.budget) * events * (window / known)


def _measured(
    slo: RatioSlo, request: CohortRequest, answer: CohortAnswer, asked: Split
) -> _Measured:
    known = SloCohorts(slo=slo.name, span=request.span, step=request.step, query=answer.query)
    if isinstance(answer, Unmeasured):
        return _lost(slo, known, answer)
    by_value: dict[str, dict[Values, Cohort]] = {}
    for values, cohort in answer.groups.items():
        by_value.setdefault(values[0], {})[values] = cohort
    groups = {value: arm(some.values(), request.steps) for value, some in by_value.items()}
    if asked.against is not None and asked.against not in groups:
        reason = f"{asked.by} has no value {asked.against!r}{nearest(asked.against, groups)}"
        return _lost(slo, known, Unmeasured(cause=Cause.NO_DATA, reason=reason))
    baseline = asked.against if asked.against is not None else _one_of_two(groups)
    steps = zip(*(one.total for one in answer.groups.values()), strict=True)
    seen = sum(any(point is not None for point in step) for step in steps)
    estimated = any(
        abs(number - round(number)) > _WHOLE for one in groups.values() for number in one.sums
    )
    return _Measured(
        slo=slo,
        known=replace(
            known,
            baseline=baseline,
            unknown=1 - Fraction(seen, request.steps),
            notes=(*answer.notes, *((_ESTIMATED,) if estimated else ())),
        ),
        groups=groups,
        contests={
            value: _contest(value, baseline, answer.groups, request, asked)
            for value in groups
            if value != baseline
        },
    )


def _lost(slo: RatioSlo, known: SloCohorts, why: Unmeasured) -> _Measured:
    return _Measured(slo=slo, known=replace(known, unmeasured=why), groups={}, contests={})


def _contest(
    value: str,
    baseline: str | None,
    groups: Mapping[Values, Cohort],
    request: CohortRequest,
    asked: Split,
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

    if asked.within is None:
        return Contest(whole=pair(None))
    strata = sorted({values[-1] for values in groups})
    return Contest(whole=pair(None), strata=tuple(map(pair, strata)))


def _one_of_two(groups: Mapping[str, Arm]) -> str | None:
    """Return the busier of two groups, beside which the other is seen; None: there are more."""
    two = sorted(groups, key=lambda value: (-groups[value].sums[0], value))
    return two[0] if len(two) == 2 else None  # noqa: PLR2004 - each is all the rest of the other
