"""A backtest of 90 days: 10 SLOs over 30 days each, 300 deploys, on a Prometheus of four months.

python -m benchmarks.backtest [--deploys 300] [--scrape 120] [--every 1h] [--looking-back]

Beside it checks one by one of some of the deploys. Processor time is what to compare: other work on
the machine lengthens it less than the time that passes.
"""

import argparse
import json
import os
import random
import tempfile
from collections.abc import Sequence
from datetime import datetime, timedelta
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
"""Seconds: two in a step of five minutes, as in benchmarks.history; where nothing else is said."""
DAYS = 121
"""One SLO window and a day more than is looked back."""
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


def busy(pid: int) -> float:
    """Return the seconds of a processor that a process has had."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
    # https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html: utime and stime, 14th and 15th
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Print how long it takes, how many requests it needs, and the memory."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--deploys", type=int, default=DEPLOYS, help="how many")
    parser.add_argument("--scrape", type=int, default=SCRAPE, help="seconds between samples")
    parser.add_argument("--every", help="ask by the clock as well")
    parser.add_argument(
        "--looking-back", action="store_true", help="with rules that need the history"
    )
    asked = parser.parse_args()
    times = deploys(asked.deploys)
    print(machine())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_series(folder / "history.om", asked.scrape)
        backfill(folder / "history.om", folder / "data", seconds=900)
        write_deploys(folder / "deploys.jsonl", times)
        slos = [slo(f"m{model}", f'model="m{model}"', 'code="500"') for model in range(SLOS)]
        more = RULES if asked.looking_back else {}
        with (
            prometheus(folder / "server", folder / "data") as server,
            counting_proxy(server.url) as proxy,
        ):
            policy = write_policy(
                folder / "policy.yaml",
                {"type": "prometheus", "url": proxy.url},
                slos,
                burn_rates="google-30d",
                **more,
            )
            begin = busy(server.pid)
            for at in times[:ALONE]:
                run(gate("check", str(policy), "--dry-run", "--at", at.isoformat()))
            alone = (busy(server.pid) - begin) / ALONE
            requests, begin = proxy.traffic.requests, busy(server.pid)
            command = gate(
                *("backtest", str(policy), "--last", "90d", "--at", END.isoformat()),
                *("--deploys", str(folder / "deploys.jsonl"), "--format", "json"),
                *("--timeout", "10m"),
                *(("--every", asked.every) if asked.every else ()),
            )
            taken = run(command, output=folder / "backtest.json")
            together = busy(server.pid) - begin
            requests = proxy.traffic.requests - requests
        found = json.loads((folder / "backtest.json").read_text())["services"][0]["policy"]
    verdicts = {name: one["count"] for name, one in found["verdicts"].items()}
    print(f"{found['count']} deploys, {len(found['results'])} instants: {verdicts}")
    print(
        f"{taken.seconds:.1f} s of {SECONDS}, {requests} requests of {QUERIES}, "
        f"{taken.megabytes:.0f} MB; of a processor {together:.1f} s the server's and "
        f"{taken.busy:.1f} s the gate's"
    )
    print(
        f"one check: {alone * 1000:.0f} ms of the server's processor; all of them together take "
        f"{together / (alone * len(found['results'])):.2f} of that for each"
    )


if __name__ == "__main__":
    main()
