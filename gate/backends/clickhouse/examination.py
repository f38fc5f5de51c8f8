"""The checks of ``gate doctor`` for a ClickHouse server, a table there and the user."""

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

from gate.backends.clickhouse.catalog import TableEngine, TableName
from gate.backends.clickhouse.session import ClickHouseSession
from gate.backends.sql.engine import Row
from gate.measure import MeasurementError
from gate.measure.diagnosis import Check, CheckResult, Level
from gate.slo.quantities import format_duration

_MICROSECOND: Final = timedelta(microseconds=1)
_SECOND: Final = timedelta(seconds=1)
_DIFFERENCE: Final = timedelta(seconds=10)
"""The tolerated difference between two clocks; the answer itself takes some time."""
_GRANT: Final = re.compile(r"GRANT (.+) ON (\S+) TO .*", re.DOTALL)
_ROLE: Final = re.compile(r"GRANT ([^ ]+(?:, [^ ]+)*) TO .*", re.DOTALL)
_COLUMNS: Final = re.compile(r"\([^)]*\)")
_READING: Final = re.compile(r"SELECT|SHOW.*|dictGet|CHECK")
_ROW_POLICY: Final = re.compile(r"row.level (?:security|filter)|row policy", re.IGNORECASE)
"""The name in plans for the filter of a row policy."""
_MOST_SHOWN: Final = 8


def examine(
    table: str,
    name: TableName,
    engine: TableEngine | None,
    session: ClickHouseSession,
    *,
    now: datetime,
    ask: Callable[[str], Sequence[Row]],
) -> tuple[CheckResult, ...]:
    """Return the results for the server, the table's engine and the user.

    Args:
        table: the name in the policy.
        name: the name for statements.
        engine: the engine of the table; None: the user sees no such table.
        session: the server's description of itself and of the user.
        now: this machine's time when the server reported its own.
        ask: runs a statement; raises MeasurementError.
    """
    return (
        CheckResult(check=Check.VERSION, message=f"ClickHouse {session.version}"),
        _clock(session, now),
        _table(engine, table),
        *_rights(session, ask, table),
        *_row_policies(name, ask),
    )


def _clock(session: ClickHouseSession, now: datetime) -> CheckResult:
    difference = session.now * _MICROSECOND - timedelta(seconds=now.timestamp())
    if abs(difference) <= _DIFFERENCE:
        return CheckResult(check=Check.CLOCK)
    side = "ahead of" if difference > timedelta() else "behind"
    shown = format_duration(abs(difference) // _SECOND * _SECOND)
    return CheckResult(
        check=Check.CLOCK,
        level=Level.DOUBT,
        message=f"the server's clock is {shown} {side} this machine's",
        remedy="set both clocks by NTP",
        examined="now64()",
    )


def _table(engine: TableEngine | None, table: str) -> CheckResult:
    """Say how the table stores its rows, and the effect on counting them."""
    name = f"{table} (engine {engine.name})" if engine is not None else table
    message, remedy = f"the tables behind {name} are read with the setting final=1", ""
    if engine is not None and engine.added_up:
        message = f"{name} adds rows up: one row may represent many requests"
        remedy = "count the table that the service writes its requests to"
    elif engine is not None and engine.name == "Buffer":
        message = f"{name} loses rows that are not yet flushed when a server stops"
        remedy = "count the table behind it"
    elif engine is not None and engine.merged:
        message = f"{name} is read with FINAL: each row counts once, in its newest version"
    elif engine is not None and engine.plain:
        message = f"{name} has each row once"
    return CheckResult(
        check=Check.TABLE,
        level=Level.DOUBT if remedy else Level.OK,
        message=message,
        remedy=remedy,
        examined="system.tables",
    )


def _rights(
    session: ClickHouseSession, ask: Callable[[str], Sequence[Row]], table: str
) -> Iterator[CheckResult]:
    """Say which rights the user has beside reading the table."""
    examined = "SHOW GRANTS"
    readonly = session.values["readonly"] in {"1", "2"}
    try:
        grants = [row[0] for row in ask(examined)]
    except MeasurementError as refusal:
        yield CheckResult(
            check=Check.RIGHTS,
            level=Level.DOUBT,
            message=f"the rights cannot be listed: {refusal.reason}",
            remedy="let somebody who may run SHOW GRANTS FOR this user",
            examined=examined,
        )
        return
    more = sorted(_more(grants, readonly))
    if more:
        shown = ", ".join(more[:_MOST_SHOWN])
        rest = f" and {len(more) - _MOST_SHOWN} more" if len(more) > _MOST_SHOWN else ""
        yield CheckResult(
            check=Check.RIGHTS,
            level=Level.DOUBT,
            message=f"this user may do more than counting needs: {shown}{rest}",
            remedy=f"use a user who has only SELECT on {table}, with readonly=2 in its profile",
            examined=examined,
        )
    else:
        way = f"readonly={session.values['readonly']}" if readonly else "by its grants"
        yield CheckResult(
            check=Check.RIGHTS, message=f"the user may only read ({way})", examined=examined
        )
    if session.readonly:
        yield CheckResult(
            check=Check.RIGHTS,
            level=Level.DOUBT,
            message="readonly=1 lets the gate set no time limit on the server",
            remedy="set readonly=2 in the profile of this user, or max_execution_time",
            examined="system.settings",
        )


def _row_policies(name: TableName, ask: Callable[[str], Sequence[Row]]) -> Iterator[CheckResult]:
    """Say whether this user sees only some rows."""
    try:
        seen = ", ".join(row[0] for row in ask(name.policies_question))
    except MeasurementError:
        try:
            plan = [row[0] for row in ask(name.plan_question)]
        except MeasurementError:
            return  # counting reports this itself
        seen = next((line.strip() for line in plan if _ROW_POLICY.search(line)), "")
    if seen:
        yield CheckResult(
            check=Check.TABLE,
            level=Level.DOUBT,
            message=f"a row policy of ClickHouse may hide rows from this user: {seen}",
            remedy="let the policy show this user all rows, or write the same as where",
            examined="system.row_policies",
        )


def _more(grants: list[str], readonly: bool) -> Iterator[str]:
    """Yield the rights beside reading one table; under readonly, nothing can be written."""
    for grant in grants:
        if match := _GRANT.fullmatch(grant):
            rights, place = _COLUMNS.sub("", match[1]).split(", "), match[2]
            writing = [right for right in rights if not _READING.fullmatch(right)]
            if writing and not readonly:
                yield from (f"{right} on {place}" for right in writing)
            if place == "*.*" and "SELECT" in rights:
                yield "SELECT on all databases"
        elif match := _ROLE.fullmatch(grant):
            yield f"all that the role {match[1]} may"
