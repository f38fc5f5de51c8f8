"""Histories in few steps, and budgets that were measured."""

from datetime import timedelta

from gate.budget.assess import assess_ratio
from gate.budget.assessment import Assessment
from gate.measure.history import Series, SeriesRequest
from gate.slo.indicator import Sli
from gate.slo.objective import RatioSlo, Span
from tests.budget.building import AT, GUARDS, counts, ratio_slo


def measured(bad: int, total: int, slo: RatioSlo | None = None) -> Assessment:
    slo = slo or ratio_slo()
    return assess_ratio(slo, counts(bad=bad, total=total), {}, at=AT, guards=GUARDS)


def series(*bad: float | None) -> Series:
    total = tuple(None if one is None else 1000.0 for one in bad)
    return Series(total=total, bad=bad, query="asked")


def asked(steps: int, step: timedelta) -> SeriesRequest:
    return SeriesRequest(sli=Sli(bad="b", total="t"), span=Span(AT - steps * step, AT), step=step)
