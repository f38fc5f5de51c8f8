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
