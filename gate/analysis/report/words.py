"""What a report says, in words and cells that are not yet escaped for any format."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from fractions import Fraction
from typing import Final

from gate import wording
from gate.analysis.forecast.result import SloForecast
from gate.analysis.report.result import Report, ServiceReport
from gate.budget.assessment import Assessment
from gate.history.incidents import Incident
from gate.history.past_budget import DAY, Stretch, Trace
from gate.policy.case import deciding
from gate.policy.findings import Rule, Verdict
from gate.policy.judge import Judgement
from gate.policy.policy import Policy
from gate.policy.rules.tiers import left_shown
from gate.policy.tiers import Tier, tier_of
from gate.reporters import summary
from gate.reporters.budgets import cause, promise
from gate.reporters.column import MUST, Column
from gate.reporters.details import Fact
from gate.slo.objective import CompositeSlo, Slo
from gate.slo.quantities import format_duration

Marked = Sequence[tuple[int, Incident]]
"""The incidents of an SLO, each with its number in the service's table."""


_FINE: Final = 10**9
"""Denominators of shown numbers; what floats get wrong is finer, and would be rounded up."""


_GROUPS: Final = {
    Verdict.ALLOW: "May ship",
    Verdict.WARN: "With a warning",
    Verdict.UNDECIDED: "Undecided",
    Verdict.BLOCK: "May not ship",
}


def title(report: Report) -> str:
    """Name the report."""
    return f"Error budgets of {', '.join(one.policy.service for one in report.services)}"


def about(report: Report) -> str:
    """Say of when it speaks."""
    span, step = report.incidents.span, format_duration(report.incidents.step)
    return f"{wording.instant(span.start)} to {wording.instant(span.end)}, in steps of {step}"


def standing(service: ServiceReport) -> tuple[Verdict, str, str]:
    """Return how bad it is, that in capitals, and in a sentence what makes it so.

    The worst budget that is known puts the service in a tier; that this is a good one proves
    nothing while another is not known.
    """
    known, lowest = service.assessments, deciding(service.assessments)
    lost = sum(not one.measured for one in known)
    gap = f"{lost} OF {len(known)} NOT MEASURED"
    if lowest is None or lowest.compared is None:
        return Verdict.UNDECIDED, gap, "no budget that counts is known"
    tier = tier_of(service.policy.tiers, lowest.compared)
    verdict, word = severity(service.policy, tier), tier.name.upper()
    sentence = f"{lowest.slo.name}: {left_shown(lowest, lowest.compared)}"
    if not lost:
        return verdict, word, sentence
    if verdict is Verdict.BLOCK:
        return verdict, f"{word}, {gap}", sentence
    return Verdict.UNDECIDED, gap, f"of what is known, {sentence}"


def severity(policy: Policy, tier: Tier) -> Verdict:
    """Return whose colour a tier has: the first is good, the last bad, what is between fair."""
    place = policy.tiers.index(tier)
    if place == 0:
        return Verdict.ALLOW
    return Verdict.BLOCK if place == len(policy.tiers) - 1 else Verdict.WARN


def outlook(service: ServiceReport) -> Iterator[Fact]:
    """Yield which change classes may ship now and which may not, and why not."""
    for verdict, label in _GROUPS.items():
        alike: dict[str, list[str]] = {}
        for name, judged in service.outlook.items():
            if judged.verdict is verdict:
                alike.setdefault(_again(judged), []).append(name)
        yield from ((label, f"{', '.join(names)}{again}") for again, names in alike.items())
    # What a tier says is told by the headline, and would be told once more for each class.
    reasons = (
        summary.reason(finding)
        for judged in service.outlook.values()
        for finding in judged.findings
        if finding.verdict is judged.verdict is not Verdict.ALLOW and finding.rule is not Rule.TIER
    )
    yield from (("Because", reason) for reason in dict.fromkeys(reasons))
    if service.policy.owners:
        yield "Ask", ", ".join(service.policy.owners)


def _again(judged: Judgement) -> str:
    """Say when a class may ship again, where it may not now and that is known."""
    at = judged.allowed_again_at
    if at is None:
        return ""
    if judged.allowed_again_if_calm:
        return f" (again about {wording.instant(at)}, if nothing more fails)"
    return f" (again {wording.instant(at)})"


def closing(report: Report) -> Iterator[Fact]:
    """Yield where the report comes from."""
    for service in report.services:
        yield "Policy", summary.provenance(service.source)
    yield "Looked at", about(report)
    yield "Evaluated", wording.exact_instant(report.evaluated_at)
    yield "By", f"gate {report.tool_version}"


def promised(slo: Slo) -> str:
    """Say what was promised, and over which window."""
    return promise(slo) if isinstance(slo, CompositeSlo) else f"{promise(slo)}, {slo.window}"


def missing(service: ServiceReport, slo: Slo) -> str:
    """Say why there is no history of an SLO to draw."""
    for name, reason in service.incidents.left_out:
        if name == slo.name:
            return f"No history is drawn: {reason}."
    (lost,) = [
        one.unmeasured
        for one in service.incidents.slos
        if one.slo == slo.name and one.unmeasured is not None
    ]
    return f"The history could not be measured: {cause(lost.cause)}, {lost.reason}."


def unmeasured(known: Assessment) -> str:
    """Say why there is no burn-down of a budget."""
    if known.doubts and not known.measured:
        return f"The budget could not be measured: {known.doubts[0].reason}."
    return "Nothing is known of the window, so there is no burn-down."


def incidents_of(slo: str, service: ServiceReport) -> Marked:
    """Return what an SLO felt, the oldest first."""
    return [
        (number, felt.incident)
        for number, explained in enumerate(service.incidents.explained, start=1)
        for felt in explained.episode.felt
        if felt.slo == slo
    ]


def came_down(trace: Trace) -> str:
    """Say how the budget came down."""
    (start, full), (end, left) = trace.left[0], trace.left[-1]
    begin = f"{share(full)} on {date(start)}"
    now = "is not known" if left is None else f"is {share(left)}"
    return f"Budget left, from {begin}; on {date(end)} it {now}."


def marks(*, incidents: bool, deploys: bool, lost: bool) -> str:
    """Say what the marks in a picture are."""
    told = {
        "Red stretches with a number are incidents.": incidents,
        "Strokes below the picture are deploys.": deploys,
        "Of grey stretches nothing is known.": lost,
    }
    return "".join(f" {sentence}" for sentence, there in told.items() if there)


def burned(trace: Trace, threshold: Fraction) -> str:
    """Say how fast the budget burned."""
    rates = [(rate, at) for at, rate in trace.fast if rate is not None]
    peak, at = max(rates)
    when = f" on {date(at)} at {at.astimezone(UTC):%H:%M} UTC" if peak else ""
    return (
        f"Burn rate over an hour (thin) and a day (bold), at most {burn(peak)}{when}. At 1 the"
        " budget lasts exactly as long as its window;"
        f" from {wording.exact(threshold)} on (dashed) it may be an incident."
    )


def foretold(one: SloForecast) -> str:
    """Say what the lines of a forecast are."""
    parts = ["If nothing more fails (bold), and at the rates of the table (dashed)."]
    if one.expected is not None:
        parts.append("Of ten futures like the past nine end within the shaded area.")
    return " ".join(parts)


def date(at: datetime) -> str:
    """Write a day: ``9 Oct``."""
    at = at.astimezone(UTC)
    return f"{at.day} {at:%b}"


def share(number: float | None, places: int = 1) -> str:
    """Write what is left, rounded down."""
    return wording.left(None if number is None else _shown(number), places)


def burn(number: float | None) -> str:
    """Write a burn rate."""
    return wording.burn(None if number is None else _shown(number))


def _amount(number: float | None) -> str:
    return wording.amount(None if number is None else _shown(number))


def _shown(number: float) -> Fraction:
    return Fraction(number).limit_denominator(_FINE)


def _when(one: Stretch) -> str:
    start = one.span.start.astimezone(UTC)
    return f"{start:%Y-%m-%d}" if one.span.length > DAY / 24 else f"{start:%Y-%m-%d %H:%M}"


def _good(one: Stretch) -> str:
    if one.total is None or one.bad is None or not one.total:
        return wording.NOTHING
    return wording.left(1 - _shown(one.bad) / _shown(one.total), 3)


_WHEN: Final[Column[Stretch]] = Column(title="From, UTC", cell=_when, right=False, keep=MUST)


_BAD: Final[Column[Stretch]] = Column(title="Bad", cell=lambda one: _amount(one.bad), keep=5)


LEFT_COLUMNS: Final[tuple[Column[Stretch], ...]] = (
    _WHEN,
    Column(title="Left at the end", cell=lambda one: share(one.left), keep=MUST),
    _BAD,
)


BURN_COLUMNS: Final[tuple[Column[Stretch], ...]] = (
    _WHEN,
    Column(title="Highest burn 1h", cell=lambda one: burn(one.peak), keep=MUST),
    Column(title="Good", cell=_good, keep=6),
    _BAD,
    Column(title="Events", cell=lambda one: _amount(one.total), keep=4),
)
