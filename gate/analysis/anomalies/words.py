"""What control charts show, in words and cells that are not yet escaped for any format."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from gate import wording
from gate.analysis.anomalies.result import AnomalyReport, Charted, ServiceAnomalies
from gate.history.charts.chart import Chart, Signal
from gate.policy.findings import Verdict
from gate.reporters import summary
from gate.reporters.budgets import cause
from gate.reporters.column import MUST, Column
from gate.reporters.details import Fact
from gate.slo.quantities import format_duration
from gate.wording import describe_time

_MOST_SIGNALS: Final = 5
"""Of a chart that are told one by one."""


_ALIKE: Final = 0.5
"""A correlation of neighbours that a reader should know of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnomalyRow:
    """One chart."""

    slo: Charted
    chart: Chart

    @property
    def name(self) -> str:
        """Of what it is."""
        return f"{self.slo.slo.name}, {self.chart.kind}"

    @property
    def open(self) -> Signal | None:
        """The newest signal that something is worse, if it goes on."""
        return next((one for one in self.chart.worse if one.open), None)


def rows(service: ServiceAnomalies) -> list[AnomalyRow]:
    """Return a row for each chart that could be drawn: out of control, once out of it, in it."""
    drawn = [AnomalyRow(slo=slo, chart=chart) for slo, chart in service.charts]
    return sorted(drawn, key=lambda row: (row.open is None, not row.chart.worse))


def verdict(service: ServiceAnomalies) -> tuple[Verdict, str]:
    """Return how bad it is, for signs and colours, and in capitals what was found."""
    drawn = rows(service)
    out = sum(row.open is not None for row in drawn)
    if out:
        return Verdict.BLOCK, f"{out} OUT OF CONTROL"
    missing = len(service.missing) + len(service.lost)
    if not drawn:
        return Verdict.UNDECIDED, "NOT CHARTED"
    if any(row.chart.worse for row in drawn):
        return Verdict.WARN, "WAS OUT OF CONTROL"
    if missing:
        return Verdict.UNDECIDED, f"NONE SEEN, {missing} NOT CHARTED"
    if any(slo.unknown for slo in service.slos):
        return Verdict.WARN, "NONE SEEN"
    return Verdict.ALLOW, "IN CONTROL"


def signals(row: AnomalyRow) -> Iterator[Fact]:
    """Yield the signals of a chart, those that something is worse first, the newest first."""
    worse = row.chart.worse
    better = [one for one in row.chart.signals if not one.worse]
    for label, found in (("Worse", worse), ("Better", better)):
        yield from ((label, _signal(row, one)) for one in found[:_MOST_SIGNALS])
        if found[_MOST_SIGNALS:]:
            yield label, f"{row.name}: {len(found) - _MOST_SIGNALS} more before; see --format json"


def about(service: ServiceAnomalies) -> Iterator[Fact]:
    """Yield what the charts were held against, and what there is no chart of."""
    for slo, chart in service.charts:
        yield "Usual", _usual(AnomalyRow(slo=slo, chart=chart))
    for slo, missing in service.missing:
        yield "Not charted", f"{slo.slo.name}, {missing.kind}: {missing.reason}"
    for slo, lost in service.lost:
        yield "Not measured", f"{slo.slo.name}: {cause(lost.cause)}: {lost.reason}"
    yield from (("Unknown", _unknown(one)) for one in service.slos if one.unknown and not one.lost)
    yield from (("Note", f"{one.slo.name}: {note}") for one in service.slos for note in one.notes)
    yield from (("Left out", f"{slo}: {reason}") for slo, reason in service.left_out)


def origin(service: ServiceAnomalies) -> list[Fact]:
    """Return which text of the policy was read."""
    return [("Policy", summary.provenance(service.source))]


def looked_at(report: AnomalyReport) -> Iterator[Fact]:
    """Yield what was looked at, and what it was held against."""
    span, step = report.span, format_duration(report.step)
    until = _minute(span.start + report.baseline)
    yield "Looked at", f"{_minute(span.start)} to {_minute(span.end)} UTC, in steps of {step}"
    yield "Baseline", f"until {until} UTC, without incidents; rules: EWMA and {report.rules}"


def closing(report: AnomalyReport) -> Iterator[Fact]:
    """Yield what was looked at, when and by what."""
    yield from looked_at(report)
    yield "Evaluated", wording.exact_instant(report.span.end)
    yield "By", f"gate {report.tool_version}"


def _signal(row: AnomalyRow, one: Signal) -> str:
    peak = one.peak
    until = "still going on" if one.open else f"until about {_minute(one.end)}"
    far = peak.upper if one.worse else peak.lower
    limit = f"limit {row.chart.write(max(far, 0.0))}, usually {row.chart.write(peak.centre)}"
    rules = f"; {', '.join(one.rules)}" if one.rules else ""
    known = f"; known as {', '.join(record.id for record in one.records)}" if one.records else ""
    value = f"{'up' if one.worse else 'down'} to {row.chart.write(peak.sample.value)}"
    since = f"since about {_minute(one.since)} UTC, {until}"
    return f"{row.name}: {since}; {value} ({limit}){rules}{known}"


def _usual(row: AnomalyRow) -> str:
    chart, usual = row.chart, row.chart.usual
    step = format_duration(chart.step)
    parts = [f"{row.name}: {row.chart.write(usual.centre)} by {usual.count} points of {step}"]
    if chart.excluded:
        parts.append(f"{len(chart.excluded)} in incidents left out")
    if usual.by_time:
        parts.append("each time of day by itself")
    if usual.alike >= _ALIKE:
        parts.append(f"neighbours are alike ({usual.alike:.2f}), so the limits are wide")
    if chart.unruly:
        parts.append(
            f"{chart.unruly} beyond its own limits: if in an incident, name it by --known-incidents"
        )
    return "; ".join(parts)


def _unknown(one: Charted) -> str:
    share = f"{one.slo.name}: {wording.spent(one.unknown)} of the time has no data"
    newest = [chart.newest for chart in one.charts if isinstance(chart, Chart)]
    return f"{share}; the newest point ends at {_minute(max(newest))} UTC" if newest else share


def _state(row: AnomalyRow) -> str:
    if row.open is not None:
        lasted = describe_time(row.open.end - row.open.since)
        return f"worse for about {lasted}"
    if row.chart.worse:
        return f"in control since {_minute(row.chart.worse[0].end)}"
    better = any(one.open for one in row.chart.signals)
    return "better than usual" if better else "in control"


def _minute(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M}"


def _newest(value: Callable[[AnomalyRow], float]) -> Callable[[AnomalyRow], str]:
    return lambda row: row.chart.write(value(row))


STATE: Final[Column[AnomalyRow]] = Column(
    title="State", cell=_state, right=False, keep=MUST, share=3
)


COLUMNS: Final[tuple[Column[AnomalyRow], ...]] = (
    Column(title="SLO", cell=lambda row: row.slo.slo.name, right=False, keep=MUST, share=4),
    Column(title="Of its", cell=lambda row: row.chart.kind, right=False, keep=MUST),
    Column(
        title="Newest", cell=_newest(lambda row: row.chart.watched[-1].point.sample.value), keep=8
    ),
    Column(title="Usual", cell=_newest(lambda row: row.chart.watched[-1].point.centre), keep=7),
    Column(title="Limit", cell=_newest(lambda row: row.chart.watched[-1].point.upper), keep=6),
    STATE,
)
"""In the order of reading."""
