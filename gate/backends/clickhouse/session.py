"""Under which settings an answer of ClickHouse is whole, and what a user's profile says of them.

A profile can say that an answer may be cut where it takes too long or too much, that a shard may be
missing, or that some rows are left out; nothing in the answer would show it.
https://clickhouse.com/docs/operations/settings/settings
"""

# ruff: noqa: S608 - made of names only

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from gate.backends.clickhouse.catalog import TableName
from gate.backends.clickhouse.replies import ClickHouseReply
from gate.dataclass import dataclass
from gate.measure import Cause, MeasurementError
from gate.measure.remedies import hint_for

OLDEST: Final = (23, 8)
"""The oldest version that has all of these settings but `_NEWER`."""
NEEDED: Final[Mapping[str, str]] = {
    **dict.fromkeys(
        (
            "read_overflow_mode",
            "read_overflow_mode_leaf",
            "timeout_overflow_mode",
            "timeout_overflow_mode_leaf",
            "group_by_overflow_mode",
            "sort_overflow_mode",
            "result_overflow_mode",
            "set_overflow_mode",
            "join_overflow_mode",
            "distinct_overflow_mode",
            "transfer_overflow_mode",
        ),
        "throw",
    ),
    # All shards, and no replica that lags behind.
    "skip_unavailable_shards": "0",
    "fallback_to_stale_replicas_for_distributed_queries": "0",
    "optimize_skip_unused_shards": "0",
    # All rows of a table with SAMPLE BY, and not the share of one of several replicas.
    "parallel_replicas_count": "0",
    "distributed_group_by_no_merge": "0",
    # All rows of a view's JOIN and of its files; a file or a line that cannot be read is an error.
    "join_default_strictness": "ALL",
    "engine_file_empty_if_not_exists": "0",
    "s3_ignore_file_doesnt_exist": "0",
    "azure_ignore_file_doesnt_exist": "0",
    "hdfs_ignore_file_doesnt_exist": "0",
    "input_format_allow_errors_num": "0",
    "input_format_allow_errors_ratio": "0",
    # All rows, each in its newest version.
    "limit": "0",
    "offset": "0",
    "final": "1",
    "do_not_merge_across_partitions_select_final": "0",
    "apply_deleted_mask": "1",
    "apply_patch_parts": "1",
    "ignore_cold_parts_seconds": "0",
    "use_query_cache": "0",
    # All columns that a policy may name, also within a sub-select.
    "asterisk_include_alias_columns": "1",
    "asterisk_include_materialized_columns": "1",
    "partial_result_on_first_cancel": "0",
    # What the statements of the gate, and the policy's expressions, mean.
    "aggregate_functions_null_for_empty": "1",
    "empty_result_for_aggregation_by_empty_set": "0",
    "join_use_nulls": "1",
    "transform_null_in": "0",
    "cast_keep_nullable": "0",
    "decimal_check_overflow": "1",
    "enable_positional_arguments": "1",
    "prefer_column_name_to_alias": "0",
    "group_by_use_nulls": "0",
    "session_timezone": "UTC",
    # How the answer is sent; a DESCRIBE has one row of all values for each column.
    "describe_compact_output": "0",
    "describe_include_subcolumns": "0",
    "output_format_json_quote_denormals": "1",
    "send_progress_in_http_headers": "0",
    "cancel_http_readonly_queries_on_client_close": "1",
    # A server for objects that does not answer would be tried for longer than any time limit.
    "s3_retry_attempts": "3",
}
"""What each setting must be."""
_HARMLESS: Final = frozenset(
    {
        "cancel_http_readonly_queries_on_client_close",
        "s3_retry_attempts",
        "max_execution_time",
        "max_query_size",
        # Else a name that is not there is an error.
        "asterisk_include_alias_columns",
        "asterisk_include_materialized_columns",
        # Without it the newest row of none is of 1970, which is too old for every policy.
        "aggregate_functions_null_for_empty",
        # Else the times in a policy's expressions are in the server's zone.
        "session_timezone",
        # Else NaN is NULL, which `replies` refuses to take for either.
        "output_format_json_quote_denormals",
    }
)
"""What a user who may not change settings can do without."""
_BEHIND: Final = frozenset(
    {
        "final",
        "join_use_nulls",
        "fallback_to_stale_replicas_for_distributed_queries",
        "optimize_skip_unused_shards",
        "distributed_group_by_no_merge",
        "join_default_strictness",
        "engine_file_empty_if_not_exists",
        "s3_ignore_file_doesnt_exist",
        "azure_ignore_file_doesnt_exist",
        "hdfs_ignore_file_doesnt_exist",
        "input_format_allow_errors_num",
        "input_format_allow_errors_ratio",
    }
)
"""What matters for views, and for tables of other servers, only."""
_NEWER: Final = frozenset(
    {
        "timeout_overflow_mode_leaf",
        "partial_result_on_first_cancel",
        "ignore_cold_parts_seconds",
        "apply_deleted_mask",
        "apply_patch_parts",
        "describe_compact_output",
        "s3_ignore_file_doesnt_exist",
        "azure_ignore_file_doesnt_exist",
        "hdfs_ignore_file_doesnt_exist",
        "s3_retry_attempts",
    }
)
"""What some versions do not have, and then behave as is needed."""
_FILTERS: Final[Mapping[str, str]] = {
    "additional_table_filters": "{}",
    "additional_result_filter": "",
}
"""What leaves rows out on purpose, which is not for the gate to undo."""
_UPPER_BOUNDS: Final = ("max_execution_time", "max_bytes_to_read")
_EXACT_INDEXES: Final = "use_skip_indexes_if_final_exact_mode"
"""Where this is 1, an index cannot hide the newest version of a row."""
_INDEXES: Final = "use_skip_indexes_if_final"
_LOWER_BOUNDS: Final[Mapping[str, int]] = {"max_query_size": 16 << 20}
"""The gate's statement grows with the number of SLOs and windows."""
_LIMIT: Final = re.compile(r"\bLIMIT\b", re.IGNORECASE)
_READ_ONLY: Final = "1"
_TRUTHS: Final = {"true": "1", "false": "0"}


def question(table: TableName) -> str:
    """Return the statement whose answer `session_of` takes.

    It has one row, which no limit cuts, with all that a run has to know before it counts.
    """
    names = [*NEEDED, *_FILTERS, *_UPPER_BOUNDS, *_LOWER_BOUNDS]
    names += [_INDEXES, _EXACT_INDEXES, "readonly"]
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
    """Raise MeasurementError where a version is too old."""
    if version_of(text) < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        raise MeasurementError(
            Cause.BACKEND_ERROR,
            f"ClickHouse {text[:40]} is too old: it does not have all settings that keep an answer"
            f" whole, and {oldest} has them{hint_for('clickhouse-version')}",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ClickHouseSession:
    """What a server says of itself and of the user."""

    version: str
    user: str
    now: int
    """The server's clock, in microseconds since 1970."""
    values: Mapping[str, str]
    """The value of each setting that it has."""
    fixed: frozenset[str]
    """Settings that this user may not change."""
    engine: str
    """The engine of the table; empty: the user sees no such table."""
    columns: Sequence[Sequence[str]]
    """Name, type and kind of default of the table's columns that this user may read."""

    @property
    def readonly(self) -> bool:
        """Whether the user may change no setting at all."""
        return self.values.get("readonly") == _READ_ONLY

    @property
    def filters(self) -> list[str]:
        """The settings of the profile that leave rows out."""
        return [name for name, none in _FILTERS.items() if self.values.get(name, none) != none]

    def parameters(self, *, seconds: float, max_bytes: int | None, behind: bool) -> dict[str, str]:
        """Return the settings to send with a statement.

        Args:
            seconds: that it may take.
            max_bytes: that it may read; None: any number.
            behind: whether it reads a view, or tables of other servers.

        Raises:
            MeasurementError: the profile forbids what is needed, and has it otherwise.
        """
        if self.filters:
            names = " and ".join(self.filters)
            raise MeasurementError(
                Cause.PARTIAL,
                f"the profile of this user leaves rows out: it sets {names}"
                + hint_for("clickhouse-filters"),
            )
        wanted = {name: NEEDED[name] for name in NEEDED if name in self.values}
        if _INDEXES in self.values and self.values.get(_EXACT_INDEXES) != "1":
            wanted[_INDEXES] = "0"
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
        """Look at an answer for what the profile may have done to it where it cannot be changed.

        Raises:
            MeasurementError: rows may be missing, or NaN may have been written as NULL.
        """
        # Of the limits themselves the server does not say the value: it takes each for a LIMIT of
        # the statement, and resets it.
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
        """Return limits that are stricter than the profile's, and one that must be wide enough."""
        limits = {"max_execution_time": max(int(seconds), 1), "max_bytes_to_read": max_bytes}
        wanted = {}
        for name, limit in limits.items():
            own = float(self.values.get(name, "0") or 0)
            if limit is not None and not 0 < own <= limit:
                wanted[name] = str(limit)
        for name, least in _LOWER_BOUNDS.items():
            if int(self.values.get(name, "0") or 0) < least:
                wanted[name] = str(least)
        return wanted

    def may_set(self, name: str) -> bool:
        """Return whether this user may change a setting."""
        return not self.readonly and name not in self.fixed

    def _matters(self, name: str, behind: bool) -> bool:
        """Return whether an answer may be another one where a setting is not as it is needed."""
        return name not in _HARMLESS and (behind or name not in _BEHIND)

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
    """Return what a server says of itself.

    Raises:
        MeasurementError: it is too old, or it does not name all settings that it has.
    """
    version, user, now, settings, engine, columns = row
    check_version(version)
    values = {name: _TRUTHS.get(value, value) for name, value, _ in settings}
    missing = sorted({*NEEDED, *_FILTERS, "readonly"} - _NEWER - values.keys())
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
