"""The numbers of cohorts, and the columns of their table; not yet escaped for any format."""

from math import inf
from typing import Final

from gate import wording
from gate.analysis.cohorts import CohortReport, Group, ServiceCohorts, SloCohorts
from gate.dataclass import dataclass
from gate.history.cohorts.comparison import Comparison, ComparisonOutcome, Contrast
from gate.policy.findings import Verdict
from gate.reporters.page import MUST, Cell, Column, DataTable, tabulate
from gate.slo.quantities import format_duration

_LARGE: Final = 2.0
"""The largest ratio that is shown as detectable: above it, the sample is too small."""
_UNLABELLED: Final = "(none)"
_CERTAIN: Final = 0.001
_TWO: Final = 2.0
_TEN: Final = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CohortRow:
    """A group of an SLO as a row of the table."""

    first: bool
    """Whether it is the SLO's first row."""
    slo: SloCohorts
    group: Group


def cohort_table(report: CohortReport, service: ServiceCohorts) -> DataTable:
    """Return a row for each group of each SLO; empty columns are left out."""
    rows = [
        CohortRow(first=group is slo.groups[0], slo=slo, group=group)
        for slo in service.slos
        for group in slo.groups
    ]
    return tabulate(rows, _columns(report, service))


def _columns(report: CohortReport, service: ServiceCohorts) -> tuple[Column[CohortRow], ...]:
    several = len(service.slos) > 1
    within = report.within is not None
    baselines = {slo.baseline for slo in service.slos if slo.groups}
    rest = baselines.pop() if len(baselines) == 1 else None
    return (
        *((_SLO,) if several else ()),
        Column(
            title=report.by, cell=lambda row: name_of(row.group), right=False, keep=MUST, share=4
        ),
        *_COUNTS,
        Column(title=_of_budget(service), cell=_budget_cell, keep=7),
        _BURN,
        Column(title=f"vs {beside(rest)}", cell=_ratio_cell, keep=MUST),
        *_RATIOS,
        *((_WITHIN,) if within else ()),
        _SHOWS,
    )


def outcome(group: Group) -> ComparisonOutcome | None:
    """Return the outcome of a group; None: it is the baseline."""
    return group.comparison.outcome if group.comparison is not None else None


def beside(baseline: str | None) -> str:
    """Name the other side of a group's comparison."""
    return "rest" if baseline is None else baseline or _UNLABELLED


def name_of(group: Group) -> str:
    """Write a group's value."""
    return group.value or _UNLABELLED


def times(number: float) -> str:
    """Write a factor: ``6.0x``."""
    if number == inf:
        return "∞"
    if not number:
        return "0x"
    return f"{number:.{0 if number >= _TEN else 1 if number >= _TWO else 2}f}x"


def ratio(contrast: Contrast) -> str:
    """Write a ratio, if there is one."""
    return wording.NOTHING if contrast.ratio is None else times(contrast.ratio)


def interval(contrast: Contrast) -> str:
    """Write the interval of a ratio."""
    low, high = contrast.interval
    if high == inf:
        return f"at least {times(low)}" if low else "not known"
    return f"{times(low)} to {times(high)}" if low else f"at most {times(high)}"


def ratio_and_interval(contrast: Contrast) -> str:
    """Write both."""
    return f"{ratio(contrast)} ({interval(contrast)})"


def undetected(group: Group, comparison: Comparison) -> str:
    """Write the smallest difference that could be detected."""
    events = f"{wording.amount(wording.shown(group.total))} events"
    if comparison.detectable is None:
        return f"not enough data: {events} are too few to see any difference"
    many = comparison.detectable_ratio
    if many is None:
        share = wording.spent(wording.shown(comparison.detectable))
        return f"no difference seen; {events} are too few to see an error ratio below {share}"
    if many >= _LARGE:
        return f"not enough data: {events} are too few to see a difference below {times(many)}"
    return f"no difference seen; one of {times(many)} or more would probably have been seen"


def _probability(row: CohortRow) -> str:
    comparison = row.group.comparison
    contrast = (comparison.within or comparison.crude) if comparison is not None else None
    if contrast is None:
        return wording.NOTHING
    return "<0.001" if contrast.adjusted < _CERTAIN else f"{contrast.adjusted:.3f}"


def _crude(row: CohortRow) -> Contrast | None:
    return row.group.comparison.crude if row.group.comparison is not None else None


def _ratio_cell(row: CohortRow) -> Cell:
    contrast = _crude(row)
    worse = outcome(row.group) is ComparisonOutcome.WORSE
    return Cell(
        text=wording.NOTHING if contrast is None else ratio(contrast),
        tone=Verdict.BLOCK if worse else None,
    )


def _interval_cell(row: CohortRow) -> str:
    contrast = _crude(row)
    return wording.NOTHING if contrast is None else interval(contrast)


def _within_cell(row: CohortRow) -> str:
    comparison = row.group.comparison
    contrast = comparison.within if comparison is not None else None
    return wording.NOTHING if contrast is None else ratio_and_interval(contrast)


def _shows_cell(row: CohortRow) -> str:
    comparison = row.group.comparison
    if comparison is None or comparison.detectable is None:
        return wording.NOTHING
    many = comparison.detectable_ratio
    return wording.spent(wording.shown(comparison.detectable)) if many is None else times(many)


def _error_ratio(row: CohortRow) -> str:
    low, high = row.group.interval
    return f"{_percent(row.group.ratio)} ({_percent(low)} to {_percent(high)})"


def _of_budget(service: ServiceCohorts) -> str:
    """Name the budget of the shares, if it is the same for all SLOs."""
    periods = {slo.budget_period for slo in service.slos if slo.groups}
    return f"{format_duration(periods.pop())} budget used" if len(periods) == 1 else "Budget used"


def _budget_cell(row: CohortRow) -> str:
    return wording.spent(wording.shown(row.group.budget_share))


def _percent(number: float) -> str:
    return wording.spent(wording.shown(number), 2)


_SLO: Final[Column[CohortRow]] = Column(
    title="SLO",
    cell=lambda row: row.slo.slo if row.first else "",
    right=False,
    keep=MUST,
    share=5,
)
_COUNTS: Final[tuple[Column[CohortRow], ...]] = (
    Column(title="Events", cell=lambda row: wording.amount(wording.shown(row.group.total)), keep=8),
    Column(title="Bad", cell=lambda row: wording.amount(wording.shown(row.group.bad)), keep=8),
    Column(title="Error ratio (95%)", cell=_error_ratio, keep=5),
)
_BURN: Final[Column[CohortRow]] = Column(
    title="Burn", cell=lambda row: wording.burn(wording.shown(row.group.burn_rate)), keep=4
)
_RATIOS: Final[tuple[Column[CohortRow], ...]] = (
    Column(title="95%", cell=_interval_cell, keep=3),
    Column(title="p", cell=_probability, keep=2),
)
_WITHIN: Final[Column[CohortRow]] = Column(title="Like for like", cell=_within_cell, keep=6)
_SHOWS: Final[Column[CohortRow]] = Column(title="Detectable", cell=_shows_cell, keep=6)


def burns(slo: SloCohorts, contrast: Contrast) -> str:
    """Say how fast a group burns compared with the others."""
    if contrast.ratio == inf:
        return f"fails, and {the_rest(slo)} never does ({interval(contrast)})"
    return f"burns {ratio(contrast)} as fast as {the_rest(slo)} ({interval(contrast)})"


def at_times(comparison: Comparison) -> str:
    """Say if the times of the events matter."""
    if comparison.apart:
        return ", but they ran at different times, so another change could be the cause"
    if not comparison.timing or comparison.plain is None:
        return ""
    return f" at the same times, and {times(comparison.plain)} if times are ignored"


def the_rest(slo: SloCohorts) -> str:
    """Name what each group is compared with."""
    return "the rest" if slo.baseline is None else beside(slo.baseline)
