"""Reading a signed attestation of a file, and refusing everything that is not one."""

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from gate.decision.attestation import Attested, attestation, attested_by
from gate.decision.reading import OddDocumentError
from gate.decision.seal import encoded, hmac_key
from gate.decision.statement import PAYLOAD_TYPE

KEY = hmac_key(b"0123456789abcdef")
SAID = Attested(commit="a" * 40, ran_at=datetime(2026, 11, 29, 12, tzinfo=UTC))
MADE = attestation(b"results", "x.json", SAID, version="1", key=KEY)


def test_what_was_attested_is_read_again() -> None:
    assert attested_by(MADE, b"results", KEY) == SAID
    payload = json.loads(base64.b64decode(MADE["payload"]))
    # printf results | sha256sum
    digest = "c099142bc3186ded72786ba27e9ea6d2da240fb9fd3fe79b479ecf8e734b2850"
    assert payload["subject"] == [{"name": "x.json", "digest": {"sha256": digest}}]


def test_a_key_that_only_verifies_attests_nothing() -> None:
    with pytest.raises(ValueError, match="cannot sign"):
        attestation(b"", "x", SAID, version="1", key=replace(KEY, sign=None))


def resigned(change: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    """The same with another statement, which the key has signed as well."""
    statement = json.loads(base64.b64decode(MADE["payload"]))
    change(statement)
    payload = json.dumps(statement).encode()
    assert KEY.sign is not None
    signature = base64.b64encode(KEY.sign(encoded(PAYLOAD_TYPE, payload))).decode()
    parcel = {"payload": base64.b64encode(payload).decode(), "signatures": [{"sig": signature}]}
    return MADE | parcel


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda s: s.update(predicateType="test"), "not about the result file of an evaluation"),
        (lambda s: s.update(subject=[]), "it is about another file"),
        (lambda s: s.update(subject=None), "it is about another file"),
        (lambda s: s.update(subject=["x"]), "it is about another file"),
        (lambda s: s.update(subject=[{"digest": "x"}]), "it is about another file"),
        (lambda s: s["subject"].append(s["subject"][0]), "it is about another file"),
        (lambda s: s.update(predicate=None), "does not have a whole commit and a time"),
        (lambda s: s["predicate"].update(commit="a" * 7), "a whole commit and a time"),
        (lambda s: s["predicate"].update(commit=1), "a whole commit and a time"),
        (lambda s: s["predicate"].update(time="yesterday"), "a whole commit and a time"),
        (lambda s: s["predicate"].update(time=None), "a whole commit and a time"),
    ],
)
def test_what_is_signed_and_says_something_else_does_not_count(
    change: Callable[[dict[str, Any]], None], reason: str
) -> None:
    with pytest.raises(OddDocumentError, match=reason):
        attested_by(resigned(change), b"results", KEY)


def test_it_counts_for_the_same_content_and_key_alone() -> None:
    assert attested_by(resigned(lambda _: None), b"results", KEY) == SAID
    another = hmac_key(b"another key, 16 b")
    for content, key in ((b"others", KEY), (b"results", another), (b"results", None)):
        with pytest.raises(OddDocumentError):
            attested_by(MADE, content, key)
