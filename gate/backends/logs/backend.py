"""The backend: everything counted from one scan."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import duckdb

from gate.backends.logs.counting import RunRequest, count_runs
from gate.backends.logs.database import Database, opened
from gate.backends.logs.history import measure_steps
from gate.backends.logs.indicators import LogIndicator
from gate.backends.logs.prepare import Prepared, key_of, prepare
from gate.backends.logs.refusals import unreadable
from gate.backends.logs.settings import LogsSettings
from gate.backends.logs.source import UNKNOWN_NUMBERS, LargeNumbers, NumberColumns, settle
from gate.backends.logs.timestamps import zone_name
from gate.measure import Answer, Cause, CountRequest, Limits, MeasurementError
from gate.measure.history import SeriesAnswer, SeriesRequest
from gate.measure.past import PastRun
from gate.slo.indicator import Slices
from gate.slo.objective import Span

if TYPE_CHECKING:  # for one command only
    from gate.measure.cohorts import CohortAnswer, CohortRequest, LabelAnswer, LabelRequest
    from gate.measure.pairing import PairAnswer, PairRequest

Request = TypeVar(
    "Request", RunRequest, SeriesRequest, "CohortRequest", "LabelRequest", "PairRequest"
)
Found = TypeVar("Found", Answer, SeriesAnswer, "CohortAnswer", "LabelAnswer", "PairAnswer")
IndicatorRequests = list[tuple[Request, LogIndicator]]
AnswerRequests = Callable[[Database, Prepared, IndicatorRequests[Request]], list[Found]]
"""Answers requests whose indicators fit the logs, in order; may raise DuckDB's errors."""


class LogsBackend:
    """Counts rows of request logs."""

    def __init__(self, settings: LogsSettings, limits: Limits) -> None:
        self._settings = settings
        self._limits = limits

    def measure(self, requests: Sequence[CountRequest], at: datetime) -> list[Answer]:
        """Answer all requests from one scan of the files.

        What spoils one indicator (an expression, a value that does not fit) spoils no other.
        """
        return self.measure_past([PastRun(requests=tuple(requests), at=at)])[0]

    def measure_past(self, runs: Sequence[PastRun]) -> list[list[Answer]]:
        """Answer all requests of all runs from one scan of the files.

        What spoils one indicator (an expression, a value that does not fit) spoils no other.
        """
        requests = [
            RunRequest(request, number)
            for number, run in enumerate(runs)
            for request in run.requests
        ]
        answers = iter(self._answer(requests, count_runs))
        return [[next(answers) for _ in run.requests] for run in runs]

    def history(self, requests: Sequence[SeriesRequest]) -> list[SeriesAnswer]:
        """Return what happened in each step, from one scan for all."""
        return self._answer(
            requests, lambda database, ready, wanted: measure_steps(database, ready.logs, wanted)
        )

    def cohorts(self, requests: "Sequence[CohortRequest]") -> "list[CohortAnswer]":
        """Return what happened to each group, from one scan for each span, step and labels."""
        from gate.backends.logs.cohorts import measure_cohorts  # noqa: PLC0415 - for one command only

        by = dict.fromkeys(label for request in requests for label in request.by)
        return self._answer(requests, measure_cohorts, tuple(by))

    def pairs(self, requests: "Sequence[PairRequest]") -> "list[PairAnswer]":
        """Return what happened to requests and their copies; one scan for all SLOs of a shadow."""
        from gate.backends.logs.pairing import measure_pairs  # noqa: PLC0415 - for shadows only

        by = dict.fromkeys(name for each in requests for name in (each.by, each.pair_by))
        return self._answer(requests, measure_pairs, tuple(by))

    def label_counts(self, requests: "Sequence[LabelRequest]") -> "list[LabelAnswer]":
        """Return what happened by the columns of few values, from one scan for each request."""
        from gate.backends.logs.breakdown import measure_labels  # noqa: PLC0415 - as above

        return self._answer(requests, measure_labels)

    def _answer(
        self,
        requests: Sequence[Request],
        answer_requests: AnswerRequests[Request, Found],
        by: Sequence[str] = (),
    ) -> list[Found]:
        if not requests:
            return []
        try:
            zone = zone_name(self._settings.records.time_zone)
            with opened(self._limits.timeout, zone) as database:
                database.max_scan = self._limits.max_scan
                slis = [request.sli for request in requests]
                window = window_of(requests)

                def attempt(numbers: NumberColumns) -> list[Found]:
                    ready = prepare(
                        database, self._settings, slis, zone, by, numbers=numbers, window=window
                    )
                    try:
                        return _answers(database, ready, requests, answer_requests)
                    except LargeNumbers as large:
                        return attempt(settle(database, ready.logs.source, large, numbers))

                try:
                    return attempt(UNKNOWN_NUMBERS)
                except duckdb.Error as error:
                    raise database.refusal(error) from None
        except (OSError, UnicodeError) as error:
            return [unreadable(f"the logs cannot be read: {error}").answer()] * len(requests)
        except MeasurementError as refusal:
            return [refusal.answer()] * len(requests)


def window_of(requests: "Sequence[Request] | Sequence[CountRequest]") -> Span:
    """Return the time of all rows that requests can need: a slice begins earlier than its span."""
    spans = [span for request in requests for span in _spans(request)]
    return Span(min(span.start for span in spans), max(span.end for span in spans))


def _spans(request: Any) -> Iterator[Span]:
    request = request.request if isinstance(request, RunRequest) else request
    slices: Slices | None = getattr(request, "slices", None)
    early = slices.length if slices is not None else timedelta(0)
    for span in getattr(request, "spans", None) or (request.span,):
        yield Span(span.start - early, span.end)


def _answers(
    database: Database,
    ready: Prepared,
    requests: Sequence[Request],
    answer_requests: AnswerRequests[Request, Found],
) -> list[Found]:
    countable = {
        place: (request, ready.indicators[key])
        for place, request in enumerate(requests)
        if (key := key_of(request.sli)) in ready.indicators
    }
    answers = _answers_by_place(database, ready, countable, answer_requests)
    return [
        answers[place] if place in answers else ready.refused[key_of(request.sli)]
        for place, request in enumerate(requests)
    ]


def _answers_by_place(
    database: Database,
    ready: Prepared,
    countable: dict[int, tuple[Request, LogIndicator]],
    answer_requests: AnswerRequests[Request, Found],
) -> dict[int, Found]:
    """Return what was found, by the request's place."""
    if not countable:
        return {}
    try:
        return dict(
            zip(countable, answer_requests(database, ready, list(countable.values())), strict=True)
        )
    except duckdb.Error as error:
        refusal = database.refusal(error)
        alike: dict[LogIndicator, dict[int, tuple[Request, LogIndicator]]] = {}
        for place, (request, indicator) in countable.items():
            alike.setdefault(indicator, {})[place] = request, indicator
        if len(alike) == 1 or refusal.cause is not Cause.INVALID:
            return dict.fromkeys(countable, refusal.answer())
    # A value that one indicator cannot read ends the scan for all; so each gets its own.
    answers: dict[int, Found] = {}
    for group in alike.values():
        answers |= _answers_by_place(database, ready, group, answer_requests)
    return answers
