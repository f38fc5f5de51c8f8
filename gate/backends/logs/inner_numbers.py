"""Types of values within columns, and the numbers there: ``usage.tokens``, or those of a list."""

from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from typing import Final

from gate.backends.logs.database import identifier, literal
from gate.dataclass import dataclass

_LIST: Final = "[]"
_MAP: Final = "MAP(VARCHAR, "


class Every(Enum):
    """A step to all values of a column at once, in the notation of JSON paths."""

    ITEM = "[*]"
    """The items of a list."""
    VALUE = ".*"
    """The values of a map."""


PathStep = str | Every
"""A step to a field by its name, or to every value."""


@dataclass(frozen=True, slots=True)
class InnerNumber:
    """A number within a column, or all numbers at one position of it."""

    column: str
    path: tuple[PathStep, ...]

    @property
    def name(self) -> str:
        """The name that identifies it."""
        return identifier(self.column) + self._written

    @property
    def _written(self) -> str:
        steps = (s.value if isinstance(s, Every) else f".{identifier(s)}" for s in self.path)
        return "".join(steps)

    def some(self, test: Callable[[str], str]) -> str:
        """Return SQL for whether a test is true for any of the numbers in the column's value."""
        return _some(identifier(self.column), self.path, test)

    def all_texts(self, test: Callable[[str], str]) -> str:
        """Return SQL for whether a test is true for all numbers, as they are written.

        The column is read as text. NULL: the column has no numbers.
        """
        texts = f"json_extract_string({identifier(self.column)}, {literal('$' + self._written)})"
        if not any(isinstance(step, Every) for step in self.path):
            return test(texts)
        return f"list_bool_and(list_transform({texts}, lambda x: {test('x')}))"


def _some(value: str, path: tuple[PathStep, ...], test: Callable[[str], str]) -> str:
    """Return SQL for whether a test is true for any value at this path."""
    for place, step in enumerate(path):
        if isinstance(step, Every):
            items = value if step is Every.ITEM else f"map_values({value})"
            item = f"x{len(path) - place}"  # each lambda has a name of its own
            inner = _some(item, path[place + 1 :], test)
            return f"list_bool_or(list_transform({items}, lambda {item}: {inner}))"
        value = f"{value}.{identifier(step)}"
    return test(value)


def doubles_in(kind: str) -> Iterator[tuple[PathStep, ...]]:
    """Yield the paths of the numbers within a column that are read as doubles."""
    for step, inside in _inside(kind).items():
        if inside == "DOUBLE":
            yield (step,)
        yield from ((step, *path) for path in doubles_in(inside))


def with_kind(kind: str, path: tuple[PathStep, ...], inner: str) -> str:
    """Return the type of a column with another type at a position within it."""
    if not path:
        return inner
    first, *rest = path
    inside = {
        step: with_kind(within, tuple(rest), inner) if _same(step, first) else within
        for step, within in _inside(kind).items()
    }
    match [*inside.items()]:
        case []:
            return kind
        case [(Every.ITEM, within)]:
            return within + _LIST
        case [(Every.VALUE, within)]:
            return f"{_MAP}{within})"
        case fields:
            return f"STRUCT({', '.join(f'{identifier(str(s))} {k}' for s, k in fields)})"


def _same(step: PathStep, other: PathStep) -> bool:
    if isinstance(step, str) and isinstance(other, str):
        return step.lower() == other.lower()
    return step is other


def fields_of(kind: str) -> Mapping[str, str]:
    """Return the fields of a STRUCT and their types; empty for any other type."""
    if not (kind.startswith("STRUCT(") and kind.endswith(")")):
        return {}
    return dict(_named(part) for part in _parts(kind.removeprefix("STRUCT(")[:-1]))


def _inside(kind: str) -> Mapping[PathStep, str]:
    """Return the inner types of a type; a number or a text has none."""
    if kind.endswith(_LIST):
        return {Every.ITEM: kind.removesuffix(_LIST)}
    if kind.startswith(_MAP) and kind.endswith(")"):
        return {Every.VALUE: kind.removeprefix(_MAP)[:-1]}
    return dict[PathStep, str](fields_of(kind).items())


def _parts(text: str) -> list[str]:
    """Split at the commas outside of brackets and quoted names."""
    parts, depth, quoted = [""], 0, False
    for letter in text:
        quoted ^= letter == '"'
        depth += 0 if quoted else (letter == "(") - (letter == ")")
        if letter == "," and not depth and not quoted:
            parts.append("")
        else:
            parts[-1] += letter
    return [part.strip() for part in parts]


def _named(part: str) -> tuple[str, str]:
    if not part.startswith('"'):
        name, _, kind = part.partition(" ")
        return name, kind
    end = 1
    while part[end] != '"' or part[end : end + 2] == '""':
        end += 2 if part[end] == '"' else 1
    return part[1:end].replace('""', '"'), part[end + 1 :].strip()
