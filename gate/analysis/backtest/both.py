"""Two policies side by side: their figures, and where their verdicts differ."""

from collections.abc import Iterator
from typing import NamedTuple

from gate import wording
from gate.analysis.backtest import PolicyBacktest, ServiceBacktest
from gate.analysis.backtest.tables import MOST, WORDS, followed, revision, verdict_cell
from gate.analysis.backtest.verdicts import PastVerdict
from gate.policy.findings import Verdict
from gate.reporters.page import MUST, Column, DataTable, Fact, tabulate
from gate.wording import describe_time


class FigureRow(NamedTuple):
    """One figure for two policies."""

    label: str
    tried: str
    against: str


def both_policies(tried: PolicyBacktest, against: PolicyBacktest) -> DataTable:
    """Return the figures of two policies side by side."""
    pair = (tried, against)
    rows = [
        FigureRow(WORDS[verdict], *(f"{policy.outcomes[verdict].count:,}" for policy in pair))
        for verdict in Verdict
    ]
    rows += [
        FigureRow(
            f"{WORDS[verdict]}, before an incident",
            *(f"{policy.outcomes[verdict].before:,}" for policy in pair),
        )
        for verdict in (Verdict.BLOCK, Verdict.ALLOW)
    ]
    rows += [
        FigureRow("closed, in all", *(describe_time(policy.frozen) for policy in pair)),
        FigureRow("closed, times", *(f"{len(policy.freezes):,}" for policy in pair)),
        FigureRow("class", *(policy.change for policy in pair)),
    ]
    columns: tuple[Column[FigureRow], ...] = (
        Column(
            title=f"{tried.unit.capitalize()}s", cell=lambda row: row.label, right=False, keep=MUST
        ),
        Column(title=tried.source.path, cell=lambda row: row.tried, keep=MUST),
        Column(title=against.source.path, cell=lambda row: row.against, keep=MUST),
    )
    return tabulate(rows, columns)


def differing_table(service: ServiceBacktest) -> DataTable:
    """Return the newest instants at which the verdicts of two policies differ."""
    columns: tuple[Column[tuple[PastVerdict, PastVerdict]], ...] = (
        Column(
            title="At, UTC", cell=lambda pair: wording.minute(pair[0].at), right=False, keep=MUST
        ),
        Column(title="Revision", cell=lambda pair: revision(pair[0]), right=False, keep=5, share=4),
        Column(
            title="This", cell=lambda pair: verdict_cell(pair[0].verdict), right=False, keep=MUST
        ),
        Column(
            title="Other", cell=lambda pair: verdict_cell(pair[1].verdict), right=False, keep=MUST
        ),
        Column(
            title="Incident",
            cell=lambda pair: followed(service.tried, pair[0]),
            right=False,
            keep=4,
        ),
    )
    return tabulate(list(service.differing)[-MOST:], columns)


def undecided_beside(service: ServiceBacktest) -> Iterator[Fact]:
    """Yield why the other policy is undecided where the tested policy is not."""
    if service.against is None:
        return
    shared = {(row.slo, row.cause) for row in service.tried.undecided_by}
    for row in service.against.undecided_by:
        if (row.slo, row.cause) not in shared:
            subject = f"{row.slo}: " if row.slo else ""
            yield "Undecided", f"by {service.against.source.path}: {subject}{row.example}"
