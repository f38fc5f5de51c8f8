"""A history in longer steps, made of one in shorter ones: what is known need not be asked again."""

from collections.abc import Sequence

from gate.slo.history import Measured, Series, SeriesAnswer, SeriesRequest


def covers(asked: SeriesRequest, wanted: SeriesRequest) -> bool:
    """Return whether the answer to what was asked has in it what is wanted."""
    return (
        asked.sli == wanted.sli
        and (asked.mean or not wanted.mean)
        and asked.span.end == wanted.span.end
        and asked.span.start <= wanted.span.start
        and not wanted.step % asked.step
    )


def coarser(answer: SeriesAnswer, asked: SeriesRequest, wanted: SeriesRequest) -> SeriesAnswer:
    """Return what happened in the steps that are wanted.

    Of a step something is known where it is of any part of it, as a server has it that finds
    samples anywhere in a step.

    Args:
        answer: to what was asked.
        asked: it `covers` what is wanted.
        wanted: with steps that are multiples of those that were asked for.
    """
    if not isinstance(answer, Series):
        return answer
    parts = wanted.step // asked.step
    first = asked.steps - wanted.steps * parts

    def summed(values: Sequence[float | None]) -> tuple[float | None, ...]:
        starts = range(first, len(values), parts)
        return tuple(_sum(values[start : start + parts]) for start in starts)

    measured = answer.measured
    if isinstance(measured, Measured):
        measured = Measured(sums=summed(measured.sums), events=summed(measured.events))
    return Series(
        total=summed(answer.total),
        bad=summed(answer.bad),
        query=answer.query,
        notes=answer.notes,
        measured=measured,
    )


def _sum(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None
