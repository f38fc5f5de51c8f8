"""The report of a sweep, in lines."""

from collections.abc import Iterator

from gate.analysis.sweep import SweepAct, SweepReport
from gate.reporters.escape import plain


def lines(report: SweepReport) -> Iterator[str]:
    """Yield a line for each status that was set or failed, and the totals at the end.

    Each is one line, whatever foreign texts contain.
    """
    for status in report.statuses:
        if status.act is SweepAct.SET:
            yield plain(f"#{status.pull}: {status.before} -> {status.after}: {status.reason}")
        elif status.act is SweepAct.FAILED:
            yield plain(f"#{status.pull}: failed: {status.reason}")
    yield plain(f"{report.name}: {', '.join(_parts(report))}")
    if report.stopped:
        left = report.pulls - report.seen
        yield plain(f"Stopped early, {left} not checked: {report.stopped}. Run it again later.")


def _parts(report: SweepReport) -> Iterator[str]:
    yield f"{report.pulls} open, {report.seen} checked"
    would = "would be set" if report.dry_run else "set"
    yield f"{report.count(SweepAct.SET)} {would}"
    skipped = (SweepAct.VALID, SweepAct.WAITING, SweepAct.ABSENT)
    yield f"{sum(report.count(act) for act in skipped)} skipped ({_skipped(report)})"
    yield f"{report.count(SweepAct.FAILED)} failed"


def _skipped(report: SweepReport) -> str:
    acts = (SweepAct.VALID, SweepAct.WAITING, SweepAct.ABSENT)
    return ", ".join(f"{report.count(act)} {act}" for act in acts)
