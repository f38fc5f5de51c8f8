"""The third contract, of backends that can group events by labels."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from datetime import timedelta
from typing import Final, NamedTuple, Protocol, runtime_checkable

from gate.dataclass import dataclass
from gate.measure import Unmeasured
from gate.measure.history import let_go
from gate.slo.indicator import Sli
from gate.slo.objective import Span

LabelValues = tuple[str, ...]
"""One value for each label that was asked for; empty: the event has no such label, or NULL."""
OTHERS: Final = "(others)"
"""Stands for all values that are not among the busiest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CohortRequest:
    """A request for the events in each step of a stretch of time, for each value of some labels."""

    sli: Sli
    span: Span
    step: timedelta
    """Each leaves its start out and includes its end; the newest ends with the span."""
    by: tuple[str, ...]
    """Labels (Prometheus), or columns and expressions about a row (logs); at least one."""
    most: int
    """How many values of each label are kept separate: those with the most events."""
    keep: str | None = None
    """A value of the first label that is kept separate however few events it has."""

    @property
    def steps(self) -> int:
        """How many steps there are, with the newest, be it whole or not."""
        return -(-self.span.length // self.step)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cohort:
    """Events of one group by step, the oldest first; None: unknown in that step."""

    total: tuple[float | None, ...]
    bad: tuple[float | None, ...]
    """Known wherever the total is. Of a step it may lie a little outside of 0 to total, where a
    server extrapolates; of all steps together it does not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cohorts:
    """Every group that had an event; at least one."""

    groups: Mapping[LabelValues, Cohort]
    query: str
    notes: tuple[str, ...] = ()


CohortAnswer = Cohorts | Unmeasured


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelRequest:
    """A request for the events in some stretches of time, for each value of every label."""

    sli: Sli
    spans: tuple[Span, ...]
    """At least one; they may overlap."""
    most: int
    """A label with more values than this among all events says too little, and is left out."""


class EventCounts(NamedTuple):
    """Events of a stretch of time, and how many of them were bad."""

    total: float
    bad: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelCounts:
    """The events of each value of each label, beside each other and not in combination."""

    labels: Mapping[str, Mapping[str, tuple[EventCounts, ...]]]
    """Label, value, and the counts of each span; the value is empty where an event has none."""
    left_out: Mapping[str, int] = field(default_factory=dict)
    """Labels with too many values, and how many those are at least."""


LabelAnswer = LabelCounts | Unmeasured


@runtime_checkable
class LabelBackend(Protocol):
    """Anything that knows which labels events have. Not every backend does."""

    def label_counts(self, requests: Sequence[LabelRequest]) -> list[LabelAnswer]:
        """Return what happened by label, for every request in order; never raises.

        Labels that identify single processes or requests (`IDENTITIES`) are left out.
        Counts may be as inexact as what a server extrapolates: they are for shares.
        """
        ...


IDENTITIES: Final = (
    *("instance", "pod", "pod_name", "pod_ip", "container_id", "uid", "replica_id", "hostname"),
    *("node", "host", "host_name", "ip", "client_ip", "engine_id", "worker_id", "process_id"),
    *("request_id", "requestid", "trace_id", "traceid", "span_id", "session_id", "user_id"),
    *("conversation_id", "call_id", "message_id", "response_id", "id"),
)
"""Labels of single processes, users and requests. The doctor and the dashboards know
more about a single failing instance; thousands of values show no cause and cost the most."""


@runtime_checkable
class CohortBackend(Protocol):
    """Anything that can group events by labels. Not every backend can."""

    def cohorts(self, requests: Sequence[CohortRequest]) -> list[CohortAnswer]:
        """Return what happened to each group, for every request in order; never raises.

        No event is left out: the groups together are what `Backend.measure` counts over the span,
        but for what a server extrapolates at the ends of each step.
        """
        ...


@runtime_checkable
class BatchedCohorts(Protocol):
    """A backend that groups events for a few requests at a time, and keeps no answer."""

    def each_cohorts(self, requests: Sequence[CohortRequest]) -> Iterator[CohortAnswer]:
        """Yield the answers of `CohortBackend.cohorts`; as `BatchedHistory.each_history` does."""
        ...


def each_cohort_answer(
    backend: CohortBackend, requests: Sequence[CohortRequest]
) -> Iterator[CohortAnswer]:
    """Yield the answer to every request in order, as `each_answer` does of histories.

    Raises:
        RuntimeError: a backend without batches does not give one answer to each request.
    """
    if isinstance(backend, BatchedCohorts):
        yield from backend.each_cohorts(requests)
    else:
        yield from let_go(backend.cohorts(requests), len(requests))


def busiest(
    groups: Mapping[LabelValues, Cohort], request: CohortRequest
) -> dict[LabelValues, Cohort]:
    """Put together, as `OTHERS`, what is not among the busiest values of a label."""
    kept = [_kept(groups, place, request) for place in range(len(request.by))]
    together: dict[LabelValues, Cohort] = {}
    for values, cohort in groups.items():
        pairs = zip(values, kept, strict=True)
        key = tuple(value if value in some else OTHERS for value, some in pairs)
        together[key] = _added(together[key], cohort) if key in together else cohort
    return together


def cut_note(label: str, most: int, values: int) -> str:
    """Say that not all values of a label are compared."""
    busiest = f"only the {most} busiest of {values:,} values of {label} are compared"
    return f"{busiest}; the others are one group"


def _kept(groups: Mapping[LabelValues, Cohort], place: int, request: CohortRequest) -> set[str]:
    events: dict[str, float] = {}
    for values, cohort in groups.items():
        events.setdefault(values[place], 0.0)
        events[values[place]] += sum(total or 0.0 for total in cohort.total)
    ranked = sorted(events, key=lambda value: (-events[value], value))[: request.most]
    return {*ranked, *([request.keep] if place == 0 and request.keep is not None else [])}


def _added(cohort: Cohort, other: Cohort) -> Cohort:
    return Cohort(total=_sums(cohort.total, other.total), bad=_sums(cohort.bad, other.bad))


def _sums(first: Sequence[float | None], other: Sequence[float | None]) -> tuple[float | None, ...]:
    return tuple(
        None if a is None and b is None else (a or 0.0) + (b or 0.0)
        for a, b in zip(first, other, strict=True)
    )
