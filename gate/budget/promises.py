"""Whether a policy and an SLO platform have the same objective and window."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Final

from gate.measure import Cause, Definition, Promise, Unmeasured
from gate.measure.remedies import hint_for
from gate.slo.objective import PlatformSlo, RatioSlo, RollingWindow, Window
from gate.wording import percent

_NOISE: Final = Fraction(1, 10**9)
"""The tolerance: platforms write shares as floats of percents."""
_HALF_A_YEAR: Final = timedelta(days=182)
"""Two time zones that agree now and this much earlier and later agree in summer and winter."""


def difference(slo: RatioSlo, definition: Definition, at: datetime) -> str | None:
    """Say how the promises of the policy and of the platform differ; None: they agree."""
    own = Promise(window=slo.window, objective=slo.objective)
    if any(_agrees(promise, own, at) for promise in definition.promises):
        return None
    return (
        f"the policy promises {_promises([own])}; {_has(definition)}"
        f"{hint_for('platform-difference')}"
    )


def with_promise(slo: PlatformSlo, definition: Definition, at: datetime) -> RatioSlo | Unmeasured:
    """Return an SLO with the objective and the window of its platform.

    If the platform has several, the policy's own window or objective selects one.
    """
    fitting = [promise for promise in definition.promises if _fits(slo, promise, at)]
    if len(fitting) != 1:
        return Unmeasured(cause=Cause.INVALID, reason=_not_one(slo, definition, fitting))
    (promise,) = fitting
    if slo.sla is not None and slo.sla >= promise.objective:
        reason = (
            f"the sla {percent(slo.sla)} must be lower than the objective; {_has(definition)};"
            " correct the sla"
        )
        return Unmeasured(cause=Cause.INVALID, reason=reason)
    return RatioSlo(
        name=slo.name,
        window=promise.window,
        sli=slo.sli,
        objective=promise.objective,
        sla=slo.sla,
        denominator=slo.denominator,
        min_events=slo.min_events,
        advisory=slo.advisory,
        guards=slo.guards,
    )


def _not_one(slo: PlatformSlo, definition: Definition, fitting: Sequence[Promise]) -> str:
    """Say that no promise of the platform fits, or several do."""
    if len(fitting) > 1:
        return f"{_has(definition)}{hint_for('platform-choice')}"
    chosen = " over ".join(
        [
            *([] if slo.objective is None else [percent(slo.objective)]),
            *([] if slo.window is None else [str(slo.window)]),
        ]
    )
    return f"the policy chooses {chosen}; {_has(definition)}{hint_for('platform-choice')}"


def _fits(slo: PlatformSlo, promise: Promise, at: datetime) -> bool:
    own = Promise(
        window=slo.window or promise.window,
        objective=promise.objective if slo.objective is None else slo.objective,
    )
    return _agrees(promise, own, at)


def _agrees(promise: Promise, own: Promise, at: datetime) -> bool:
    near = abs(promise.objective - own.objective) <= _NOISE
    return near and _same_window(promise.window, own.window, at)


def _same_window(window: Window, other: Window, at: datetime) -> bool:
    """Return whether two windows are the same time, whatever their time zones are called."""
    if isinstance(window, RollingWindow) or isinstance(other, RollingWindow):
        return window == other
    instants = (at - _HALF_A_YEAR, at, at + _HALF_A_YEAR)
    return window.period is other.period and all(
        window.whole(instant) == other.whole(instant) for instant in instants
    )


def _has(definition: Definition) -> str:
    whose = f'{definition.platform}\'s SLO "{definition.name}"'
    return f"{whose} promises {_promises(definition.promises)}"


def _promises(promises: Sequence[Promise]) -> str:
    """Write promises: ``99.5% over 30d and 7d, 99% over 90d``."""
    windows: dict[Fraction, list[str]] = {}
    for promise in promises:
        windows.setdefault(promise.objective, []).append(str(promise.window))
    return ", ".join(
        f"{percent(objective)} over {' and '.join(those)}" for objective, those in windows.items()
    )
