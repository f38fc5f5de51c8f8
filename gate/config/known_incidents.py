"""Files of known incidents and of deploys, written by people or by other tools."""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, TypeVar

import yaml

from gate.errors import Mistake, PolicyError, UsageError
from gate.history.records import Deployment, IncidentRecord, RecordStatus, UnreadableRecord
from gate.parsing.files import Folder, Imports, read_bytes
from gate.parsing.objects import Field, Object, Values, build_as
from gate.parsing.reader import Reader, UnreadableError, after, compose, compose_all, decode
from gate.parsing.schema import Anything, Choice, ListOf, Scalar, Union, pairs
from gate.parsing.values import INSTANT, NAME, TEXT

T = TypeVar("T")
PLACEHOLDER: Final = "TODO"
"""The beginning of a placeholder in a draft, which people replace."""
_NAMES: Final = Union(Scalar(lambda text: (NAME.parse(text),), NAME.json), ListOf(NAME, at_least=1))
_LEFT_TO_PEOPLE: Final = ("title", "cause", "remediation")


def _record(values: Values, reader: Reader) -> IncidentRecord:
    end, status = values.get("end"), values.get("status")
    if end is not None and end <= values.get("start"):
        raise reader.fail(values.node("end"), "the end is not after the start")
    if end is None and status in {RecordStatus.RESOLVED, RecordStatus.REVIEWED}:
        # Without an end, it would also explain everything that happens after it.
        raise reader.fail(
            values.node("status"),
            f"a known incident that is {status} has an end: add the key 'end'",
        )
    given = {"end": None, **values.values}
    given.pop("measured", None)
    unfilled = tuple(
        name for name in values.given(*_LEFT_TO_PEOPLE) if given[name].startswith(PLACEHOLDER)
    )
    place = f"{reader.file}:{values.node().start_mark.line + 1}"
    return IncidentRecord(services=given.pop("service"), unfilled=unfilled, place=place, **given)


RECORD: Final = Object(
    {
        "id": Field(schema=TEXT, doc="Its identifier: INC-42.", required=True),
        "title": Field(schema=TEXT, doc="Summary of the incident, in one line.", required=True),
        "service": Field(
            schema=_NAMES,
            doc="Affected service, as its policy names it, or a list of services: chat.",
            required=True,
        ),
        "slos": Field(schema=_NAMES, doc="Affected SLOs. Default: all of the service."),
        "start": Field(schema=INSTANT, doc="RFC 3339: 2026-11-20T14:00:00Z.", required=True),
        "end": Field(schema=INSTANT, doc="The end; left out while it goes on."),
        "status": Field(
            schema=Choice(tuple(RecordStatus)),
            doc="open, mitigated, resolved, or reviewed once there is a postmortem.",
            required=True,
        ),
        "cause": Field(schema=TEXT, doc="The cause, once it is known."),
        "remediation": Field(schema=TEXT, doc="The change that keeps it from happening again."),
        "link": Field(schema=TEXT, doc="Address of the postmortem or ticket."),
        "measured": Field(
            schema=Anything(), doc="Facts about the incident in a draft, for people; not read."
        ),
    },
    _record,
)
DEPLOY: Final = Object(
    {
        "time": Field(schema=INSTANT, doc="When it went live, RFC 3339.", required=True),
        "revision": Field(schema=TEXT, doc="Deployed commit or version.", required=True),
        "service": Field(schema=TEXT, doc="Service of the policy. Default: every policy."),
        "change": Field(schema=NAME, doc="Change class."),
        "id": Field(schema=TEXT, doc="Identifier in the tool that deployed it."),
    },
    build_as(Deployment),
)


def load_known_incidents(
    patterns: Sequence[str], environ: Mapping[str, str]
) -> tuple[IncidentRecord, ...]:
    """Read the known incidents of files or globs; a folder means all YAML files in it.

    A file has one incident, a list of them, or several documents.

    Raises:
        UsageError: nothing matches.
        PolicyError: a file cannot be read, or is not valid; carries every mistake.
    """
    mistakes: list[Mistake] = []
    records: dict[str, IncidentRecord] = {}
    for path in dict.fromkeys(path for pattern in patterns for path in _files(pattern)):
        try:
            unreadable = read_records(read_bytes(path), _reader(path, environ, []), records)
        except PolicyError as error:
            mistakes.extend(error.mistakes)
        else:
            mistakes.extend(mistake for record in unreadable for mistake in record.mistakes)
    return _unless_wrong(tuple(records.values()), mistakes)


def read_records(
    raw: bytes, reader: Reader, records: dict[str, IncidentRecord]
) -> list[UnreadableRecord]:
    """Add the records of a file to those of other files, by id; return the records with a mistake.

    Args:
        raw: the text of the file.
        reader: the reader of the file; nothing is noted there.
        records: the records of earlier files, by id; the first of two with the same id stays.
    """
    reader = replace(reader, mistakes=[])
    try:
        documents = compose_all(decode(raw, reader), reader)
    except UnreadableError:
        return [UnreadableRecord(mistakes=tuple(reader.mistakes))]
    unreadable = []
    for document in documents:
        nodes = document.value if isinstance(document, yaml.SequenceNode) else [document]
        for node in nodes:
            attempt = replace(reader, mistakes=[])
            try:
                record = _sound_record(node, attempt, records)
            except UnreadableError:
                mistakes = tuple(sorted(set(attempt.mistakes)))
                unreadable.append(_unreadable(node, reader, mistakes))
            else:
                records[record.id] = record
    return unreadable


def _sound_record(
    node: yaml.Node, attempt: Reader, others: Mapping[str, IncidentRecord]
) -> IncidentRecord:
    """Return a record without any mistake, even a mistake that readers would note and pass over."""
    record = RECORD.read(node, attempt)
    if record.id in others:
        first = others[record.id].place
        attempt.note(node, f"duplicate id {record.id!r}; the first one is in {first}")
    if attempt.mistakes:
        raise UnreadableError
    return record


def _unreadable(node: yaml.Node, reader: Reader, mistakes: tuple[Mistake, ...]) -> UnreadableRecord:
    """Return the readable parts of a record with a mistake: its services, and its time."""
    attempt = replace(reader, mistakes=[])
    values: dict[str, Any] = {}
    with suppress(UnreadableError):
        for key, child in pairs(node, attempt):
            if key.value in {"service", "slos", "start", "end"}:
                with suppress(UnreadableError):
                    values[key.value] = RECORD.fields[key.value].schema.read(child, attempt)
    start, end = values.get("start"), values.get("end")
    if start is not None and end is not None and end <= start:
        start = end = None  # of two records with the same id, it is not known which is right
    return UnreadableRecord(
        mistakes=mistakes,
        services=values.get("service", ()),
        slos=values.get("slos", ()),
        start=start,
        end=None if start is None else end,
    )


def load_deployments(path: str, environ: Mapping[str, str]) -> tuple[Deployment, ...]:
    """Read a file in JSON Lines, one deploy on each line; empty and repeated lines are skipped.

    Raises:
        PolicyError: the file cannot be read, or is not valid; carries every mistake.
    """
    mistakes: list[Mistake] = []
    reader, deployments = _reader(path, environ, mistakes), []
    with suppress(UnreadableError):
        for above, line in enumerate(decode(read_bytes(path), reader).split("\n")):
            with suppress(UnreadableError):
                if line.strip():
                    deployments.append(_deploy(line, replace(reader, above=above)))
    return _unless_wrong(tuple(dict.fromkeys(deployments)), mistakes)


def _deploy(line: str, reader: Reader) -> Deployment:
    try:
        document = json.loads(line)
    except json.JSONDecodeError as error:
        raise reader.fail(after(line[: error.pos]), f"not valid JSON: {error.msg}") from error
    except RecursionError as error:
        raise reader.fail(after(""), "not valid JSON: nested too deeply") from error
    if not isinstance(document, dict):
        raise reader.fail(after(""), "expected one JSON object on each line, which is one deploy")
    return DEPLOY.read(compose(line, reader), reader)  # JSON is YAML: each value has its column


def _reader(path: str, environ: Mapping[str, str], mistakes: list[Mistake]) -> Reader:
    imports = Imports(tree=Folder(Path(path).parent))
    return Reader(file=path, environ=environ, imports=imports, mistakes=mistakes)


def _files(pattern: str) -> list[str]:
    import glob  # noqa: PLC0415 - only where known incidents are asked for

    globs = [pattern]
    if Path(pattern).is_dir():
        globs = [str(Path(glob.escape(pattern)) / name) for name in ("*.yaml", "*.yml")]
    elif Path(pattern).is_file():
        return [pattern]
    paths = sorted(path for pattern in globs for path in glob.glob(pattern, recursive=True))  # noqa: PTH207 - the user's own glob, from where the user is
    if not paths:
        raise UsageError(f"known incidents {pattern}: no file matches")
    return paths


def _unless_wrong(entries: tuple[T, ...], mistakes: Sequence[Mistake]) -> tuple[T, ...]:
    if mistakes:
        raise PolicyError(tuple(sorted(set(mistakes))))
    return entries
