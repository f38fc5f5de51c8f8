"""The contract with an SLO platform: questions, answers, and the errors for a name of an SLO."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final, Protocol, runtime_checkable

from gate.dataclass import dataclass
from gate.errors import nearest_first
from gate.measure import Answer, Cause, Definition, MeasurementError, Unmeasured
from gate.measure.diagnosis import CheckResult
from gate.measure.history import SeriesAnswer
from gate.measure.remedies import hint_for
from gate.slo.indicator import Sli
from gate.slo.objective import Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question: the bad share of a platform's SLO over a stretch of time."""

    definition: Definition
    sli: Sli
    span: Span
    """Its end is the run's one instant."""
    main: bool
    """Whether this is the SLO's own window, whose answer has evidence: the age of the data, the
    bounds, the corrections. Otherwise it is the window of a burn rate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesQuestion:
    """A question about an SLO of the platform for each step of a stretch of time."""

    definition: Definition
    sli: Sli
    span: Span
    step: timedelta
    max_age: timedelta = timedelta()
    """The time after the newest event in which silence means that nothing happened; after that the
    history is unknown. For platforms that see events, not samples."""


class Platform(Protocol):
    """An SLO platform, with one login."""

    title: str
    """The platform's name, as its vendor writes it."""

    def begin(self) -> None:
        """Start the time limit of the next questions together."""
        ...

    def define(self, slis: Sequence[Sli]) -> list[Definition | Unmeasured]:
        """Return the platform's definition for each indicator's name or id, in order.

        An exact name is looked up; a name that two SLOs have is an error. A missing SLO is
        `Cause.NO_DATA`, and an ambiguous name `Cause.INVALID`, with the ids in the reason.

        Raises:
            MeasurementError: no request was possible.
        """
        ...

    def answer(self, questions: Sequence[Question], at: datetime) -> list[Answer]:
        """Answer every question, in order: `Counts`, `Share` or `Unmeasured`.

        The evidence need not have the definition, which `PlatformBackend` adds.

        Raises:
            MeasurementError: no request was possible.
        """
        ...

    def examine(self) -> list[CheckResult]:
        """Return the results of ``gate doctor`` for the whole platform: login, rights, site.

        Raises:
            MeasurementError: no request was possible.
        """
        ...


@runtime_checkable
class PlatformHistory(Protocol):
    """A platform whose past can be read step by step."""

    def series(self, questions: Sequence[SeriesQuestion]) -> list[SeriesAnswer]:
        """Return the events of each step, for every question in order.

        Raises:
            MeasurementError: no request was possible.
        """
        ...


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
