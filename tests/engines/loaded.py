"""The hostile rows in each engine, and the policy's block and conditions for it."""

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from gate.backends import open_backend
from gate.config.load import load
from gate.measure import Backend, Limits
from tests.engines.hostile import HostileRow
from tests.servers.spark import apache_spark, sail

NAMES = (
    *("ts", "local", "micros", "status", "latency", "cost", "refund", "model", "cached", "tenant"),
    *("variant", "pair"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """An engine with the rows in it."""

    name: str
    block: Mapping[str, Any]
    """The policy's ``backend``, without its time and further conditions."""
    starts_with_gpt: str
    """A condition on the model in the engine's own SQL."""
    failed: str = "status >= 500"
    has_a_quote: str = "model LIKE '%''%'"
    """A condition with a quote in a text, in the engine's own SQL."""
    exact: bool = True
    """Whether money keeps its digits: JSON has numbers, and no decimals."""
    has_local_times: bool = True
    has_where: bool = True
    environment: Mapping[str, str] | None = None

    def policy(self, slos: Sequence[Mapping[str, Any]], **more: Any) -> str:
        """Return a policy over the rows, as JSON, which is YAML too.

        Args:
            slos: its SLOs.
            more: keys of the ``backend`` block, beside the timestamp, which is ``ts``.
        """
        return json.dumps(
            {
                "version": 1,
                "service": "chat",
                "backend": {**self.block, "timestamp": "ts", **more},
                "slos": [*slos],
                "tiers": [
                    {"name": "healthy", "remaining": "> 50%", "allow": "all"},
                    {"name": "rest", "otherwise": True, "allow": ["rollback"]},
                ],
            }
        )

    def opened(self, folder: Path, **more: Any) -> Backend:
        """Open the backend as the command does."""
        slo = {"name": "a", "objective": "99%", "window": "3d", "sli": {"bad": self.failed}}
        path = folder / "gate.yaml"
        path.write_text(self.policy([slo], **more), encoding="utf-8")
        loaded = load(str(path), dict(self.environment or {}))
        return open_backend(loaded.settings, Limits(timeout=timedelta(minutes=10)))


Server = Callable[[Path], AbstractContextManager[str]]
Load = Callable[[Sequence[HostileRow], Path], Iterator[Loaded]]


def _values(row: HostileRow) -> tuple[Any, ...]:
    return tuple(getattr(row, name) for name in NAMES)


def write_parquet(rows: Sequence[HostileRow], file: Path) -> None:
    import pyarrow as pa  # noqa: PLC0415 - takes half a second, and collecting is for everybody
    import pyarrow.parquet  # noqa: PLC0415

    types = {
        "ts": pa.timestamp("us", tz="UTC"),
        "local": pa.timestamp("us"),
        "micros": pa.int64(),
        "status": pa.int32(),
        "latency": pa.float64(),
        "cost": pa.decimal128(18, 6),
        "refund": pa.int64(),
        "cached": pa.bool_(),
    }
    schema = pa.schema([(name, types.get(name, pa.string())) for name in NAMES])
    columns = [list(column) for column in zip(*map(_values, rows), strict=True)]
    arrays = [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)]
    # In several groups, so that some can be skipped.
    pyarrow.parquet.write_table(
        pa.Table.from_arrays(arrays, schema=schema), file, row_group_size=500
    )


def write_json(rows: Sequence[HostileRow], file: Path) -> None:
    """Write JSON lines. JSON has neither NaN nor infinities: another number says the same there."""
    lines = []
    for row in rows:
        values = dict(zip(NAMES, _values(row), strict=True))
        values["ts"], values["local"] = row.ts.isoformat(), row.local.isoformat()
        values["cost"] = None if row.cost is None else float(row.cost)
        if row.latency is not None and not math.isfinite(row.latency):
            values["latency"] = -1e300 if row.latency < 0 else None
        lines.append(json.dumps(values) + "\n")
    file.write_text("".join(lines), encoding="utf-8")


def parquet_logs(rows: Sequence[HostileRow], folder: Path) -> Iterator[Loaded]:
    write_parquet(rows, folder / "requests.parquet")
    yield Loaded(
        name="logs",
        block={"type": "logs", "path": str(folder / "requests.parquet")},
        starts_with_gpt="starts_with(model, 'gpt')",
        has_where=False,
    )


def json_logs(rows: Sequence[HostileRow], folder: Path) -> Iterator[Loaded]:
    write_json(rows, folder / "requests.jsonl")
    yield Loaded(
        name="json",
        block={"type": "logs", "path": str(folder / "requests.jsonl")},
        starts_with_gpt="starts_with(model, 'gpt')",
        has_where=False,
        exact=False,
    )


def postgres(rows: Sequence[HostileRow], _folder: Path) -> Iterator[Loaded]:
    from tests.servers.postgres import PASSWORD, READER, postgres  # noqa: PLC0415 - imports psycopg2

    types = {
        "ts": "timestamptz",
        "local": "timestamp",
        "micros": "bigint",
        "status": "integer",
        "latency": "double precision",
        "cost": "numeric(18, 6)",
        "refund": "bigint",
        "cached": "boolean",
    }
    with postgres() as server:
        server.load(
            "requests", {name: types.get(name, "text") for name in NAMES}, list(map(_values, rows))
        )
        yield Loaded(
            name="postgres",
            block={
                "type": "postgres",
                "url": server.url,
                "user": READER,
                "password": "${PASSWORD}",
                "sslmode": "disable",
                "table": "requests",
            },
            starts_with_gpt="model ~ '^gpt'",
            environment={"PASSWORD": PASSWORD},
        )


def clickhouse(rows: Sequence[HostileRow], _folder: Path) -> Iterator[Loaded]:
    from tests.servers.clickhouse import PASSWORD, shared_clickhouse  # noqa: PLC0415 - starts a server

    types = {
        "ts": "DateTime64(6, 'UTC')",
        "local": "String",
        "micros": "Int64",
        "status": "Nullable(Int32)",
        "latency": "Nullable(Float64)",
        "cost": "Nullable(Decimal(18, 6))",
        "refund": "Nullable(Int64)",
        "cached": "Nullable(Bool)",
    }
    columns = ", ".join(f"{name} {types.get(name, 'Nullable(String)')}" for name in NAMES)
    lines = "\n".join("\t".join(map(_tab_separated, _values(row))) for row in rows)
    server = shared_clickhouse()
    server.run(f"CREATE TABLE hostile ({columns}) ENGINE = MergeTree ORDER BY ts")
    server.run(f"INSERT INTO hostile FORMAT TabSeparated {lines}")
    yield Loaded(
        name="clickhouse",
        block={
            "type": "clickhouse",
            "url": server.url,
            "user": "gate",
            "password": "${PASSWORD}",
            "table": "hostile",
        },
        starts_with_gpt="startsWith(model, 'gpt')",
        has_local_times=False,  # a time of ClickHouse's is an instant
        environment={"PASSWORD": PASSWORD},
    )
    server.run("DROP TABLE hostile")


def _tab_separated(value: object) -> str:
    if value is None:
        return r"\N"
    if isinstance(value, datetime):
        return value.replace(tzinfo=None).isoformat(sep=" ")
    return str(value).replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n")


def _spark(server: Server) -> Load:
    def load(rows: Sequence[HostileRow], folder: Path) -> Iterator[Loaded]:
        write_parquet(rows, folder / "requests.parquet")
        with server(folder) as url:
            yield Loaded(
                name="spark",
                block={
                    "type": "spark",
                    "url": url,
                    "table": f"parquet.`{folder / 'requests.parquet'}`",
                },
                starts_with_gpt="startswith(model, 'gpt')",
                has_a_quote="model LIKE 'it_s'",
            )

    return load


ENGINES: Mapping[str, Load] = {
    "parquet": parquet_logs,
    "json": json_logs,
    "postgres": postgres,
    "clickhouse": clickhouse,
    "sail": _spark(sail),
    "apache spark": _spark(apache_spark),
}
SLOW = ("apache spark",)
"""In the slow lane only."""
