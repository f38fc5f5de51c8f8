"""The policies that the benchmarks run."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

SERVICES = ("peak", "trough", "resets", "gap", "flawless", "born", "isolated", "unaligned")
TIERS = [
    {"name": "healthy", "remaining": "> 10%", "allow": "all"},
    {"name": "exhausted", "otherwise": True, "allow": ["rollback"]},
]
FOUR_WINDOWS = [
    {"long": "1h", "short": "5m", "rate": 14.4},
    {"long": "6h", "short": "1h", "rate": 6},
]
"""With the budget's own 30 days: 30d, 6h, 1h and 5m."""


def slo(name: str, selector: str, failed: str) -> dict[str, Any]:
    """Return an SLO of 99.9% over 30 days on a counter with a code label."""
    total, bad = f"{{{selector}}}", f"{{{selector},{failed}}}"
    return {
        "name": name,
        "objective": "99.9%",
        "window": "30d",
        "sli": {"bad": f"llm_requests_total{bad}", "total": f"llm_requests_total{total}"},
    }


def availability(service: str) -> dict[str, Any]:
    """Return an SLO on a service of the history."""
    return slo(service, f'service="{service}"', 'code="500"')


def write_policy(
    path: Path, backend: dict[str, Any] | None, slos: Sequence[dict[str, Any]], **more: Any
) -> Path:
    """Write a policy file; without a backend, ``more`` has several."""
    document = {
        "version": 1,
        "service": "chat",
        **({} if backend is None else {"backend": backend}),
        "slos": list(slos),
        "tiers": TIERS,
        **more,
    }
    path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    return path
