"""One SLO's budget as cells of a table, in words that are not yet escaped for any format."""

from fractions import Fraction
from typing import Final

from gate import wording
from gate.budget.assess import PRESENT
from gate.budget.assessment import Assessment
from gate.measure.counts import Cause
from gate.reporters.column import MUST, Column
from gate.slo.objective import CompositeSlo, RatioSlo, Slo, SpendSlo
from gate.slo.quantities import format_duration
from gate.slo.window import CalendarWindow


def status(assessment: Assessment) -> str:
    """Say in three words whether the number is there and to be believed."""
    if not assessment.doubts:
        return "measured"
    first = cause(assessment.doubts[0].cause)
    return f"in doubt: {first}" if assessment.measured else f"not measured: {first}"


def cause(kind: Cause) -> str:
    """Write a cause as words."""
    return kind.replace("_", " ")


def promise(slo: Slo) -> str:
    """Write what was promised: ``99.9 %``, ``50,000 USD``."""
    if isinstance(slo, RatioSlo):
        return wording.percent(slo.objective)
    if isinstance(slo, SpendSlo):
        return f"{wording.amount(slo.allowance)} {slo.unit}".rstrip()
    return "composite"


def events(assessment: Assessment) -> str:
    """Write what was counted: ``1,234 of 50,000 USD``, ``12 of 43,190 slices``."""
    slo = assessment.slo
    if isinstance(slo, SpendSlo) and assessment.spent is not None:
        return f"{wording.amount(assessment.spent)} of {promise(slo)}"
    if assessment.total is None:
        return wording.NOTHING
    slices = " slices" if isinstance(slo, RatioSlo) and slo.slices else ""
    return f"{wording.amount(assessment.bad)} of {wording.amount(assessment.total)}{slices}"


def present_burn(assessment: Assessment) -> str:
    """Write the burn rate that stands for "now"."""
    return wording.burn(assessment.burn_rates.get(PRESENT))


def coverage(assessment: Assessment) -> str:
    """Write the share of the window that has data."""
    known: Fraction | None = assessment.evidence.coverage if assessment.evidence else None
    return wording.left(known, 0)


def _name(assessment: Assessment) -> str:
    return assessment.slo.name + (" (advisory)" if assessment.slo.advisory else "")


def _window(assessment: Assessment) -> str:
    slo = assessment.slo
    if isinstance(slo, CompositeSlo):
        return wording.NOTHING
    window = slo.window
    return str(window.period) if isinstance(window, CalendarWindow) else str(window)


NAME: Final[Column[Assessment]] = Column(title="SLO", cell=_name, right=False, keep=MUST, share=4)
REMAINING: Final[Column[Assessment]] = Column(
    title="Left", cell=lambda known: wording.left(known.remaining), keep=MUST
)
STATUS: Final[Column[Assessment]] = Column(
    title="Status", cell=status, right=False, keep=MUST, share=5
)
COLUMNS: Final[tuple[Column[Assessment], ...]] = (
    NAME,
    Column(title="Objective", cell=lambda known: promise(known.slo), keep=5),
    Column(title="Window", cell=_window, right=False, keep=3),
    Column(title="Bad of total", cell=events, keep=6),
    Column(title="Consumed", cell=lambda known: wording.spent(known.consumed), keep=2),
    REMAINING,
    Column(title=f"Burn {format_duration(PRESENT)}", cell=present_burn, keep=4),
    Column(title="Coverage", cell=coverage, keep=1),
    STATUS,
)
"""In the order of reading."""
