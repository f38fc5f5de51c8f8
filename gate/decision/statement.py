"""A decision as an in-toto Statement in a DSSE envelope, which other programs can verify.

https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md,
https://github.com/in-toto/attestation/blob/main/spec/predicates/test-result.md,
https://github.com/secure-systems-lab/dsse/blob/master/envelope.md
"""

import base64
import json
import re
from collections.abc import Mapping
from typing import Any, Final

from gate.decision.decision import Mode
from gate.decision.reading import OddDocumentError, read_json
from gate.decision.seal import SealKey, decoded, encoded
from gate.errors import ExitCode
from gate.policy.findings import Verdict

PAYLOAD_TYPE: Final = "application/vnd.in-toto+json"
STATEMENT_TYPE: Final = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE: Final = "https://in-toto.io/attestation/test-result/v0.1"
EXTENSION: Final = "urn:error-budget-gate:schema:decision:1"
"""The key of the whole decision in the predicate: URIs name the extensions."""
_COMMIT: Final = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_ENVELOPE: Final = frozenset({"payloadType", "payload", "signatures"})


def statement(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the statement that a decision's document makes about the commit.

    It has passed only if it ships now by the policies' own verdict: not by an override, in a dry
    run, or by a policy that is not in a commit.
    """
    passes = _passes(document)
    tests: dict[str, list[str]] = {"passedTests": [], "warnedTests": [], "failedTests": []}
    for policy in document["policies"]:
        tests[_list_of(policy["verdict"], passes=passes)].append(policy["service"])
    result = "FAILED"
    if passes:
        result = "PASSED" if document["verdict"] == Verdict.ALLOW else "WARNED"
    context = document["context"]
    return {
        "_type": STATEMENT_TYPE,
        "subject": [_subject(document)],
        "predicateType": PREDICATE_TYPE,
        "predicate": {
            "result": result,
            "configuration": [_configuration(policy["source"]) for policy in document["policies"]],
            **({} if context["url"] is None else {"url": context["url"]}),
            **tests,
            EXTENSION: document,
        },
    }


def _passes(document: Mapping[str, Any]) -> bool:
    return (
        document["exit_code"] == ExitCode.ALLOW
        and document["mode"] == Mode.ENFORCED
        and not document["overridden"]
        and not any(policy["source"]["modified"] for policy in document["policies"])
    )


def _list_of(verdict: str, *, passes: bool) -> str:
    if not passes:
        return "failedTests"
    return "passedTests" if verdict == Verdict.ALLOW else "warnedTests"


def _configuration(source: Mapping[str, Any]) -> dict[str, Any]:
    return {"name": source["path"], "digest": {"sha256": source["sha256"]}}


def _subject(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the commit; without a known commit, the decision itself."""
    context, revision = document["context"], document["context"]["revision"]
    if revision is None or not _COMMIT.fullmatch(revision):
        return {"name": "decision.json", "digest": {"sha256": document["seal"]["sha256"]}}
    name = {} if context["repository"] is None else {"name": context["repository"]}
    return {**name, "digest": {"gitCommit": revision}}


def envelope(document: Mapping[str, Any], key: SealKey) -> dict[str, Any]:
    """Return the signed envelope of a decision's document.

    Raises:
        ValueError: the key can only verify.
    """
    if key.sign is None:
        raise ValueError("this key cannot sign")
    payload = json.dumps(statement(document), allow_nan=False).encode()
    signature = base64.b64encode(key.sign(encoded(PAYLOAD_TYPE, payload))).decode()
    keyid = {} if key.key_id is None else {"keyid": key.key_id}
    return {
        "payloadType": PAYLOAD_TYPE,
        "payload": base64.b64encode(payload).decode(),
        "signatures": [{**keyid, "sig": signature}],
    }


def is_envelope(document: object) -> bool:
    """Return whether a JSON value is meant to be an envelope, and not a plain document."""
    return isinstance(document, dict) and not _ENVELOPE.isdisjoint(document)


def opened(parcel: Mapping[str, Any], key: SealKey | None) -> Any:
    """Return the decision's document in an envelope that the key has signed.

    The form of the document is not checked yet; `same_statement` compares it with the statement.

    Raises:
        OddDocumentError: it is not such an envelope, or is not signed with this key.
    """
    signatures = parcel.get("signatures")
    if parcel.keys() != _ENVELOPE or parcel["payloadType"] != PAYLOAD_TYPE:
        raise OddDocumentError("it is not an envelope of an in-toto statement")
    payload = decoded(parcel["payload"])
    if payload is None:
        raise OddDocumentError("the payload of its envelope is not base64")
    if not isinstance(signatures, list) or len(signatures) != 1:
        raise OddDocumentError("its envelope has not exactly one signature")
    if key is None:
        raise OddDocumentError("it is signed, and no key is set here to verify that")
    (signed,) = signatures
    if not isinstance(signed, dict) or not {"sig"} <= signed.keys() <= {"sig", "keyid"}:
        raise OddDocumentError("the signature of its envelope is not in the form of DSSE")
    if signed.get("keyid") != key.key_id:
        raise OddDocumentError("it names another key than the one that is set here")
    signature = decoded(signed["sig"])
    if signature is None or not key.verifies(encoded(PAYLOAD_TYPE, payload), signature):
        raise OddDocumentError("its signature does not match")
    return read_json(payload)


def decision_in(read: Any) -> Any:
    """Return the decision's document in a statement, in whatever form it is.

    Raises:
        OddDocumentError: the statement has none.
    """
    predicate = read.get("predicate") if isinstance(read, dict) else None
    if not isinstance(predicate, dict) or EXTENSION not in predicate:
        raise OddDocumentError("its statement holds no decision")
    return predicate[EXTENSION]
