"""A policy over three sources of different speed, beside one policy for each of them.

python -m benchmarks.sources [--rows 2000000]

Two are Prometheus servers behind a proxy that answers late, the third is a request log. All are
asked at the same time, so that the run should take 1.2 times what the slowest takes by itself and
0.2 s more, at most.
"""

import argparse
import json
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import yaml

from benchmarks.measuring import gate, machine, median, take_turns
from benchmarks.policies import TIERS, availability
from tests.servers.metrics import backfill, prometheus, write_history
from tests.servers.proxy import counting_proxy
from tests.servers.series import END

FACTOR, SLACK = 1.2, 0.2
"""What several sources may take: of the slowest, and seconds beside it."""
LATE, LATER = 0.5, 0.8
"""Seconds by which the two servers answer late."""


def write_log(path: Path, rows: int) -> None:
    """Write so many requests, spread evenly over the thirty days before the history's end."""
    between = timedelta(days=30) / rows
    with path.open("w", encoding="utf-8") as stream:
        for place in range(rows):
            at = (END - place * between).isoformat()
            stream.write(json.dumps({"ts": at, "status": 500 if place % 9973 == 0 else 200}) + "\n")


def write(folder: Path, name: str, sources: dict[str, Any]) -> list[str]:
    """Write a policy over these sources; return the command that decides by it."""
    slos = [
        {
            "name": source,
            "objective": "99.9%",
            "window": "30d",
            "backend": source,
            "sli": {"bad": "status >= 500"},
        }
        if backend["type"] == "logs"
        else {**availability("trough"), "name": source, "backend": source}
        for source, backend in sources.items()
    ]
    document = {
        "version": 1,
        "service": "chat",
        "backends": sources,
        "slos": slos,
        "tiers": TIERS,
    }
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    return gate("check", str(path), "--change", "canary", "--at", END.isoformat(), "--dry-run")


def main() -> None:
    """Print the wall time of each source alone, of all together, and what that may be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=2_000_000, help="of the request log")
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    print(machine())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_log(folder / "requests.jsonl", options.rows)
        write_history(folder / "history.om")
        backfill(folder / "history.om", folder / "data")
        with (
            prometheus(folder / "server", folder / "data") as server,
            counting_proxy(server.url, LATE) as late,
            counting_proxy(server.url, LATER) as later,
        ):
            log = str(folder / "requests.jsonl")
            sources = {
                "late": {"type": "prometheus", "url": late.url},
                "later": {"type": "prometheus", "url": later.url},
                "log": {"type": "logs", "path": log, "timestamp": "ts"},
            }
            commands = {
                source: write(folder, source, {source: backend})
                for source, backend in sources.items()
            }
            commands["all"] = write(folder, "all", sources)
            times = {
                name: median(runs) for name, runs in take_turns(commands, options.rounds).items()
            }
    for source, seconds in times.items():
        print(f"{source:6} {seconds:6.2f} s")
    slowest = max(times[source] for source in sources)
    most, over = FACTOR * slowest + SLACK, times["all"] - slowest
    print(f"all together: {over:+.2f} s against the slowest; {most:.2f} s would be the most")
    if times["all"] > most:
        raise SystemExit("that is too long")


if __name__ == "__main__":
    main()
