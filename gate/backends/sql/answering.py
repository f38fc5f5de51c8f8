"""Answers of every kind about rows, from one scan; an error in one indicator affects no other."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

from gate.backends.sql.counting import RunRequest, count_runs
from gate.backends.sql.engine import Runner
from gate.backends.sql.history import measure_steps
from gate.backends.sql.indicators import key_of
from gate.backends.sql.kept import KeptScan
from gate.backends.sql.prepared import Prepared
from gate.backends.sql.rows import RowSource, SqlIndicator
from gate.backends.sql.statement import StatementError
from gate.measure import Answer, Cause, CountRequest, MeasurementError
from gate.measure.capabilities import PastRun
from gate.measure.history import SeriesAnswer, SeriesRequest
from gate.slo.indicator import Sli

if TYPE_CHECKING:  # for one command only
    from gate.measure.cohorts import CohortAnswer, CohortRequest, LabelAnswer, LabelRequest
    from gate.measure.pairing import PairAnswer, PairRequest

Request = TypeVar(
    "Request", RunRequest, SeriesRequest, "CohortRequest", "LabelRequest", "PairRequest"
)
Found = TypeVar("Found", Answer, SeriesAnswer, "CohortAnswer", "LabelAnswer", "PairAnswer")
IndicatorRequests = list[tuple[Request, SqlIndicator]]
AnswerRequests = Callable[[Prepared, IndicatorRequests[Request]], list[Found]]
"""A function that answers requests whose indicators fit the rows, in order; it may raise
`MeasurementError`."""
T = TypeVar("T")


class RowsBackend(ABC):
    """A backend that counts rows, and keeps the result of the last scan for budgets."""

    def __init__(self) -> None:
        """Prepare; nothing is kept yet."""
        self._kept: list[KeptScan] = []

    @abstractmethod
    def ask(self, slis: Sequence[Sli], by: Sequence[str], work: Callable[[Prepared], T]) -> T:
        """Open the source of the rows, check indicators and labels, and run the work.

        Raises:
            MeasurementError: the rows cannot be read.
        """

    @abstractmethod
    def again(self, rows: RowSource) -> Runner:
        """Return the runner of small statements for the time after the engine was closed."""

    def measure(self, requests: Sequence[CountRequest], at: datetime) -> list[Answer]:  # noqa: ARG002 - the end of each span
        """Answer all requests from one scan.

        An error in one indicator (an expression, an invalid value) affects no other.
        """
        self._kept = []
        answers = self._answer(
            [RunRequest(request, 0) for request in requests],
            lambda ready, wanted: count_runs(ready.rows, wanted, self._kept.append),
        )
        for scan in self._kept:
            scan.rows.engine = self.again(scan.rows)
        return answers

    def measure_past(self, runs: Sequence[PastRun]) -> list[list[Answer]]:
        """Answer all requests of all runs from one scan.

        An error in one indicator (an expression, an invalid value) affects no other.
        """
        requests = [
            RunRequest(request, number)
            for number, run in enumerate(runs)
            for request in run.requests
        ]
        answers = iter(self._answer(requests, lambda ready, wanted: count_runs(ready.rows, wanted)))
        return [[next(answers) for _ in run.requests] for run in runs]

    def history(self, requests: Sequence[SeriesRequest]) -> list[SeriesAnswer]:
        """Return the counts of each step, from one scan for all histories not in `kept`."""
        kept = [self.kept(request) for request in requests]
        missing = [request for request, answer in zip(requests, kept, strict=True) if not answer]
        answers = iter(
            self._answer(missing, lambda ready, wanted: measure_steps(ready.rows, wanted))
        )
        return [answer or next(answers) for answer in kept]

    def kept(self, request: SeriesRequest) -> SeriesAnswer | None:
        """Return a history from the last `measure`; None: it must be queried."""
        try:
            answers = (scan.history(request) for scan in self._kept)
            return next((answer for answer in answers if answer is not None), None)
        except MeasurementError as refusal:
            return refusal.answer()

    def cohorts(self, requests: "Sequence[CohortRequest]") -> "list[CohortAnswer]":
        """Return the counts of each group, from one scan for each span, step and labels."""
        from gate.backends.sql.cohorts import measure_cohorts  # noqa: PLC0415 - for one command only

        by = dict.fromkeys(label for request in requests for label in request.by)
        return self._answer(requests, measure_cohorts, tuple(by))

    def pairs(self, requests: "Sequence[PairRequest]") -> "list[PairAnswer]":
        """Return the outcomes of requests and their copies; one scan for all SLOs of a shadow."""
        from gate.backends.sql.pairing import measure_pairs  # noqa: PLC0415 - for shadows only

        by = dict.fromkeys(name for each in requests for name in (each.by, each.pair_by))
        return self._answer(requests, measure_pairs, tuple(by))

    def label_counts(self, requests: "Sequence[LabelRequest]") -> "list[LabelAnswer]":
        """Return the counts by the columns with few values, from one scan for each request."""
        from gate.backends.sql.breakdown import measure_labels  # noqa: PLC0415 - as above

        return self._answer(requests, measure_labels)

    def _answer(
        self,
        requests: Sequence[Request],
        answer_requests: AnswerRequests[Request, Found],
        by: Sequence[str] = (),
    ) -> list[Found]:
        if not requests:
            return []
        slis = [request.sli for request in requests]
        try:
            return self.ask(slis, by, lambda ready: _answers(ready, requests, answer_requests))
        except MeasurementError as refusal:
            return [refusal.answer()] * len(requests)


def _answers(
    ready: Prepared,
    requests: Sequence[Request],
    answer_requests: AnswerRequests[Request, Found],
) -> list[Found]:
    countable = {
        place: (request, ready.indicators[key])
        for place, request in enumerate(requests)
        if (key := key_of(request.sli)) in ready.indicators
    }
    answers = _answers_by_place(ready, countable, answer_requests)
    return [
        answers[place] if place in answers else ready.refused[key_of(request.sli)]
        for place, request in enumerate(requests)
    ]


def _answers_by_place(
    ready: Prepared,
    countable: dict[int, tuple[Request, SqlIndicator]],
    answer_requests: AnswerRequests[Request, Found],
) -> dict[int, Found]:
    """Return the results by the position of the request."""
    if not countable:
        return {}
    try:
        return dict(zip(countable, answer_requests(ready, list(countable.values())), strict=True))
    except StatementError as refusal:
        alike: dict[SqlIndicator, dict[int, tuple[Request, SqlIndicator]]] = {}
        for place, (request, indicator) in countable.items():
            alike.setdefault(indicator, {})[place] = request, indicator
        if len(alike) == 1 or refusal.cause is not Cause.INVALID:
            return dict.fromkeys(countable, refusal.answer())
    # An invalid value of one indicator ends the scan for all, so each gets its own scan.
    answers: dict[int, Found] = {}
    for group in alike.values():
        answers |= _answers_by_place(ready, group, answer_requests)
    return answers
