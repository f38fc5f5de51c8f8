"""The data of the window: how far back they reach, their gaps, and the age of the newest."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import ClassVar, Final

from gate.backends.prometheus.doctor.slo_check import CheckAnswers, SloCheck
from gate.backends.prometheus.probe import Probe
from gate.backends.prometheus.query import Query
from gate.dataclass import dataclass
from gate.measure.diagnosis import Check, CheckedSlo, CheckResult, Level, SkippedCheck
from gate.measure.history import coverage_step
from gate.promql.moving import window_text
from gate.slo.objective import Span
from gate.slo.quantities import format_duration
from gate.wording import instant, percent_left

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MATTERS: Final = Fraction(1, 100)
"""The share of the time between the oldest and the newest data that matters."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """The counts of one selector, at the steps of its window that have data."""

    steps: int
    first: datetime
    last: datetime
    falls: int
    """The number of steps without data directly after a step with data."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageCheck(SloCheck):
    """The expressions that show whether there is data, at equal steps."""

    check: ClassVar = Check.COVERAGE
    slo: CheckedSlo
    probe: Probe

    def queries(self) -> Iterable[Query]:
        """Request the steps with data, the first and the last of them, and the gaps."""
        for place, present in enumerate(self.probe.instants):
            yield self.probe.coverage[place]
            yield from self._ends(present)
            yield self._falls(present)

    def results(self, answers: CheckAnswers) -> Iterator[CheckResult | SkippedCheck]:
        """Judge the expression with the least data."""
        places = range(len(self.probe.instants))
        data = [seen for place in places if (seen := self._seen(answers, place))]
        if not data or not self.probe.steps:
            step, window = format_duration(self._step), format_duration(self._span.length)
            reason = f"the data are younger than a step of {step}, at which {window} are examined"
            for check in (Check.COVERAGE, Check.GAPS):
                yield SkippedCheck(check=check, reason=reason, applies=True)
            return
        seen = min(data, key=lambda seen: seen.steps)
        yield from self._reach(seen, answers)
        yield self._gaps(seen)

    def _reach(self, seen: _Seen, answers: CheckAnswers) -> Iterator[CheckResult]:
        """Judge how far back the data reach."""
        late = max(seen.first - self._span.start - self._step, timedelta())
        length = self._span.length
        short = answers.retention is not None and answers.retention < self.slo.whole
        much = late / length > 1 - self.slo.min_coverage
        oldest = f"the oldest data are of {instant(seen.first)}"
        share = f"they cover {percent_left(Fraction((length - late) / length), 0)}"
        window = format_duration(self.slo.whole)
        if late and short and answers.retention is not None:
            kept = format_duration(answers.retention)
            yield self._result(
                Check.RETENTION,
                f"the server keeps {kept}: {oldest}, {share} of {window}",
                Level.FAULT if much else Level.DOUBT,
                f"keep data longer (--storage.tsdb.retention.time={window}), ask a store that does"
                f" (Thanos, Mimir), or choose a window of {kept} at most",
            )
        elif much:
            yield self._result(
                Check.COVERAGE,
                f"{oldest}, {share} of {window}",
                Level.DOUBT,
                "a young service has no whole window yet: wait, or choose a shorter one; if it is"
                " not young, see how long the server keeps data",
            )
            return
        covered = percent_left(Fraction(min(seen.steps, self.probe.steps), self.probe.steps))
        yield self._result(Check.COVERAGE, f"{covered} of {format_duration(length)} covered")

    def _gaps(self, seen: _Seen) -> CheckResult:
        """Judge the gaps between the oldest and the newest data."""
        expected = (seen.last - seen.first) // self._step + 1
        missing = expected - seen.steps
        if missing <= expected * _MATTERS:
            return self._result(Check.GAPS)
        ended = seen.last < _EPOCH + (self._span.end - _EPOCH) // self._step * self._step
        gaps = max(seen.falls - ended, 1)
        lost, step = format_duration(missing * self._step), format_duration(self._step)
        return self._result(
            Check.GAPS,
            f"{gaps} gap{'s' * (gaps > 1)} without data, {lost} in all"
            f" ({percent_left(Fraction(missing, expected))}; examined every {step})",
            Level.DOUBT,
            "what failed in a gap may be missing from the count: see whether the target, the scrape"
            " or the server was down (the series up shows it)",
        )

    def _result(
        self, check: Check, message: str = "", level: Level = Level.OK, remedy: str = ""
    ) -> CheckResult:
        examined = self.probe.coverage[0].text
        return CheckResult(
            check=check, message=message, level=level, remedy=remedy, examined=examined
        )

    def _seen(self, answers: CheckAnswers, place: int) -> _Seen | None:
        present = self.probe.instants[place]
        steps = answers.amount(self.probe.coverage[place])
        first, last = (answers.number(part) for part in self._ends(present))
        falls = answers.amount(self._falls(present))
        if first is None or last is None:
            return None
        return _Seen(int(steps), _instant(first), _instant(last), int(falls))

    def _ends(self, present: str) -> tuple[Query, Query]:
        times = f"(0 * {present} + time())"
        return self._over(f"min_over_time({times}"), self._over(f"max_over_time({times}")

    def _falls(self, present: str) -> Query:
        return self._over(f"resets((({present} > bool 0) or vector(0))")

    def _over(self, text: str) -> Query:
        """Return the query for a subquery at every step of the window."""
        pieces = (f"{text}[", f":{window_text(self._step)}])")
        return Query(pieces=pieces, length=self._span.length, open_start=True)

    @property
    def _span(self) -> Span:
        return self.slo.request.span

    @property
    def _step(self) -> timedelta:
        return coverage_step(self._span.length)


@dataclass(frozen=True, slots=True, kw_only=True)
class FreshnessCheck(SloCheck):
    """The age of the newest sample, as it is measured for the budget."""

    check: ClassVar = Check.FRESHNESS
    slo: CheckedSlo
    probe: Probe

    def queries(self) -> Iterable[Query]:
        """Request the newest sample."""
        return self.probe.newest.values()

    def follow_ups(self, answers: CheckAnswers) -> Iterable[Query]:
        """Request it further back."""
        return self.probe.second_round(answers.readings)

    def results(self, answers: CheckAnswers) -> Iterator[CheckResult]:
        """Judge its age."""
        further = self.probe.searches(answers.readings)
        looked_for = {*self.probe.newest.values(), *further}
        newest = self.probe.newest_of(
            lambda part: answers.number(part) if part in looked_for else None
        )
        if newest is None:
            return  # other checks report that no series exist
        query = next(iter(self.probe.newest.values())).text
        age = max(answers.at - newest, timedelta())
        shown = format_duration(age // timedelta(seconds=1) * timedelta(seconds=1))
        if age <= self.slo.max_age:
            yield CheckResult(check=Check.FRESHNESS, message=f"newest {shown} old", examined=query)
            return
        yield CheckResult(
            check=Check.FRESHNESS,
            level=Level.FAULT,
            message=(
                f"the newest sample is of {instant(newest)}, {shown} old; the policy's"
                f" max_age is {format_duration(self.slo.max_age)}"
            ),
            remedy="see whether the target is still scraped, and under the same labels",
            examined=query,
        )


def _instant(seconds: Fraction) -> datetime:
    return _EPOCH + timedelta(seconds=float(seconds))
