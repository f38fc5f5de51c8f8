"""The groups that burn the budgets, in sentences, and their page."""

from collections.abc import Iterator
from functools import partial
from math import inf
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
from gate.analysis.cohorts import (
    CohortReport,
    Group,
    ServiceCohorts,
    SloCohorts,
    cohorts_document,
)
from gate.analysis.cohorts.cells import (
    beside,
    cohort_table,
    interval,
    name_of,
    outcome,
    ratio,
    ratio_and_interval,
    times,
    undetected,
)
from gate.history.cohorts.comparison import Comparison, ComparisonOutcome, Contrast
from gate.policy.findings import Verdict
from gate.reporters import summary
from gate.reporters.page import Badge, DataTable, Fact, Facts, Output, Page, Section, said
from gate.slo.quantities import format_duration

_MOST_TOLD: Final = 3
"""The maximum number of groups without a difference; more are summarised in one sentence."""
_PLAIN: Final = frozenset(
    {ComparisonOutcome.NONE, ComparisonOutcome.BETTER, ComparisonOutcome.NOT_COMPARED}
)
_ECHOES: Final = frozenset(
    {ComparisonOutcome.BETTER, ComparisonOutcome.MIX, ComparisonOutcome.UNSURE}
)
_NO_STRATA: Final = (
    "the traffic mix was not considered; stratify by a second label to compare like with like"
)
_APART: Final = ", at different times"


def output(report: CohortReport) -> Output:
    """Return the report in the form that every format is written from."""
    return Output(page=partial(page, report), document=partial(cohorts_document, report))


def page(report: CohortReport) -> Page:
    """Return the page on the cohorts of every policy."""
    sections = ((cohorts_section(report, service), service) for service in report.services)
    return question_page(
        sections,
        summary.signature(report.at, report.tool_version),
        *examinations(report),
    )


def cohorts_section(report: CohortReport, service: ServiceCohorts) -> Section:
    """Return the results for one policy: the sentences, and the numbers."""
    return Section(
        title=service.policy.service,
        badge=cohorts_badge(service),
        blocks=cohorts_blocks(report, service),
    )


def cohorts_blocks(report: CohortReport, service: ServiceCohorts) -> tuple[DataTable | Facts, ...]:
    """Return the sentences on each group, the numbers, and their reliability."""
    return said(
        Facts(tuple(_answers(report, service))),
        cohort_table(report, service),
        Facts(tuple(_about(report, service))),
    )


def cohorts_badge(service: ServiceCohorts) -> Badge:
    """Return the severity, and the result as a word in capitals."""
    return seen_badge(_findings_badge(service), [slo.reservations for slo in service.slos])


def _findings_badge(service: ServiceCohorts) -> Badge:
    compared = [
        (group.value, group.comparison.outcome)
        for slo in service.slos
        for group in slo.groups
        if group.comparison is not None
    ]
    outcomes = [result for _, result in compared]
    worse = len({value for value, result in compared if result is ComparisonOutcome.WORSE})
    lost = sum(slo.unmeasured is not None for slo in service.slos)
    if worse:
        return Badge(Verdict.BLOCK, f"{worse} COHORT{'S BURN' if worse > 1 else ' BURNS'} MORE")
    if lost or not service.slos:
        word = "NOT MEASURED" if lost == len(service.slos) else "PARTLY MEASURED"
        return Badge(Verdict.UNDECIDED, word)
    if not set(outcomes) <= _PLAIN:
        return Badge(Verdict.WARN, "COHORTS DIFFER")
    if ComparisonOutcome.NOT_COMPARED in outcomes:
        return Badge(Verdict.WARN, "NOT ALL COMPARED")
    return Badge(Verdict.ALLOW, "NO COHORT SEEN TO BURN MORE")


def _answers(report: CohortReport, service: ServiceCohorts) -> Iterator[Fact]:
    """Yield the sentences on each group, after its SLO."""
    for slo in sorted(service.slos, key=_pressing):
        compared = [group for group in slo.groups if group.comparison is not None]
        silent = [group for group in compared if _is_silent(group)]
        less = [group for group in compared if _is_echo(group)]
        if slo.by_definition or slo.defining:
            yield slo.slo, _defining(report, slo)
        if slo.by_definition:
            continue
        for group in compared:
            if group not in less and (group not in silent or len(silent) <= _MOST_TOLD):
                yield slo.slo, _sentence(report, slo, group)
        if len(silent) > _MOST_TOLD:
            yield slo.slo, f"no difference seen of {len(silent)} {_more(compared, silent)}"
        if less:
            yield slo.slo, _burn_less(report, slo, less)


def _pressing(slo: SloCohorts) -> tuple[int, float]:
    """Return the rank of an SLO: the fastest burn first, slower than the rest last."""
    ratios = [
        group.comparison.crude.ratio
        for group in slo.groups
        if group.comparison is not None
        and group.comparison.outcome is ComparisonOutcome.WORSE
        and group.comparison.crude is not None
        and group.comparison.crude.ratio is not None
    ]
    if ratios:
        return 0, -max(ratios)
    return (2 if any(map(_is_echo, slo.groups)) else 1), 0.0


def _defining(report: CohortReport, slo: SloCohorts) -> str:
    """Say that the values differ by definition: their shares show which one fails, but not why."""
    if slo.by_definition:
        what = f"each value of {report.by} always or never fails, so they were not compared"
    else:
        what = f"{report.by} is part of what makes an event bad, so its values differ by definition"
    return f"{what}: their shares of the budget say which, not why; group events by another label"


def _about(report: CohortReport, service: ServiceCohorts) -> Iterator[Fact]:
    """Yield the reliability of the results, and what was not checked."""
    if report.within is None and any(slo.groups for slo in service.slos):
        yield "Mix", _NO_STRATA
    for slo in service.slos:
        if slo.unmeasured is not None:
            yield "Not measured", f"{slo.slo}: {why_unmeasured(slo.unmeasured)}"
            continue
        if slo.unknown:
            yield "Unknown", f"{slo.slo}: {wording.spent(slo.unknown)} of the time has no data"
        yield from reservation_facts(slo.slo, slo.reservations)
        yield from note_facts(slo.slo, slo.notes)
    periods = {slo.slo: slo.budget_period for slo in service.slos if slo.groups}
    if len(set(periods.values())) > 1:
        of = (f"{name}: share of {format_duration(length)}" for name, length in periods.items())
        yield "Budget used", ", ".join(of)
    yield from _spans(service)
    yield from left_out_facts(service.left_out)


def _is_silent(group: Group) -> bool:
    """Return whether the detectable difference is all that can be reported about a group."""
    comparison = group.comparison
    return (
        comparison is not None
        and comparison.outcome is ComparisonOutcome.NONE
        and not comparison.timing
    )


def _is_echo(group: Group) -> bool:
    """Return whether it burns less than the rest, as all do if one of the rest burns more."""
    comparison = group.comparison
    if comparison is None or comparison.crude is None or comparison.crude.ratio is None:
        return False
    return comparison.outcome in _ECHOES and comparison.crude.ratio < 1


def _burn_less(report: CohortReport, slo: SloCohorts, less: list[Group]) -> str:
    named = [
        f"{name_of(group)} ({ratio(group.comparison.crude)}{_APART * group.comparison.apart})"
        for group in less
        if group.comparison is not None and group.comparison.crude is not None
    ]
    burn = "burn" if len(named) > 1 else "burns"
    return (
        f"{report.by} {', '.join(named)} {burn} more slowly than {_rest(slo)}"
        f"{_echo_of(report, less)}"
    )


def _echo_of(report: CohortReport, less: list[Group]) -> str:
    """Name the groups for which the mix of other traffic explains it."""
    mixed = [name_of(group) for group in less if outcome(group) is ComparisonOutcome.MIX]
    return f"; for {', '.join(mixed)} the mix of {report.within} explains it" if mixed else ""


def _sentence(report: CohortReport, slo: SloCohorts, group: Group) -> str:
    """Say the single result about a group."""
    comparison = group.comparison
    name = f"{report.by} {name_of(group)}"
    if comparison is None or comparison.crude is None:
        return f"{name} was not compared: {comparison.why if comparison else 'it is the baseline'}"
    if (
        comparison.outcome is ComparisonOutcome.NONE
        and comparison.timing
        and comparison.plain is not None
    ):
        plainly = f"{name} burns {times(comparison.plain)} as fast as {_rest(slo)}"
        alike = f"at the same times {ratio_and_interval(comparison.crude)}"
        return f"{plainly}, but {alike}: only the times of its events differ"
    if comparison.outcome is ComparisonOutcome.NONE:
        return f"{name}: {undetected(group, comparison)}"
    burns = f"{name} {_burns(slo, comparison.crude)}{_when(comparison)}"
    if comparison.within is None:
        if comparison.stratified:
            return f"{burns}; not enough data to see whether the mix of {report.within} explains it"
        return burns
    inside = f"within each {report.within} {ratio_and_interval(comparison.within)}"
    mix = _not_the_mix(report, comparison.crude, comparison.within)
    return {
        ComparisonOutcome.WORSE: f"{burns}; {inside}: {mix}",
        ComparisonOutcome.BETTER: f"{burns}; {inside}: {mix}",
        ComparisonOutcome.MIX: f"{burns}, but {inside}: the mix of {report.within} explains it",
        ComparisonOutcome.REVERSED: (
            f"{burns}, but {inside}: the mix of {report.within} reverses it"
        ),
        ComparisonOutcome.HIDDEN: (
            f"{name} shows no difference overall, but {inside}: the mix of {report.within} hides it"
        ),
    }.get(
        comparison.outcome,
        f"{burns}; the mix of {report.within} may explain it: {inside}",
    )


def _not_the_mix(report: CohortReport, crude: Contrast, within: Contrast) -> str:
    part = "does not explain it" if within.holds(crude.ratio) else "explains only a part of it"
    return f"the mix of {report.within} {part}"


def _burns(slo: SloCohorts, contrast: Contrast) -> str:
    if contrast.ratio == inf:
        return f"fails, and {_rest(slo)} never does ({interval(contrast)})"
    return f"burns {ratio(contrast)} as fast as {_rest(slo)} ({interval(contrast)})"


def _when(comparison: Comparison) -> str:
    """Say if the times of the events matter."""
    if comparison.apart:
        return ", but they ran at different times, so another change could be the cause"
    if not comparison.timing or comparison.plain is None:
        return ""
    return f" at the same times, and {times(comparison.plain)} if times are ignored"


def _rest(slo: SloCohorts) -> str:
    return "the rest" if slo.baseline is None else beside(slo.baseline)


def _more(compared: list[Group], silent: list[Group]) -> str:
    others = "groups" if len(compared) == len(silent) else "more"
    return f"{others}; the last column has the smallest difference that is detectable"


def _spans(service: ServiceCohorts) -> Iterator[Fact]:
    """Yield the examined time, once if all SLOs have the same."""
    spans = {slo.slo: _scope(slo) for slo in service.slos if slo.unmeasured is None}
    if len(set(spans.values())) == 1:
        yield "Examined", next(iter(spans.values()))
    else:
        yield from (("Examined", f"{name}: {text}") for name, text in spans.items())


def _scope(slo: SloCohorts) -> str:
    span, step = slo.span, format_duration(slo.step)
    times = f"{wording.instant(span.start)} to {wording.instant(span.end)}"
    return f"{times}, in {-(-span.length // slo.step)} steps of {step}"
