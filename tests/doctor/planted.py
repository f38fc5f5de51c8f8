"""Services with one thing wrong each, and healthy ones: a day of samples, minute by minute."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

END: Final = datetime(2026, 11, 1, tzinfo=UTC)
WINDOW: Final = 24 * 60
"""Minutes that every SLO looks back."""
_LEAD: Final = 90
"""Minutes of history before the window."""
MINUTES: Final = WINDOW + _LEAD
Value = Callable[[int], float | None]
"""By minute since the history's begin; None: not scraped."""


@dataclass(frozen=True, kw_only=True)
class Series:
    """One series."""

    name: str
    labels: Mapping[str, str]
    value: Value


@dataclass(frozen=True, kw_only=True)
class Planted:
    """A service, the indicator that a policy has of it, and what the doctor must find."""

    series: tuple[Series, ...]
    sli: Mapping[str, Any]
    finds: Mapping[str, str] = field(default_factory=dict)
    """Level by check; everything else must be ok."""
    words: tuple[str, ...] = ()
    """Words of the finding and its remedy."""
    victoria: Mapping[str, str] | None = None
    """The findings on VictoriaMetrics, where they differ."""

    def slo(self, name: str) -> dict[str, Any]:
        promise = {"allowance": "1e9"} if "spent" in self.sli else {"objective": "99%"}
        return {"name": name, **promise, "window": "24h", "sli": dict(self.sli)}


def grows(each: float = 100, first: float = 0, start: int = 0, stop: int = MINUTES) -> Value:
    """Grow evenly from ``first`` at minute ``start``, until ``stop``."""

    def value(minute: int) -> float | None:
        return first + each * (minute - start) if start <= minute <= stop else None

    return value


def but(value: Value, missing: range) -> Value:
    return lambda minute: None if minute in missing else value(minute)


def _wobbles(minute: int) -> float:
    return 40 + (minute * 7919) % 23


def _restarts(minute: int) -> float:
    return 100 * (minute % 400)


def _late(extra: float) -> Value:
    """Appear ten hours ago at ``extra``, and grow by one an hour."""
    birth = MINUTES - 600
    return lambda minute: extra + (minute - birth) // 60 if minute >= birth else None


def counted(service: str, value: Value | None = None, **labels: str) -> Series:
    labels = {"service": service, "job": "api", "instance": "a:80", **labels}
    return Series(name="llm_requests_total", labels=labels, value=value or grows())


def both(service: str, **more: Any) -> tuple[Series, ...]:
    """Return requests, and a few failed ones."""
    return (
        counted(service, code="200", **more),
        counted(service, grows(1), code="500", **more),
    )


def ratio(service: str, bad: str = 'code=~"5.."', **more: str) -> dict[str, str]:
    total = f'llm_requests_total{{service="{service}"}}'
    return {"bad": f'llm_requests_total{{service="{service}",{bad}}}', "total": total, **more}


def buckets(service: str, *boundaries: str, instance: str = "a:80") -> tuple[Series, ...]:
    labels = {"service": service, "job": "api", "instance": instance}
    return tuple(
        Series(
            name="llm_seconds_bucket",
            labels={**labels, "le": le},
            value=grows(100 if le == "+Inf" else 10 * float(le)),
        )
        for le in (*boundaries, "+Inf")
    )


def within(service: str, le: str) -> dict[str, str]:
    selector = f'llm_seconds_bucket{{service="{service}",le='
    return {"good": f'{selector}"{le}"}}', "total": f'{selector}"+Inf"}}'}


def _classic(service: str, *boundaries: str, later: str = "") -> tuple[Series, ...]:
    """Return a classic histogram of vLLM, of the name that its preset reads.

    One of its boundaries may have been added later, half a day ago.
    """
    name, labels = "vllm:time_to_first_token_seconds", {"model_name": service, "job": "vllm"}
    found = [
        Series(
            name=f"{name}_bucket",
            labels={**labels, "le": le},
            value=grows(
                100 if le == "+Inf" else 30 * float(le), start=MINUTES - 720 if le == later else 0
            ),
        )
        for le in (*boundaries, "+Inf")
    ]
    return (*found, Series(name=f"{name}_count", labels=labels, value=grows()))


def _first_token(service: str, threshold: str) -> dict[str, Any]:
    preset = "vllm/time-to-first-token"
    return {"preset": preset, "threshold": threshold, "labels": {"model_name": service}}


HEALTHY: Final[Mapping[str, Planted]] = {
    "healthy": Planted(series=both("healthy"), sli=ratio("healthy")),
    "flawless": Planted(series=(counted("flawless", code="200"),), sli=ratio("flawless")),
    "flawless-grpc": Planted(
        series=(counted("flawless-grpc", code="OK"),),
        sli=ratio("flawless-grpc", 'code=~"INTERNAL|UNAVAILABLE"'),
    ),
    "restarts": Planted(
        series=(counted("restarts", _restarts, code="200"), counted("restarts", code="500")),
        sli=ratio("restarts"),
    ),
    "two-pods": Planted(
        series=(*both("two-pods"), *both("two-pods", instance="b:80")), sli=ratio("two-pods")
    ),
    "real-replicas": Planted(
        series=(
            counted("real-replicas", code="200", replica="1", instance="r:1"),
            counted("real-replicas", code="200", replica="2", instance="r:2"),
        ),
        sli=ratio("real-replicas"),
    ),
    "two-jobs": Planted(
        series=(
            counted("two-jobs", code="200", job="chat"),
            counted("two-jobs", grows(30), code="200", job="batch", instance="b:80"),
        ),
        sli=ratio("two-jobs"),
    ),
    "renamed": Planted(
        series=both("renamed"),
        sli={
            "bad": 'llm_requests_total{service="renamed",code="500"}',
            "total": 'sum(increase(llm_requests_total{service="renamed"}[$window]))'
            ' or sum(increase(llm_old_total{service="renamed"}[$window]))',
        },
    ),
    "fast": Planted(series=buckets("fast", "1", "2.5"), sli=within("fast", "2.5")),
    "preset": Planted(series=_classic("preset", "1", "2.5"), sli=_first_token("preset", "2.5s")),
    "money": Planted(
        series=(counted("money", code="200"),),
        sli={"spent": 'llm_requests_total{service="money"}'},
    ),
    "up": Planted(
        series=(Series(name="up", labels={"service": "up"}, value=lambda _: 1),),
        sli={"gauge": 'up{service="up"}'},
    ),
}
"""Services that nothing is wrong with."""

SICK: Final[Mapping[str, Planted]] = {
    "metric-name": Planted(
        series=both("metric-name"),
        sli={**ratio("metric-name"), "total": 'llm_request_total{service="metric-name"}'},
        finds={"metric": "fault"},
        words=("there is no metric llm_request_total", "there is llm_requests_total"),
    ),
    "no-such-metric": Planted(
        series=both("no-such-metric"),
        sli={**ratio("no-such-metric"), "total": "wholly_other_name"},
        finds={"metric": "fault"},
        words=("no metric wholly_other_name", "is scraped"),
    ),
    "no-error-metric": Planted(
        series=both("no-error-metric"),
        sli={**ratio("no-error-metric"), "bad": 'failures{service="no-error-metric"}'},
        finds={"metric": "doubt", "contradicted": "fault"},
        words=("nothing ever failed, or the name is wrong", "export the counter at 0", "1,440"),
    ),
    "label-value": Planted(
        series=both("label-value"),
        sli=ratio("label-valeu"),
        finds={"labels": "fault"},
        words=("no series has service=", "the nearest is label-value"),
    ),
    "label-name": Planted(
        series=both("label-name"),
        sli=ratio("label-name", 'cod="500"'),
        finds={"labels": "fault", "contradicted": "fault"},
        words=("the metric has no label cod; it has code",),
    ),
    "both-labels": Planted(
        series=both("both-labels"),
        sli={"spent": 'llm_requests_total{service="both-lables",job="appi"}'},
        finds={"labels": "fault"},
        words=("no series has", "correct the value"),
    ),
    "class": Planted(
        series=both("class"),
        sli=ratio("class", 'code="5xx"'),
        finds={"labels": "fault"},
        words=("code is 500, 200", 'write code=~"5.."'),
    ),
    "class-without-errors": Planted(
        series=(counted("class-without-errors", code="200"),),
        sli=ratio("class-without-errors", 'code="5xx"'),
        finds={"labels": "fault"},
        words=("code is 200",),
    ),
    "reason": Planted(
        series=(counted("reason", reason="stop"),),
        sli=ratio("reason", 'reason="error"'),
        finds={"labels": "doubt"},
        words=("none was bad, or it is spelt otherwise",),
    ),
    "reason-misspelt": Planted(
        series=(counted("reason-misspelt", reason="error"), counted("reason-misspelt")),
        sli=ratio("reason-misspelt", 'reason="eror"'),
        finds={"labels": "fault"},
        words=("the nearest is error",),
    ),
    "boundary": Planted(
        series=buckets("boundary", "1", "2.5"),
        sli=within("boundary", "2"),
        finds={"boundary": "fault"},
        words=("the next stricter is 1, the next laxer is 2.5",),
    ),
    "boundary-pattern": Planted(
        series=buckets("boundary-pattern", "1", "2.5"),
        sli={
            "good": 'llm_seconds_bucket{service="boundary-pattern",le=~"2|2.0"}',
            "total": 'llm_seconds_bucket{service="boundary-pattern",le="+Inf"}',
        },
        finds={"labels": "fault"},
        words=('no series has le=~"2|2.0"',),
    ),
    "boundary-since-noon": Planted(
        series=_classic("boundary-since-noon", "1", "2.5", later="2.5"),
        sli=_first_token("boundary-since-noon", "2.5s"),
        finds={"boundary": "fault"},
        words=("1 histograms had no le", "in a part of the window"),
    ),
    "no-name": Planted(
        series=both("no-name"),
        sli={
            "bad": 'llm_requests_total{service="no-name",code="500"}',
            "total": '{service="no-nmae"}',
        },
        finds={"labels": "fault"},
        words=("the nearest is no-name",),
    ),
    "boundary-of-preset": Planted(
        series=_classic("boundary-of-preset", "1", "2.5"),
        sli=_first_token("boundary-of-preset", "2s"),
        finds={"boundary": "fault"},
        words=("2s is not a boundary", "the next stricter is 1s, the next laxer is 2.5s"),
    ),
    "preset-of-nothing": Planted(
        series=(),
        sli=_first_token("preset-of-nothing", "2.5s"),
        finds={"labels": "fault"},
        words=('no series has model_name="preset-of-nothing"',),
    ),
    "two-versions": Planted(
        series=(*buckets("two-versions", "1", "2"), *buckets("two-versions", "1", instance="b")),
        sli=within("two-versions", "2"),
        finds={"boundary": "fault", "labels": "doubt"},
        words=('1 of 2 histograms have le="2"',),
    ),
    "several": Planted(
        series=both("several"),
        sli={
            **ratio("several"),
            "total": 'increase(llm_requests_total{service="several"}[$window])',
        },
        finds={"one-number": "fault"},
        words=("2 series came back instead of one",),
    ),
    "more-bad": Planted(
        series=both("more-bad"),
        sli={
            "bad": 'llm_requests_total{service="more-bad"}',
            "total": 'llm_requests_total{service="more-bad",code="500"}',
        },
        finds={"within-total": "fault"},
        words=("bad is 145,440 and total 1,440",),
    ),
    "idle": Planted(
        series=(counted("idle", lambda _: 7.0, code="200"),),
        sli=ratio("idle"),
        finds={"counted": "fault"},
        words=("no_traffic", "whether requests reach the service"),
    ),
    "gauge": Planted(
        series=(Series(name="llm_inflight", labels={"service": "gauge"}, value=_wobbles),),
        sli={"spent": 'llm_inflight{service="gauge"}'},
        finds={"counter": "fault"},
        words=("1 series of llm_inflight", "a gauge"),
    ),
    "gauge-by-slices": Planted(
        series=(Series(name="llm_queue", labels={"service": "slices"}, value=_wobbles),),
        sli={"spent": "sum_over_time((sum(increase(llm_queue[5m])))[$window:5m])"},
        finds={"counter": "fault"},
        words=("1 series of llm_queue", "a gauge"),
    ),
    "born": Planted(
        series=(counted("born", code="200"), counted("born", _late(5000), code="500")),
        sli=ratio("born"),
        finds={"born": "fault"},
        words=("5,000 failures before that are not counted", "at 0 from the start"),
    ),
    "born-low": Planted(
        series=(
            counted("born-low", code="200"),
            counted("born-low", _late(4), code="500"),
        ),
        sli=ratio("born-low"),
        finds={"born": "doubt"},
        words=("4 failures before that are not counted",),
        victoria={},  # its increase takes a small first value for an increase from zero
    ),
    "young": Planted(
        series=(counted("young", grows(start=MINUTES - 600), code="200"),),
        sli=ratio("young"),
        finds={"coverage": "doubt"},
        words=("the oldest data are of 2026-10-31 14:00 UTC", "41% of 1d"),
    ),
    "young-server": Planted(
        series=(counted("young-server", grows(first=1e6, start=MINUTES - 600), code="200"),),
        sli=ratio("young-server"),
        finds={"coverage": "doubt"},
    ),
    "gap": Planted(
        series=(counted("gap", but(grows(), range(700, 940)), code="200"),),
        sli=ratio("gap"),
        finds={"gaps": "doubt"},
        words=("1 gap without data",),
    ),
    "stale": Planted(
        series=(counted("stale", grows(stop=MINUTES - 120), code="200"),),
        sli=ratio("stale"),
        finds={"freshness": "fault"},
        words=("2h old; the policy's max_age is 10m",),
        victoria={"freshness": "fault"},
    ),
    "pair": Planted(
        series=(
            *both("pair", prometheus_replica="a"),
            *both("pair", prometheus_replica="b"),
        ),
        sli=ratio("pair"),
        finds={"replicas": "fault"},
        words=("grouped by prometheus_replica alone", "--query.replica-label"),
    ),
    "perhaps-a-pair": Planted(
        series=(
            counted("perhaps-a-pair", code="200", replica="a"),
            counted("perhaps-a-pair", code="200", replica="b"),
        ),
        sli=ratio("perhaps-a-pair"),
        finds={"replicas": "doubt"},
        words=("with nearly the same value",),
    ),
    "gateway-and-engine": Planted(
        series=(
            counted("gateway-and-engine", grows(101), code="200", job="gateway"),
            counted("gateway-and-engine", code="200", job="engine", instance="b:80"),
        ),
        sli=ratio("gateway-and-engine"),
        finds={"sources": "doubt"},
        words=("counts 145,440", "counts 144,000", "a gateway and the engine"),
    ),
    "scraped-twice": Planted(
        series=(
            counted("scraped-twice", code="200", job="one"),
            counted("scraped-twice", grows(70), code="200", job="two"),
        ),
        sli=ratio("scraped-twice"),
        finds={"sources": "fault"},
        words=("1 instances of", "scraped by several jobs"),
    ),
    "fraction": Planted(
        series=buckets("fraction", "1", "2.5"),
        sli={
            "good": "histogram_fraction(0, 2, sum by (le) (increase("
            'llm_seconds_bucket{service="fraction"}[$window])))',
            "total": 'llm_seconds_bucket{service="fraction",le="+Inf"}',
        },
        finds={"version": "fault"},
        words=("needs Prometheus 3.4, the server is 2.42",),
        victoria={"counted": "fault"},
    ),
    "no-promql": Planted(
        series=both("no-promql"),
        sli={**ratio("no-promql"), "bad": 'sum(increase(x{service="no-promql"}[$window])) by'},
        finds={"counted": "fault", "metric": "doubt"},
        words=("parse error",),
    ),
}
"""One thing wrong each."""
PLANTED: Final = {**HEALTHY, **SICK}


def write_text(path: Path, planted: Mapping[str, Planted] = PLANTED) -> None:
    """Write every series as the text that promtool and VictoriaMetrics read."""
    with path.open("w", encoding="utf-8") as file:
        for one in planted.values():
            for series in one.series:
                file.writelines(_lines(series))
        file.write("# EOF\n")


def _lines(series: Series) -> Iterator[str]:
    begin = int((END - timedelta(minutes=MINUTES)).timestamp())
    labels = ",".join(f"{name}={json.dumps(value)}" for name, value in series.labels.items())
    for minute in range(MINUTES + 1):
        value = series.value(minute)
        if value is not None:
            yield f"{series.name}{{{labels}}} {value:.12g} {begin + minute * 60}\n"
