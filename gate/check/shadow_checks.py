"""Whether enough is known of a shadow deployment, and of the live one, to compare the two."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from typing import Final

from gate.check.shadow_words import too_many_alone
from gate.dataclass import dataclass
from gate.errors import nearest
from gate.history.cohorts import FEWEST_STEPS, Arm, Pair, arm, fewest_steps
from gate.history.shadow import Doubted, as_counted
from gate.measure import Answer, Cause, CountRequest, Unmeasured
from gate.measure.cohorts import Cohort, CohortAnswer, CohortRequest, missing_steps
from gate.measure.pairing import PairAnswer, PairRequest, Pairs
from gate.measure.remedies import remedy_of, with_advice
from gate.policy.policy import Policy
from gate.policy.requirements import ShadowRequirement
from gate.slo.objective import RatioSlo, Span
from gate.slo.quantities import format_duration
from gate.wording import instant, stretch

_MOST: Final = 1000
"""The maximum number of the label's values that are kept separate: more than a service has
deployments."""
MOST_ALONE: Final = 0.05
"""The maximum share of either side's requests without a pair."""
_CORRECT: Final = "correct by or pair_by, or the indicator of the SLO"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShadowPart:
    """One SLO of one requirement."""

    requirement: ShadowRequirement
    slo: RatioSlo
    span: Span
    step: timedelta

    @property
    def cohorts(self) -> CohortRequest:
        """The history requests about both deployments."""
        by, keep = (self.requirement.by,), self.requirement.candidate
        return CohortRequest(
            sli=self.slo.sli, span=self.span, step=self.step, by=by, most=_MOST, keep=keep
        )

    @property
    def whole(self) -> CohortRequest:
        """The count requests about both deployments over the whole time."""
        return replace(self.cohorts, step=self.span.length)

    @property
    def evidence(self) -> CountRequest:
        """The count request about the whole SLO, which shows how far its counts can be trusted."""
        return CountRequest(sli=self.slo.sli, span=self.span, probe=True)

    def stretch(self, steps: range) -> Span:
        """Return the time of consecutive steps."""
        start = self.span.start
        return Span(start + steps.start * self.step, start + steps.stop * self.step)

    def arm(self, cohort: Cohort, whole: Cohort | None) -> Arm:
        """Return the events of a deployment by step, scaled to those of the whole time if given."""
        events = arm([cohort], self.cohorts.steps)
        return events if whole is None else as_counted(events, *arm([whole], 1).sums)

    def pairs(self, pair_by: str) -> PairRequest:
        """Return the request for the pairs of a request and its copy."""
        return PairRequest(
            sli=self.slo.sli,
            span=self.span,
            step=self.step,
            by=self.requirement.by,
            candidate=self.requirement.candidate,
            against=self.requirement.against,
            pair_by=pair_by,
        )


class NotComparedError(Exception):
    """Ends the work on one SLO; the message has the reason and the remedy."""


def refusal(answer: Unmeasured) -> NotComparedError:
    """Return the error that ends the work on an SLO of which something was not measured."""
    # The usual cause of a failed grouping or pairing is a wrong label.
    wrong = answer.cause is Cause.INVALID
    hint = _CORRECT if wrong else remedy_of(answer.cause).hint
    reason, advice = with_advice(answer.reason, hint)
    return NotComparedError(f"{reason}; {advice}")


def both_deployments(policy: Policy, part: ShadowPart, answers: Sequence[CohortAnswer]) -> Pair:
    """Return the events of both, if both were there during the whole time.

    Args:
        policy: the policy with the maximum age of data.
        part: the SLO.
        answers: the answers by step, and for the whole time if that is more exact.
    """
    measured = []
    for answer in answers:
        if isinstance(answer, Unmeasured):
            raise refusal(answer)
        measured.append(answer.groups)
    values = (part.requirement.candidate, part.requirement.against)
    for value in values:
        if (value,) not in measured[0]:
            others = [name for (name,) in measured[0] if name not in {"", *values}]
            raise NotComparedError(_missing_value(part.requirement, value, others))
    by_step = [measured[0][value,] for value in values]
    grace = policy.guards_of(part.slo).max_age // part.step
    for value, own, other in zip(values, by_step, by_step[::-1], strict=True):
        if runs := missing_steps(own, other, grace):
            spans = [part.stretch(run) for run in runs]
            raise NotComparedError(_absent(part.requirement, value, spans, part.span))
    wholes = [measured[-1].get((value,)) if len(measured) > 1 else None for value in values]
    pair = Pair(*map(part.arm, by_step, wholes))
    _check_steps(fewest_steps([pair.matched()]), part)
    return pair


def _check_steps(steps: int, part: ShadowPart) -> None:
    if steps < FEWEST_STEPS:
        raise NotComparedError(
            f"cannot tell yet: both have requests in only {steps} of"
            f" {part.span.length // part.step} steps of {format_duration(part.step)}, and"
            f" {FEWEST_STEPS} are needed to see whether failures come in bursts; mirror more"
            " requests, or"
            " write a longer for"
        )


def doubted_failures(policy: Policy, part: ShadowPart, answer: Answer) -> Doubted:
    """Return the number of doubtful failures; each may be of either deployment."""
    if isinstance(answer, Unmeasured):
        raise refusal(answer)
    evidence, guards = answer.evidence, policy.guards_of(part.slo)
    if evidence.newest is not None and part.span.end - evidence.newest > guards.max_age:
        raise NotComparedError(
            f"the newest data is from {instant(evidence.newest)}, and max_age is"
            f" {format_duration(guards.max_age)}; {remedy_of(Cause.STALE).hint}"
        )
    if evidence.warnings:
        warnings = "; ".join(evidence.warnings)
        raise NotComparedError(f"partial answer: {warnings}; {remedy_of(Cause.PARTIAL).hint}")
    hidden = [suspicion.hidden for suspicion in evidence.suspicions]
    doubtful = [suspicion.doubtful for suspicion in evidence.suspicions]
    return Doubted(
        hidden=_sum(hidden),
        doubtful=_sum(doubtful),
        reason="; ".join(f"{each.reason}; {each.remedy}" for each in evidence.suspicions[:1]),
    )


def _sum(numbers: Sequence[Fraction | None]) -> float | None:
    """Add up; None if one of them is unlimited."""
    return None if None in numbers else float(sum(filter(None, numbers)))


def checked_pairs(part: ShadowPart, pairs: PairAnswer) -> Pairs:
    """Return the pairs, if they include nearly all requests of both."""
    if isinstance(pairs, Unmeasured):
        raise refusal(pairs)
    requirement = part.requirement
    sides = ((requirement.candidate, pairs.candidate), (requirement.against, pairs.against))
    for value, side in sides:
        if side.alone > MOST_ALONE * side.events:
            raise NotComparedError(too_many_alone(requirement, value, side, MOST_ALONE))
    _check_steps(sum(map(bool, pairs.total)), part)
    return pairs


def _missing_value(requirement: ShadowRequirement, value: str, others: Sequence[str]) -> str:
    """Say that no request has a value of the label, and what to do.

    Args:
        requirement: the checked requirement.
        value: the value of the shadow or of the live deployment.
        others: the existing values, without the two.
    """
    key = "candidate" if value == requirement.candidate else "against"
    do = "deploy the shadow and mirror requests to it, or " if key == "candidate" else ""
    return (
        f"no request of the last {format_duration(requirement.lasting)} has"
        f" {requirement.by}={value}: {do}correct {key}, or the selector of the SLO if that leaves"
        f" them out{nearest(value, others)}"
    )


def _absent(requirement: ShadowRequirement, value: str, missing: Sequence[Span], span: Span) -> str:
    """Say when one of the two was missing, and when the whole time will have data.

    Args:
        requirement: the checked requirement.
        value: the value of the missing deployment.
        missing: the stretches of time, the oldest first; at least one.
        span: the time that is compared.
    """
    who, last, lasting = (
        f"{requirement.by}={value}",
        missing[-1],
        format_duration(requirement.lasting),
    )
    if last.end == span.end:
        return (
            f"there is no data on {who} since {instant(last.start)}; check that it runs, receives"
            f" requests and is measured, and check again {lasting} after it does"
        )
    again = f"check again after {instant(last.end + requirement.lasting)}"
    if last.start == span.start:
        return (
            f"cannot tell yet: {who} has run since {instant(last.end)} only, and the last {lasting}"
            f" is compared; {again}"
        )
    return (
        f"{who} has no requests from {stretch(last.start, last.end, open_=False)}, and all of the"
        f" last {lasting} is compared; {again}, if there is no other gap until then"
    )
