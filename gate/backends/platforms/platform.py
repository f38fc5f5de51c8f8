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
    """How much of an SLO of the platform was bad over a stretch of time."""

    definition: Definition
    sli: Sli
    span: Span
    """Its end is the run's one instant."""
    main: bool
    """Whether this is the SLO's own window, of which the answer has evidence: how new, from when
    to when, with which corrections. Else it is the window of a burn rate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesQuestion:
    """A question about an SLO of the platform for each step of a stretch of time."""

    definition: Definition
    sli: Sli
    span: Span
    step: timedelta
    max_age: timedelta = timedelta()
    """How long after the newest event silence says that nothing happened; after that nothing is
    known. For platforms that see events and no samples."""


class Platform(Protocol):
    """An SLO platform, reached with one login."""

    title: str
    """As its vendor writes its name."""

    def begin(self) -> None:
        """Let the time begin that the next questions may take together."""
        ...

    def define(self, slis: Sequence[Sli]) -> list[Definition | Unmeasured]:
        """Return what the platform has for each indicator's name or id, in order.

        An exact name is looked up; of two SLOs of one name none is meant. What is not there is
        `Cause.NO_DATA`, and what is ambiguous `Cause.INVALID`, with the ids in the reason.

        Raises:
            MeasurementError: nothing could be asked.
        """
        ...

    def answer(self, questions: Sequence[Question], at: datetime) -> list[Answer]:
        """Answer every question, in order: `Counts`, `Share` or `Unmeasured`.

        The evidence need not have the definition, which `PlatformBackend` adds.

        Raises:
            MeasurementError: nothing could be asked.
        """
        ...

    def examine(self) -> list[CheckResult]:
        """Return what ``gate doctor`` sees of the platform as a whole: login, rights, site.

        Raises:
            MeasurementError: nothing could be asked.
        """
        ...


@runtime_checkable
class PlatformHistory(Protocol):
    """A platform whose past can be read step by step."""

    def series(self, questions: Sequence[SeriesQuestion]) -> list[SeriesAnswer]:
        """Return what happened in each step, for every question in order.

        Raises:
            MeasurementError: nothing could be asked.
        """
        ...


_MOST_SHOWN: Final = 5


def no_slo(where: str, name: str, others: Iterable[str], more: str = "") -> MeasurementError:
    """Return the error that no SLO has a name, with the names that are similar to it.

    Args:
        where: where it was looked for, as the subject of the sentence.
        name: the name or the id.
        others: the names that are there; empty: they are not known.
        more: what else may be the reason, for this platform; empty: nothing.
    """
    names = nearest_first(name, dict.fromkeys(others))
    quoted = listing([f'"{other}"' for other in names])
    there = f"; it has {quoted}" if names else ""
    also = f"; {more}" if more else ""
    reason = f'{where} has no SLO with the name or id "{name}"{there}{also}'
    return MeasurementError(Cause.NO_DATA, reason + hint_for("platform-name"))


def several_slos(where: str, name: str, ids: Sequence[str]) -> MeasurementError:
    """Return the error that several SLOs have a name, so that none of them is meant.

    Args:
        where: whose SLOs they are, after ``of``.
        name: the name.
        ids: what distinguishes them: ids, full names or ARNs.
    """
    reason = f'{len(ids)} SLOs of {where} have the name "{name}": {listing(sorted(ids))}'
    return MeasurementError(Cause.INVALID, reason + hint_for("platform-names"))


def listing(texts: Sequence[str]) -> str:
    """Write the first few texts, and how many more there are."""
    rest = len(texts) - _MOST_SHOWN
    return ", ".join(texts[:_MOST_SHOWN]) + (f" and {rest} more" if rest > 0 else "")
