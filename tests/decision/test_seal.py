"""The seal: an alteration of any kind breaks it, and a key cannot be left out or guessed."""

import hashlib
import hmac
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.decision.seal import SealKey, hmac_key, seal_flaw, sealed

SECRET = b"a key of this test"
KEY = hmac_key(SECRET)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
DOCUMENTS = st.dictionaries(st.text().filter(lambda name: name != "seal"), JSON, max_size=4)


def read_back(document: dict[str, Any], **layout: Any) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(json.dumps(document, **layout))
    return read


@given(DOCUMENTS, st.none() | st.just(KEY))
def test_a_sealed_document_holds_after_it_was_written_and_read(
    document: dict[str, Any], key: SealKey | None
) -> None:
    for layout in ({"indent": 2}, {"sort_keys": True}):
        assert seal_flaw(read_back(sealed(document, key), **layout), key) is None


@given(DOCUMENTS, st.text().filter(lambda name: name != "seal"), JSON)
def test_any_other_content_breaks_the_seal(
    document: dict[str, Any], name: str, value: object
) -> None:
    altered = {**sealed(document, None), name: value}
    if json.dumps(document.get(name, "absent")) == json.dumps(value) and name in document:
        assert seal_flaw(altered, None) is None
    else:
        assert seal_flaw(altered, None) == "it was altered: its hash does not match"


def test_the_hash_and_the_signature_are_those_of_the_canonical_text() -> None:
    seal = sealed({"b": 1, "a": [0.1, None]}, KEY)["seal"]
    text = b'{"a":[0.1,null],"b":1}'
    assert seal["sha256"] == hashlib.sha256(text).hexdigest()
    assert seal["hmac_sha256"] == hmac.new(SECRET, text, "sha256").hexdigest()


@pytest.mark.parametrize(
    "document, reason",
    [
        ({"verdict": "allow"}, "it has no seal"),
        ({"verdict": "allow", "seal": "none"}, "it has no seal"),
        ({"verdict": "allow", "seal": {}}, "it was altered: its hash does not match"),
        (
            {
                **(bare := sealed({"verdict": "allow"}, None)),
                "seal": {**bare["seal"], "alg": "none"},
            },
            "its seal is not valid",
        ),
        ({"verdict": "allow", "seal": {"sha256": 1}}, "it was altered: its hash does not match"),
        (
            {"verdict": "allow", "seal": {"sha256": "\ud800"}},
            "it was altered: its hash does not match",
        ),
        (sealed({"verdict": "allow"}, None), "it is not signed"),
        (sealed({"verdict": "allow"}, hmac_key(b"another key")), "its signature does not match"),
    ],
)
def test_with_a_key_only_what_it_signed_holds(document: dict[str, Any], reason: str) -> None:
    assert seal_flaw(document, KEY) == reason


def test_a_forger_without_the_key_cannot_keep_the_signature() -> None:
    signed = sealed({"verdict": "block"}, KEY)
    forged = sealed({"verdict": "allow"}, None)
    forged["seal"]["hmac_sha256"] = signed["seal"]["hmac_sha256"]
    assert seal_flaw(forged, None) == "it is signed, and no key is set here to verify that"
    assert seal_flaw(forged, KEY) == "its signature does not match"
