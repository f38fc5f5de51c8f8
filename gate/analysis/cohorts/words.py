"""The groups that burn the budgets, in sentences, and their page."""

from collections.abc import Iterator
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
from gate.analysis.cohorts import CohortReport, Group, ServiceCohorts, SloCohorts, cohorts_document
from gate.analysis.cohorts.cells import (
    at_times,
    burns,
    cohort_table,
    name_of,
    outcome,
    ratio,
    ratio_and_interval,
    the_rest,
    times,
    undetected,
)
from gate.history.cohorts.comparison import Comparison, ComparisonOutcome
from gate.policy.findings import Verdict
from gate.reporters import summary
from gate.reporters.page import Badge, DataTable, Fact, Facts, Output, Page, Section, said
from gate.slo.quantities import format_duration

_MOST_TOLD: Final = 3
"""The maximum number of groups without a difference; more are summarised in one sentence."""
_PLAIN: Final = frozenset(
    {ComparisonOutcome.NONE, ComparisonOutcome.BETTER, ComparisonOutcome.NOT_COMPARED}
)
_VERBS: Final = {
    ComparisonOutcome.MIX: "explains",
    ComparisonOutcome.REVERSED: "reverses",
    ComparisonOutcome.HIDDEN: "hides",
}
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
        silent = [group for group in compared if group.silent]
        less = [group for group in compared if group.echo]
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
    return (2 if any(group.echo for group in slo.groups) else 1), 0.0


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


def _burn_less(report: CohortReport, slo: SloCohorts, less: list[Group]) -> str:
    named = [
        f"{name_of(group)} ({ratio(group.comparison.crude)}{_APART * group.comparison.apart})"
        for group in less
        if group.comparison is not None and group.comparison.crude is not None
    ]
    burn = "burn" if len(named) > 1 else "burns"
    return (
        f"{report.by} {', '.join(named)} {burn} more slowly than {the_rest(slo)}"
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
    if comparison.outcome is ComparisonOutcome.NONE:
        if not comparison.timing or comparison.plain is None:
            return f"{name}: {undetected(group, comparison)}"
        plainly = f"{name} burns {times(comparison.plain)} as fast as {the_rest(slo)}"
        alike = f"at the same times {ratio_and_interval(comparison.crude)}"
        return f"{plainly}, but {alike}: only the times of its events differ"
    within = "" if report.within is None else _within(report.within, comparison)
    if comparison.outcome is ComparisonOutcome.HIDDEN:
        return f"{name} shows no difference overall{within}"
    return f"{name} {burns(slo, comparison.crude)}{at_times(comparison)}{within}"


def _within(label: str, comparison: Comparison) -> str:
    """Say what is left of it among events with the same value of a second label."""
    mix = f"the mix of {label}"
    if comparison.within is None or comparison.crude is None:
        unclear = f"; not enough data to see whether {mix} explains it"
        return unclear * comparison.stratified
    inside = f"within each {label} {ratio_and_interval(comparison.within)}"
    if comparison.outcome in {ComparisonOutcome.WORSE, ComparisonOutcome.BETTER}:
        whole = comparison.within.holds(comparison.crude.ratio)
        part = "does not explain it" if whole else "explains only a part of it"
        return f"; {inside}: {mix} {part}"
    verb = _VERBS.get(comparison.outcome)
    return f", but {inside}: {mix} {verb} it" if verb else f"; {mix} may explain it: {inside}"


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
