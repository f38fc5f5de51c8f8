"""The contract of backends that can join each request with its copy by an id.

A mirrored request is logged twice with one id. Causes that both share (an outage of a provider, a
prompt that is too long) then make no difference, and far fewer requests show which deployment is
worse.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Protocol, runtime_checkable

from gate.dataclass import dataclass
from gate.measure import Unmeasured
from gate.slo.indicator import Sli
from gate.slo.objective import Span


@dataclass(frozen=True, slots=True, kw_only=True)
class PairRequest:
    """A request to join requests with their copies."""

    sli: Sli
    span: Span
    step: timedelta
    """The span is a multiple of the step; a step excludes its start and includes its end."""
    by: str
    """A column, or an expression on a row, that separates the two."""
    candidate: str
    """Its value for the copy."""
    against: str
    """Its value for the original."""
    pair_by: str
    """A column, or an expression on a row, with the id that both share."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PairSteps:
    """The outcomes of pairs by step, the oldest first.

    A pair is in the step in which the later of the two happened. An id that one side has several
    times has several outcomes, one of which is used here.
    """

    candidate_only: tuple[int, ...]
    """The copy failed, and the original did not."""
    against_only: tuple[int, ...]
    """The original failed, and the copy did not."""
    both: tuple[int, ...]
    """Both failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unpaired:
    """The events of one side that are not in a pair, and doubtful ids."""

    events: int
    """All events of this side in the span."""
    alone: int
    """The number of rows whose ids are missing, or missing on the other side."""
    alone_bad: int
    """The number of such rows that failed."""
    without_id: int
    """The number of such rows without an id: it is NULL or an empty text."""
    repeated: int
    """The number of ids that this side has more than once, in pairs or not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """Every event of the span, in a pair or alone."""

    total: tuple[int, ...]
    """The pairs, by step."""
    worst: PairSteps
    """For a repeated id, the outcome that is worst for the candidate: its copy failed if any did,
    and the original only if all did."""
    best: PairSteps
    """For a repeated id, the outcome that is best for the candidate. Without repeated ids both are
    the same."""
    candidate: Unpaired
    against: Unpaired
    query: str


PairAnswer = Pairs | Unmeasured


@runtime_checkable
class PairBackend(Protocol):
    """A backend that sees single requests, and can join them by an id. Not every backend can."""

    def pairs(self, requests: Sequence[PairRequest]) -> list[PairAnswer]:
        """Return the outcomes of requests and their copies, for each in order; never raises.

        A copy may be logged slightly earlier or later than its request: a partner counts anywhere
        in the span, and shortly before it.
        """
        ...
