"""The lines of a running watch, and the phrases that they share with its report."""

from collections.abc import Iterator
from math import exp
from typing import Final

from gate import wording
from gate.analysis.watch import SpendLimit, WatchedSlo, WatchLook, WatchOptions, WatchReport
from gate.analysis.watch.arms import Arms
from gate.history.sequential.verdict import CanaryStanding, CanaryVerdict
from gate.slo.quantities import format_duration
from gate.wording import describe_time

_SIGNS: Final = ((0.6, "strong signs that it is worse"), (0.3, "signs that it is worse"))
"""The phrases by share of the needed evidence (of its logarithm)."""
_LARGEST: Final = 13.8
"""The logarithm of a million: larger evidence is not written out."""


def failed(counts: tuple[float, float]) -> str:
    """Write the share of failed events: ``0.21% of 1,200``."""
    total, bad = counts
    if not total:
        return "no events"
    return f"{ratio(bad / total)} of {wording.amount(wording.shown(total))}"


def ratio(share: float) -> str:
    """Write a share of the requests with two significant digits; its sign stays."""
    percent = share * 100
    digits = next((n for n in range(4) if abs(percent) >= 10.0 ** (1 - n)), 4)
    return f"{percent:.{digits}f}%" if round(percent, digits) else "0%"


def spent(slo: WatchedSlo) -> str:
    """Write the spent share of a budget, rounded up."""
    if slo.spent is None:
        return wording.NOTHING
    least, most = map(part, slo.spent)
    return most if least == most else f"{least} to {most}"


def part(share: float) -> str:
    """Write a share of a budget, rounded up."""
    return wording.spent(wording.shown(share))


def limit_of(limit: SpendLimit) -> str:
    """Write the limit on a share of a budget: with all digits if a person stated it."""
    return ratio(float(limit.most)) if limit.promised else wording.percent(limit.most)


def evidence(slo: WatchedSlo) -> str:
    """Write how strong the evidence for "worse" is, and how strong it has to be."""
    value = f"{exp(min(slo.evidence, _LARGEST)):,.0f}"
    more = "more than " * (slo.evidence > _LARGEST)
    return f"the evidence is {more}{value}, and {exp(slo.needed):,.0f} is enough"


def standing(slo: WatchedSlo) -> str:
    """Summarise the result for an SLO in a few words."""
    if slo.standing is CanaryStanding.WORSE:
        return "shown to be worse"
    if slo.overspent:
        return "it has spent more than was agreed"
    if slo.standing is CanaryStanding.WITHIN:
        return "shown to be within the margin"
    part = slo.evidence / slo.needed
    return next((text for least, text in _SIGNS if part >= least), "nothing is shown yet")


def compared(slo: WatchedSlo, arms: Arms) -> str:
    """Write the failures of the canary, and of the baseline."""
    beside = "" if slo.baseline is None else f", {arms.baseline} {failed(slo.baseline)}"
    had = "had no events" if not slo.canary[0] else f"{failed(slo.canary)} failed"
    return f"{arms.canary} {had}{beside}"


def subject(report: WatchReport) -> str:
    """Name the watched traffic: ``track=canary of chat``."""
    return f"{report.options.arms.canary} of {report.policy.service}"


def headline(report: WatchReport) -> str:
    """Write the result of the watch and the reason on one line."""
    word = report.verdict.replace("-", " ")
    return f"{word.capitalize()}: {subject(report)}: {report.reasons[0]}"


def reasons(report: WatchReport) -> Iterator[str]:
    """Yield the reasons for the verdict, at least one sentence."""
    rolled_back = report.verdict is CanaryVerdict.ROLL_BACK
    for slo in report.slos:
        accused = slo.standing is CanaryStanding.WORSE or slo.overspent
        if not rolled_back or accused:
            yield from (f"{slo.slo.name}: {text}" for text in _reasons(report, slo))
    watched = report.slos[0].steps
    if report.verdict is CanaryVerdict.CANNOT_TELL and len(watched) < report.grid.count:
        whole = describe_time(report.grid.count * report.grid.step)
        yield f"only {describe_time(len(watched) * report.grid.step)} of {whole} were watched"


def _reasons(report: WatchReport, slo: WatchedSlo) -> Iterator[str]:
    """Yield the sentences about one SLO: each number with its threshold.

    Facts that keep a canary from being healthy come before its results: a commit status has only
    the first sentence.
    """
    if slo.standing is CanaryStanding.WORSE:
        than = "than the baseline" if slo.baseline is not None else "than the budget allows"
        yield f"{compared(slo, report.options.arms)}: it fails more often {than} ({evidence(slo)})"
    if slo.overspent and slo.spent is not None and slo.limit is not None:
        most = limit_of(slo.limit)
        whose = "the trigger said at most" if slo.limit.promised else "at most"
        yield f"it has spent {spent(slo)} of the budget; {whose} {most}"
    yield from slo.troubles
    if slo.standing is CanaryStanding.WITHIN:
        most = ratio(max(slo.bounds[1], 0.0))
        seen = "in what was seen, " if slo.troubles else ""
        yield f"{seen}at most {most} {_more(slo)}; {ratio(slo.margin)} is allowed"
    elif slo.standing is CanaryStanding.NOT_SHOWN and not slo.overspent and slo.excess is not None:
        yield _not_shown(slo)


def _more(slo: WatchedSlo) -> str:
    return "of its requests fail" if slo.baseline is None else "more of its requests fail"


def _not_shown(slo: WatchedSlo) -> str:
    low, high = slo.bounds
    between = f"between {ratio(low)} and {ratio(high)} {_more(slo)}; {ratio(slo.margin)} is allowed"
    if slo.shown.beyond_steps:
        return f"{between}, and at present more of them fail than that"
    if slo.longer is None:
        return f"{between}, which cannot be shown at this rate"
    return f"{between}; about {describe_time(slo.longer)} more of this traffic would show it"


def _watched(look: WatchLook) -> str:
    done, whole = look.ended * look.grid.step, look.grid.count * look.grid.step
    return f"{describe_time(done)} of {describe_time(whole)} watched"


def beginning(look: WatchLook, options: WatchOptions) -> str:
    """Describe the watch at its start."""
    arms, grid = options.arms, look.grid
    beside = "alone" if arms.baseline is None else f"beside {arms.baseline}"
    until = wording.instant(grid.end + grid.late)
    return (
        f"watching {arms.canary} {beside} until {until}, a look every {format_duration(grid.step)}"
    )


def live_line(look: WatchLook, options: WatchOptions) -> str:
    """Return the line for a terminal: the time left, and the most important SLO."""
    if not look.ended:
        return beginning(look, options)
    slo = max(look.slos, key=_pressing)
    others = len(look.slos) - 1
    more = f" (and {others} more)" if others else ""
    return f"{_watched(look)}; {_line(slo, options)}{more}"


def lines(look: WatchLook, options: WatchOptions) -> Iterator[str]:
    """Yield a line for each SLO, for a log."""
    if not look.ended:
        yield beginning(look, options)
        for slo in look.slos:
            if slo.assessment is not None and not slo.assessment.measured:
                why = "; ".join(doubt.reason for doubt in slo.assessment.doubts[:1])
                yield f"{slo.slo.name}: its budget was not measured: {why}"
        return
    yield from (f"{_watched(look)}; {_line(slo, options)}" for slo in look.slos)


def state_of(look: WatchLook) -> tuple[object, ...]:
    """Return the part of a look that is logged when it changes."""
    return look.ended > 0, *(
        (slo.standing, slo.overspent, standing(slo), _without_numbers(slo.troubles))
        for slo in look.slos
    )


def _without_numbers(troubles: tuple[str, ...]) -> tuple[str, ...]:
    return tuple("".join(c for c in trouble if not c.isdigit()) for trouble in troubles)


def _pressing(slo: WatchedSlo) -> tuple[bool, bool, float]:
    return slo.standing is CanaryStanding.WORSE or slo.overspent, bool(slo.troubles), slo.evidence


def _left(slo: WatchedSlo) -> str:
    """Say what is left of its budget; empty if unknown."""
    assessment = slo.assessment
    if assessment is None or assessment.compared is None or assessment.uncovered is not None:
        return ""
    return f", {wording.budget_left(assessment.compared, 'it')}"


def _line(slo: WatchedSlo, options: WatchOptions) -> str:
    parts = [f"{slo.slo.name}: {compared(slo, options.arms)}", standing(slo)]
    if slo.spent is not None:
        parts.append(f"{spent(slo)} of the budget spent{_left(slo)}")
    return "; ".join([*parts, *slo.troubles])
