"""ClickHouse can answer 200 to half an answer. None is believed, on the real engine."""

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import requests

from gate.backends.clickhouse.refusals import ClickHouseFailure
from gate.backends.clickhouse.replies import read_reply
from gate.backends.sql.engine import SqlColumn
from gate.measure import Cause, MeasurementError
from tests.servers.clickhouse import CUTTING, EVERY, ROWS, START, USERS, ClickHouse

HOURS = -(-ROWS // 3600)
BY_HOUR = "SELECT intDiv(toUnixTimestamp(ts), 3600) AS h, count() FROM requests GROUP BY h"
FOREVER = "SELECT count(), sum(sleepEachRow(0.1)) FROM numbers(100)"


def refusal(ask: Callable[[], object]) -> MeasurementError:
    with pytest.raises(MeasurementError) as caught:
        ask()
    return caught.value


def believed(server: ClickHouse, user: str, statement: str) -> list[list[object]]:
    """Return the rows that ClickHouse gives to who does not ask for whole answers."""
    body = server.run(statement, user, default_format="JSONCompact")
    return list(json.loads(body)["data"]) if body else []


@pytest.mark.parametrize("user", ["default", "gate", "locked", "limits", "skips shards"])
def test_whole_answers_come_to_all_whose_profile_lets_them_be_whole(
    clickhouse_server: ClickHouse, user: str
) -> None:
    engine = clickhouse_server.engine(user)

    relation = engine.relation("requests")
    rows = engine.rows(f"SELECT count(), countIf(status >= 500) FROM {relation}")

    assert rows == [(ROWS, ROWS // EVERY)]
    assert len(engine.rows(BY_HOUR)) == HOURS


def test_limit_on_reading_that_breaks_off_is_an_error(clickhouse_server: ClickHouse) -> None:
    ((part,),) = believed(clickhouse_server, "cuts reading", "SELECT count() FROM numbers(200000)")
    assert int(str(part)) < 200_000

    error = refusal(lambda: clickhouse_server.engine("cuts reading").rows(BY_HOUR))

    assert error.cause is Cause.BACKEND_ERROR
    assert "158 TOO_MANY_ROWS" in error.reason
    assert error.reason.endswith("allow the run to read more bytes")


def test_time_limit_that_breaks_off_is_an_error(clickhouse_server: ClickHouse) -> None:
    assert believed(clickhouse_server, "cuts time", FOREVER) in ([], [["0", "0"]])

    error = refusal(lambda: clickhouse_server.engine("cuts time").rows(FOREVER))

    assert error.cause is Cause.BACKEND_ERROR
    assert "159 TIMEOUT_EXCEEDED" in error.reason


def test_groups_that_are_dropped_are_an_error(clickhouse_server: ClickHouse) -> None:
    part = believed(clickhouse_server, "cuts groups", BY_HOUR)
    assert len(part) < HOURS

    error = refusal(lambda: clickhouse_server.engine("cuts groups").rows(BY_HOUR))

    assert "158 TOO_MANY_ROWS" in error.reason


def test_dead_shard_is_an_error(clickhouse_server: ClickHouse) -> None:
    ((half,),) = believed(clickhouse_server, "skips shards", "SELECT count() FROM shards")
    assert int(str(half)) == ROWS

    engine = clickhouse_server.engine("skips shards")
    error = refusal(lambda: engine.rows(f"SELECT count() FROM {engine.relation('shards')}"))

    assert error.cause is Cause.PARTIAL
    assert "ALL_REPLICAS_ARE_STALE" in error.reason  # it has no replica that answers
    assert "see in system.clusters" in error.reason


def test_shards_that_all_answer_are_added_up(clickhouse_server: ClickHouse) -> None:
    engine = clickhouse_server.engine("skips shards")

    assert engine.rows(f"SELECT count() FROM {engine.relation('whole_shards')}") == [(ROWS,)]


FAILING = "SELECT throwIf(number = 150000, 'row 150000') FROM numbers(200000)"


def test_exception_in_mid_answer_is_an_error(clickhouse_server: ClickHouse) -> None:
    error = refusal(lambda: clickhouse_server.engine().rows(FAILING))

    assert "395 FUNCTION_THROW_IF_VALUE_IS_NON_ZERO" in error.reason
    assert "row 150000" not in error.reason


def test_exception_behind_half_an_answer_is_seen(clickhouse_server: ClickHouse) -> None:
    response = requests.post(
        clickhouse_server.url,
        data=FAILING,
        params={"default_format": "JSONCompact", "max_block_size": "1000"},
        timeout=30,
    )
    assert response.status_code == 200
    assert b'"data":' in response.content

    reply = read_reply(response, response.content, START)

    assert isinstance(reply, ClickHouseFailure)
    assert reply.reason == "395 FUNCTION_THROW_IF_VALUE_IS_NON_ZERO"


@pytest.mark.parametrize(
    ("user", "names"),
    [
        ("cuts reading, locked", "read_overflow_mode is break and must be throw"),
        ("cuts groups, locked", "group_by_overflow_mode is any and must be throw"),
        ("skips shards, locked", "skip_unavailable_shards is 1 and must be 0"),
    ],
)
def test_user_who_may_change_no_setting_needs_a_profile_that_cuts_nothing(
    clickhouse_server: ClickHouse, user: str, names: str
) -> None:
    raw = requests.post(
        clickhouse_server.url,
        data="SELECT 1",
        params={"final": "1"},
        auth=(user, USERS[user].get("password", "")),
        timeout=30,
    )
    assert raw.headers["X-ClickHouse-Exception-Code"] == "164"

    error = refusal(lambda: clickhouse_server.engine(user).rows(BY_HOUR))

    assert error.cause is Cause.PARTIAL
    assert "readonly=1 forbids" in error.reason
    assert names in error.reason
    assert "readonly=2" in error.reason


@pytest.mark.parametrize("user", ["limits, locked", "offsets, locked"])
def test_profile_that_cuts_every_answer_is_seen_although_no_setting_says_it(
    clickhouse_server: ClickHouse, user: str
) -> None:
    assert len(believed(clickhouse_server, user, BY_HOUR)) < HOURS

    error = refusal(lambda: clickhouse_server.engine(user).rows(BY_HOUR))

    assert error.cause is Cause.PARTIAL
    assert "use a user without such settings" in error.reason


def test_limit_of_the_statement_itself_cuts_nothing(clickhouse_server: ClickHouse) -> None:
    assert len(clickhouse_server.engine("locked").rows(f"{BY_HOUR} LIMIT 3")) == 3


@pytest.mark.parametrize("user", [user for user in USERS if user.startswith("filters")])
def test_filter_of_the_profile_is_named(clickhouse_server: ClickHouse, user: str) -> None:
    error = refusal(lambda: clickhouse_server.engine(user).rows(BY_HOUR))

    assert error.cause is Cause.PARTIAL
    assert "it sets additional_" in error.reason


@pytest.mark.parametrize("user", ["default", "gate"])
@pytest.mark.parametrize("table", ["versions", "versions_view"])
def test_of_each_row_only_the_newest_version_is_counted(
    clickhouse_server: ClickHouse, user: str, table: str
) -> None:
    assert believed(clickhouse_server, user, f"SELECT count() FROM {table}") == [[2000]]

    engine = clickhouse_server.engine(user)
    relation = engine.relation(table)

    counts = engine.rows(f"SELECT count(), countIf(status >= 500) FROM {relation} AS rows")
    assert counts == [(1000, 100)]


def test_user_who_may_change_no_setting_counts_newest_versions_of_a_table_but_not_behind_a_view(
    clickhouse_server: ClickHouse,
) -> None:
    table, view = clickhouse_server.engine("locked"), clickhouse_server.engine("locked")

    newest = table.relation("versions")
    assert table.rows(f"SELECT count() FROM {newest} AS rows") == [(1000,)]
    relation = view.relation("versions_view")
    error = refusal(lambda: view.rows(f"SELECT count() FROM {relation}"))
    assert "final is 0 and must be 1" in error.reason


def test_newest_of_no_rows_is_null_and_not_1970(clickhouse_server: ClickHouse) -> None:
    nothing = "SELECT max(toUnixTimestamp(ts)), sum(status) FROM requests WHERE status = 1"
    assert believed(clickhouse_server, "gate", nothing) == [[0, 0]]

    assert clickhouse_server.engine().rows(nothing) == [(None, None)]


def test_dead_object_store_does_not_hold_the_run(clickhouse_server: ClickHouse) -> None:
    begun = time.monotonic()

    refusal(
        lambda: clickhouse_server.engine().rows(
            "SELECT count() FROM s3('http://127.0.0.1:1/b/x.csv', 'CSV', 'a String')"
        )
    )

    assert time.monotonic() - begun < 10


def test_scan_is_limited_by_the_server_too(clickhouse_server: ClickHouse) -> None:
    engine = clickhouse_server.engine(max_scan=1_000_000)

    error = refusal(lambda: engine.rows("SELECT sum(ms), max(ts) FROM requests"))

    assert "307 TOO_MANY_BYTES" in error.reason


def test_scan_cannot_be_limited_for_a_user_who_may_change_no_setting(
    clickhouse_server: ClickHouse,
) -> None:
    error = refusal(lambda: clickhouse_server.engine("locked", max_scan=1_000_000).rows(BY_HOUR))

    assert "max_bytes_to_read is 0 and must be 1000000" in error.reason


def test_nan_and_null_are_not_confused(clickhouse_server: ClickHouse) -> None:
    statement = "SELECT CAST(if(number = 0, NULL, nan) AS Nullable(Float64)) FROM numbers(2)"

    ((nothing,), (nan,)) = clickhouse_server.engine().rows(statement)
    assert nothing is None
    assert nan != nan  # noqa: PLR0124 - NaN only
    error = refusal(lambda: clickhouse_server.engine("locked").rows(statement))
    assert error.cause is Cause.INVALID
    assert "NULL or NaN" in error.reason


def test_functions_that_turn_nothing_into_a_number_are_as_the_documentation_says(
    clickhouse_server: ClickHouse,
) -> None:
    page = (Path(__file__).parents[3] / "docs" / "backends.md").read_text(encoding="utf-8")
    zero, null = "JSONExtractInt(meta, 'code')", "JSONExtract(meta, 'code', 'Nullable(Int64)')"
    assert zero in page
    assert null in page

    rows = clickhouse_server.engine().rows(
        f"SELECT {zero}, {null}, toUInt8(300), nan > 2000, isNaN(nan) OR nan > 2000"
        " FROM (SELECT '{}' AS meta)"
    )

    assert rows == [(0, None, 44, 0, 1)]


CUT = {
    "reads a share": "sampled",
    "reads no updates": "updated",
    "joins once": "joined",
    "reads no file": "no_file",
    "skips lines": "lines",
    "skips half of the lines": "lines",
    "wraps around": "products",
}
"""By the name of a user whose profile cuts answers, the table of which rows are then missing."""
WHOLE = {"sampled": 100, "updated": 20, "joined": 80}
"""How many rows with a status of 500 there are; of the others the answer is an error."""


@pytest.fixture(scope="module")
def cut_tables(clickhouse_server: ClickHouse) -> ClickHouse:
    rows = "SELECT number AS id, if(number % 10 = 0, 500, 200) AS status FROM numbers"
    lines = "500\\nno number\\n500\\n"
    for statement in (
        "CREATE TABLE sampled ENGINE = MergeTree ORDER BY intHash32(id) SAMPLE BY intHash32(id)"
        f" AS {rows}(1000)",
        "CREATE TABLE updated ENGINE = MergeTree ORDER BY id"
        " SETTINGS enable_block_number_column = 1, enable_block_offset_column = 1"
        f" AS {rows}(100)",
        "UPDATE updated SET status = 500 WHERE id % 10 = 1",
        "CREATE TABLE tries ENGINE = Memory AS SELECT number % 10 AS id FROM numbers(40)",
        "CREATE VIEW joined AS SELECT toUInt16(500) AS status FROM tries JOIN"
        " (SELECT number % 10 AS id FROM numbers(20)) AS r ON tries.id = r.id",
        "CREATE TABLE no_file (status UInt16) ENGINE = File(CSV)",
        f"CREATE VIEW lines AS SELECT * FROM format(TSV, 'status UInt16', '{lines}')",
        "CREATE TABLE costs ENGINE = Memory AS SELECT toDecimal64(9e11, 6) AS cost",
        "CREATE VIEW products AS SELECT if(cost * cost > 1, 500, 0) AS status FROM costs",
    ):
        more = {"enable_lightweight_update": "1", "input_format_allow_errors_num": "9"}
        clickhouse_server.run(statement, **more)
    return clickhouse_server


@pytest.mark.parametrize("profile", CUTTING)
def test_profile_that_leaves_rows_out_is_overruled_or_refused(
    cut_tables: ClickHouse, profile: str
) -> None:
    table = CUT[profile]
    statement = f"SELECT countIf(status >= 500) FROM {table}"
    ((part,),) = believed(cut_tables, profile, statement)
    assert int(str(part)) < WHOLE.get(table, 1_000)

    engine, locked = cut_tables.engine(profile), cut_tables.engine(f"{profile}, locked")

    engine.relation(table)
    if table in WHOLE:
        assert engine.rows(statement) == [(WHOLE[table],)]
    else:
        assert refusal(lambda: engine.rows(statement)).cause in {Cause.INVALID, Cause.BACKEND_ERROR}
    error = refusal(lambda: locked.relation(table) and locked.rows(statement))
    assert f"{next(iter(CUTTING[profile]))} is " in error.reason


@pytest.mark.parametrize("setting", ["describe_compact_output", "describe_include_subcolumns"])
def test_types_and_columns_do_not_depend_on_how_a_profile_describes(
    clickhouse_server: ClickHouse, setting: str
) -> None:
    engine = clickhouse_server.engine(setting)

    assert list(engine.columns("requests")) == ["ts", "status", "ms", "id"]
    assert list(engine.columns("versions_view")) == ["id", "ts", "status", "version"]
    types = engine.types("requests", ["ms", "status >= 500"])
    assert [isinstance(column, SqlColumn) and column.type for column in types] == [
        "Nullable(Float64)",
        "UInt8",
    ]
