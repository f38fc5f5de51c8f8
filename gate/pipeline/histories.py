"""What the commands that look at a history have in common."""

from datetime import timedelta

from gate.backends import history_of
from gate.budget.incidents import known_steps
from gate.config.load import PolicyFile
from gate.errors import UsageError
from gate.pipeline.measure import OpenBackend
from gate.settings import Limits
from gate.slo.history import History, Series, SeriesAnswer
from gate.slo.measurement import Cause, Unmeasured
from gate.slo.objective import CompositeSlo, Slo, SpendSlo


def open_history(file: PolicyFile, timeout: timedelta, open_with: OpenBackend) -> History:
    """Return the history that a policy's backend keeps.

    Raises:
        UsageError: it keeps none, or a package of it is missing.
    """
    history = history_of(open_with(file.settings, Limits(timeout=timeout)))
    if history is None:
        kind = file.settings.kind
        raise UsageError(f"{file.source.path}: the backend {kind} keeps no history to look at")
    return history


def known_of(answer: SeriesAnswer) -> SeriesAnswer:
    """Return the answer; one of which no step is known is none."""
    if isinstance(answer, Series) and not any(known_steps(answer)):
        reason = "nothing is known of any step of the time looked at"
        return Unmeasured(cause=Cause.NO_DATA, reason=reason, query=answer.query)
    return answer


def why_left_out(slo: Slo) -> str:
    """Say why an SLO has no ratio of events that could be told step by step."""
    if isinstance(slo, SpendSlo):
        return "it spends an amount, of which no event is bad"
    if isinstance(slo, CompositeSlo):
        return "it is a composite; its members are looked at themselves"
    return "it counts slices of time, whose history is not told step by step"
