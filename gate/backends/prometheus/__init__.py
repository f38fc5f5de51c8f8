"""Counts from a server with the Prometheus HTTP API: Prometheus, Mimir, Thanos, VictoriaMetrics.

All numbers of a run are requested in one batched query, or in several queries at once.
"""

from typing import TYPE_CHECKING, Final

from gate.backends import Registration, Starter
from gate.backends.logins import keys_of_logins
from gate.backends.prometheus.secrecy import secrets
from gate.backends.prometheus.settings import BLOCK, PrometheusSettings, files
from gate.measure import Backend, Limits
from gate.slo.indicator import Sli, Slices

if TYPE_CHECKING:
    from gate.measure.diagnosis import Doctor


def _open(settings: PrometheusSettings, limits: Limits) -> Backend:
    # The backend imports requests, which takes longer than all other modules of the gate.
    from gate.backends.prometheus.backend import PrometheusBackend  # noqa: PLC0415
    from gate.backends.prometheus.client import Client  # noqa: PLC0415

    return PrometheusBackend(
        client=Client(settings), timeout=limits.timeout, parallel=settings.parallel
    )


def _open_doctor(settings: PrometheusSettings, limits: Limits) -> "Doctor":
    from gate.backends.prometheus.client import Client  # noqa: PLC0415 - as above
    from gate.backends.prometheus.doctor.examination import PrometheusDoctor  # noqa: PLC0415

    return PrometheusDoctor(
        client=Client(settings), timeout=limits.timeout, parallel=settings.parallel
    )


def _mistake_in(sli: Sli, slices: Slices | None) -> str | None:
    from gate.backends.prometheus.planning import mistake_in  # noqa: PLC0415 - as above

    return mistake_in(sli, slices)


_STARTER: Final = Starter(
    block="""\
backend:
  type: prometheus            # also Mimir, Thanos, VictoriaMetrics, Grafana Cloud
  url: "$${PROMETHEUS_URL}"    # the part before /api/v1
  # auth: {bearer: "$${PROMETHEUS_TOKEN}"}
  # headers: {X-Scope-OrgID: my-tenant}

""",
    slos="""\
slos:
  - name: availability
    objective: 99.9%          # 0.1% of requests may fail
    window: 30d
    sli:
      bad: http_requests_total{status=~"5.."}   # a bare selector means its summed increase
      total: http_requests_total
  - name: latency
    objective: 95%            # a P95 objective: 95% of requests are fast enough
    window: 30d
    sli:
      histogram: http_request_duration_seconds
      threshold: 2.5s         # must be a boundary of the histogram
""",
    advice="set PROMETHEUS_URL",
)
"""For any service that counts its requests."""
REGISTRATION: Final = Registration(
    settings=PrometheusSettings,
    block=BLOCK,
    open=_open,
    open_doctor=_open_doctor,
    secrets=secrets,
    files=files,
    public=frozenset(
        {
            "auth.username",
            "auth.bearer_file",
            "auth.password_file",
            "headers",
            "parameters",
            "method",
            "tls.ca",
            "tls.cert",
            "tls.key",
            *keys_of_logins(secret=False),
        }
    ),
    starter=_STARTER,
    indicators=frozenset({"ratio", "histogram", "gauge", "spent"}),
    keeps_history=True,
    promql=True,
    mistake_in=_mistake_in,
    max_age=lambda _: None,
    reads_rows=False,
)
