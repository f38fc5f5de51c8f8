"""The report of control charts: sentences, cells and the page."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Final

from gate import wording
from gate.analysis import (
    examinations,
    left_out_facts,
    note_facts,
    question_page,
    reservation_facts,
    seen_badge,
    why_unmeasured,
)
from gate.analysis.anomalies import AnomalyReport, ChartedSlo, ServiceAnomalies, anomalies_document
from gate.analysis.anomalies.table import KINDS, AnomalyRow, chart_rows, chart_table
from gate.history.charts.chart import Chart, Signal
from gate.history.charts.signals import FALSE_ALARMS, FALSE_ALARMS_OF_SLICES
from gate.policy.findings import Verdict
from gate.reporters import summary
from gate.reporters.drawing import plot
from gate.reporters.page import Badge, Fact, Facts, Output, Page, Paragraph, Picture, Section, said
from gate.slo.quantities import format_duration

_MOST_SIGNALS: Final = 5
"""The maximum number of signals of a chart that are written, each in a sentence."""
_ALIKE: Final = 0.5
"""The correlation of neighbours from which a reader should know about it."""


def output(report: AnomalyReport) -> Output:
    """Return the report in the form that every format is written from."""
    return Output(page=partial(page, report), document=partial(anomalies_document, report))


def page(report: AnomalyReport) -> Page:
    """Return the page on the control charts of every policy."""
    sections = ((anomalies_section(service), service) for service in report.services)
    return question_page(
        sections,
        summary.signature(report.span.end, report.tool_version, *scope_facts(report)),
        *examinations(report),
    )


def anomalies_section(service: ServiceAnomalies) -> Section:
    """Return the charts of one policy, with a picture of each that was ever out of control."""
    rows = chart_rows(service)
    pictures = (
        Section(title=row.name, blocks=(_picture(row.chart), facts), compact=True)
        for row in rows
        if (facts := Facts(tuple(signal_facts(row)))).facts
    )
    return Section(
        title=service.policy.service,
        badge=anomalies_badge(service),
        blocks=said(
            *answers(rows), chart_table(rows), *pictures, Facts(tuple(chart_facts(service)))
        ),
    )


def _picture(chart: Chart) -> Picture:
    return Picture(lambda width, ascii_only: plot(chart, width, ascii_only=ascii_only))


def answers(rows: Sequence[AnomalyRow]) -> Iterator[Paragraph]:
    """Yield a sentence about each chart that is out of control, or was."""
    now = [row.name for row in rows if row.open is not None]
    before = [
        f"{row.name} until {wording.instant(row.chart.worse[0].end)}"
        for row in rows
        if row.open is None and row.chart.worse
    ]
    if now:
        yield Paragraph(f"Out of control now: {'; '.join(now)}.")
    elif before:
        yield Paragraph(f"Nothing is out of control now. It was: {'; '.join(before)}.")
    elif rows:
        yield Paragraph("No chart was out of control.")


def anomalies_badge(service: ServiceAnomalies) -> Badge:
    """Return the severity, and the result as a word in capitals."""
    return seen_badge(_findings_badge(service), [slo.reservations for slo in service.slos])


def _findings_badge(service: ServiceAnomalies) -> Badge:
    drawn = chart_rows(service)
    out = sum(row.open is not None for row in drawn)
    if out:
        return Badge(Verdict.BLOCK, f"{out} OUT OF CONTROL")
    missing = len(service.missing) + len(service.lost)
    if not drawn:
        return Badge(Verdict.UNDECIDED, "NOT CHARTED")
    if any(row.chart.worse for row in drawn):
        return Badge(Verdict.WARN, "WAS OUT OF CONTROL")
    if missing:
        return Badge(Verdict.UNDECIDED, f"NONE SEEN, {missing} NOT CHARTED")
    return Badge(Verdict.ALLOW, "IN CONTROL")


def signal_facts(row: AnomalyRow) -> Iterator[Fact]:
    """Yield the signals of a chart, the bad ones first, the newest first."""
    better = [signal for signal in row.chart.signals if not signal.worse]
    for label, alike in (("Worse", row.chart.worse), ("Better", better)):
        yield from ((label, _signal(row, signal)) for signal in alike[:_MOST_SIGNALS])
        if alike[_MOST_SIGNALS:]:
            more = len(alike) - _MOST_SIGNALS
            yield label, f"{row.name}: {more} more before, all listed in the JSON report"


def chart_facts(service: ServiceAnomalies) -> Iterator[Fact]:
    """Yield the usual range of each chart, and the signals without a chart."""
    for slo, chart in service.charts:
        yield "Usual", _usual(AnomalyRow(slo=slo, chart=chart))
    for slo, missing in service.missing:
        yield "Not charted", f"{slo.slo.name}, {KINDS[missing.kind]}: {missing.reason}"
    for slo, lost in service.lost:
        yield "Not measured", f"{slo.slo.name}: {why_unmeasured(lost)}"
    yield from (("Unknown", _unknown(slo)) for slo in service.slos if slo.unknown and not slo.lost)
    for slo in service.slos:
        yield from reservation_facts(slo.slo.name, slo.reservations)
        yield from note_facts(slo.slo.name, slo.notes)
    yield from left_out_facts(service.left_out)


def scope_facts(report: AnomalyReport) -> Iterator[Fact]:
    """Yield the examined time, and the baseline of the charts."""
    span, step = report.span, format_duration(report.step)
    stretch = f"{wording.minute(span.start)} to {wording.instant(span.end)}"
    until = wording.instant(span.start + report.baseline)
    yield "Examined", f"{stretch}, in steps of {step}"
    yield "Baseline", f"up to {until}, without incidents; rules: EWMA and {report.rules}"
    yield from (("False alarms", fact) for fact in _false_alarms(report))


def _false_alarms(report: AnomalyReport) -> Iterator[str]:
    """Say how often charts like these were wrong, of events and of timeslices if there are any."""
    sliced = {slo.slo.slices is not None for service in report.services for slo in service.slos}
    weeks = "of 100 simulated weeks of hourly points in control had one on a chart"
    caution = "a signal is a reason to look, not a proof"
    if sliced != {True}:
        alarms = FALSE_ALARMS[report.rules]
        worst = f"{alarms.most} where ratios drift or resemble those before"
        yield f"{alarms.every} {weeks} ({worst}): {caution}"
    if True in sliced:
        alarms = FALSE_ALARMS_OF_SLICES[report.rules]
        worst = f"{alarms.most} of the kind that had most"
        yield f"{alarms.every} {weeks} of timeslices ({worst}): {caution}"


def _signal(row: AnomalyRow, signal: Signal) -> str:
    peak, chart = signal.peak, row.chart
    until = "still going on" if signal.open else f"until about {wording.minute(signal.end)}"
    far = peak.upper if signal.worse else peak.lower
    limit = f"limit {chart.write(max(far, 0.0))}, usually {chart.write(peak.centre)}"
    rules = f"; {', '.join(signal.rules)}" if signal.rules else ""
    names = ", ".join(record.id for record in signal.records)
    records = f"; explained by {names}" if names else ""
    value = f"{'up' if signal.worse else 'down'} to {chart.write(peak.sample.value)}"
    since = f"since about {wording.instant(signal.since)}, {until}"
    return f"{row.name}: {since}; {value} ({limit}){rules}{records}"


def _usual(row: AnomalyRow) -> str:
    chart, usual = row.chart, row.chart.usual
    step = format_duration(chart.step)
    parts = [f"{row.name}: {row.chart.write(usual.centre)} over {usual.count} points of {step}"]
    if chart.chronic:
        parts.append("most points are in incidents, so none is excluded")
    if chart.excluded:
        parts.append(f"{len(chart.excluded)} in incidents excluded")
    if usual.by_time:
        parts.append("separately for each time of day")
    if usual.by_day:
        parts.append("separately for working days and weekends")
    if usual.dependence.neighbours >= _ALIKE:
        alike = f"{usual.dependence.neighbours:.2f}"
        parts.append(f"neighbouring points correlate ({alike}), so the limits are wide")
    if chart.unruly:
        parts.append(
            f"{chart.unruly} beyond its own limits: if that was an incident, add its record"
        )
    return "; ".join(parts)


def _unknown(slo: ChartedSlo) -> str:
    share = f"{slo.slo.name}: {wording.spent(slo.unknown)} of the time has no data"
    newest = [chart.newest for chart in slo.charts if isinstance(chart, Chart)]
    return f"{share}; the newest point ends at {wording.instant(max(newest))}" if newest else share
