"""The budget at instants of the past, by the formulas of ``gate status``."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from fractions import Fraction
from itertools import accumulate
from typing import Final

from gate.budget.assess import assess_ratio, assess_spend
from gate.budget.assessment import Assessment
from gate.budget.coverage import Guards
from gate.budget.ratio import budget_to_date
from gate.history.events import covered_by_steps
from gate.measure import Answer, Cause, Counts, Evidence, Spent, Unmeasured
from gate.measure.history import Series, SeriesRequest, with_news
from gate.slo.objective import RatioSlo, RollingWindow, Span, SpendSlo

_SECOND: Final = timedelta(seconds=1)


class BudgetAtInstants:
    """The budget at any instant of a history, by the formulas of ``gate status``.

    The steps are summed up once, so the cost of an instant does not depend on the window's length.
    """

    def __init__(
        self,
        slo: RatioSlo | SpendSlo,
        series: Series,
        request: SeriesRequest,
        *,
        guards: Guards,
    ) -> None:
        self._slo = slo
        self._series = series
        self._request = request
        self._guards = guards.of(slo)
        self._totals = _running_sums(series.total)
        self._bad = self._totals if request.amount else _running_sums(series.bad)
        self._with_data = list(accumulate((total is not None for total in series.total), initial=0))
        self._newest = _newest_known(with_news(series.total, in_runs=series.in_runs))

    def at(self, instant: datetime) -> Assessment | None:
        """Return the budget at a past instant, as ``gate status`` would have reported it then.

        None: the window's ends do not lie between two steps, so its events cannot be separated; or
        the history begins after the start of a rolling window, so events known then are missing.

        Args:
            instant: an instant, not after the end of the history.
        """
        span = self._slo.window.counted(instant)
        places = _places(self._request, span)
        if places is None or self._forgotten(places):
            return None
        answer = self._answer(places, span)
        if isinstance(self._slo, SpendSlo):
            return assess_spend(self._slo, answer, at=instant, guards=self._guards)
        return assess_ratio(self._slo, answer, {}, at=instant, guards=self._guards)

    def ratio_at(self, instant: datetime) -> float | None:
        """Return a number that orders instants approximately by the consumption of the budget.

        It is cheap, to find the instants that are worth an assessment; None: unknown.
        """
        span = self._slo.window.counted(instant)
        places = _places(self._request, span)
        if places is None or self._with_data[places.start] == self._with_data[places.stop]:
            return None
        bad = float(self._bad[places.stop] - self._bad[places.start])
        if isinstance(self._slo, SpendSlo) or self._slo.slices is not None:
            return bad
        total = float(self._totals[places.stop] - self._totals[places.start])
        to_date = isinstance(self._slo.window, RollingWindow) or budget_to_date(self._slo)
        return bad / total * (1.0 if to_date else span.length / _SECOND) if total else None

    def _forgotten(self, places: slice) -> bool:
        """Return whether a rolling window began more than a step before the known history."""
        first = places.start + 1
        return isinstance(self._slo.window, RollingWindow) and not self._with_data[first]

    def _answer(self, places: slice, span: Span) -> Answer:
        """Return the counts of the steps, as a backend would have returned them."""
        series, start, stop = self._series, places.start, places.stop
        with_data = self._with_data[stop] - self._with_data[start]
        if not with_data:
            reason = "no step of the window has data"
            return Unmeasured(cause=Cause.NO_DATA, reason=reason, query=series.query)
        total = Fraction(self._totals[stop] - self._totals[start])
        newest = self._request.end_of(self._newest[stop])
        evidence = Evidence(query=series.query, notes=series.notes, newest=newest)
        lost = Fraction(stop - start - with_data, stop - start)
        if 2 * lost > 1 - self._guards.min_coverage:  # a hole counts twice; less changes nothing
            totals = series.total[places]
            covered = covered_by_steps(self._slo, totals, span, in_runs=series.in_runs)
            evidence = replace(evidence, coverage=covered.share, gaps=covered.gaps)
        if isinstance(self._slo, SpendSlo):
            return Spent(amount=total, evidence=evidence)
        if not total:
            reason = "no event happened in the window"
            return Unmeasured(cause=Cause.NO_TRAFFIC, reason=reason, query=series.query)
        bad = Fraction(self._bad[stop] - self._bad[start])
        return Counts(total=total, bad=bad, evidence=evidence)


def _places(request: SeriesRequest, span: Span) -> slice | None:
    """Return the positions of the steps of a stretch of time; None: it has no whole steps."""
    start, step = request.span.start, request.step
    if span.start < start or (span.start - start) % step:
        return None
    last = request.steps if span.end == request.span.end else (span.end - start) // step
    if last > request.steps or request.end_of(last - 1) != span.end:
        return None
    return slice((span.start - start) // step, last)


def _running_sums(values: Sequence[float | None]) -> list[int | Fraction]:
    """Return the exact sums of the known values in the first n steps, for n from 0 on."""
    return list(accumulate(map(_exact, values), initial=0))


def _exact(value: float | None) -> int | Fraction:
    if value is None:
        return 0
    whole = int(value)
    # Whole numbers add up faster; an amount of 0.1 is a tenth, and not the nearest double.
    return whole if whole == value else Fraction(repr(value))


def _newest_known(values: Sequence[float | None]) -> list[int]:
    """Return the position of the newest known of the first n steps; -1: none is known."""
    places = (place if value is not None else -1 for place, value in enumerate(values))
    return list(accumulate(places, max, initial=-1))
