"""The rows that a preset describes, as a block names them: ``records: litellm-payload``."""

from dataclasses import replace
from functools import cache
from typing import Final

import yaml

from gate.backends.records import FILES, OWN_NAME, RECORDS, Records, preset_names, read_preset
from gate.dataclass import dataclass
from gate.errors import nearest
from gate.parsing.objects import Field, Object, Values
from gate.parsing.reader import Reader, UnreadableError, written
from gate.parsing.schema import Anything, JsonSchema
from gate.parsing.values import TEXT


def _of_backend(values: Values, _: Reader) -> Records | None:
    records: Records | None = values.get("records")
    return records and replace(records, backend=values.get("backend"))


_RECORDS_OF_PRESET: Final[Object[Records | None]] = Object(
    {
        "records": Field(schema=RECORDS, doc="Form of the rows."),
        "backend": Field(schema=TEXT, doc="Backend that counts them.", required=True),
    },
    _of_backend,
    others=Field(schema=Anything(), doc="Read elsewhere."),
)


@cache
def load_records(name: str) -> Records | None:
    """Return the rows of one of `preset_names`, under its name; None: it reads no rows."""
    records = read_preset(name, _RECORDS_OF_PRESET)
    return None if records is None else replace(records, name=name)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordsName:
    """A preset with rows; the list of presets is read only for the schema and for mistakes."""

    files: bool
    """Whether the rows are in files; the presets of all SQL engines are listed together."""

    def read(self, node: yaml.Node, reader: Reader) -> str:
        """Return the name."""
        return TEXT.read(node, reader)

    def schema(self) -> JsonSchema:
        """Return the schema of presets for files, or for tables, or of a policy's own preset."""
        shipped = shipped_records().items()
        names = [n for n, records in shipped if (records.backend == FILES) == self.files]
        return {"anyOf": [{"enum": names}, {"type": "string", "pattern": OWN_NAME}]}


def shipped_records() -> dict[str, Records]:
    """Return the rows of built-in presets, by name, without presets that have none."""
    of_presets = {name: load_records(name) for name in preset_names()}
    return {name: records for name, records in of_presets.items() if records is not None}


def records_of(values: Values, reader: Reader, backend: str) -> Records:
    """Return the rows of the preset in a block's ``records``, under its name.

    Raises:
        UnreadableError: the backend has no such preset.
    """
    name, own = values.get("records"), reader.presets
    records: Records | None
    if name in own:
        if own[name] is None:
            raise UnreadableError  # the mistakes in its file have been noted already
        records = own[name].records and replace(own[name].records, name=name)
    else:
        records = load_records(name) if name in preset_names() else None
    if records is not None and records.backend == backend:
        return records
    others = {name: preset.records for name, preset in own.items() if preset and preset.records}
    names = [n for n, r in (shipped_records() | others).items() if r.backend == backend]
    text = written(values.node("records"))
    reason = f"no preset knows the rows of {text!r}"
    if records is not None:
        reason = f"the preset {text} reads rows for backend.type: {records.backend}"
    raise reader.fail(values.node("records"), f"{reason}{nearest(text, names)}")
