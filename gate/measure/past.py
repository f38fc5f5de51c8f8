"""Counting at many instants of the past: the contract, and how any backend keeps it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol, runtime_checkable

from gate.dataclass import dataclass
from gate.measure import Answer, Backend, CountRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class PastRun:
    """The requests of one run at its one instant, now or in the past."""

    requests: tuple[CountRequest, ...]
    """Each ends at ``at``."""
    at: datetime


@runtime_checkable
class PastBackend(Protocol):
    """A backend that counts for many runs in less time than one after the other."""

    def measure_past(self, runs: Sequence[PastRun]) -> list[list[Answer]]:
        """Answer every request of every run, in order; never raises.

        Each answer is what `Backend.measure` gives for the run alone.
        """
        ...


def measure_past(backend: Backend, runs: Sequence[PastRun]) -> list[list[Answer]]:
    """Answer every request of every run, in order; one call a run where no more is offered."""
    candidate: Backend | PastBackend = backend
    if isinstance(candidate, PastBackend):
        return candidate.measure_past(runs)
    return [backend.measure(run.requests, run.at) if run.requests else [] for run in runs]
