"""The ways in which a policy says what is bad, and what the service exposes for each."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from benchmarks.truth.generator import Counter, Page

OLD_FAMILY: Final = "vllm:time_per_output_token"
NEW_FAMILY: Final = "vllm:inter_token_latency"
"""What vLLM calls the same since 0.11."""
FAST: Final = {"0.5": (0.7, 0.0), "2": (1.0, 0.0), "8": (1.0, 0.6), "+Inf": (1.0, 1.0)}
"""By upper bound in seconds: which share of the good and of the bad events is no slower."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """How a service calls itself and its metrics."""

    prefix: str
    service: str

    def metric(self, name: str, labels: str = "") -> str:
        """Return a selector of the service's own series."""
        comma = "," if labels else ""
        return f'{self.prefix}_{name}{{service="{self.service}"{comma}{labels}}}'


@dataclass(frozen=True, slots=True, kw_only=True)
class Indicator:
    """One way."""

    name: str
    sli: Callable[[Names], Mapping[str, Any]]
    """As the policy has it."""
    page: Callable[[str], Page]
    """What a pod exposes, by the prefix of its metrics."""
    status: str = ""
    """The label that tells good from bad; empty: it takes another metric."""
    bad: str = ""
    """The suffix of the metric that has only bad events; empty: there is none."""
    total: str = ""
    """The suffix of the metric that has all events, or the good ones where none has all."""


def _increase(selector: str) -> str:
    return f"sum(increase({selector}[$window]))"


def _code(prefix: str) -> Page:
    name = f"{prefix}_requests_total"
    return (
        Counter(name=name, labels={"code": "200"}, good=1),
        Counter(name=name, labels={"code": "500"}, bad=1, lazy=True),
    )


def _outcome(prefix: str) -> Page:
    name = f"{prefix}_requests_total"
    return (
        Counter(name=name, labels={"outcome": "success"}, good=1),
        Counter(name=name, labels={"outcome": "error"}, bad=1),
    )


def _two_metrics(prefix: str) -> Page:
    return (
        Counter(name=f"{prefix}_requests_total", good=1, bad=1),
        Counter(name=f"{prefix}_errors_total", bad=1),
    )


def _reasons(prefix: str) -> Page:
    return (
        Counter(name=f"{prefix}_requests_total", good=1, bad=1),
        Counter(name=f"{prefix}_errors_total", labels={"reason": "internal"}, bad=0.75, lazy=True),
        Counter(name=f"{prefix}_errors_total", labels={"reason": "timeout"}, bad=0.25, lazy=True),
    )


def _status_beside(prefix: str) -> Page:
    total = f"{prefix}_requests_total"
    return (
        Counter(name=total, labels={"status_code": "200"}, good=1, lazy=True),
        Counter(name=total, labels={"status_code": "500"}, bad=1, lazy=True),
        Counter(
            name=f"{prefix}_failed_requests_total",
            labels={"exception_status": "500"},
            bad=1,
            lazy=True,
        ),
    )


def _succeeded_failed(prefix: str) -> Page:
    return (
        Counter(name=f"{prefix}_succeeded_total", good=1),
        Counter(name=f"{prefix}_failed_total", bad=1),
    )


def _histogram(prefix: str) -> Page:
    name = f"{prefix}_duration_seconds"
    buckets = [
        Counter(name=f"{name}_bucket", labels={"le": bound}, good=good, bad=bad)
        for bound, (good, bad) in FAST.items()
    ]
    return (*buckets, Counter(name=f"{name}_count", good=1, bad=1))


def _token_times(_prefix: str) -> Page:
    name = f"{OLD_FAMILY}_seconds"
    bounds = {"0.05": (0.7, 0.0), "0.1": (1.0, 0.0), "0.5": (1.0, 0.6), "+Inf": (1.0, 1.0)}
    buckets = [
        Counter(name=f"{name}_bucket", labels={"le": bound}, good=good, bad=bad)
        for bound, (good, bad) in bounds.items()
    ]
    return (*buckets, Counter(name=f"{name}_count", good=1, bad=1))


def _recorded(prefix: str) -> Page:
    return (
        Counter(name=f"{prefix}:requests:increase2m", good=1, bad=1, recorded=True),
        Counter(name=f"{prefix}:errors:increase2m", bad=1, recorded=True),
    )


INDICATORS: Final = (
    Indicator(
        name="status code, by selectors",
        sli=lambda names: {
            "bad": names.metric("requests_total", 'code=~"5.."'),
            "total": names.metric("requests_total"),
        },
        page=_code,
        status="code",
        total="_requests_total",
    ),
    Indicator(
        name="outcome, by sums",
        sli=lambda names: {
            "bad": _increase(names.metric("requests_total", 'outcome="error"')),
            "total": _increase(names.metric("requests_total")),
        },
        page=_outcome,
        status="outcome",
        total="_requests_total",
    ),
    Indicator(
        name="a metric of errors",
        sli=lambda names: {
            "bad": names.metric("errors_total"),
            "total": names.metric("requests_total"),
        },
        page=_two_metrics,
        bad="_errors_total",
        total="_requests_total",
    ),
    Indicator(
        name="a metric of errors with reasons",
        sli=lambda names: {
            "bad": names.metric("errors_total"),
            "total": names.metric("requests_total"),
        },
        page=_reasons,
        bad="_errors_total",
        total="_requests_total",
    ),
    Indicator(
        name="a metric of failures, and a status of the total",
        sli=lambda names: {
            "bad": names.metric("failed_requests_total"),
            "total": names.metric("requests_total"),
        },
        page=_status_beside,
        bad="_failed_requests_total",
        total="_requests_total",
    ),
    Indicator(
        name="good ones of all",
        sli=lambda names: {
            "good": names.metric("requests_total", 'outcome="success"'),
            "total": names.metric("requests_total"),
        },
        page=_outcome,
        status="outcome",
        total="_requests_total",
    ),
    Indicator(
        name="good and bad",
        sli=lambda names: {
            "good": names.metric("succeeded_total"),
            "bad": names.metric("failed_total"),
        },
        page=_succeeded_failed,
        bad="_failed_total",
        total="_succeeded_total",
    ),
    Indicator(
        name="histogram",
        sli=lambda names: {
            "histogram": f"{names.prefix}_duration_seconds",
            "labels": {"service": names.service},
            "threshold": "2s",
        },
        page=_histogram,
    ),
    Indicator(
        name="buckets, by selectors",
        sli=lambda names: {
            "good": names.metric("duration_seconds_bucket", 'le="2"'),
            "total": names.metric("duration_seconds_count"),
        },
        page=_histogram,
    ),
    Indicator(
        name="a preset of two families",
        sli=lambda names: {
            "preset": "vllm/inter-token-latency",
            "labels": {"service": names.service},
            "threshold": "100ms",
        },
        page=_token_times,
    ),
    Indicator(
        name="recorded",
        sli=lambda names: {
            role: f"sum(sum_over_time({names.prefix}:{metric}:increase2m"
            f'{{service="{names.service}"}}[$window]))'
            for role, metric in (("bad", "errors"), ("total", "requests"))
        },
        page=_recorded,
        bad=":errors:increase2m",
        total=":requests:increase2m",
    ),
)
