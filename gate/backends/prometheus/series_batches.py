"""Histories and groups of many indicators: a few are asked for together, and then released.

Therefore the memory does not grow with the number of series. A few numbers of every series must be
known first, and are asked for together.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

from gate.backends.prometheus.fetch import Fetch
from gate.backends.prometheus.labels import CohortPlan, LabelsOf, cohort_answer, cohort_plan, whole
from gate.backends.prometheus.limits import ServerLimits
from gate.backends.prometheus.naming import Scope
from gate.backends.prometheus.plan import Plan
from gate.backends.prometheus.planning import further_questions, guesses, plan, questions
from gate.backends.prometheus.query import EVENTS, Query, Role
from gate.backends.prometheus.query_grid import QueryGrid
from gate.backends.prometheus.query_result import QueryResults
from gate.backends.prometheus.series import SeriesPlan, Sharing
from gate.backends.prometheus.series_answer import series_answer
from gate.measure import Cause, CountRequest, Unmeasured
from gate.measure.cohorts import CohortAnswer, CohortRequest
from gate.measure.history import SeriesAnswer, SeriesRequest
from gate.slo.objective import Span

STEPS: Final = 150_000
"""The number of steps of the series that are asked for together: some 8 MB of points, and enough
queries to keep a server busy (16 series over a month in steps of five minutes)."""


def each_series(
    requests: Sequence[SeriesRequest], fetch: Fetch, limits: ServerLimits, steps: int | None
) -> Iterator[SeriesAnswer]:
    """Yield the answer to each request, in order; failures of the server never raise an exception.

    The time between two answers is not counted towards the time limit.

    Args:
        requests: the requests, at least one.
        fetch: sends the queries, at the newest end of all requests.
        limits: the known limits of the server.
        steps: the most steps that the series of one batch have together; None: any number.
    """
    until, grids = max(request.span.end for request in requests), shared_grids(requests)

    def paired(places: range) -> Iterator[tuple[SeriesRequest, Sharing]]:
        for place in places:
            yield requests[place], Sharing(grids[place], until, victoria=limits.victoria)

    batches = list(batches_of([request.steps for request in requests], steps))
    scoped = [(one_step(request), Scope(request.span)) for request in requests]
    first = (part for pair in scoped for part in questions(*pair))
    guessed = (part for each in paired(batches[0]) for part in guessed_series(*each))
    fetch.run((*first, *guessed))
    fetch.run(part for pair in scoped for part in further_questions(*pair, fetch.reading))
    plans = [series_plan(*each, fetch.reading) for each in paired(range(len(requests)))]
    for batch in batches:
        own = plans[batch.start : batch.stop]
        possible = [planned for planned in own if isinstance(planned, SeriesPlan)]
        fetch.run(part for planned in possible for part in planned.first_round)
        fetch.run(part for planned in possible for part in planned.second_round(fetch.reading))
        for planned in own:
            with fetch.at_rest():
                yield (
                    series_answer(planned, fetch.reading)
                    if isinstance(planned, SeriesPlan)
                    else planned
                )
        forget(
            [part for each in possible for part in _parts(each, fetch)],
            [
                part
                for planned in plans[batch.stop :]
                if isinstance(planned, SeriesPlan)
                for part in planned.first_round
            ],
            fetch,
        )


def _parts(planned: SeriesPlan, fetch: Fetch) -> Iterator[Query]:
    yield from planned.first_round
    yield from planned.second_round(fetch.reading)


def batches_of(sizes: Sequence[int], most: int | None) -> Iterator[range]:
    """Yield the places of the requests of each batch.

    Args:
        sizes: the number of steps, or points, of each request; at least one request.
        most: the maximum size of a batch, except for a larger request; None: unlimited.
    """
    start = total = 0
    for place, size in enumerate(sizes):
        if most is not None and start < place and total + size > most:
            yield range(start, place)
            start, total = place, 0
        total += size
    yield range(start, len(sizes))


def forget(answered: Iterable[Query], later: Iterable[Query], fetch: Fetch) -> None:
    """Forget the results of some parts, except those that later parts need, too."""
    parts = dict.fromkeys(leaf for part in answered for leaf in part.leaves)
    wanted = {leaf for part in later for leaf in part.leaves}
    fetch.forget(part for part in parts if part not in wanted)


_SLICES: Final = (Role.SLICES, Role.JUDGED_SLICES, Role.BAD_SLICES)


def one_step(request: SeriesRequest) -> CountRequest:
    """Return the count of the newest step, which differs from the other steps only in its end."""
    span = Span(request.span.end - request.step, request.span.end)
    return CountRequest(sli=request.sli, span=span, slices=request.slices)


def shared_grids(requests: Sequence[SeriesRequest]) -> list[QueryGrid]:
    """Return the grid of each request; overlapping requests of one indicator share a grid."""
    places = range(len(requests))
    first = [request.span.start + request.step for request in requests]
    last = [first[place] + (requests[place].steps - 1) * requests[place].step for place in places]
    groups = dict[tuple[int, timedelta, timedelta], list[int]]()
    for place in sorted(places, key=lambda place: first[place]):
        request = requests[place]
        phase = (first[place] - first[0]) % request.step
        groups.setdefault((id(request.sli), request.step, phase), []).append(place)
    grids = dict[int, QueryGrid]()
    for (_, step, _), group in groups.items():
        together = list[int]()
        for place in group:
            if together and first[place] > max(last[other] for other in together) + step:
                grids |= _grid(together, first, last, step)
                together = []
            together.append(place)
        grids |= _grid(together, first, last, step)
    return [grids[place] for place in places]


def _grid(
    places: Sequence[int], first: Sequence[datetime], last: Sequence[datetime], step: timedelta
) -> dict[int, QueryGrid]:
    start, end = first[places[0]], max(last[place] for place in places)
    return dict.fromkeys(places, QueryGrid(start, step, (end - start) // step + 1))


def series_plan(
    request: SeriesRequest, sharing: Sharing, readings: QueryResults
) -> "SeriesPlan | Unmeasured":
    """Plan the queries for a series, or return why it cannot be measured."""
    planned = plan(one_step(request), Scope(request.span), readings, stepwise=True)
    if isinstance(planned, Unmeasured):
        return planned
    roles = _roles(planned, request)
    if roles:
        return SeriesPlan(request, planned, roles, sharing)
    reason = "spend is an amount, not a number of events"
    if request.amount:
        reason = "nothing that is spent is counted, only events"
    return Unmeasured(cause=Cause.INVALID, reason=reason, query=planned.query)


def guessed_series(request: SeriesRequest, sharing: Sharing) -> Iterator[Query]:
    """Yield the most likely queries of a series, so that they need not wait for the questions."""
    for planned in guesses(one_step(request), stepwise=True):
        if roles := _roles(planned, request):
            yield from SeriesPlan(request, planned, roles, sharing).first_round


def _roles(planned: Plan, request: SeriesRequest) -> tuple[Role, ...]:
    """Return the roles to ask for; none if the indicator does not have them."""
    if request.slices is not None:
        return _SLICES
    wanted = {Role.SPENT} if request.amount else EVENTS
    return tuple(role for role in planned.parts if role in wanted)


POINTS: Final = 30_000
"""The most points that the groups of one batch have together, if labels have no more values than
are kept separate: eight indicators over a month by one label."""


def each_cohorts(
    requests: Sequence[CohortRequest], fetch: Fetch, labels_of: LabelsOf, points: int | None
) -> Iterator[CohortAnswer]:
    """Yield the answer to each request, in order; failures of the server never raise an exception.

    The time between two answers is not counted towards the time limit.

    Args:
        requests: at least one.
        fetch: the source of answers, at the newest end of all requests.
        labels_of: asks for the labels of a metric.
        points: the most points of one batch; None: any number.
    """
    scoped = [(whole(request), Scope(request.span)) for request in requests]
    fetch.run(part for pair in scoped for part in questions(*pair))
    fetch.run(part for pair in scoped for part in further_questions(*pair, fetch.reading))
    plans = [cohort_plan(request, fetch.reading) for request in requests]
    sizes = [request.steps * request.most * len(request.by) for request in requests]
    for batch in batches_of(sizes, points):
        own, later = plans[batch.start : batch.stop], plans[batch.stop :]
        fetch.run(_parts_of_cohorts(own))
        for planned in own:
            with fetch.at_rest():
                yield (
                    cohort_answer(planned, fetch.reading, labels_of)
                    if isinstance(planned, CohortPlan)
                    else planned
                )
        forget(_parts_of_cohorts(own), _parts_of_cohorts(later), fetch)


def _parts_of_cohorts(plans: Sequence[object]) -> Iterator[Query]:
    return (part for planned in plans if isinstance(planned, CohortPlan) for part in planned)
