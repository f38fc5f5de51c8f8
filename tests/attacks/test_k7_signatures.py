"""K7: a signature counts for the key that the reader has, whatever the document says of itself."""

import base64
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from gate.cli.keys import signing_key
from gate.decision.seal import SealKey, canonical, encoded, hmac_key
from gate.decision.statement import EXTENSION, PAYLOAD_TYPE
from tests.attacks.decisions import (
    SECRET,
    Deploy,
    Document,
    changed,
    pair,
    public_pem,
    refused,
    resealed,
)

PRIVATE, PUBLIC = pair()
OTHER_PRIVATE, OTHER_PUBLIC = pair()
SIGNS: dict[str, Any] = {"GATE_SIGNING_KEY": PRIVATE}
VERIFIES: dict[str, Any] = {"GATE_VERIFY_KEY": PUBLIC}
SOON = f"{datetime.now(UTC) + timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}"
SHARES: dict[str, Any] = {"GATE_SIGNING_KEY": SECRET}


def key(pem: str) -> SealKey:
    read = signing_key({"GATE_SIGNING_KEY": pem})
    assert read is not None
    return read


def password_pem() -> str:
    text = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"word"),
    )
    return text.decode()


def private_pem(private: Any) -> str:
    text: bytes = private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return text.decode()


@pytest.mark.variants(4)
@pytest.mark.parametrize("form", ["json", "intoto"])
@pytest.mark.parametrize(
    ("signs", "verifies"),
    [
        (SIGNS, VERIFIES),
        (SIGNS, SIGNS),
        (SIGNS, SIGNS | VERIFIES),
        (SIGNS, {"GATE_VERIFY_KEY": f"\n{PUBLIC}\n\n"}),
        (SHARES, SHARES),
    ],
    ids=["public", "private", "both", "blanks", "secret"],
)
def test_what_the_key_signed_holds(
    deploy: Deploy, form: str, signs: dict[str, Any], verifies: dict[str, Any]
) -> None:
    deploy.decide(form=form, **signs)
    assert deploy.verify(**verifies).exit_code == 0


def test_without_any_key_an_unsigned_decision_holds(deploy: Deploy) -> None:
    deploy.decide()
    assert deploy.verify().exit_code == 0


@pytest.mark.variants(6)
@pytest.mark.parametrize("form", ["json", "intoto"])
@pytest.mark.parametrize(
    ("signs", "verifies"),
    [
        (SIGNS, {"GATE_VERIFY_KEY": OTHER_PUBLIC}),
        (SIGNS, {"GATE_SIGNING_KEY": OTHER_PRIVATE}),
        (SIGNS, SHARES),
        (SHARES, VERIFIES),
        (SHARES, {"GATE_SIGNING_KEY": SECRET + "\n"}),
        (SHARES, {"GATE_SIGNING_KEY": SECRET.upper()}),
        (SIGNS, {}),
        (SHARES, {}),
    ],
)
def test_what_another_key_signed_or_nobody_can_check_is_refused(
    deploy: Deploy, form: str, signs: dict[str, Any], verifies: dict[str, Any]
) -> None:
    deploy.decide(form=form, **signs)
    assert refused(deploy.verify(**verifies))


@pytest.mark.parametrize("verifies", [VERIFIES, SIGNS, SHARES])
def test_an_unsigned_decision_is_refused_where_a_key_is_set(
    deploy: Deploy, verifies: dict[str, Any]
) -> None:
    deploy.decide()
    assert refused(deploy.verify(**verifies), "it is not signed")


RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
CURVE = ec.generate_private_key(ec.SECP256R1())
SIGNING_MISTAKES = {
    "nothing": "",
    "a blank": " ",
    "line breaks": "\n\n",
    "a tab": "\t",
    "a public key": PUBLIC,
    "an OpenSSH public key": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ ada@example.com",
    "half of a key": PRIVATE[:60],
    "a key without its lines": PRIVATE.replace("\n", "\\n"),
    "a key in quotes, cut": f'"{PRIVATE[:-30]}"',
    "an RSA key": private_pem(RSA),
    "a key of a curve": private_pem(CURVE),
    "an Ed448 key": private_pem(ed448.Ed448PrivateKey.generate()),
    "a key with a password": password_pem(),
    "a certificate": "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
    "the path of a file": "/etc/passwd",
    "the path of a file here": "gate.yaml",
    "the path of a file and a line break": "gate.yaml\n",
}
VERIFY_MISTAKES = {
    "nothing": "",
    "blanks": "  \n ",
    "a private key": PRIVATE,
    "a secret": SECRET,
    "half of a key": PUBLIC[:50],
    "an RSA key": public_pem(RSA),
    "a key of a curve": public_pem(CURVE),
    "a certificate": "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
    "the path of a file": "/etc/passwd",
    "not ASCII": PUBLIC.replace("A", "Ä"),
    "a variable that was not filled in": "$GATE_PUBLIC_KEY",
}


@pytest.mark.variants(7)
@pytest.mark.parametrize("kind", SIGNING_MISTAKES)
def test_a_signing_key_that_is_none_is_an_error_of_both_commands(deploy: Deploy, kind: str) -> None:
    deploy.decide()
    mistake = SIGNING_MISTAKES[kind]
    for done in (
        deploy.verify(GATE_SIGNING_KEY=mistake),
        deploy.world.run("--change", "canary", GATE_SIGNING_KEY=mistake),
    ):
        assert (done.exit_code, done.stdout) == (2, "")
        assert done.stderr.startswith("gate: GATE_SIGNING_KEY ")
        assert mistake.strip() == "" or mistake not in done.stderr


@pytest.mark.variants(5)
@pytest.mark.parametrize("kind", VERIFY_MISTAKES)
def test_a_verifying_key_that_is_none_is_an_error(deploy: Deploy, kind: str) -> None:
    mistake = VERIFY_MISTAKES[kind]
    deploy.decide(**SIGNS)
    done = deploy.verify(GATE_VERIFY_KEY=mistake)
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.startswith("gate: GATE_VERIFY_KEY ")


@pytest.mark.parametrize("blank", ["", " ", "\n"])
def test_a_verifying_key_that_is_empty_is_an_error_of_the_job_that_decides_too(
    deploy: Deploy, blank: str
) -> None:
    done = deploy.world.run("--change", "canary", GATE_VERIFY_KEY=blank)
    assert (done.exit_code, done.stdout) == (2, "")


@pytest.mark.parametrize("signing", [SECRET, OTHER_PRIVATE])
def test_two_keys_that_are_not_a_pair_are_an_error(deploy: Deploy, signing: str) -> None:
    deploy.decide(**SIGNS)
    done = deploy.verify(GATE_SIGNING_KEY=signing, **VERIFIES)
    assert (done.exit_code, "do not belong together" in done.stderr) == (2, True)


def test_a_secret_that_can_be_guessed_is_warned_of(deploy: Deploy) -> None:
    done = deploy.world.run("--change", "canary", GATE_SIGNING_KEY="hunter2")
    assert done.exit_code == 0
    assert "GATE_SIGNING_KEY has 7 bytes, which can be guessed" in done.stderr
    assert "hunter2" not in done.stdout + done.stderr
    assert deploy.world.run("--change", "canary", **SHARES).stderr == ""


def test_a_missing_package_is_an_error_and_no_unsigned_decision(
    deploy: Deploy, monkeypatch: pytest.MonkeyPatch
) -> None:
    deploy.decide()
    monkeypatch.setitem(sys.modules, "cryptography.hazmat.primitives", None)
    for done in (
        deploy.world.run("--change", "canary", **SIGNS),
        deploy.verify(**SIGNS),
        deploy.verify(**VERIFIES),
    ):
        assert (done.exit_code, done.stdout) == (2, "")
        assert "pip install 'error-budget-gate[sign]'" in done.stderr


def test_an_attestation_without_a_key_is_an_error(deploy: Deploy) -> None:
    for words in (("--format", "intoto"), ("--write", f"intoto={deploy.file}")):
        done = deploy.world.run("--change", "canary", *words)
        assert (done.exit_code, done.stdout) == (2, "")
        assert "set GATE_SIGNING_KEY" in done.stderr
    assert not deploy.file.exists()


Forge = Callable[[Document], Document]


def with_seal(document: Document, **members: object) -> Document:
    return {**document, "seal": {**document["seal"], **members}}


def hmac_by(secret: str) -> Forge:
    """Return a forger who signs with what everybody has, in the hope that it is taken for a key."""
    return lambda document: resealed(document, hmac_key(secret.encode()))


FORGERIES: dict[str, Forge] = {
    "altered": lambda document: changed(document, ("policies", 0, "service"), "rag"),
    "altered and sealed anew": lambda document: resealed(
        changed(document, ("context", "environment"), None)
    ),
    "sealed anew, with the old signature": lambda document: with_seal(
        resealed(changed(document, ("context", "actor"), "mallory")),
        ed25519=document["seal"]["ed25519"],
        key_id=document["seal"]["key_id"],
    ),
    "the public key as a secret": hmac_by(PUBLIC),
    "the public key's last line as a secret": hmac_by(PUBLIC.strip()),
    "the name of the key as a secret": lambda document: resealed(
        document, hmac_key(document["seal"]["key_id"].encode())
    ),
    "an empty secret": hmac_by(""),
    "both kinds of signatures": lambda document: with_seal(document, hmac_sha256="0" * 64),
    "no signature": lambda document: with_seal(document, ed25519=None),
    "no key id": lambda document: with_seal(document, key_id=None),
    "another key's signature": lambda document: resealed(document, key(OTHER_PRIVATE)),
    "another key's signature under this key's name": lambda document: with_seal(
        resealed(document, key(OTHER_PRIVATE)), key_id=document["seal"]["key_id"]
    ),
    "an algorithm of its own": lambda document: with_seal(document, algorithm="none"),
    "an empty signature": lambda document: with_seal(document, ed25519=""),
    "zeros": lambda document: with_seal(document, ed25519=base64.b64encode(bytes(64)).decode()),
    "another spelling of base64": lambda document: with_seal(
        document, ed25519=document["seal"]["ed25519"].replace("==", "")
    ),
    "a line break in it": lambda document: with_seal(
        document, ed25519=document["seal"]["ed25519"] + "\n"
    ),
    "a list of signatures": lambda document: with_seal(
        document, ed25519=[document["seal"]["ed25519"]]
    ),
    "true": lambda document: with_seal(document, ed25519=True),
    "a number": lambda document: with_seal(document, sha256=5),
    "no seal": lambda document: {k: v for k, v in document.items() if k != "seal"},
    "a word for a seal": lambda document: {**document, "seal": "signed"},
}


@pytest.mark.parametrize("kind", FORGERIES)
def test_a_forged_document_is_refused(deploy: Deploy, kind: str) -> None:
    document = deploy.decide(**SIGNS)
    assert refused(deploy.verify(FORGERIES[kind](document), **VERIFIES))


@pytest.mark.variants(4)
@pytest.mark.parametrize(
    "signature", ["", "0" * 64, "zz", "ÄÖÜ", None, 5, [], "0" * 63, " " * 64, "\ud800"]
)
def test_a_secrets_signature_that_is_none_is_refused(deploy: Deploy, signature: object) -> None:
    document = with_seal(deploy.decide(**SHARES), hmac_sha256=signature)
    assert refused(deploy.verify(document, **SHARES))


def payload_of(envelope: Document) -> Document:
    statement: Document = json.loads(base64.b64decode(envelope["payload"]))
    return statement


def repacked(envelope: Document, statement: object, signer: SealKey | None = None) -> Document:
    """Return an envelope around a statement: with the old signature, or with one of a signer."""
    raw = statement if isinstance(statement, bytes) else json.dumps(statement).encode()
    packed = envelope | {"payload": base64.b64encode(raw).decode()}
    if signer is None or signer.sign is None:
        return packed
    signature = base64.b64encode(signer.sign(encoded(PAYLOAD_TYPE, raw))).decode()
    return packed | {"signatures": [{"keyid": signer.key_id, "sig": signature}]}


def _signature(envelope: Document, **members: object) -> Document:
    (signature,) = envelope["signatures"]
    return envelope | {"signatures": [{**signature, **members}]}


def _other_type(envelope: Document, kind: str) -> Document:
    """Return an envelope of another type, with a signature by the right key that fits it."""
    raw, signer = base64.b64decode(envelope["payload"]), key(PRIVATE)
    assert signer.sign is not None
    made = base64.b64encode(signer.sign(encoded(kind, raw))).decode()
    return _signature(envelope, sig=made) | {"payloadType": kind}


def _bare(envelope: Document) -> Document:
    """Return an envelope whose signature is of the payload alone, without its type."""
    signer = key(PRIVATE)
    assert signer.sign is not None
    made = base64.b64encode(signer.sign(base64.b64decode(envelope["payload"]))).decode()
    return _signature(envelope, sig=made)


ENVELOPES: dict[str, Forge] = {
    "another payload": lambda e: repacked(e, changed(payload_of(e), ("predicate", "result"), "x")),
    "another key": lambda e: repacked(e, payload_of(e), key(OTHER_PRIVATE)),
    "another key under this key's name": lambda e: _signature(
        repacked(e, payload_of(e), key(OTHER_PRIVATE)), keyid=e["signatures"][0]["keyid"]
    ),
    "another type": lambda e: e | {"payloadType": "application/json"},
    "another type, signed": lambda e: _other_type(e, "application/json"),
    "no type": lambda e: {k: v for k, v in e.items() if k != "payloadType"},
    "a signature without the type": _bare,
    "no signatures": lambda e: e | {"signatures": []},
    "no list of signatures": lambda e: e | {"signatures": e["signatures"][0]},
    "signatures that are none": lambda e: e | {"signatures": None},
    "two signatures": lambda e: e | {"signatures": e["signatures"] * 2},
    "a good signature after a bad one": lambda e: (
        e | {"signatures": [{"keyid": "x", "sig": "AAAA"}, *e["signatures"]]}
    ),
    "an empty signature": lambda e: _signature(e, sig=""),
    "a signature that is no text": lambda e: _signature(e, sig=5),
    "no name of the key": lambda e: e | {"signatures": [{"sig": e["signatures"][0]["sig"]}]},
    "another name of the key": lambda e: _signature(e, keyid="sha256:0"),
    "an algorithm of its own": lambda e: _signature(e, alg="none"),
    "a payload that is no base64": lambda e: e | {"payload": "!"},
    "a payload in another alphabet": lambda e: e | {"payload": e["payload"].replace("I", "-")},
    "a payload as JSON": lambda e: e | {"payload": payload_of(e)},
    "a decision beside the payload": lambda e: e | {"decision": payload_of(e)},
    "a document around it": lambda e: payload_of(e)["predicate"][EXTENSION] | e,
    "signed, and no JSON": lambda e: repacked(e, b"{", key(PRIVATE)),
    "signed, with two values of one name": lambda e: repacked(e, b'{"a":1,"a":1}', key(PRIVATE)),
    "signed, and no statement": lambda e: repacked(e, [], key(PRIVATE)),
    "signed, and no decision in it": lambda e: repacked(e, {"predicate": {}}, key(PRIVATE)),
    "signed, of another commit": lambda e: repacked(
        e,
        changed(payload_of(e), ("subject", 0, "digest", "gitCommit"), "f" * 40),
        key(PRIVATE),
    ),
    "signed, of another result": lambda e: repacked(
        e, changed(payload_of(e), ("predicate", "result"), "FAILED"), key(PRIVATE)
    ),
    "signed, of another predicate": lambda e: repacked(
        e,
        changed(payload_of(e), ("predicateType",), "https://slsa.dev/provenance/v1"),
        key(PRIVATE),
    ),
    "signed, with an unsigned decision": lambda e: repacked(
        e,
        changed(
            payload_of(e),
            ("predicate", EXTENSION),
            resealed(payload_of(e)["predicate"][EXTENSION]),
        ),
        key(PRIVATE),
    ),
    "the bare statement": payload_of,
}


@pytest.mark.variants(14)
@pytest.mark.parametrize("kind", ENVELOPES)
def test_a_forged_envelope_is_refused(deploy: Deploy, kind: str) -> None:
    envelope = deploy.decide(form="intoto", **SIGNS)
    assert refused(deploy.verify(ENVELOPES[kind](envelope), **VERIFIES))


def test_what_is_signed_for_a_record_of_the_log_is_not_a_decision(
    deploy: Deploy, tmp_path: Path
) -> None:
    record = tmp_path / "decisions.jsonl"
    deploy.decide("--record", str(record), **SIGNS)
    assert refused(deploy.verify(record.read_bytes(), **VERIFIES))


def test_other_programs_can_verify_the_envelope(deploy: Deploy, tmp_path: Path) -> None:
    """By the text of the DSSE specification, written down here once more."""
    envelope = deploy.decide(form="intoto", **SIGNS)
    payload = base64.b64decode(envelope["payload"])
    kind = envelope["payloadType"]
    signed = f"DSSEv1 {len(kind)} {kind} {len(payload)} ".encode() + payload
    signature = base64.b64decode(envelope["signatures"][0]["sig"])

    public = load_pem_public_key(PUBLIC.encode())
    public.verify(signature, signed)  # type: ignore[union-attr, call-arg]
    openssl = shutil.which("openssl")
    if openssl is not None:
        files = {"key.pem": PUBLIC.encode(), "signature": signature, "text": signed}
        for name, content in files.items():
            (tmp_path / name).write_bytes(content)
        options = ("-verify", "-pubin", "-inkey", "key.pem", "-rawin", "-in", "text")
        done = subprocess.run(
            [openssl, "pkeyutl", *options, "-sigfile", "signature"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.stdout.strip() == "Signature Verified Successfully"


def test_the_plain_documents_signature_is_one_of_its_canonical_text(deploy: Deploy) -> None:
    document = deploy.decide(**SIGNS)
    seal = document.pop("seal")
    kind, text = "application/vnd.error-budget-gate.document+json", canonical(document)
    signed = f"DSSEv1 {len(kind)} {kind} {len(text)} ".encode() + text
    public = load_pem_public_key(PUBLIC.encode())
    signature = base64.b64decode(seal["ed25519"])
    public.verify(signature, signed)  # type: ignore[union-attr, call-arg]


@pytest.mark.parametrize(
    ("arguments", "change", "result"),
    [
        ((), "canary", "PASSED"),
        ((), "full-rollout", "FAILED"),
        (("--dry-run",), "canary", "FAILED"),
        (("--dry-run",), "full-rollout", "FAILED"),
        (
            ("--override", "fix", "--override-approved-by", "@grace", "--override-until", SOON),
            "full-rollout",
            "FAILED",
        ),
    ],
)
def test_only_what_the_policy_itself_lets_ship_has_passed(
    deploy: Deploy, arguments: tuple[str, ...], change: str, result: str
) -> None:
    envelope = deploy.decide(*arguments, change=change, form="intoto", **SIGNS)
    statement = payload_of(envelope)
    predicate = statement["predicate"]
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    assert statement["predicateType"] == "https://in-toto.io/attestation/test-result/v0.1"
    assert statement["subject"] == [
        {"name": "acme/chat", "digest": {"gitCommit": deploy.world.revision()}}
    ]
    assert predicate["result"] == result
    lists = [predicate[name] for name in ("passedTests", "warnedTests", "failedTests")]
    assert lists == ([["chat"], [], []] if result == "PASSED" else [[], [], ["chat"]])
