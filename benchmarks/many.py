"""1,000 SLOs in one run, beside fetching the very same answers with requests and nothing else.

python -m benchmarks.many [--minutes 60] [--rounds 7]

On the processors of the server, and beside other work, the processor time of both together says
more than the clock does.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

from benchmarks.measuring import (
    fastest,
    gate,
    least_busy,
    least_of_all,
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

SLOS = 1000
DAYS = 30
AT = END.isoformat()


def write_series(path: Path, minutes: int = 60) -> None:
    """Write two counters for each of 1,000 models for thirty days, with so long between samples."""
    end, steps = int(END.timestamp()), DAYS * 24 * 60 // minutes
    times = [end - 60 * minutes * (steps - step) for step in range(steps + 1)]
    with path.open("w", encoding="utf-8") as file:
        for model in range(SLOS):
            for code, step in (("200", 10_000 + model), ("500", model % 7)):
                head = f'llm_requests_total{{model="m{model}",code="{code}"}} '
                file.writelines(f"{head}{step * n} {time}\n" for n, time in enumerate(times))
        file.write("# EOF\n")


def main() -> None:
    """Run the comparison."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=int, default=60, help="between two samples")
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    print(machine(), f"a sample every {options.minutes} minutes", sep=", ")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_series(folder / "many.om", options.minutes)
        backfill(folder / "many.om", folder / "data", 600)
        with prometheus(folder / "server", folder / "data") as server:
            compare(folder, server, options.rounds)


def check_command(policy: Path, url: str, count: int) -> list[str]:
    """Write a policy with so many SLOs; return the command that checks it."""
    slos = [slo(f"m{model}", f'model="m{model}"', 'code="500"') for model in range(count)]
    write_policy(policy, {"type": "prometheus", "url": url}, slos)
    # What is allowed at another instant is undecided now; to look at it only is no failure.
    looked_at = ("--at", AT, "--dry-run")
    return gate("check", str(policy), "--change", "canary", *looked_at, "--format", "json")


def record(policy: Path, url: str, recorded: Path) -> None:
    """Keep the queries of a run in a file, and make sure that every SLO was measured."""
    document = policy.with_suffix(".json")
    with counting_proxy(url) as proxy:
        run(check_command(policy, proxy.url, SLOS), output=document)
    bodies = [body.decode() for body in proxy.traffic.bodies]
    recorded.write_text(json.dumps(bodies))
    slos = json.loads(document.read_text())["policies"][0]["slos"]
    measured = sum(one["status"] == "measured" for one in slos)
    if measured != SLOS:
        raise RuntimeError(f"only {measured} of {SLOS} SLOs were measured")
    sent = sum(map(len, bodies)) / 1e6
    print(f"{len(bodies)} requests, {sent:.1f} MB, {measured} SLOs measured")


def compare(folder: Path, server: Server, rounds: int) -> None:
    """Print the medians, their ratio and the memory."""
    policy, recorded = folder / "policy.yaml", folder / "recorded.json"
    record(policy, server.url, recorded)
    tenth = check_command(folder / "tenth.yaml", server.url, SLOS // 10)
    commands = {
        f"gate, {SLOS} SLOs": check_command(policy, server.url, SLOS),
        f"gate, {SLOS // 10} SLOs": tenth,
        "plain requests": [sys.executable, "-m", "benchmarks.fetching", server.url, str(recorded)],
        "python -c pass": [sys.executable, "-c", "pass"],
    }
    runs = take_turns(commands, rounds, server.pid)
    for label, taken in runs.items():
        most = max(one.megabytes for one in taken)
        print(
            f"{label:16} median {median(taken):5.2f} s, fastest {fastest(taken):5.2f} s,"
            f" processor {median_busy(taken):5.2f} s, least {least_busy(taken):5.2f} s,"
            f" with the server's {median_of_all(taken):5.2f} s,"
            f" {most:5.1f} MB at most"
        )
    ours, bare = runs[f"gate, {SLOS} SLOs"], runs["plain requests"]
    measures = {
        "wall": (median, fastest),
        "processor": (median_busy, least_busy),
        "processor of both": (median_of_all, least_of_all),
    }
    for label, (middle, least) in measures.items():
        print(f"{label}: ratio of medians {middle(ours) / middle(bare):.2f}", end=", ")
        print(f"of the least {least(ours) / least(bare):.2f} ({rounds} rounds)")


if __name__ == "__main__":
    main()
