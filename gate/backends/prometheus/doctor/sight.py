"""What the checks see: numbers, what the server says, and the words of whatever is missing."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fractions import Fraction

from gate.backends.prometheus.counting import NotMeasuredError
from gate.backends.prometheus.doctor.library import Library
from gate.backends.prometheus.part import Part
from gate.backends.prometheus.reading import Fault, Reading, Readings, Value


@dataclass(slots=True, kw_only=True)
class Sight:
    """Everything that came back, as the checks of one SLO see it."""

    readings: Readings
    library: Library
    at: datetime
    retention: timedelta | None
    """How long the server keeps data; None: it does not tell."""
    warnings: dict[str, None] = field(default_factory=dict)
    """What the server said is missing from the answers that were looked at."""

    def number(self, part: Part) -> Fraction | None:
        """Return a part's number; None: no series.

        Raises:
            NotMeasuredError: the server did not answer it.
        """
        return self._value(part).number

    def amount(self, part: Part) -> Fraction:
        """Return a part's number, 0 where there is no series.

        Raises:
            NotMeasuredError: the server did not answer it.
        """
        return self.number(part) or Fraction()

    def table(self, part: Part) -> Mapping[str, Fraction]:
        """Return a part's numbers by label.

        Raises:
            NotMeasuredError: the server did not answer it.
        """
        return self._value(part).numbers

    def reading(self, part: Part) -> Reading:
        """Return what came back for a part, a fault as well."""
        reading = self.readings(part)
        if isinstance(reading, Value):
            self.warnings |= dict.fromkeys(reading.warnings)
        return reading

    def _value(self, part: Part) -> Value:
        reading = self.reading(part)
        if isinstance(reading, Fault):
            raise NotMeasuredError(reading.cause, reading.reason)
        return reading
