"""The settings of a ClickHouse server with which an answer is complete.

A profile can define that an answer may be cut if it takes too long or too much, that a shard may be
missing, or that some rows are left out; the answer would not show it.
https://clickhouse.com/docs/operations/settings/settings
"""

from collections.abc import Mapping
from typing import Final

OLDEST: Final = (23, 8)
"""The oldest version that has all of these settings except `NEWER`."""
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
    # All rows of a table with SAMPLE BY, instead of the share of one of several replicas.
    "parallel_replicas_count": "0",
    "distributed_group_by_no_merge": "0",
    # All rows of a view's JOIN and of its files; an unreadable file or line is an error.
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
    # All columns that a policy may name, also in a sub-select.
    "asterisk_include_alias_columns": "1",
    "asterisk_include_materialized_columns": "1",
    "partial_result_on_first_cancel": "0",
    # The meaning of the gate's statements, and of the policy's expressions.
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
    # The form of the answer; a DESCRIBE has one row of all values for each column.
    "describe_compact_output": "0",
    "describe_include_subcolumns": "0",
    "output_format_json_quote_denormals": "1",
    "send_progress_in_http_headers": "0",
    "cancel_http_readonly_queries_on_client_close": "1",
    # An object store that does not answer would be tried for longer than any time limit.
    "s3_retry_attempts": "3",
}
"""The value that each setting must have."""
HARMLESS: Final = frozenset(
    {
        "cancel_http_readonly_queries_on_client_close",
        "s3_retry_attempts",
        "max_execution_time",
        "max_query_size",
        # Otherwise an unknown name is an error.
        "asterisk_include_alias_columns",
        "asterisk_include_materialized_columns",
        # Without it, the newest row of an empty result is of 1970, which is too old for every
        # policy.
        "aggregate_functions_null_for_empty",
        # Otherwise the times in a policy's expressions are in the server's zone.
        "session_timezone",
        # Otherwise NaN is NULL, and `replies` refuses to interpret it as either.
        "output_format_json_quote_denormals",
    }
)
"""Settings that are not required from a user who may not change settings."""
BEHIND: Final = frozenset(
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
"""Settings that matter only for views, and for tables of other servers."""
NEWER: Final = frozenset(
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
"""Settings that some versions lack; those versions behave as needed."""
FILTERS: Final[Mapping[str, str]] = {
    "additional_table_filters": "{}",
    "additional_result_filter": "",
}
"""Settings that leave out rows on purpose, which the gate must not undo."""
UPPER_BOUNDS: Final = ("max_execution_time", "max_bytes_to_read")
EXACT_INDEXES: Final = "use_skip_indexes_if_final_exact_mode"
"""With the value 1, an index cannot hide the newest version of a row."""
INDEXES: Final = "use_skip_indexes_if_final"
LOWER_BOUNDS: Final[Mapping[str, int]] = {"max_query_size": 16 << 20}
"""Limits that must be large enough, since the gate's statement grows with the number of SLOs and
windows."""
