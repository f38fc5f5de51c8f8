"""Legitimate services that look much like faults of a count; nothing may be suspected of them."""

from collections.abc import Mapping
from datetime import timedelta
from fractions import Fraction
from typing import Final

from gate.slo.indicator import Slices
from tests.live.doubts import (
    BAD,
    CODE,
    ERRORS,
    FAST,
    FIRST,
    GOOD,
    HOURLY,
    LOAD,
    NEW,
    OLD,
    OUTCOME,
    RARE,
    READY,
    histogram,
    job,
    jobs,
    loads,
    of,
    other,
    pushed,
    replica_errors,
    replicas,
    requests,
    swinging,
)
from tests.servers.doubtful import BEGIN, CHANGE, DAY, HOUR, LAST, Doubtful, Events, during, steady


def _by_day(count: int, first: int, last: int) -> Events:
    """Return so many events from one hour of the day to another; the ticks begin at midnight."""
    return lambda tick: count if first * HOUR < tick % DAY <= last * HOUR else 0


def _on_working_days(count: int) -> Events:
    """Return so many events from Monday to Friday; the ticks begin on a Wednesday."""
    return lambda tick: count if (tick - 1) // DAY % 7 not in {3, 4} else 0


def _until(count: int, end: int) -> Events:
    return during(0, end, count)


def flapping(tick: int) -> int:
    """Return the changes of a gauge that is 0 for a while, now and then."""
    return {0: -1, 5: 1}.get(tick % (HOUR * 6), 0)


_CREATED: Final = int((BEGIN - timedelta(days=30)).timestamp())
SOUND: Final[Mapping[str, Doubtful]] = {
    "nothing ever failed": Doubtful(sli=CODE, series=(requests('code="200"', GOOD),)),
    "nothing ever failed and there are other codes": Doubtful(
        sli=OUTCOME,
        series=(requests('outcome="ok"', GOOD), requests('outcome="rejected"', BAD)),
    ),
    "failures all the time": Doubtful(
        sli=CODE, series=(requests('code="200"', GOOD), requests('code="500"', BAD))
    ),
    "an error series went away with its pod": Doubtful(
        sli=CODE,
        series=(
            requests('pod="a",code="200"', GOOD, **OLD),
            requests('pod="a",code="500"', RARE, **OLD, lazy=True),
            requests('pod="b",code="200"', GOOD, **NEW),
        ),
    ),
    "an error series went away when the process restarted": Doubtful(
        sli=CODE,
        series=(
            requests('code="200"', GOOD, restarts=frozenset({LAST - 4 * DAY})),
            requests('code="500"', RARE, **OLD, lazy=True),
        ),
    ),
    "a metric of errors went away with its pod": Doubtful(
        sli=ERRORS,
        series=(
            requests('pod="a"', GOOD, **OLD),
            other("errors_total", RARE, 'pod="a"', **OLD, lazy=True),
            requests('pod="b"', GOOD, **NEW),
        ),
    ),
    "blue becomes green after a bad day": Doubtful(
        sli=CODE,
        series=(
            requests('color="blue",code="200"', GOOD, **OLD),
            requests('color="blue",code="500"', RARE, **OLD, lazy=True),
            requests('color="green",code="200"', GOOD, **NEW),
        ),
    ),
    "a metric of errors that never was": Doubtful(sli=ERRORS, series=(requests("", GOOD),)),
    "a metric of errors beside callers' mistakes": Doubtful(
        sli=ERRORS,
        series=(
            requests('status_code="200"', GOOD),
            requests('status_code="404"', BAD),
            requests('status_code="429"', BAD),
        ),
    ),
    "a metric of errors beside a status": Doubtful(
        sli=ERRORS,
        series=(
            requests('status_code="200"', GOOD),
            requests('status_code="500"', BAD),
            other("errors_total", BAD),
        ),
    ),
    "replicas whose failures another metric counts": Doubtful(
        sli=ERRORS, series=(*replicas("abcd"), *replica_errors("abcd"))
    ),
    "replicas of which one has not failed": Doubtful(
        sli=ERRORS,
        series=(
            *replicas("abc"),
            *replica_errors("abc"),
            requests('instance="d",code="200"', GOOD),
        ),
    ),
    "a gateway that counts the failures of replicas": Doubtful(
        sli=ERRORS,
        series=(
            *replicas("ab"),
            other("errors_total", steady(3, every=10), 'instance="gateway"'),
        ),
    ),
    "failures that are counted by three of four words": Doubtful(
        sli=ERRORS,
        series=(
            *replicas("ab"),
            *replica_errors("ab"),
            requests('instance="a",code="504"', steady(1, every=20)),
            requests('instance="b",code="504"', steady(1, every=20)),
        ),
    ),
    "an old replica and its successor": Doubtful(
        sli=ERRORS,
        series=(
            requests('instance="a",code="200"', GOOD, **OLD),
            requests('instance="a",code="500"', BAD, **OLD),
            other("errors_total", BAD, 'instance="a"', **OLD),
            requests('instance="b",code="200"', GOOD, **NEW),
            requests('instance="b",code="500"', BAD, **NEW),
            other("errors_total", BAD, 'instance="b"', **NEW),
        ),
    ),
    "a job that was renamed": Doubtful(
        sli=ERRORS,
        series=(
            *(requests(job(n), GOOD, **when) for n, when in (("a", OLD), ("b", NEW))),
            other("errors_total", BAD, job("a"), **OLD),
            other("errors_total", BAD, job("b"), begin=CHANGE + 40),
        ),
    ),
    "jobs that push to one gateway": Doubtful(
        sli=ERRORS,
        series=(
            *(requests(f'job="{name}"', GOOD) for name in "ab"),
            other("errors_total", BAD, 'job="a"'),
        ),
    ),
    "replicas with the same boundaries": Doubtful(
        sli=FAST,
        series=(*histogram("a", "2"), *histogram("b", "2", **OLD), *histogram("c", "2", **NEW)),
    ),
    "a boundary that replicas write in two ways": Doubtful(
        sli=of(good='lat_bucket{le=~"2|2.0"}', total='lat_bucket{le="+Inf"}'),
        series=(*histogram("a", "2"), *histogram("b", "2.0")),
    ),
    "gauges that change": Doubtful(sli=LOAD, slices=HOURLY, series=loads("abc")),
    "a gauge of 1 for good beside one that was down": Doubtful(
        sli=READY,
        slices=HOURLY,
        series=(
            other("ready", steady(0), 'job="z",instance="a"', before=1),
            other("ready", flapping, 'job="z",instance="b"', before=1),
            other("up", steady(0), 'job="z",instance="a"', before=1),
        ),
    ),
    "an idle replica beside busy ones": Doubtful(
        sli=LOAD,
        slices=HOURLY,
        series=(*loads("ab"), other("load", steady(0), 'job="x",instance="idle"')),
    ),
    "a gauge of a replica that is gone for good": Doubtful(
        sli=LOAD,
        slices=HOURLY,
        series=(*loads("ab"), other("load", swinging, 'job="x",instance="c"', before=10, **OLD)),
    ),
    "a gauge that a job pushes every night": Doubtful(
        sli=READY, slices=HOURLY, series=pushed("nightly", DAY, LAST)
    ),
    "a gauge that a job pushes every hour": Doubtful(
        sli=READY, slices=HOURLY, series=pushed("punctual", HOUR, LAST)
    ),
    "a metric of answers that were wrong": Doubtful(
        sli=of(bad="hallucinations_total", total="requests_total"),
        series=(
            requests('status_code="200"', GOOD),
            requests('status_code="500"', BAD),
            other("hallucinations_total", steady(0)),
        ),
    ),
    "some codes are left out on purpose": Doubtful(
        sli=of(bad='requests_total{code=~"5..",code!="503"}', total="requests_total"),
        series=(requests('code="200"', GOOD), requests('code="503"', BAD)),
    ),
    "a label that only failures have": Doubtful(
        sli=of(bad='requests_total{error_type!=""}', total="requests_total"),
        series=(requests("", GOOD), requests('error_type="timeout"', RARE, **OLD, lazy=True)),
    ),
    "a label that only failures have, and one that is wanted": Doubtful(
        sli=of(bad='requests_total{reason="oom"}', total="requests_total"),
        series=(
            requests('pod="a"', GOOD, **OLD),
            requests('pod="a",reason="oom"', RARE, **OLD, lazy=True),
            requests('pod="b"', GOOD, **NEW),
        ),
    ),
    "nothing but failures since a restart": Doubtful(
        sli=of(good='requests_total{code="200"}', total="requests_total"),
        series=(
            requests('pod="a",code="200"', GOOD, end=LAST - HOUR),
            requests('pod="a",code="500"', RARE, end=LAST - HOUR),
            requests('pod="b",code="500"', GOOD, begin=LAST - HOUR),
        ),
    ),
    "a service that sleeps at night": Doubtful(
        sli=CODE,
        series=(requests('code="200"', _by_day(100, 7, 20)), requests('code="500"', RARE)),
    ),
    "a service that rests at weekends": Doubtful(
        sli=CODE, series=(requests('code="200"', _on_working_days(100)),)
    ),
    "three events a day": Doubtful(
        sli=CODE, series=(requests('code="200"', steady(1, every=8 * HOUR + 7)),)
    ),
    "a server that is new": Doubtful(
        sli=CODE,
        series=(
            requests('code="200"', GOOD, begin=LAST - 3 * DAY, before=1_000_000),
            requests('code="500"', BAD, begin=LAST - 3 * DAY, before=5_000),
        ),
    ),
    "series that are older than the window, in slices": Doubtful(
        sli=CODE,
        slices=Slices(length=timedelta(hours=1), target=Fraction(99, 100)),
        series=(
            requests('code="200"', GOOD),
            requests('code="500"', steady(0), **NEW, before=5000),
            other("requests_created", steady(0), 'code="500"', **NEW, before=_CREATED),
        ),
    ),
    "series that are older than the window": Doubtful(
        sli=CODE,
        series=(
            requests('code="200"', GOOD),
            requests('code="500"', steady(0), **NEW, before=5000),
            other("requests_created", steady(0), 'code="500"', **NEW, before=_CREATED),
        ),
    ),
    "every series gets another label": Doubtful(
        sli=CODE,
        series=(
            requests('code="200"', GOOD, **OLD, before=2_000_000),
            requests('code="500"', BAD, **OLD, before=4_000),
            requests('cluster="a",code="200"', GOOD, **NEW, before=2_500_000),
            requests('cluster="a",code="500"', BAD, **NEW, before=5_000),
        ),
    ),
    "an exporter that takes away what is not updated": Doubtful(
        sli=CODE,
        series=(
            requests('instance="a",code="200"', GOOD),
            *(
                requests(
                    'instance="a",code="500"',
                    during(day * DAY + 30, day * DAY + 32, FIRST),
                    begin=day * DAY + 30,
                    end=day * DAY + 35,
                    before=(day - 2) * FIRST,
                    lazy=True,
                )
                for day in (2, 4, 6)
            ),
        ),
    ),
    "counters that are born at zero": Doubtful(
        sli=CODE,
        series=(requests('code="200"', GOOD), requests('code="500"', BAD, **NEW)),
    ),
    "a gap of six hours": Doubtful(
        sli=CODE,
        series=(
            requests('code="200"', GOOD, gap=range(3 * DAY, 3 * DAY + 6 * HOUR)),
            requests('code="500"', BAD, gap=range(3 * DAY, 3 * DAY + 6 * HOUR)),
        ),
    ),
    "restarts": Doubtful(
        sli=CODE,
        series=(
            requests('code="200"', GOOD, restarts=frozenset(range(7, LAST, 3 * HOUR))),
            requests('code="500"', BAD, restarts=frozenset(range(7, LAST, 3 * HOUR))),
        ),
    ),
    "a boundary that is there": Doubtful(
        sli=of(good='ttft_bucket{le="1"}', total='ttft_bucket{le="+Inf"}'),
        series=(
            other("ttft_bucket", steady(99), 'le="1"'),
            other("ttft_bucket", GOOD, 'le="+Inf"'),
        ),
    ),
    "fast pods of an hour, with events before their first scrape": Doubtful(
        sli=of(good='seconds_bucket{le="2"}', total="seconds_count"),
        series=tuple(
            other(
                name,
                steady(25),
                f'pod="{hour}"{le}',
                begin=hour * HOUR + 1,
                end=(hour + 1) * HOUR - 1,
                before=300,
            )
            for hour in range(11 * 24)
            for name, le in (("seconds_bucket", ',le="2"'), ("seconds_count", ""))
        ),
    ),
    "idle for good": Doubtful(
        sli=CODE,
        series=(requests('code="200"', _until(100, 3 * DAY)), requests('code="500"', RARE)),
    ),
}
HARMLESS: Final[Mapping[str, Doubtful]] = {
    "a target that two jobs scrape": Doubtful(
        sli=ERRORS,
        series=(*jobs("ab"), *(other("errors_total", BAD, job(name)) for name in "ab")),
    ),
    "a target that two jobs scrape from its first failure on": Doubtful(
        sli=ERRORS,
        series=(*jobs("ab"), *(other("errors_total", BAD, job(n), lazy=True) for n in "ab")),
    ),
}
"""Each event counts twice, which `gate doctor` calls a fault; the ratio is right all the same."""
