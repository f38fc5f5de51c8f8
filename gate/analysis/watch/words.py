"""The result of a watch in sentences, and its page."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Final

from gate import wording
from gate.analysis.watch import EXIT_CODES, WatchedSlo, WatchReport, watch_document
from gate.analysis.watch.phrases import failed, limit_of, part, ratio, spent, subject
from gate.history.sequential import ComparedStep
from gate.history.sequential.verdict import CanaryStanding, CanaryVerdict
from gate.policy.findings import Verdict
from gate.reporters import budgets, summary
from gate.reporters.drawing import signs
from gate.reporters.page import (
    MUST,
    Badge,
    Cell,
    Column,
    DataTable,
    Fact,
    Facts,
    Output,
    Page,
    Preformatted,
    Section,
    said,
    tabulate,
)
from gate.slo.quantities import format_duration
from gate.wording import describe_time

SEVERITIES: Final = {
    CanaryVerdict.HEALTHY: Verdict.ALLOW,
    CanaryVerdict.ROLL_BACK: Verdict.BLOCK,
    CanaryVerdict.CANNOT_TELL: Verdict.UNDECIDED,
}
"""The verdict of a decision whose sign and colour each has."""
_WIDTH: Final = 60
"""The maximum number of signs in a chart."""


def output(report: WatchReport) -> Output:
    """Return the report in the form that every format is written from."""
    return Output(page=partial(page, report), document=partial(watch_document, report))


def page(report: WatchReport) -> Page:
    """Return the page: the verdict and why, each SLO's numbers, and their course over time."""
    word = report.verdict.replace("-", " ").upper()
    section = Section(
        title=subject(report),
        badge=Badge(SEVERITIES[report.verdict], word),
        blocks=said(
            Facts(tuple(_facts(report)), leading=frozenset({"Why", "Next"})),
            _table(report),
            *map(partial(_chart, report), report.slos),
            Facts(tuple(_about(report))),
            summary.policy_text(report.policy, report.source),
        ),
    )
    exit_code = ("Exit code", str(int(EXIT_CODES[report.verdict])))
    return Page(
        sections=(section,),
        closing=(summary.signature(report.ended_at, report.tool_version, exit_code),),
    )


def _facts(report: WatchReport) -> Iterator[Fact]:
    """Yield the answers in the order of a reader's questions."""
    yield from (("Why", sentence) for sentence in report.reasons)
    if report.interrupted:
        yield "Ended", "by a signal, before the time was up"
    for slo in report.slos:
        if slo.spent is not None:
            yield "Spent", f"{slo.slo.name}: {_spending(slo)}"
    if report.verdict is CanaryVerdict.ROLL_BACK:
        yield from _saved(report)
    yield "Next", _next(report)


def _spending(slo: WatchedSlo) -> str:
    limit = slo.limit
    text = f"{spent(slo)} of the budget"
    if limit is not None:
        text += f", of at most {limit_of(limit)}"
    if limit is not None and limit.expected is not None:
        text += f"; the trigger expected {wording.spent(limit.expected)}"
    return text


def _saved(report: WatchReport) -> Iterator[Fact]:
    for slo in report.slos:
        if slo.saved:
            until = wording.instant(report.grid.end)
            yield (
                "Saved",
                f"{slo.slo.name}: {part(slo.saved)} of the budget, if it had gone on until {until}"
                " at this rate",
            )


def _next(report: WatchReport) -> str:
    arms = report.options.arms
    if report.verdict is CanaryVerdict.HEALTHY:
        return f"{arms.canary} may get more traffic"
    if report.verdict is CanaryVerdict.ROLL_BACK:
        return f"roll {arms.canary} back"
    if any(slo.troubles for slo in report.slos):
        return "resolve what is unknown, and watch again; promote nothing until then"
    if len(report.slos[0].steps) < report.grid.count:
        return "go on from the state that was kept, or watch again; promote nothing until then"
    return f"{_longer(report)}; promote nothing until then"


def _longer(report: WatchReport) -> str:
    """Name a way to a clearer result after a watch that has come to its end."""
    if any(slo.shown.beyond_steps for slo in report.slos):
        return "watch on, which shows whether that lasts"
    longer = [slo.longer for slo in report.slos if slo.standing is CanaryStanding.NOT_SHOWN]
    if None in longer:
        return "watch with more traffic or a larger margin"
    most = max(length for length in longer if length is not None)
    return f"watch for {describe_time(most)} more, or with more traffic"


def _table(report: WatchReport) -> DataTable:
    beside = report.options.arms.baseline is not None
    columns = (
        Column[WatchedSlo](title="SLO", cell=lambda slo: slo.slo.name, right=False, keep=MUST),
        Column[WatchedSlo](title="Shown", cell=_shown, right=False, keep=8),
        Column[WatchedSlo](title="Canary", cell=lambda slo: failed(slo.canary), keep=7),
        *((Column[WatchedSlo](title="Baseline", cell=_baseline, keep=6),) if beside else ()),
        Column[WatchedSlo](title="Excess" if beside else "Failed", cell=_between, keep=5),
        Column[WatchedSlo](title="Allowed", cell=lambda slo: ratio(slo.margin), keep=4),
        Column[WatchedSlo](title="Spent", cell=spent, keep=3),
        Column[WatchedSlo](title="Budget left", cell=_left, keep=2),
    )
    return tabulate(report.slos, columns)


def _shown(slo: WatchedSlo) -> Cell:
    if slo.standing is CanaryStanding.WORSE:
        return Cell(text="worse", tone=Verdict.BLOCK, strong=True)
    if slo.overspent:
        return Cell(text="overspent", tone=Verdict.BLOCK, strong=True)
    if slo.standing is CanaryStanding.WITHIN and not slo.troubles:
        return Cell(text="within the margin", tone=Verdict.ALLOW, strong=True)
    return Cell(text="not shown", tone=Verdict.UNDECIDED, strong=True)


def _baseline(slo: WatchedSlo) -> str:
    return failed(slo.baseline or (0.0, 0.0))


def _between(slo: WatchedSlo) -> str:
    low, high = slo.bounds
    return wording.NOTHING if slo.excess is None else f"{ratio(low)} to {ratio(high)}"


def _left(slo: WatchedSlo) -> str:
    return wording.NOTHING if slo.assessment is None else budgets.left(slo.assessment)


def _chart(report: WatchReport, slo: WatchedSlo) -> Preformatted | Facts:
    """Draw the failures of both over time, on one scale; empty without known data."""
    arms = report.options.arms
    rows = {str(arms.canary): _ratios(slo.steps, baseline=False)}
    if arms.baseline is not None:
        rows[str(arms.baseline)] = _ratios(slo.steps, baseline=True)
    highest = max((share for row in rows.values() for share in row if share is not None), default=0)
    if not highest:
        return Facts(())
    width = max(map(len, rows))
    head = f"{slo.slo.name}: failed requests, 0 to {ratio(highest)}"

    def drawn(*, ascii_only: bool) -> str:
        nothing = "." if ascii_only else "▁"
        lines = (
            f"{name.ljust(width)}  "
            + signs(
                [None if share is None else share / highest for share in row],
                nothing=nothing,
                ascii_only=ascii_only,
            )
            for name, row in rows.items()
        )
        return "\n".join([head, *lines])

    return Preformatted(text=drawn(ascii_only=False), ascii=drawn(ascii_only=True))


def _ratios(steps: Sequence[ComparedStep | None], *, baseline: bool) -> list[float | None]:
    """Return the error ratio of as many stretches of time as fit; None: unknown."""
    each = max(-(-len(steps) // _WIDTH), 1)
    shares = list[float | None]()
    for first in range(0, len(steps), each):
        some = [step for step in steps[first : first + each] if step is not None]
        total = sum(step.baseline_total if baseline else step.canary_total for step in some)
        bad = sum(step.baseline_bad if baseline else step.canary_bad for step in some)
        shares.append(bad / total if total else None)
    return shares


def _about(report: WatchReport) -> Iterator[Fact]:
    """Yield the examined traffic, and the backend's notes."""
    grid, options = report.grid, report.options
    times = f"{wording.instant(grid.start)} to {wording.instant(report.ended_at)}"
    whole = describe_time(grid.count * grid.step)
    yield "Watched", f"{times} of {whole}, in steps of {format_duration(grid.step)}"
    yield "Margin", f"{wording.percent(options.margin)} of the error budget"
    if options.change is not None:
        yield "Trigger", f"what was promised before the change ({options.change})"
    yield from (("Note", note) for note in report.notes)
