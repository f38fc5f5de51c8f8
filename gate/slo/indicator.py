"""Service level indicators: which events are counted, in the language of the backend."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum
from fractions import Fraction

from gate.dataclass import dataclass


class EmptySlice(StrEnum):
    """How a timeslice without any event counts."""

    LEFT_OUT = "left-out"
    GOOD = "good"
    BAD = "bad"


class Bucket(StrEnum):
    """How events are counted at a threshold that is not a boundary of the histogram."""

    EXACT = "exact"
    """Nothing is counted: the threshold must be a boundary."""
    STRICTER = "stricter"
    """The next boundary below."""
    LAXER = "laxer"
    """The next boundary above."""
    INTERPOLATE = "interpolate"
    """Both, as if the events between them were spread evenly."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Histogram:
    """Events counted in buckets; good are those of at most ``threshold``."""

    good: str
    """A selector of the family, without a suffix such as ``_bucket``: which events can be good."""
    total: str
    """The same for all events."""
    threshold: Fraction
    """In the unit of the boundaries."""
    unit: str
    """For people: ``s``, ``ms``, ``us``, ``ns``; empty for what is not a time."""
    bucket: Bucket = Bucket.EXACT
    advice: str | None = None
    """How this server is made to have another boundary."""


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
    """All events; logs may leave it out (every row)."""
    column: str | None = None
    """Logs: a numeric column; an event is good when its value is at most ``threshold``."""
    threshold: Fraction | None = None
    """In the column's own unit."""
    histogram: Histogram | None = None
    gauge: str | None = None
    """A value per instant, 1 for up and 0 for down; always judged by timeslices."""
    spent: str | None = None
    """An amount (money, tokens) that only grows."""
    series: str | None = None
    """Static: the name under which the file has the counts."""
    metric: str | None = None
    """Evaluations: the metric, scorer or column that counts, as the result files name it; ``all``:
    every check of a case."""
    score: Fraction | None = None
    """Evaluations: what a case needs to pass; None: the tool's own word counts."""
    cases_since: datetime | None = None
    """Evaluations: when the set of cases was last changed on purpose; runs before it do not say
    which cases belong to it. None: never."""
    slo: str | None = None
    """Platforms: the exact name, or the id, of the SLO that the platform has."""
    group: str | None = None
    """Platforms: which group or instance of an SLO that has several; None: all of it."""
    backend: str = ""
    """The name of the backend that counts it, where a policy has several; empty: its only one."""
    labels: Mapping[str, str] | None = None
    """Prometheus: label values that take the place of ``$labels`` in the expressions."""
    preset: str | None = None
    """The name of the preset that wrote this: ``vllm/errors``."""
    older: tuple["Sli", ...] = ()
    """The same indicator under older names, each of which counts for its part of a window, and no
    event twice; one with ``notes`` is another way to measure it, of which the first counts."""
    objective: str | None = None
    """Prometheus: what the tool that recorded these series promises."""
    sliced: bool = False
    """The counted unit is a slice of time with a ratio: the number of its events is not known.
    """
    some_failures: bool = False
    """Bad are failures of one kind only, so it is not a contradiction where more have failed."""
    notes: tuple[str, ...] = ()
    """The note that every report of a count must show."""
    unfiltered: "Sli | None" = None
    """The same with the health checks that this leaves out; None: it leaves out none."""

    def counted_by(self, backend: str) -> "Sli":
        """Return it, with all that it may be counted by instead, for the backend of this name."""
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
    """The window cut in equal slices; a slice is bad when its good ratio is under ``target``."""

    length: timedelta
    target: Fraction
    """0 < target <= 1."""
    empty: EmptySlice = EmptySlice.LEFT_OUT
