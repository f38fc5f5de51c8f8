"""The table or view that the policy's name refers to."""

# ruff: noqa: S608 - names are quoted

import re
from typing import Final

from gate.backends.postgres.dialect import PostgresDialect
from gate.backends.postgres.refusals import failed, wrong
from gate.backends.postgres.session import PostgresSession
from gate.backends.sql.settings import table_parts
from gate.dataclass import dataclass
from gate.errors import nearest
from gate.measure.remedies import hint_for

_QUOTES = PostgresDialect()
_OWN_CALLS: Final = frozenset(
    {"count", "sum", "min", "max", "date_part", "isfinite", "floor", "timezone"}
)
"""The functions that the gate's own statements call, ..."""
_OWN_SIGNS: Final = frozenset({"=", "<>", "<", "<=", ">", ">=", "+", "-", "*", "/", "%"})
"""... and their operators."""
_WORD: Final = re.compile(r"\w+")
_FOREIGN_TYPES: Final = "t.oid IN ({}) AND t.typnamespace <> 'pg_catalog'::regnamespace"
_OF_AN_EXTENSION: Final = (
    "SELECT FROM pg_depend d WHERE d.classid = '{}'::regclass AND d.objid = c.oid"
    " AND d.deptype = 'e'"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresTable:
    """A table, view, materialised view or foreign table in the catalog."""

    number: int
    """Its ``oid``."""
    relation: str
    """Its quoted name, with its schema."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shadows:
    """Objects that PostgreSQL may use in place of its own functions and operators.

    Among several with the same name, it uses the one with the best match for the arguments, and the
    first in the search path only for equal matches:
    https://www.postgresql.org/docs/current/typeconv-func.html
    """

    calls: dict[str, str]
    """Functions by name, with their names in messages."""
    signs: dict[str, str]
    """Operators by name, with their names in messages."""

    def own(self) -> str | None:
        """Name those that the gate's own statements may call; None: none."""
        calls = [shown for name, shown in self.calls.items() if name in _OWN_CALLS]
        return _said(calls + [shown for name, shown in self.signs.items() if name in _OWN_SIGNS])

    def within(self, expression: str) -> str | None:
        """Name those that an expression may call; None: none."""
        words = set(_WORD.findall(expression.lower()))
        # LIKE and ILIKE are other spellings of these operators.
        signs = f"{expression} ~~ !~~ ~~* !~~*" if words & {"like", "ilike"} else expression
        calls = [shown for name, shown in self.calls.items() if name in words]
        return _said(calls + [shown for name, shown in self.signs.items() if name in signs])


def _said(shown: list[str]) -> str | None:
    if not shown:
        return None
    return f"the database has {shown[0]}, which PostgreSQL may call in place of its own" + hint_for(
        "shadowed-name"
    )


def shadows(session: PostgresSession) -> Shadows:
    """Find functions and operators in the user's schemas with the names of PostgreSQL's.

    Those for types of their own, and those of extensions such as citext, do not matter.
    """
    mine = "n.nspname = ANY (current_schemas(false)) AND n.nspname <> 'pg_catalog'"
    rows = session.query(
        "SELECT true, c.proname::text, format('%I.%I(%s)', n.nspname, c.proname,"
        " pg_get_function_identity_arguments(c.oid))"
        " FROM pg_proc c JOIN pg_namespace n ON n.oid = c.pronamespace"
        f" WHERE {mine}"
        f" AND {_is_shadow('pg_proc', 'proname', 'pronamespace', 'SELECT unnest(c.proargtypes)')}"
        " UNION ALL SELECT false, c.oprname::text, format('%I.%s(%s, %s)', n.nspname, c.oprname,"
        " format_type(c.oprleft, NULL), format_type(c.oprright, NULL))"
        " FROM pg_operator c JOIN pg_namespace n ON n.oid = c.oprnamespace"
        f" WHERE {mine}"
        f" AND {_is_shadow('pg_operator', 'oprname', 'oprnamespace', 'c.oprleft, c.oprright')}"
    )
    return Shadows(
        calls={name: shown for called, name, shown in rows if called},
        signs={name: shown for called, name, shown in rows if not called},
    )


def _is_shadow(catalog: str, name: str, schema: str, types: str) -> str:
    """Write the test whether a catalog row takes PostgreSQL's types, and has one of its names."""
    return (
        f"EXISTS (SELECT FROM {catalog} b WHERE b.{name} = c.{name}"
        f" AND b.{schema} = 'pg_catalog'::regnamespace)"
        f" AND NOT EXISTS (SELECT FROM pg_type t WHERE {_FOREIGN_TYPES.format(types)})"
        f" AND NOT EXISTS ({_OF_AN_EXTENSION.format(catalog)})"
    )


def look_up(session: PostgresSession, name: str) -> PostgresTable:
    """Return the table for a name in the policy.

    Without quotes, SQL changes names to lower case; the name is also tried as it is written, so
    that LiteLLM_SpendLogs needs no quotes.

    Raises:
        MeasurementError: no table has the name, two tables have it, or some of its rows are hidden.
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
    """Write the test whether a catalog row matches the parts of a name, except a catalog's name."""
    *schemas, table = parts
    condition = f"c.relname = {_QUOTES.literal(table)}"
    if schemas:
        return f"({condition} AND n.nspname = {_QUOTES.literal(schemas[-1])})"
    # Among several searched schemas this is true for the first one with the name.
    return f"({condition} AND pg_table_is_visible(c.oid))"


def _near(session: PostgresSession, name: str) -> str:
    """Return a similar table among those that the user may read."""
    rows = session.query(
        "SELECT CASE WHEN pg_table_is_visible(c.oid) THEN '' ELSE quote_ident(n.nspname) || '.' END"
        " || quote_ident(c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition"
        " AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')"
        " AND has_table_privilege(c.oid, 'SELECT') LIMIT 1000"
    )
    near = nearest(name, (row[0] for row in rows))
    return near.removesuffix("?") if near.startswith("; did you mean") else ""
