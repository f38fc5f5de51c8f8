"""Read a decision, or a trigger, from a file that anybody may have written."""

import json
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from gate.cli.log_files import read_within
from gate.decision.decision import SCHEMA_VERSION
from gate.decision.reading import OddDocumentError, check_shape, read_json
from gate.decision.seal import SealKey, seal_flaw
from gate.decision.statement import decision_in, is_envelope, opened, statement

if TYPE_CHECKING:
    from gate.decision.trigger import Trigger

_LARGEST: Final = 1 << 24
"""The maximum size in bytes; an SLO takes about three thousand, in an envelope twice that."""


def read_decision(file: str, key: SealKey | None) -> dict[str, Any]:
    """Return the decision in a file, valid, unaltered and signed if a key is given.

    Raises:
        OddDocumentError: the file does not hold such a decision; the message says why.
        NotReadableError: it is not a file that can be read completely.
        UsageError: the file does not exist.
    """
    document: Any = read_json(read_within(file, _LARGEST))
    parcel = opened(document, key) if is_envelope(document) else None
    if parcel is not None:
        document = decision_in(parcel)
    if not isinstance(document, dict) or document.get("schema_version") != SCHEMA_VERSION:
        raise OddDocumentError(f"it is not a decision of version {SCHEMA_VERSION}")
    flaw = seal_flaw(document, key)
    if flaw is not None:
        raise OddDocumentError(flaw)
    check_shape(document, _schema("decision"))
    if parcel is not None and parcel != statement(document):
        raise OddDocumentError("the statement around the decision differs from it")
    return document


def read_trigger_file(file: str, key: SealKey | None) -> "Trigger":
    """Return the trigger in a file, valid, unaltered and signed if a key is given.

    Raises:
        OddDocumentError: the file does not hold such a trigger; the message says why.
        NotReadableError: it is not a file that can be read completely.
        UsageError: the file does not exist.
    """
    from gate.decision.trigger import read_trigger  # noqa: PLC0415 - gate verify reads none

    return read_trigger(read_within(file, _LARGEST), key, _schema("trigger"))


def _schema(name: str) -> dict[str, Any]:
    text = files("gate").joinpath("schemas", f"{name}.schema.json").read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema
