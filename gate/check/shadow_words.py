"""The report on a shadow deployment, and its figures."""

from collections.abc import Sequence
from datetime import timedelta
from math import ceil, floor, log10
from typing import Final

from gate.dataclass import dataclass
from gate.history.shadow import ShadowComparison, ShadowOutcome
from gate.measure.pairing import Pairs, Unpaired
from gate.policy.requirements import RequirementResult, RequirementState, ShadowRequirement
from gate.slo.quantities import format_duration
from gate.wording import amount, percent, shown

ShadowFacts = dict[str, str | int | float | None]
_DIGITS: Final = 3
"""The significant digits of a share: it matters which of 0.0104% and 0.01% is larger."""
_BURSTS: Final = 1.5
"""A smaller design effect is not mentioned."""
_HOUR: Final = timedelta(hours=1)
_LONGER: Final = ((timedelta(days=2), timedelta(days=1)), (2 * _HOUR, _HOUR))
"""The lengths from which a time is rounded up to each unit; below, to ten minutes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedSlo:
    """One SLO of a requirement."""

    slo: str
    why: str = ""
    """The reason why it could not be compared, and the remedy; empty: it was compared."""
    comparison: ShadowComparison | None = None
    """None: it could not be compared."""
    pairs: Pairs | None = None
    """None: the requests were not paired."""
    doubt: str = ""
    """The doubt about its counts, and the remedy; empty without a doubt."""

    @property
    def place(self) -> tuple[int, float]:
        """Its rank: SLOs that are shown to be worse come first, then unknown ones."""
        if self.comparison is None:
            return 2, 0.0
        outcome = self.comparison.outcome
        places = {ShadowOutcome.WORSE: 3, ShadowOutcome.UNSURE: 1, ShadowOutcome.WITHIN: 0}
        return places[outcome], self.comparison.used


def undecided(reason: str) -> RequirementResult:
    """Return the result if nothing could be compared."""
    return RequirementResult(state=RequirementState.UNDECIDED, reason=reason)


def result_of(requirement: ShadowRequirement, slos: Sequence[ComparedSlo]) -> RequirementResult:
    """Return the result of all SLOs of a requirement; the worst SLO decides.

    Args:
        requirement: the checked requirement.
        slos: the SLOs, at least one.
    """
    worst = max(slos, key=lambda slo: slo.place)
    if worst.comparison is None:
        others = sum(slo.comparison is None for slo in slos) - 1
        more = f" (and {others} more SLO{'s' * (others > 1)})" if others else ""
        reason = f"{worst.slo}{more}: {worst.why}"
        return RequirementResult(
            state=RequirementState.UNDECIDED, reason=reason, facts={"slo": worst.slo}
        )
    state, sentence = {
        ShadowOutcome.WORSE: (RequirementState.NOT_MET, _worse),
        ShadowOutcome.WITHIN: (RequirementState.MET, _within),
        ShadowOutcome.UNSURE: (RequirementState.UNDECIDED, _unsure),
    }[worst.comparison.outcome]
    return RequirementResult(
        state=state,
        reason=sentence(requirement, worst, worst.comparison, len(slos)),
        facts=_facts(worst, worst.comparison),
    )


def _within(
    requirement: ShadowRequirement, slo: ComparedSlo, comparison: ShadowComparison, slos: int
) -> str:
    others = f"; {slos - 1} more SLO{'s' * (slos > 2)} passed" if slos > 1 else ""  # noqa: PLR2004
    most = _share(max(comparison.interval[1], 0.0), up=True)
    return (
        f"{slo.slo}: {_ratios(requirement, slo, comparison)}; the excess is at most {most}"
        f" {_allowed(requirement, comparison)}{others}"
    )


def _worse(
    requirement: ShadowRequirement, slo: ComparedSlo, comparison: ShadowComparison, _slos: int
) -> str:
    least = _share(comparison.interval[0], up=False)
    return (
        f"{slo.slo}: {_ratios(requirement, slo, comparison)}; the excess is at least {least}"
        f" {_allowed(requirement, comparison)}; find out why {_who(requirement)} fails more often"
    )


def _unsure(
    requirement: ShadowRequirement, slo: ComparedSlo, comparison: ShadowComparison, _slos: int
) -> str:
    low, high = comparison.interval
    sign, low_up = ("-", True) if low < 0 else ("", False)
    between = f"{sign}{_share(abs(low), up=low_up)} and {_share(high, up=True)}"
    start = (
        f"{slo.slo}: cannot tell yet: {_ratios(requirement, slo, comparison)}; the excess is"
        f" between {between} {_allowed(requirement, comparison)}"
    )
    if comparison.in_doubt:
        return f"{start}; {_doubts(requirement, slo)}"
    if comparison.effect >= _BURSTS:
        fewer = f"{comparison.effect:.1f} times fewer"
        start += f"; failures come in bursts, so the requests count as {fewer}"
    if comparison.needed is None:
        return (
            f"{start}; if the ratios stay as they are, more requests will not show it to be"
            f" allowed: find out why {_who(requirement)} fails more often"
        )
    more = _rough(ceil((comparison.needed - 1) * comparison.candidate.total))
    after = format_duration(_rounded_up((comparison.needed - 1) * requirement.lasting))
    longer = format_duration(_rounded_up(comparison.needed * requirement.lasting))
    return (
        f"{start}; it takes about {more} more requests of {_who(requirement)}, at this rate about"
        f" {after}: mirror more requests to it, or write for: {longer}"
    )


def _doubts(requirement: ShadowRequirement, slo: ComparedSlo) -> str:
    """Describe the doubt that decides."""
    if slo.doubt:
        return slo.doubt
    sides = (slo.pairs.candidate, slo.pairs.against) if slo.pairs is not None else ()
    alone, repeated = sum(side.alone_bad for side in sides), sum(side.repeated for side in sides)
    doubts = [
        f"{alone:,} failures without a partner" * bool(alone),
        f"{repeated:,} values of {requirement.pair_by} that came more than once" * bool(repeated),
    ]
    return (
        f"{' and '.join(filter(None, doubts))} could decide it either way; log the id of every"
        " request, and one row for each"
    )


def _ratios(requirement: ShadowRequirement, slo: ComparedSlo, comparison: ShadowComparison) -> str:
    own, other = map(_share, comparison.ratios)
    mine, theirs = (_count(counts.total) for counts in (comparison.candidate, comparison.against))
    who, against = _who(requirement), f"{requirement.by}={requirement.against}"
    if slo.pairs is not None:
        return (
            f"of {mine} requests that both handled, {own} failed with {who} and {other} with"
            f" {against}{_alone(slo.pairs)}"
        )
    return f"{own} of {mine} requests of {who} failed, and {other} of {theirs} of {against}"


def _alone(pairs: Pairs) -> str:
    sides = [side for side in (pairs.candidate, pairs.against) if side.alone]
    if not sides:
        return ""
    share = max(side.alone / side.events for side in sides)
    return f" ({_share(share)} of the requests have no partner)"


def _allowed(requirement: ShadowRequirement, comparison: ShadowComparison) -> str:
    allowed, margin = percent(shown(comparison.allowed)), percent(requirement.margin)
    return f"(95% confidence), and {allowed} is allowed ({margin} of the error budget)"


def _who(requirement: ShadowRequirement) -> str:
    return f"{requirement.by}={requirement.candidate}"


def _count(events: float) -> str:
    return amount(shown(events))


def _rough(number: int) -> str:
    """Write a number to two digits, since the needed number is an estimate."""
    unit = 10 ** max(len(str(number)) - 2, 0)
    return f"{-(-number // unit) * unit:,}"


def _rounded_up(length: timedelta) -> timedelta:
    unit = next((unit for least, unit in _LONGER if length >= least), timedelta(minutes=10))
    return -(-length // unit) * unit


def _facts(slo: ComparedSlo, comparison: ShadowComparison) -> ShadowFacts:
    candidate, against, (low, high) = comparison.candidate, comparison.against, comparison.interval
    facts: ShadowFacts = {
        "slo": slo.slo,
        "shadow_requests": candidate.total,
        "shadow_bad": candidate.bad,
        "live_requests": against.total,
        "live_bad": against.bad,
        "excess": comparison.excess,
        "excess_low": low,
        "excess_high": high,
        "excess_allowed": comparison.allowed,
        "design_effect": comparison.effect,
    }
    if slo.pairs is not None:
        for name, side in (("shadow", slo.pairs.candidate), ("live", slo.pairs.against)):
            facts[f"{name}_unpaired"] = side.alone
            facts[f"{name}_without_id"] = side.without_id
            facts[f"{name}_repeated_ids"] = side.repeated
    return facts


def _share(share: float, *, up: bool | None = None) -> str:
    """Write a share to three digits, rounded up, down, or to the nearest."""
    if not share:
        return "0%"
    digits = max(_DIGITS - 1 - floor(log10(share * 100)), 0)
    scale = 10**digits
    rounding = round if up is None else ceil if up else floor
    # Rounding errors of floats must not be rounded up: 0.0001 * 100 * 10 ** 4 is slightly above
    # 100.
    text = f"{rounding(round(share * 100 * scale, 6)) / scale:.{digits}f}"
    return f"{text.rstrip('0').rstrip('.') if '.' in text else text}%"


def too_many_alone(requirement: ShadowRequirement, value: str, side: Unpaired, most: float) -> str:
    """Say that too many requests of one of the two are not in a pair, and what to do."""
    label = requirement.pair_by
    without = f", {side.without_id:,} of them have no {label}" * bool(side.without_id)
    return (
        f"{side.alone:,} of {side.events:,} requests with {requirement.by}={value} have no partner"
        f" by {label} ({_share(side.alone / side.events)}, and at most {_share(most)} may lack"
        f" it{without}); mirror every request, have both log the same {label}, or leave out pair_by"
    )
