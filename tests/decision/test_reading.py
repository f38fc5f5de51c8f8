"""The reader of documents holds them against their schema as a validator of JSON Schema does."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

import gate
from gate.decision.decision import Decision
from gate.decision.document import to_document
from gate.decision.reading import OddDocumentError, check_shape, read_instant, read_json
from gate.decision.seal import SealKey
from gate.decision.statement import envelope
from tests.reporters.builders import EVERY_KIND, allow_policy, decision, warn_policy

SCHEMA = json.loads(
    (Path(gate.__file__).parent / "schemas" / "decision.schema.json").read_text(encoding="utf-8")
)
VALIDATOR = Draft202012Validator(SCHEMA)
ODD: tuple[Any, ...] = (None, [], {}, 5, "x", True, 1.5, -1, [1, 2, 3], {"a": 1}, "a\n")


def written(made: Decision) -> Any:
    return read_json(json.dumps(to_document(made)).encode())


@pytest.mark.parametrize("made", EVERY_KIND.values(), ids=EVERY_KIND)
def test_every_kind_of_decision_has_its_shape(made: Decision) -> None:
    check_shape(written(made), SCHEMA)


def alterations(node: Any) -> Any:
    """Yield copies of a document, in each of which one value is another."""
    yield from ODD
    steps: Iterable[tuple[Any, Any]] = node.items() if isinstance(node, dict) else ()
    steps = enumerate(node) if isinstance(node, list) else steps
    for step, child in steps:
        for altered in alterations(child):
            copy = node.copy()
            copy[step] = altered
            yield copy


@pytest.mark.slow
def test_it_judges_every_alteration_as_a_validator_does() -> None:
    tried = 0
    for document in alterations(written(decision(warn_policy()))):
        try:
            check_shape(document, SCHEMA)
            shaped = True
        except OddDocumentError:
            shaped = False
        # Instants apart, which that validator lets pass.
        valid = VALIDATOR.is_valid(document)
        assert shaped == valid or (valid and not shaped and has_odd_instant(document))
        tried += 1
    assert tried > 1_000


def has_odd_instant(node: Any) -> bool:
    """Tell whether one of the texts that may stand for an instant was put in."""
    inner = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    return node in ("x", "a\n") or any(map(has_odd_instant, inner))


def test_a_keyword_that_it_does_not_know_is_never_passed_over() -> None:
    with pytest.raises(ValueError, match="'minLength'"):
        check_shape("a", {"minLength": 2})


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-01T00:00:00Z",
        "2026-11-01T00:00:00.123456Z",
        "2026-11-01T00:00:00+05:30",
    ],
)
def test_an_instant_of_rfc_3339_is_read(text: str) -> None:
    assert read_instant(text) is not None


@pytest.mark.parametrize(
    "text",
    [
        *("2026-11-01", "2026-11-01T00:00:00", "2026-11-01 00:00:00Z", "20261101T000000Z"),
        *("2026-13-01T00:00:00Z", "2026-02-30T00:00:00Z", "2026-11-01T24:00:01Z", "now", ""),
        *("2026-W44-7T00:00:00Z", "2026-11-01T00:00:00Z\n", "0001-01-01T00:00:00+23:59"),
        *("9999-12-31T23:59:59-23:59", "\u0662026-11-01T00:00:00Z", "2026-11-01T00:00:00+99:00"),
    ],
)
def test_any_other_is_none(text: str) -> None:
    assert read_instant(text) is None


def test_a_key_that_only_verifies_signs_no_envelope() -> None:
    key = SealKey(algorithm="ed25519", key_id="a", sign=None, verifies=lambda *_: True)
    with pytest.raises(ValueError, match="this key cannot sign"):
        envelope(to_document(decision(allow_policy())), key)
