"""The presets of the tools' own stores in ClickHouse, on tables of the shape of their migrations.

The rows are the requests of tests/presets/logs, and so are the counts: plain Python's. Each row
comes in two versions, as the tools write them, and the older one says something else.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_OID, uuid5

import pytest
import yaml

from gate.backends.preset_records import shipped_records
from gate.config.presets import load_preset
from tests.presets.logs import helicone, langfuse_observations, langfuse_scores
from tests.presets.logs.entries import AT, naive
from tests.presets.test_presets_logs import Cases, measure, numbers, write_policy
from tests.servers.clickhouse import PASSWORD, ClickHouse

Row = dict[str, Any]
OBSERVATIONS = """
CREATE TABLE observations (
    `id` String,
    `trace_id` String,
    `project_id` String,
    `type` LowCardinality(String),
    `start_time` DateTime64(3),
    `end_time` Nullable(DateTime64(3)),
    `name` String,
    `metadata` Map(LowCardinality(String), String),
    `level` LowCardinality(String),
    `usage_details` Map(LowCardinality(String), UInt64),
    `cost_details` Map(LowCardinality(String), Decimal64(12)),
    `total_cost` Nullable(Decimal64(12)),
    `completion_start_time` Nullable(DateTime64(3)),
    `created_at` DateTime64(3) DEFAULT now(),
    `updated_at` DateTime64(3) DEFAULT now(),
    event_ts DateTime64(3),
    is_deleted UInt8
) ENGINE = ReplacingMergeTree(event_ts, is_deleted) PARTITION BY toYYYYMM(start_time)
PRIMARY KEY (project_id, `type`, toDate(start_time))
ORDER BY (project_id, `type`, toDate(start_time), id)
"""
"""The columns that are counted by, and the keys, as Langfuse's migrations make them."""
SCORES = """
CREATE TABLE scores (
    `id` String,
    `timestamp` DateTime64(3),
    `project_id` String,
    `trace_id` String,
    `name` String,
    `value` Float64,
    `source` String,
    `data_type` String,
    `string_value` Nullable(String),
    `updated_at` DateTime64(3) DEFAULT now(),
    event_ts DateTime64(3),
    `is_deleted` UInt8
) ENGINE = ReplacingMergeTree(event_ts, is_deleted) PARTITION BY toYYYYMM(timestamp)
PRIMARY KEY (project_id, toDate(timestamp), name)
ORDER BY (project_id, toDate(timestamp), name, id)
"""
"""The table of Langfuse's scores, as its migrations create it."""
REQUESTS = """
CREATE TABLE request_response_rmt (
    `latency` Nullable(Int64),
    `status` Int64,
    `completion_tokens` Nullable(Int64),
    `model` LowCardinality(String) CODEC(ZSTD(1)),
    `request_id` UUID,
    `request_created_at` DateTime64(3),
    `user_id` LowCardinality(String) CODEC(ZSTD(1)),
    `organization_id` UUID,
    `threat` Nullable(Bool),
    `time_to_first_token` Nullable(Int64),
    `provider` LowCardinality(String) CODEC(ZSTD(1)),
    `scores` Map(LowCardinality(String), Int64) CODEC(ZSTD(1)),
    `cost` UInt64 DEFAULT 0,
    `updated_at` DateTime64(3, 'UTC') DEFAULT now()
) ENGINE = ReplacingMergeTree(updated_at) PARTITION BY toYYYYMM(request_created_at)
PRIMARY KEY (organization_id, provider, model, user_id, request_created_at, request_id)
ORDER BY (organization_id, provider, model, user_id, request_created_at, request_id)
"""
"""Helicone's, likewise."""
OURS, OTHERS = (str(uuid5(NAMESPACE_OID, name)) for name in ("ours", "another"))
SOON = {"event_ts": naive(AT + timedelta(seconds=1))}


def observations() -> list[Row]:
    """Return the rows, older versions that look worse, a deleted one, and another project's."""
    rows = [{**row, "trace_id": "t", "name": "n"} for row in langfuse_observations.rows()]
    worse = {"level": "ERROR", "end_time": None, "total_cost": 100, "event_ts": naive(AT - _DAY)}
    gone = {**rows[0], "id": "gone", **worse, "start_time": rows[-1]["start_time"]}
    return [
        *({**row, **worse} for row in rows),
        *rows,
        gone,
        {**gone, **SOON, "is_deleted": 1},
        {**gone, "id": "theirs", "project_id": "theirs"},
    ]


def scores() -> list[Row]:
    """Write the scores; a judge that has failed leaves no number, since the column has no NULL."""
    rows = [
        {
            **row,
            "value": "nan"
            if row["value"] is None or row["value"] != row["value"]
            else row["value"],
            "event_ts": row["updated_at"],
            "is_deleted": 0,
        }
        for row in langfuse_scores.rows()
    ]
    gone = {**rows[1], "id": "gone", "value": 0.0}
    return [
        *rows,
        gone,
        {**gone, **SOON, "is_deleted": 1},
        {**gone, "id": "theirs", "project_id": "theirs"},
    ]


def requests() -> list[Row]:
    """Write the requests; their ids are UUIDs."""
    fixed = {"organization_id": OURS, "provider": "OPENAI", "model": "m", "user_id": ""}
    rows = [
        {**row, **fixed, "request_id": str(uuid5(NAMESPACE_OID, row["request_id"]))}
        for row in helicone.rows()
    ]
    worse = {"status": 500, "latency": None, "cost": 10**12, "updated_at": naive(AT - _DAY)}
    return [
        *({**row, **worse} for row in rows),
        *rows,
        {**rows[-1], **worse, "organization_id": OTHERS},
    ]


_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """A table, its rows, what is counted in them, and which of them are ours."""

    ddl: str
    rows: Callable[[], list[Row]]
    expected: Cases
    where: str


STORES = {
    "langfuse-clickhouse": Store(
        ddl=OBSERVATIONS,
        rows=observations,
        expected=langfuse_observations.EXPECTED,
        where="project_id = 'p'",
    ),
    "langfuse-scores-clickhouse": Store(
        ddl=SCORES, rows=scores, expected=langfuse_scores.EXPECTED, where="project_id = 'p'"
    ),
    "helicone-clickhouse": Store(
        ddl=REQUESTS,
        rows=requests,
        expected=helicone.EXPECTED,
        where=f"organization_id = '{OURS}'",
    ),
}


@pytest.fixture(scope="module")
def stores(clickhouse_server: ClickHouse) -> Iterator[ClickHouse]:
    """Fill the tables; versions are in one part and in several, and none is merged away."""
    tables = [str(shipped_records()[name].table) for name in STORES]
    for table, store in zip(tables, STORES.values(), strict=True):
        clickhouse_server.run(store.ddl)
        clickhouse_server.run(f"SYSTEM STOP MERGES {table}")
        rows = [json.dumps(row) for row in store.rows()]
        for part in (rows[::2], rows[1::2]):
            clickhouse_server.run(
                f"INSERT INTO {table} FORMAT JSONEachRow {' '.join(part)}",
                session_timezone="UTC",
                date_time_input_format="best_effort",
                input_format_skip_unknown_fields="1",
                optimize_on_insert="0",
            )
    yield clickhouse_server
    for table in tables:
        clickhouse_server.run(f"DROP TABLE {table}")


def test_every_preset_for_clickhouse_has_its_store() -> None:
    assert STORES.keys() == {n for n, r in shipped_records().items() if r.backend == "clickhouse"}


@pytest.mark.parametrize("name", STORES)
def test_every_indicator_that_can_be_measured_has_its_cases(name: str) -> None:
    indicators = load_preset(name).indicators

    assert {k for k, one in indicators.items() if one.families} == STORES[name].expected.keys()


@pytest.mark.variants(1)
@pytest.mark.parametrize("name", STORES)
def test_a_preset_counts_what_the_store_says(stores: ClickHouse, tmp_path: Path, name: str) -> None:
    cases = STORES[name].expected
    policy = write_policy(tmp_path, name, "unused", cases)
    document = yaml.safe_load(policy.read_text(encoding="utf-8"))
    document["backend"] = {
        "type": "clickhouse",
        "url": stores.url,
        "user": "gate",
        "password": "${PASSWORD}",
        "records": name,
        "where": STORES[name].where,
    }
    policy.write_text(yaml.safe_dump(document), encoding="utf-8")

    measured = measure(policy, {"PASSWORD": PASSWORD})

    for kind, several in cases.items():
        for place, says in enumerate(several):
            counted = numbers(measured[f"{kind}/{place}"], says)
            assert counted == pytest.approx({role: says[role] for role in counted}), (kind, says)
