"""A value within a column: ``request.time`` is the field ``time`` of the column ``request``."""

from collections.abc import Iterator, Mapping, Sequence

from gate.backends.logs.database import identifier, literal
from gate.backends.logs.source import LogSource
from gate.backends.sql.rows import invalid
from gate.dataclass import dataclass
from gate.errors import nearest_first

_TEXTS = ("JSON", "VARCHAR")


@dataclass(frozen=True, slots=True, kw_only=True)
class ValuePlace:
    """Where a value stands in a row."""

    column: str
    """As the files spell it."""
    sql: str
    kind: str
    """DuckDB's type of the value."""
    inner: bool
    """Whether it is a field of the column, and not the column itself."""


def place_of(source: LogSource, name: str) -> ValuePlace:
    """Return where a column, or a field of one, stands; a column of the whole name comes first.

    Raises:
        MeasurementError: there is no such column, it cannot be used, or it has no such field.
    """
    spelled = {column.lower() for column in source.types}
    first, *path = [name] if name.lower() in spelled else name.split(".")
    column = source.column(first if first.lower() in spelled else name)
    sql, kind = identifier(column), source.types[column]
    if path and kind in _TEXTS:
        steps = "".join(f'."{step}"' for step in path)
        field = f"json_extract_string({sql}, {literal(f'${steps}')})"
        sql, kind, path = f"CASE WHEN json_valid({sql}) THEN {field} END", "VARCHAR", []
    inner = sql != identifier(column)
    for step in path:
        fields = {field.lower(): (field, inside) for field, inside in fields_of(kind).items()}
        if step.lower() not in fields:
            names = ", ".join(nearest_first(step, [field for field, _ in fields.values()]))
            there = f"it has: {names}" if names else f"it is of type {kind}"
            raise invalid(f'"{column}" has no field "{step}" for the timestamp "{name}"; {there}')
        field, kind = fields[step.lower()]
        sql, inner = f"{sql}.{identifier(field)}", True
    return ValuePlace(column=column, sql=sql, kind=kind, inner=inner)


def fields_of(kind: str) -> Mapping[str, str]:
    """Return the fields of a STRUCT and their types; of any other type none."""
    if not (kind.startswith("STRUCT(") and kind.endswith(")")):
        return {}
    return dict(_named(part) for part in _parts(kind.removeprefix("STRUCT(")[:-1]))


def with_kind(kind: str, path: Sequence[str], inner: str) -> str:
    """Return the type of a column with another type in the place of one of its fields."""
    if not path:
        return inner
    fields = {
        name: with_kind(inside, path[1:], inner) if name.lower() == path[0].lower() else inside
        for name, inside in fields_of(kind).items()
    }
    if not fields:
        return kind
    return f"STRUCT({', '.join(f'{identifier(name)} {inside}' for name, inside in fields.items())})"


def doubles_in(kind: str) -> Iterator[tuple[str, ...]]:
    """Yield the paths of the numbers within a column that are read as doubles; not in lists."""
    for name, inside in fields_of(kind).items():
        if inside == "DOUBLE":
            yield (name,)
        yield from ((name, *path) for path in doubles_in(inside))


def _parts(text: str) -> list[str]:
    """Split at the commas that are in no bracket and no quoted name."""
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
