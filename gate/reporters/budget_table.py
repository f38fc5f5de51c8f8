"""Tables of budgets: with a row for each SLO of a service, or a row for each service."""

from collections.abc import Sequence
from typing import Final

from gate import wording
from gate.budget.assessment import Assessment
from gate.budget.face_value import PRESENT
from gate.dataclass import dataclass
from gate.decision.decision import Decision, PolicyDecision
from gate.measure import Cause
from gate.policy.findings import Verdict, worst
from gate.policy.rounding import compared_between
from gate.policy.tiers import Tier
from gate.reporters import summary
from gate.reporters.budget_rows import BudgetRow, decision_rows
from gate.reporters.budgets import cause, coverage, events, left, promise
from gate.reporters.page import MUST, Cell, Column, DataTable, tabulate
from gate.slo.objective import CalendarWindow, CompositeSlo
from gate.slo.quantities import format_duration

_BAR: Final = 10
"""The number of cells in a drawn bar."""
_SIGNS: Final = {
    Verdict.ALLOW: ("✔ ", "+ "),
    Verdict.WARN: ("▲ ", "! "),
    Verdict.UNDECIDED: ("? ", "? "),
    Verdict.BLOCK: ("✖ ", "x "),
}
"""A sign in Unicode and in ASCII."""


def budget_table(rows: Sequence[BudgetRow], drawing: Column[BudgetRow] | None = None) -> DataTable:
    """Return a table of budgets, with a column that draws what is left, if there is one.

    Columns without information are left out: ``Measured`` if the measured value is the compared
    one, ``Bad of total`` if nothing was counted.
    """
    drawings = () if drawing is None else (drawing,)
    columns = [*_columns(any(row.decides for row in rows)), *drawings, *_TO_THE_RIGHT]
    if len({_backend(row) for row in rows if _backend(row)}) > 1:
        columns.insert(1, _BACKEND)
    table = tabulate(rows, columns)
    silent = {"", wording.NOTHING}
    kept = [
        place
        for place, column in enumerate(columns)
        if column.keep == MUST or any(row[place].text not in silent for row in table.rows)
    ]
    return DataTable(
        columns=tuple(columns[place] for place in kept),
        rows=tuple(tuple(row[place] for place in kept) for row in table.rows),
        tones=tuple(row.verdict for row in rows),
    )


def _columns(marked: bool) -> tuple[Column[BudgetRow], ...]:
    """Return the columns to the left of a drawing; one row or none is ``marked``."""

    def name(row: BudgetRow) -> Cell:
        slo = row.assessment.slo
        text = f"{slo.name}{' (advisory)' * slo.advisory}"
        if not marked:
            return Cell(text=text, strong=True)
        mark, ascii_mark = ("▶ ", "> ") if row.decides else ("  ", "  ")
        return Cell(text=f"{mark}{text}", ascii=f"{ascii_mark}{text}", strong=True)

    return (Column(title="SLO", cell=name, right=False, keep=MUST, share=3), *_TO_THE_LEFT)


def _backend(row: BudgetRow) -> str:
    slo = row.assessment.slo
    return "" if isinstance(slo, CompositeSlo) else slo.sli.backend


def _window(row: BudgetRow) -> str:
    slo = row.assessment.slo
    if isinstance(slo, CompositeSlo) or slo.window is None:
        return wording.NOTHING
    window = slo.window
    return str(window.period) if isinstance(window, CalendarWindow) else str(window)


def _left(row: BudgetRow) -> Cell:
    """Write the value that the tiers are compared with, which decides."""
    return Cell(text=left(row.assessment), tone=_tone(row, row.verdict))


def _overspent(row: BudgetRow) -> bool:
    compared = row.assessment.compared
    return compared is not None and compared < 0 and row.assessment.uncovered is None


def _tone(row: BudgetRow, otherwise: Verdict) -> Verdict:
    """Return the colour of an amount; an overspent one is never green, whatever is allowed."""
    return Verdict.BLOCK if _overspent(row) else otherwise


def _consumed(row: BudgetRow) -> str:
    rounding = row.assessment.rounding
    if rounding is None:
        return wording.spent(row.assessment.consumed)
    ends = dict.fromkeys(wording.spent(1 - end) for end in reversed(rounding))
    return " to ".join(ends)


def _measured(row: BudgetRow) -> str:
    """Write the measured value if it is not the one that decides."""
    assessment = row.assessment
    if assessment.uncovered is not None or assessment.compared == assessment.remaining:
        return ""
    return wording.left_or_overspent(assessment.remaining)


def _bar(row: BudgetRow) -> Cell:
    """Draw what is left, rounded down to whole cells."""
    if row.assessment.compared is None or row.assessment.uncovered:
        return Cell(text="")
    compared, _ = compared_between(row.assessment)
    full = min(max(int(compared * _BAR // 1), 0), _BAR)
    empty = _BAR - full
    text, ascii_text = "█" * full + "░" * empty, "#" * full + "." * empty
    return Cell(text=text, ascii=ascii_text, tone=row.verdict)


def _burn(row: BudgetRow) -> Cell:
    """Write the current burn rate, in the colour of the rules that object to it."""
    return Cell(text=wording.burn(row.assessment.burn_rates.get(PRESENT)), tone=row.burns)


def _tier(row: BudgetRow) -> Cell:
    """Write the tier with the sign of its effect on the change, and the doubts."""
    doubts, says = _doubts(row.assessment, row.tier), row.says
    if row.tier is None:
        says = Verdict.UNDECIDED
        text = f"{'not known' if row.assessment.measured else 'not measured'}: {doubts}"
    else:
        allows = ", allows it" * (says is Verdict.ALLOW and not doubts and _overspent(row))
        text = f"{row.tier.name}{allows}{', in doubt: ' * bool(doubts)}{doubts}"
        if says is not None and doubts:  # no "allows" beside a doubt that may stop the change
            says = worst([says, row.verdict])
    sign, ascii_sign = ("", "") if says is None else _SIGNS[says]
    return Cell(text=f"{sign}{text}", ascii=f"{ascii_sign}{text}", tone=row.verdict)


def _doubts(assessment: Assessment, tier: Tier | None) -> str:
    causes: list[Cause] = [doubt.cause for doubt in assessment.doubts]
    causes += [Cause.ROUNDED] if assessment.rounding is not None and tier is None else []
    causes += [suspicion.cause for suspicion in assessment.suspicions]
    return cause(causes[0]) if causes else ""


_BACKEND: Final[Column[BudgetRow]] = Column(
    title="Backend", cell=_backend, right=False, keep=4, share=2
)
"""The column that is shown if there are several backends."""
_TO_THE_LEFT: Final[tuple[Column[BudgetRow], ...]] = (
    Column(title="Objective", cell=lambda row: promise(row.assessment.slo), keep=7),
    Column(title="Window", cell=_window, right=False, keep=3),
    Column(title="Bad of total", cell=lambda row: events(row.assessment), keep=5),
    Column(
        title="Consumed",
        cell=_consumed,
        keep=1,
        secondary=True,
    ),
    Column(title="Left", cell=_left, keep=MUST),
)
_TO_THE_RIGHT: Final[tuple[Column[BudgetRow], ...]] = (
    Column(title="Measured", cell=_measured, keep=8),
    Column(title=f"Burn {format_duration(PRESENT)}", cell=_burn, keep=6),
    Column(title="Coverage", cell=lambda row: coverage(row.assessment), keep=0, secondary=True),
    Column(title="Tier", cell=_tier, right=False, keep=MUST, share=4),
)
BAR: Final[Column[BudgetRow]] = Column(title="", cell=_bar, right=False, keep=2, beside=True)
"""The column that draws what is left."""


@dataclass(frozen=True, slots=True)
class _Service:
    """A row: the decision on a service, and the budget that decides."""

    decided: PolicyDecision
    verdict: Verdict
    """The verdict as it is enforced."""
    row: BudgetRow | None
    """None: a freeze decides, not a budget."""


def services_table(decision: Decision) -> DataTable:
    """Return a table with a row for each policy, the worst verdict first."""
    services = [_service(decided, decision) for decided in decision.policies]
    services.sort(key=lambda service: -service.verdict.severity)
    table = tabulate(services, _OF_SERVICES)
    tones = tuple(service.verdict for service in services)
    return DataTable(columns=table.columns, rows=table.rows, tones=tones)


def _service(decided: PolicyDecision, decision: Decision) -> _Service:
    deciding = [row for row in decision_rows(decided) if row.decides]
    verdict = summary.enforced(decided.verdict, decision)
    return _Service(decided, verdict, deciding[0] if deciding else None)


def _verdict(service: _Service) -> Cell:
    sign, ascii_sign = _SIGNS[service.verdict]
    text = service.verdict.upper()
    return Cell(text=f"{sign}{text}", ascii=f"{ascii_sign}{text}", tone=service.verdict)


def _slo(service: _Service) -> str:
    return "" if service.row is None else service.row.assessment.slo.name


def _left_of(service: _Service) -> Cell:
    row = service.row
    text = "" if row is None else left(row.assessment)
    return Cell(text=text, tone=service.verdict if row is None else _tone(row, service.verdict))


def _tier_name(service: _Service) -> str:
    row = service.row
    return "" if row is None or row.tier is None else row.tier.name


_OF_SERVICES: Final[tuple[Column[_Service], ...]] = (
    Column(
        title="Service",
        cell=lambda service: Cell(text=service.decided.policy.service, strong=True),
        right=False,
        keep=MUST,
        share=3,
    ),
    Column(title="Change", cell=lambda service: service.decided.change_class, right=False, keep=3),
    Column(title="Verdict", cell=_verdict, right=False, keep=MUST),
    Column(title="Decides", cell=_slo, right=False, keep=5, share=4),
    Column(title="Left", cell=_left_of, keep=4),
    Column(title="Tier", cell=_tier_name, right=False, keep=2),
)
