"""The table of control charts; not yet escaped for any format."""

from collections.abc import Callable
from typing import Final

from gate import wording
from gate.analysis.anomalies import ChartedSlo, ServiceAnomalies
from gate.dataclass import dataclass
from gate.history.charts.chart import Chart, ChartKind, Signal
from gate.policy.findings import Verdict
from gate.reporters.page import MUST, Cell, Column, DataTable, tabulate
from gate.wording import describe_time

KINDS: Final = {ChartKind.RATIO: "error ratio", ChartKind.MEAN: "mean"}
"""The charted quantities, in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnomalyRow:
    """A chart as a row of the table."""

    slo: ChartedSlo
    chart: Chart

    @property
    def name(self) -> str:
        """The SLO and its charted quantity."""
        return f"{self.slo.slo.name}, {self.indicator}"

    @property
    def indicator(self) -> str:
        """The charted quantity; for a mean with an unknown unit, its column."""
        column = self.slo.slo.sli.column
        what = KINDS[self.chart.kind]
        unnamed = self.chart.kind is ChartKind.MEAN and not self.chart.unit and column is not None
        return f"{what} {column}" if unnamed else what

    @property
    def open(self) -> Signal | None:
        """The newest signal that the indicator is worse, if it continues."""
        return next((signal for signal in self.chart.worse if signal.open), None)


def chart_rows(service: ServiceAnomalies) -> list[AnomalyRow]:
    """Return a row for each chart that could be drawn: out of control, earlier out of it, in it."""
    drawn = [AnomalyRow(slo=slo, chart=chart) for slo, chart in service.charts]
    return sorted(drawn, key=lambda row: (row.open is None, not row.chart.worse))


def chart_table(rows: list[AnomalyRow]) -> DataTable:
    """Return a table with the newest point of each chart, and whether it is as usual."""
    return tabulate(rows, _COLUMNS)


def _state(row: AnomalyRow) -> Cell:
    if row.open is not None:
        lasted = describe_time(row.open.end - row.open.since)
        return Cell(text=f"worse for about {lasted}", tone=Verdict.BLOCK)
    if row.chart.worse:
        return Cell(text=f"in control since {wording.minute(row.chart.worse[0].end)}")
    better = any(signal.open for signal in row.chart.signals)
    return Cell(text="better than usual" if better else "in control")


def _newest(value: Callable[[AnomalyRow], float]) -> Callable[[AnomalyRow], str]:
    return lambda row: row.chart.write(value(row))


_COLUMNS: Final[tuple[Column[AnomalyRow], ...]] = (
    Column(title="SLO", cell=lambda row: row.slo.slo.name, right=False, keep=MUST, share=4),
    Column(title="Indicator", cell=lambda row: row.indicator, right=False, keep=MUST),
    Column(
        title="Newest", cell=_newest(lambda row: row.chart.watched[-1].point.sample.value), keep=8
    ),
    Column(title="Usual", cell=_newest(lambda row: row.chart.watched[-1].point.centre), keep=7),
    Column(title="Limit", cell=_newest(lambda row: row.chart.watched[-1].point.upper), keep=6),
    Column(title="State", cell=_state, right=False, keep=MUST, share=3),
)
"""The columns in the order of reading."""
