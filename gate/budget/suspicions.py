"""What an answer would be if what is suspected of its count were so."""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Final

from gate.measure import Answer, Counts, Spent, Suspicion, Unmeasured

_ANY_AMOUNT: Final = Fraction(10**18)
"""More than any allowance: how much may be missing is not known."""


def worst_answer(answer: Answer, suspicions: Sequence[Suspicion]) -> Answer:
    """Return the answer if every event were bad, and every amount spent, that may be.

    Args:
        answer: over the whole window, or over a part of it in which all of the events may lie.
        suspicions: of the whole window.
    """
    if isinstance(answer, Unmeasured):
        return answer
    every = answer.total if isinstance(answer, Counts) else _ANY_AMOUNT
    return _shifted(answer, sum((_up_to(s.hidden, every) for s in suspicions), Fraction()))


def best_answer(answer: Answer, suspicions: Sequence[Suspicion]) -> Answer:
    """Return the answer if every event were good that may be; the arguments of `worst_answer`."""
    if isinstance(answer, Unmeasured):
        return answer
    every = answer.bad if isinstance(answer, Counts) else answer.amount
    return _shifted(answer, -sum((_up_to(s.doubtful, every) for s in suspicions), Fraction()))


def _up_to(events: Fraction | None, every: Fraction) -> Fraction:
    return every if events is None else events


def _shifted(answer: Counts | Spent, more: Fraction) -> Answer:
    """Return the answer with more bad events, or with more spent, and without suspicions."""
    evidence = replace(answer.evidence, suspicions=())
    if isinstance(answer, Spent):
        return replace(answer, amount=max(answer.amount + more, Fraction()), evidence=evidence)
    bad = min(max(answer.bad + more, Fraction()), answer.total)
    return replace(answer, bad=bad, evidence=evidence)
