"""Groups of many indicators: a few are asked for together, and their points are then released."""

from collections.abc import Iterator, Sequence
from typing import Final

from gate.backends.prometheus.fetch import Fetch
from gate.backends.prometheus.labels import (
    CohortPlan,
    LabelsOf,
    cohort_answer,
    cohort_plan,
    whole,
)
from gate.backends.prometheus.naming import Scope
from gate.backends.prometheus.planning import further_questions, questions
from gate.backends.prometheus.query import Query
from gate.backends.prometheus.series_batches import batches_of, forget
from gate.measure.cohorts import CohortAnswer, CohortRequest

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
        fetch.run(_parts(own))
        for planned in own:
            with fetch.at_rest():
                yield (
                    cohort_answer(planned, fetch.reading, labels_of)
                    if isinstance(planned, CohortPlan)
                    else planned
                )
        forget(_parts(own), _parts(later), fetch)


def _parts(plans: Sequence[object]) -> Iterator[Query]:
    return (part for planned in plans if isinstance(planned, CohortPlan) for part in planned)
