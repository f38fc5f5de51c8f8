"""The backends by name. A new one is a module with an ``open_backend`` and a line here.

A module is imported only when a policy names it.
"""

from collections.abc import Mapping
from importlib import import_module
from typing import Final

from gate.settings import Limits, Settings
from gate.slo.measurement import Backend

BACKENDS: Final[Mapping[str, str]] = {
    "prometheus": "gate.backends.prometheus",
    "logs": "gate.backends.logs",
    "static": "gate.backends.static",
}
"""The module of each kind of `Settings`."""


def open_backend(settings: Settings, limits: Limits) -> Backend:
    """Import and open the backend that these settings are for.

    Opening does not touch the network and does not read the data: what fails there is an answer.

    Raises:
        UsageError: a package that the backend needs is not installed.
    """
    module = import_module(BACKENDS[settings.kind])
    backend: Backend = module.open_backend(settings, limits)
    return backend
