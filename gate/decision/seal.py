"""The seal of a JSON document: its hash, and its signature if a key is set.

Which signature is looked at follows from the reader's key, and from nothing that the document says:
a document that named its own algorithm could choose the one that its forger can make.
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
"""The document's key for it."""
DOCUMENT_TYPE: Final = "application/vnd.error-budget-gate.document+json"
"""The type of the text that an Ed25519 signature of a seal is made over, by `encoded`."""
_SIGNED: Final = ("hmac_sha256", "ed25519", "key_id")
"""The fields of a seal beside the hash, which are not hashed: they follow from the key."""
Algorithm = Literal["hmac_sha256", "ed25519"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SealKey:
    """A key that signs documents, or tells whether they were signed with it."""

    algorithm: Algorithm
    key_id: str | None
    """Names a public key. None: a shared secret, which must stay secret."""
    sign: Callable[[bytes], bytes] | None = field(repr=False)
    """Returns the signature of a text. None: this key only verifies."""
    verifies: Callable[[bytes, bytes], bool] = field(repr=False)
    """Tells whether a signature, the second argument, is that of a text."""


def hmac_key(secret: bytes) -> SealKey:
    """Return the key that a secret of both sides makes (HMAC with SHA-256)."""

    def sign(text: bytes) -> bytes:
        return hmac.new(secret, text, sha256).digest()

    return SealKey(
        algorithm="hmac_sha256",
        key_id=None,
        sign=sign,
        # In constant time: how long it takes must not tell how much of a guess is right.
        verifies=lambda text, signature: hmac.compare_digest(sign(text), signature),
    )


def encoded(payload_type: str, payload: bytes) -> bytes:
    """Return what a signature is made over, so that one of another type of text never fits.

    The pre-authentication encoding of https://github.com/secure-systems-lab/dsse/blob/master/protocol.md.
    """
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def canonical(document: Mapping[str, Any]) -> bytes:
    """Return the one spelling of a document: sorted keys, no blanks, ASCII."""
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
    """Return the reason why the seal does not hold; None where it does.

    With a key, a document that is not signed by it is refused, whatever else it says. Without one,
    a signed document is refused: its signature was not checked.
    """
    seal = document.get(SEAL)
    if not isinstance(seal, dict):
        return "it has no seal"
    text = canonical({name: value for name, value in document.items() if name != SEAL})
    if seal.get("sha256") != sha256(text).hexdigest():
        return "it was altered: its hash does not fit"
    if seal.keys() != {"sha256", *_SIGNED}:
        return "its seal is not what a seal is"
    return _signature_flaw(seal, text, key)


def _signature_flaw(seal: Mapping[str, Any], text: bytes, key: SealKey | None) -> str | None:
    signed = {name for name in _SIGNED if seal[name] is not None}
    if key is None:
        return "it is signed, and there is no key here to check that with" if signed else None
    if not signed:
        return "it is not signed"
    if signed - {"key_id"} != {key.algorithm}:
        return f"it is not signed with a key of the kind that is set here ({key.algorithm})"
    if seal["key_id"] != key.key_id:
        return "it names another key than the one that is set here"
    return None if _signed(seal[key.algorithm], text, key) else "its signature does not fit"


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
    """Return what base64 stands for; None where it is none, or not the one way to write it."""
    if not isinstance(text, str):
        return None
    try:
        content = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return content if base64.b64encode(content).decode() == text else None
