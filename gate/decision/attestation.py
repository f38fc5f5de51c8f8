"""The attestation of a result file: its commit and the time of its run; signed.

It is an in-toto Statement about the file in a DSSE envelope, like the one about a commit in
`gate.decision.statement`.
"""

import base64
import json
import re
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

from gate.dataclass import dataclass
from gate.decision.reading import OddDocumentError, read_instant
from gate.decision.seal import SealKey, encoded
from gate.decision.slo_document import rfc3339
from gate.decision.statement import PAYLOAD_TYPE, STATEMENT_TYPE, opened

PREDICATE_TYPE: Final = "urn:error-budget-gate:evaluation-result:1"
ENDING: Final = ".attestation.json"
"""The end of the attestation's file name, after the name of the file that it is about."""
_COMMIT: Final = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Attested:
    """The statement about a file."""

    commit: str
    """A full hash."""
    ran_at: datetime


def attestation(
    content: bytes, name: str, attested: Attested, *, version: str, key: SealKey
) -> dict[str, Any]:
    """Return the signed envelope with a statement about a file.

    Args:
        content: the content of the file.
        name: the name of the file, without its folder.
        attested: the statement about it.
        version: the version of this program.
        key: the key that signs.

    Raises:
        ValueError: the key can only verify.
    """
    if key.sign is None:
        raise ValueError("this key cannot sign")
    statement = {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": name, "digest": {"sha256": sha256(content).hexdigest()}}],
        "predicateType": PREDICATE_TYPE,
        "predicate": {
            "commit": attested.commit,
            "time": rfc3339(attested.ran_at),
            "tool_version": version,
        },
    }
    payload = json.dumps(statement, allow_nan=False).encode()
    signature = base64.b64encode(key.sign(encoded(PAYLOAD_TYPE, payload))).decode()
    keyid = {} if key.key_id is None else {"keyid": key.key_id}
    return {
        "payloadType": PAYLOAD_TYPE,
        "payload": base64.b64encode(payload).decode(),
        "signatures": [{**keyid, "sig": signature}],
    }


def attested_by(parcel: Mapping[str, Any], content: bytes, key: SealKey | None) -> Attested:
    """Return the statement about a file in an envelope, if the key has signed it.

    Raises:
        OddDocumentError: it is not such an envelope, is not signed with this key, or is about
            another file; the message is a clause.
    """
    said = opened(parcel, key)
    if not isinstance(said, dict) or said.get("predicateType") != PREDICATE_TYPE:
        raise OddDocumentError("it is not about the result file of an evaluation")
    digests = [
        subject["digest"].get("sha256")
        for subject in said.get("subject") or ()
        if isinstance(subject, dict) and isinstance(subject.get("digest"), dict)
    ]
    if digests != [sha256(content).hexdigest()]:
        raise OddDocumentError("it is about another file, or the file was altered since")
    predicate = said.get("predicate")
    commit, time = (
        predicate.get(name) if isinstance(predicate, dict) else None for name in ("commit", "time")
    )
    ran_at = read_instant(time) if isinstance(time, str) else None
    if not isinstance(commit, str) or not _COMMIT.fullmatch(commit) or ran_at is None:
        raise OddDocumentError("it does not have a whole commit and a time")
    return Attested(commit=commit, ran_at=ran_at)
