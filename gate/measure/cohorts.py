"""The third contract, of backends that can group events by labels."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from datetime import timedelta
from itertools import groupby
from typing import Final, NamedTuple, Protocol, runtime_checkable

from gate.dataclass import dataclass
from gate.measure import Unmeasured
from gate.measure.coverage import FEWEST
from gate.measure.history import let_go
from gate.slo.indicator import Sli
from gate.slo.objective import Span

LabelValues = tuple[str, ...]
"""One value for each requested label; empty: the event has no such label, or NULL."""
OTHERS: Final = "(others)"
"""The value that replaces all values that are not among the busiest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CohortRequest:
    """A request for the events in each step of a stretch of time, by the values of some labels."""

    sli: Sli
    span: Span
    step: timedelta
    """A step excludes its start and includes its end; the newest ends with the span."""
    by: tuple[str, ...]
    """Labels (Prometheus), or columns and expressions about a row (logs); at least one."""
    most: int
    """The maximum number of values of each label that are kept separate: those with the most
    events."""
    keep: str | None = None
    """A value of the first label that is kept separate even if it has few events."""

    @property
    def steps(self) -> int:
        """The number of steps, including the newest, whether complete or not."""
        return -(-self.span.length // self.step)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cohort:
    """Events of one group by step, the oldest first; None: unknown in that step."""

    total: tuple[float | None, ...]
    bad: tuple[float | None, ...]
    """Known if the total is. In a step it may lie slightly outside of 0 to total if a server
    extrapolates; over all steps together it does not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cohorts:
    """Every group that had an event; at least one."""

    groups: Mapping[LabelValues, Cohort]
    query: str
    notes: tuple[str, ...] = ()


CohortAnswer = Cohorts | Unmeasured


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelRequest:
    """A request for the events in some stretches of time, by the values of every label."""

    sli: Sli
    spans: tuple[Span, ...]
    """At least one; they may overlap."""
    most: int
    """A label with more values than this among all events is left out."""


class EventCounts(NamedTuple):
    """The events of a stretch of time, and the number of bad ones."""

    total: float
    bad: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelCounts:
    """The events of each value of each label, for each label separately."""

    labels: Mapping[str, Mapping[str, tuple[EventCounts, ...]]]
    """By label and value, the counts of each span; the value is empty for events without the
    label."""
    left_out: Mapping[str, int] = field(default_factory=dict)
    """The labels with too many values, and the minimum number of their values."""


LabelAnswer = LabelCounts | Unmeasured


@runtime_checkable
class LabelBackend(Protocol):
    """A backend that knows the labels of events. Not every backend does."""

    def label_counts(self, requests: Sequence[LabelRequest]) -> list[LabelAnswer]:
        """Return the events by label, for every request in order; never raises.

        Labels that identify single processes or requests (`IDENTITIES`) are left out. Counts may be
        as inexact as a server's extrapolation: they are meant for shares.
        """
        ...


IDENTITIES: Final = (
    *("instance", "pod", "pod_name", "pod_ip", "container_id", "uid", "replica_id", "hostname"),
    *("node", "host", "host_name", "ip", "client_ip", "engine_id", "worker_id", "process_id"),
    *("request_id", "requestid", "trace_id", "traceid", "span_id", "session_id", "user_id"),
    *("conversation_id", "call_id", "message_id", "response_id", "id"),
)
"""Labels of single processes, users and requests. The doctor and dashboards are better for a single
failing instance; thousands of values show no cause and cost the most."""


@runtime_checkable
class CohortBackend(Protocol):
    """A backend that can group events by labels. Not every backend can."""

    def cohorts(self, requests: Sequence[CohortRequest]) -> list[CohortAnswer]:
        """Return the events of each group, for every request in order; never raises.

        No event is left out: the groups together are what `Backend.measure` counts over the span,
        except for a server's extrapolation at the ends of each step.
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
    """Combine the values of a label that are not among the busiest, as `OTHERS`."""
    kept = [_kept(groups, place, request) for place in range(len(request.by))]
    together: dict[LabelValues, Cohort] = {}
    for values, cohort in groups.items():
        pairs = zip(values, kept, strict=True)
        key = tuple(value if value in some else OTHERS for value, some in pairs)
        together[key] = _added(together[key], cohort) if key in together else cohort
    return together


def cut_note(label: str, most: int, values: int) -> str:
    """Say that only some values of a label are compared."""
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


def missing_steps(own: Cohort, other: Cohort, grace: int) -> list[range]:
    """Return the stretches of steps in which one of two was absent, the oldest first.

    A step without events does not prove absence: in a quiet night neither has any. It was absent if
    its series or rows are missing, or if its usual share of the other's events makes some likely
    (`gate.measure.coverage.FEWEST`) and it had none.

    Args:
        own: the events of the deployment that may be absent; not all are 0.
        other: the events of the other one.
        grace: the number of newest steps that may be unknown for both: their data may yet arrive.
    """
    return [run for run in _silent(own) if _missed(own, other, run, grace)]


def _missed(own: Cohort, other: Cohort, run: range, grace: int) -> bool:
    waiting = run.stop == len(own.total) and len(run) <= grace
    for place in run:
        late = waiting and other.total[place] is None
        if own.total[place] is None and not late:
            return True
    elsewhere = [place for place in range(len(own.total)) if place not in run]
    mine, theirs, meanwhile = (
        _events(own, elsewhere),
        _events(other, elsewhere),
        _events(other, run),
    )
    # If they never ran at the same time, it is assumed to continue at its own rate.
    usual = mine * meanwhile / theirs if theirs else mine / len(elsewhere) * len(run)
    return meanwhile > 0 and usual >= FEWEST


def _events(cohort: Cohort, places: Iterable[int]) -> float:
    return sum(cohort.total[place] or 0.0 for place in places)


def _silent(cohort: Cohort) -> Iterator[range]:
    place = 0
    for events, group in groupby(cohort.total, key=bool):
        stop = place + sum(1 for _ in group)
        if not events:
            yield range(place, stop)
        place = stop
