"""Batches: one query that asks for several numbers, each marked with its part."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Final

from gate.backends.prometheus.limits import MOST_BYTES
from gate.backends.prometheus.query import Query
from gate.backends.prometheus.query_result import LABEL
from gate.promql.selectors import quote

_MOST_POINTS: Final = 32_768
"""The most points of one answer: about 0.7 MB, and 5 MB once parsed. A server's work for an ``or``
of many series over many steps grows faster than their number (benchmarks/README.md)."""
_FEWEST_PIECES: Final = 2
Batch = tuple[Query, ...]


def batch_query(batch: Batch) -> str:
    """Write one query for several parts, each marked; a single part is sent unmarked.

    So the server's error message quotes the exact expression in the policy.
    """
    if len(batch) == 1:
        return batch[0].text
    return _union([_marked(part, place) for place, part in enumerate(batch)])


def _union(texts: Sequence[str]) -> str:
    """Join the parts by ``or`` as a balanced tree: a server copies both sides of each ``or``.

    The cost of a chain is half the square of their number; here it is the number times its
    logarithm.
    """
    if len(texts) == 1:
        return texts[0]
    half = len(texts) // 2
    return f"({_union(texts[:half])} or {_union(texts[half:])})"


def _marked(part: Query, place: int) -> str:
    return f'label_replace({part.text},"{LABEL}",{quote(str(place))},"","")'


def batches_of(
    parts: Iterable[Query],
    most_bytes: int = MOST_BYTES,
    reach: timedelta | None = None,
    most_parts: int | None = None,
) -> list[Batch]:
    """Put parts into batches of a size that every server takes; equal parts appear once.

    A query has one grid, so a part on another grid than the part before it begins a new batch.

    Args:
        parts: in the order in which to ask them.
        most_bytes: the longest text of one query, in bytes.
        reach: how much time a batch of several parts may span; None: any.
        most_parts: the most parts of one query; None: as many as fit.
    """
    batches, batch, size = list[Batch](), list[Query](), 0
    for part in dict.fromkeys(parts):
        length = len(_marked(part, 999).encode()) + len("( or )")
        too_far = reach is not None and span_of([*batch, part]) > reach
        full = size + length > most_bytes or len(batch) == most_parts
        if batch and (full or too_far or not _has_room(batch, part)):
            batches.append(tuple(batch))
            batch, size = [], 0
        batch.append(part)
        size += length
    return [*batches, tuple(batch)] if batch else batches


def span_of(batch: Sequence[Query]) -> timedelta:
    """Return the time from the earliest instant that any part looks at to the latest."""
    return max(part.back + part.extent for part in batch) - min(part.back for part in batch)


def _has_room(batch: Sequence[Query], part: Query) -> bool:
    points = 1 if part.grid is None else part.grid.count
    return part.grid == batch[0].grid and points * (len(batch) + 1) <= _MOST_POINTS


def split_batch(batch: Batch, pieces: int) -> list[Batch]:
    """Cut a batch into at most this number of pieces of about equal size."""
    size = -(-len(batch) // max(pieces, _FEWEST_PIECES))
    return [batch[start : start + size] for start in range(0, len(batch), size)]
