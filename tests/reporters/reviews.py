"""Reviews of what a backend in memory remembers, and how a terminal shows them."""

from collections.abc import Mapping
from datetime import timedelta

from gate.analysis.review import ReviewReport
from gate.analysis.review.run import ReviewOptions, review_objectives
from gate.analysis.review.words import output
from gate.measure import Unmeasured
from gate.reporters import render_page
from gate.reporters.ansi import Style
from tests.analysis.memory import AT, Opening, file, slo
from tests.analysis.remembered import Bad, Remembered

WIDE = Style(width=130)
SLA = "sla: 99.8%"


def told(
    bad: Mapping[str, Bad],
    *slos: str,
    periods: int = 3,
    lost: Mapping[str, Unmeasured] | None = None,
    notes: tuple[str, ...] = (),
) -> ReviewReport:
    backend = Remembered(bad, lost=lost or {}, notes=notes)
    asked = ReviewOptions(at=AT, periods=periods, timeout=timedelta(seconds=3))
    policy = file("chat", *(slos or map(slo, bad)))
    return review_objectives([policy], asked, open_with=Opening({"chat": backend}))


def terminal(report: ReviewReport) -> str:
    return render_page("terminal", output(report), WIDE)
