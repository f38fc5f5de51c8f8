"""How the tests of this folder ask: a backend in this process, and servers without the gate."""

from datetime import datetime, timedelta
from fractions import Fraction

import requests

from gate.backends import open_backend
from gate.backends.prometheus.settings import PrometheusSettings
from gate.measure import Answer, CountRequest, Counts, Limits, Unmeasured
from gate.slo.indicator import Sli
from gate.slo.objective import RollingWindow
from tests.servers.series import END

LIMITS = Limits(timeout=timedelta(seconds=60))


def indicator(service: str) -> Sli:
    """Return the indicator that counts a service of the history."""
    if service == "latency":
        # What a P95 objective of 2 s counts: requests that took no longer.
        bucket = "llm_request_duration_seconds_bucket"
        return Sli(
            good=f'{bucket}{{service="latency",le="2"}}',
            total=f'{bucket}{{service="latency",le="+Inf"}}',
        )
    every = f'llm_requests_total{{service="{service}"}}'
    return Sli(
        bad=f'sum(increase(llm_requests_total{{service="{service}",code="500"}}[$window]))',
        total=f"sum(increase({every}[$window]))",
    )


def request_for(
    sli: Sli, window: timedelta, at: datetime = END, *, probe: bool = False
) -> CountRequest:
    """Return the request for an indicator over the window that ends at ``at``."""
    return CountRequest(sli=sli, span=RollingWindow(window).counted(at), probe=probe)


def measure(url: str, asked: list[CountRequest], at: datetime = END) -> list[Answer]:
    """Ask a server through the gate's backend."""
    return open_backend(PrometheusSettings(url=url), LIMITS).measure(asked, at)


def counts(answer: Answer) -> Counts:
    """Return the answer, which must be counts."""
    assert isinstance(answer, Counts), answer
    return answer


def unmeasured(answer: Answer) -> Unmeasured:
    """Return the answer, which must not be counts."""
    assert isinstance(answer, Unmeasured), answer
    return answer


def plain_query(url: str, query: str, at: datetime = END) -> float:
    """Ask a server without the gate: one number."""
    form = {"query": query, "time": str(at.timestamp())}
    answer = requests.post(f"{url}/api/v1/query", data=form, timeout=60)
    answer.raise_for_status()
    (series,) = answer.json()["data"]["result"]
    return float(series["value"][1])


def consumed(counted: Counts, objective: str) -> Fraction:
    """Return the share of the budget that is spent."""
    return counted.bad / counted.total / (1 - Fraction(objective))
