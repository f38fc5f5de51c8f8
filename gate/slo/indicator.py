"""Service level indicators: the counted events, in the language of the backend."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum
from fractions import Fraction

from gate.dataclass import dataclass


class EmptySlice(StrEnum):
    """The count of a timeslice without any event."""

    LEFT_OUT = "left-out"
    GOOD = "good"
    BAD = "bad"


class Bucket(StrEnum):
    """The count of events at a threshold that is not a boundary of the histogram."""

    EXACT = "exact"
    """No count: the threshold must be a boundary."""
    STRICTER = "stricter"
    """The count at the next boundary below."""
    LAXER = "laxer"
    """The count at the next boundary above."""
    INTERPOLATE = "interpolate"
    """A value between both, as if the events between them were spread evenly."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Histogram:
    """Events that are counted in buckets; good ones have values of at most ``threshold``."""

    good: str
    """A selector of the family for the possible good events, without a suffix such as
    ``_bucket``."""
    total: str
    """The same for all events."""
    threshold: Fraction
    """The threshold in the unit of the boundaries."""
    unit: str
    """The unit for people: ``s``, ``ms``, ``us``, ``ns``; empty for values that are not times."""
    bucket: Bucket = Bucket.EXACT
    advice: str | None = None
    """How to configure another boundary in this server."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sli:
    """A service level indicator: expressions in the backend's own language, by their role.

    Exactly one of these sets of fields is given (the policy reader sees to it):
    ``bad`` and/or ``good`` with ``total``; ``column`` with ``threshold``; ``histogram``; ``gauge``;
    ``spent``; ``series``; ``metric``; ``slo``. Which of them a backend understands is in its
    registry entry.
    """

    good: str | None = None
    bad: str | None = None
    total: str | None = None
    """All events; for logs it may be missing (every row)."""
    column: str | None = None
    """Logs: a numeric column; an event is good when its value is at most ``threshold``."""
    threshold: Fraction | None = None
    """In the column's own unit."""
    histogram: Histogram | None = None
    gauge: str | None = None
    """A value per instant, 1 for up and 0 for down; it always has timeslices."""
    spent: str | None = None
    """An amount (money, tokens) that only grows."""
    series: str | None = None
    """Static: the name of the counts in the file."""
    metric: str | None = None
    """Evaluations: the metric, scorer or column that counts, as the result files name it; ``all``:
    every check of a case."""
    score: Fraction | None = None
    """Evaluations: the score that a case needs to pass; None: the tool's own result counts."""
    cases_since: datetime | None = None
    """Evaluations: when the set of cases was last changed on purpose; runs before it do not show
    which cases belong to it. None: never."""
    slo: str | None = None
    """Platforms: the exact name, or the id, of the SLO that the platform has."""
    group: str | None = None
    """Platforms: the group or instance of an SLO that has several; None: the whole SLO."""
    backend: str = ""
    """The name of the backend that counts it, if a policy has several; empty: its only one."""
    labels: Mapping[str, str] | None = None
    """Prometheus: the label values that replace ``$labels`` in the expressions."""
    preset: str | None = None
    """The name of the preset that defined this: ``vllm/errors``."""
    older: tuple["Sli", ...] = ()
    """The same indicator under older names: each counts for its part of a window, and no event
    counts twice. An entry with ``notes`` is another way to measure the indicator, the first of
    which counts."""
    objective: str | None = None
    """Prometheus: the objective of the tool that recorded these series."""
    sliced: bool = False
    """Whether the counted unit is a slice of time with a ratio: the number of its events is
    unknown."""
    some_failures: bool = False
    """Whether bad events are failures of one kind only, so that more failures are not a
    contradiction."""
    notes: tuple[str, ...] = ()
    """The notes that every report of a count must show."""
    unfiltered: "Sli | None" = None
    """The same without the exclusion of health checks; None: it does not exclude any."""

    def counted_by(self, backend: str) -> "Sli":
        """Return it, with all its alternatives, for the backend of this name."""
        return replace(
            self,
            backend=backend,
            older=tuple(sli.counted_by(backend) for sli in self.older),
            unfiltered=None if self.unfiltered is None else self.unfiltered.counted_by(backend),
        )

    @property
    def unit(self) -> str:
        """The unit of the measured value; empty if it is unknown or not a time."""
        return self.histogram.unit if self.histogram is not None else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slices:
    """The window in equal slices; a slice is bad if its good ratio is below ``target``."""

    length: timedelta
    target: Fraction
    """Above 0, at most 1."""
    empty: EmptySlice = EmptySlice.LEFT_OUT
