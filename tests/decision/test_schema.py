"""The published schema and the document that it describes are the same thing."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

import gate
from gate.decision.decision import SCHEMA_VERSION, Decision
from gate.decision.document import to_document
from gate.decision.slo_document import MEASURED
from gate.errors import ExitCode
from gate.measure import Cause
from gate.policy.findings import Rule, Verdict
from gate.slo.indicator import EmptySlice
from gate.slo.objective import Denominator
from tests.reporters.builders import EVERY_KIND, block_policy, decision

SCHEMA = json.loads(
    (Path(gate.__file__).parent / "schemas" / "decision.schema.json").read_text(encoding="utf-8")
)
VALIDATOR = Draft202012Validator(SCHEMA, format_checker=Draft202012Validator.FORMAT_CHECKER)


def nodes(node: Any) -> Iterator[dict[str, Any]]:
    """Yield every object of the schema."""
    children = node if isinstance(node, list) else node.values() if isinstance(node, dict) else ()
    if isinstance(node, dict):
        yield node
    for child in children:
        yield from nodes(child)


def test_the_schema_is_a_valid_schema() -> None:
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("made", EVERY_KIND.values(), ids=EVERY_KIND)
def test_every_kind_of_decision_satisfies_the_schema(made: Decision) -> None:
    VALIDATOR.validate(json.loads(json.dumps(to_document(made), allow_nan=False)))


def test_an_unknown_or_a_missing_property_does_not() -> None:
    known = to_document(decision(block_policy()))
    with pytest.raises(ValidationError):
        VALIDATOR.validate(known | {"overrides": None})
    with pytest.raises(ValidationError):
        VALIDATOR.validate({name: known[name] for name in known if name != "verdict"})


def test_every_property_is_described_and_required_and_none_may_be_added() -> None:
    objects = [node for node in nodes(SCHEMA) if isinstance(node.get("properties"), dict)]
    objects = [node for node in objects if "type" in node]
    assert len(objects) > 8
    for node in objects:
        assert node["required"] == list(node["properties"])
        assert node["additionalProperties"] is False
        for name, value in node["properties"].items():
            assert value["description"].endswith("."), name


def test_the_properties_stand_in_the_order_of_the_document() -> None:
    document = json.loads(json.dumps(to_document(decision(block_policy()))))
    policy = document["policies"][0]
    defined = SCHEMA["$defs"]
    assert list(document) == list(SCHEMA["properties"])
    assert list(policy) == list(defined["policy"]["properties"])
    assert list(policy["findings"][0]) == list(defined["finding"]["properties"])
    assert list(policy["slos"][0]) == list(defined["slo"]["properties"])


def test_the_enumerations_are_those_of_the_program() -> None:
    defined = SCHEMA["$defs"]
    slo = defined["slo"]["properties"]
    assert SCHEMA["properties"]["schema_version"]["const"] == SCHEMA_VERSION
    assert defined["verdict"]["enum"] == list(Verdict)
    assert defined["cause"]["enum"] == list(Cause)
    assert slo["status"]["enum"] == [MEASURED, *Cause]
    assert slo["denominator"]["enum"] == [*Denominator, None]
    assert slo["slices"]["properties"]["empty"]["enum"] == list(EmptySlice)
    assert defined["finding"]["properties"]["rule"]["enum"] == list(Rule)
    verdicts = {ExitCode.ALLOW, ExitCode.UNDECIDED, ExitCode.BLOCK, ExitCode.WARN}
    assert set(SCHEMA["properties"]["exit_code"]["enum"]) == verdicts
