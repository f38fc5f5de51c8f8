"""A backtest of 90 days: 10 SLOs over 30 days each, 300 deploys, on a Prometheus of four months.

python -m benchmarks.backtest [--deploys 300] [--every 1h] [--looking-back]
"""

import argparse
import json
import random
import tempfile
from datetime import timedelta
from pathlib import Path

from benchmarks.measuring import gate, machine, run
from benchmarks.policies import slo, write_policy
from tests.servers.metrics import backfill, prometheus
from tests.servers.proxy import counting_proxy
from tests.servers.series import END

SLOS = 10
DEPLOYS = 300
"""Where nothing else is said."""
LAST = timedelta(days=90)
SCRAPE = 120
"""Seconds: two in a step of five minutes, as in benchmarks.history."""
SCRAPES = 121 * 24 * 3600 // SCRAPE
"""One SLO window and a day more than is looked back."""
SEED = 20261129
SECONDS, QUERIES = 30, 200
"""What it is to take at most."""
RULES = {
    "postmortems": {"share": "20%", "known_incidents": "incidents/*.yaml"},
    "control_charts": {"effect": "warn"},
}


def write_series(path: Path) -> None:
    """Write two counters for each of ten models; each has an outage of an hour every 30 days."""
    end = int(END.timestamp())
    times = [end - SCRAPE * (SCRAPES - tick) for tick in range(SCRAPES + 1)]
    month, hour = 30 * 86400 // SCRAPE, 3600 // SCRAPE
    with path.open("w", encoding="utf-8") as file:
        for model in range(SLOS):
            for code in ("200", "500"):
                head, value = f'llm_requests_total{{model="m{model}",code="{code}"}} ', 0
                for tick, time in enumerate(times):
                    failing = (tick - model * 2000) % month < hour
                    value += (80 if code == "200" else 20) if failing else int(code == "200") * 100
                    file.write(f"{head}{value} {time}\n")
        file.write("# EOF\n")


def write_deploys(path: Path, count: int) -> None:
    """Write deploys at random seconds."""
    chance = random.Random(SEED)
    seconds = int(LAST.total_seconds())
    with path.open("w", encoding="utf-8") as file:
        for place in range(count):
            time = END - timedelta(seconds=chance.randrange(seconds))
            file.write(json.dumps({"time": time.isoformat(), "revision": f"v{place}"}) + "\n")


def main() -> None:
    """Print how long it takes, how many requests it needs, and the memory."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--deploys", type=int, default=DEPLOYS, help="how many")
    parser.add_argument("--every", help="ask by the clock as well")
    parser.add_argument(
        "--looking-back", action="store_true", help="with rules that need the history"
    )
    asked = parser.parse_args()
    print(machine())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_series(folder / "history.om")
        backfill(folder / "history.om", folder / "data", seconds=600)
        write_deploys(folder / "deploys.jsonl", asked.deploys)
        with prometheus(folder / "server", folder / "data") as server:
            slos = [slo(f"m{model}", f'model="m{model}"', 'code="500"') for model in range(SLOS)]
            more = RULES if asked.looking_back else {}
            with counting_proxy(server.url) as proxy:
                policy = write_policy(
                    folder / "policy.yaml",
                    {"type": "prometheus", "url": proxy.url},
                    slos,
                    burn_rates="google-30d",
                    **more,
                )
                command = gate(
                    *("backtest", str(policy), "--last", "90d", "--at", END.isoformat()),
                    *("--deploys", str(folder / "deploys.jsonl"), "--format", "json"),
                    *("--timeout", "10m"),
                    *(("--every", asked.every) if asked.every else ()),
                )
                taken = run(command, output=folder / "backtest.json")
            found = json.loads((folder / "backtest.json").read_text())["services"][0]["policy"]
    verdicts = {name: one["count"] for name, one in found["verdicts"].items()}
    print(f"{found['count']} deploys, {len(found['results'])} instants: {verdicts}")
    print(
        f"{taken.seconds:.1f} s of {SECONDS}, {taken.busy:.1f} s of a processor, "
        f"{proxy.traffic.requests} requests of {QUERIES}, {taken.megabytes:.0f} MB"
    )


if __name__ == "__main__":
    main()
