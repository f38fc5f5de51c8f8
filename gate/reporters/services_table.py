"""Several services in one table: the verdict on each, and the budget that decides."""

from typing import Final

from gate.dataclass import dataclass
from gate.decision.decision import Decision, PolicyDecision
from gate.policy.findings import Verdict
from gate.reporters import summary
from gate.reporters.budget_rows import BudgetRow, decision_rows
from gate.reporters.budgets import left
from gate.reporters.page import MUST, Cell, Column, DataTable, tabulate

_SIGNS: Final = {
    Verdict.ALLOW: ("✔", "+"),
    Verdict.WARN: ("▲", "!"),
    Verdict.UNDECIDED: ("?", "?"),
    Verdict.BLOCK: ("✖", "x"),
}


@dataclass(frozen=True, slots=True)
class _Service:
    """A row: what was decided on a service, and the budget that decides."""

    decided: PolicyDecision
    verdict: Verdict
    """As it is enforced."""
    row: BudgetRow | None
    """None: no budget decides, but a freeze."""


def services_table(decision: Decision) -> DataTable:
    """Return a table with a row for each policy, the worst verdict first."""
    services = [_service(decided, decision) for decided in decision.policies]
    services.sort(key=lambda service: -service.verdict.severity)
    table = tabulate(services, _COLUMNS)
    tones = tuple(service.verdict for service in services)
    return DataTable(columns=table.columns, rows=table.rows, tones=tones)


def _service(decided: PolicyDecision, decision: Decision) -> _Service:
    deciding = [row for row in decision_rows(decided) if row.decides]
    verdict = summary.enforced(decided.verdict, decision)
    return _Service(decided, verdict, deciding[0] if deciding else None)


def _verdict(service: _Service) -> Cell:
    sign, ascii_sign = _SIGNS[service.verdict]
    text = service.verdict.upper()
    return Cell(text=f"{sign} {text}", ascii=f"{ascii_sign} {text}", tone=service.verdict)


def _slo(service: _Service) -> str:
    return "" if service.row is None else service.row.assessment.slo.name


def _left(service: _Service) -> Cell:
    row = service.row
    text = "" if row is None else left(row.assessment)
    return Cell(text=text, tone=service.verdict)


def _tier(service: _Service) -> str:
    row = service.row
    return "" if row is None or row.tier is None else row.tier.name


_COLUMNS: Final[tuple[Column[_Service], ...]] = (
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
    Column(title="Left", cell=_left, keep=4),
    Column(title="Tier", cell=_tier, right=False, keep=2),
)
