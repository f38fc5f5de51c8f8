"""The backtest on the page of a report: a time line, and the tables."""

from collections.abc import Iterable, Iterator
from typing import Final

from gate import wording
from gate.analysis.backtest import BacktestReport, PolicyBacktest, ServiceBacktest
from gate.analysis.backtest.freezes import Standing
from gate.analysis.backtest.tables import WORDS
from gate.analysis.backtest.words import backtest_blocks
from gate.analysis.report import ServiceReport
from gate.analysis.report.html.budget import budget_plot, mark
from gate.analysis.report.html.tags import Html, content, element, numbers
from gate.history.burn_down import Line, thin
from gate.policy.findings import Verdict
from gate.reporters.drawing import Linear
from gate.reporters.page import MUST, Block, Column, DataTable, Facts, Paragraph, Section, tabulate
from gate.slo.objective import Span
from gate.wording import describe_time

_STOPPING: Final = {Verdict.BLOCK: "closed", Verdict.UNDECIDED: "lost"}
"""The fill of stretches in which a change would not have shipped."""


def backtest_parts(
    replayed: ServiceBacktest, report: BacktestReport, service: ServiceReport, name: str
) -> Iterator[Html]:
    """Yield the time line and all results of a backtest.

    Args:
        replayed: the backtest of the service.
        report: the report on all policies.
        service: the service with the drawn tiers.
        name: the name of the picture's element, unique on the page.
    """
    tried, blocks = replayed.tried, list(backtest_blocks(replayed, report))
    yield from (_paragraph(block) for block in blocks if isinstance(block, Paragraph))
    if tried.verdicts:
        yield verdict_figure(tried, report.span, service, name)
    rest = [block for block in blocks if not isinstance(block, Paragraph)]
    yield from _written(rest, f"Backtest of {service.policy.service}")


def _paragraph(paragraph: Paragraph) -> Html:
    return element("p", paragraph.text)


def _written(blocks: Iterable[Block], caption: str) -> Iterator[Html]:
    """Yield tables and labelled sentences, each part under its heading."""
    for block in blocks:
        if isinstance(block, DataTable | Facts):
            yield from content([block], caption)
        if isinstance(block, Section):
            yield element("h3", block.title)
            yield from _written(block.blocks, f"{caption}: {block.title}")


def verdict_figure(tried: PolicyBacktest, span: Span, service: ServiceReport, name: str) -> Html:
    """Return the time line of verdicts over the worst budget, and its stretches in numbers."""
    line = _line(tried)
    shares = [value for _, value in line if value is not None]
    plot = budget_plot(span, Linear(min([0.0, *shares]), max([1.0, *shares])), service)
    for standing in tried.standings:
        if standing.verdict in _STOPPING:
            plot.stretch(standing.span, _STOPPING[standing.verdict])
    mark(plot, list(enumerate(tried.nearness.incidents, start=1)), ())
    plot.line(line, "main")
    for verdict in Verdict:
        shipped = [past.at for past in tried.counted if past.deploy and past.verdict is verdict]
        plot.notches(shipped, f"deploy {verdict}")
    title = f"Verdicts on {tried.change} over the worst budget of {service.policy.service}"
    caption = _caption(tried)
    return element(
        "figure",
        element("p", "Worst budget left", class_="axes"),
        plot.svg(name, title, caption),
        element("figcaption", caption),
        numbers(tabulate(tried.standings, _COLUMNS), f"{title}, in numbers"),
    )


def _line(tried: PolicyBacktest) -> Line:
    """Return the remaining share of the worst budget, with as many points as can be seen."""
    course = (*tried.verdicts, tried.last)
    values = [None if past.left is None else float(past.left) for past in course]
    return tuple((course[place].at, value) for place, value in thin(values))


def _caption(tried: PolicyBacktest) -> str:
    """Describe the figure."""
    verdicts = {standing.verdict for standing in tried.standings}
    sentences = {
        f"Shaded stretches would have been closed to {tried.change}.": Verdict.BLOCK in verdicts,
        "Grey ones were undecided.": Verdict.UNDECIDED in verdicts,
        "Red stretches with a number are incidents.": bool(tried.nearness.incidents),
        "Strokes below the picture are deploys; red ones would have been blocked.": (
            tried.by_deploys
        ),
    }
    return " ".join(sentence for sentence, there in sentences.items() if there)


_COLUMNS: Final[tuple[Column[Standing], ...]] = (
    Column(
        title="From, UTC", cell=lambda row: wording.minute(row.span.start), right=False, keep=MUST
    ),
    Column(title="Verdict", cell=lambda row: WORDS[row.verdict], right=False, keep=MUST),
    Column(title="For", cell=lambda row: describe_time(row.span.length), keep=MUST),
)
