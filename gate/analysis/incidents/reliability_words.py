"""How often and how long a service fails, what that means, and what changed with a deploy."""

from collections.abc import Iterator
from math import isinf

from gate import wording
from gate.analysis.incidents import ServiceIncidents
from gate.history.before_after import BeforeAfter, Difference
from gate.history.incidents import IncidentEnding
from gate.history.service_incidents import Drain
from gate.measure.cohorts import EventCounts
from gate.reporters.page import Fact
from gate.slo.quantities import format_duration
from gate.wording import describe_time


def reliability_facts(service: ServiceIncidents) -> Iterator[Fact]:
    """Yield how long incidents last, how long it is between them, and what that means."""
    yield from _reliability(service)
    if service.drain is not None:
        yield "Advice", _meaning(service.drain)


def since_facts(service: ServiceIncidents) -> Iterator[Fact]:
    """Yield what changed with the deploy that was asked about."""
    since = service.since
    if since is None:
        return
    what = f"deploy of {since.deploy.revision} at {wording.instant(since.deploy.time)}"
    yield "Since", f"{what}, compared up to {wording.instant(since.until)} with as long before it"
    if not since.slos:
        yield "Since", "too early to say: no whole step has passed, or none before it was looked at"
    yield from (("Since", f"{both.slo}: {_compared(both)}") for both in since.slos)


def _compared(both: BeforeAfter) -> str:
    counts = f"{_count(both.since)} failed since, {_count(both.before)} before"
    if both.difference is Difference.UNKNOWN:
        return f"{counts}; too few steps or failures yet to say whether that differs"
    low, high = both.interval
    bounds = f"95% interval {low:.2g} to {'any number' if isinf(high) else f'{high:.2g}'} times"
    if both.difference is Difference.ALIKE:
        return f"{counts}; the difference may be chance ({bounds} as often)"
    times = "" if both.ratio is None or isinf(both.ratio) else f"{both.ratio:.2g} times as often, "
    return f"{counts}; {both.difference}: {times}{bounds}"


def _count(counts: EventCounts) -> str:
    total, bad = (wording.amount(wording.shown(number)) for number in counts)
    share = wording.rounded(wording.shown(counts.bad / counts.total if counts.total else 0.0))
    return f"{bad} of {total} ({share})"


def _reliability(service: ServiceIncidents) -> Iterator[Fact]:
    figures = service.reliability
    if figures.mttr is not None and figures.longest is not None:
        mean, longest = describe_time(figures.mttr), describe_time(figures.longest)
        endings = [annotated.incident.ending for annotated in service.annotated]
        ended = endings.count(IncidentEnding.CALM)
        only = "" if ended == figures.count else f", of the {ended} that were seen to end"
        yield "MTTR", f"{mean} on average from start to recovery, {longest} at most{only}"
    elif figures.count:
        yield "MTTR", "unknown, since no incident was seen to end"
    if figures.mtbf is not None:
        yield "MTBF", f"{describe_time(figures.mtbf)} on average without an incident"


def _meaning(drain: Drain) -> str:
    budget, time = f"of the {drain.slo} budget", describe_time(drain.observed)
    if drain.count == 1:
        return f"{_advice(drain)} (1 incident in {time} used {_share(drain.each)} {budget})"
    seen = f"{drain.count:,} incidents in {time} used on average {_share(drain.each)} {budget}"
    count = wording.amount(wording.shown(drain.per_window))
    pace = f"that is a rate of {count} per {format_duration(drain.window)}"
    return f"{_advice(drain)} ({seen} each; {pace}, {_share(drain.total)} together)"


def _advice(drain: Drain) -> str:
    if drain.often and drain.costly:
        return "incidents are frequent and costly: fewer and shorter ones would both help"
    if drain.often:
        return "incidents are frequent but small: look for what they have in common"
    if drain.costly:
        return "incidents are rare but costly: detect them sooner and roll back faster"
    return "incidents use little of the budget"


def _share(number: float) -> str:
    return wording.spent(wording.shown(number))
