"""Histories of many series: a few are asked for together, and their points are then released.

Therefore the memory does not grow with the number of series. A few numbers of every series must be
known first, and are asked for together.
"""

from collections.abc import Iterable, Iterator, Sequence
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
        requests: at least one.
        fetch: what asks, at the newest end of all requests.
        limits: what is known of the server by now.
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
        sizes: how many steps, or points, each request has; at least one request.
        most: how many a batch has at most, but for a request with more; None: any number.
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
