"""What a value in a file must look like. One definition reads, checks and documents it.

Each schema has ``read(node, reader)``, which returns the value or notes the mistake and raises
`UnreadableError`, and ``schema()``, which says the same as JSON Schema (draft 2020-12).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Generic, Protocol, TypeVar

import yaml

from gate.errors import nearest
from gate.parsing.reader import NULL, OUTSIDE, Reader, UnreadableError

JsonSchema = dict[str, Any]


VARIABLE: Final[JsonSchema] = {"type": "string", "pattern": r"\$\{"}
"""The alternative to a value of a type that a ``${NAME}`` does not have."""


T = TypeVar("T")


T_co = TypeVar("T_co", covariant=True)


class ValueSchema(Protocol[T_co]):
    """What a value must look like."""

    def read(self, node: yaml.Node, reader: Reader) -> T_co:
        """Return the value, or note what is wrong and raise `UnreadableError`."""
        ...

    def schema(self) -> JsonSchema:
        """Return the JSON Schema of the value as it stands in the file."""
        ...


@dataclass(frozen=True, slots=True)
class Scalar(Generic[T]):
    """One word, number or text, after ``${NAME}`` has been filled in."""

    parse: Callable[[str], T]
    """Raises ValueError with what was expected."""
    json: JsonSchema
    secret: bool = False
    """The text itself may not stand in the file, only the name of the variable that has it."""
    may_be_empty: bool = False
    silent: bool = False
    """What ``parse`` says is wrong never repeats the text, in which a password may stand."""

    def read(self, node: yaml.Node, reader: Reader) -> T:
        """Return the parsed text."""
        if not isinstance(node, yaml.ScalarNode):
            raise reader.fail(node, f"a single value was expected, not {_kind(node)}")
        if self.secret and not OUTSIDE.fullmatch(node.value):
            message = (
                "a secret does not belong in the file; write only ${NAME} and set NAME outside"
            )
            raise reader.fail(node, message)
        text = reader.expand(node)
        if (not text and not self.may_be_empty) or node.tag == NULL:
            raise reader.fail(node, "the value is empty")
        try:
            return self.parse(text)
        except ValueError as error:
            as_said = self.silent or text == node.value
            message = str(error) if as_said else self._refusal(node.value)
            raise reader.fail(node, message) from error

    def _refusal(self, written: str) -> str:
        """Return what is wrong with a text without what its variables hold: it may be a secret."""
        try:
            self.parse(written)
        except ValueError as error:
            return f"filled in from the environment, {error}"
        return f"filled in from the environment, {written!r} is not what belongs here"

    def schema(self) -> JsonSchema:
        """Return the schema given, in which a variable may stand for any of it."""
        return self.json


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a few words."""

    words: tuple[str, ...]

    def read(self, node: yaml.Node, reader: Reader) -> str:
        """Return the word."""
        return Scalar(self.parse, {}).read(node, reader)

    def parse(self, text: str) -> str:
        """Return the text if it is one of the words; raises ValueError."""
        if text not in self.words:
            raise ValueError(f"{text!r} is not known here{nearest(text, self.words)}")
        return text

    def schema(self) -> JsonSchema:
        """Return an enum, or a variable that has one of its words."""
        return {"anyOf": [{"enum": list(self.words)}, VARIABLE]}


@dataclass(frozen=True, slots=True)
class Anything:
    """A value that is not looked at, or only later."""

    def read(self, node: yaml.Node, _reader: Reader) -> yaml.Node:
        """Return the value as it was composed."""
        return node

    def schema(self) -> JsonSchema:
        """Return a schema that any value fits."""
        return {}


@dataclass(frozen=True, slots=True)
class ListOf(Generic[T]):
    """Several values of one schema."""

    item: ValueSchema[T]
    at_least: int = 0

    def read(self, node: yaml.Node, reader: Reader) -> tuple[T, ...]:
        """Return the values; a mistake in one does not hide those in the others."""
        values, whole = self.readable(node, reader)
        if not whole:
            raise UnreadableError
        return values

    def readable(self, node: yaml.Node, reader: Reader) -> tuple[tuple[T, ...], bool]:
        """Return the values that can be read, and whether these are all."""
        if not isinstance(node, yaml.SequenceNode):
            raise reader.fail(node, f"a list was expected, not {_kind(node)}")
        if len(node.value) < self.at_least:
            raise reader.fail(node, f"the list needs {self.at_least} or more entries")
        values, whole = [], True
        for child in node.value:
            try:
                values.append(self.item.read(child, reader))
            except UnreadableError:
                whole = False
        return tuple(values), whole

    def schema(self) -> JsonSchema:
        """Return an array."""
        return {"type": "array", "items": self.item.schema(), "minItems": self.at_least}


@dataclass(frozen=True, slots=True)
class MapOf(Generic[T]):
    """Names that the user chooses, each with a value of one schema."""

    value: ValueSchema[T]

    def read(self, node: yaml.Node, reader: Reader) -> dict[str, T]:
        """Return the values by name."""
        values, whole = {}, True
        for key, child in pairs(node, reader):
            try:
                values[key.value] = self.value.read(child, reader)
            except UnreadableError:
                whole = False
        if not whole:
            raise UnreadableError
        return values

    def schema(self) -> JsonSchema:
        """Return an object with any names."""
        return {"type": "object", "additionalProperties": self.value.schema()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One key of a block."""

    schema: ValueSchema[Any]
    doc: str
    """For editors."""
    required: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Values:
    """What a block had: the values by key, and where each stood. A key not given is absent."""

    values: Mapping[str, Any]
    nodes: Mapping[str, yaml.Node]
    """Of the values; the block's own under the empty name."""

    def get(self, key: str, default: Any = None) -> Any:
        """Return the value, or the default where the key was not given."""
        return self.values.get(key, default)

    def node(self, key: str = "") -> yaml.Node:
        """Return where the value stands, or the block itself where the key was not given."""
        return self.nodes.get(key, self.nodes[""])

    def given(self, *keys: str) -> tuple[str, ...]:
        """Return those of the keys that the block has."""
        return tuple(key for key in keys if key in self.values)


@dataclass(frozen=True, slots=True)
class Object(Generic[T]):
    """A mapping with known keys. Every other key is a mistake that names the nearest known one."""

    fields: Mapping[str, Field]
    build: Callable[[Values, Reader], T]
    """Makes the value; notes what is wrong between the fields and raises `UnreadableError`."""
    others: Field | None = None
    """The value of keys that the user may choose, where the block allows any."""
    rules: JsonSchema = field(default_factory=dict)
    """What JSON Schema can say beyond the single fields."""
    check: Callable[[Values, Reader], bool] | None = None
    """Notes what is wrong between the fields that could be read, be it all of them or not."""

    def read(self, node: yaml.Node, reader: Reader) -> T:
        """Return what ``build`` makes of the fields."""
        values, nodes, whole = {}, {"": node}, True
        for key, child in pairs(node, reader):
            known = self.fields.get(key.value, self.others)
            if known is None:
                reader.note(key, f"unknown key {key.value!r}{nearest(key.value, self.fields)}")
                whole = False
                continue
            nodes[key.value] = child
            try:
                values[key.value] = known.schema.read(child, reader)
            except UnreadableError:
                whole = False
        for name, known in self.fields.items():
            if known.required and name not in nodes:
                reader.note(node, f"the key {name!r} is missing: {known.doc}")
                whole = False
        given = Values(values=values, nodes=nodes)
        if self.check is not None:
            whole = self.check(given, reader) and whole
        if not whole:
            raise UnreadableError
        return self.build(given, reader)

    def schema(self) -> JsonSchema:
        """Return an object with these properties and no others."""
        properties = {
            name: {"description": known.doc, **known.schema.schema()}
            for name, known in self.fields.items()
        }
        others: JsonSchema | bool = False
        if self.others is not None:
            others = {"description": self.others.doc, **self.others.schema.schema()}
        required = [name for name, known in self.fields.items() if known.required]
        return {
            "type": "object",
            "properties": properties,
            "required": required,
            "additionalProperties": others,
            **self.rules,
        }


@dataclass(frozen=True, slots=True)
class Union(Generic[T]):
    """A single value or a longer form."""

    scalar: ValueSchema[T]
    longer: ValueSchema[T]
    """A block or a list."""

    def read(self, node: yaml.Node, reader: Reader) -> T:
        """Return the value in whichever form it has."""
        form = self.scalar if isinstance(node, yaml.ScalarNode) else self.longer
        return form.read(node, reader)

    def schema(self) -> JsonSchema:
        """Return both."""
        return {"anyOf": [self.scalar.schema(), self.longer.schema()]}


@dataclass(frozen=True, slots=True)
class TaggedUnion(Generic[T]):
    """A block whose other keys depend on one of them."""

    tag: str
    blocks: Mapping[str, Object[T]]
    """By the tag's value; each has the tag among its fields."""

    def read(self, node: yaml.Node, reader: Reader) -> T:
        """Return the value of the block that the tag names."""
        for key, child in pairs(node, reader):
            if key.value == self.tag:
                return self.blocks[Choice(tuple(self.blocks)).read(child, reader)].read(
                    node, reader
                )
        known = ", ".join(self.blocks)
        raise reader.fail(node, f"the key {self.tag!r} is missing; known values: {known}")

    def schema(self) -> JsonSchema:
        """Return one alternative per tag value."""
        alternatives = []
        for name, block in self.blocks.items():
            schema = block.schema()
            doc = block.fields[self.tag].doc
            schema["properties"][self.tag] = {"description": doc, "const": name}
            alternatives.append(schema)
        return {"oneOf": alternatives}


def pairs(node: yaml.Node, reader: Reader) -> list[tuple[yaml.ScalarNode, yaml.Node]]:
    """Return a mapping's keys and values, in order.

    A key that stands twice is noted and read once: YAML libraries keep the last and say nothing.

    Raises:
        UnreadableError: it is no mapping, or a key is not a plain word.
    """
    if not isinstance(node, yaml.MappingNode):
        raise reader.fail(node, f"a block of keys was expected, not {_kind(node)}")
    found: dict[str, tuple[yaml.ScalarNode, yaml.Node]] = {}
    for key, child in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise reader.fail(key, f"a key must be a word, not {_kind(key)}")
        if key.value in found:
            first = found[key.value][0].start_mark.line + 1
            reader.note(key, f"the key {key.value!r} stands twice; first on line {first}")
            continue
        found[key.value] = (key, child)
    return list(found.values())


def _kind(node: yaml.Node) -> str:
    if isinstance(node, yaml.MappingNode):
        return "a block of keys"
    if isinstance(node, yaml.SequenceNode):
        return "a list"
    return "an empty value" if node.tag == NULL else "a single value"
