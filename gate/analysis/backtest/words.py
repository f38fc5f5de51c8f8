"""The verdicts of a policy in the past, in sentences, and the page with them."""

from collections.abc import Iterator
from fractions import Fraction
from functools import partial

from gate import wording
from gate.analysis import left_out_facts, question_page, reservation_facts, why_unmeasured
from gate.analysis.backtest import BacktestReport, PolicyBacktest, ServiceBacktest
from gate.analysis.backtest.both import both_policies, differing_table, undecided_beside
from gate.analysis.backtest.document import backtest_document
from gate.analysis.backtest.tables import (
    blocked_deploys,
    budget_table,
    doubt_table,
    freeze_facts,
    freeze_table,
    month_table,
    objection_table,
    ran_out_shown,
    threshold_facts,
    threshold_table,
    verdict_table,
)
from gate.policy.findings import Verdict
from gate.reporters import summary
from gate.reporters.page import (
    Badge,
    Block,
    DataTable,
    Fact,
    Facts,
    Output,
    Page,
    Paragraph,
    Section,
    said,
)
from gate.slo.quantities import format_duration
from gate.wording import describe_time


def output(report: BacktestReport) -> Output:
    """Return the report in any format."""
    return Output(page=partial(page, report), document=partial(backtest_document, report))


def page(report: BacktestReport) -> Page:
    """Return the page about all policies."""
    sections = ((backtest_section(service, report), service.tried) for service in report.services)
    return question_page(
        sections,
        summary.signature(report.span.end, report.tool_version, ("Examined", scope(report))),
    )


def scope(report: BacktestReport) -> str:
    """Describe the replayed time, and how often the policies were judged."""
    span = report.span
    when = f"{wording.instant(span.start)} to {wording.instant(span.end)}"
    if report.every is None:
        return f"{when}, at each deploy"
    often = f"every {format_duration(report.every)}"
    by_deploys = any(service.tried.by_deploys for service in report.services)
    return f"{when}, at each deploy and {often}" if by_deploys else f"{when}, {often}"


def backtest_section(service: ServiceBacktest, report: BacktestReport) -> Section:
    """Return the section of a service's policy, with the other policy beside it."""
    return Section(
        title=service.tried.policy.service,
        badge=backtest_badge(service),
        blocks=tuple(backtest_blocks(service, report)),
    )


def backtest_badge(service: ServiceBacktest) -> Badge:
    """Return in capitals how much would have been blocked; no tick if too little was measured."""
    tried = service.tried
    count, blocked = len(tried.counted), tried.outcomes[Verdict.BLOCK].count
    if not count:
        return Badge(Verdict.UNDECIDED, "NOTHING TO REPLAY")
    word = f"WOULD HAVE BLOCKED {blocked:,} OF {count:,}"
    if tried.unseen:
        word = f"{word}, {tried.unseen:,} NOT MEASURED WELL ENOUGH"
    if not tried.seen_enough:
        return Badge(Verdict.UNDECIDED, word)
    return Badge(Verdict.WARN if blocked or tried.unseen else Verdict.ALLOW, word)


def backtest_blocks(service: ServiceBacktest, report: BacktestReport) -> Iterator[Block]:
    """Yield all blocks: the summary, then by verdict, rule, month, budget and threshold."""
    tried = service.tried
    yield from (Paragraph(sentence) for sentence in headlines(service, report))
    if tried.counted:
        yield verdict_table(tried)
    yield from parts(tried)
    if service.against is not None:
        yield Section(
            title=f"Beside {service.against.source.path}",
            blocks=said(both_policies(tried, service.against), differing_table(service)),
        )
    yield from said(Facts(tuple(backtest_facts(service))))


def parts(tried: PolicyBacktest) -> Iterator[Section]:
    """Yield each part with content, under its own heading."""
    tables: dict[str, tuple[DataTable | Facts, ...]] = {
        "What blocks": (objection_table(tried), blocked_deploys(tried)),
        "Why it is undecided": (doubt_table(tried),),
        f"Closed to {tried.change}": (
            month_table(tried),
            freeze_table(tried),
            Facts(tuple(freeze_facts(tried))),
        ),
        "Budgets": (budget_table(tried), Facts(tuple(_would_be_left(tried)))),
        "A single threshold instead": (
            threshold_table(tried),
            Facts(tuple(threshold_facts(tried))),
        ),
    }
    for title, blocks in tables.items():
        if shown := said(*blocks):
            yield Section(title=title, blocks=shown)


def headlines(service: ServiceBacktest, report: BacktestReport) -> Iterator[str]:
    """Yield sentences: how much would have been stopped, what followed, and for how long."""
    tried = service.tried
    if not tried.counted:
        yield _nothing(tried)
        return
    count, blocked = len(tried.counted), tried.outcomes[Verdict.BLOCK].count
    undecided = tried.outcomes[Verdict.UNDECIDED].count
    other = f", and {undecided:,} would have been undecided" if undecided else ""
    yield (
        f"{describe_time(report.span.length)} of {tried.policy.service} with"
        f" {_number(count, tried.unit)}. The policy would have blocked {blocked:,} of them"
        f" ({wording.rounded(Fraction(blocked, count))}){other}."
    )
    yield _before_incidents(tried)
    yield f"{_ran_out(tried)} {_closed(tried)}"


def _nothing(tried: PolicyBacktest) -> str:
    service = tried.policy.service
    if tried.by_deploys:
        return (
            f"No deploy of {service} is in this time. Look further back, or leave out the deploys"
            " to ask the policy by the clock."
        )
    return "This time is shorter than the interval. Ask more often, or look further back."


def _number(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _before_incidents(tried: PolicyBacktest) -> str:
    """Describe how many of the blocked and of the allowed changes came before an incident."""
    incidents, outcomes = len(tried.nearness.incidents), tried.outcomes
    if not incidents:
        return f"No incident was found, so no {tried.unit} came before one."
    blocked = outcomes[Verdict.BLOCK]
    through = [outcomes[verdict] for verdict in (Verdict.ALLOW, Verdict.WARN)]
    passed = sum(outcome.count for outcome in through)
    before = sum(outcome.before for outcome in through)
    return (
        f"{_number(incidents, 'incident')} {'was' if incidents == 1 else 'were'} found:"
        f" {blocked.before:,} of the {blocked.count:,} blocked {tried.unit}s and {before:,} of the"
        f" {passed:,} allowed came within an hour before one began."
    )


def _ran_out(tried: PolicyBacktest) -> str:
    spent = [budget for budget in tried.budgets if budget.ran_out]
    if not spent:
        return "No budget ran out."
    names = ", ".join(f"{budget.slo} {ran_out_shown(budget)}" for budget in spent)
    return f"Budgets that ran out: {names}."


def _closed(tried: PolicyBacktest) -> str:
    if not tried.freezes:
        return f"It would never have been closed to {tried.change}."
    longest = max(tried.freezes, key=lambda freeze: freeze.span.length)
    since = f"from {wording.instant(longest.span.start)}"
    length = describe_time(tried.frozen)
    if len(tried.freezes) == 1:
        return f"It would have been closed to {tried.change} once, for {length} {since}."
    return (
        f"It would have been closed to {tried.change} {len(tried.freezes):,} times, for {length} in"
        f" all, at the longest for {describe_time(longest.span.length)} {since}."
    )


def backtest_facts(service: ServiceBacktest) -> Iterator[Fact]:
    """Yield the limits of the figures, and the data that they are based on."""
    tried = service.tried
    yield (
        "Unknown",
        "what blocking would have changed: all of this did ship. Had it been blocked,"
        " incidents that followed might not have happened, and later verdicts would differ",
    )
    yield from _assumptions(tried)
    for slo in service.incidents.slos:
        if slo.unmeasured is not None:
            yield "Not measured", f"{slo.slo}: {why_unmeasured(slo.unmeasured)}"
        yield from reservation_facts(slo.slo, slo.reservations)
    yield from left_out_facts(service.incidents.left_out)
    yield from undecided_beside(service)


def _assumptions(tried: PolicyBacktest) -> Iterator[Fact]:
    unclassed = sum(
        past.deploy is not None and past.deploy.change != past.change for past in tried.counted
    )
    if unclassed:
        yield (
            "Class",
            f"{unclassed:,} of {len(tried.counted):,} deploys do not state a class of the policy;"
            f" they are judged as {tried.change}",
        )
    if tried.policy.postmortems is not None:
        yield (
            "Records",
            "incident records are used as they are today: they do not say when they were written",
        )
    if tried.policy.requirements:
        yield (
            "Requirements",
            "count as met only where that is stated, and then for the whole time: the evidence of"
            " that time is not known",
        )


def _would_be_left(tried: PolicyBacktest) -> Iterator[Fact]:
    if any(budget.spared for budget in tried.budgets):
        yield (
            "At most",
            "what would be left at the end if every incident that began within an hour after a"
            " blocked deploy had come from that deploy and nothing had come instead",
        )
