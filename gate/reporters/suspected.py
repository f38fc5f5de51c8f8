"""What is suspected of a count, in sentences: what was seen, what it may hide, and what to do."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Final

from gate import wording
from gate.budget.assessment import Assessment
from gate.measure import Suspicion
from gate.policy.suspicions import left_between
from gate.reporters.page import Fact
from gate.slo.objective import RatioSlo, Slo, SpendSlo

_LABEL: Final = "suspected"


def suspicion_facts(assessment: Assessment) -> Iterator[Fact]:
    """Yield each suspicion about a budget, and what would be left if all of them were so."""
    for suspicion in assessment.suspicions:
        yield _LABEL, suspicion_sentence(suspicion, assessment.slo)
    if (between := left_between(assessment)) is not None:
        yield _LABEL, f"{between}, depending on how much of that is true"


def suspicion_sentence(suspicion: Suspicion, slo: Slo) -> str:
    """Say what is suspected of an SLO's count, with its cause and its number."""
    cause = suspicion.cause.replace("_", " ")
    parts = [f"{cause}: {suspicion.reason}", *_numbers(suspicion, slo), suspicion.remedy]
    return "; ".join(parts)


def _numbers(suspicion: Suspicion, slo: Slo) -> Iterator[str]:
    """Yield how many events may have been other than they were counted."""
    if suspicion.hidden != 0:
        yield _hidden(suspicion.hidden, slo)
    if suspicion.doubtful != 0:
        counted = _amount(suspicion.doubtful, "all", slo)
        money = isinstance(slo, SpendSlo)
        yield f"{counted} counted as {'spent may not have been' if money else 'bad may be good'}"


def _hidden(hidden: Fraction | None, slo: Slo) -> str:
    if isinstance(slo, SpendSlo):
        return f"{_amount(hidden, 'any amount', slo)} more may have been spent"
    return f"{_amount(hidden, f'any number of {_events(slo)}', slo)} more may have been bad"


def _amount(number: Fraction | None, unknown: str, slo: Slo) -> str:
    if number is None:
        return unknown
    unit = slo.unit if isinstance(slo, SpendSlo) else _events(slo)
    return f"up to {wording.amount(number)} {unit}".rstrip()


def _events(slo: Slo) -> str:
    return "slices" if isinstance(slo, RatioSlo) and slo.slices is not None else "events"
