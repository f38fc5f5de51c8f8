"""The promised cost of a change before it ships, which limits the canary in `gate watch`.

The two numbers of an SLO are shares of its whole budget: the cost of the stated impact, and the
most that the canary may take. The latter is the cost if every request of the canary fails until
somebody notices, limited to the part of the budget above the threshold of the tiers that allow the
change.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any, Final

from gate.budget.assessment import Assessment
from gate.budget.impact import Impact
from gate.budget.ratio import seconds
from gate.dataclass import dataclass
from gate.decision.decision import Decision, PolicyDecision, PolicySource
from gate.decision.document import source_document
from gate.decision.holding import shown
from gate.decision.reading import OddDocumentError, Schema, check_shape, read_json
from gate.decision.seal import SealKey, seal_flaw, sealed
from gate.decision.slo_document import Json, number, rfc3339, share
from gate.policy.findings import Verdict
from gate.policy.rounding import compared_between
from gate.policy.tiers import lowest_allowed
from gate.slo.objective import CompositeSlo

TRIGGER_VERSION: Final = 1
_KIND: Final = "rollback-trigger"
"""The type of the document, so that a decision, which has the same seal, is not accepted as one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SloPromise:
    """The promised cost of a change for one SLO, as shares of its whole budget."""

    slo: str
    expected_cost: Fraction | None
    """At least 0; None: unknown."""
    largest_loss: Fraction | None
    """At least 0; None: unknown, and this SLO does not limit the canary."""
    reason: str = ""
    """The reason why either is unknown; empty: both are known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServicePromises:
    """The promises for one policy."""

    service: str
    source: PolicySource
    change: str
    """The class by which the policy judged the change."""
    verdict: Verdict
    slos: tuple[SloPromise, ...]
    """One for each SLO, in the policy's order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """The promised cost of a change, and the cost at which its canary must stop."""

    evaluated_at: datetime
    tool_version: str
    revision: str | None
    """The commit that would ship; None: unknown."""
    environment: str | None
    """The environment that it would ship to; None: not stated."""
    mode: str
    """The decision's `Mode`."""
    verdict: Verdict
    """The worst verdict of the policies."""
    overridden: bool
    """Whether the change ships only because of an override."""
    impact: Impact
    """The stated impact."""
    policies: tuple[ServicePromises, ...]
    """At least one."""


def trigger_of(decision: Decision, impact: Impact) -> Trigger:
    """Return the cost that a decision's budgets can pay for.

    Args:
        decision: the decision on the change.
        impact: the stated impact of the change.
    """
    return Trigger(
        evaluated_at=decision.evaluated_at,
        tool_version=decision.tool_version,
        revision=decision.context.revision,
        environment=decision.context.environment,
        mode=decision.mode,
        verdict=decision.verdict,
        overridden=decision.overridden,
        impact=impact,
        policies=tuple(
            ServicePromises(
                service=decided.policy.service,
                source=decided.source,
                change=decided.change_class,
                verdict=decided.verdict,
                slos=tuple(
                    _promise(assessment, decided, overridden=decision.overridden)
                    for assessment in decided.assessments
                ),
            )
            for decided in decision.policies
        ),
    )


def _promise(assessment: Assessment, decided: PolicyDecision, *, overridden: bool) -> SloPromise:
    name, price, compared = assessment.slo.name, assessment.price, assessment.compared
    reason = _unpriced(assessment)
    if reason or price is None or compared is None:
        return SloPromise(slo=name, expected_cost=None, largest_loss=None, reason=reason)
    lowest, _ = compared_between(assessment)
    largest, left = price.cost_at_worst, lowest + (assessment.stated_cost or 0)
    floor = lowest_allowed(decided.policy.tiers, decided.change_class, left)
    # An advisory SLO stops nothing, and an override suspends the tiers.
    if floor is not None and not assessment.slo.advisory and not overridden:
        largest = min(largest, left - floor)
    return SloPromise(slo=name, expected_cost=price.cost, largest_loss=largest)


def _unpriced(assessment: Assessment) -> str:
    """Say why the cost of a change is unknown; empty: it is known."""
    if isinstance(assessment.slo, CompositeSlo):
        return "it is made up of other SLOs, each of which has a promise of its own"
    if assessment.uncovered is not None:
        return f"only {assessment.uncovered} are measured"
    if not assessment.measured:
        return assessment.doubts[0].reason if assessment.doubts else "it was not measured"
    return "" if assessment.price is not None else "it counts no requests that could fail"


def trigger_document(trigger: Trigger, key: SealKey | None) -> Json:
    """Return a trigger as plain data with a seal, which is signed if a key is set."""
    impact = trigger.impact
    document: Json = {
        "schema_version": TRIGGER_VERSION,
        "kind": _KIND,
        "evaluated_at": rfc3339(trigger.evaluated_at),
        "tool_version": trigger.tool_version,
        "revision": trigger.revision,
        "environment": trigger.environment,
        "mode": trigger.mode,
        "verdict": str(trigger.verdict),
        "overridden": trigger.overridden,
        "impact": {
            "canary": share(impact.canary),
            "failures": share(impact.failures),
            "detect_seconds": number(seconds(impact.detect)),
        },
        "policies": [_promises(policy) for policy in trigger.policies],
    }
    return sealed(document, key)


def _promises(policy: ServicePromises) -> Json:
    return {
        "service": policy.service,
        "source": source_document(policy.source),
        "change_class": policy.change,
        "verdict": str(policy.verdict),
        "slos": [
            {
                "slo": promise.slo,
                "expected_cost": share(promise.expected_cost),
                "largest_loss": share(promise.largest_loss),
                "reason": promise.reason or None,
            }
            for promise in policy.slos
        ],
    }


def read_trigger(raw: bytes, key: SealKey | None, schema: Schema) -> Trigger:
    """Return the trigger in a text: valid, unaltered, and signed if a key is given.

    Args:
        raw: a text that anybody may have written.
        key: the key that it must be signed with; None: it must not be signed.
        schema: the JSON Schema of triggers.

    Raises:
        OddDocumentError: it does not hold such a trigger; the message says why.
    """
    document = read_json(raw)
    if not isinstance(document, dict) or document.get("kind") != _KIND:
        raise OddDocumentError("it is not a trigger of gate check")
    if document.get("schema_version") != TRIGGER_VERSION:
        raise OddDocumentError(f"it is not a trigger of version {TRIGGER_VERSION}")
    flaw = seal_flaw(document, key)
    if flaw is not None:
        raise OddDocumentError(flaw)
    check_shape(document, schema)
    trigger = _read(document)
    if (doubled := _doubled(trigger)) is not None:
        raise OddDocumentError(f"it has two promises to {shown(doubled)}")
    return trigger


def _read(document: Mapping[str, Any]) -> Trigger:
    impact = document["impact"]
    return Trigger(
        evaluated_at=datetime.fromisoformat(document["evaluated_at"]),  # its form was checked
        tool_version=document["tool_version"],
        revision=document["revision"],
        environment=document["environment"],
        mode=document["mode"],
        verdict=Verdict(document["verdict"]),
        overridden=document["overridden"],
        impact=Impact(
            canary=Fraction(str(impact["canary"])),
            failures=Fraction(str(impact["failures"])),
            detect=timedelta(seconds=impact["detect_seconds"]),
        ),
        policies=tuple(
            ServicePromises(
                service=policy["service"],
                source=PolicySource(**policy["source"]),
                change=policy["change_class"],
                verdict=Verdict(policy["verdict"]),
                slos=tuple(map(_read_promise, policy["slos"])),
            )
            for policy in document["policies"]
        ),
    )


def _read_promise(promise: Mapping[str, Any]) -> SloPromise:
    costs = [promise["expected_cost"], promise["largest_loss"]]
    expected, largest = [None if cost is None else Fraction(str(cost)) for cost in costs]
    reason = promise["reason"] or ""
    return SloPromise(
        slo=promise["slo"], expected_cost=expected, largest_loss=largest, reason=reason
    )


def _doubled(trigger: Trigger) -> str | None:
    """Return the service or the SLO that has two promises; None: none exists."""
    services = [policy.service for policy in trigger.policies]
    slos = [
        f"{policy.service} {promise.slo}" for policy in trigger.policies for promise in policy.slos
    ]
    names = [*services, *slos]
    return next((name for place, name in enumerate(names) if name in names[:place]), None)
