"""The log of decisions as a chain: each line has its number, and the hash of the line before it.

So a line that was changed, moved, removed, inserted or duplicated does not match its neighbours. A
log that was rewritten as a whole is consistent again, unless its lines are signed. Lines that were
removed at the end leave no gap: only somebody who knows the last line can notice that.
"""

import json
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any, Final

from gate.dataclass import dataclass
from gate.decision.reading import OddDocumentError, read_json
from gate.decision.seal import SEAL, SealKey, seal_flaw, sealed

_NUMBER: Final = "number"
_PREVIOUS: Final = "previous_sha256"
_KEPT: Final = (
    *("schema_version", "evaluated_at", "expires_at", "verdict", "exit_code"),
    *("mode", "overridden", "override", "override_confirmed", "context"),
)
_OF_POLICY: Final = ("service", "change_class", "tier", "verdict")


def to_record(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the part of a decision's document that the log keeps, with the seal of the whole.

    The numbers stay in the document; its hash in the log connects the two.
    """
    return {
        **{name: document[name] for name in _KEPT},
        "policies": [
            {name: policy[name] for name in _OF_POLICY}
            | {"sha256": policy["source"]["sha256"], "revision": policy["source"]["revision"]}
            for policy in document["policies"]
        ],
        "decision": document[SEAL],
    }


def lines_of(content: bytes) -> list[bytes]:
    """Return the lines of a log; the last one may lack its line break."""
    lines = content.split(b"\n")
    return lines if lines[-1] else lines[:-1]


def next_line(content: bytes, document: Mapping[str, Any], key: SealKey | None) -> bytes:
    """Return the line to append to a log, with the line breaks that it needs.

    Args:
        content: the content of the whole log.
        document: the document of the decision.
        key: the key that signs the line; None: it is not signed.
    """
    lines = lines_of(content)
    record = {
        _NUMBER: len(lines) + 1,
        _PREVIOUS: line_hash(lines[-1]) if lines else None,
        **to_record(document),
    }
    text = json.dumps(sealed(record, key), allow_nan=False).encode()
    # A partial line of a run that was killed must not spoil this line.
    torn = bool(content) and not content.endswith(b"\n")
    return b"\n" * torn + text + b"\n"


def line_hash(line: bytes) -> str:
    """Return the hash that the next line has as its ``previous_sha256``."""
    return sha256(line).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Flaw:
    """One fault of a log."""

    line: int
    """From 1; after the last line if lines are missing there."""
    reason: str


def chain_flaws(content: bytes, key: SealKey | None) -> Iterator[Flaw]:
    """Yield all signs that a log was altered, from its first line on.

    With a key, every line must be signed with it.
    """
    lines = lines_of(content)
    if content and not content.endswith(b"\n"):
        yield Flaw(line=len(lines), reason="it is cut off: it has no line break at its end")
    places: dict[bytes, int] = {}
    before: bytes | None = None
    for place, line in enumerate(lines, start=1):
        reason = _flaw(line, place, before, key)
        if line in places:
            reason = f"it repeats line {places[line]}"
        if reason is not None:
            yield Flaw(line=place, reason=reason)
        places.setdefault(line, place)
        before = line


def last_flaws(content: bytes, at_least: int, expected: str | None) -> Iterator[Flaw]:
    """Yield the signs that lines are missing at the end.

    Args:
        content: the content of the whole log.
        at_least: the number of lines that it had before.
        expected: the `line_hash` of the last line at an earlier time; None: unknown.
    """
    lines = lines_of(content)
    end = len(lines) + 1
    if len(lines) < at_least:
        yield Flaw(line=end, reason=f"it has {len(lines)} records, and had {at_least} at least")
    if expected is not None and expected not in map(line_hash, lines):
        yield Flaw(line=end, reason="the record with the expected hash is missing")


def _flaw(line: bytes, place: int, before: bytes | None, key: SealKey | None) -> str | None:
    try:
        record = read_json(line)
    except OddDocumentError as error:
        return f"it cannot be read: {error}"
    if not isinstance(record, dict):
        return "it is not a record of a decision"
    if SEAL not in record and _NUMBER not in record:
        return "it is not chained: it was written by an older gate, or by another program"
    return seal_flaw(record, key) or _misplaced(record, line, place, before)


def _misplaced(
    record: Mapping[str, Any], line: bytes, place: int, before: bytes | None
) -> str | None:
    number = record.get(_NUMBER)
    if json.dumps(record, allow_nan=False).encode() != line:
        return "it was rewritten: a run of the gate writes it in another form"
    if type(number) is not int:
        return "it has no number"
    if number > place:
        return (
            f"it was line {number}: {number - place} lines before it are missing, or it was moved"
        )
    if number < place:
        return (
            f"it was line {number}: {place - number} lines before it were inserted, or it was moved"
        )
    if record.get(_PREVIOUS) != (None if before is None else line_hash(before)):
        return "it does not follow the line before it: that was changed, inserted, or removed"
    return None
