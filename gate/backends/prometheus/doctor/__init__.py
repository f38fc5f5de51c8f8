"""Whether what a Prometheus server counts can be trusted: each check a small module.

All SLOs' questions go in the same batches as counts do, in three rounds at most: what the server
has, the checks, and what explains why something is missing.
"""

from gate.backends.prometheus.client import Client
from gate.backends.prometheus.doctor.examination import PrometheusDoctor
from gate.measure.diagnosis import Doctor
from gate.settings import Limits, PrometheusSettings


def open_doctor(settings: PrometheusSettings, limits: Limits) -> Doctor:
    """Open the doctor; nothing is sent yet."""
    return PrometheusDoctor(
        client=Client(settings), timeout=limits.timeout, parallel=settings.parallel
    )
