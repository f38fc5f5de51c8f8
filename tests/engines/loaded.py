"""The hostile rows in each engine, and the policy's block and conditions for it."""

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from gate.backends import open_backend
from gate.config.load import load
from gate.measure import Backend, Limits
from tests.engines.hostile import HostileRow

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


Load = Callable[[Sequence[HostileRow], Path], Iterator[Loaded]]
ENGINES: Mapping[str, Load] = {"parquet": parquet_logs, "json": json_logs}
SLOW = ("apache spark",)
"""In the slow lane only."""
