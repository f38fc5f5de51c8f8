"""The presets of the tools' own stores in PostgreSQL, on tables of the shape of their migrations.

The rows are the requests of tests/presets/logs, and so are the counts: plain Python's.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg2.extras
import pytest
import yaml

from gate.backends.preset_records import shipped_records
from gate.config.presets import load_preset
from tests.presets.logs import litellm_spend_logs, phoenix_spans
from tests.presets.logs.entries import LOG, OLD, count, iso
from tests.presets.test_presets_logs import Cases, measure, numbers, write_policy
from tests.servers.postgres import PASSWORD, READER, Postgres

Row = dict[str, Any]
SPEND_LOGS = """
CREATE TABLE "LiteLLM_SpendLogs" (
    "request_id" TEXT NOT NULL,
    "call_type" TEXT NOT NULL,
    "api_key" TEXT NOT NULL DEFAULT '',
    "spend" DOUBLE PRECISION NOT NULL DEFAULT 0.0,
    "total_tokens" INTEGER NOT NULL DEFAULT 0,
    "prompt_tokens" INTEGER NOT NULL DEFAULT 0,
    "completion_tokens" INTEGER NOT NULL DEFAULT 0,
    "startTime" TIMESTAMP(3) NOT NULL,
    "endTime" TIMESTAMP(3) NOT NULL,
    "completionStartTime" TIMESTAMP(3),
    "request_duration_ms" INTEGER,
    "metadata" JSONB DEFAULT '{}',
    "cache_hit" TEXT DEFAULT '',
    "request_tags" JSONB DEFAULT '[]',
    "status" TEXT,
    CONSTRAINT "LiteLLM_SpendLogs_pkey" PRIMARY KEY ("request_id")
);
CREATE INDEX "LiteLLM_SpendLogs_startTime_idx" ON "LiteLLM_SpendLogs" ("startTime");
"""
"""The columns that are counted by, as the migrations of litellm-proxy-extras 0.4.108 make them."""
SPANS = """
CREATE TABLE spans (
    id SERIAL PRIMARY KEY,
    span_id VARCHAR NOT NULL,
    parent_id VARCHAR,
    name VARCHAR NOT NULL,
    span_kind VARCHAR NOT NULL,
    start_time TIMESTAMP WITH TIME ZONE NOT NULL,
    end_time TIMESTAMP WITH TIME ZONE NOT NULL,
    attributes JSONB NOT NULL,
    status_code VARCHAR NOT NULL CHECK (status_code IN ('OK', 'ERROR', 'UNSET')),
    llm_token_count_completion INTEGER
);
"""
"""The table of Phoenix's spans, shortened (src/phoenix/db/models.py)."""
SPAN_COSTS = """
CREATE TABLE span_costs (
    id SERIAL PRIMARY KEY,
    span_rowid INTEGER NOT NULL,
    span_start_time TIMESTAMP WITH TIME ZONE NOT NULL,
    total_cost FLOAT,
    total_tokens FLOAT
);
CREATE INDEX ix_span_costs_span_start_time ON span_costs (span_start_time);
"""
"""The table of Phoenix's costs, shortened (a20694b15f82_cost.py)."""


def spend_logs() -> list[Row]:
    """Return the rows; in the table each has an id of its own."""
    rows = litellm_spend_logs.rows()
    return [{**row, "request_id": f"{place}"} for place, row in enumerate(rows)]


def costs() -> list[Row]:
    """Return the costs of calls; one is too old."""
    rows = [
        {
            "span_rowid": entry.number,
            "span_start_time": iso(entry.started),
            "total_cost": entry.cost,
        }
        for entry in LOG
    ]
    return [{"span_rowid": 0, "span_start_time": iso(OLD), "total_cost": 1000.0}, *rows]


def is_dear(cost: float | None) -> bool:
    return cost is None or cost > 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """A table, its rows, and what is counted in them."""

    ddl: str
    rows: Callable[[], list[Row]]
    expected: Cases


STORES = {
    "litellm-postgres": Store(
        ddl=SPEND_LOGS, rows=spend_logs, expected=litellm_spend_logs.EXPECTED
    ),
    "phoenix-postgres": Store(ddl=SPANS, rows=phoenix_spans.rows, expected=phoenix_spans.EXPECTED),
    "phoenix-costs-postgres": Store(
        ddl=SPAN_COSTS,
        rows=costs,
        expected={
            "cost-per-query": [
                {"threshold": 0.05, "bad": count(lambda e: is_dear(e.cost)), "total": len(LOG)}
            ],
            "spend": [{"spent": sum(entry.cost or 0 for entry in LOG)}],
        },
    ),
}


@pytest.fixture(scope="module")
def stores(postgres_server: Postgres) -> Iterator[Postgres]:
    """Fill the tables; the reader may read them."""
    for name, store in STORES.items():
        records = load_preset(name).records
        assert records is not None
        table = f'"{records.table}"'
        postgres_server.run(store.ddl, f"GRANT SELECT ON {table} TO {READER}")
        rows = store.rows()
        with postgres_server.connected() as connection, connection.cursor() as cursor:
            names = ", ".join(f'"{column}"' for column in rows[0])
            psycopg2.extras.execute_values(
                cursor,
                f"INSERT INTO {table} ({names}) VALUES %s",
                [[_value(value) for value in row.values()] for row in rows],
            )
    yield postgres_server
    for name in STORES:
        postgres_server.run(f'DROP TABLE "{shipped_records()[name].table}"')


def _value(value: object) -> object:
    return json.dumps(value) if isinstance(value, dict | list) else value


def test_every_preset_for_postgresql_has_its_store() -> None:
    assert STORES.keys() == {n for n, r in shipped_records().items() if r.backend == "postgres"}


@pytest.mark.parametrize("name", STORES)
def test_every_indicator_that_can_be_measured_has_its_cases(name: str) -> None:
    indicators = load_preset(name).indicators

    assert {k for k, one in indicators.items() if one.families} == STORES[name].expected.keys()


@pytest.mark.parametrize("name", STORES)
def test_a_preset_counts_what_the_store_says(stores: Postgres, tmp_path: Path, name: str) -> None:
    cases = STORES[name].expected
    policy = write_policy(tmp_path, name, "unused", cases)
    document = yaml.safe_load(policy.read_text(encoding="utf-8"))
    document["backend"] = {
        "type": "postgres",
        "url": stores.url,
        "user": READER,
        "password": "${PASSWORD}",
        "records": name,
    }
    policy.write_text(yaml.safe_dump(document), encoding="utf-8")

    measured = measure(policy, {"PASSWORD": PASSWORD})

    for kind, several in cases.items():
        for place, says in enumerate(several):
            counted = numbers(measured[f"{kind}/{place}"], says)
            assert counted == pytest.approx({role: says[role] for role in counted}), (kind, says)
