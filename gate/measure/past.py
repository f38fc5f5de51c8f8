"""Counts at many instants of the past: the contract, and its default for any backend."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol, runtime_checkable

from gate.dataclass import dataclass
from gate.measure import Answer, Backend, CountRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class PastRun:
    """The requests of one run at its one instant, now or in the past."""

    requests: tuple[CountRequest, ...]
    """Each of them ends at ``at``."""
    at: datetime


@runtime_checkable
class PastBackend(Protocol):
    """A backend that counts for many runs faster than for one after the other."""

    def measure_past(self, runs: Sequence[PastRun]) -> list[list[Answer]]:
        """Answer every request of every run, in order; never raises.

        Each answer equals that of `Backend.measure` for the run alone.
        """
        ...


def measure_past(backend: Backend, runs: Sequence[PastRun]) -> list[list[Answer]]:
    """Answer every request of every run, in order; with one call for each run by default."""
    candidate: Backend | PastBackend = backend
    if isinstance(candidate, PastBackend):
        return candidate.measure_past(runs)
    return [backend.measure(run.requests, run.at) if run.requests else [] for run in runs]
