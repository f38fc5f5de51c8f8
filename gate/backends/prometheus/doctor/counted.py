"""The count itself, as ``gate check`` would have it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar, Final

from gate.backends.prometheus.answer import answer
from gate.backends.prometheus.doctor.case import Look
from gate.backends.prometheus.doctor.sight import Sight
from gate.backends.prometheus.part import Part, Role
from gate.backends.prometheus.plan import Plan
from gate.backends.prometheus.reading import Fault, Value
from gate.slo.diagnosis import Check, Level, Symptom
from gate.slo.measurement import Cause, Spent, Unmeasured

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

    def parts(self) -> Iterable[Part]:
        """Ask for what the budget is made of."""
        return self.plan

    def clues(self, sight: Sight) -> Iterable[Part]:
        """Ask what the budget asks once the first answers are there."""
        return self.plan.second_round(sight.readings)

    def symptoms(self, sight: Sight) -> Iterator[Symptom]:
        """Judge the numbers."""
        readings = {role: sight.reading(part) for role, part in self.plan.parts.items()}
        wrong = {r: f for r, f in readings.items() if isinstance(f, Fault)}
        for role, fault in wrong.items():
            if fault.cause is Cause.INVALID:
                yield self._fault(role, fault.reason)
        if not wrong:
            yield Symptom(check=Check.ONE_NUMBER, looked_at=self.plan.query)
            found = {r: v.number for r, v in readings.items() if isinstance(v, Value)}
            yield from self._within(found.get(Role.TOTAL), found)

    def _fault(self, role: Role, reason: str) -> Symptom:
        return Symptom(
            check=Check.ONE_NUMBER,
            level=Level.FAULT,
            says=f"{role}: {reason}",
            remedy="write an expression that gives one number, most often sum(increase(...))",
            looked_at=self.plan.parts[role].text,
        )

    def _within(
        self, total: Fraction | None, found: dict[Role, Fraction | None]
    ) -> Iterator[Symptom]:
        if total is None:
            return
        for role in (Role.BAD, Role.GOOD):
            number = found.get(role)
            if number is not None and number > total * (1 + _HAIR):
                yield Symptom(
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
        yield Symptom(check=Check.WITHIN_TOTAL, looked_at=self.plan.query)


def counted(plan: Plan, sight: Sight, level: Level) -> Symptom | None:
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
    return Symptom(check=Check.COUNTED, says=says, looked_at=found.evidence.query)


def unmeasured(found: Unmeasured, check: Check = Check.COUNTED, asked: str = "") -> Symptom:
    """Say why there is no count, as gate check would.

    Args:
        found: the answer to the request.
        check: that it belongs to.
        asked: what was asked where the answer does not say it.
    """
    return Symptom(
        check=check,
        level=Level.FAULT,
        says=f"{found.cause}: {found.reason}",
        remedy=_REMEDIES.get(
            found.cause, "see the reason; gate check is undecided without a count"
        ),
        looked_at=found.query or asked,
    )


def partial(sight: Sight) -> Symptom:
    """Say what the server says is missing from its answers."""
    if not sight.warnings:
        return Symptom(check=Check.PARTIAL)
    return Symptom(
        check=Check.PARTIAL,
        level=Level.FAULT,
        says=f"the server warns: {'; '.join(sight.warnings)}",
        remedy="see which store or shard does not answer; what it holds is missing from the count",
    )
