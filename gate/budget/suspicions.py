"""What an answer would be if what is suspected of its count were so, or at its rounding's ends."""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Final

from gate.measure import Answer, Counts, Share, Spent, Suspicion, Unmeasured

_ANY_AMOUNT: Final = Fraction(10**18)
"""More than any allowance: how much may be missing is not known."""


def worst_answer(answer: Answer, suspicions: Sequence[Suspicion]) -> Answer:
    """Return the answer if every event were bad, and every amount spent, that may be.

    A rounded share is then as bad as it may be, and rounded no more.

    Args:
        answer: over the whole window, or over a part of it in which all of the events may lie.
        suspicions: of the whole window.
    """
    if isinstance(answer, Unmeasured):
        return answer
    if isinstance(answer, Share):
        # Suspicions are numbers of events, and how many there were is not known.
        all_bad = any(suspicion.hidden != 0 for suspicion in suspicions)
        return _settled(answer, Fraction(1) if all_bad else answer.bad + answer.error)
    every = answer.total if isinstance(answer, Counts) else _ANY_AMOUNT
    return _shifted(answer, sum((_up_to(s.hidden, every) for s in suspicions), Fraction()))


def best_answer(answer: Answer, suspicions: Sequence[Suspicion]) -> Answer:
    """Return the answer if every event were good that may be; the arguments of `worst_answer`."""
    if isinstance(answer, Unmeasured):
        return answer
    if isinstance(answer, Share):
        all_good = any(suspicion.doubtful != 0 for suspicion in suspicions)
        return _settled(answer, Fraction(0) if all_good else answer.bad - answer.error)
    every = answer.bad if isinstance(answer, Counts) else answer.amount
    return _shifted(answer, -sum((_up_to(s.doubtful, every) for s in suspicions), Fraction()))


def _settled(answer: Share, bad: Fraction) -> Share:
    """Return a share that is exactly this, as far as a share can be, and without suspicions."""
    evidence = replace(answer.evidence, suspicions=())
    bad = min(max(bad, Fraction(0)), Fraction(1))
    return replace(answer, bad=bad, error=Fraction(0), evidence=evidence)


def _up_to(events: Fraction | None, every: Fraction) -> Fraction:
    return every if events is None else events


def _shifted(answer: Counts | Spent, more: Fraction) -> Answer:
    """Return the answer with more bad events, or with more spent, and without suspicions."""
    evidence = replace(answer.evidence, suspicions=())
    if isinstance(answer, Spent):
        return replace(answer, amount=max(answer.amount + more, Fraction()), evidence=evidence)
    bad = min(max(answer.bad + more, Fraction()), answer.total)
    return replace(answer, bad=bad, evidence=evidence)
