"""Metrics as a server exposes them: families, label sets, and numbers as its client writes them."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

Format = Callable[[float], str]


def as_python(value: float) -> str:
    """Write a boundary as prometheus_client for Python does: ``10.0``."""
    return repr(float(value))


def as_go(value: float) -> str:
    """Write a boundary as the clients for Go and Rust do: ``10``."""
    return f"{value:g}" if value == int(value) else repr(float(value))


@dataclass
class Page:
    """Everything that one server has counted; a sample is a name with labels and its value."""

    format: Format = as_python
    common: Mapping[str, str] = field(default_factory=dict)
    """Labels that every series carries."""
    samples: dict[tuple[str, tuple[tuple[str, str], ...]], float] = field(default_factory=dict)

    def add(self, name: str, amount: float = 1, /, **labels: str) -> None:
        """Add to a counter (or set it up at zero, with amount 0)."""
        key = (name, tuple({**self.common, **labels}.items()))
        self.samples[key] = self.samples.get(key, 0) + amount

    def observe(
        self,
        name: str,
        value: float,
        boundaries: Iterable[float],
        /,
        *,
        times: int = 1,
        **labels: str,
    ) -> None:
        """Put a value into a histogram so many times."""
        for boundary in boundaries:
            within = times if value <= boundary else 0
            self.add(f"{name}_bucket", within, **labels, le=self.format(boundary))
        self.add(f"{name}_bucket", times, **labels, le="+Inf")
        self.add(f"{name}_count", times, **labels)
        self.add(f"{name}_sum", value * times, **labels)


GAUGES: Final = frozenset(
    {
        "up",
        "dynamo_frontend_model_ready",
        "ray_serve_deployment_replica_healthy",
        "llm_d_epp_ready_endpoints",
        "inference_pool_ready_pods",
        "vllm_router_worker_health",
        "smg_worker_health",
        "kube_deployment_status_replicas_available",
        "probe_success",
        "llm_drift_score",
    }
)
"""Names whose value stands still instead of growing."""
