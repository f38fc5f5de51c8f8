"""The past of an SLO in steps that hang on the clock, from the same counts as its budget."""

from collections.abc import Sequence
from datetime import timedelta
from fractions import Fraction
from typing import Final

from gate.backends.google_slo.counting import SHORTEST, Aligned, exactly, to_seconds
from gate.backends.google_slo.points import SloPoints
from gate.backends.platforms.platform import SeriesQuestion
from gate.measure.history import Series
from gate.slo.objective import Span

_SECOND: Final = timedelta(seconds=1)


def parts_of(question: SeriesQuestion) -> list[Aligned]:
    """Return what is asked for: all whole steps, and the part of one that ends the span.

    Steps of the API are counted back from the end of what is asked for.
    """
    span, slo = to_seconds(question.span), question.definition.id
    clock = span.start + span.length // question.step * question.step
    parts = list[Aligned]()
    if clock > span.start:
        parts.append(Aligned(slo=slo, span=Span(span.start, clock), step=question.step))
    if span.end - clock >= SHORTEST:
        parts.append(exactly(slo, Span(clock, span.end)))
    return parts


def series_of(
    question: SeriesQuestion, parts: Sequence[Aligned], points: Sequence[SloPoints], unit: Fraction
) -> Series:
    """Return what happened in each step; nothing is known of one without data.

    Args:
        question: what was asked.
        parts: of it, as `parts_of` returns them.
        points: of each part.
        unit: what a count is worth: seconds of a window, or 1.
    """
    count, start = -(-question.span.length // question.step), to_seconds(question.span).start
    total: list[float | None] = [None] * count
    bad: list[float | None] = [None] * count
    for own in points:
        for series, is_bad in ((own.good, False), (own.bad, True)):
            for point in series:
                place, number = -((start - point.end) // question.step) - 1, point.count * unit
                total[place] = (total[place] or 0.0) + float(number)
                bad[place] = (bad[place] or 0.0) + float(number if is_bad else 0)
    query = f"{parts[0].query}, ALIGN_SUM over {question.step // _SECOND}s" if parts else ""
    return Series(total=tuple(total), bad=tuple(bad), query=query, notes=question.definition.notes)
