"""A backend that answers with the statements of a case: it queries and reads nothing."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Final

import yaml

from gate.budget.ratio import seconds
from gate.config.cases import Nodes, StatedSlo
from gate.dataclass import dataclass
from gate.errors import nearest
from gate.measure import Answer, Cause, CountRequest, Unmeasured
from gate.measure.history import Series, SeriesAnswer, SeriesRequest
from gate.slo.objective import RatioSlo, SpendSlo
from gate.slo.quantities import format_duration, parse_duration
from gate.wording import exact

QUERY: Final = "stated in the case"
"""The text in place of a query."""


class ImpossibleError(Exception):
    """A case states something impossible, at this place of its file."""

    def __init__(self, nodes: Nodes, key: str, message: str) -> None:
        super().__init__(message)
        self.node: yaml.Node = nodes.get(key, nodes[""])


def burn_rates_of(
    slo: RatioSlo | SpendSlo, stated: StatedSlo, windows: Sequence[timedelta]
) -> Mapping[timedelta, Fraction | Cause]:
    """Return the stated burn rates, by the windows of the policy.

    Raises:
        ImpossibleError: no backend would answer them.
    """
    names = {window: format_duration(window) for window in windows}
    nodes = stated.nodes.get("burn_rates")
    keys = {} if nodes is None else {key.value: key for key, _ in nodes.value}
    rates = {}
    for text, rate in stated.burn_rates.items():
        place = {"": keys[text]}
        if isinstance(slo, SpendSlo):
            raise ImpossibleError(place, "", f"{slo.name}: an allowance has no burn rates")
        try:
            window = parse_duration(text)
        except ValueError as error:
            raise ImpossibleError(place, "", str(error)) from error
        if window not in names:
            message = f"no rule has the window {text!r}{nearest(text, names.values())}"
            raise ImpossibleError(place, "", message)
        if slo.slices is not None and window < slo.slices.length:
            message = f"{slo.name}: the window is shorter than one timeslice"
            raise ImpossibleError(place, "", message)
        if isinstance(rate, Fraction) and rate * slo.budget > 1:
            largest = exact(1 / slo.budget)
            message = f"{slo.name}: it burns at {largest} at most, if all is bad"
            raise ImpossibleError(place, "", message)
        rates[window] = rate
    return rates


@dataclass(frozen=True, slots=True, kw_only=True)
class BadStretch:
    """A time in which more events were bad than otherwise."""

    start: datetime
    end: datetime
    """Later than ``start``."""
    bad: Fraction
    """The bad events or slices in it; for an allowance, the amount that was spent."""

    def within(self, start: datetime, end: datetime) -> Fraction:
        """Return the part of it between two instants, evenly spread."""
        common = max(min(self.end, end) - max(self.start, start), timedelta())
        return self.bad * Fraction(common / (self.end - self.start))


@dataclass(frozen=True, slots=True, kw_only=True)
class StatedPast:
    """The past of an SLO as a case states it."""

    per_second: Fraction
    """The events, or slices, at any time; none for an allowance."""
    bad_per_second: Fraction
    """The bad ones in the steps without a stretch."""
    stretches: tuple[BadStretch, ...]

    def series(self, request: SeriesRequest) -> Series:
        """Return the events of each step."""
        whole = seconds(request.step)
        newest = seconds(request.span.end - request.end_of(request.steps - 2))
        total, bad = (
            [float(pace * whole)] * (request.steps - 1) + [float(pace * newest)]
            for pace in (self.per_second, self.bad_per_second)
        )
        places = [_places(stretch, request) for stretch in self.stretches]
        for place in {place for touched in places for place in touched}:
            bad[place] = (
                0.0  # the amount of a stretch is as stated, whether or not its steps are complete
            )
        for stretch, touched in zip(self.stretches, places, strict=True):
            for place in touched:
                bad[place] += float(
                    stretch.within(request.end_of(place - 1), request.end_of(place))
                )
        spent = bad if request.amount else list(map(max, total, bad))
        return Series(total=tuple(spent), bad=tuple(bad), query=QUERY)


def _places(stretch: BadStretch, request: SeriesRequest) -> range:
    """Return the steps that overlap a stretch."""
    first = (stretch.start - request.span.start) // request.step
    last = -(-(stretch.end - request.span.start) // request.step)
    return range(max(first, 0), min(last, request.steps))


@dataclass(frozen=True, slots=True, kw_only=True)
class StatedAnswers:
    """The answers about one SLO."""

    main: Answer
    """The answer over its own window."""
    windows: Mapping[timedelta, Answer]
    """The answers over the windows of burn rates."""
    past: StatedPast | Unmeasured


@dataclass(frozen=True, slots=True)
class StatedBackend:
    """The answers for each SLO, by the name that its indicator has as ``series``."""

    answers: Mapping[str, StatedAnswers]

    def measure(self, requests: Sequence[CountRequest], at: datetime) -> list[Answer]:  # noqa: ARG002 - the case's own
        """Answer every request, in order."""
        return [self._answer(request) for request in requests]

    def _answer(self, request: CountRequest) -> Answer:
        stated = self.answers[request.sli.series or ""]
        return stated.main if request.probe else stated.windows[request.span.length]

    def history(self, requests: Sequence[SeriesRequest]) -> list[SeriesAnswer]:
        """Return the events of each step."""
        return [self._series(request) for request in requests]

    def _series(self, request: SeriesRequest) -> SeriesAnswer:
        past = self.answers[request.sli.series or ""].past
        return past if isinstance(past, Unmeasured) else past.series(request)
