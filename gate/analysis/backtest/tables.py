"""The tables of a backtest."""

from collections.abc import Iterator
from datetime import timedelta
from fractions import Fraction
from typing import Final, NamedTuple

from gate import wording
from gate.analysis.backtest import PolicyBacktest
from gate.analysis.backtest.budgets import ReplayedBudget
from gate.analysis.backtest.freezes import FrozenMonth, Standing
from gate.analysis.backtest.verdicts import Objection, PastVerdict, ThresholdCandidate, VerdictCount
from gate.policy.findings import Verdict
from gate.reporters.budgets import cause
from gate.reporters.page import MUST, Cell, Column, DataTable, Fact, tabulate
from gate.reporters.reasons import reason
from gate.wording import describe_time

MOST: Final = 20
"""The most rows of a list; the document has all of them."""
WORDS: Final = {
    Verdict.ALLOW: "allowed",
    Verdict.WARN: "allowed, with a warning",
    Verdict.UNDECIDED: "undecided",
    Verdict.BLOCK: "blocked",
}
"""The outcomes of a change, by verdict."""
_WHOLE: Final = "the whole change"


class VerdictRow(NamedTuple):
    """How often a verdict was given."""

    verdict: Verdict
    outcome: VerdictCount
    verdicts: int
    """The number of verdicts."""


def verdict_table(tried: PolicyBacktest) -> DataTable:
    """Return how often each verdict would have been given, and how often an incident followed."""
    count = len(tried.counted)
    rows = [VerdictRow(verdict, outcome, count) for verdict, outcome in tried.outcomes.items()]
    columns: tuple[Column[VerdictRow], ...] = (
        Column(title="Verdict", cell=lambda row: verdict_cell(row.verdict), right=False, keep=MUST),
        Column(
            title=f"{tried.unit.capitalize()}s",
            cell=lambda row: f"{row.outcome.count:,}",
            keep=MUST,
        ),
        Column(title="Share", cell=_share, keep=4),
        Column(title="Before an incident", cell=lambda row: f"{row.outcome.before:,}", keep=MUST),
        Column(title="During one", cell=lambda row: f"{row.outcome.during:,}", keep=6),
    )
    return tabulate(rows if count else (), columns)


def _share(row: VerdictRow) -> str:
    return wording.rounded(Fraction(row.outcome.count, row.verdicts))


def verdict_cell(verdict: Verdict) -> Cell:
    """Return the outcome of a change, in its colour."""
    return Cell(text=WORDS[verdict], tone=verdict)


def objection_table(tried: PolicyBacktest) -> DataTable:
    """Return the rules that block, the SLO of each, and how often no other rule blocks."""
    columns: tuple[Column[Objection], ...] = (
        Column(title="Rule", cell=lambda row: str(row.rule), right=False, keep=MUST),
        _SLO,
        Column(title="Blocked", cell=lambda row: f"{row.stopped:,}", keep=MUST),
        Column(title="Only reason", cell=lambda row: f"{row.alone:,}", keep=7),
        Column(title="Before an incident", cell=lambda row: f"{row.before:,}", keep=8),
        _NEWEST_REASON,
    )
    return tabulate(tried.blocked_by, columns)


def doubt_table(tried: PolicyBacktest) -> DataTable:
    """Return the causes of undecided verdicts."""
    columns: tuple[Column[Objection], ...] = (
        _SLO,
        Column(title="Cause", cell=_cause, right=False, keep=MUST),
        Column(title="Undecided", cell=lambda row: f"{row.stopped:,}", keep=MUST),
        _NEWEST_REASON,
    )
    return tabulate(tried.undecided_by, columns)


def _cause(row: Objection) -> str:
    return str(row.rule) if row.cause is None else cause(row.cause)


_SLO: Final[Column[Objection]] = Column(
    title="SLO", cell=lambda row: row.slo or _WHOLE, right=False, keep=MUST, share=4
)
_NEWEST_REASON: Final[Column[Objection]] = Column(
    title="Latest example", cell=lambda row: row.example, right=False, keep=2, share=2
)


def blocked_deploys(tried: PolicyBacktest) -> DataTable:
    """Return the newest blocked deploys, the oldest of them first."""
    blocked = [
        past
        for past in tried.counted
        if past.deploy is not None and past.verdict in {Verdict.BLOCK, Verdict.UNDECIDED}
    ]
    columns: tuple[Column[PastVerdict], ...] = (
        Column(
            title="Deploy, UTC", cell=lambda row: wording.minute(row.at), right=False, keep=MUST
        ),
        Column(title="Revision", cell=revision, right=False, keep=6, share=4),
        Column(title="Verdict", cell=lambda row: verdict_cell(row.verdict), right=False, keep=MUST),
        Column(title="Left", cell=lambda row: wording.left_or_overspent(row.left), keep=7),
        Column(title="Incident", cell=lambda row: followed(tried, row), right=False, keep=8),
        Column(
            title="Reason",
            cell=lambda row: reason(row.objections[0]),
            right=False,
            keep=3,
            share=3,
        ),
    )
    return tabulate(blocked[-MOST:], columns)


def revision(past: PastVerdict) -> str:
    """Name the change that was judged."""
    return past.change if past.deploy is None else f"{past.deploy.revision} ({past.change})"


def followed(tried: PolicyBacktest, past: PastVerdict) -> str:
    """Describe whether an incident followed, or was going on already."""
    incident = tried.nearness.before(past.at)
    if incident is None:
        return "goes on" if tried.nearness.during(past.at) else wording.NOTHING
    return f"in {describe_time(max(incident.start - past.at, timedelta()))}"


def month_table(tried: PolicyBacktest) -> DataTable:
    """Return how long the policy would have been closed in each month."""
    columns: tuple[Column[FrozenMonth], ...] = (
        Column(title="Month, UTC", cell=lambda row: f"{row.start:%Y-%m}", right=False, keep=MUST),
        Column(title="Closed", cell=lambda row: describe_time(row.frozen), keep=MUST),
        Column(title="Undecided", cell=lambda row: describe_time(row.undecided), keep=6),
        Column(title="Judged", cell=lambda row: describe_time(row.judged), keep=7),
    )
    closed = any(month.frozen or month.undecided for month in tried.months)
    return tabulate(tried.months if closed else (), columns)


def freeze_table(tried: PolicyBacktest) -> DataTable:
    """Return the longest times in which the policy would have been closed, the oldest first."""
    longest = sorted(tried.freezes, key=lambda freeze: -freeze.span.length)[:MOST]
    columns: tuple[Column[Standing], ...] = (
        Column(
            title="From, UTC",
            cell=lambda row: wording.minute(row.span.start),
            right=False,
            keep=MUST,
        ),
        Column(title="To, UTC", cell=lambda row: wording.minute(row.span.end), right=False, keep=6),
        Column(title="Closed for", cell=lambda row: describe_time(row.span.length), keep=MUST),
        Column(title="First reason", cell=lambda row: row.reasons[0], right=False, keep=3, share=2),
    )
    return tabulate(sorted(longest, key=lambda freeze: freeze.span.start), columns)


def budget_table(tried: PolicyBacktest) -> DataTable:
    """Return the budgets, and what would be left of them without the blocked deploys."""
    columns: list[Column[ReplayedBudget]] = [
        Column(title="SLO", cell=lambda row: row.slo, right=False, keep=MUST, share=4),
        Column(title="Lowest", cell=lambda row: wording.left_or_overspent(row.lowest), keep=MUST),
        Column(
            title="Lowest at, UTC",
            cell=lambda row: wording.minute(row.lowest_at),
            right=False,
            keep=5,
        ),
        Column(title="Ran out", cell=ran_out_shown, keep=8),
        Column(
            title="Left at the end", cell=lambda row: wording.left_or_overspent(row.left), keep=7
        ),
    ]
    if any(budget.spared for budget in tried.budgets):
        columns.append(
            Column(
                title="At most, if blocked",
                cell=lambda row: wording.left_or_overspent(row.left_at_most),
                keep=6,
            )
        )
    return tabulate(tried.budgets, columns)


def ran_out_shown(budget: ReplayedBudget) -> str:
    """Describe how many times a budget ran out."""
    if not budget.ran_out:
        return "never"
    return "once" if budget.ran_out == 1 else f"{budget.ran_out:,} times"


def threshold_table(tried: PolicyBacktest) -> DataTable:
    """Return the changes that policies with a single threshold would have blocked."""
    columns: tuple[Column[ThresholdCandidate], ...] = (
        Column(
            title="Closed at",
            cell=lambda row: f"{wording.percent(row.threshold)} left or less",
            right=False,
            keep=MUST,
        ),
        Column(title="Blocked", cell=lambda row: f"{row.stopped:,}", keep=MUST),
        Column(title="Before an incident", cell=lambda row: f"{row.before:,}", keep=MUST),
        Column(title="Allowed", cell=lambda row: f"{row.through:,}", keep=5),
        Column(title="Allowed before one", cell=lambda row: f"{row.through_before:,}", keep=6),
    )
    budgets = any(past.left is not None for past in tried.counted)
    return tabulate(tried.candidates if budgets else (), columns)


def freeze_facts(tried: PolicyBacktest) -> Iterator[Fact]:
    """Yield how the times in which the policy was closed were found."""
    if tried.every is None and tried.freezes:
        yield (
            "How",
            "each verdict is assumed to hold until the next deploy, so rare deploys make"
            " this rough; ask by the clock as well for a finer answer",
        )


def threshold_facts(tried: PolicyBacktest) -> Iterator[Fact]:
    """Yield how changes were judged by a single threshold."""
    strictest = tried.policy.tiers[-1]
    if any(past.left is not None for past in tried.counted):
        spared = "every class"
        if strictest.allow is not None:
            spared = ", ".join(sorted(strictest.allow)) or "no class"
        yield (
            "How",
            "by the worst budget alone, without any other rule; as in tier"
            f" {strictest.name}, {spared} would be allowed",
        )
