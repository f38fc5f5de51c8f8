"""The requested time series, so that few requests count many windows, or a past in steps."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from typing import Final

from gate.backends.google_slo.pages import ask_pages
from gate.backends.google_slo.points import SloPoints, read_points
from gate.backends.google_slo.resources import FULL_NAME
from gate.backends.platforms.api import Api
from gate.backends.platforms.messages import Call
from gate.backends.platforms.platform import Question, SeriesQuestion
from gate.budget.ratio import seconds
from gate.dataclass import dataclass
from gate.measure import MeasurementError
from gate.measure.coverage import coverage_by_steps
from gate.measure.history import Series, clock_part
from gate.slo.objective import Span
from gate.wording import exact_instant

SHORTEST: Final = timedelta(minutes=1)
"""The shortest alignment period, by the reference of ``aggregation.alignmentPeriod``."""
_LATELY: Final = timedelta(hours=1)
_SECOND: Final = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Aligned:
    """The good and the bad events of an SLO in equal steps, the last of which ends with the span.

    Steps are counted back from the end; google/slo2bq relies on this, too.
    """

    slo: str
    """The full name."""
    span: Span
    """A whole number of steps."""
    step: timedelta
    """At least `SHORTEST`."""

    def call(self, project: str) -> Call:
        """Return the request; ``project`` is used if the name of the SLO has none."""
        name = FULL_NAME.fullmatch(self.slo)
        return Call(
            path=f"/v3/projects/{name[1] if name else project}/timeSeries",
            params={
                "filter": self.query,
                "interval.startTime": exact_instant(self.span.start),
                "interval.endTime": exact_instant(self.span.end),
                "aggregation.alignmentPeriod": f"{self.step // _SECOND}s",
                "aggregation.perSeriesAligner": "ALIGN_SUM",
                "aggregation.crossSeriesReducer": "REDUCE_SUM",
                "aggregation.groupByFields": "metric.labels.event_type",
                "view": "FULL",
            },
        )

    @property
    def query(self) -> str:
        """The filter, which can have only one SLO."""
        return f'select_slo_counts("{self.slo}")'

    def has(self, span: Span) -> bool:
        """Return whether some of the steps are exactly this span."""
        return (
            self.span.end == span.end
            and self.span.start <= span.start
            and not span.length % self.step
        )


def to_seconds(span: Span) -> Span:
    """Return a stretch of time in whole seconds, like alignment periods, without any later time."""
    end = span.end.replace(microsecond=0)
    return Span(end - span.length // _SECOND * _SECOND, end)


def exactly(slo: str, span: Span) -> Aligned:
    """Return a span, of at least `SHORTEST`, in one step."""
    return Aligned(slo=slo, span=span, step=span.length)


def overview(slo: str, span: Span) -> Aligned:
    """Return the newest part of a span, of at least `SHORTEST`, to find where it has data."""
    step = clock_part(span.length)
    whole = span.length // step * step
    return Aligned(slo=slo, span=Span(span.end - whole, span.end), step=step)


def lately(slo: str, span: Span) -> Aligned:
    """Return the last hour before a span's end, in minutes, to find how new the data is."""
    return Aligned(slo=slo, span=Span(span.end - _LATELY, span.end), step=SHORTEST)


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionPlan:
    """The requests for one question."""

    span: Span
    counted: Aligned
    """The request that includes the span."""
    overview: Aligned | None = None
    lately: Aligned | None = None
    """The request for the newest minutes, for the main window."""


def plans_of(questions: Sequence[Question]) -> list[QuestionPlan | None]:
    """Return the requests for each question; None: its span is too short.

    The steps in which the main window of an SLO is examined are also parts of other windows.
    """
    looks = dict[str, list[Aligned]]()
    for question in questions:
        slo, span = question.definition.id, to_seconds(question.span)
        if question.main and span.length >= SHORTEST:
            looks.setdefault(slo, []).extend((overview(slo, span), lately(slo, span)))
    plans: list[QuestionPlan | None] = []
    for question in questions:
        slo, span = question.definition.id, to_seconds(question.span)
        if span.length < SHORTEST:
            plans.append(None)
            continue
        fitting = (look for look in looks.get(slo, ()) if look.has(span))
        plan = QuestionPlan(span=span, counted=next(fitting, exactly(slo, span)))
        if question.main:
            plan = QuestionPlan(
                span=span,
                counted=plan.counted,
                overview=overview(slo, span),
                lately=lately(slo, span),
            )
        plans.append(plan)
    return plans


def read_all(
    api: Api, project: str, wanted: Iterable[Aligned]
) -> dict[Aligned, SloPoints | MeasurementError]:
    """Return the points of each, or the error in their place; each is requested once.

    Quoted parts of an answer are safe to show.
    """
    distinct: Sequence[Aligned] = list(dict.fromkeys(wanted))
    outcomes = dict[Aligned, SloPoints | MeasurementError]()
    answers = ask_pages(api, [aligned.call(project) for aligned in distinct])
    for aligned, pages in zip(distinct, answers, strict=True):
        if isinstance(pages, MeasurementError):
            outcomes[aligned] = pages
            continue
        try:
            points = read_points(pages, aligned.span, aligned.step)
            outcomes[aligned] = replace(points, warnings=tuple(map(api.words, points.warnings)))
        except MeasurementError as error:
            outcomes[aligned] = MeasurementError(error.cause, api.words(error.reason))
    return outcomes


def parts_of(question: SeriesQuestion) -> list[Aligned]:
    """Return the requests: for all whole steps, and for the partial step at the end of the span.

    The API counts steps back from the end of the requested time.
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
    question: SeriesQuestion,
    parts: Sequence[Aligned],
    points: Sequence[SloPoints],
    period: timedelta | None,
) -> Series:
    """Return the events of each step.

    Args:
        question: the question.
        parts: its requests, from `parts_of`.
        points: the points of each part.
        period: the length of windows that are good or bad as a whole; None: events are counted.
    """
    span = to_seconds(question.span)
    unit = Fraction(1) if period is None else seconds(period)
    total: list[float | None] = [None] * -(-question.span.length // question.step)
    bad = list(total)
    for own in points:
        for kind, is_bad in ((own.good, False), (own.bad, True)):
            for point in kind:
                place = -((span.start - point.end) // question.step) - 1
                number = float(point.count * unit)
                total[place] = (total[place] or 0.0) + number
                bad[place] = (bad[place] or 0.0) + (number if is_bad else 0.0)
    if period is None:
        for place in _quiet(total, question):
            total[place] = bad[place] = 0.0
    query = f"{parts[0].query}, ALIGN_SUM over {question.step // _SECOND}s" if parts else ""
    return Series(total=tuple(total), bad=tuple(bad), query=query, notes=question.definition.notes)


def _quiet(total: Sequence[float | None], question: SeriesQuestion) -> Iterator[int]:
    """Yield the steps without points in which nothing happened, by other steps.

    They lie between data when silence is usual, and for some time after the data. A metric of
    requests may have no points in a time without requests.
    """
    places = [place for place, number in enumerate(total) if number is not None]
    if not places:
        return
    span, step, last = question.span, question.step, places[-1]
    bounds = [min(span.start + place * step, span.end) for place in range(len(total) + 1)]
    missing = coverage_by_steps(total, Span(span.start, span.start + len(total) * step)).missing
    for place in range(places[0] + 1, len(total)):
        start, end = bounds[place : place + 2]
        lost = any(gap.start < end and start < gap.end for gap in missing)
        recent = end <= bounds[last + 1] + question.max_age
        if total[place] is None and not lost and (place < last or recent):
            yield place
