"""What a policy promises, written for other tools."""

from importlib import import_module
from typing import Final

from gate.exporters.indicator import Exported
from gate.policy.policy import Policy

EXPORTERS: Final[dict[str, str]] = {
    "openslo": "gate.exporters.openslo",
    "sloth": "gate.exporters.sloth",
    "prometheus-rules": "gate.exporters.prometheus_rules",
    "grafana-dashboard": "gate.exporters.grafana_dashboard",
}
"""The formats by name, each a module with ``export``."""


def export(name: str, policy: Policy) -> Exported:
    """Write a policy, whose backend speaks PromQL, in a format.

    Raises:
        UsageError: a package that it needs is not installed.
    """
    exported: Exported = import_module(EXPORTERS[name]).export(policy)
    return exported
