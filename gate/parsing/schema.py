"""The schema of a value in a file. One definition reads, checks and documents it.

Each schema has ``read(node, reader)``, which returns the value or notes the mistake and raises
`UnreadableError`, and ``schema()``, which returns the equivalent JSON Schema (draft 2020-12).
"""

from collections.abc import Callable, Iterable
from typing import Any, Final, Generic, Protocol, TypeVar

import yaml

from gate.dataclass import dataclass
from gate.errors import nearest
from gate.parsing.nodes import NULL, kind_of, merged
from gate.parsing.reader import Reader, UnreadableError, has_variable
from gate.parsing.variables import OUTSIDE, filled_in, literal_text, secret_in_file

JsonSchema = dict[str, Any]
FILLED_IN: Final = "${NAME} takes an environment variable here."
T = TypeVar("T")
Word = TypeVar("Word", bound=str)
T_co = TypeVar("T_co", covariant=True)


class ValueSchema(Protocol[T_co]):
    """The form that a value must have."""

    def read(self, node: yaml.Node, reader: Reader) -> T_co:
        """Return the value, or note the mistake and raise `UnreadableError`."""
        ...

    def schema(self) -> JsonSchema:
        """Return the JSON Schema of the value in the file."""
        ...


@dataclass(frozen=True, slots=True)
class Scalar(Generic[T]):
    """One word, number or text."""

    parse: Callable[[str], T]
    """Raises ValueError with the expected form."""
    json: JsonSchema
    variables: bool = False
    """Whether ``${NAME}`` is filled in from the environment: for a setting of a backend's
    connection. It may be a secret, so no message shows the result."""
    secret: bool = False
    """Whether the text itself is not allowed in the file, only the name of its variable."""
    may_be_empty: bool = False
    silent: bool = False
    """Whether the messages of ``parse`` never repeat the text, which may have a password."""

    def read(self, node: yaml.Node, reader: Reader) -> T:
        """Return the parsed text."""
        if not isinstance(node, yaml.ScalarNode):
            raise reader.fail(node, f"expected a single value, not {kind_of(node)}{reader.form()}")
        if self.secret and not OUTSIDE.fullmatch(node.value):
            raise reader.fail(node, secret_in_file(node.value))
        text = filled_in(node, reader) if self.variables else literal_text(node, reader)
        if (not text and not self.may_be_empty) or node.tag == NULL:
            raise reader.fail(node, f"the value is empty{reader.form()}")
        try:
            return self.parse(text)
        except ValueError as error:
            if self.silent or not (self.variables and has_variable(node.value)):
                raise reader.refuse(node, error) from error
            message = "the value of the environment variable is not valid here"
            raise reader.fail(node, f"{message}{reader.form()}") from error

    def schema(self) -> JsonSchema:
        """Return the schema, with a note if variables are allowed."""
        return self.json | ({"$comment": FILLED_IN} if self.variables else {})


@dataclass(frozen=True, slots=True)
class Choice(Generic[Word]):
    """One of a few words, or a member of an enumeration of words."""

    words: tuple[Word, ...]

    def read(self, node: yaml.Node, reader: Reader) -> Word:
        """Return the word."""
        return Scalar(self.parse, {}).read(node, reader)

    def parse(self, text: str) -> Word:
        """Return the word in the text; raises ValueError."""
        for word in self.words:
            if word == text:
                return word
        raise ValueError(f"{text!r} is not a valid value{_choices(text, self.words)}")

    def schema(self) -> JsonSchema:
        """Return an enum."""
        return {"enum": list(self.words)}


@dataclass(frozen=True, slots=True)
class Anything:
    """A value that is not checked, or only later."""

    def read(self, node: yaml.Node, _reader: Reader) -> yaml.Node:
        """Return the value as it was composed."""
        return node

    def schema(self) -> JsonSchema:
        """Return a schema that every value matches."""
        return {}


@dataclass(frozen=True, slots=True)
class ListOf(Generic[T]):
    """Several values of one schema."""

    item: ValueSchema[T]
    at_least: int = 0

    def read(self, node: yaml.Node, reader: Reader) -> tuple[T, ...]:
        """Return the values; a mistake in one does not hide mistakes in others."""
        values, whole = self.readable(node, reader)
        if not whole:
            raise UnreadableError
        return values

    def readable(self, node: yaml.Node, reader: Reader) -> tuple[tuple[T, ...], bool]:
        """Return the readable values, and whether all are readable."""
        if not isinstance(node, yaml.SequenceNode):
            form = self._form(node, reader)
            raise reader.fail(node, f"expected a list, not {kind_of(node)}{form}")
        if len(node.value) < self.at_least:
            raise reader.fail(node, f"the list needs at least {self.at_least} entry{reader.form()}")
        values, whole = [], True
        for child in node.value:
            try:
                values.append(self.item.read(child, reader))
            except UnreadableError:
                whole = False
        return tuple(values), whole

    def _form(self, node: yaml.Node, reader: Reader) -> str:
        """Return the form of the list, with the present value if it could be an item.

        If it may contain a variable, its text is not repeated.
        """
        is_item = isinstance(self.item, Scalar | Choice) and isinstance(node, yaml.ScalarNode)
        if not is_item or not node.value or has_variable(node.value):
            return reader.form()
        quoted = f'"{node.value}"' if node.value[0] in "@*&!%`" else node.value
        return reader.form(f"[{quoted}]")

    def schema(self) -> JsonSchema:
        """Return an array."""
        return {"type": "array", "items": self.item.schema(), "minItems": self.at_least}


@dataclass(frozen=True, slots=True)
class SetOf(Generic[T]):
    """Several values of one schema, in any order."""

    item: ValueSchema[T]

    def read(self, node: yaml.Node, reader: Reader) -> frozenset[T]:
        """Return the values; a mistake in one does not hide mistakes in others."""
        return frozenset(ListOf(self.item).read(node, reader))

    def schema(self) -> JsonSchema:
        """Return an array."""
        return ListOf(self.item).schema()


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


@dataclass(frozen=True, slots=True)
class Union(Generic[T]):
    """A scalar or a longer form."""

    scalar: ValueSchema[T]
    longer: ValueSchema[T]
    """A block or a list."""

    def read(self, node: yaml.Node, reader: Reader) -> T:
        """Return the value in either form."""
        form = self.scalar if isinstance(node, yaml.ScalarNode) else self.longer
        return form.read(node, reader)

    def schema(self) -> JsonSchema:
        """Return the schema of both forms."""
        return {"anyOf": [self.scalar.schema(), self.longer.schema()]}


def pairs(node: yaml.Node, reader: Reader) -> list[tuple[yaml.ScalarNode, yaml.Node]]:
    """Return a mapping's keys and values, in order.

    A duplicate key is noted, and its first value counts: YAML libraries silently use the last. If
    the reader merges, a key from ``<<`` counts unless the block has the key itself.

    Raises:
        UnreadableError: it is not a mapping, or a key is not a plain word.
    """
    if not isinstance(node, yaml.MappingNode):
        advice = reader.form() or "; write lines of the form key: value"
        raise reader.fail(node, f"expected a block of keys, not {kind_of(node)}{advice}")
    entries: dict[str, tuple[yaml.ScalarNode, yaml.Node]] = {}
    given, others = merged(node) if reader.merging else (node.value, ())
    for other in others:
        reader.note(other, f"<< takes a block of keys or a list of them, not {kind_of(other)}")
    for key, child in given:
        if not isinstance(key, yaml.ScalarNode):
            message = f"a key must be a word, not {kind_of(key)}; put text with braces in quotes"
            raise reader.fail(key, message)
        try:
            literal_text(key, reader, key=True)
        except UnreadableError:
            continue  # the key's text is not repeated, unlike that of an unknown key
        if key.value in entries:
            first = reader.above + entries[key.value][0].start_mark.line + 1
            reader.note(key, f"duplicate key {key.value!r}; the first one is on line {first}")
            continue
        entries[key.value] = (key, child)
    return list(entries.values())


def _choices(text: str, words: Iterable[str]) -> str:
    """Return the nearest word, or all words, as the end of a message."""
    hint = nearest(text, words)
    if "did you mean" in hint:
        return hint
    *others, last = sorted(str(word) for word in words)
    return f"; write {', '.join(others)} or {last}" if others else f"; write {last}"
