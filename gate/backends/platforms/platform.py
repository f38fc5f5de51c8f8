"""The contract with an SLO platform: questions and answers."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol, runtime_checkable

from gate.dataclass import dataclass
from gate.measure import Answer, Definition, Unmeasured
from gate.measure.diagnosis import CheckResult
from gate.measure.history import SeriesAnswer
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
