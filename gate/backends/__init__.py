"""The backends by name. A new one is a module with an ``open_backend`` and a line in each table.

A module is imported only when a policy names it.
"""

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Final

from gate.measure.counts import Backend
from gate.measure.history import HistoryBackend
from gate.settings import Limits, Settings

if TYPE_CHECKING:  # every measuring command comes by here
    from gate.measure.cohorts import CohortBackend
    from gate.measure.diagnosis import Doctor

BACKENDS: Final[Mapping[str, str]] = {
    "prometheus": "gate.backends.prometheus",
    "logs": "gate.backends.logs",
    "static": "gate.backends.static",
}
"""The module of each kind of `Settings`."""
DOCTORS: Final[Mapping[str, str]] = {
    "prometheus": "gate.backends.prometheus.doctor",
    "logs": "gate.backends.logs.doctor",
    "static": "gate.backends.static_doctor",
}
"""The module with the ``open_doctor`` of each."""


def open_backend(settings: Settings, limits: Limits) -> Backend:
    """Import and open the backend that these settings are for.

    Opening does not touch the network and does not read the data: what fails there is an answer.

    Raises:
        UsageError: a package that the backend needs is not installed.
    """
    module = import_module(BACKENDS[settings.kind])
    backend: Backend = module.open_backend(settings, limits)
    return backend


def open_doctor(settings: Settings, limits: Limits) -> "Doctor":
    """Import and open the doctor of the backend that these settings are for.

    Raises:
        UsageError: a package that the backend needs is not installed.
    """
    module = import_module(DOCTORS[settings.kind])
    doctor: Doctor = module.open_doctor(settings, limits)
    return doctor


def history_of(backend: Backend) -> HistoryBackend | None:
    """Return what tells the history of a backend; None where it keeps none."""
    known: Backend | HistoryBackend = backend
    return known if isinstance(known, HistoryBackend) else None


def cohorts_of(backend: Backend) -> "CohortBackend | None":
    """Return what tells a backend's events apart by labels; None where it cannot."""
    from gate.measure.cohorts import CohortBackend  # noqa: PLC0415 - for one command only

    known: Backend | CohortBackend = backend
    return known if isinstance(known, CohortBackend) else None
