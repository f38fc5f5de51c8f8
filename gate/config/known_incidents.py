"""Files of known incidents, and of deploys: what people and other tools say of what happened."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final, TypeVar

import yaml

from gate.budget.explained import Deploy, Record, RecordStatus
from gate.config.files import Folder, Imports, read_bytes
from gate.config.reader import Reader, UnreadableError, after, compose, compose_all, decode
from gate.config.scalars import INSTANT, NAME, TEXT
from gate.config.shapes import Block, Choice, Field, Values
from gate.errors import Mistake, PolicyError, UsageError

T = TypeVar("T")


def _record(values: Values, reader: Reader) -> Record:
    start, end = values.get("start"), values.get("end")
    if end is not None and end <= start:
        raise reader.fail(values.node("end"), "the end is not after the start")
    status = RecordStatus(values.get("status"))
    if end is None and status in {RecordStatus.RESOLVED, RecordStatus.REVIEWED}:
        # It would explain everything that happens from now on.
        raise reader.fail(values.node("status"), f"what is {status} has an end: add the key 'end'")
    return Record(
        id=values.get("id"),
        title=values.get("title"),
        start=start,
        end=end,
        status=status,
        cause=values.get("cause"),
        link=values.get("link"),
    )


RECORD: Final = Block(
    {
        "id": Field(shape=TEXT, doc="What people call it: INC-42.", required=True),
        "title": Field(shape=TEXT, doc="What happened, in a line.", required=True),
        "start": Field(shape=INSTANT, doc="RFC 3339: 2026-11-20T14:00:00Z.", required=True),
        "end": Field(shape=INSTANT, doc="The same; left out while it goes on."),
        "status": Field(
            shape=Choice(tuple(RecordStatus)),
            doc="open, mitigated, resolved, or reviewed once there is a postmortem.",
            required=True,
        ),
        "cause": Field(shape=TEXT, doc="Why it happened, once that is known."),
        "link": Field(shape=TEXT, doc="Where more is written down."),
    },
    _record,
)
DEPLOY: Final = Block(
    {
        "time": Field(shape=INSTANT, doc="When it went live, RFC 3339.", required=True),
        "revision": Field(shape=TEXT, doc="Which commit or version.", required=True),
        "service": Field(shape=TEXT, doc="Of the policy; left out: of every policy."),
        "change": Field(shape=NAME, doc="The change class."),
    },
    lambda values, _: Deploy(
        time=values.get("time"),
        revision=values.get("revision"),
        service=values.get("service"),
        change=values.get("change"),
    ),
)


def load_known(patterns: Sequence[str], environ: Mapping[str, str]) -> tuple[Record, ...]:
    """Read the known incidents of files or globs; a folder stands for all YAML files in it.

    A file has one incident, a list of them, or several documents.

    Raises:
        UsageError: nothing matches.
        PolicyError: a file cannot be read or says something wrong; carries every mistake.
    """
    mistakes: list[Mistake] = []
    found: dict[str, Record] = {}
    places: dict[str, str] = {}
    for path in dict.fromkeys(path for pattern in patterns for path in _files(pattern)):
        reader = _reader(path, environ, mistakes)
        for node in _nodes(path, reader):
            with suppress(UnreadableError):
                record = RECORD.read(node, reader)
                if record.id in found:
                    message = f"the id {record.id!r} stands twice; first in {places[record.id]}"
                    raise reader.fail(node, message)
                found[record.id] = record
                places[record.id] = f"{path}:{node.start_mark.line + 1}"
    return _unless_wrong(tuple(found.values()), mistakes)


def load_deploys(path: str, environ: Mapping[str, str]) -> tuple[Deploy, ...]:
    """Read a file in JSON Lines, one deploy a line; empty lines are left out.

    Raises:
        PolicyError: the file cannot be read or says something wrong; carries every mistake.
    """
    mistakes: list[Mistake] = []
    reader, found = _reader(path, environ, mistakes), []
    with suppress(UnreadableError):
        for above, line in enumerate(decode(read_bytes(path), reader).split("\n")):
            with suppress(UnreadableError):
                if line.strip():
                    found.append(_deploy(line, replace(reader, above=above)))
    return _unless_wrong(tuple(found), mistakes)


def _deploy(line: str, reader: Reader) -> Deploy:
    try:
        json.loads(line)
    except json.JSONDecodeError as error:
        raise reader.fail(after(line[: error.pos]), f"no JSON: {error.msg}") from error
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
    found = sorted(path for one in globs for path in glob.glob(one, recursive=True))  # noqa: PTH207 - the user's own glob, from where the user is
    if not found:
        raise UsageError(f"--known {pattern}: no file matches")
    return found


def _nodes(path: str, reader: Reader) -> Iterator[yaml.Node]:
    try:
        documents = compose_all(decode(read_bytes(path), reader), reader)
    except PolicyError as error:
        reader.mistakes.extend(error.mistakes)
        return
    except UnreadableError:
        return
    for node in documents:
        yield from node.value if isinstance(node, yaml.SequenceNode) else [node]


def _unless_wrong(found: tuple[T, ...], mistakes: Sequence[Mistake]) -> tuple[T, ...]:
    if mistakes:
        raise PolicyError(tuple(sorted(set(mistakes))))
    return found
