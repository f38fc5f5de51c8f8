"""Histories of many series: a few are asked for together, and their points are then released.

Therefore the memory does not grow with the number of series. A few numbers of every series must be
known first, and are asked for together.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from gate.backends.prometheus.fetch import Fetch
from gate.backends.prometheus.limits import ServerLimits
from gate.backends.prometheus.naming import Scope
from gate.backends.prometheus.planning import further_questions, questions
from gate.backends.prometheus.query import Query
from gate.backends.prometheus.series import (
    SeriesPlan,
    Sharing,
    guessed_series,
    one_step,
    series_plan,
    shared_grids,
)
from gate.backends.prometheus.series_answer import series_answer
from gate.measure.history import SeriesAnswer, SeriesRequest

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

    batches = list(_batches(requests, steps))
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
        _forget(possible, plans[batch.stop :], fetch)


def _batches(requests: Sequence[SeriesRequest], steps: int | None) -> Iterator[range]:
    """Yield the places of the requests of each batch, which have at most this number of steps."""
    start = size = 0
    for place, request in enumerate(requests):
        if steps is not None and start < place and size + request.steps > steps:
            yield range(start, place)
            start, size = place, 0
        size += request.steps
    yield range(start, len(requests))


def _forget(answered: Sequence[SeriesPlan], later: Sequence[object], fetch: Fetch) -> None:
    """Forget the results of some series, except those that later series need, too."""
    parts = dict[Query, None]()
    for planned in answered:
        for part in (*planned.first_round, *planned.second_round(fetch.reading)):
            parts |= dict.fromkeys(part.leaves)
    wanted = {
        leaf
        for planned in later
        if isinstance(planned, SeriesPlan)
        for part in planned.first_round
        for leaf in part.leaves
    }
    fetch.forget(part for part in parts if part not in wanted)
