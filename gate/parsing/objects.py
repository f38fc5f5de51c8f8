"""Blocks of keys: the known keys, the schema of each, and the value made of them."""

from collections.abc import Callable, Mapping
from dataclasses import field
from typing import Any, Final, Generic

import yaml

from gate.dataclass import dataclass
from gate.errors import nearest
from gate.parsing.reader import Reader, UnreadableError
from gate.parsing.schema import Choice, JsonSchema, T, ValueSchema, pairs

TIMEOUT_ELSEWHERE: Final = "the time limit is an option of the command, not a key"


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One key of a block."""

    schema: ValueSchema[Any]
    doc: str
    """The description for editors."""
    required: bool = False
    example: str = ""
    """A valid value, as YAML on one line: for messages, and for the reference of the file."""
    formerly: str | None = None
    """The former name of the key; using it is a mistake whose message has the new name."""

    def described(self) -> JsonSchema:
        """Return the JSON Schema of the value, with its description."""
        return {"description": self.doc, **self.schema.schema()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Values:
    """The values of a block by key, with the place of each. A missing key is absent."""

    values: Mapping[str, Any]
    nodes: Mapping[str, yaml.Node]
    """The nodes of the values; the block's own has the empty name."""

    def get(self, key: str, default: Any = None) -> Any:
        """Return the value, or the default if the key is missing."""
        return self.values.get(key, default)

    def node(self, key: str = "") -> yaml.Node:
        """Return the node of the value, or of the block itself if the key is missing."""
        return self.nodes.get(key, self.nodes[""])

    def given(self, *keys: str) -> tuple[str, ...]:
        """Return those of these keys that the block has."""
        return tuple(key for key in keys if key in self.values)

    def only(self, *keys: str) -> dict[str, Any]:
        """Return the values of those of these keys that the block has."""
        return {key: self.values[key] for key in self.given(*keys)}


@dataclass(frozen=True, slots=True)
class Object(Generic[T]):
    """A mapping with known keys. Every other key is a mistake that names the nearest one."""

    fields: Mapping[str, Field]
    build: Callable[[Values, Reader], T]
    """Makes the value; notes mistakes between the fields and raises `UnreadableError`."""
    others: Field | None = None
    """The schema of keys that the user may choose, if the block allows such keys."""
    rules: JsonSchema = field(default_factory=dict)
    """Rules in JSON Schema beyond those of the single fields."""
    check: Callable[[Values, Reader], bool] | None = None
    """Notes mistakes between the readable fields, even if some fields are not readable."""
    first: str | None = None
    """A key that is read before all others, wherever it is, since they refer to it."""
    elsewhere: Mapping[str, str] = field(default_factory=dict)
    """Keys that users write here by mistake, and the right place of each."""

    def read(self, node: yaml.Node, reader: Reader) -> T:
        """Return the result of ``build`` for the fields."""
        values, nodes, whole = {}, {"": node}, True
        outer = reader.key, reader.example
        for key, child in self._entries(node, reader):
            entry = self.fields.get(key.value, self.others)
            if entry is None:
                meant = self._meant(key.value)
                nodes = dict.fromkeys(meant, child) | nodes  # do not report it as missing, too
                reader.note(key, f"unknown key {key.value!r}{self._hint(key.value)}")
                whole = False
                continue
            nodes[key.value] = child
            reader.key, reader.example = key.value, entry.example
            try:
                values[key.value] = entry.schema.read(child, reader)
            except UnreadableError:
                whole = False
        reader.key, reader.example = outer
        for name, entry in self.fields.items():
            if entry.required and name not in nodes:
                reader.note(node, _missing(name, entry))
                whole = False
        given = Values(values=values, nodes=nodes)
        if self.check is not None:
            whole = self.check(given, reader) and whole
        if not whole:
            raise UnreadableError
        return self.build(given, reader)

    def _entries(self, node: yaml.Node, reader: Reader) -> list[tuple[yaml.ScalarNode, yaml.Node]]:
        entries = pairs(node, reader)
        if self.first is not None:
            entries.sort(key=lambda entry: entry[0].value != self.first)
        return entries

    def _renamed(self, key: str) -> list[str]:
        """Return the present name of a renamed key, or nothing."""
        return [name for name, entry in self.fields.items() if entry.formerly == key]

    def _meant(self, key: str) -> list[str]:
        """Return the known key that is nearest to an unknown one, or nothing."""
        hint = self._hint(key)
        return self._renamed(key) or [name for name in self.fields if repr(name) in hint]

    def _hint(self, key: str) -> str:
        """Return the nearest key, as the end of a message; empty if none exists."""
        if key == "<<":
            return "; merging blocks is not supported, so write the keys out"
        if key in self.elsewhere:
            return f"; {self.elsewhere[key]}"
        renamed = self._renamed(key)
        return f"; it is called {renamed[0]} now" if renamed else nearest(key, self.fields)

    def schema(self) -> JsonSchema:
        """Return an object with these properties and no others."""
        properties = {name: entry.described() for name, entry in self.fields.items()}
        return {
            "type": "object",
            "properties": properties,
            "required": [name for name, entry in self.fields.items() if entry.required],
            "additionalProperties": self.others is not None and self.others.described(),
            **self.rules,
        }


def _missing(name: str, entry: Field) -> str:
    """Say that a key is missing, and what to add."""
    if not entry.example:
        return f"the key {name!r} is missing: {entry.doc}"
    return f"the key {name!r} is missing; add {name}: {entry.example}"


def build_as(make: Callable[..., T]) -> Callable[[Values, Reader], T]:
    """Return a builder that passes each value to the parameter with the name of its key.

    The parameter of a missing key has its default.
    """
    return lambda values, _reader: make(**values.values)


def as_read(values: Values, _reader: Reader) -> Values:
    """Return the block as it was read: the builder of a block that is evaluated later."""
    return values


@dataclass(frozen=True, slots=True)
class TaggedUnion(Generic[T]):
    """A block whose other keys depend on one of them."""

    tag: str
    blocks: Mapping[str, Object[T]]
    """The blocks by the tag's value; each has the tag among its fields."""

    def read(self, node: yaml.Node, reader: Reader) -> T:
        """Return the value of the block that the tag selects."""
        for key, child in pairs(node, reader):
            if key.value == self.tag:
                return self.blocks[Choice(tuple(self.blocks)).read(child, reader)].read(
                    node, reader
                )
        tags = ", ".join(self.blocks)
        raise reader.fail(node, f"the key {self.tag!r} is missing; its value is one of: {tags}")

    def schema(self) -> JsonSchema:
        """Return one alternative for each value of the tag."""
        alternatives = []
        for name, block in self.blocks.items():
            schema = block.schema()
            doc = block.fields[self.tag].doc
            schema["properties"][self.tag] = {"description": doc, "const": name}
            alternatives.append(schema)
        return {"oneOf": alternatives}
