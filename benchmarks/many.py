"""1,000 SLOs in one run, beside fetching the very same answers with requests and nothing else.

python -m benchmarks.many
"""

import json
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import parse_qsl

import requests

from benchmarks.measuring import gate, machine, median, run, take_turns
from benchmarks.policies import slo, write_policy
from tests.servers.metrics import backfill, prometheus
from tests.servers.proxy import counting_proxy
from tests.servers.series import END

SLOS = 1000
HOURS = 30 * 24
THREADS = 8
ROUNDS = 5
AT = END.isoformat()


def write_series(path: Path) -> None:
    """Write two counters for each of 1,000 models, hour by hour for thirty days."""
    end = int(END.timestamp())
    times = [end - 3600 * (HOURS - hour) for hour in range(HOURS + 1)]
    with path.open("w", encoding="utf-8") as file:
        for model in range(SLOS):
            for code, step in (("200", 10_000 + model), ("500", model % 7)):
                head = f'llm_requests_total{{model="m{model}",code="{code}"}} '
                file.writelines(f"{head}{step * n} {time}\n" for n, time in enumerate(times))
        file.write("# EOF\n")


def fetch(url: str, recorded: Path) -> None:
    """Send recorded queries and read the answers: what the gate's run costs at the very least."""
    session = requests.Session()
    adapter = requests.adapters.HTTPAdapter(pool_maxsize=THREADS)
    session.mount("http://", adapter)

    def ask(body: str) -> int:
        answer = session.post(f"{url}/api/v1/query", data=dict(parse_qsl(body)), timeout=60)
        answer.raise_for_status()
        return len(answer.json()["data"]["result"])

    with ThreadPoolExecutor(THREADS) as pool:
        print(sum(pool.map(ask, json.loads(recorded.read_text()))))


def main() -> None:
    """Run the comparison."""
    print(machine())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_series(folder / "many.om")
        backfill(folder / "many.om", folder / "data")
        with prometheus(folder / "server", folder / "data") as server:
            compare(folder, server.url)


def compare(folder: Path, url: str) -> None:
    """Print both medians, their ratio and the memory."""
    slos = [slo(f"m{model}", f'model="m{model}"', 'code="500"') for model in range(SLOS)]
    policy, recorded = folder / "policy.yaml", folder / "recorded.json"
    # An hour between samples: the newest is recent enough at the instant that is asked about.
    with counting_proxy(url) as proxy:
        write_policy(policy, {"type": "prometheus", "url": proxy.url}, slos)
        command = gate("check", str(policy), "--change", "canary", "--at", AT, "--format", "json")
        first = run(command, output=folder / "decision.json")
    bodies = [body.decode() for body in proxy.traffic.bodies]
    recorded.write_text(json.dumps(bodies))
    decision = json.loads((folder / "decision.json").read_text())
    measured = sum(one["total"] is not None for one in decision["policies"][0]["slos"])
    print(f"{len(bodies)} requests, {measured} of {SLOS} SLOs measured, exit code {first.code}")
    write_policy(policy, {"type": "prometheus", "url": url}, slos)
    commands = {
        "gate": command,
        "plain requests": [sys.executable, "-m", "benchmarks.many", url, str(recorded)],
        "python -c pass": [sys.executable, "-c", "pass"],
    }
    runs = take_turns(commands, ROUNDS)
    for label, taken in runs.items():
        most = max(one.megabytes for one in taken)
        print(f"{label:16} {median(taken):6.2f} s  {most:6.1f} MB at most")
    ratio = median(runs["gate"]) / median(runs["plain requests"])
    print(f"ratio gate / plain requests {ratio:.2f}")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        fetch(sys.argv[1], Path(sys.argv[2]))
    else:
        main()
