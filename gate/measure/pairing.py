"""The contract of backends that can join each request with its copy by an id.

A request that is mirrored is logged twice under one id. What both share (an outage of a provider, a
prompt that is too long) then makes no difference, and far fewer requests tell which is worse.
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
    """The requests that are joined with their copies."""

    sli: Sli
    span: Span
    step: timedelta
    """The span is a whole number of these; each leaves its start out and includes its end."""
    by: str
    """A column, or an expression about a row, that separates the two."""
    candidate: str
    """Its value for the copy."""
    against: str
    """Its value for the original."""
    pair_by: str
    """A column, or an expression about a row, with the id that both share."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PairSteps:
    """Outcomes of pairs by step, the oldest first.

    A pair is in the step in which the later of the two happened. An id that one side has several
    times has several outcomes, of which one is taken here.
    """

    candidate_only: tuple[int, ...]
    """The copy failed, and the original did not."""
    against_only: tuple[int, ...]
    """The original failed, and the copy did not."""
    both: tuple[int, ...]
    """Both failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unpaired:
    """Events of one side that are in no pair, and ids that are in doubt."""

    events: int
    """All events of this side in the span."""
    alone: int
    """The number of rows whose ids are missing, or that the other side does not have."""
    alone_bad: int
    """Those of them that failed."""
    without_id: int
    """Those of them that have no id: it is NULL or an empty text."""
    repeated: int
    """How many ids this side has more than once, in pairs or not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """Every event of the span: in a pair, or alone."""

    total: tuple[int, ...]
    """The pairs, by step."""
    worst: PairSteps
    """Where an id is repeated, what speaks most against the candidate counts: its copy failed
    if any did, and the original only if all did."""
    best: PairSteps
    """The other way round. Where no id is repeated both are the same."""
    candidate: Unpaired
    against: Unpaired
    query: str


PairAnswer = Pairs | Unmeasured


@runtime_checkable
class PairBackend(Protocol):
    """Anything that sees single requests, and can join them by an id. Not every backend can."""

    def pairs(self, requests: Sequence[PairRequest]) -> list[PairAnswer]:
        """Return what happened to requests and their copies, for each in order; never raises.

        A copy may be logged a little earlier or later than its request: a partner counts wherever
        it is in the span, and also shortly before.
        """
        ...
