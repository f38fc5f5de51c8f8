"""The settings of request logs, and the policy's ``backend`` block for them."""

from dataclasses import replace
from pathlib import Path
from typing import ClassVar, Final

from gate.backends.preset_records import RecordsName, records_of
from gate.backends.records import TIME_FORMAT, Records, carries_zone
from gate.dataclass import dataclass
from gate.parsing.objects import Field, Object, Values
from gate.parsing.reader import Reader, shown
from gate.parsing.schema import Choice, MapOf
from gate.parsing.values import CONNECTION, LOG_FORMAT, TEXT, ZONE


@dataclass(frozen=True, slots=True, kw_only=True)
class LogsSettings:
    """Request logs in files."""

    kind: ClassVar[str] = "logs"

    path: str
    """A file or a glob, relative to the policy file's folder, or the URL of objects in a store. Its
    partitions are those of `gate.backends.logs.partitions`."""
    directory: Path
    """The folder of the policy file."""
    records: Records
    written: str | None = None
    """The path with its variables, which messages show instead; None: it has no variables."""


def _build_settings(values: Values, reader: Reader) -> LogsSettings:
    given = values.only("timestamp", "time_zone", "time_format", "format")
    if len(values.given("timestamp", "records")) != 1:
        message = (
            "either timestamp is given, the column of the time, or records: the preset that knows"
            " the rows"
        )
        raise reader.fail(values.node(), message)
    if values.given("records"):
        records = replace(records_of(values, reader, LogsSettings.kind), **given)
    else:
        records = Records(**given)
    only_failures: dict[str, str] = values.get("optional", {})
    if only_failures:
        columns = {**records.columns, **only_failures}
        records = replace(records, columns=columns, optional=records.optional | set(only_failures))
    if records.time_format and not records.time_zone and not carries_zone(records.time_format):
        message = "the format has no zone; add time_zone, or %z to the format"
        raise reader.fail(values.node("time_format"), message)
    path, as_written = values.get("path"), shown(values.node("path"))
    return LogsSettings(
        path=path,
        directory=reader.directory,
        records=records,
        written=None if as_written == path else as_written,
    )


BLOCK: Final = Object(
    {
        "path": Field(
            schema=CONNECTION,
            doc="File or glob of the logs, from this file's folder or in s3://, gs://, abfss://.",
            required=True,
            example="logs/*.jsonl",
        ),
        "records": Field(
            schema=RecordsName(files=True),
            doc="Preset that describes the rows, such as litellm-payload.",
            example="litellm-payload",
        ),
        "timestamp": Field(
            schema=TEXT,
            doc="Without records: column of the time, or a field within one (request.time).",
            example="timestamp",
        ),
        "time_zone": Field(
            schema=ZONE, doc="Time zone of timestamps that have none.", example="UTC"
        ),
        "time_format": Field(
            schema=TIME_FORMAT,
            doc="How the time is written, as for strptime, or a name such as unix-ms.",
        ),
        "format": Field(
            schema=LOG_FORMAT,
            doc="Format of the files. Default: taken from the file's name.",
            example="jsonl",
        ),
        "optional": Field(
            schema=MapOf(Choice(("VARCHAR", "DOUBLE", "BIGINT", "BOOLEAN", "JSON"))),
            doc="Columns that a file may lack, with their types; they are NULL there.",
            example="{error: VARCHAR}",
        ),
    },
    _build_settings,
    rules={"oneOf": [{"required": ["records"]}, {"required": ["timestamp"]}]},
)
"""The keys of ``backend`` in a policy file."""
