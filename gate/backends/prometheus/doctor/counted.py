"""The count itself, as ``gate check`` would have it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar, Final

from gate.backends.prometheus.answer import answer
from gate.backends.prometheus.doctor.case import Look, SelectorSource, Sight, at_once
from gate.backends.prometheus.plan import Plan
from gate.backends.prometheus.query import Query, Role
from gate.backends.prometheus.query_result import QueryError, QueryValue
from gate.measure.counts import Cause, Spent, Unmeasured
from gate.measure.diagnosis import Check, CheckResult, Level
from gate.promql.selectors import LabelMatcher

_HAIR: Final = Fraction(1, 10**6)
"""Of the total: what extrapolation may be off."""


_REMEDIES: Final = {
    Cause.NO_TRAFFIC: "see whether requests reach the service, and whether these are its labels",
    Cause.NO_DATA: "see whether the service is scraped, and the expression finds what it exports",
    Cause.BACKEND_ERROR: "ask the server this query by hand; it refuses it, or takes too long",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers(Look):
    """Each expression gives one number, and the parts are no more than the whole."""

    check: ClassVar = Check.ONE_NUMBER
    plan: Plan

    def parts(self) -> Iterable[Query]:
        """Ask for what the budget is made of."""
        return self.plan

    def clues(self, sight: Sight) -> Iterable[Query]:
        """Ask what the budget asks once the first answers are there."""
        return self.plan.second_round(sight.readings)

    def symptoms(self, sight: Sight) -> Iterator[CheckResult]:
        """Judge the numbers."""
        readings = {role: sight.reading(part) for role, part in self.plan.parts.items()}
        wrong = {r: f for r, f in readings.items() if isinstance(f, QueryError)}
        for role, fault in wrong.items():
            if fault.cause is Cause.INVALID:
                yield self._fault(role, fault.reason)
        if not wrong:
            yield CheckResult(check=Check.ONE_NUMBER, looked_at=self.plan.query)
            found = {r: v.number for r, v in readings.items() if isinstance(v, QueryValue)}
            yield from self._within(found.get(Role.TOTAL), found)

    def _fault(self, role: Role, reason: str) -> CheckResult:
        return CheckResult(
            check=Check.ONE_NUMBER,
            level=Level.FAULT,
            says=f"{role}: {reason}",
            remedy="write an expression that gives one number, most often sum(increase(...))",
            looked_at=self.plan.parts[role].text,
        )

    def _within(
        self, total: Fraction | None, found: dict[Role, Fraction | None]
    ) -> Iterator[CheckResult]:
        if total is None:
            return
        for role in (Role.BAD, Role.GOOD):
            number = found.get(role)
            if number is not None and number > total * (1 + _HAIR):
                yield CheckResult(
                    check=Check.WITHIN_TOTAL,
                    level=Level.FAULT,
                    says=f"{role} is {round(number):,} and total {round(total):,}",
                    remedy=(
                        f"{role} must be a part of total: compare their labels (job, route, method)"
                        " and metrics; a gateway counts retries that the service behind it does not"
                    ),
                    looked_at=self.plan.query,
                )
                return
        yield CheckResult(check=Check.WITHIN_TOTAL, looked_at=self.plan.query)


def counted(plan: Plan, sight: Sight, level: Level) -> CheckResult | None:
    """Return what comes of it all; None where other checks say already why nothing does.

    Args:
        plan: of the count.
        sight: with the answers to it.
        level: the worst that the other checks have found.
    """
    found = answer(plan, sight.readings)
    if isinstance(found, Unmeasured):
        return None if level is Level.FAULT else unmeasured(found)
    if isinstance(found, Spent):
        says = f"{float(found.amount):,.2f} spent"
    else:
        says = f"{round(found.bad):,} bad of {round(found.total):,}"
    return CheckResult(check=Check.COUNTED, says=says, looked_at=found.evidence.query)


def unmeasured(found: Unmeasured, check: Check = Check.COUNTED, asked: str = "") -> CheckResult:
    """Say why there is no count, as gate check would.

    Args:
        found: the answer to the request.
        check: that it belongs to.
        asked: what was asked where the answer does not say it.
    """
    return CheckResult(
        check=check,
        level=Level.FAULT,
        says=f"{found.cause}: {found.reason}",
        remedy=_REMEDIES.get(
            found.cause, "see the reason; gate check is undecided without a count"
        ),
        looked_at=found.query or asked,
    )


def partial(sight: Sight) -> CheckResult:
    """Say what the server says is missing from its answers."""
    if not sight.warnings:
        return CheckResult(check=Check.PARTIAL)
    return CheckResult(
        check=Check.PARTIAL,
        level=Level.FAULT,
        says=f"the server warns: {'; '.join(sight.warnings)}",
        remedy="see which store or shard does not answer; what it holds is missing from the count",
    )


_ALL: Final = "+Inf"


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundaryCheck(Look):
    """Of one selector that names a boundary, and of a histogram that was resolved."""

    check: ClassVar = Check.BOUNDARY
    source: SelectorSource
    lacking: tuple[Query, ...]
    """Each counts histograms that lacked a boundary in a part of the window."""

    def parts(self) -> Iterable[Query]:
        """Ask for the buckets of the boundary, and for all histograms."""
        le = self._le
        return () if le is None else (self._here, self._all(le))

    def symptoms(self, sight: Sight) -> Iterator[CheckResult]:
        """Compare the two."""
        le = self._le
        if le is None:
            return
        here, every = sight.amount(self._here), sight.amount(self._all(le))
        late = max((sight.amount(part) for part in self.lacking), default=0)
        if 0 < here < every:
            says = (
                f"{self.source.role}: {round(here):,} of {round(every):,} histograms have {le.text}"
            )
            yield self._fault(f"{says}; all that the others count is taken for bad")
        elif late:
            says = f"{round(late):,} histograms had no {le.text} in a part of the window"
            yield self._fault(f"{says}, where every event counts as bad")
        elif here:
            yield CheckResult(check=Check.BOUNDARY, looked_at=self._here.text)

    def _fault(self, says: str) -> CheckResult:
        return CheckResult(
            check=Check.BOUNDARY,
            level=Level.FAULT,
            says=says,
            remedy="choose a boundary that all replicas and versions have, all along",
            looked_at=self._here.text,
        )

    @property
    def _le(self) -> LabelMatcher | None:
        if not self.source.selector.name.endswith("_bucket"):
            return None
        found = (m for m in self.source.selector.matchers if m.label == "le")
        return next((matcher for matcher in found if matcher.value != _ALL), None)

    @property
    def _here(self) -> Query:
        return at_once(f"count({self.source.text})")

    def _all(self, le: LabelMatcher) -> Query:
        infinite = LabelMatcher(label="le", operator="=", value=_ALL)
        rest = self.source.selector.without(le)
        return at_once(f"count({rest.only((*rest.matchers, infinite)).text})")
