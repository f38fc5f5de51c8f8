"""Counting at many instants of the past, in few queries.

Everything is evaluated at the newest instant: what belongs to an earlier one looks back from it by
``offset``. So the questions of many instants stand in one query, and each gets the number that it
gets at its own instant.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Final

from gate.backends.prometheus.fetch import Fetch
from gate.backends.prometheus.measuring import Asking, answered
from gate.measure import Answer
from gate.measure.past import PastRun
from gate.promql.moving import is_movable
from gate.slo.indicator import Sli

LARGE: Final = 80_000
"""Bytes of a query, where the server takes more than VictoriaMetrics does. For a longer one
Prometheus works longer on each number: twice as long at 120,000 as at 30,000."""
_AT_ONCE: Final = 1_500
"""Requests whose answers are kept until all are there."""
_ROLES: Final = ("total", "good", "bad", "spent", "gauge", "objective")


def measure_past(
    runs: Sequence[PastRun],
    open_fetch: Callable[[datetime], Fetch],
    alone: Callable[[PastRun], list[Answer]],
) -> Iterator[list[Answer]]:
    """Yield the answers to each run, in order.

    Args:
        runs: each with its own instant.
        open_fetch: returns what asks at an instant.
        alone: answers a run at its own instant; for one with an expression that cannot be moved.
    """
    for group in _groups(runs):
        movable = [run for run in group if all(_is_movable(r.sli) for r in run.requests)]
        until = max((run.at for run in movable), default=None)
        answers = dict[int, list[Answer]]()
        if until is not None:
            fetch = open_fetch(until)
            askings = [Asking(run.requests, fetch, until - run.at) for run in movable]
            answers = dict(zip(map(id, movable), answered(fetch, askings), strict=True))
        for run in group:
            yield answers[id(run)] if id(run) in answers else alone(run)


def _groups(runs: Sequence[PastRun]) -> Iterator[list[PastRun]]:
    """Yield a few runs at a time; the first alone, since it tells what the server takes."""
    group, size = list[PastRun](), _AT_ONCE
    for run in runs:
        if group and size + len(run.requests) > _AT_ONCE:
            yield group
            group, size = [], 0
        group.append(run)
        size += len(run.requests)
    if group:
        yield group


def _is_movable(sli: Sli) -> bool:
    texts = (getattr(name, role) for name in (sli, *sli.older) for role in _ROLES)
    return all(is_movable(text) for text in texts if text is not None)
