"""Asking for the burn-downs that a status shows, which are nice to have and change nothing."""

from collections.abc import Sequence
from datetime import datetime

from gate.budget.assessment import Assessment
from gate.budget.burn_down import BurnDown, burn_down, sketched
from gate.slo.history import History, Series


def sketch(
    history: History | None, assessments: Sequence[Assessment], at: datetime
) -> dict[str, BurnDown]:
    """Return by SLO how each measured budget came down, in few steps, where that is known.

    One round of range queries, or one scan, for all of them.
    """
    wanted = [
        (known, request)
        for known in assessments
        if known.measured and (request := sketched(known.slo, at)) is not None
    ]
    if history is None or not wanted:
        return {}
    answers = history.history([request for _, request in wanted])
    found = {
        known.slo.name: burn_down(series, request, known)
        for (known, request), series in zip(wanted, answers, strict=True)
        if isinstance(series, Series)
    }
    return {name: one for name, one in found.items() if one is not None}
