"""Whose events burn the budgets, in sentences that are not yet escaped for any format."""

from collections.abc import Iterator
from math import inf
from typing import Final

from gate import wording
from gate.analysis.cohorts.cells import (
    beside,
    interval,
    name_of,
    outcome,
    ratio,
    ratio_and_interval,
    rows,
    shown,
    times,
)
from gate.analysis.cohorts.result import CohortReport, Group, ServiceCohorts, SloCohorts
from gate.history.cohorts.comparison import Comparison, ComparisonOutcome, Contrast
from gate.policy.findings import Verdict
from gate.reporters import summary
from gate.reporters.budgets import cause
from gate.reporters.details import Fact
from gate.slo.quantities import format_duration

_LARGE: Final = 2.0
"""Where no smaller ratio would show, the sample is too small to tell."""


_MOST_TOLD: Final = 3
"""More groups of which nothing can be said are told in one sentence."""


_PLAIN: Final = frozenset(
    {ComparisonOutcome.NONE, ComparisonOutcome.BETTER, ComparisonOutcome.NOT_COMPARED}
)


_ECHOES: Final = frozenset(
    {ComparisonOutcome.BETTER, ComparisonOutcome.MIX, ComparisonOutcome.UNSURE}
)


_APART: Final = " at other times"


def verdict(service: ServiceCohorts) -> tuple[Verdict, str]:
    """Return how bad it is, for signs and colours, and in capitals what was found."""
    outcomes = [
        one.group.comparison.outcome for one in rows(service) if one.group.comparison is not None
    ]
    worse = sum(outcome is ComparisonOutcome.WORSE for outcome in outcomes)
    lost = sum(one.unmeasured is not None for one in service.slos)
    if worse:
        return Verdict.BLOCK, f"{worse} COHORT{'S BURN' if worse > 1 else ' BURNS'} MORE"
    if lost or not service.slos:
        return Verdict.UNDECIDED, "NOT MEASURED" if lost == len(service.slos) else "PARTLY MEASURED"
    if not set(outcomes) <= _PLAIN:
        return Verdict.WARN, "COHORTS DIFFER, SEE BELOW"
    if ComparisonOutcome.NOT_COMPARED in outcomes:
        return Verdict.WARN, "NOT ALL COMPARED"
    return Verdict.ALLOW, "NO COHORT SEEN TO BURN MORE"


def answers(report: CohortReport, service: ServiceCohorts) -> Iterator[Fact]:
    """Yield what can be said of each group, the SLO before it."""
    for slo in service.slos:
        told = [one for one in slo.groups if one.comparison is not None]
        silent = [one for one in told if _is_silent(one)]
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
        yield (
            "Mix",
            "whether the traffic mix makes a difference was not looked at; see --stratify-by",
        )
    for slo in service.slos:
        if slo.unmeasured is not None:
            lost = slo.unmeasured
            yield "Not measured", f"{slo.slo}: {cause(lost.cause)}: {lost.reason}"
            continue
        if slo.unknown:
            yield "Unknown", f"{slo.slo}: {wording.spent(slo.unknown)} of the time has no data"
        yield from (("Note", f"{slo.slo}: {note}") for note in slo.notes)
    yield from _spans(service)
    yield from (("Left out", f"{slo}: {reason}") for slo, reason in service.left_out)


def closing(report: CohortReport) -> Iterator[Fact]:
    """Yield when it was looked at and by what."""
    yield "Evaluated", wording.exact_instant(report.at)
    yield "By", f"gate {report.tool_version}"


def origin(service: ServiceCohorts) -> list[Fact]:
    """Return which text of the policy was read."""
    return [("Policy", summary.provenance(service.source))]


def _is_silent(group: Group) -> bool:
    """Return whether there is nothing to say of a group but what would have shown."""
    found = group.comparison
    return found is not None and found.outcome is ComparisonOutcome.NONE and not found.timing


def _is_echo(group: Group) -> bool:
    """Return whether it burns less than the rest, as all do where one of the rest burns more."""
    found = group.comparison
    if found is None or found.crude is None or found.crude.ratio is None:
        return False
    return found.outcome in _ECHOES and found.crude.ratio < 1


def _burn_less(report: CohortReport, slo: SloCohorts, less: list[Group]) -> str:
    named = [
        f"{name_of(one)} ({ratio(one.comparison.crude)}{_APART * one.comparison.apart})"
        for one in less
        if one.comparison is not None and one.comparison.crude is not None
    ]
    burn = "burn" if len(named) > 1 else "burns"
    what = f"less than {_rest(slo)}"
    return f"{report.by} {', '.join(named)} {burn} {what}{_echo_of(report, less)}"


def _echo_of(report: CohortReport, less: list[Group]) -> str:
    """Say which of them do so by having less of some other traffic."""
    mixed = [name_of(one) for one in less if outcome(one) is ComparisonOutcome.MIX]
    return f"; of {', '.join(mixed)} it is the mix of {report.within}" if mixed else ""


def _sentence(report: CohortReport, slo: SloCohorts, group: Group) -> str:
    """Say the one thing that there is to say of a group."""
    found = group.comparison
    name = f"{report.by} {name_of(group)}"
    if found is None or found.crude is None:
        return f"{name} was not compared: {found.why if found else 'it is the baseline'}"
    if found.outcome is ComparisonOutcome.NONE and found.timing and found.plain is not None:
        plainly = f"{name} burns {times(found.plain)} what {_rest(slo)} burns"
        alike = f"at the same times {ratio_and_interval(found.crude)}"
        return f"{plainly}, but {alike}: it is when its events came"
    if found.outcome is ComparisonOutcome.NONE:
        return f"{name}: {_nothing(group, found)}"
    burns = f"{name} {_burns(slo, found.crude)}{_when(found)}"
    if found.within is None:
        if found.stratified:
            return f"{burns}; not enough data to see whether it is the mix of {report.within}"
        return burns
    inside = f"within each {report.within} {ratio_and_interval(found.within)}"
    return {
        ComparisonOutcome.WORSE: f"{burns}; {inside}: {_not_the_mix(report, found, found.within)}",
        ComparisonOutcome.BETTER: f"{burns}; {inside}: {_not_the_mix(report, found, found.within)}",
        ComparisonOutcome.MIX: f"{burns}, but {inside}: it is the mix of {report.within}",
        ComparisonOutcome.REVERSED: (
            f"{burns}, but {inside}: the mix of {report.within} turns it round"
        ),
        ComparisonOutcome.HIDDEN: (
            f"{name} shows no difference on the whole, but {inside}: the mix of"
            f" {report.within} hides it"
        ),
    }.get(
        found.outcome,
        f"{burns}; whether it is the mix of {report.within} cannot be told: {inside}",
    )


def _not_the_mix(report: CohortReport, found: Comparison, within: Contrast) -> str:
    crude = found.crude.ratio if found.crude is not None else None
    part = "" if within.holds(crude) else "all "
    return f"it is not {part}the mix of {report.within}"


def _burns(slo: SloCohorts, one: Contrast) -> str:
    if one.ratio == inf:
        return f"fails, and {_rest(slo)} never did"
    return f"burns {ratio(one)} what {_rest(slo)} burns ({interval(one)})"


def _when(found: Comparison) -> str:
    """Say where it matters at what times the events came."""
    if found.apart:
        return ", but at other times, and whatever else changed meanwhile would look the same"
    if not found.timing or found.plain is None:
        return ""
    return f" at the same times, and {times(found.plain)} if times are not looked at"


def _rest(slo: SloCohorts) -> str:
    return beside(slo.baseline)


def _nothing(group: Group, found: Comparison) -> str:
    """Say how large a difference would have to be to be seen."""
    events = f"{wording.amount(shown(group.total))} events"
    if found.detectable is None:
        return f"not enough data to tell: no difference at all would show in {events}"
    many = found.detectable_ratio
    if many is None:
        share = wording.spent(shown(found.detectable))
        return f"no difference seen; an error ratio below {share} would not show in {events}"
    if many >= _LARGE:
        return (
            f"not enough data to tell: a difference below {times(many)} would not show in {events}"
        )
    return f"no difference seen; one of {times(many)} or more would most likely show"


def _more(told: list[Group], silent: list[Group]) -> str:
    others = "groups" if len(told) == len(silent) else "more"
    return f"{others}; the last column has the smallest that would most likely show"


def _spans(service: ServiceCohorts) -> Iterator[Fact]:
    """Yield which time was looked at, once where it is that of all SLOs."""
    spans = {slo.slo: _looked_at(slo) for slo in service.slos if slo.unmeasured is None}
    if len(set(spans.values())) == 1:
        yield "Looked at", next(iter(spans.values()))
    else:
        yield from (("Looked at", f"{name}: {text}") for name, text in spans.items())


def _looked_at(slo: SloCohorts) -> str:
    span, step = slo.span, format_duration(slo.step)
    times = f"{wording.instant(span.start)} to {wording.instant(span.end)}"
    return f"{times}, in {span.length // slo.step} steps of {step}"
