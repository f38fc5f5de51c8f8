"""Requests to the backends of a run: one batch of counts per policy, several at once."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from gate.backends import Settings, backends_in, described, without_history
from gate.budget.assess import assess_ratio, assess_spend, assess_undefined
from gate.budget.assessment import Assessment
from gate.budget.composite import assess_composite
from gate.budget.face_value import PRESENT
from gate.budget.impact import Impact
from gate.config.load import PolicyFile
from gate.dataclass import dataclass
from gate.errors import UsageError
from gate.measure import Answer, Backend, Cause, CountRequest, Limits, Unmeasured, rule_labels
from gate.measure.capabilities import HistoryBackend, KeepingBackend, history_of
from gate.measure.history import Series, SeriesAnswer, SeriesRequest
from gate.policy.policy import Policy
from gate.slo.objective import CompositeSlo, PlatformSlo, RatioSlo, RollingWindow, Slo, SpendSlo
from gate.wording import NO_HISTORY, instant, without_events

if TYPE_CHECKING:
    pass

_SHORTEST: Final = timedelta(seconds=1)
"""The shortest span that a backend can count."""
OpenBackend = Callable[[Settings, Limits], Backend]


@dataclass(slots=True)
class _Plan:
    """The requests of one run, with the SLO and the window of each."""

    requests: list[CountRequest] = field(default_factory=list)
    places: dict[tuple[str, timedelta | None], int] = field(default_factory=dict)

    def add(self, slo: str, window: timedelta | None, request: CountRequest) -> None:
        self.places[slo, window] = len(self.requests)
        self.requests.append(request)


def measure(
    policy: Policy,
    backend: Backend,
    *,
    at: datetime,
    impact: Impact | None = None,
    also: Collection[timedelta] = (),
) -> tuple[Assessment, ...]:
    """Return the budget of every SLO of a policy, in its order, all at the one instant.

    Args:
        policy: the policy with the SLOs.
        backend: the backend that counts.
        at: the instant.
        impact: the change's stated impact.
        also: further windows with burn rates, beside those that the policy needs.
    """
    windows = sorted({*burn_windows(policy), *also})
    plan = _plan(policy, at, windows)
    answers = backend.measure(plan.requests, at) if plan.requests else []
    if len(answers) != len(plan.requests):
        message = f"the backend gave {len(answers)} answers to {len(plan.requests)} requests"
        raise RuntimeError(message)
    assessed: dict[str, Assessment] = {}
    for slo in policy.slos:
        if isinstance(slo, CompositeSlo):
            assessed[slo.name] = assess_composite(slo, assessed)
            continue
        if isinstance(slo, PlatformSlo):
            assessed[slo.name] = assess_undefined(slo, policy.undefined.get(slo.name))
            continue
        place = plan.places.get((slo.name, None))
        answer = period_begun(slo, at) if place is None else answers[place]
        if isinstance(slo, SpendSlo):
            assessed[slo.name] = assess_spend(slo, answer, at=at, guards=policy.guards_of(slo))
            continue
        assessed[slo.name] = assess_ratio(
            slo,
            answer,
            _windows(windows, slo, plan, answers),
            at=at,
            guards=policy.guards_of(slo),
            impact=impact,
        )
    return tuple(assessed.values())


def burn_windows(policy: Policy) -> list[timedelta]:
    """Return the windows whose burn rates a policy needs, shortest first, and the present one."""
    paired = (*policy.burn_rates, *((policy.exhaustion,) if policy.exhaustion else ()))
    return sorted({PRESENT, *(window for rule in paired for window in (rule.long, rule.short))})


def main_request(slo: RatioSlo | SpendSlo, at: datetime) -> CountRequest:
    """Return the request for an SLO's budget."""
    return CountRequest(
        sli=slo.sli,
        span=slo.window.counted(at),
        slices=slo.slices if isinstance(slo, RatioSlo) else None,
        probe=True,
        amount=isinstance(slo, SpendSlo),
    )


def period_begun(slo: RatioSlo | SpendSlo, at: datetime) -> Unmeasured:
    """Return the reason why nothing can be counted at the start of an SLO's calendar period.

    A user who states such an instant usually means the period that ends with it.
    """
    start = instant(slo.window.whole(at).start)
    reason = (
        f"the period ({slo.window}) has just begun, at {start}, and has no data"
        " yet; for the period before, give an instant just before that"
    )
    return Unmeasured(cause=Cause.NO_DATA, reason=reason)


def _plan(policy: Policy, at: datetime, windows: Sequence[timedelta]) -> _Plan:
    plan = _Plan()
    for slo in policy.slos:
        if isinstance(slo, CompositeSlo | PlatformSlo):
            continue
        labels = rule_labels(policy.service, slo.name)
        main = replace(main_request(slo, at), rule_labels=labels)
        slices = main.slices
        if main.span.length >= _SHORTEST:
            plan.add(slo.name, None, main)
        for window in windows if isinstance(slo, RatioSlo) else ():
            if slices is None or window >= slices.length:
                span = RollingWindow(window).counted(at)
                request = replace(main, span=span, probe=False)
                plan.add(slo.name, window, request)
    return plan


def _windows(
    windows: Sequence[timedelta], slo: RatioSlo, plan: _Plan, answers: list[Answer]
) -> Mapping[timedelta, Answer]:
    too_short = Unmeasured(
        cause=Cause.NO_DATA, reason="the window is shorter than one timeslice of this SLO"
    )
    return {
        window: answers[place]
        if (place := plan.places.get((slo.name, window))) is not None
        else too_short
        for window in windows
    }


class KeptHistory:
    """A history from the kept data; it opens a history for the rest."""

    def __init__(
        self, keeping: KeepingBackend, open_history: Callable[[], HistoryBackend | None]
    ) -> None:
        """Take the backend that has measured, and the function that opens a history."""
        self._keeping, self._open_history = keeping, open_history

    def history(self, requests: Sequence[SeriesRequest]) -> list[SeriesAnswer]:
        """Return the events of each step, for every request in order; never raises."""
        kept = [self._keeping.kept(request) for request in requests]
        missing = [request for request, answer in zip(requests, kept, strict=True) if not answer]
        answers = iter(self._ask_for(missing) if missing else ())
        return [answer or next(answers) for answer in kept]

    def _ask_for(self, requests: Sequence[SeriesRequest]) -> Sequence[SeriesAnswer]:
        history = self._open_history()
        if history is None:
            reason = f"this backend {NO_HISTORY}"
            return [Unmeasured(cause=Cause.NO_DATA, reason=reason)] * len(requests)
        return history.history(requests)


def open_history(
    file: PolicyFile, timeout: timedelta, open_with: OpenBackend
) -> tuple[Backend, HistoryBackend]:
    """Open the backend of a policy, as the source of counts and of history.

    Raises:
        UsageError: the backend has no history, or a package of it is missing.
    """
    backend = open_with(file.settings, file.limits(timeout))
    history = history_of(backend)
    if history is None:
        kinds = [own.kind for own in backends_in(file.settings).values()]
        lack = without_history(kinds, f"{described(file.settings)} {NO_HISTORY} to look at")
        raise UsageError(f"{file.source.path}: {lack}")
    return backend, history


def known_of(answer: SeriesAnswer) -> SeriesAnswer:
    """Return the answer, or the reason if no step is known."""
    if isinstance(answer, Series) and all(total is None for total in answer.total):
        reason = "there is no data for any step of the examined time"
        return Unmeasured(cause=Cause.NO_DATA, reason=reason, query=answer.query)
    return answer


def with_ratio(policy: Policy) -> list[RatioSlo]:
    """Return the SLOs with a ratio of bad events, or slices, step by step."""
    return [slo for slo in policy.slos if isinstance(slo, RatioSlo)]


def with_past(policy: Policy) -> list[RatioSlo | SpendSlo]:
    """Return the SLOs with a history of their own; composites have that of their members."""
    return [slo for slo in policy.slos if isinstance(slo, RatioSlo | SpendSlo)]


def not_looked_at(policy: Policy, slo: Slo) -> str | None:
    """Say why an SLO has no good and bad events of its own to examine; None: it has."""
    why = policy.undefined.get(slo.name)
    return without_events(slo) if why is None else f"it is not measured: {why.reason}"


def left_out(policy: Policy) -> tuple[tuple[str, str], ...]:
    """Return the names of all other SLOs, each with a sentence that says why."""
    return tuple(
        (slo.name, reason) for slo in policy.slos if (reason := not_looked_at(policy, slo))
    )
