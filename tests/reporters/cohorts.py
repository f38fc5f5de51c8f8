"""Reports on cohorts, made by hand."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from math import inf
from typing import Any

from gate.analysis.cohorts import CohortReport, Group, ServiceCohorts, SloCohorts
from gate.history.cohorts.comparison import Comparison, ComparisonOutcome, Contrast
from gate.history.cohorts.ratios import Method
from gate.slo.objective import Span
from tests.reporters.builders import policy_of, source

AT = datetime(2026, 11, 1, tzinfo=UTC)
WEEK = timedelta(days=7)


def contrast(ratio: float | None = 6.0, **fields: Any) -> Contrast:
    ends = (ratio * 0.8, ratio * 1.25) if ratio is not None and ratio < inf else (2.0, inf)
    known = Contrast(
        ratio=ratio,
        interval=ends,
        probability=0.00001,
        adjusted=0.00002,
        method=Method.SCORE,
        effect=1.5,
    )
    return replace(known, **fields)


def comparison(outcome: ComparisonOutcome, ratio: float | None = 6.0, **fields: Any) -> Comparison:
    known = Comparison(
        outcome=outcome, crude=contrast(ratio), plain=ratio, rest=0.01, detectable=0.03
    )
    return replace(known, **fields)


def within(outcome: ComparisonOutcome, ratio: float, inside: float | None) -> Comparison:
    """Return what was looked at within models, too; None: too few events."""
    return comparison(
        outcome,
        ratio,
        stratified=True,
        within=None if inside is None else contrast(inside, method=Method.STRATIFIED),
    )


def none(detectable: float | None, rest: float = 0.01) -> Comparison:
    return comparison(ComparisonOutcome.NONE, 1.1, detectable=detectable, rest=rest)


def group(value: str, found: Comparison | None = None, **fields: Any) -> Group:
    known = Group(
        value=value,
        total=420.0,
        bad=42.0,
        interval=(0.07, 0.13),
        burn_rate=10.0,
        budget_share=0.3,
        comparison=found,
    )
    return replace(known, **fields)


REST = group("v5", comparison(ComparisonOutcome.BETTER, 0.2), total=10_000.0, bad=100.0)


def slo(*groups: Group, **fields: Any) -> SloCohorts:
    known = SloCohorts(
        slo="availability",
        span=Span(AT - WEEK, AT),
        step=timedelta(hours=1),
        groups=groups,
        unknown=Fraction(0),
        query="q",
    )
    return replace(known, **fields)


def service(*slos: SloCohorts, **fields: Any) -> ServiceCohorts:
    known = ServiceCohorts(policy=policy_of(()), source=source(), slos=slos, left_out=())
    return replace(known, **fields)


def report(*services: ServiceCohorts, within: str | None = None) -> CohortReport:
    return CohortReport(services=services, by="template", within=within, at=AT, tool_version="1")
