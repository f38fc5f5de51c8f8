"""The keys that sign decisions and verify them, from the environment.

A variable that is set means that signatures are required. So a set variable without a key is an
error; it never means that signatures are not required.
"""

import os.path
from collections.abc import Mapping
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from gate.cli.streams import write_stderr
from gate.decision.seal import SealKey, hmac_key
from gate.errors import UsageError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

SIGNING_KEY: Final = "GATE_SIGNING_KEY"
"""A secret of at least `_SHORTEST` bytes for HMAC, or an Ed25519 private key in PEM."""
VERIFY_KEY: Final = "GATE_VERIFY_KEY"
"""An Ed25519 public key in PEM."""
_SHORTEST: Final = 16
"""The minimum number of bytes of a secret that cannot be guessed (NIST SP 800-107, 5.3.2: at least
112 bits)."""
_PEM: Final = "-----BEGIN "
_PUBLIC: Final = ("ssh-ed25519 ", "ssh-rsa ", "ecdsa-sha2-")


def signing_key(environ: Mapping[str, str]) -> SealKey | None:
    """Return the key that signs decisions; None if no key is set.

    Raises:
        UsageError: the variable is set but does not hold a key, or a package is missing.
    """
    text = _text(environ, SIGNING_KEY)
    _text(environ, VERIFY_KEY)  # the deploying job may get it from the same place
    if text is None:
        return None
    if _PEM in text:
        return _private(text)
    if text.lstrip().startswith(_PUBLIC):
        raise UsageError(
            f"{SIGNING_KEY} holds a public key; signing needs a secret or an Ed25519 private key"
        )
    secret = text.encode("utf-8", "surrogateescape")
    if len(secret) < _SHORTEST:
        write_stderr(
            f"gate: warning: {SIGNING_KEY} has {len(secret)} bytes, which can be guessed: "
            "use 32 random ones, such as from openssl rand -base64 32"
        )
    return hmac_key(secret)


def verifying_key(environ: Mapping[str, str]) -> SealKey | None:
    """Return the key that a decision must be signed with; None if no key is set.

    Raises:
        UsageError: a variable is set but does not hold a key, the two do not belong together, or a
            package is missing.
    """
    signing, text = signing_key(environ), _text(environ, VERIFY_KEY)
    if text is None:
        return signing
    verifying = _public(text)
    if signing is not None and signing.key_id != verifying.key_id:
        raise UsageError(
            f"{SIGNING_KEY} and {VERIFY_KEY} do not belong together: unset the wrong one"
        )
    return verifying


def _text(environ: Mapping[str, str], name: str) -> str | None:
    text = environ.get(name)
    if text is None:
        return None
    if not text.strip():
        raise UsageError(
            f"{name} is set but empty: set it to the key, or unset it where nothing is signed (runs"
            " of forks have no secrets)"
        )
    # A GitLab variable of the type File has a path as its value, which is not a secret.
    if os.path.isfile(text.strip()):  # noqa: PTH113 - False, too, for what no file can be called
        raise UsageError(f"{name} holds the path of a file: set it to the key itself")
    return text


def _private(text: str) -> SealKey:
    from_pem, ed25519 = _cryptography(SIGNING_KEY)
    try:
        private = from_pem.load_pem_private_key(text.strip().encode(), password=None)
    except (ValueError, TypeError, _unsupported()) as error:
        message = f"{SIGNING_KEY} does not hold a private key in PEM without a password"
        raise UsageError(message) from error
    if not isinstance(private, ed25519.Ed25519PrivateKey):
        raise UsageError(f"{SIGNING_KEY} holds a key of another kind: use an Ed25519 key")
    return _ed25519(private.public_key(), private.sign)


def _public(text: str) -> SealKey:
    if _PEM not in text:
        raise UsageError(
            f"{VERIFY_KEY} does not hold a public key in PEM; put a secret into {SIGNING_KEY}"
        )
    if "PRIVATE KEY" in text:
        raise UsageError(f"{VERIFY_KEY} holds a private key: set it to the public key only")
    from_pem, ed25519 = _cryptography(VERIFY_KEY)
    try:
        public = from_pem.load_pem_public_key(text.strip().encode())
    except (ValueError, TypeError, _unsupported()) as error:
        raise UsageError(f"{VERIFY_KEY} does not hold a public key in PEM") from error
    if not isinstance(public, ed25519.Ed25519PublicKey):
        raise UsageError(f"{VERIFY_KEY} holds a key of another kind: use an Ed25519 key")
    return _ed25519(public, None)


def _ed25519(public: "Ed25519PublicKey", sign: Any) -> SealKey:
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 - for such keys only
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - as above

    der = public.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )

    def verifies(text: bytes, signature: bytes) -> bool:
        try:
            public.verify(signature, text)
        except InvalidSignature:
            return False
        return True

    return SealKey(
        algorithm="ed25519",
        key_id=f"sha256:{sha256(der).hexdigest()}",
        sign=sign,
        verifies=verifies,
    )


def _unsupported() -> type[Exception]:
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415 - as above

    return UnsupportedAlgorithm


def _cryptography(name: str) -> tuple[Any, Any]:
    """Return the modules that read keys and that implement Ed25519."""
    try:
        from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - as above
        from cryptography.hazmat.primitives.asymmetric import ed25519  # noqa: PLC0415 - as above
    except ImportError as error:
        raise UsageError(
            f"{name} holds an Ed25519 key, which needs the package cryptography:"
            " pip install 'error-budget-gate[sign]'"
        ) from error
    return serialization, ed25519
