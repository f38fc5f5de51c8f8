"""Which table or view the policy's name means."""

# ruff: noqa: S608 - names are quoted

from gate.backends.postgres.dialect import PostgresDialect
from gate.backends.postgres.refusals import failed, wrong
from gate.backends.postgres.session import PostgresSession
from gate.backends.sql.settings import table_parts
from gate.dataclass import dataclass
from gate.errors import nearest

_QUOTES = PostgresDialect()


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresTable:
    """A table, view, materialised view or foreign table, as the catalog has it."""

    number: int
    """Its ``oid``."""
    relation: str
    """Its quoted name, with its schema."""


def look_up(session: PostgresSession, name: str) -> PostgresTable:
    """Return the table of a name as the policy has it.

    Without quotes SQL makes capitals small; the name is tried as it stands, too, so that
    LiteLLM_SpendLogs needs no quotes.

    Raises:
        MeasurementError: there is none, there are two, or some of its rows are hidden.
    """
    spellings = sorted({table_parts(name), table_parts(name, str.lower)})
    rows = session.query(
        "SELECT c.oid::bigint, n.nspname::text, c.relname::text, row_security_active(c.oid)"
        " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        f" WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND ({' OR '.join(map(_is, spellings))})"
    )
    if not rows:
        raise wrong(f"the database has no table {name}{_near(session, name)}", "unknown-table")
    if len(rows) > 1:
        both = " and ".join(sorted(_QUOTES.identifier(row[2]) for row in rows))
        raise wrong(f"{name} may be {both}; write the one that is meant, with its quotes")
    number, schema, table, filtered = rows[0]
    if filtered:
        raise failed(f"row-level security hides rows of {name} from the user", "row-security")
    relation = f"{_QUOTES.identifier(schema)}.{_QUOTES.identifier(table)}"
    return PostgresTable(number=number, relation=relation)


def _is(parts: tuple[str, ...]) -> str:
    """Write whether a row of the catalog is what the parts name; a catalog's name is left out."""
    *schemas, table = parts
    condition = f"c.relname = {_QUOTES.literal(table)}"
    if schemas:
        return f"({condition} AND n.nspname = {_QUOTES.literal(schemas[-1])})"
    # Of several schemas that are searched this is true in the first that has the name.
    return f"({condition} AND pg_table_is_visible(c.oid))"


def _near(session: PostgresSession, name: str) -> str:
    """Return the table that may be meant, of those that the user may read."""
    rows = session.query(
        "SELECT CASE WHEN pg_table_is_visible(c.oid) THEN '' ELSE quote_ident(n.nspname) || '.' END"
        " || quote_ident(c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition"
        " AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')"
        " AND has_table_privilege(c.oid, 'SELECT') LIMIT 1000"
    )
    near = nearest(name, (row[0] for row in rows))
    return near.removesuffix("?") if near.startswith("; did you mean") else ""
