"""The predicted cost of a change: the two numbers, the document, and reading it back."""

import json
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

import gate
from gate.budget.assessment import Assessment, Doubt
from gate.budget.impact import Impact
from gate.decision.decision import Context, Decision
from gate.decision.document import to_document
from gate.decision.reading import OddDocumentError
from gate.decision.seal import SealKey, hmac_key, sealed
from gate.decision.trigger import SloPromise, Trigger, read_trigger, trigger_document, trigger_of
from gate.measure import Cause
from gate.policy.changes import Recognition
from gate.policy.findings import Rule, Verdict
from gate.policy.override import Override
from gate.reporters.pace import promises
from tests.reporters.builders import (
    AT,
    TIERS,
    allow_policy,
    availability,
    composite,
    counts,
    decided,
    decision,
    evidence,
    finding,
    spend,
    unmeasured,
)

SCHEMA = json.loads(
    (Path(gate.__file__).parent / "schemas" / "trigger.schema.json").read_text(encoding="utf-8")
)
KEY = hmac_key(b"a key of this test")
# 1,000,000 events in 30 days at 99.9%: of 1,000 failures that are the budget, a tenth of the
# traffic that fails for 1,296 seconds makes 50 of 0.3858 events a second.
TENTH = Impact(canary=Fraction(1, 10), failures=Fraction(1, 2), detect=timedelta(seconds=1296))


def budget(bad: int, impact: Impact | None = TENTH, **fields: Any) -> Assessment:
    return availability(counts(bad, 1_000_000), {}, impact=impact, **fields)


def change(*budgets: Assessment, change_class: str = "canary", **fields: Any) -> Decision:
    allowed = finding(Rule.TIER, Verdict.ALLOW, "the tier allows it")
    made = decided(
        *budgets,
        findings=(allowed,),
        tier="healthy",
        recognition=Recognition(change=change_class, how="--change"),
    )
    return decision(made, **fields)


def promised(made: Decision) -> SloPromise:
    ((promise,),) = (policy.slos for policy in trigger_of(made, TENTH).policies)
    return promise


def test_the_expected_cost_is_that_of_the_impact_and_the_largest_loss_that_of_every_request() -> (
    None
):
    promise = promised(change(budget(100)))

    assert promise == SloPromise(
        slo="availability", expected_cost=Fraction(25, 1000), largest_loss=Fraction(50, 1000)
    )


@pytest.mark.parametrize(
    ("bad", "change_class", "largest"),
    [
        # A canary is allowed above 10%, a full rollout above 50%; a rollback always.
        (100, "canary", Fraction(50, 1000)),
        (870, "canary", Fraction(30, 1000)),
        (870, "rollback", Fraction(50, 1000)),
        (1500, "rollback", Fraction(50, 1000)),
        (470, "full-rollout", Fraction(30, 1000)),
        (470, "canary", Fraction(50, 1000)),
        # Nothing is left for what the present tier does not allow.
        (500, "full-rollout", Fraction(0)),
        (600, "full-rollout", Fraction(0)),
        (900, "canary", Fraction(0)),
        (1500, "canary", Fraction(0)),
    ],
)
def test_the_largest_loss_is_at_most_what_is_left_above_the_tiers_that_allow_the_change(
    bad: int, change_class: str, largest: Fraction
) -> None:
    promise = promised(change(budget(bad), change_class=change_class))

    assert promise.largest_loss == largest
    assert promise.expected_cost == Fraction(25, 1000)


def test_a_tier_that_allows_with_a_warning_allows() -> None:
    healthy, caution, exhausted = TIERS
    tiers = (healthy, replace(caution, warn=frozenset({"full-rollout"})), exhausted)
    (made,) = change(budget(870)).policies
    warned = replace(
        made,
        policy=replace(made.policy, tiers=tiers),
        recognition=Recognition(change="full-rollout", how="--change"),
    )

    assert promised(decision(warned)).largest_loss == Fraction(30, 1000)


def test_an_override_sets_the_tiers_aside() -> None:
    override = Override(reason="an outage", approved_by="@grace", until=AT + timedelta(hours=1))
    blocked = decided(
        budget(600),
        findings=(finding(Rule.TIER, Verdict.BLOCK, "the tier does not allow it"),),
        tier="caution",
    )

    assert promised(decision(blocked)).largest_loss == 0
    assert promised(decision(blocked, override=override)).largest_loss == Fraction(50, 1000)


def test_an_advisory_slo_closes_no_tier() -> None:
    assert promised(change(budget(990, advisory=True))).largest_loss == Fraction(50, 1000)


def test_timeslices_are_lost_as_a_whole() -> None:
    from gate.slo.indicator import Slices  # noqa: PLC0415

    # Of 43,200 minutes 43.2 may be bad. A tenth of the traffic that fails by half fails no minute
    # whose target is 93%; one that fails altogether fails each of 21.6.
    slices = Slices(length=timedelta(minutes=1), target=Fraction("0.93"))
    impact = replace(TENTH, canary=Fraction(1, 10))
    assessment = availability(counts(0, 43_200), {}, impact=impact, sla=None, slices=slices)

    promise = promised(change(assessment))

    assert promise.expected_cost == 0
    assert promise.largest_loss == Fraction("21.6") / Fraction("43.2")


def test_a_cost_that_is_not_known_is_null_and_says_why() -> None:
    uncovered = replace(budget(100), small_part="3d of 30d")
    nothing = replace(unmeasured(), doubts=())
    names = [availability(counts(1, 10), {}, name=name, sla=None) for name in ("a", "b")]
    made = change(spend(), uncovered, unmeasured(), nothing, composite(*names))

    (policy,) = trigger_of(made, TENTH).policies

    assert {(p.expected_cost, p.largest_loss) for p in policy.slos} == {(None, None)}
    assert [promise.reason for promise in policy.slos] == [
        "it counts no requests that could fail",
        "only 3d of 30d are measured",
        "http://prometheus:9090 answered 503: query timed out after 2m0s",
        "it was not measured",
        "it is made up of other SLOs, each of which has a promise of its own",
    ]


def test_the_terminal_says_both_numbers_of_each_slo() -> None:
    small = Impact(canary=Fraction(1, 10000))
    small_cost = replace(budget(100, impact=small), slo=replace(budget(1).slo, name="small"))
    made = change(budget(870), small_cost, unmeasured())

    assert list(promises(trigger_of(made, TENTH))) == [
        "Pre-mortem: availability of chat: expected cost 2.5% of the budget; the canary may take"
        " 3.0% at most",
        "Pre-mortem: small of chat: expected cost less than 0.1% of the budget; the canary may take"
        " less than 0.1% at most",
        "Pre-mortem: answers of chat: the cost of the change is unknown:"
        " http://prometheus:9090 answered 503: query timed out after 2m0s",
    ]


CONTEXT = Context(system="github", revision="a" * 40, environment="production")


def trigger() -> Trigger:
    return trigger_of(change(budget(870), spend(), context=CONTEXT), TENTH)


def written(document: dict[str, Any]) -> bytes:
    return json.dumps(document, indent=2).encode()


def read(document: dict[str, Any], key: SealKey | None = None) -> Trigger:
    return read_trigger(written(document), key, SCHEMA)


@pytest.mark.parametrize("key", [None, KEY])
def test_a_trigger_is_read_as_it_was_written(key: SealKey | None) -> None:
    document = trigger_document(trigger(), key)

    Draft202012Validator(SCHEMA).validate(document)
    assert read(document, key) == trigger()
    assert document["revision"] == "a" * 40
    assert document["environment"] == "production"


def test_the_schema_is_a_valid_schema_that_describes_and_requires_everything() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    stack = [SCHEMA]
    while stack:
        node = stack.pop()
        if "properties" in node:
            assert node["required"] == list(node["properties"])
            assert node["additionalProperties"] is False
            assert all(
                "description" in part or "$ref" in part for part in node["properties"].values()
            )
            stack += node["properties"].values()
        stack += [node["items"]] if "items" in node else []


def altered(path: str, value: object) -> dict[str, Any]:
    """Return the document with another value in one place, and a seal that fits."""
    document = json.loads(written(trigger_document(trigger(), None)))
    *places, last = [int(part) if part.isdecimal() else part for part in path.split(".")]
    node = document
    for place in places:
        node = node[place]
    node[last] = value
    return sealed({name: part for name, part in document.items() if name != "seal"}, None)


@pytest.mark.parametrize(
    ("path", "value", "flaw"),
    [
        ("kind", "decision", "not a trigger of gate check"),
        ("schema_version", 2, "not a trigger of version 1"),
        ("schema_version", "1", "not a trigger of version 1"),
        ("more", 1, "a key that no trigger has"),
        ("policies", [], "minItems"),
        ("policies.0.slos", [], "minItems"),
        ("policies.0.slos.0.largest_loss", -0.1, "minimum"),
        ("policies.0.slos.0.largest_loss", "0.1", "not what a trigger has there"),
        ("policies.0.slos.0.expected_cost", True, "not what a trigger has there"),
        ("policies.0.source.sha256", "5f", "pattern"),
        ("policies.0.verdict", "maybe", "enum"),
        ("impact.canary", 1.5, "maximum"),
        ("impact.detect_seconds", 1e300, "maximum"),
        ("evaluated_at", "yesterday", "format"),
        ("revision", 7, "type"),
        ("policies.0.slos.1.slo", "availability", "two promises to 'chat availability'"),
    ],
)
def test_a_document_that_is_no_trigger_is_refused(path: str, value: object, flaw: str) -> None:
    with pytest.raises(OddDocumentError, match=flaw):
        read(altered(path, value))


def test_two_promises_to_one_service_are_refused() -> None:
    policy = trigger_document(trigger(), None)["policies"][0]  # type: ignore[index]

    with pytest.raises(OddDocumentError, match="two promises to 'chat'"):
        read(altered("policies", [policy, policy]))


def test_an_altered_trigger_and_one_of_another_key_are_refused() -> None:
    document = trigger_document(trigger(), KEY)

    with pytest.raises(OddDocumentError, match="its hash does not match"):
        read({**document, "revision": "b" * 40}, KEY)
    with pytest.raises(OddDocumentError, match="its signature does not match"):
        read(document, hmac_key(b"another key of this test"))
    with pytest.raises(OddDocumentError, match="no key is set here"):
        read(document)
    with pytest.raises(OddDocumentError, match="it is not signed"):
        read(trigger_document(trigger(), None), KEY)


@pytest.mark.parametrize(
    ("text", "flaw"),
    [
        (b'{"kind": "rollback-trigger", "kind": "rollback-trigger"}', "two values of one name"),
        (b"", "not a JSON document"),
        (b"[]", "not a trigger of gate check"),
        (b"null", "not a trigger of gate check"),
        (b"\xff", "not UTF-8"),
        (b"[" * 100_000, "nested too deeply"),
    ],
)
def test_a_text_that_is_no_trigger_is_refused(text: bytes, flaw: str) -> None:
    with pytest.raises(OddDocumentError, match=flaw):
        read_trigger(text, None, SCHEMA)


def test_a_decision_with_its_good_seal_is_no_trigger() -> None:
    with pytest.raises(OddDocumentError, match="not a trigger of gate check"):
        read(json.loads(json.dumps(to_document(decision(allow_policy())))))


def test_a_doubted_budget_still_has_its_promise() -> None:
    doubted = replace(
        budget(100),
        doubts=(Doubt(cause=Cause.STALE, reason="the newest sample is 1h old"),),
        evidence=evidence(),
    )

    assert promised(change(doubted)).expected_cost == Fraction(25, 1000)
