"""Request logs: the gate beside the same aggregates that a person writes for DuckDB by hand.

python -m benchmarks.logs
"""

import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from benchmarks.measuring import gate, machine, median, run, take_turns
from benchmarks.policies import write_policy
from gate.backends import open_backend
from gate.check.measure import measure
from gate.config.load import load
from gate.measure import CountRequest, Limits
from gate.measure.capabilities import PastRun, measure_past
from gate.slo.objective import RatioSlo, Span

ROWS = 3_000_000
DAYS = 30
ROUNDS = 5
END = datetime(2026, 10, 31, tzinfo=UTC)
FILES = ("requests.parquet", "requests.jsonl", "days/*.parquet", "days/*.jsonl", "ones/*.json")
ONES = 3_000
"""Files of one request each, as callbacks for object stores write them."""
ONE = {"availability": ("true", "status >= 500")}
EIGHT = {
    **ONE,
    "first-token": ("status = 200", "ttft_ms > 2000"),
    "duration": ("true", "total_ms > 9000"),
    "hallucinations": ("hallucinated IS NOT NULL", "hallucinated"),
    "llama": ("model = 'llama'", "status >= 500"),
    "gpt": ("model = 'gpt'", "status >= 500"),
    "rag": ("route = '/rag'", "status >= 500"),
    "throttled": ("true", "status = 429"),
}
"""Name -> which rows are events, which of them are bad."""
WINDOWS = ("30 days", "3 days", "6 hours", "1 hour", "5 minutes")
BURN_RATES = [
    {"long": "1h", "short": "5m", "rate": 14.4},
    {"long": "3d", "short": "6h", "rate": 1},
]
"""With the budget's own 30 days, these are the windows."""
INSTANTS = 300
ON = {"no_traffic": "allow"}
"""A few thousand requests of a month leave five minutes without any."""


def write_logs(folder: Path) -> None:
    """Write the rows in one file of each format, and in a file a day."""
    (folder / "days").mkdir()
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        gap = timedelta(days=DAYS) / ROWS // timedelta(microseconds=1)
        connection.execute(
            f"""CREATE TABLE requests AS SELECT
                TIMESTAMPTZ '{END}' - to_microseconds(n * {gap}) AS ts,
                'req-' || lpad(to_hex(hash(n)), 16, '0') AS id,
                ['llama', 'gpt', 'mistral'][1 + (hash(n + 1) % 3)::INT] AS model,
                ['/chat', '/rag', '/agent'][1 + (hash(n + 2) % 3)::INT] AS route,
                CASE WHEN hash(n + 3) % 1000 < 2 THEN 500 WHEN hash(n + 3) % 1000 < 9 THEN 429
                    ELSE 200 END AS status,
                (hash(n + 4) % 21000) / 10 AS ttft_ms,
                (hash(n + 5) % 91000) / 10 AS total_ms,
                (hash(n + 6) % 4000)::INT AS tokens,
                CASE WHEN hash(n + 7) % 50 = 0 THEN hash(n + 8) % 40 = 0 END AS hallucinated
            FROM range({ROWS}) AS rows (n)"""
        )
        instant = "strftime(ts AT TIME ZONE 'UTC', '%Y-%m-%dT%H:%M:%S.%fZ')"
        for suffix, columns in (("parquet", "*"), ("jsonl", f"* REPLACE ({instant} AS ts)")):
            form = "parquet" if suffix == "parquet" else "json"
            whole = folder / f"requests.{suffix}"
            connection.execute(
                f"COPY (SELECT {columns} FROM requests ORDER BY requests.ts) TO '{whole}' "
                f"(FORMAT {form})"
            )
            for day in range(DAYS):
                first = f"TIMESTAMPTZ '{END - timedelta(days=DAYS - day)}'"
                connection.execute(
                    f"COPY (SELECT {columns} FROM requests WHERE requests.ts > {first} AND "
                    f"requests.ts <= {first} + INTERVAL 1 DAY ORDER BY requests.ts) "
                    f"TO '{folder}/days/{day:02}.{suffix}' (FORMAT {form})"
                )

        write_ones(connection, folder / "ones")


def write_ones(connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """Write some of the requests in a file each; those that did not fail leave out a key."""
    folder.mkdir()
    chosen = f"SELECT to_json(requests) FROM requests USING SAMPLE {ONES} (reservoir, 7)"
    for number, (text,) in enumerate(connection.execute(chosen).fetchall()):
        row = json.loads(text)
        row["ts"] = row["ts"].replace(" ", "T")
        row |= {"error": "failed"} if row["status"] >= 500 else {}
        (folder / f"{number:05}.json").write_text(json.dumps(row))


def write_gate_policy(
    path: Path, folder: Path, files: str, slos: dict[str, tuple[str, str]]
) -> list[str]:
    """Write a policy on the logs; return the command that checks it."""
    backend = {"type": "logs", "path": str(folder / files), "timestamp": "ts"}
    documents: list[dict[str, Any]] = [
        {
            "name": name,
            "objective": "99%",
            "window": "30d",
            "sli": {"bad": bad, **({} if total == "true" else {"total": total})},
        }
        for name, (total, bad) in slos.items()
    ]
    write_policy(path, backend, documents, burn_rates=BURN_RATES, max_age="1h", on=ON)
    arguments = ("check", str(path), "--change", "canary", "--at", END.isoformat())
    return gate(*arguments, "--format", "json")


def by_hand(folder: Path, files: str, slos: dict[str, tuple[str, str]]) -> str:
    """Return the statement that a person would write for the same numbers."""
    end, counts = f"TIMESTAMPTZ '{END.isoformat(sep=' ')}'", []
    for total, bad in slos.values():
        for window in WINDOWS:
            within = f"ts > {end} - INTERVAL '{window}' AND {total}"
            counts += [f"count(*) FILTER ({within})", f"count(*) FILTER ({within} AND {bad})"]
    reader = "read_parquet" if files.endswith("parquet") else "read_json"
    # JSON has no type for instants; a reader that has to guess takes them for naive ones.
    source = f"(SELECT * REPLACE (ts::TIMESTAMPTZ AS ts) FROM {reader}('{folder / files}'))"
    longest = f"ts > {end} - INTERVAL '{WINDOWS[0]}' AND ts <= {end}"
    counts += ["max(ts)::VARCHAR", "count(DISTINCT date_trunc('hour', ts))"]  # how new, how much
    return f"SELECT {', '.join(counts)} FROM {source} WHERE {longest}"


def ask_duckdb(statement: str) -> Any:
    """Run the statement and return its row: what a person's script does."""
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        return connection.execute(statement).fetchone()


def seconds(work: Callable[[], object]) -> float:
    """Return how long it takes."""
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def compare(folder: Path, files: str, slos: dict[str, tuple[str, str]]) -> None:
    """Print medians and ratios of whole processes, and of the counting alone within one."""
    path, sql = folder / "policy.yaml", folder / "by-hand.sql"
    statement = by_hand(folder, files, slos)
    sql.write_text(statement)
    ours = write_gate_policy(path, folder, files, slos)
    theirs = [sys.executable, "-m", "benchmarks.logs", str(sql)]
    check_counts(folder, ours, theirs)
    whole = take_turns({"gate": ours, "by hand": theirs}, ROUNDS)
    read = load(str(path), {})
    backend = open_backend(read.settings, Limits(timeout=timedelta(minutes=5)))
    alone: dict[str, list[float]] = {"gate": [], "by hand": []}
    for _ in range(ROUNDS):
        alone["gate"].append(seconds(lambda: measure(read.policy, backend, at=END)))
        alone["by hand"].append(seconds(lambda: ask_duckdb(statement)))
    print(f"{files}, {len(slos)} SLOs x {len(WINDOWS)} windows")
    for label, taken in (
        ("process", {name: median(runs) for name, runs in whole.items()}),
        ("counting", {name: statistics.median(times) for name, times in alone.items()}),
    ):
        ratio = taken["gate"] / taken["by hand"]
        print(f"  {label:9} gate {taken['gate']:.2f} s  by hand {taken['by hand']:.2f} s", end="")
        print(f"  ratio {ratio:.2f}")
    most = {name: max(one.megabytes for one in runs) for name, runs in whole.items()}
    print(f"  memory    gate {most['gate']:.0f} MB  by hand {most['by hand']:.0f} MB")


def compare_past(folder: Path, files: str) -> None:
    """Print how long many instants of the past take together, beside one of them."""
    path = folder / "policy.yaml"
    write_gate_policy(path, folder, files, EIGHT)
    read = load(str(path), {})
    backend = open_backend(read.settings, Limits(timeout=timedelta(minutes=5)))
    spans = [timedelta(days=30), timedelta(days=3), timedelta(hours=6), timedelta(hours=1)]

    def run_at(at: datetime) -> PastRun:
        slos = [slo for slo in read.policy.slos if isinstance(slo, RatioSlo)]
        requests = [
            CountRequest(sli=slo.sli, span=Span(at - span, at), probe=span == spans[0])
            for slo in slos
            for span in spans
        ]
        return PastRun(requests=tuple(requests), at=at)

    runs = [run_at(END - number * timedelta(hours=1, seconds=7)) for number in range(INSTANTS)]
    alone = statistics.median(seconds(lambda: measure_past(backend, runs[:1])) for _ in range(3))
    together = seconds(lambda: measure_past(backend, runs))
    print(f"{files}, {len(EIGHT)} SLOs x {len(spans)} windows at {INSTANTS} instants")
    print(f"  together  {together:.2f} s  one {alone:.2f} s  ratio {together / alone:.1f}")


def check_counts(folder: Path, ours: list[str], theirs: list[str]) -> None:
    """Check that both count the same over the longest window."""
    outputs = [folder / "gate.json", folder / "by-hand.json"]
    for command, output in zip((ours, theirs), outputs, strict=True):
        run(command, output=output)
    found, expected = (json.loads(output.read_text()) for output in outputs)
    counted = [(slo["total"], slo["bad"]) for slo in found["policies"][0]["slos"]]
    step = 2 * len(WINDOWS)
    wanted = [tuple(expected[n : n + 2]) for n in range(0, step * len(counted), step)]
    if counted != wanted:
        raise SystemExit(f"the gate counted {counted}, by hand it is {wanted}")


def main() -> None:
    """Run the comparisons: one SLO and eight, one file and a file a day."""
    print(f"{machine()}, DuckDB {duckdb.__version__}, {ROWS:,} rows")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_logs(folder)
        for files in FILES:
            for slos in (ONE, EIGHT):
                compare(folder, files, slos)
        for files in FILES[:2]:
            compare_past(folder, files)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(ask_duckdb(Path(sys.argv[1]).read_text())))
    else:
        main()
