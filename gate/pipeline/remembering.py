"""Asking for a history once, whoever wants to know."""

from collections.abc import Sequence
from datetime import datetime

from gate.backends import history_of
from gate.slo.coarser import coarser, covers
from gate.slo.history import History, SeriesAnswer, SeriesRequest
from gate.slo.measurement import Answer, Backend, CountRequest

Told = list[tuple[SeriesRequest, SeriesAnswer]]


class Remembering:
    """A backend with a history that answers from what it has been told, where that is enough."""

    def __init__(self, backend: Backend, history: History) -> None:
        self._backend = backend
        self._history = history
        self._told: Told = []

    def measure(self, requests: Sequence[CountRequest], at: datetime) -> list[Answer]:
        """Count, as the backend does."""
        return self._backend.measure(requests, at)

    def history(self, requests: Sequence[SeriesRequest]) -> list[SeriesAnswer]:
        """Return what happened when; what one answer has in it for several is asked for once.

        Of two such requests the one that has it all stands before the other.
        """
        asked = [request for request, _ in self._told]
        missing: list[SeriesRequest] = []
        for wanted in requests:
            if not any(covers(one, wanted) for one in (*asked, *missing)):
                missing.append(wanted)
        if missing:
            self._told += zip(missing, self._history.history(missing), strict=True)
        return [self._known(wanted) for wanted in requests]

    def _known(self, wanted: SeriesRequest) -> SeriesAnswer:
        asked, answer = next(one for one in self._told if covers(one[0], wanted))
        return answer if asked == wanted else coarser(answer, asked, wanted)


def remembering(backend: Backend) -> Backend:
    """Return a backend that asks for no history twice; one that keeps none stays as it is."""
    history = history_of(backend)
    return backend if history is None else Remembering(backend, history)
