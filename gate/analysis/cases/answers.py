"""The answers of a backend, made of the statements of a case about an SLO."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from math import ceil
from typing import Final

from gate.analysis.cases.backend import (
    QUERY,
    BadStretch,
    ImpossibleError,
    StatedAnswers,
    StatedPast,
    burn_rates_of,
)
from gate.budget.ratio import seconds, share_per_bad, slices_in
from gate.config.cases import StatedIncident, StatedSignal, StatedSlo
from gate.dataclass import dataclass
from gate.measure import Answer, Cause, Counts, Evidence, Share, Spent, Suspicion, Unmeasured
from gate.slo.objective import RatioSlo, SpendSlo
from gate.wording import percent_spent

_PACE: Final = Fraction(10**6)
"""The events per second if only the remaining share is stated: a whole number in every step of a
history."""
_SHORTEST: Final = timedelta(seconds=1)
"""The shortest time that can be counted."""
_HAIR: Final = 1 - Fraction(1, 10**9)
"""The tolerance for an incident: the sums of a history are floats, and 20% must not count as more
than 20%."""
_USUAL: Final = Fraction(1, 10)
"""The minimum burn rate, at all other times, of an SLO whose control chart has a signal."""
_CALM: Final = Fraction(1, 2)
"""The maximum burn rate outside of incidents and signals: it continues, and is far from both."""
_SIGNAL: Final = Fraction(1)
"""The burn rate during a signal: clearly more than usual, and far from an incident."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SloStatement:
    """The statement of a case about one SLO, with the SLO and its policy."""

    slo: RatioSlo | SpendSlo
    stated: StatedSlo
    at: datetime
    windows: Sequence[timedelta]
    """The windows of the burn rates that the policy needs."""

    def answers(self) -> StatedAnswers:
        """Return the answers that a backend would give.

        Raises:
            ImpossibleError: no backend could give such answers.
        """
        main = self._spent(self.slo) if isinstance(self.slo, SpendSlo) else self._counts(self.slo)
        return StatedAnswers(main=main, windows=self._windows(main), past=self._past(main))

    def _impossible(self, key: str, message: str) -> ImpossibleError:
        return ImpossibleError(self.stated.nodes, key, f"{self.slo.name}: {message}")

    def _unmeasured(self, cause: Cause) -> Unmeasured:
        return Unmeasured(cause=cause, reason=f"the case states {cause}", query=QUERY)

    def _begun(self, key: str) -> None:
        if self.slo.window.counted(self.at).length < _SHORTEST:
            message = "its period begins at this very instant, and nothing of it can be measured"
            raise self._impossible(key, message)

    def _spent(self, slo: SpendSlo) -> Answer:
        stated = self.stated
        if stated.counts is not None:
            raise self._impossible("total", "it spends an allowance; state spent, or remaining")
        if stated.unmeasured is not None:
            return self._unmeasured(stated.unmeasured)
        if stated.spent is not None:
            self._begun("spent")
            return Spent(amount=stated.spent, evidence=self._evidence())
        amount = (1 - self._left()) * slo.allowance
        return Spent(amount=amount, evidence=self._evidence())

    def _left(self) -> Fraction:
        left = Fraction(1) if self.stated.remaining is None else self.stated.remaining
        if left < 1:
            self._begun("remaining")
        return left

    def _counts(self, slo: RatioSlo) -> Answer:
        stated = self.stated
        if stated.spent is not None:
            raise self._impossible("spent", "it has an objective; state total and bad")
        if stated.unmeasured is not None:
            return self._unmeasured(stated.unmeasured)
        if stated.counts is not None:
            self._begun("total")
            total, bad = stated.counts
            return Counts(total=total, bad=bad, evidence=self._evidence())
        elapsed = slo.window.counted(self.at).length
        total = self._enough(slo) * seconds(elapsed)
        if slo.slices is not None:
            total = slices_in(elapsed, slo.slices.length)
        left = self._left()
        if elapsed < _SHORTEST:
            return self._unmeasured(Cause.NO_DATA)
        counts = Counts(total=total, bad=Fraction(0), evidence=self._evidence())
        share = share_per_bad(slo, counts, self.at, slo.objective)
        if total * share < 1 - left:
            message = (
                f"not more than {percent_spent(total * share)} of the budget can be consumed by"
                " then, if all is bad"
            )
            raise self._impossible("remaining", message)
        bad = (1 - left) / share
        if stated.rounding is None:
            return Counts(total=total, bad=bad, evidence=counts.evidence)
        error = stated.rounding / share
        return Share(bad=bad / total, error=error / total, evidence=counts.evidence)

    def _enough(self, slo: RatioSlo) -> Fraction:
        """Return a rate of events with enough events for any policy within a second."""
        return _PACE * max(ceil(1 / slo.budget), slo.min_events or 0)

    def _evidence(self) -> Evidence:
        stated = self.stated
        return Evidence(
            query=QUERY,
            newest=self.at - (stated.newest or timedelta()),
            coverage=stated.coverage,
            warnings=("the case states it",) if stated.partial else (),
            suspicions=tuple(
                Suspicion(
                    cause=suspicion.cause,
                    reason=f"the case states {suspicion.cause}",
                    remedy="correct the indicator",
                    hidden=suspicion.hidden,
                    doubtful=suspicion.doubtful,
                )
                for suspicion in stated.suspicions
            ),
        )

    def _windows(self, main: Answer) -> Mapping[timedelta, Answer]:
        rates = burn_rates_of(self.slo, self.stated, self.windows)
        if isinstance(self.slo, SpendSlo):
            return {}
        return {
            window: self._window(self.slo, main, window, rates.get(window))
            for window in self.windows
        }

    def _window(
        self, slo: RatioSlo, main: Answer, window: timedelta, rate: Fraction | Cause | None
    ) -> Answer:
        if isinstance(rate, Cause):
            return self._unmeasured(rate)
        if isinstance(main, Unmeasured) and rate is None:
            return main
        total = self._per_second(slo, main) * seconds(window)
        whole = total if slo.slices is None else slices_in(window, slo.slices.length)
        bad = (rate or Fraction(0)) * slo.budget * whole
        return Counts(total=whole, bad=bad, evidence=Evidence(query=QUERY))

    def _per_second(self, slo: RatioSlo, main: Answer) -> Fraction:
        """Return the events, or slices, per second, the same at any time."""
        if slo.slices is not None:
            return 1 / seconds(slo.slices.length)
        elapsed = seconds(slo.window.counted(self.at).length)
        return main.total / elapsed if isinstance(main, Counts) and elapsed else _PACE

    def _past(self, main: Answer) -> StatedPast | Unmeasured:
        stated = self.stated
        if stated.history is not None:
            for key in ("incidents", "signals"):
                if key in stated.nodes:
                    raise self._impossible(key, "its history is unknown")
            return self._unmeasured(stated.history)
        if isinstance(main, Unmeasured) and not (stated.incidents or stated.signals):
            return main
        if not (stated.incidents or stated.signals):
            return StatedPast(per_second=_PACE, bad_per_second=Fraction(0), stretches=())
        per_second = self._pace(main)
        incidents = [self._incident(incident, per_second) for incident in stated.incidents]
        allowed = self._allowed(per_second) / seconds(self.slo.window.whole(self.at).length)
        signals = [self._signal(signal, _SIGNAL * allowed) for signal in stated.signals]
        least = _USUAL * allowed if signals else Fraction(0)
        chronic = max(self._chronic(main, incidents), least)
        return StatedPast(
            per_second=per_second,
            bad_per_second=min(chronic, _CALM * allowed),
            stretches=(*incidents, *signals),
        )

    def _pace(self, main: Answer) -> Fraction:
        if isinstance(self.slo, SpendSlo):
            return Fraction(0)
        return self._per_second(self.slo, main)

    def _allowed(self, per_second: Fraction) -> Fraction:
        """Return the allowed bad events over the whole window; for an allowance, all of it."""
        if isinstance(self.slo, SpendSlo):
            return self.slo.allowance
        return self.slo.budget * per_second * seconds(self.slo.window.whole(self.at).length)

    def _incident(self, incident: StatedIncident, per_second: Fraction) -> BadStretch:
        end = self._end(incident)
        allowed = self._allowed(per_second)
        bad = incident.bad if incident.share is None else incident.share * allowed
        bad = bad or Fraction(0)
        most = per_second * seconds(end - incident.start)
        if isinstance(self.slo, RatioSlo) and bad > most:
            key = "bad" if incident.share is None else "share"
            took = percent_spent(most / allowed)
            message = f"{self.slo.name}: it took {took} of the budget at most, if all was bad"
            raise ImpossibleError(incident.nodes, key, message)
        return BadStretch(start=incident.start, end=end, bad=bad * _HAIR)

    def _end(self, stretch: StatedIncident | StatedSignal) -> datetime:
        """Return when it ended, or this instant; it is before this instant."""
        name = self.slo.name
        if stretch.start >= self.at:
            message = f"{name}: it does not begin before the instant of the case"
            raise ImpossibleError(stretch.nodes, "start", message)
        if stretch.end is not None and stretch.end > self.at:
            message = f"{name}: it ends after the instant of the case; leave out what goes on"
            raise ImpossibleError(stretch.nodes, "end", message)
        return stretch.end or self.at

    def _signal(self, signal: StatedSignal, per_second: Fraction) -> BadStretch:
        end = self._end(signal)
        return BadStretch(start=signal.start, end=end, bad=per_second * seconds(end - signal.start))

    def _chronic(self, main: Answer, incidents: Sequence[BadStretch]) -> Fraction:
        """Return the bad events per second outside of the incidents, from the consumed share."""
        if isinstance(main, Unmeasured):
            return Fraction(0)
        span = self.slo.window.counted(self.at)
        taken = sum((incident.within(span.start, span.end) for incident in incidents), Fraction(0))
        consumed = main.amount if isinstance(main, Spent) else main.bad
        if taken > consumed:
            message = "its incidents took more of the budget than is consumed; state less of it"
            raise self._impossible("incidents", message)
        elapsed = seconds(span.length)
        return (consumed - taken) / elapsed if elapsed else Fraction(0)
