"""What may come, drawn from what has been: the circular block bootstrap, as a prediction.

Failures come in incidents and with the rhythm of the week. Steps drawn one by one would lose both,
and an interval from them would be far too narrow. So whole weeks are drawn, from any day on, the
history's end joined to its start (D. N. Politis and J. P. Romano, "A circular block-resampling
procedure for stationary data", 1992). How often things go wrong is itself known from few weeks
only; so each draw has a history of its own first, of one week less than there were (J. N. K. Rao
and C. F. J. Wu, "Resampling inference with complex survey data", 1988), and its future from that.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import accumulate
from random import Random
from typing import Final

from gate.slo.history import Series

DAY: Final = timedelta(days=1)
WEEK: Final = timedelta(days=7)
LEAST: Final = 2 * WEEK
"""The shortest history that anything is drawn from."""
_DRAWS: Final = 1000
_SEED: Final = 1
"""The same history gives the same interval."""


@dataclass(frozen=True, slots=True)
class Events:
    """What happened, or may happen, in some time."""

    total: float
    bad: float


def known_part(series: Series) -> Series:
    """Return the series from the first step on of which anything is known."""
    first = next((place for place, one in enumerate(series.total) if one is not None), None)
    kept = slice(len(series.total) if first is None else first, None)
    return Series(total=series.total[kept], bad=series.bad[kept], query=series.query)


def futures(series: Series, step: timedelta, steps: int) -> Iterator[Events]:
    """Yield a thousand futures of so many steps; each time the same ones.

    Args:
        series: what has been, up to now, for `LEAST` or longer. A step that is not known is taken
            to have been like the mean of the others.
        step: of the series; a day is a whole number of them.
        steps: how far to look, above 0.
    """
    length, day, week = len(series.total), DAY // step, WEEK // step
    scale = length / sum(one is not None for one in series.total)
    total, bad = _sums(series.total, scale), _sums(series.bad, scale)
    # From the hour of the day that it is now.
    starts = range(length % day, length, day)
    blocks = [week] * (steps // week) + [steps % week] * bool(steps % week)
    # No secret hangs on it, and it must come out the same each time.
    random = Random(_SEED)  # noqa: S311
    for _ in range(_DRAWS):
        history = random.choices(starts, k=length // week - 1)
        drawn = list(zip(random.choices(history, k=len(blocks)), blocks, strict=True))
        yield Events(
            total=sum(total[start + block] - total[start] for start, block in drawn),
            bad=sum(bad[start + block] - bad[start] for start, block in drawn),
        )


def _sums(events: Sequence[float | None], scale: float) -> list[float]:
    """Return the events before each step of the history and of its repetition."""
    known = [(value or 0.0) * scale for value in events]
    return list(accumulate([*known, *known], initial=0.0))
