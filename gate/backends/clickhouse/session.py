"""The settings of a server and of a user's profile, checked for complete answers."""

# ruff: noqa: S608 - made of names only

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from gate.backends.clickhouse.catalog import TableName
from gate.backends.clickhouse.replies import ClickHouseReply
from gate.backends.clickhouse.server_settings import (
    BEHIND,
    EXACT_INDEXES,
    FILTERS,
    HARMLESS,
    INDEXES,
    LOWER_BOUNDS,
    NEEDED,
    NEWER,
    OLDEST,
    UPPER_BOUNDS,
)
from gate.dataclass import dataclass
from gate.measure import Cause, MeasurementError
from gate.measure.remedies import hint_for

_LIMIT: Final = re.compile(r"\bLIMIT\b", re.IGNORECASE)
_READ_ONLY: Final = "1"
_TRUTHS: Final = {"true": "1", "false": "0"}


def question(table: TableName) -> str:
    """Return the statement for `session_of`.

    Its answer has one row, which no limit cuts, with all facts that a run needs before it counts.
    """
    names = [*NEEDED, *FILTERS, *UPPER_BOUNDS, *LOWER_BOUNDS]
    names += [INDEXES, EXACT_INDEXES, "readonly"]
    chosen = ", ".join(f"'{name}'" for name in names)
    return (
        "SELECT version(), currentUser(), toInt64(toUnixTimestamp64Micro(now64(6))),"
        " (SELECT groupArray((name, value, readonly)) FROM system.settings"
        f" WHERE name IN ({chosen})),"
        f" (SELECT any(engine) FROM ({table.engine_question})),"
        f" (SELECT groupArray((name, type, default_kind)) FROM ({table.columns_question}))"
    )


def version_of(text: str) -> tuple[int, ...]:
    """Return the numbers of a version; empty: it has none."""
    numbers = text.split(".")[:2]
    return tuple(map(int, numbers)) if all(map(str.isdecimal, numbers)) else ()


def check_version(text: str) -> None:
    """Raise MeasurementError if a version is too old."""
    if version_of(text) < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        raise MeasurementError(
            Cause.BACKEND_ERROR,
            f"ClickHouse {text[:40]} is too old: it does not have all settings that keep an answer"
            f" whole, and {oldest} has them{hint_for('clickhouse-version')}",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ClickHouseSession:
    """A server's description of itself and of the user."""

    version: str
    user: str
    now: int
    """The server's clock, in microseconds since 1970."""
    values: Mapping[str, str]
    """The value of each of its settings."""
    fixed: frozenset[str]
    """Settings that this user may not change."""
    engine: str
    """The engine of the table; empty: the user sees no such table."""
    columns: Sequence[Sequence[str]]
    """Name, type and kind of default of the table's columns that this user may read."""

    @property
    def readonly(self) -> bool:
        """Whether the user may not change any setting."""
        return self.values.get("readonly") == _READ_ONLY

    @property
    def filters(self) -> list[str]:
        """The settings of the profile that leave out rows."""
        return [name for name, none in FILTERS.items() if self.values.get(name, none) != none]

    def parameters(self, *, seconds: float, max_bytes: int | None, behind: bool) -> dict[str, str]:
        """Return the settings to send with a statement.

        Args:
            seconds: the time limit of the statement.
            max_bytes: the maximum number of bytes that it may read; None: unlimited.
            behind: whether it reads a view, or tables of other servers.

        Raises:
            MeasurementError: the profile has another value than needed, and forbids the change.
        """
        if self.filters:
            names = " and ".join(self.filters)
            raise MeasurementError(
                Cause.PARTIAL,
                f"the profile of this user leaves rows out: it sets {names}"
                + hint_for("clickhouse-filters"),
            )
        wanted = {name: NEEDED[name] for name in NEEDED if name in self.values}
        if INDEXES in self.values and self.values.get(EXACT_INDEXES) != "1":
            wanted[INDEXES] = "0"
        wanted |= self._bounds(seconds, max_bytes)
        sent = {name: value for name, value in wanted.items() if self.may_set(name)}
        wrong = [
            name
            for name, value in wanted.items()
            if name not in sent and self.values[name] != value and self._matters(name, behind)
        ]
        if wrong:
            raise MeasurementError(Cause.PARTIAL, self._refusal(wrong, wanted))
        return sent

    def check(self, reply: ClickHouseReply, statement: str) -> None:
        """Check an answer for effects of a profile that cannot be changed.

        Raises:
            MeasurementError: rows may be missing, or NaN may have been written as NULL.
        """
        # The server does not report the limits themselves: it treats each as a LIMIT of the
        # statement, and resets it.
        if reply.limited and not self.may_set("limit") and not _LIMIT.search(statement):
            raise MeasurementError(
                Cause.PARTIAL,
                "the profile of this user limits the number of rows of an answer"
                + hint_for("clickhouse-filters"),
            )
        name = "output_format_json_quote_denormals"
        if not self.may_set(name) and self.values[name] != NEEDED[name] and reply.unclear:
            raise MeasurementError(
                Cause.INVALID,
                "a floating-point number is NULL or NaN, and the profile of this user does not let"
                f" the server say which: {name} must be 1{hint_for('clickhouse-readonly')}",
            )

    def _bounds(self, seconds: float, max_bytes: int | None) -> dict[str, str]:
        """Return limits that are stricter than the profile's, and one that must be large enough."""
        limits = {"max_execution_time": max(int(seconds), 1), "max_bytes_to_read": max_bytes}
        wanted = {}
        for name, limit in limits.items():
            own = float(self.values.get(name, "0") or 0)
            if limit is not None and not 0 < own <= limit:
                wanted[name] = str(limit)
        for name, least in LOWER_BOUNDS.items():
            if int(self.values.get(name, "0") or 0) < least:
                wanted[name] = str(least)
        return wanted

    def may_set(self, name: str) -> bool:
        """Return whether this user may change a setting."""
        return not self.readonly and name not in self.fixed

    def _matters(self, name: str, behind: bool) -> bool:
        """Return whether a setting with another value than needed may change an answer."""
        return name not in HARMLESS and (behind or name not in BEHIND)

    def _refusal(self, wrong: list[str], wanted: Mapping[str, str]) -> str:
        parts = [
            f"{name} is {self.values[name] or 'empty'} and must be {wanted[name]}" for name in wrong
        ]
        why = "readonly=1 forbids" if self.readonly else "its constraints forbid"
        return (
            f"an answer to this user may not be whole, and {why} to change that: "
            + "; ".join(parts)
            + hint_for("clickhouse-readonly")
        )


def session_of(row: tuple[Any, ...]) -> ClickHouseSession:
    """Return the server's description of itself.

    Raises:
        MeasurementError: it is too old, or it does not report all of its settings.
    """
    version, user, now, settings, engine, columns = row
    check_version(version)
    values = {name: _TRUTHS.get(value, value) for name, value, _ in settings}
    missing = sorted({*NEEDED, *FILTERS, "readonly"} - NEWER - values.keys())
    if missing:
        raise MeasurementError(
            Cause.PARTIAL,
            f"the server does not say how these settings are: {', '.join(missing)}"
            + hint_for("clickhouse-version"),
        )
    fixed = frozenset(name for name, _, readonly in settings if readonly)
    return ClickHouseSession(
        version=version,
        user=user,
        now=now,
        values=values,
        fixed=fixed,
        engine=engine or "",
        columns=columns or (),
    )
