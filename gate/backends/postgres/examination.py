"""The checks of ``gate doctor`` for a PostgreSQL server, and for the user's rights there."""

# ruff: noqa: S608 - names are quoted

from collections.abc import Iterator
from datetime import timedelta
from time import time
from typing import Final

from gate.backends.postgres.session import PostgresSession
from gate.backends.postgres.tables import PostgresTable
from gate.dataclass import dataclass
from gate.measure.diagnosis import Check, CheckResult, Level
from gate.slo.quantities import format_duration

_LARGEST_DIFFERENCE: Final = 5.0
"""The tolerated difference in seconds between two clocks that are set by NTP."""
_LONGEST_LAG: Final = timedelta(minutes=1)
_SMALL: Final = 256 << 20
"""The size in bytes of a table that is read completely in less than a second."""
_MEGABYTE: Final = 1_000_000
_SECOND: Final = timedelta(seconds=1)
_WRITING: Final = ("INSERT", "UPDATE", "DELETE", "TRUNCATE")
_MIGHTY: Final = (
    *("pg_write_all_data", "pg_write_server_files", "pg_read_server_files"),
    "pg_execute_server_program",
)
"""PostgreSQL's predefined roles with many rights; some are newer than the oldest version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """A table, the column with its time, and its connection."""

    session: PostgresSession
    table: PostgresTable
    timestamp: str
    shown: str
    """The table in reports."""


def examine(examined: Examined) -> Iterator[CheckResult]:
    """Yield the results about server, table and user; short if they need no remedy."""
    yield from _server(examined)
    yield _pruned(examined)
    yield _rights(examined)


def _server(examined: Examined) -> Iterator[CheckResult]:
    before = time()
    ((version, recovering, behind, caught_up, seconds),) = examined.session.query(
        "SELECT current_setting('server_version'), pg_is_in_recovery(),"
        " date_part('epoch', clock_timestamp() - pg_last_xact_replay_timestamp()),"
        " pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn()"
        " AND EXISTS (SELECT FROM pg_stat_wal_receiver WHERE pid IS NOT NULL),"
        " date_part('epoch', clock_timestamp())"
    )
    after = time()
    yield CheckResult(
        check=Check.VERSION, message=f"PostgreSQL {version}", examined="server_version"
    )
    yield _clock(seconds - (before + after) / 2, (after - before) / 2)
    if recovering:
        seconds_behind = 0 if caught_up else behind
        yield _lag(None if seconds_behind is None else timedelta(seconds=seconds_behind))


def _clock(difference: float, doubt: float) -> CheckResult:
    examined = "clock_timestamp()"
    if abs(difference) <= _LARGEST_DIFFERENCE + doubt:
        return CheckResult(check=Check.CLOCK, message="the clocks agree", examined=examined)
    which = "ahead of" if difference > 0 else "behind"
    return CheckResult(
        check=Check.CLOCK,
        level=Level.DOUBT,
        message=f"the server's clock is {abs(difference):.0f} s {which} this machine's",
        remedy="set both clocks by NTP",
        examined=examined,
    )


def _lag(lag: timedelta | None) -> CheckResult:
    """Judge how far a replica is behind; None: it has not replayed anything since its start."""
    examined = "pg_last_xact_replay_timestamp()"
    behind = "an unknown time" if lag is None else format_duration(lag // _SECOND * _SECOND)
    if lag is not None and lag <= _LONGEST_LAG:
        message = f"the server is a replica, {behind} behind its primary"
        return CheckResult(check=Check.FRESHNESS, message=message, examined=examined)
    return CheckResult(
        check=Check.FRESHNESS,
        level=Level.DOUBT,
        message=f"the server is a replica, {behind} behind its primary: rows of that time are"
        " missing, and an SLO with a shorter max_age is stale",
        remedy="see whether the replica still receives and replays changes, or ask the primary",
        examined=examined,
    )


def _pruned(examined: Examined) -> CheckResult:
    number, name = examined.table.number, examined.timestamp.replace("'", "''")
    ((kind, size, methods, partitioned),) = examined.session.query(
        "SELECT c.relkind::text,"
        " (SELECT sum(pg_relation_size(p)) FROM (SELECT c.oid UNION"
        " SELECT relid FROM pg_partition_tree(c.oid)) AS parts (p)),"
        " (SELECT string_agg(DISTINCT m.amname, ', ') FROM pg_index i"
        " JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_am m ON m.oid = x.relam"
        " WHERE i.indrelid = c.oid AND i.indisvalid AND i.indpred IS NULL"
        " AND (i.indkey[0] = a.attnum OR m.amname = 'brin' AND a.attnum = ANY (i.indkey))),"
        " (SELECT a.attnum = p.partattrs[0] FROM pg_partitioned_table p WHERE p.partrelid = c.oid)"
        " FROM pg_class c LEFT JOIN pg_attribute a ON a.attrelid = c.oid"
        f" AND a.attname = '{name}' WHERE c.oid = {number}"
    )
    where = examined.shown
    shown = f"{where} has {(size or 0) / _MEGABYTE:,.1f} MB"
    if kind in {"v", "f"}:
        what = "a view" if kind == "v" else "a foreign table"
        said = f"{where} is {what}: the amount that a count reads is unknown"
    elif partitioned:
        said = f"{shown}, in partitions by {examined.timestamp}"
    elif methods:
        said = f"{shown}, and an index ({methods}) on {examined.timestamp}"
    elif (size or 0) <= _SMALL:
        said = f"{shown}, so that it needs no index"
    else:
        return CheckResult(
            check=Check.PRUNED,
            level=Level.DOUBT,
            message=f"{shown} and no index on {examined.timestamp}: every count reads all of it",
            remedy=f"create one: CREATE INDEX CONCURRENTLY ON {where} USING brin"
            f' ("{examined.timestamp}"), or btree where rows do not arrive in order',
            examined=where,
        )
    return CheckResult(check=Check.PRUNED, message=said, examined=where)


def _rights(examined: Examined) -> CheckResult:
    number = examined.table.number
    writing = ", ".join(f"has_table_privilege(c.oid, '{right}')" for right in _WRITING)
    mighty = ", ".join(f"'{role}'" for role in _MIGHTY)
    ((user, owner, create, database, bypass, attributes, roles, *may),) = examined.session.query(
        "SELECT current_user::text, pg_has_role(c.relowner, 'USAGE'),"
        " has_schema_privilege(c.relnamespace, 'CREATE'),"
        " has_database_privilege(current_database(), 'CREATE'),"
        " r.rolbypassrls AND NOT c.relrowsecurity,"
        " concat_ws(', ', CASE WHEN r.rolsuper THEN 'SUPERUSER' END,"
        " CASE WHEN r.rolcreaterole THEN 'CREATEROLE' END,"
        " CASE WHEN r.rolcreatedb THEN 'CREATEDB' END,"
        " CASE WHEN r.rolreplication THEN 'REPLICATION' END),"
        " (SELECT string_agg(m.rolname, ', ' ORDER BY m.rolname) FROM pg_roles m"
        f" WHERE m.rolname IN ({mighty}) AND NOT r.rolsuper AND pg_has_role(m.oid, 'USAGE')),"
        f" {writing}"
        " FROM pg_class c JOIN pg_roles r ON r.rolname = current_user"
        f" WHERE c.oid = {number}"
    )
    rights = [right for right, granted in zip(_WRITING, may, strict=True) if granted]
    more = [
        attributes,
        "BYPASSRLS" if bypass and "SUPERUSER" not in attributes else "",
        f"member of {roles}" if roles else "",
        f"owner of {examined.shown}" if owner and "SUPERUSER" not in attributes else "",
        f"{', '.join(rights)} on {examined.shown}" if rights else "",
        "CREATE in its schema" if create else "",
        "CREATE in the database" if database else "",
    ]
    if not any(more):
        message = f"{user} may read {examined.shown} and do nothing else with it"
        return CheckResult(check=Check.RIGHTS, message=message, examined=user)
    return CheckResult(
        check=Check.RIGHTS,
        level=Level.DOUBT,
        message=f"{user} may do more than a count needs: {'; '.join(filter(None, more))}",
        remedy=f"let gate log in as a user with nothing but SELECT on {examined.shown}"
        " (and CONNECT, and USAGE of its schema)",
        examined=user,
    )
