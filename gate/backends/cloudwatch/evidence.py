"""Whether a metric without points means that nothing happened, or that nobody publishes it.

CloudWatch stores nothing if nothing was published, and answers "Complete" for a metric that does
not exist. So the silence of an error metric counts as 0 only if the metric is proved: its name and
its dimensions were seen, together or separately.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from itertools import groupby
from typing import Final

from gate.backends.cloudwatch.catalog import MetricCatalog, is_rare, listed_instead
from gate.backends.cloudwatch.metrics import Metric, Term
from gate.backends.cloudwatch.pages import Number
from gate.backends.cloudwatch.periods import HOUR, moment
from gate.backends.cloudwatch.timeline import MetricTimeline
from gate.errors import likeness
from gate.measure import Answer, Cause, Counts, Suspicion
from gate.measure.coverage import StepCoverage
from gate.slo.objective import Span
from gate.wording import amount, instant, percent_spent, stretch

_SILENT: Final = 6 * HOUR
"""The number of seconds without a bad event after which another name of the metric is searched
for."""
_FEWEST_SILENT: Final = 3
"""The number of consecutive hours with events but without a point of a metric that nearly always
has one."""
_DENSE: Final = Fraction(98, 100)
"""The share of the other hours with events in which it has a point: for a metric that misses 2% of
them by chance, three in a row are missing once in 170 months."""
_BETWEEN: Final = 24
"""The minimum mean number of hours with a point between two silences; with silent nights, it is
less."""
_OVERLAP: Final = 24
"""The maximum number of hours in which a metric is published under two names during a renaming."""
_FAILURE: Final = re.compile(
    r"err|fail|fault|5xx|50[0-9]|throttl|timeout|exception|reject", re.IGNORECASE
)
_ALIKE: Final = 0.6


def suspicions(
    answer: Answer, times: MetricTimeline, seen: StepCoverage, catalog: MetricCatalog
) -> tuple[Suspicion, ...]:
    """Return the reasons to doubt a count."""
    return (
        *_unmatched(answer, times, catalog),
        *_renamed(times, catalog),
        *_silent(times),
        *_lost(seen),
    )


def _unmatched(
    answer: Answer, times: MetricTimeline, catalog: MetricCatalog
) -> Iterator[Suspicion]:
    """Suspect metrics without points, unless something shows that they can have points."""
    good_events = answer.total - answer.bad if isinstance(answer, Counts) else None
    bad_events = answer.bad if isinstance(answer, Counts) else None
    suspected = set(times.seen)
    # The total comes last: parts that it lacks may be missing from the bad events, too.
    for role, terms in reversed(list(times.reading.roles)):
        for term in terms:
            metric = term.counted.metric
            if term.counted in suspected or is_proved(metric, times, catalog):
                continue
            suspected.add(term.counted)
            hides = _hides(role, term, times)
            yield Suspicion(
                cause=Cause.UNMATCHED,
                reason=(
                    f"{role}: CloudWatch has no point of {term.counted} in the window, and nothing"
                    " shows that it ever was published"
                ),
                remedy=listed_instead(metric, catalog),
                hidden=good_events if hides else Fraction(0),
                doubtful=Fraction(0) if hides else bad_events,
            )


def _hides(role: str, term: Term, times: MetricTimeline) -> bool:
    """Return whether without a term, bad events or a part of the spent amount would be missing."""
    lowers = role == "good" or (role == "total" and times.reading.bad is not None)
    return lowers != (term.factor > 0)


def is_proved(metric: Metric, times: MetricTimeline, catalog: MetricCatalog) -> bool:
    """Return whether a metric without a point in the window can have one.

    It is listed, since it had one in the last two weeks. Or its name is one that AWS publishes only
    if there are events, or one that is listed for other values of the same dimensions; and another
    metric has points with exactly the same dimensions.
    """
    named = catalog.named(metric.namespace, metric.name)
    listed = () if named is None else named.metrics
    if metric in listed:
        return True
    keys = [name for name, _ in metric.dimensions]
    named_so = any([name for name, _ in other.dimensions] == keys for other in listed)
    if not (is_rare(metric) or named_so):
        return False
    beside = [counted.metric for counted in times.seen]
    if not any(_alike(metric, other) for other in beside):
        there = catalog.with_dimensions(metric)
        return there is not None and any(_alike(metric, other) for other in there.metrics)
    return True


def _alike(metric: Metric, other: Metric) -> bool:
    return (metric.namespace, metric.dimensions) == (other.namespace, other.dimensions)


def _renamed(times: MetricTimeline, catalog: MetricCatalog) -> Iterator[Suspicion]:
    """Suspect that bad events continue under another name, if one begins when theirs has ended."""
    end = times.pieces[-1].end
    for term in times.reading.bad or ():
        last = times.seen.get(term.counted, end)
        if end - last < _SILENT:
            continue
        listing = catalog.with_dimensions(term.counted.metric)
        for metric in () if listing is None else listing.metrics:
            if not _may_follow(metric, term.counted.metric, times):
                continue
            points = catalog.points(replace(term.counted, metric=metric), times.pieces)
            if not points or min(points) < last:
                continue
            yield Suspicion(
                cause=Cause.UNMATCHED,
                reason=(
                    f"bad: CloudWatch has no point of {term.counted} since {instant(moment(last))},"
                    f" and {metric} has begun at {instant(moment(min(points)))}"
                ),
                remedy=f"see whether the metric was renamed, and add + {metric} if it was",
                hidden=Fraction(sum(points.values())),
            )


def _may_follow(metric: Metric, earlier: Metric, times: MetricTimeline) -> bool:
    """Return whether a metric may be a newer name of an earlier one, and is not counted."""
    counted = {term.counted.metric for _, terms in times.reading.roles for term in terms}
    alike = bool(_FAILURE.search(metric.name)) or likeness(metric.name, earlier.name) > _ALIKE
    return alike and metric not in counted and _alike(metric, earlier)


def _silent(times: MetricTimeline) -> Iterator[Suspicion]:
    """Suspect that bad events were not counted in hours without a point of their metric.

    This applies only to a metric that publishes 0 without failures, in nearly every hour with
    events: another metric is silent because nothing failed.
    """
    for term in times.reading.bad or ():
        if term.factor < 0 or all(times.points[term.counted].values()):
            continue
        events, spoken = _beside(term, times)
        busy = [hour for hour in sorted(events) if events[hour] > 0]
        runs = [(there, list(run)) for there, run in groupby(busy, key=spoken.__contains__)]
        silent = [run for there, run in runs if not there and len(run) >= _FEWEST_SILENT]
        missing, heard = sum(map(len, silent)), len(spoken.intersection(busy))
        dense = heard >= _DENSE * (len(busy) - missing) and len(silent) <= 1 + heard // _BETWEEN
        if not silent or not dense:
            continue
        end = min(moment((silent[-1][-1] + 1) * HOUR), times.span.end)
        within = Span(moment(silent[0][0] * HOUR), end)
        yield Suspicion(
            cause=Cause.UNMATCHED,
            reason=(
                f"bad: CloudWatch has no point of {term.counted} in {missing} hours with events,"
                f" from {stretch(within.start, within.end, open_=False)}, and nearly always one"
                " in others, where it is 0 if nothing failed"
            ),
            remedy="see whether the metric was renamed or not published, and count what failed then"
            " from logs",
            hidden=Fraction(sum(events[hour] for run in silent for hour in run)),
            within=within,
        )


def _beside(term: Term, times: MetricTimeline) -> tuple[Mapping[int, Number], set[int]]:
    """Return by hour the events that a metric of bad events covers, and when any has points.

    The events are those of the metrics with the same dimensions, since another model or load
    balancer of the sum may be newer. Without such metrics, they are all events, and all metrics of
    bad events count. A metric that has points only while this one has none is its other name.
    """
    metric, others = term.counted.metric, dict(times.reading.roles)
    totals = [each.counted for each in others.get("total") or others.get("good") or ()]
    own = [counted for counted in totals if _alike(metric, counted.metric)]
    events = dict[int, Number]()
    for counted in own or totals:
        for start, value in times.points[counted].items():
            events[start // HOUR] = events.get(start // HOUR, 0) + value
    spoken = _hours(times.points[term.counted])
    for other in times.reading.bad or ():
        hours = _hours(times.points[other.counted])
        if not own or len(hours & spoken) <= _OVERLAP:
            spoken = spoken | hours
    return events, spoken


def _hours(points: Mapping[int, Number]) -> set[int]:
    return {start // HOUR for start in points}


def _lost(seen: StepCoverage) -> Iterator[Suspicion]:
    """Suspect that events were lost if the total has no points although it usually has."""
    gaps = seen.gaps
    if gaps.longest is None:
        return
    longest = stretch(gaps.longest.start, gaps.longest.end, open_=False)
    several = "" if gaps.between == gaps.longest else ", and in other holes"
    yield Suspicion(
        cause=Cause.LOST,
        reason=(
            f"the total has no point from {longest}{several}, in {percent_spent(gaps.holes)} of the"
            f" window, where about {amount(gaps.usual)} events are usual"
        ),
        remedy="see whether the service was down, or its metrics were not published, and count"
        " them from its logs",
        hidden=gaps.usual,
        within=gaps.between,
    )
