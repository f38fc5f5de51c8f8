"""The decision as a signed in-toto attestation: a DSSE envelope with a test result of the commit.

Verification needs the public key but not the gate: any DSSE library will do, or ``openssl pkeyutl``
over the envelope's payload in its pre-authentication encoding.
"""

import json

from gate.decision.decision import Decision
from gate.decision.document import to_document
from gate.decision.statement import envelope
from gate.errors import UsageError
from gate.reporters.ansi import Style


def render(decision: Decision, _style: Style) -> str:
    """Return the envelope on one line, as in files of attestations (JSON Lines).

    Raises:
        UsageError: no key is set; an envelope without a signature would prove nothing.
    """
    if decision.key is None:
        raise UsageError("the format intoto is signed: set GATE_SIGNING_KEY to an Ed25519 key")
    return json.dumps(envelope(to_document(decision), decision.key), allow_nan=False) + "\n"
