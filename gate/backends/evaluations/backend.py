"""Count the cases of runs: over a span, and step by step."""

from bisect import bisect_right
from collections.abc import Sequence
from datetime import datetime
from fractions import Fraction

from gate.backends.evaluations.doubts import suspicions, warnings, why_none
from gate.backends.evaluations.rounds import CountedRun, Round, coverage, rounds_of
from gate.backends.evaluations.runs import ResultFiles, RunHistory
from gate.backends.evaluations.settings import EvaluationsSettings
from gate.dataclass import dataclass
from gate.evaluations import ALL_CHECKS
from gate.measure import Answer, Cause, CountRequest, Counts, Evidence, MeasurementError
from gate.measure.history import Series, SeriesAnswer, SeriesRequest
from gate.slo.indicator import Sli
from gate.slo.objective import Span
from gate.slo.quantities import decimal
from gate.wording import instant


@dataclass(frozen=True, slots=True)
class Readings:
    """The results in the files for one indicator."""

    history: RunHistory
    rounds: Sequence[Round]
    times: Sequence[datetime]
    """The time of each run that counts, the oldest first."""

    def runs_in(self, span: Span) -> Sequence[CountedRun]:
        """Return the runs in a span that count."""
        first, last = (bisect_right(self.times, bound) for bound in (span.start, span.end))
        return self.history.runs[first:last]


class EvaluationsBackend:
    """Counts the distinct cases of every run as events; those that did not pass are bad."""

    def __init__(self, settings: EvaluationsSettings) -> None:
        self.settings = settings
        self.files = ResultFiles(settings)
        self._readings: dict[Sli, tuple[RunHistory, Readings]] = {}

    def measure(self, requests: Sequence[CountRequest], at: datetime) -> list[Answer]:  # noqa: ARG002 - each request ends with it
        """Answer every request, in order."""
        return [self._answer(request) for request in requests]

    def history(self, requests: Sequence[SeriesRequest]) -> list[SeriesAnswer]:
        """Return the cases of the runs in each step."""
        return [self._series(request) for request in requests]

    def readings(self, sli: Sli) -> Readings:
        """Return the results in the files for an indicator; unchanged files are not read again.

        Raises:
            MeasurementError: no file matches.
        """
        history = self.files.history(sli)
        earlier = self._readings.get(sli)
        if earlier is None or earlier[0] is not history:
            rounds = rounds_of(history.runs, self.settings.every, sli.cases_since)
            earlier = history, Readings(history, rounds, [run.at for run in history.runs])
            self._readings[sli] = earlier
        return earlier[1]

    def query_of(self, sli: Sli, span: Span) -> str:
        """Return the counted metric and files, for people."""
        bar = "" if sli.score is None else f" with a score of at least {decimal(sli.score)}"
        metric = "every check" if sli.metric in {None, ALL_CHECKS} else f"metric {sli.metric}"
        return (
            f"cases that pass {metric}{bar} in {self.settings.shown_pattern}, runs from"
            f" {instant(span.start)} to {instant(span.end)}"
        )

    def _answer(self, request: CountRequest) -> Answer:
        query = self.query_of(request.sli, request.span)
        try:
            return self._count(request, query)
        except MeasurementError as error:
            return error.answer(query)

    def _count(self, request: CountRequest, query: str) -> Counts:
        readings, span = self.readings(request.sli), request.span
        runs = readings.runs_in(span)
        if not runs:
            reason = why_none(readings.history, span, self.settings.shown_pattern, request.sli)
            raise MeasurementError(Cause.NO_DATA, reason)
        evidence = Evidence(query=query, warnings=warnings(readings.history))
        if request.probe:
            seen = coverage(readings.times, span, self.settings.every)
            evidence = Evidence(
                query=query,
                warnings=evidence.warnings,
                newest=runs[-1].at,
                coverage=seen.share,
                gaps=seen.gaps,
                suspicions=suspicions(readings.history, readings.rounds, span, self.settings.every),
            )
        return Counts(
            total=Fraction(sum(run.cases for run in runs)),
            bad=Fraction(sum(run.bad for run in runs)),
            evidence=evidence,
        )

    def _series(self, request: SeriesRequest) -> SeriesAnswer:
        query = self.query_of(request.sli, request.span)
        try:
            readings = self.readings(request.sli)
        except MeasurementError as error:
            return error.answer(query)
        missing = coverage(readings.times, request.span, self.settings.every).missing
        total, bad = [0.0] * request.steps, [0.0] * request.steps
        for run in readings.runs_in(request.span):
            # A step excludes its start and includes its end.
            place = -((request.span.start - run.at) // request.step) - 1
            total[place] += run.cases
            bad[place] += run.bad
        unknown = [not number for number in total]
        for place, ends in enumerate(map(request.end_of, range(request.steps))):
            unknown[place] &= any(gap.start < ends <= gap.end for gap in missing)
        return Series(
            total=tuple(None if lost else n for lost, n in zip(unknown, total, strict=True)),
            bad=tuple(None if lost else n for lost, n in zip(unknown, bad, strict=True)),
            query=query,
            in_runs=True,
        )
