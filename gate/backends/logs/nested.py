"""A value within a column: ``request.time`` is the field ``time`` of the column ``request``."""

from gate.backends.logs.database import identifier, literal
from gate.backends.logs.inner_numbers import fields_of
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
