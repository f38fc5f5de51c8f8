"""The shares of a budget that incidents use: the history to search, and the reference budget."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Final

from gate.budget.ratio import budget_to_date, seconds, slices_in
from gate.dataclass import dataclass
from gate.history.events import as_events, budget_share, past_request, within
from gate.history.incidents import WINDOW, Incident, find_incidents
from gate.history.sampled_incidents import find_sampled_incidents
from gate.history.service_incidents import SloImpact
from gate.measure.history import Series, SeriesRequest, clock_start
from gate.slo.objective import CalendarWindow, RatioSlo, Span, SpendSlo

MARGIN: Final = timedelta(days=1)
"""The least time between the start of the history and the examined time, so that an incident that
began earlier keeps its start. The history starts at midnight: all runs of a day see the same
start."""
SPENDING: Final = timedelta(hours=1)
"""The time over which the spend rate of an allowance is measured: jobs that spend run in
batches."""


def incident_request(
    slo: RatioSlo | SpendSlo, span: Span, step: timedelta, *, max_age: timedelta
) -> SeriesRequest:
    """Return the history request for the incidents of a stretch of time.

    The history begins earlier than the stretch by the `MARGIN`, or, if the budget depends on the
    number of events, by the SLO's window if that is longer.

    Args:
        slo: whatever has a budget of its own.
        span: the time of interest; it ends at the instant of the run.
        step: the step of the history.
        max_age: the maximum age of the newest sample.
    """
    start = clock_start(span.start - MARGIN, MARGIN)
    if _grows(slo):
        start = min(start, slo.window.counted(span.end).start)
    return past_request(slo, Span(start, span.end), step, max_age=max_age)


def slo_incidents(
    slo: RatioSlo | SpendSlo, series: Series, request: SeriesRequest, *, threshold: float
) -> tuple[Incident, ...]:
    """Return the incidents of an SLO, the oldest first.

    For an allowance they are the times of spending this many times faster than evenly; for samples
    they are searched over as many samples as needed.

    Args:
        slo: whatever has a budget of its own.
        series: the answer to the request, as it came.
        request: the request of the series.
        threshold: a burn rate, above 0.
    """
    events, budget = as_events(slo, series, request), float(budget_share(slo))
    if isinstance(slo, RatioSlo) and slo.sampled is not None:
        return find_sampled_incidents(events, request, budget=budget, threshold=threshold)
    window = SPENDING if isinstance(slo, SpendSlo) else WINDOW
    return find_incidents(events, request, budget=budget, threshold=threshold, window=window)


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowBudget:
    """The number of bad events in the budget of one SLO window; or of slices, or an amount."""

    present: Fraction
    """The budget of the window that ends with the history, as ``gate status`` reports it; 0: no
    events."""
    since: datetime
    """The start of that window."""
    before: Fraction
    """The budget of an earlier window, at the mean traffic of the history; above 0 if there are
    events."""

    def share(self, incident: Incident) -> Fraction:
        """Return the share of the budget of the window of its end that an incident used."""
        recent = self.present if incident.end > self.since else 0
        return Fraction(incident.bad) / (recent or self.before)


def window_budget(
    slo: RatioSlo | SpendSlo, series: Series, request: SeriesRequest, span: Span
) -> WindowBudget:
    """Return the budget to which the shares of incidents refer.

    Rolling: the budget's share of all events of the window; for an earlier window, of the mean
    number of events of a window. Unknown time adds nothing. Calendar: the budget of the period so
    far or extrapolated to its end, as the policy counts; for an earlier period, its budget at the
    mean traffic. Slices and allowances: the budget of the whole window.

    Args:
        slo: whatever has a budget of its own.
        series: the answer to `incident_request`, as it came.
        request: the request of the series.
        span: the examined time; it ends with the history.
    """
    whole, counted = (window(span.end) for window in (slo.window.whole, slo.window.counted))
    if isinstance(slo, SpendSlo):
        return WindowBudget(present=slo.allowance, since=counted.start, before=slo.allowance)
    if slo.slices is not None:
        bad = slo.budget * slices_in(whole.length, slo.slices.length)
        return WindowBudget(present=bad, since=counted.start, before=bad)
    looked_at = Span(min(span.start, counted.start), span.end)
    mean = _in_the_mean(series, request, looked_at, whole.length)
    mean = mean or _in_the_mean(series, request, request.span, whole.length)
    if isinstance(slo.window, CalendarWindow):
        present = _events(series, request, counted)
        if not budget_to_date(slo):
            present *= seconds(whole.length) / (seconds(counted.length) or 1)
    else:
        present = _in_the_mean(series, request, counted, whole.length)
    return WindowBudget(present=slo.budget * present, since=counted.start, before=slo.budget * mean)


def _grows(slo: RatioSlo | SpendSlo) -> bool:
    """Return whether a budget grows with the number of events."""
    return isinstance(slo, RatioSlo) and slo.slices is None


def _events(series: Series, request: SeriesRequest, span: Span) -> Fraction:
    return Fraction(sum(total or 0.0 for total in within(series, request, span)))


def _in_the_mean(series: Series, request: SeriesRequest, span: Span, window: timedelta) -> Fraction:
    """Return the mean number of events in a window during a longer stretch; all of a shorter one.

    A history that begins within the stretch shortens it.
    """
    begun = next((place for place, total in enumerate(series.total) if total is not None), 0)
    first = max((span.start - request.span.start) // request.step, begun)
    length = max(span.end - request.end_of(first - 1), window)
    return _events(series, request, span) * seconds(window) / seconds(length)


_OFTEN: Final = 2
"""The number of incidents per SLO window from which they are frequent."""
_COSTLY: Final = 0.2
"""The share of a budget that one incident may take before Google's policy asks for a postmortem.
https://sre.google/workbook/error-budget-policy/"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drain:
    """The consumption of an SLO's budget by incidents at this rate."""

    slo: str
    window: timedelta
    per_window: float
    """The number of incidents per window of the SLO."""
    each: float
    """The mean share of the budget that an incident uses."""
    count: int
    """The number of incidents seen."""
    observed: timedelta
    """The known time in which they were seen."""

    @property
    def total(self) -> float:
        """The share of the budget that they use in a window."""
        return self.per_window * self.each

    @property
    def often(self) -> bool:
        """Whether frequent incidents (a low MTBF) use the budget."""
        return self.per_window >= _OFTEN

    @property
    def costly(self) -> bool:
        """Whether long incidents (a high MTTR), or deep failures, use the budget."""
        return self.each >= _COSTLY


def drain(
    impacts: Sequence[SloImpact],
    windows: Mapping[str, timedelta],
    known_time: Mapping[str, timedelta],
) -> Drain | None:
    """Return the consumption of the SLO with the highest cost; None without incidents.

    Args:
        impacts: all impacts of the service.
        windows: the length of each SLO's window.
        known_time: the known time of the SLO.
    """
    drains = []
    for slo in {impact.slo: None for impact in impacts}:
        shares = [impact.share for impact in impacts if impact.slo == slo]
        each, pace = sum(shares) / len(shares), len(shares) / (known_time[slo] / windows[slo])
        drains.append(
            Drain(
                slo=slo,
                window=windows[slo],
                per_window=pace,
                each=each,
                count=len(shares),
                observed=known_time[slo],
            )
        )
    return max(drains, key=lambda drain_of_slo: drain_of_slo.total, default=None)
