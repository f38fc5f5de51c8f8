"""The backend: all indicators and windows of a run, in as few queries as possible."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from gate.backends.cloudwatch.catalog import MetricCatalog, why_nothing
from gate.backends.cloudwatch.client import CloudWatch
from gate.backends.cloudwatch.counting import answer_for, check_slices, series_of
from gate.backends.cloudwatch.evidence import suspicions
from gate.backends.cloudwatch.indicators import MetricIndicator, counted_in, read_indicator
from gate.backends.cloudwatch.metrics import MetricStatistic
from gate.backends.cloudwatch.periods import PeriodRun, period_within, pieces_of, usual_period
from gate.backends.cloudwatch.selectors import SelectorError
from gate.backends.cloudwatch.timeline import Fetched, MetricTimeline, timeline
from gate.backends.sql.slices import with_whole_slices
from gate.dataclass import dataclass
from gate.measure import Answer, Cause, CountRequest, MeasurementError, Unmeasured
from gate.measure.history import SeriesAnswer, SeriesRequest
from gate.slo.indicator import Sli
from gate.wording import instant


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricQuestion:
    """An indicator over a stretch of time."""

    reading: MetricIndicator
    pieces: tuple[PeriodRun, ...]

    @property
    def metrics(self) -> tuple[MetricStatistic, ...]:
        """The metrics to be fetched."""
        return tuple(counted_in([self.reading]))


class CloudWatchBackend:
    """Counts from the points of metrics."""

    def __init__(self, cloudwatch: CloudWatch) -> None:
        """Prepare; nothing is requested yet."""
        self.cloudwatch = cloudwatch
        self.catalog = MetricCatalog(cloudwatch)

    def measure(self, requests: Sequence[CountRequest], at: datetime) -> list[Answer]:
        """Answer every request, in order."""
        self.cloudwatch.begin()
        requests = [with_whole_slices(request) for request in requests]
        planned = [self.plan(request) for request in requests]
        fetched = self._fetch(planned)
        return [
            question
            if isinstance(question, Unmeasured)
            else self._answer(request, question, fetched, at)
            for request, question in zip(requests, planned, strict=True)
        ]

    def history(self, requests: Sequence[SeriesRequest]) -> list[SeriesAnswer]:
        """Return the events of each step, for every request in order."""
        self.cloudwatch.begin()
        planned = [self._plan_series(request) for request in requests]
        fetched = self._fetch(planned)
        return [
            question
            if isinstance(question, Unmeasured)
            else self._series(request, question, fetched)
            for request, question in zip(requests, planned, strict=True)
        ]

    def plan(self, request: CountRequest) -> MetricQuestion | Unmeasured:
        """Return the metric questions of a request, or the reason why it cannot be answered."""
        slices, now = request.slices, self.cloudwatch.clock.now()
        period = usual_period(request.span.length)
        if slices is not None:
            period = period_within(slices.length)
        return self._question(request.sli, pieces_of(request.span, now, period), request)

    def _plan_series(self, request: SeriesRequest) -> MetricQuestion | Unmeasured:
        step = request.step if request.slices is None else request.slices.length
        now = self.cloudwatch.clock.now()
        return self._question(
            request.sli, pieces_of(request.span, now, period_within(step)), request
        )

    def _question(
        self, sli: Sli, pieces: tuple[PeriodRun, ...], request: CountRequest | SeriesRequest
    ) -> MetricQuestion | Unmeasured:
        try:
            reading = read_indicator(sli)
            if request.slices is not None:
                check_slices(request.slices, pieces)
        except SelectorError as error:
            return Unmeasured(cause=Cause.INVALID, reason=str(error))
        except MeasurementError as error:
            return error.answer()
        if not pieces:
            reason = "the period began only now, there is nothing to count yet"
            return Unmeasured(cause=Cause.NO_DATA, reason=reason)
        return MetricQuestion(reading=reading, pieces=pieces)

    def _fetch(self, planned: Sequence[MetricQuestion | Unmeasured]) -> Fetched:
        questions = [question for question in planned if isinstance(question, MetricQuestion)]
        wanted = dict[MetricStatistic, list[PeriodRun]]()
        for question in questions:
            for counted in question.metrics:
                wanted.setdefault(counted, []).extend(question.pieces)
        return self.cloudwatch.fetch(wanted)

    def _answer(
        self, request: CountRequest, question: MetricQuestion, fetched: Fetched, at: datetime
    ) -> Answer:
        query = str(question.reading)
        try:
            times = timeline(question.reading, question.pieces, fetched)
            query = times.query
            self._check_there(times)
            answer = answer_for(request, times)
        except MeasurementError as error:
            return error.answer(query)
        return self._with_evidence(answer, times, at) if request.probe else answer

    def _check_there(self, times: MetricTimeline) -> None:
        """Check that the total has a point.

        Raises:
            MeasurementError: it has none, or no value was ever below the threshold.
        """
        if all(slot.total is None for slot in times.slots):
            terms = next(terms for _, terms in times.reading.roles)
            metrics = [term.counted.metric for term in terms]
            reason = why_nothing(metrics, self.catalog, self.cloudwatch.region)
            span = times.span
            window = f"from {instant(span.start)} to {instant(span.end)}"
            raise MeasurementError(Cause.NO_DATA, f"{reason} ({window})")
        if times.reading.threshold is not None and not times.counts_good:
            metric = times.reading.metric
            reason = (
                f"CloudWatch has values of {metric}, but no count of those up to"
                f" {times.reading.threshold}: either all are above it, or they were published as"
                " statistic sets or with negative values, which it cannot count like this; choose a"
                " metric whose percentiles CloudWatch shows"
            )
            raise MeasurementError(Cause.NO_DATA, reason)

    def _with_evidence(self, answer: Answer, times: MetricTimeline, at: datetime) -> Answer:
        if isinstance(answer, Unmeasured):
            return answer
        seen = times.coverage()
        evidence = replace(
            answer.evidence,
            newest=times.newest(at),
            coverage=seen.share,
            gaps=seen.gaps,
            suspicions=suspicions(answer, times, seen, self.catalog),
        )
        return replace(answer, evidence=evidence)

    def _series(
        self, request: SeriesRequest, question: MetricQuestion, fetched: Fetched
    ) -> SeriesAnswer:
        try:
            times = timeline(question.reading, question.pieces, fetched)
        except MeasurementError as error:
            return error.answer(str(question.reading))
        return series_of(request, times)
