"""A backtest of 90 days: 10 SLOs over 30 days each, 300 deploys, on a Prometheus of four months.

python -m benchmarks.backtest [--rounds 3] [--deploys 300] [--scrape 120] [--every 1h]
    [--looking-back]

Beside it, in turns, the very same queries sent by requests with nothing else done: that is the
server's part. And some of the deploys, checked one by one. Where other work keeps the machine busy,
compare processor time, which that lengthens less than the time that passes.
"""

import argparse
import json
import random
import statistics
import sys
import tempfile
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from benchmarks.measuring import (
    Run,
    fastest,
    gate,
    machine,
    median,
    median_busy,
    median_of_all,
    run,
    take_turns,
)
from benchmarks.policies import slo, write_policy
from tests.servers.metrics import Server, backfill, prometheus
from tests.servers.proxy import counting_proxy
from tests.servers.series import END

SLOS = 10
DEPLOYS = 300
"""Where nothing else is said."""
LAST = timedelta(days=90)
SCRAPE = 120
"""Seconds: two in a step of five minutes, as in benchmarks.history; where nothing else is said."""
DAYS = 121
"""One SLO window and a day more than is looked back."""
ROUNDS = 3
"""Where nothing else is said."""
ALONE = 5
"""Deploys that are checked one by one."""
SEED = 20261129
SECONDS, QUERIES = 30, 200
"""What it is to take at most."""
RULES = {
    "postmortems": {"share": "20%", "known_incidents": "incidents/*.yaml"},
    "control_charts": {"effect": "warn"},
}


def write_series(path: Path, scrape: int) -> None:
    """Write two counters for each of ten models; each has an outage of an hour every 30 days."""
    end, scrapes = int(END.timestamp()), DAYS * 24 * 3600 // scrape
    times = [end - scrape * (scrapes - tick) for tick in range(scrapes + 1)]
    month, hour = 30 * 86400 // scrape, 3600 // scrape
    with path.open("w", encoding="utf-8") as file:
        for model in range(SLOS):
            for code in ("200", "500"):
                head, value = f'llm_requests_total{{model="m{model}",code="{code}"}} ', 0
                for tick, time in enumerate(times):
                    failing = (tick - model * month // SLOS) % month < hour
                    value += (80 if code == "200" else 20) if failing else int(code == "200") * 100
                    file.write(f"{head}{value} {time}\n")
        file.write("# EOF\n")


def deploys(count: int) -> list[datetime]:
    """Return random seconds."""
    chance = random.Random(SEED)
    seconds = int(LAST.total_seconds())
    return [END - timedelta(seconds=chance.randrange(seconds)) for _ in range(count)]


def write_deploys(path: Path, times: Sequence[datetime]) -> None:
    """Write deploys at these times."""
    with path.open("w", encoding="utf-8") as file:
        for place, time in enumerate(times):
            file.write(json.dumps({"time": time.isoformat(), "revision": f"v{place}"}) + "\n")


def backtest(folder: Path, url: str, options: argparse.Namespace) -> list[str]:
    """Write a policy for a server at this address; return the command."""
    slos = [slo(f"m{model}", f'model="m{model}"', 'code="500"') for model in range(SLOS)]
    policy = write_policy(
        folder / "policy.yaml",
        {"type": "prometheus", "url": url},
        slos,
        burn_rates="google-30d",
        **(RULES if options.looking_back else {}),
    )
    return gate(
        *("backtest", str(policy), "--last", "90d", "--at", END.isoformat()),
        *("--deploys", str(folder / "deploys.jsonl"), "--format", "json", "--timeout", "10m"),
        *(("--every", options.every) if options.every else ()),
    )


def record(folder: Path, url: str, options: argparse.Namespace) -> Path:
    """Run once; print what was found and how many requests it took; return what was sent."""
    document, recorded = folder / "backtest.json", folder / "recorded.json"
    with counting_proxy(url) as proxy:
        run(backtest(folder, proxy.url, options), output=document)
    bodies = [body.decode() for body in proxy.traffic.bodies]
    recorded.write_text(json.dumps(bodies))
    found = json.loads(document.read_text())["services"][0]["policy"]
    verdicts = {name: one["count"] for name, one in found["verdicts"].items()}
    print(f"{found['count']} deploys, {len(found['results'])} instants: {verdicts}")
    print(f"{len(bodies)} requests of {QUERIES}, {proxy.traffic.round_trips} one after another")
    return recorded


def compare(folder: Path, server: Server, options: argparse.Namespace) -> float:
    """Print the times of the command and of its queries alone; return the server's in seconds."""
    recorded = record(folder, server.url, options)
    ours, bare = "gate backtest", "the same queries"
    commands = {
        ours: backtest(folder, server.url, options),
        bare: [sys.executable, "-m", "benchmarks.fetching", server.url, str(recorded)],
    }
    runs = take_turns(commands, options.rounds, server.pid)
    for label, taken in runs.items():
        most = max(one.megabytes for one in taken)
        print(
            f"{label:16} median {median(taken):5.1f} s, fastest {fastest(taken):5.1f} s; of a "
            f"processor {median_busy(taken):4.1f} s its own and {median_served(taken):4.1f} s the "
            f"server's; {most:3.0f} MB at most"
        )
    print(
        f"fastest {fastest(runs[ours]):.1f} s of {SECONDS}; ratio of medians "
        f"{median(runs[ours]) / median(runs[bare]):.2f}, of the processor time with the server's "
        f"{median_of_all(runs[ours]) / median_of_all(runs[bare]):.2f} ({options.rounds} rounds)"
    )
    return median_served(runs[ours])


def check_alone(folder: Path, server: Server, times: Sequence[datetime], together: float) -> None:
    """Print what checks of some deploys, one by one, take of the server's processor."""
    policy = str(folder / "policy.yaml")
    checks = [gate("check", policy, "--dry-run", "--at", at.isoformat()) for at in times[:ALONE]]
    alone = sum(run(check, server=server.pid).served for check in checks) / ALONE
    print(
        f"one check: {alone * 1000:.0f} ms of the server's processor; each of all "
        f"{len(times)} together takes {together / (alone * len(times)):.2f} of that"
    )


def median_served(runs: Sequence[Run]) -> float:
    """Return the median of the server's processor times in seconds."""
    return statistics.median(one.served for one in runs)


def main() -> None:
    """Print how long it takes, how many requests it needs, and the memory."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="how many runs of each command")
    parser.add_argument("--deploys", type=int, default=DEPLOYS, help="how many")
    parser.add_argument("--scrape", type=int, default=SCRAPE, help="seconds between samples")
    parser.add_argument("--every", help="judge by the clock as well")
    parser.add_argument(
        "--looking-back", action="store_true", help="with rules that need the history"
    )
    options = parser.parse_args()
    times = deploys(options.deploys)
    print(machine())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_series(folder / "history.om", options.scrape)
        backfill(folder / "history.om", folder / "data", seconds=900)
        write_deploys(folder / "deploys.jsonl", times)
        with prometheus(folder / "server", folder / "data") as server:
            together = compare(folder, server, options)
            check_alone(folder, server, times, together)
    print(f"at the end {machine()}")


if __name__ == "__main__":
    main()
