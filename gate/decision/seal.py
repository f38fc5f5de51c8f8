"""The seal of a JSON document: its hash, and its signature if a key is set.

The reader's key alone decides which signature is checked, never the document: a document that chose
its own algorithm could choose one that a forger can use.
"""

import base64
import binascii
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import field
from hashlib import sha256
from typing import Any, Final, Literal

from gate.dataclass import dataclass

SEAL: Final = "seal"
"""The document's key for the seal."""
DOCUMENT_TYPE: Final = "application/vnd.error-budget-gate.document+json"
"""The type of the text that an Ed25519 key signs for a seal, for `encoded`."""
_SIGNED: Final = ("hmac_sha256", "ed25519", "key_id")
"""The fields of a seal beside the hash. They are not hashed, since they follow from the key."""
Algorithm = Literal["hmac_sha256", "ed25519"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SealKey:
    """A key that signs documents, or verifies their signatures."""

    algorithm: Algorithm
    key_id: str | None
    """The name of a public key. None: a shared secret, which must stay secret."""
    sign: Callable[[bytes], bytes] | None = field(repr=False)
    """A function that returns the signature of a text. None: this key can only verify."""
    verifies: Callable[[bytes, bytes], bool] = field(repr=False)
    """A function that returns whether a signature, the second argument, is that of a text."""


def hmac_key(secret: bytes) -> SealKey:
    """Return the key of a secret that both sides share (HMAC with SHA-256)."""

    def sign(text: bytes) -> bytes:
        return hmac.new(secret, text, sha256).digest()

    return SealKey(
        algorithm="hmac_sha256",
        key_id=None,
        sign=sign,
        # In constant time, so that the time does not show how much of a guess is right.
        verifies=lambda text, signature: hmac.compare_digest(sign(text), signature),
    )


def encoded(payload_type: str, payload: bytes) -> bytes:
    """Return the bytes to be signed, such that a text of another type never has the same bytes.

    The pre-authentication encoding of https://github.com/secure-systems-lab/dsse/blob/master/protocol.md.
    """
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def canonical(document: Mapping[str, Any]) -> bytes:
    """Return the unique spelling of a document: sorted keys, no blanks, ASCII."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def sealed(document: Mapping[str, Any], key: SealKey | None) -> dict[str, Any]:
    """Return the document with its seal at the end, signed if the key can sign."""
    text = canonical(document)
    seal: dict[str, str | None] = {
        "sha256": sha256(text).hexdigest(),
        "hmac_sha256": None,
        "ed25519": None,
        "key_id": None,
    }
    if key is not None and key.sign is not None:
        seal["key_id"] = key.key_id
        if key.algorithm == "hmac_sha256":
            seal["hmac_sha256"] = key.sign(text).hex()
        else:
            seal["ed25519"] = base64.b64encode(key.sign(encoded(DOCUMENT_TYPE, text))).decode()
    return {**document, SEAL: seal}


def seal_flaw(document: Mapping[str, Any], key: SealKey | None) -> str | None:
    """Return the reason why the seal does not hold; None if it holds.

    With a key, a document that is not signed with it is refused. Without a key, a signed document
    is refused: its signature was not checked.
    """
    seal = document.get(SEAL)
    if not isinstance(seal, dict):
        return "it has no seal"
    text = canonical({name: value for name, value in document.items() if name != SEAL})
    if seal.get("sha256") != sha256(text).hexdigest():
        return "it was altered: its hash does not match"
    if seal.keys() != {"sha256", *_SIGNED}:
        return "its seal is not valid"
    return _signature_flaw(seal, text, key)


def _signature_flaw(seal: Mapping[str, Any], text: bytes, key: SealKey | None) -> str | None:
    signed = {name for name in _SIGNED if seal[name] is not None}
    if key is None:
        return "it is signed, and no key is set here to verify that" if signed else None
    if not signed:
        return "it is not signed"
    if signed - {"key_id"} != {key.algorithm}:
        return f"it is not signed with a key of the kind that is set here ({key.algorithm})"
    if seal["key_id"] != key.key_id:
        return "it names another key than the one that is set here"
    return None if _signed(seal[key.algorithm], text, key) else "its signature does not match"


def _signed(signature: object, text: bytes, key: SealKey) -> bool:
    if not isinstance(signature, str):
        return False
    if key.algorithm == "hmac_sha256":
        try:
            return key.verifies(text, bytes.fromhex(signature))
        except ValueError:
            return False
    given = decoded(signature)
    return given is not None and key.verifies(encoded(DOCUMENT_TYPE, text), given)


def decoded(text: object) -> bytes | None:
    """Return the bytes of a base64 text; None unless it is the canonical spelling."""
    if not isinstance(text, str):
        return None
    try:
        content = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return content if base64.b64encode(content).decode() == text else None
