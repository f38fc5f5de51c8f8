"""Read Kibana's numbers for one SLO: counts, a rounded share, or a reason for neither.

Kibana rounds shares to six decimals, and its pages show budgets that are clamped at 0: the
remaining budget is always computed anew, from the counts if Kibana reports them.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from fractions import Fraction
from math import ceil
from typing import Any, Final

from gate.backends.elastic.definitions import ALL, KibanaSlo
from gate.backends.platforms.messages import finite
from gate.dataclass import dataclass
from gate.measure import Answer, Cause, Counts, Evidence, Share, Unmeasured
from gate.slo.objective import CalendarWindow
from gate.slo.quantities import format_duration

_NOT_FOUND: Final = 404
_ROUNDED: Final = Fraction(1, 2_000_000)
"""Half a unit of the sixth decimal of a ratio, to which Kibana rounds."""
_APART: Final = Fraction(1, 100_000)
"""The tolerated difference between Kibana's rounded ratio and its counts."""
_NO_DATA: Final = "NO_DATA"
_VIOLATED: Final = "VIOLATED"
_STATUSES: Final = ("HEALTHY", "DEGRADING", _VIOLATED)
_MAINTENANCE: Final = "maintenance windows are counted like all other time"
_OLD: Final = (
    "an older Kibana, without _bulk_snapshot, reports a ratio with six decimals and no counts"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SloQuery:
    """The query for one SLO."""

    slo: KibanaSlo
    at: datetime
    query: str
    words: Callable[[str], str]
    """Makes Kibana's own words safe to show."""

    def unmeasured(self, cause: Cause, reason: str) -> Unmeasured:
        """Return the reason for the missing number."""
        name = self.slo.definition.name
        return Unmeasured(cause=cause, reason=f'the SLO "{name}": {reason}', query=self.query)

    @property
    def newest(self) -> datetime | None:
        """The age of its data, if Kibana reports it."""
        updated = self.slo.updated
        return None if updated is None else min(updated, self.at)


def answer_of_snapshot(inquiry: SloQuery, results: Sequence[Mapping[str, Any]]) -> Answer:
    """Return the counts of one SLO.

    Args:
        inquiry: the query for the SLO.
        results: the results of the answer for this SLO and instance.
    """
    if len(results) != 1:
        return inquiry.unmeasured(
            Cause.INVALID, f"Kibana's answer has {len(results)} results for it, and one is expected"
        )
    error, summary = results[0].get("error"), results[0].get("summary")
    if error is not None:
        return _refused(inquiry, error)
    fields = summary if isinstance(summary, Mapping) else {}
    good, total, status = (fields.get(key) for key in ("good", "total", "status"))
    numbers = finite(good), finite(total)
    if numbers[0] is None or numbers[1] is None or not isinstance(status, str):
        reason = f"good is {good!r:.40} and total is {total!r:.40}, with the status {status!r:.40}"
        return inquiry.unmeasured(Cause.INVALID, reason)
    return _counts(inquiry, numbers[0], numbers[1], status, fields.get("sliValue"))


def _refused(inquiry: SloQuery, error: object) -> Unmeasured:
    """Return the refusal for an error in place of a summary."""
    fields = error if isinstance(error, Mapping) else {}
    status, said = fields.get("statusCode"), inquiry.words(str(fields.get("message") or error))
    cause = Cause.NO_DATA if status == _NOT_FOUND else Cause.BACKEND_ERROR
    return inquiry.unmeasured(cause, f"Kibana answers {status}: {said}")


def _counts(
    inquiry: SloQuery, good: Fraction, total: Fraction, status: str, ratio: object
) -> Answer:
    slo = inquiry.slo
    if not 0 <= good <= total:
        reason = f"{float(good):,.10g} good of {float(total):,.10g} cannot be a count"
        return inquiry.unmeasured(Cause.INVALID, reason)
    if not total:  # whatever the status: some versions report this as healthy
        what = "events" if slo.slice is None else "timeslices with data"
        return inquiry.unmeasured(Cause.NO_DATA, f"Kibana has no {what} in the window")
    if status == _NO_DATA:
        reason = f"Kibana says {_NO_DATA} and counts {float(total):,.10g}"
        return inquiry.unmeasured(Cause.INVALID, reason)
    if (contradiction := _contradiction(inquiry, good, total, status, ratio)) is not None:
        return inquiry.unmeasured(Cause.INVALID, contradiction)
    if slo.slice is None:
        evidence = Evidence(query=inquiry.query, newest=inquiry.newest, notes=(_MAINTENANCE,))
        return Counts(total=total, bad=total - good, evidence=evidence)
    return _slices(inquiry, good, total)


def _contradiction(
    inquiry: SloQuery, good: Fraction, total: Fraction, status: str, ratio: object
) -> str | None:
    """Say how Kibana's own status or ratio is worse than its counts; None: it is not."""
    counted = f"Kibana counts {float(good):,.10g} good of {float(total):,.10g}"
    if (refusal := _denied(inquiry, status, good / total)) is not None:
        return f"{counted}, and {refusal}"
    # Slices at both ends may be only partly in the window.
    if inquiry.slo.slice is not None and total > _whole_slices(inquiry) + 2:
        return f"{counted} timeslices, and its window has {_whole_slices(inquiry)}"
    said = finite(ratio)
    if ratio is not None and (said is None or said < good / total - _APART):
        return f"{counted}, and its sliValue is {ratio!r:.40}"
    return None


def _denied(inquiry: SloQuery, status: str, ratio: Fraction) -> str | None:
    """Say how a status contradicts a good share; None: it does not."""
    if status not in _STATUSES:
        return f"the status {status!r:.40} is not one of Kibana's"
    target = inquiry.slo.definition.promises[0].objective
    if status == _VIOLATED and ratio > target + _APART:
        return f"the status is {status}, which is below the target of {float(target):.10g}"
    return None


def _whole_slices(inquiry: SloQuery) -> int:
    """Return the number of timeslices in the window so far, at least one; there must be slices."""
    length = inquiry.slo.slice
    assert length is not None  # noqa: S101 - the caller has looked
    return max(ceil(inquiry.slo.window.counted(inquiry.at).length / length), 1)


def _slices(inquiry: SloQuery, good: Fraction, total: Fraction) -> Counts:
    """Return the seconds with data, and their share of the window."""
    length = inquiry.slo.slice
    assert length is not None  # noqa: S101 - the caller has looked
    whole = _whole_slices(inquiry)
    missing = max(whole - ceil(total), 0)
    notes = [_MAINTENANCE]
    if missing:
        shown = format_duration(length)
        notes.append(
            f"{missing:,} of {whole:,} slices of {shown} have no data, which Kibana counts as good"
            " and the gate leaves out"
        )
    seconds = Fraction(length.total_seconds())
    return Counts(
        total=total * seconds,
        bad=(total - good) * seconds,
        evidence=Evidence(
            query=inquiry.query,
            newest=inquiry.newest,
            coverage=min(total / whole, Fraction(1)),
            notes=tuple(notes),
        ),
    )


def answer_of_summary(inquiry: SloQuery, body: Mapping[str, Any]) -> Answer:
    """Return the share that an older Kibana reports for one SLO, at present.

    ``sliValue`` is the good share of the events so far; for timeslices, 1 less the bad ones among
    all slices of the window, including those without data.
    """
    slo, summary = inquiry.slo, body.get("summary")
    fields = summary if isinstance(summary, Mapping) else {}
    status, ratio = fields.get("status"), finite(fields.get("sliValue"))
    about = body.get("id"), body.get("instanceId", ALL)
    if about != (slo.definition.id, slo.instance) or not isinstance(status, str) or ratio is None:
        said = f"sliValue is {fields.get('sliValue')!r:.40}, with the status {status!r:.40}"
        return inquiry.unmeasured(Cause.INVALID, f"{said}, of {about!r:.100}")
    if status == _NO_DATA or ratio == -1:
        return inquiry.unmeasured(Cause.NO_DATA, "Kibana has no data in the window")
    refusal = _denied(inquiry, status, ratio)
    if not 0 <= ratio <= 1 or refusal is not None:
        words = f", and {refusal}" if refusal else ""
        return inquiry.unmeasured(Cause.INVALID, f"sliValue is {float(ratio):.10g}{words}")
    if slo.slice is not None and isinstance(slo.window, CalendarWindow):
        return inquiry.unmeasured(
            Cause.NO_DATA,
            "an older Kibana does not say which part of the period its ratio of timeslices is of;"
            " update Kibana to a version with _bulk_snapshot",
        )
    warnings: tuple[str, ...] = ()
    if slo.slice is not None:
        warnings = (
            "an older Kibana takes slices without data for good and does not say how many there"
            " are; update it to a version with _bulk_snapshot",
        )
    return Share(
        bad=1 - ratio,
        error=_ROUNDED,
        evidence=Evidence(
            query=inquiry.query, newest=inquiry.newest, warnings=warnings, notes=(_OLD,)
        ),
    )
