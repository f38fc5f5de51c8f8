"""The checks of ``gate doctor`` for result files: which count, which do not, and due runs."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

from gate.backends.evaluations.backend import EvaluationsBackend, Readings
from gate.backends.evaluations.doubts import listing
from gate.backends.evaluations.runs import RunHistory
from gate.dataclass import dataclass
from gate.measure import MeasurementError, Unmeasured
from gate.measure.diagnosis import (
    Check,
    CheckedSlo,
    CheckResult,
    Diagnosis,
    Level,
    account_for,
    suspicion_results,
)
from gate.slo.indicator import Sli
from gate.slo.quantities import format_duration
from gate.wording import instant

_EXPECTED: Final = (Check.METRIC, Check.COUNTED, Check.COVERAGE, Check.GAPS, Check.FRESHNESS)
"""The checks that each SLO needs; a skipped check has a reason."""
_SECOND: Final = timedelta(seconds=1)
_AHEAD: Final = timedelta(minutes=5)
"""The tolerated difference between the clocks of two machines."""


@dataclass(frozen=True, slots=True)
class EvaluationsDoctor:
    """Measures like for a budget, and reports the use of each file."""

    backend: EvaluationsBackend

    def examine(self, slos: Sequence[CheckedSlo], at: datetime) -> Diagnosis:
        """Examine every SLO; never raises for the content of the files."""
        path = self.backend.settings.shown_pattern
        try:
            whole = self.backend.files.history(Sli(metric=None))
        except MeasurementError as error:
            missing = CheckResult(
                check=Check.REACH,
                level=Level.FAULT,
                message=error.reason.partition("; ")[0],
                remedy=error.reason.partition("; ")[2],
                examined=path,
            )
            return Diagnosis(backend=(missing,), slos=((),) * len(slos))
        outcomes = [account_for(_EXPECTED, tuple(self._of_slo(slo, at)), ()) for slo in slos]
        return Diagnosis(
            backend=tuple(_of_files(whole, at, path)),
            slos=tuple(results for results, _ in outcomes),
            skipped=tuple(skipped for _, skipped in outcomes),
        )

    def _of_slo(self, slo: CheckedSlo, at: datetime) -> Iterator[CheckResult]:
        path = self.backend.settings.shown_pattern
        readings = self.backend.readings(slo.request.sli)
        (answer,) = self.backend.measure([slo.request], at)
        yield _metric(readings.history, slo.request.sli, path)
        if isinstance(answer, Unmeasured):
            yield CheckResult(
                check=Check.COUNTED,
                level=Level.FAULT,
                message=answer.reason,
                remedy="run the evaluation, and keep its result file where the path looks",
                examined=path,
            )
            return
        runs = readings.runs_in(slo.request.span)
        total, bad = sum(run.cases for run in runs), sum(run.bad for run in runs)
        yield CheckResult(
            check=Check.COUNTED,
            message=(f"{_number(len(runs), 'run')} with {bad:,} bad of {total:,} cases"),
            examined=path,
        )
        yield from suspicion_results(answer)
        for check in (Check.UNKNOWN, Check.CONTRADICTED):
            if all(result.check is not check for result in suspicion_results(answer)):
                yield CheckResult(check=check, examined=path)
        yield from self._when(slo, readings, at)

    def _when(self, slo: CheckedSlo, readings: Readings, at: datetime) -> Iterator[CheckResult]:
        """Yield whether runs came on time."""
        settings, span = self.backend.settings, slo.request.span
        path, times = settings.shown_pattern, [each for each in readings.times if each <= at]
        age, due = (at - times[-1]) // _SECOND * _SECOND, times[-1] + settings.every
        message = f"newest run {format_duration(age)} old, the next is due by {instant(due)}"
        fresh = CheckResult(check=Check.FRESHNESS, message=message, examined=path)
        if age > slo.max_age:
            message += f"; max_age is {format_duration(slo.max_age)}"
            remedy = "see why the evaluation did not run, or why its file did not come here"
            fresh = replace(fresh, level=Level.FAULT, message=message, remedy=remedy)
        yield fresh
        late = times[0] - settings.every - span.start
        if late / span.length <= 1 - slo.min_coverage:
            yield CheckResult(check=Check.COVERAGE, message="runs reach back far enough")
        else:
            yield CheckResult(
                check=Check.COVERAGE,
                level=Level.DOUBT,
                message=f"the first run is of {instant(times[0])}",
                remedy="fetch older result files, or choose a shorter window; else wait",
                examined=path,
            )
        yield _gaps(times, settings.every, slo, path)


def _of_files(history: RunHistory, at: datetime, path: str) -> Iterator[CheckResult]:
    """Judge the files, whatever the metric."""
    tools = sorted({run.tool for run in (*history.runs, *history.flawed)})
    placed = len(history.runs) + len(history.copies)
    message = f"{_number(history.files, 'file')}, {placed} with a run that counts"
    message += f", by {', '.join(tools)}" if tools else ""
    damaged = CheckResult(check=Check.REACH, message=message, examined=path)
    if history.unreadable:
        names = listing(history.unreadable)
        yield replace(
            damaged,
            level=Level.FAULT,
            message=f"{message}; {len(history.unreadable)} cannot be read: {names}",
            remedy="repair these files, or remove them",
        )
    else:
        yield damaged
    future = [run.file for run in history.runs if run.at > at + _AHEAD]
    yield _doubt(
        Check.CLOCK,
        f"{_number(len(future), 'run')} began later than now: {listing(future)}" if future else "",
        "set the clocks by NTP, and see whether time_zone is right; they do not count yet",
        path,
    )
    yield _doubt(
        Check.REPEATS,
        f"{_number(len(history.copies), 'file')} of runs that another file has, which count once:"
        f" {listing(history.copies)}"
        if history.copies
        else "",
        "keep one file of each run",
        path,
    )


def _doubt(check: Check, message: str, remedy: str, path: str) -> CheckResult:
    """Return a doubt with the message; without a message, return nothing."""
    if not message:
        return CheckResult(check=check, examined=path)
    return CheckResult(
        check=check, level=Level.DOUBT, message=message, remedy=remedy, examined=path
    )


def _metric(history: RunHistory, sli: Sli, path: str) -> CheckResult:
    """Report the metrics in the files, and the counted one."""
    names = ", ".join(history.metrics) or "none by name"
    others = f"; {_number(len(history.foreign), 'file')} without it" if history.foreign else ""
    message = f"{sli.metric} is counted; the files have {names}{others}"
    return CheckResult(check=Check.METRIC, message=message, examined=path)


def _gaps(times: Sequence[datetime], every: timedelta, slo: CheckedSlo, path: str) -> CheckResult:
    """Report the gaps between runs in which others were due, more than half a period late."""
    span = slo.request.span
    pairs = [
        (before, after)
        for before, after in pairwise(times)
        if after > span.start and after - before > every * 3 / 2
    ]
    if not pairs:
        return CheckResult(check=Check.GAPS, examined=path)
    missed = sum(round((after - before) / every) - 1 for before, after in pairs)
    shown = [f"{instant(before)} to {instant(after)}" for before, after in pairs]
    return CheckResult(
        check=Check.GAPS,
        level=Level.DOUBT,
        message=f"{_number(max(missed, 1), 'run')} did not come: none from {listing(shown)}",
        remedy="fetch the files of these runs; a run that failed to start leaves none",
        examined=path,
    )


def _number(count: int, noun: str) -> str:
    return f"1 {noun}" if count == 1 else f"{count:,} {noun}s"
