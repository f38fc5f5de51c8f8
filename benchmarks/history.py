"""A month of 100 SLOs in 5-minute steps, beside the very same range queries sent by curl.

python -m benchmarks.history [--rounds 5]
"""

import argparse
import json
import tempfile
from pathlib import Path

from benchmarks.measuring import (
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
from tests.servers.metrics import backfill, prometheus
from tests.servers.proxy import counting_proxy
from tests.servers.series import END

SLOS = 100
SCRAPE = 120
"""Seconds: two in a step, at least."""
SCRAPES = 30 * 24 * 3600 // SCRAPE
ROUNDS = 5
"""Where nothing else is said."""
AT = END.isoformat()
PARALLEL = 8
"""As many as the gate sends at once."""


def write_series(path: Path) -> None:
    """Write two counters for each of 100 models; each model has an outage of an hour."""
    end = int(END.timestamp())
    times = [end - SCRAPE * (SCRAPES - tick) for tick in range(SCRAPES + 1)]
    with path.open("w", encoding="utf-8") as file:
        for model in range(SLOS):
            outage = range(200 * model + 500, 200 * model + 530)
            for code in ("200", "500"):
                head, value = f'llm_requests_total{{model="m{model}",code="{code}"}} ', 0
                for tick, time in enumerate(times):
                    failing = tick in outage
                    value += (90 if code == "200" else 10) if failing else int(code == "200") * 100
                    file.write(f"{head}{value} {time}\n")
        file.write("# EOF\n")


def incidents(policy: Path, url: str, count: int) -> list[str]:
    """Write a policy with so many SLOs; return the command that looks at their month."""
    slos = [slo(f"m{model}", f'model="m{model}"', 'code="500"') for model in range(count)]
    write_policy(policy, {"type": "prometheus", "url": url}, slos)
    options = ("--last", "30d", "--step", "5m", "--timeout", "120s", "--min-share", "0%")
    return gate("incidents", str(policy), *options, "--at", AT, "--format", "json")


def record(policy: Path, url: str, folder: Path) -> list[str]:
    """Run once, see that every outage was found, and return curl with the same queries."""
    document = folder / "incidents.json"
    with counting_proxy(url) as proxy:
        run(incidents(policy, proxy.url, SLOS), output=document)
    (service,) = json.loads(document.read_text())["services"]
    felt = sum(len(one["slos"]) for one in service["incidents"])
    if felt != SLOS:
        raise RuntimeError(f"{felt} outages were found of {SLOS}")
    lines = []
    for place, body in enumerate(proxy.traffic.bodies):
        (folder / f"body{place}").write_bytes(body)
        lines += [
            f'url = "{url}/api/v1/{"query_range" if b"&start=" in body else "query"}"',
            f'data = "@{folder}/body{place}"',
            f'output = "{folder}/answer{place}"',
            "compressed",
            "next",
        ]
    (folder / "curl").write_text("\n".join(lines[:-1]) + "\n")
    print(f"{len(proxy.traffic.bodies)} requests, {felt} outages found")
    parallel = ["--parallel", "--parallel-immediate", "--parallel-max", str(PARALLEL)]
    # Without --fail: what the server refused as too large is refused once more.
    return ["curl", "--silent", *parallel, "--config", str(folder / "curl")]


def main() -> None:
    """Print the medians, their ratios and the memory."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="how many runs of each command")
    rounds = parser.parse_args().rounds
    print(machine())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_series(folder / "history.om")
        backfill(folder / "history.om", folder / "data", seconds=900)
        with prometheus(folder / "server", folder / "data") as server:
            policy = folder / "policy.yaml"
            curl = record(policy, server.url, folder)
            commands = {
                f"gate incidents, {SLOS} SLOs": incidents(policy, server.url, SLOS),
                "gate incidents, 10 SLOs": incidents(folder / "tenth.yaml", server.url, 10),
                "the same queries, curl": curl,
            }
            runs = take_turns(commands, rounds, server.pid)
        size = sum(answer.stat().st_size for answer in folder.glob("answer*")) / 1e6
    for label, taken in runs.items():
        most = max(one.megabytes for one in taken)
        print(f"{label:26} median {median(taken):5.2f} s, {most:5.1f} MB at most", end="")
        print(f", fastest {fastest(taken):5.2f} s; of a processor {median_busy(taken):5.2f} s")
    ours, bare = runs[f"gate incidents, {SLOS} SLOs"], runs["the same queries, curl"]
    print(f"ratio of medians {median(ours) / median(bare):.2f}", end=", ")
    print(f"of the fastest {fastest(ours) / fastest(bare):.2f}", end=", ")
    print(f"of the processor time with the server's {median_of_all(ours):.2f} s", end="")
    print(f" / {median_of_all(bare):.2f} s = {median_of_all(ours) / median_of_all(bare):.2f}")
    print(f"{rounds} rounds; answers of {size:.0f} MB; at the end {machine()}")


if __name__ == "__main__":
    main()
