"""The errors for a name that no SLO of a platform has, or that several have."""

from collections.abc import Iterable, Sequence
from typing import Final

from gate.errors import nearest_first
from gate.measure import Cause, MeasurementError
from gate.measure.remedies import hint_for

_MOST_SHOWN: Final = 5


def no_slo(where: str, name: str, others: Iterable[str], more: str = "") -> MeasurementError:
    """Return the error for an unknown name, with similar names.

    Args:
        where: the searched place, as the subject of the sentence.
        name: the name or the id.
        others: the existing names; empty: unknown.
        more: another possible reason for this platform; empty: none.
    """
    names = nearest_first(name, dict.fromkeys(others))
    quoted = listing([f'"{other}"' for other in names])
    there = f"; it has {quoted}" if names else ""
    also = f"; {more}" if more else ""
    reason = f'{where} has no SLO with the name or id "{name}"{there}{also}'
    return MeasurementError(Cause.NO_DATA, reason + hint_for("platform-name"))


def several_slos(where: str, name: str, ids: Sequence[str]) -> MeasurementError:
    """Return the error for an ambiguous name.

    Args:
        where: the owner of the SLOs, after ``of``.
        name: the name.
        ids: their distinct ids, full names or ARNs.
    """
    reason = f'{len(ids)} SLOs of {where} have the name "{name}": {listing(sorted(ids))}'
    return MeasurementError(Cause.INVALID, reason + hint_for("platform-names"))


def listing(texts: Sequence[str]) -> str:
    """Write the first few texts, and the number of the others."""
    rest = len(texts) - _MOST_SHOWN
    return ", ".join(texts[:_MOST_SHOWN]) + (f" and {rest} more" if rest > 0 else "")
