"""Counts from a server with the Prometheus HTTP API: Prometheus, Mimir, Thanos, VictoriaMetrics.

All the numbers of a run are asked for in one batched query, or in several at once.
"""

from gate.backends.prometheus.backend import PrometheusBackend
from gate.backends.prometheus.client import Client
from gate.measure.counts import Backend
from gate.settings import Limits, PrometheusSettings


def open_backend(settings: PrometheusSettings, limits: Limits) -> Backend:
    """Open the backend; nothing is sent yet."""
    return PrometheusBackend(
        client=Client(settings), timeout=limits.timeout, parallel=settings.parallel
    )
