"""Request logs in a store of objects: the gate beside the same aggregate by hand, and what is read.

python -m benchmarks.stores
"""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from os import environ
from pathlib import Path
from typing import Final

import duckdb

from benchmarks.measuring import Run, gate, machine, median, median_busy, run
from tests.servers.stores import BucketOfServer, Front, before, object_server

ROWS: Final = 500_000
"""A day; 20 days hold 10 million."""
DAYS: Final = 40
WINDOW: Final = 20
ROUNDS: Final = 3
END: Final = datetime(2026, 10, 31, tzinfo=UTC)
POLICY: Final = f"""\
version: 1
service: chat
backend: {{type: logs, path: "s3://requests/logs/dt=*/*.parquet", timestamp: ts}}
slos:
  - {{name: availability, objective: 99%, window: {WINDOW}d, sli: {{bad: status >= 500}}}}
  - {{name: slow, objective: 95%, window: {WINDOW}d, sli: {{bad: latency_ms > 2900}}}}
tiers:
  - {{name: healthy, remaining: "> 10%", allow: all}}
  - {{name: exhausted, otherwise: true, allow: [rollback]}}
"""
BY_HAND: Final = """\
import sys, duckdb
from datetime import timedelta
from gate.backends.logs.objects import ObjectFiles
from gate.backends.logs.partitions import parse_path
from gate.backends.logs.stores import bucket_url, open_store
url = bucket_url("s3://requests/logs/*/*.parquet", "")
files = ObjectFiles(open_store(url, timedelta(seconds=60)), url, timedelta(seconds=60))
names = [n for n in files.find(parse_path(url.root, url.key), None).names if n > sys.argv[1]]
connection = duckdb.connect()
connection.register_filesystem(files)
print(connection.execute(
    "SELECT epoch_us(ts) // 3600000000, count(*), count_if(status >= 500), "
    "count_if(latency_ms > 2900), max(ts) FROM read_parquet(?) WHERE ts > ?::TIMESTAMPTZ "
    "GROUP BY 1", [names, sys.argv[2]]
).fetchall()[:1])
"""
"""What a person would write who has the same file system, and knows the files' names."""


def write_days(folder: Path, bucket: BucketOfServer) -> int:
    """Write a Parquet object a day; returns their bytes."""
    size = 0
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for ago in range(1, DAYS + 1):
            start = END - timedelta(days=ago)
            path = folder / "day.parquet"
            connection.execute(
                f"COPY (SELECT TIMESTAMPTZ '{start}' + INTERVAL (n * 86400000 // {ROWS} + 1) "
                "MILLISECOND AS ts, (CASE WHEN n % 333 = 0 THEN 500 ELSE 200 END)::INTEGER AS "
                "status, (n * 7919 % 3000)::DOUBLE AS latency_ms, 'request-' || hash(n) AS id, "
                f"repeat('x', 20) || hash(n) AS prompt FROM range({ROWS}) t(n)) "
                f"TO '{path}' (FORMAT parquet, COMPRESSION zstd)"
            )
            content = path.read_bytes()
            size += len(content)
            bucket.put(f"logs/dt={start:%Y-%m-%d}/a.parquet", content)
    return size


@contextmanager
def served(folder: Path) -> Iterator[tuple[Front, int]]:
    """Run the server with the objects, and a proxy that counts what is asked."""
    with object_server(folder, keys=1000) as server, before(server) as front:
        size = write_days(folder, server.make("requests"))
        yield front, size


def main() -> int:
    """Print the figures of `docs/object-stores.md` and `benchmarks/README.md`."""
    print(machine())
    with tempfile.TemporaryDirectory() as name, served(folder := Path(name)) as (front, size):
        (policy := folder / "gate.yaml").write_text(POLICY, encoding="utf-8")
        at = f"{END:%Y-%m-%dT%H:%M:%SZ}"
        login = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_REGION": "us-east-1"}
        variables = {**environ, **login, "AWS_ENDPOINT_URL": front.url}
        check = gate("check", str(policy), "--at", at, "--dry-run", "--policy-ref", "none")
        since = END - timedelta(days=WINDOW)
        first = f"s3://requests/logs/dt={since - timedelta(days=1):%Y-%m-%d}"
        by_hand = [sys.executable, "-c", BY_HAND, first, since.isoformat()]
        commands = {"gate check": check, "by hand": by_hand}

        def measure(label: str) -> tuple[Run, int, int, int]:
            front.seen.clear()
            front.received = 0
            taken = run(commands[label], variables)
            return taken, len(front.seen), front.received, len(front.objects())

        rounds: dict[str, list[tuple[Run, int, int, int]]] = {label: [] for label in commands}
        for _ in range(ROUNDS):
            for label, measured in rounds.items():
                measured.append(measure(label))
        print(f"{DAYS} days of {ROWS:,} rows, {size / 1e6:.0f} MB; window of {WINDOW} days")
        for label, measured in rounds.items():
            runs = [taken for taken, *_ in measured]
            seconds, busy = median(runs), median_busy(runs)
            memory = max(taken.megabytes for taken in runs)
            _, requests, received, objects = measured[-1]
            print(
                f"{label}: {seconds:.2f} s, {busy:.2f} s of a processor, {memory:.0f} MB,"
                f" {requests} requests,"
                f" {received / 1e6:.1f} MB of {objects} objects"
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
