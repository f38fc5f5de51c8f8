"""Faults of counts, each with what it hides, and legitimate services that look much like them."""

from collections.abc import Mapping
from datetime import timedelta
from fractions import Fraction
from typing import Any, Final

from gate.measure import Cause
from gate.slo.indicator import Sli, Slices
from tests.servers.doubtful import (
    BEGIN,
    CHANGE,
    DAY,
    HOUR,
    LAST,
    STEP,
    Doubtful,
    Events,
    Exported,
    between,
    during,
    steady,
)

GOOD: Final = steady(100)
BAD: Final = steady(1, every=5)
MORE_BAD: Final = steady(9)
FIRST: Final = 3
RARE: Final = during(2 * DAY, 2 * DAY + 5, FIRST)


def of(bad: str = "", total: str = "", good: str = "", spent: str = "") -> Sli:
    """Return an indicator whose ``SERVICE`` is filled in by `named`."""
    return Sli(bad=bad or None, total=total or None, good=good or None, spent=spent or None)


def named(name: str, sli: Sli) -> Sli:
    """Return an indicator of one service."""

    def text(selector: str | None) -> str | None:
        if selector is None:
            return None
        if "SERVICE" in selector:
            return selector.replace("SERVICE", f'service="{name}"')
        metric, _, rest = selector.partition("{")
        return f'{metric}{{service="{name}",{rest}' if rest else f'{metric}{{service="{name}"}}'

    return Sli(
        bad=text(sli.bad),
        total=text(sli.total),
        good=text(sli.good),
        spent=text(sli.spent),
        gauge=text(sli.gauge),
    )


def requests(labels: str, events: Events, **options: Any) -> Exported:
    """Return a series of requests."""
    return Exported(name="requests_total", labels=labels, events=events, **options)


def other(name: str, events: Events, labels: str = "", **options: Any) -> Exported:
    """Return a series of another metric."""
    return Exported(name=name, labels=labels, events=events, **options)


OUTCOME: Final = of(bad='requests_total{outcome="error"}', total="requests_total")
CODE: Final = of(bad='requests_total{code="500"}', total="requests_total")
ERRORS: Final = of(bad="errors_total", total="requests_total")
OLD: Final[dict[str, Any]] = {"end": CHANGE}
NEW: Final[dict[str, Any]] = {"begin": CHANGE + 1}
AWAY: Final = range(3 * DAY, 5 * DAY)
SINCE: Final = between(MORE_BAD, CHANGE)


def _pods(hours: range, length: int = HOUR) -> tuple[Exported, ...]:
    """Return pods that live for an hour, and fail 30 of 60 requests before their first scrape."""
    return tuple(
        requests(
            f'pod="{hour}",code="{code}"',
            steady(events),
            begin=hour * HOUR + 1,
            end=hour * HOUR + length - 1,
            before=30,
        )
        for hour in hours
        for code, events in (("200", 10), ("500", 0))
    )


def replicas(names: str) -> tuple[Exported, ...]:
    """Return replicas of which each shows its failures by the status of its requests."""
    return tuple(
        requests(f'instance="{name}",code="{code}"', events)
        for name in names
        for code, events in (("200", GOOD), ("500", BAD))
    )


def replica_errors(names: str) -> tuple[Exported, ...]:
    """Return what counts the failures of replicas by another metric."""
    return tuple(other("errors_total", BAD, f'instance="{name}"') for name in names)


def job(name: str) -> str:
    """Return the labels of a target that a job scrapes; it is the same for all jobs."""
    return f'job="{name}",instance="10.0.0.1:8000"'


def jobs(names: str) -> tuple[Exported, ...]:
    """Return all requests of a target, scraped by several jobs."""
    return tuple(requests(job(name), GOOD) for name in names)


def histogram(instance: str, boundary: str, **options: Any) -> tuple[Exported, ...]:
    """Return the latencies of a target, of which `GOOD` are below its boundary."""
    slow = f'instance="{instance}",le="+Inf"'
    return (
        other("lat_bucket", GOOD, f'instance="{instance}",le="{boundary}"', **options),
        other("lat_bucket", lambda tick: GOOD(tick) + MORE_BAD(tick), slow, **options),
    )


FAST: Final = of(good='lat_bucket{le="2"}', total='lat_bucket{le="+Inf"}')
LOAD: Final = Sli(gauge="avg(load{SERVICE} < bool 50)")
READY: Final = Sli(gauge="min(ready{SERVICE})")
HOURLY: Final = Slices(length=timedelta(hours=1), target=Fraction(99, 100))


def swinging(tick: int) -> int:
    """Return by how much a gauge changes, up and down."""
    return 3 if tick % 2 else -3


def until(events: Events, end: int) -> Events:
    """Return the changes of a gauge that stands still from a tick on."""
    return lambda tick: events(tick) if tick <= end else 0


def loads(names: str) -> tuple[Exported, ...]:
    """Return gauges that change all the time."""
    return tuple(other("load", swinging, f'job="x",instance="{n}"', before=10) for n in names)


def pushed(job: str, every: int, end: int) -> tuple[Exported, ...]:
    """Return a gauge of 1 that a job pushes, and when it did; the last time at a tick."""
    seconds, start = int(STEP.total_seconds()), int(BEGIN.timestamp())
    labels = f'job="{job}",instance="pushed"'

    def push(tick: int) -> int:
        return every * seconds if tick % every == 0 and tick <= end else 0

    return (
        other("ready", steady(0), labels, before=1),
        other("push_time_seconds", push, labels, before=start),
    )


FAULTS: Final[Mapping[str, Doubtful]] = {
    "a label is renamed": Doubtful(
        sli=OUTCOME,
        series=(
            requests('outcome="ok"', GOOD, **OLD),
            requests('outcome="error"', BAD, **OLD),
            requests('result="ok"', GOOD, **NEW),
            requests('result="error"', MORE_BAD, **NEW),
        ),
        cause=Cause.UNMATCHED,
        hidden=SINCE,
        most_hidden=None,
        words="outcome",
    ),
    "a label is renamed in half of the pods": Doubtful(
        sli=OUTCOME,
        series=(
            requests('pod="a",outcome="ok"', GOOD),
            requests('pod="a",outcome="error"', BAD),
            requests('pod="b",outcome="ok"', GOOD, **OLD),
            requests('pod="b",outcome="error"', BAD, **OLD),
            requests('pod="c",result="ok"', GOOD, **NEW),
            requests('pod="c",result="error"', MORE_BAD, **NEW),
        ),
        cause=Cause.UNMATCHED,
        hidden=SINCE,
        most_hidden=None,
    ),
    "a label is renamed, in slices": Doubtful(
        sli=OUTCOME,
        slices=Slices(length=timedelta(hours=1), target=Fraction(99, 100)),
        series=(
            requests('outcome="ok"', GOOD, **OLD),
            requests('outcome="error"', BAD, **OLD),
            requests('result="ok"', GOOD, **NEW),
            requests('result="error"', MORE_BAD, **NEW),
        ),
        cause=Cause.UNMATCHED,
        hidden=4 * 24,
        most_hidden=4 * 24 + 2,
    ),
    "a label is missing for two days": Doubtful(
        sli=OUTCOME,
        series=(
            requests('outcome="ok"', GOOD, gap=AWAY),
            requests('outcome="error"', BAD, gap=AWAY),
            requests("", GOOD, begin=AWAY[0], end=AWAY[-1]),
        ),
        cause=Cause.UNMATCHED,
        hidden=between(GOOD, AWAY[0], AWAY[-1]),
        most_hidden=between(GOOD, AWAY[0], AWAY[-1]) + 200,
    ),
    "a label came with an upgrade": Doubtful(
        sli=OUTCOME,
        series=(
            requests('pod="a"', GOOD, **OLD),
            requests('pod="b",outcome="ok"', GOOD, **NEW),
        ),
        cause=Cause.UNMATCHED,
        hidden=between(GOOD, DAY, CHANGE),
        most_hidden=between(GOOD, DAY, CHANGE) + 200,
    ),
    "a label that never was": Doubtful(
        sli=of(bad='requests_total{outcom="error"}', total="requests_total"),
        series=(requests('outcome="ok"', GOOD), requests('outcome="error"', BAD)),
        cause=Cause.UNMATCHED,
        hidden=between(BAD, DAY),
        most_hidden=None,
    ),
    "a class of codes where there are codes": Doubtful(
        sli=of(bad='requests_total{code="5xx"}', total="requests_total"),
        series=(requests('code="200"', GOOD), requests('code="500"', BAD)),
        cause=Cause.UNMATCHED,
        hidden=between(BAD, DAY),
        most_hidden=None,
    ),
    "codes become classes": Doubtful(
        sli=CODE,
        series=(
            requests('code="200"', GOOD, **OLD),
            requests('code="500"', RARE, **OLD, lazy=True),
            requests('code="2xx"', GOOD, **NEW),
            requests('code="5xx"', MORE_BAD, **NEW),
        ),
        cause=Cause.UNMATCHED,
        hidden=SINCE,
        most_hidden=None,
    ),
    "a value is renamed": Doubtful(
        sli=OUTCOME,
        series=(
            requests('outcome="ok"', steady(100)),
            requests('outcome="error"', RARE, **OLD, lazy=True),
            requests('outcome="failure"', MORE_BAD, **NEW),
        ),
        cause=Cause.UNMATCHED,
        hidden=SINCE,
        most_hidden=SINCE + 100,
    ),
    "the error series of a process that goes on is dropped": Doubtful(
        sli=CODE,
        series=(
            requests('instance="a",code="200"', GOOD),
            requests('instance="a",code="500"', RARE, **OLD, lazy=True),
        ),
        cause=Cause.UNMATCHED,
        hidden=SINCE,
        most_hidden=None,
    ),
    "the error series is dropped": Doubtful(
        sli=CODE,
        series=(requests('code="200"', GOOD), requests('code="500"', BAD, **OLD)),
        cause=Cause.UNMATCHED,
        hidden=SINCE,
        most_hidden=None,
    ),
    "a metric of errors is renamed": Doubtful(
        sli=ERRORS,
        series=(
            requests("", GOOD),
            other("errors_total", RARE, **OLD),
            other("failures_total", MORE_BAD, **NEW),
        ),
        cause=Cause.UNMATCHED,
        hidden=SINCE,
        most_hidden=None,
    ),
    "a metric of errors that was born late is renamed": Doubtful(
        sli=ERRORS,
        series=(
            requests("", GOOD),
            other("errors_total", BAD, **OLD, lazy=True),
            other("failures_total", MORE_BAD, **NEW),
        ),
        cause=Cause.UNMATCHED,
        hidden=SINCE,
        most_hidden=None,
    ),
    "a label of a metric of errors is renamed": Doubtful(
        sli=of(bad='errors_total{type="server"}', total="requests_total"),
        series=(
            requests("", GOOD),
            other("errors_total", BAD, 'type="server"', **OLD),
            other("errors_total", MORE_BAD, 'kind="server"', **NEW),
        ),
        cause=Cause.UNMATCHED,
        hidden=SINCE,
        most_hidden=None,
    ),
    "a boundary is written otherwise": Doubtful(
        sli=of(good='ttft_bucket{le="1"}', total='ttft_bucket{le="+Inf"}'),
        series=(
            other("ttft_bucket", steady(99), 'le="1"', **OLD),
            other("ttft_bucket", steady(99), 'le="1.0"', **NEW),
            other("ttft_bucket", GOOD, 'le="+Inf"'),
        ),
        cause=Cause.UNMATCHED,
        doubtful=between(steady(99), CHANGE),
    ),
    "the label of good events is renamed": Doubtful(
        sli=of(good='requests_total{status="200"}', total="requests_total"),
        series=(
            requests('status="200"', GOOD, **OLD),
            requests('status="500"', BAD, **OLD),
            requests('code="200"', GOOD, **NEW),
            requests('code="500"', BAD, **NEW),
        ),
        cause=Cause.UNMATCHED,
        doubtful=between(GOOD, CHANGE),
    ),
    "classes of good events become codes": Doubtful(
        sli=of(good='requests_total{code="2xx"}', total="requests_total"),
        series=(
            requests('code="2xx"', GOOD, **OLD),
            requests('code="5xx"', BAD, **OLD),
            requests('code="200"', GOOD, **NEW),
            requests('code="500"', BAD, **NEW),
        ),
        cause=Cause.UNMATCHED,
        doubtful=between(GOOD, CHANGE),
    ),
    "all is good that is not called bad": Doubtful(
        sli=of(good='requests_total{code!~"5.."}', total="requests_total"),
        series=(
            requests('code="200"', GOOD, **OLD),
            requests('code="500"', BAD, **OLD),
            requests('status="200"', GOOD, **NEW),
            requests('status="500"', MORE_BAD, **NEW),
        ),
        cause=Cause.UNMATCHED,
        hidden=SINCE,
        most_hidden=None,
    ),
    "all is bad that is not called good": Doubtful(
        sli=of(bad='requests_total{code!="200"}', total="requests_total"),
        series=(
            requests('code="200"', GOOD, **OLD),
            requests('code="500"', BAD, **OLD),
            requests('status="200"', GOOD, **NEW),
            requests('status="500"', BAD, **NEW),
        ),
        cause=Cause.UNMATCHED,
        doubtful=between(GOOD, CHANGE),
    ),
    "a counter is first seen at 5,000": Doubtful(
        sli=CODE,
        series=(
            requests('code="200"', GOOD),
            requests('code="500"', steady(0), **NEW, before=5000),
        ),
        cause=Cause.BORN,
        hidden=5000,
        most_hidden=5000,
        true_bad=5000,
    ),
    "pods fail before their first scrape": Doubtful(
        sli=CODE,
        series=_pods(range(11 * 24)),
        cause=Cause.BORN,
        hidden=240 * 30,
        most_hidden=240 * 30,
        true_bad=240 * 30,
    ),
    "pods are slow before their first scrape": Doubtful(
        sli=of(good='seconds_bucket{le="2"}', total="seconds_count"),
        series=tuple(
            other(
                name,
                steady(25),
                f'pod="{hour}"{le}',
                begin=hour * HOUR + 1,
                end=(hour + 1) * HOUR - 1,
                before=before,
            )
            for hour in range(11 * 24)
            for name, le, before in (
                ("seconds_bucket", ',le="2"', 0),
                ("seconds_count", "", 300),
            )
        ),
        cause=Cause.BORN,
        hidden=240 * 300,
        most_hidden=240 * 300,
    ),
    "spending begins above zero": Doubtful(
        sli=of(spent="cost_total"),
        series=(
            other("cost_total", GOOD, 'key="a"'),
            other("cost_total", GOOD, 'key="b"', **NEW, before=90_000),
        ),
        cause=Cause.BORN,
        hidden=90_000,
        most_hidden=90_000,
        true_bad=90_000 + between(GOOD, DAY) + between(GOOD, CHANGE),
    ),
    "the metric of errors is switched off": Doubtful(
        sli=ERRORS,
        series=(requests('status_code="200"', GOOD), requests('status_code="500"', BAD)),
        cause=Cause.CONTRADICTED,
        hidden=between(BAD, DAY),
        most_hidden=between(BAD, DAY),
        words="500",
    ),
    "the metric of errors stands still": Doubtful(
        sli=ERRORS,
        series=(
            requests('outcome="ok"', GOOD),
            requests('outcome="timeout"', BAD),
            other("errors_total", steady(0)),
        ),
        cause=Cause.CONTRADICTED,
        hidden=between(BAD, DAY),
        most_hidden=between(BAD, DAY),
    ),
    "one replica of four exports no failures": Doubtful(
        sli=ERRORS,
        series=(*replicas("abcd"), *replica_errors("abc")),
        cause=Cause.CONTRADICTED,
        hidden=between(BAD, DAY),
        most_hidden=between(BAD, DAY),
        words="of 1 target (d)",
        true_bad=4 * between(BAD, DAY),
    ),
    "the failures of one replica of three stand still": Doubtful(
        sli=ERRORS,
        series=(
            *replicas("abc"),
            *replica_errors("ab"),
            other("errors_total", steady(0), 'instance="c"'),
        ),
        cause=Cause.CONTRADICTED,
        hidden=between(BAD, DAY),
        most_hidden=between(BAD, DAY),
        words="of 1 target (c)",
    ),
    "two metrics of errors of which one replica of three has none": Doubtful(
        sli=of(
            bad="sum(increase(errors_total{SERVICE}[$window]))"
            " + sum(increase(timeouts_total{SERVICE}[$window]))",
            total="requests_total",
        ),
        series=(
            *replicas("abc"),
            *replica_errors("ab"),
            *(other("timeouts_total", steady(0), f'instance="{name}"') for name in "ab"),
        ),
        cause=Cause.CONTRADICTED,
        hidden=between(BAD, DAY),
        most_hidden=between(BAD, DAY),
        words="of 1 target (c)",
    ),
    "a target is scraped by two jobs of which one keeps no failures": Doubtful(
        sli=ERRORS,
        series=(*jobs("ab"), other("errors_total", MORE_BAD, job("a"))),
        cause=Cause.UNMATCHED,
        hidden=between(MORE_BAD, DAY),
        most_hidden=between(MORE_BAD, DAY),
        words="scraped by more jobs than those of errors_total",
    ),
    "a second job came with the upgrade and drops the codes of failures": Doubtful(
        sli=CODE,
        series=(
            requests(f'{job("a")},code="200"', GOOD),
            requests(f'{job("a")},code="500"', MORE_BAD),
            requests(f'{job("b")},code="200"', GOOD, **NEW),
        ),
        cause=Cause.UNMATCHED,
        hidden=between(MORE_BAD, CHANGE),
        most_hidden=between(MORE_BAD, DAY),
        words="scraped by more jobs than those of requests_total",
    ),
    "a target is scraped by two jobs of which one keeps no good events": Doubtful(
        sli=of(good="good_total", total="requests_total"),
        series=(*jobs("ab"), other("good_total", GOOD, job("a"))),
        cause=Cause.UNMATCHED,
        doubtful=between(GOOD, DAY),
        words="scraped by more jobs than those of good_total",
    ),
    "a replica has other boundaries": Doubtful(
        sli=FAST,
        series=(*histogram("a", "2"), *histogram("b", "2", **OLD), *histogram("c", "1", **NEW)),
        cause=Cause.UNMATCHED,
        doubtful=between(GOOD, CHANGE) + SINCE,
        words="are of targets that have lat_bucket",
    ),
    "a canary that is gone had other boundaries": Doubtful(
        sli=FAST,
        series=(*histogram("a", "2"), *histogram("b", "1", **OLD)),
        cause=Cause.UNMATCHED,
        doubtful=between(GOOD, DAY, CHANGE) + between(MORE_BAD, DAY, CHANGE),
        words="are of targets that have lat_bucket",
    ),
    "a gauge stands still while its peers change": Doubtful(
        sli=LOAD,
        slices=HOURLY,
        series=(*loads("ab"), other("load", steady(0), 'job="x",instance="c"', before=10)),
        cause=Cause.STALE,
        words="1 series of load",
        most_hidden=None,
    ),
    "a gauge has stood still since yesterday": Doubtful(
        sli=LOAD,
        slices=HOURLY,
        series=(
            *loads("ab"),
            other("load", until(swinging, LAST - DAY - 9), 'job="x",instance="c"', before=10),
        ),
        cause=Cause.STALE,
        words="have not changed for 1d",
        most_hidden=None,
    ),
    "a gauge of a target that is down": Doubtful(
        sli=READY,
        slices=HOURLY,
        series=(
            other("ready", steady(0), 'job="y",instance="down"', before=1),
            other("up", steady(0), 'job="y",instance="down"'),
        ),
        cause=Cause.STALE,
        words="up is 0",
        most_hidden=None,
    ),
    "a gauge that a job pushed every hour until it died": Doubtful(
        sli=READY,
        slices=HOURLY,
        series=pushed("hourly", HOUR, LAST - DAY),
        cause=Cause.STALE,
        words="long overdue",
        most_hidden=None,
    ),
    "nobody has come for two hours": Doubtful(
        sli=CODE,
        series=(
            requests('code="200"', during(0, LAST - 2 * HOUR, 100)),
            requests('code="500"', during(0, LAST - 2 * HOUR, 1)),
        ),
        cause=Cause.NO_TRAFFIC,
        most_hidden=None,
    ),
}
