"""Which time series are asked for, so that few requests count many windows of an SLO."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Final

from gate.backends.google_slo.definitions import FULL_NAME
from gate.backends.google_slo.pages import ask_pages
from gate.backends.google_slo.points import SloPoints, read_points
from gate.backends.platforms.api import Api, Call
from gate.dataclass import dataclass
from gate.measure import MeasurementError
from gate.measure.history import clock_part
from gate.slo.objective import Span
from gate.wording import exact_instant

SHORTEST: Final = timedelta(minutes=1)
"""The shortest alignment period: the reference of ``aggregation.alignmentPeriod``."""
_LATELY: Final = timedelta(hours=1)
_SECOND: Final = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Aligned:
    """The good and the bad events of an SLO in equal steps, of which the last ends with the span.

    That the steps are counted back from the end is what google/slo2bq relies on.
    """

    slo: str
    """The full name."""
    span: Span
    """A whole number of steps."""
    step: timedelta
    """At least `SHORTEST`."""

    def call(self, project: str) -> Call:
        """Return the request; ``project`` is used where the name of the SLO has none."""
        name = FULL_NAME.fullmatch(self.slo)
        return Call(
            path=f"/v3/projects/{name[1] if name else project}/timeSeries",
            params={
                "filter": self.query,
                "interval.startTime": exact_instant(self.span.start),
                "interval.endTime": exact_instant(self.span.end),
                "aggregation.alignmentPeriod": f"{self.step // _SECOND}s",
                "aggregation.perSeriesAligner": "ALIGN_SUM",
                "aggregation.crossSeriesReducer": "REDUCE_SUM",
                "aggregation.groupByFields": "metric.labels.event_type",
                "view": "FULL",
            },
        )

    @property
    def query(self) -> str:
        """The filter, which can have only one SLO."""
        return f'select_slo_counts("{self.slo}")'

    def has(self, span: Span) -> bool:
        """Return whether some of the steps are just this span."""
        return (
            self.span.end == span.end
            and self.span.start <= span.start
            and not span.length % self.step
        )


def to_seconds(span: Span) -> Span:
    """Return a stretch of time whose ends are whole seconds, as alignment periods are."""
    return Span(span.start.replace(microsecond=0), span.end.replace(microsecond=0))


def exactly(slo: str, span: Span) -> Aligned:
    """Return a span, of at least `SHORTEST`, in one step."""
    return Aligned(slo=slo, span=span, step=span.length)


def overview(slo: str, span: Span) -> Aligned:
    """Return the newest part of a span, of at least `SHORTEST`, to see where it has data."""
    step = clock_part(span.length)
    whole = span.length // step * step
    return Aligned(slo=slo, span=Span(span.end - whole, span.end), step=step)


def lately(slo: str, span: Span) -> Aligned:
    """Return the last hour before a span's end, in minutes, to see how new the data are."""
    return Aligned(slo=slo, span=Span(span.end - _LATELY, span.end), step=SHORTEST)


def read_all(
    api: Api, project: str, wanted: Iterable[Aligned]
) -> dict[Aligned, SloPoints | MeasurementError]:
    """Return what the API says of each, or why it says nothing; each is asked for once."""
    distinct: Sequence[Aligned] = list(dict.fromkeys(wanted))
    outcomes = dict[Aligned, SloPoints | MeasurementError]()
    answers = ask_pages(api, [aligned.call(project) for aligned in distinct])
    for aligned, pages in zip(distinct, answers, strict=True):
        try:
            if isinstance(pages, MeasurementError):
                raise pages
            outcomes[aligned] = read_points(pages, aligned.span, aligned.step)
        except MeasurementError as error:
            outcomes[aligned] = error
    return outcomes
