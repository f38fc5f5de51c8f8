"""A ClickHouse server with the engine of chdb, and what stands in its tables."""

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import requests

from gate.backends.clickhouse.engine import ClickHouseEngine
from gate.backends.clickhouse.settings import ClickHouseSettings
from gate.backends.sql.settings import TableSettings
from gate.measure import Limits
from tests.servers.processes import free_port, missing, running

PYTHON = Path(__file__).parent.parent.parent / ".servers" / "chdb" / "bin" / "python"
PASSWORD = "h0p-of-the-server"
BREAK = {"max_rows_to_read": "100000", "max_block_size": "1000", "read_overflow_mode": "break"}
CUTTING: Mapping[str, Mapping[str, str]] = {
    "reads a share": {
        "parallel_replicas_count": "2",
        "parallel_replica_offset": "1",
        "max_parallel_replicas": "2",
        "parallel_replicas_mode": "sampling_key",
        "enable_parallel_replicas": "1",
    },
    "reads no updates": {"apply_patch_parts": "0"},
    "joins once": {"join_default_strictness": "ANY"},
    "reads no file": {"engine_file_empty_if_not_exists": "1"},
    "skips lines": {"input_format_allow_errors_num": "100"},
    "skips half of the lines": {"input_format_allow_errors_ratio": "0.9"},
    "wraps around": {"decimal_check_overflow": "0"},
}
"""Profiles that make answers smaller than what the tables have, by the names of their users."""
USERS: Mapping[str, Mapping[str, Any]] = {
    "default": {},
    "gate": {"password": PASSWORD, "readonly": 2},
    "locked": {"readonly": 1},
    "cuts reading": {"readonly": 2, "profile": BREAK},
    "cuts reading, locked": {"readonly": 1, "profile": BREAK},
    "cuts time": {
        "readonly": 2,
        "profile": {
            "timeout_overflow_mode": "break",
            "max_execution_time": "1",
            "max_block_size": "1",
        },
    },
    "cuts groups": {
        "readonly": 2,
        "profile": {"max_rows_to_group_by": "3", "group_by_overflow_mode": "any"},
    },
    "cuts groups, locked": {
        "password": PASSWORD,
        "readonly": 1,
        "profile": {"max_rows_to_group_by": "3", "group_by_overflow_mode": "any"},
    },
    "skips shards": {"readonly": 2, "profile": {"skip_unavailable_shards": "1"}},
    "skips shards, locked": {"readonly": 1, "profile": {"skip_unavailable_shards": "1"}},
    "limits": {"readonly": 2, "profile": {"limit": "2"}},
    "limits, locked": {"readonly": 1, "profile": {"limit": "2"}},
    "offsets, locked": {"readonly": 1, "profile": {"offset": "1"}},
    "filters": {
        "readonly": 2,
        "profile": {"additional_table_filters": "{'default.requests': 'status < 500'}"},
    },
    "filters results, locked": {"readonly": 1, "profile": {"additional_result_filter": "1"}},
    **{
        name: {"readonly": readonly, "profile": profile}
        for profile_name, profile in CUTTING.items()
        for name, readonly in ((profile_name, 2), (f"{profile_name}, locked", 1))
    },
    **{
        name: {"readonly": 2, "profile": {name: "1"}}
        for name in ("describe_compact_output", "describe_include_subcolumns")
    },
    "denied": {"password": PASSWORD, "readonly": 2, "denied": ["requests"]},
}
"""By name: the password, the profile, ``readonly``, and the tables that the user may not read."""


REQUESTS = TableSettings(table="requests", timestamp="ts")
START = datetime(2025, 11, 1, tzinfo=UTC)
ROWS, EVERY = 200_000, 100
"""The rows of the table ``requests``, one a second from `START`, and the distance of failed
ones."""
TABLES = (
    "CREATE TABLE requests (ts DateTime64(6), status UInt16, ms Nullable(Float64), id String)"
    " ENGINE = MergeTree ORDER BY ts",
    "INSERT INTO requests SELECT toDateTime64('2025-11-01 00:00:00', 6, 'UTC') + INTERVAL number"
    f" SECOND, if(number % {EVERY} = 0, 500, 200), number % 1000, toString(number)"
    f" FROM numbers({ROWS})",
    # Each request in two versions: first without an outcome, then with it.
    "CREATE TABLE versions (id UInt64, ts DateTime, status UInt16, version UInt8)"
    " ENGINE = ReplacingMergeTree(version) ORDER BY id",
    "INSERT INTO versions SELECT number, toDateTime('2025-11-01 00:00:00', 'UTC') + number, 0, 1"
    " FROM numbers(1000)",
    "INSERT INTO versions SELECT number, toDateTime('2025-11-01 00:00:00', 'UTC') + number,"
    " if(number % 10 = 0, 500, 200), 2 FROM numbers(1000)",
    "CREATE VIEW versions_view AS SELECT * FROM versions",
    "CREATE TABLE sums (id UInt64, ts DateTime, n UInt64) ENGINE = SummingMergeTree ORDER BY id",
    # Of two shards one is dead; nothing listens on port 1.
    "CREATE VIEW shards AS SELECT * FROM"
    " remote('127.0.0.1,127.0.0.1:1', currentDatabase(), 'requests')",
    "CREATE VIEW whole_shards AS SELECT * FROM remote('127.0.0.1', currentDatabase(), 'requests')",
)


@dataclass(frozen=True, slots=True)
class ClickHouse:
    """A running server."""

    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def run(self, statement: str, user: str = "default", **parameters: str) -> str:
        """Run a statement as it is, by default as a user who may do all; return the answer."""
        login = (user, USERS[user].get("password", ""))
        response = requests.post(
            self.url, data=statement.encode(), params=parameters, auth=login, timeout=60
        )
        assert response.status_code == 200, response.text
        return response.text

    def engine(
        self, user: str = "gate", *, seconds: float = 20, max_scan: int | None = None, **more: Any
    ) -> ClickHouseEngine:
        """Open the gate's connection for a user."""
        password = USERS.get(user, {}).get("password")
        settings = ClickHouseSettings(
            **{"url": self.url, "user": user, "password": password, "table": REQUESTS, **more}
        )
        return ClickHouseEngine(
            settings, Limits(timeout=timedelta(seconds=seconds), max_scan=max_scan)
        )


SHARED = ExitStack()
"""Resources that end with the tests: a worker may be ended before its exit handlers run."""


@cache
def shared_clickhouse() -> ClickHouse:
    """Return the server of this process, which is started once and ends with its tests."""
    folder = SHARED.enter_context(TemporaryDirectory())
    return SHARED.enter_context(clickhouse(Path(folder)))


@contextmanager
def clickhouse(folder: Path) -> Iterator[ClickHouse]:
    """Run a server while the block lasts; skip the test where chdb is not installed."""
    if not PYTHON.exists():
        missing("chdb", "tests/install-servers.sh installs it in .servers")
    port = free_port()
    script = Path(__file__).with_name("clickhouse_engine.py")
    command = [str(PYTHON), str(script), str(port), str(folder / "data"), json.dumps(USERS)]
    with running(command, f"http://127.0.0.1:{port}/ping", folder / "clickhouse.log"):
        server = ClickHouse(port)
        for statement in TABLES:
            server.run(statement)
        yield server
