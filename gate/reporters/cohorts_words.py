"""Whose events burn the budgets, in words and cells that are not yet escaped for any format."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import inf
from typing import Final

from gate.budget.cohorts.comparison import Comparison, Contrast, Outcome
from gate.decision.cohorts import CohortReport, Group, ServiceCohorts, SloCohorts
from gate.policy.findings import Verdict
from gate.reporters import summary, values
from gate.reporters.budgets import cause
from gate.reporters.column import MUST, Column
from gate.reporters.details import Fact
from gate.slo.duration import format_duration

_FINE: Final = 10**9
"""Denominators of shown numbers; what floats get wrong is finer, and would be rounded up."""
_UNLABELLED: Final = "(none)"
_LARGE: Final = 2.0
"""Where no smaller ratio would show, the sample is too small to tell."""
_MOST_TOLD: Final = 3
"""More groups of which nothing can be said are told in one sentence."""
_CERTAIN: Final = 0.001
_ECHOES: Final = frozenset({Outcome.BETTER, Outcome.MIX, Outcome.UNSURE})
_TENS: Final = 10.0
_NEARLY_ALL: Final = 0.9


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One group of one SLO."""

    first: bool
    """Whether it is the SLO's first row."""
    slo: SloCohorts
    group: Group


def rows(service: ServiceCohorts) -> list[Row]:
    """Return a row for each group of each SLO, in order."""
    return [
        Row(first=group is slo.groups[0], slo=slo, group=group)
        for slo in service.slos
        for group in slo.groups
    ]


def verdict(service: ServiceCohorts) -> tuple[Verdict, str]:
    """Return how bad it is, for signs and colours, and in capitals what was found."""
    outcomes = [
        one.group.comparison.outcome for one in rows(service) if one.group.comparison is not None
    ]
    worse = sum(outcome is Outcome.WORSE for outcome in outcomes)
    lost = sum(one.unmeasured is not None for one in service.slos)
    if worse:
        return Verdict.BLOCK, f"{worse} COHORT{'S BURN' if worse > 1 else ' BURNS'} MORE"
    if lost or not service.slos:
        return Verdict.UNDECIDED, "NOT MEASURED" if lost == len(service.slos) else "PARTLY MEASURED"
    if set(outcomes) <= {Outcome.NONE, Outcome.BETTER}:
        return Verdict.ALLOW, "NO COHORT SEEN TO BURN MORE"
    return Verdict.WARN, "COHORTS DIFFER, SEE BELOW"


def answers(report: CohortReport, service: ServiceCohorts) -> Iterator[Fact]:
    """Yield what can be said of each group, the SLO before it."""
    for slo in service.slos:
        told = [one for one in slo.groups if one.comparison is not None]
        silent = [one for one in told if _outcome(one) is Outcome.NONE]
        less = [one for one in told if _is_echo(one)]
        for group in told:
            if group not in less and (group not in silent or len(silent) <= _MOST_TOLD):
                yield slo.slo, _sentence(report, slo, group)
        if len(silent) > _MOST_TOLD:
            yield slo.slo, f"no difference seen of {len(silent)} {_more(told, silent)}"
        if less:
            yield slo.slo, _burn_less(report, slo, less)


def about(report: CohortReport, service: ServiceCohorts) -> Iterator[Fact]:
    """Yield how far that can be trusted, and what was not looked at."""
    if report.within is None and any(slo.groups for slo in service.slos):
        yield "Mix", "whether the traffic mix makes a difference was not looked at; see --within"
    for slo in service.slos:
        if slo.unmeasured is not None:
            lost = slo.unmeasured
            yield "Not measured", f"{slo.slo}: {cause(lost.cause)}: {lost.reason}"
            continue
        if slo.unknown:
            yield "Unknown", f"{slo.slo}: {values.spent(slo.unknown)} of the time has no data"
        yield from (("Note", f"{slo.slo}: {note}") for note in slo.notes)
        yield "Looked at", f"{slo.slo}: {_looked_at(slo)}"
    yield from (("Left out", f"{slo}: {reason}") for slo, reason in service.left_out)


def closing(report: CohortReport) -> Iterator[Fact]:
    """Yield when it was looked at and by what."""
    yield "Evaluated", values.exact_instant(report.at)
    yield "By", f"gate {report.tool_version}"


def origin(service: ServiceCohorts) -> list[Fact]:
    """Return which text of the policy was read."""
    return [("Policy", summary.provenance(service.source))]


def columns(report: CohortReport, service: ServiceCohorts) -> tuple[Column[Row], ...]:
    """Return the columns, in the order of reading; those without anything in them are left out."""
    several = len(service.slos) > 1
    within = report.within is not None
    return (
        *((_SLO,) if several else ()),
        Column(title=report.by, cell=lambda row: _name(row.group), right=False, keep=MUST, share=4),
        *_COUNTS,
        *_RATIOS,
        *((_WITHIN,) if within else ()),
        _SHOWS,
    )


def _outcome(group: Group) -> Outcome | None:
    return group.comparison.outcome if group.comparison is not None else None


def is_worse(row: Row) -> bool:
    """Return whether the group burns more than what it is compared with."""
    return _outcome(row.group) is Outcome.WORSE


def _is_echo(group: Group) -> bool:
    """Return whether it burns less than the rest, as all do where one of the rest burns more."""
    found = group.comparison
    if found is None or found.crude is None or found.crude.ratio is None:
        return False
    return found.outcome in _ECHOES and found.crude.ratio < 1


def _burn_less(report: CohortReport, slo: SloCohorts, less: list[Group]) -> str:
    named = [
        f"{_name(one)} ({_ratio(one.comparison.crude)})"
        for one in less
        if one.comparison is not None and one.comparison.crude is not None
    ]
    burn = "burn" if len(named) > 1 else "burns"
    what = f"less than {_rest(slo)}"
    return f"{report.by} {', '.join(named)} {burn} {what}{_echo_of(report, less)}"


def _echo_of(report: CohortReport, less: list[Group]) -> str:
    """Say which of them do so by having less of some other traffic."""
    mixed = [_name(one) for one in less if _outcome(one) is Outcome.MIX]
    return f"; of {', '.join(mixed)} it is the mix of {report.within}" if mixed else ""


def _sentence(report: CohortReport, slo: SloCohorts, group: Group) -> str:
    """Say the one thing that there is to say of a group."""
    found = group.comparison
    name = f"{report.by} {_name(group)}"
    if found is None or found.crude is None:
        return f"{name} was not compared: {found.why if found else 'it is the baseline'}"
    if found.outcome is Outcome.NONE:
        return f"{name}: {_nothing(group, found)}"
    burns = f"{name} {_burns(slo, found.crude)}{_when(slo, found)}"
    if found.within is None:
        if found.stratified:
            return f"{burns}; too few failures to see whether it is the mix of {report.within}"
        return burns
    inside = f"within each {report.within} {_times(found.within)}"
    return {
        Outcome.WORSE: f"{burns}; {inside}: it is not the mix of {report.within}",
        Outcome.BETTER: f"{burns}; {inside}: it is not the mix of {report.within}",
        Outcome.MIX: f"{burns}, but {inside}: it is the mix of {report.within}",
        Outcome.REVERSED: f"{burns}, but {inside}: the mix of {report.within} turns it round",
        Outcome.HIDDEN: (
            f"{name} shows no difference on the whole, but {inside}: the mix of"
            f" {report.within} hides it"
        ),
    }.get(
        found.outcome,
        f"{burns}; whether it is the mix of {report.within} cannot be told: {inside}",
    )


def _burns(slo: SloCohorts, one: Contrast) -> str:
    if one.ratio == inf:
        return f"fails, and {_rest(slo)} never did"
    return f"burns {_ratio(one)} what {_rest(slo)} burns ({_interval(one)})"


def _when(slo: SloCohorts, found: Comparison) -> str:
    """Say which time was compared, where that is not nearly all of it."""
    if found.apart:
        return ", but at other times, and whatever else changed meanwhile would look the same"
    steps = slo.span.length // slo.step
    if found.shared >= _NEARLY_ALL * steps:
        return ""
    return f" in the {found.shared} of {steps} steps in which both had events"


def _times(one: Contrast) -> str:
    return f"{_ratio(one)} ({_interval(one)})"


def _rest(slo: SloCohorts) -> str:
    return "the rest" if slo.baseline is None else (slo.baseline or _UNLABELLED)


def _nothing(group: Group, found: Comparison) -> str:
    """Say how large a difference would have to be to be seen."""
    events = f"{values.amount(_shown(group.total))} events"
    if found.detectable is None:
        return f"not enough data to tell: no difference at all would show in {events}"
    times = found.detectable_ratio
    if times is None:
        share = values.spent(_shown(found.detectable))
        return f"no difference seen; an error ratio below {share} would not show in {events}"
    shown = _times_shown(times)
    if times >= _LARGE:
        return f"not enough data to tell: a difference below {shown} would not show in {events}"
    return f"no difference seen; one of {shown} or more would most likely show"


def _more(told: list[Group], silent: list[Group]) -> str:
    others = "groups" if len(told) == len(silent) else "more"
    return f"{others}; the last column has the smallest that would most likely show"


def _looked_at(slo: SloCohorts) -> str:
    span, step = slo.span, format_duration(slo.step)
    times = f"{values.instant(span.start)} to {values.instant(span.end)}"
    return f"{times}, in {span.length // slo.step} steps of {step}"


def _name(group: Group) -> str:
    return group.value or _UNLABELLED


def _ratio(one: Contrast) -> str:
    return values.NOTHING if one.ratio is None else _times_shown(one.ratio)


def _times_shown(ratio: float) -> str:
    if ratio == inf:
        return "∞"
    return f"{ratio:.{0 if ratio >= _TENS else 1 if ratio >= _LARGE else 2}f}x"


def _interval(one: Contrast) -> str:
    low, high = one.interval
    return f"{_times_shown(low)} to {_times_shown(high)}"


def _probability(row: Row) -> str:
    found = row.group.comparison
    one = (found.within or found.crude) if found is not None else None
    if one is None:
        return values.NOTHING
    return "<0.001" if one.adjusted < _CERTAIN else f"{one.adjusted:.3f}"


def _crude(row: Row) -> Contrast | None:
    return row.group.comparison.crude if row.group.comparison is not None else None


def _ratio_cell(row: Row) -> str:
    one = _crude(row)
    return values.NOTHING if one is None else _ratio(one)


def _interval_cell(row: Row) -> str:
    one = _crude(row)
    return values.NOTHING if one is None else _interval(one)


def _within_cell(row: Row) -> str:
    found = row.group.comparison
    one = found.within if found is not None else None
    return values.NOTHING if one is None else _times(one)


def _shows_cell(row: Row) -> str:
    found = row.group.comparison
    if found is None or found.detectable is None:
        return values.NOTHING
    times = found.detectable_ratio
    return values.spent(_shown(found.detectable)) if times is None else _times_shown(times)


def _error_ratio(row: Row) -> str:
    low, high = row.group.interval
    return f"{_percent(row.group.ratio)} ({_percent(low)} to {_percent(high)})"


def _percent(number: float) -> str:
    return values.spent(_shown(number), 2)


def _shown(number: float) -> Fraction:
    return Fraction(number).limit_denominator(_FINE)


_SLO: Final[Column[Row]] = Column(
    title="SLO",
    cell=lambda row: row.slo.slo if row.first else "",
    right=False,
    keep=MUST,
    share=5,
)
_COUNTS: Final[tuple[Column[Row], ...]] = (
    Column(title="Events", cell=lambda row: values.amount(_shown(row.group.total)), keep=8),
    Column(title="Bad", cell=lambda row: values.amount(_shown(row.group.bad)), keep=8),
    Column(title="Error ratio (95 %)", cell=_error_ratio, keep=5),
    Column(
        title="Of budget", cell=lambda row: values.spent(_shown(row.group.budget_share)), keep=7
    ),
    Column(title="Burn", cell=lambda row: values.burn(_shown(row.group.burn_rate)), keep=4),
)
_RATIOS: Final[tuple[Column[Row], ...]] = (
    Column(title="To the rest", cell=_ratio_cell, keep=MUST),
    Column(title="95 %", cell=_interval_cell, keep=3),
    Column(title="p", cell=_probability, keep=2),
)
_WITHIN: Final[Column[Row]] = Column(title="Like with like", cell=_within_cell, keep=6)
_SHOWS: Final[Column[Row]] = Column(title="Would show", cell=_shows_cell, keep=6)
