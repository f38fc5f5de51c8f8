"""`gate check` on one SLO beside merely importing the three packages that the gate stands on.

python -m benchmarks.startup
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.measuring import (
    fastest,
    gate,
    least_busy,
    machine,
    median,
    median_busy,
    run,
    take_turns,
)
from benchmarks.policies import availability, write_policy
from tests.servers.metrics import backfill, prometheus, write_history
from tests.servers.proxy import counting_proxy
from tests.servers.series import END

ROUNDS = 41
IMPORTS = "import click, yaml, requests"
FETCH = (
    "import json, sys; from urllib.parse import parse_qsl;"
    f" {IMPORTS}; session = requests.Session();"
    " [session.post(sys.argv[1] + '/api/v1/query' + '_range' * ('step=' in body),"
    " data=dict(parse_qsl(body))).json()"
    " for body in json.load(open(sys.argv[2]))]"
)
"""The same imports, and the queries of a recorded run sent and read with nothing else done."""


def write_static(folder: Path) -> Path:
    """Write a policy with one SLO and its counts."""
    counts = {"counts": {"availability": {"total": 1_000_000, "bad": 100}}}
    (folder / "counts.json").write_text(json.dumps(counts))
    slo = {
        "name": "availability",
        "objective": "99.9%",
        "window": "30d",
        "sli": {"series": "availability"},
    }
    return write_policy(folder / "static.yaml", {"type": "static", "path": "counts.json"}, [slo])


def commit(folder: Path, *files: Path) -> None:
    """Put files under version control, as a policy is: the report names its revision."""
    who = ("-c", "user.name=benchmark", "-c", "user.email=benchmark@invalid")
    for command in (["init"], ["add", *map(str, files)], ["commit", "-m", "policies"]):
        arguments = ["git", "-C", str(folder), *who, *command]
        subprocess.run(arguments, check=True, capture_output=True)


def record(policy: Path, target: str, recorded: Path) -> list[str]:
    """Keep the queries that a policy makes; return its command, by then without the recorder."""
    slos = [availability("peak")]
    command = gate("check", str(policy), "--change", "canary", "--at", END.isoformat())
    with counting_proxy(target) as proxy:
        write_policy(policy, {"type": "prometheus", "url": proxy.url}, slos)
        run(command)
    recorded.write_text(json.dumps([body.decode() for body in proxy.traffic.bodies]))
    write_policy(policy, {"type": "prometheus", "url": target}, slos)
    return command


def compare(commands: Mapping[str, Sequence[str]], reference: str) -> None:
    """Print wall and processor times of all, and how many times the reference's that is."""
    runs = take_turns(commands, ROUNDS)
    measures = {"wall": (median, fastest), "processor": (median_busy, least_busy)}
    for name, taken in runs.items():
        print(name)
        for label, (middle, least) in measures.items():
            ratio, of_least = (of(taken) / of(runs[reference]) for of in (middle, least))
            print(
                f"  {label:9} median {middle(taken) * 1000:6.1f} ms, least"
                f" {least(taken) * 1000:6.1f} ms; ratio {ratio:4.2f}, of the least {of_least:4.2f}"
            )


def main() -> None:
    """Run the comparison."""
    print(f"{machine()}, {ROUNDS} rounds in turns")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        static, live, recorded = write_static(folder), folder / "live.yaml", folder / "bodies.json"
        write_history(folder / "history.om")
        backfill(folder / "history.om", folder / "data")
        with prometheus(folder / "server", folder / "data") as server:
            over_http = record(live, server.url, recorded)
            commit(folder, static, live)
            reference = f'python -c "{IMPORTS}", and the answers'
            commands = {
                "python -c pass": [sys.executable, "-c", "pass"],
                f'python -c "{IMPORTS}"': [sys.executable, "-c", IMPORTS],
                reference: [
                    sys.executable,
                    "-c",
                    FETCH,
                    server.url,
                    str(recorded),
                ],
                "gate --version": gate("--version"),
                "gate --help": gate("--help"),
                "gate check, static": gate("check", str(static), "--change", "canary"),
                "gate check, prometheus": over_http,
            }
            compare(commands, reference)


if __name__ == "__main__":
    main()
