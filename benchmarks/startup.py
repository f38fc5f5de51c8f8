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
IMPORTED = f'python -c "{IMPORTS}"'
FETCH = (
    "import json, sys; from urllib.parse import parse_qsl;"
    f" {IMPORTS}; session = requests.Session();"
    " [session.post(sys.argv[1] + '/api/v1/query' + '_range' * ('step=' in body),"
    " data=dict(parse_qsl(body))).json()"
    " for body in json.load(open(sys.argv[2]))]"
)
"""The same imports, and the queries of a recorded run sent and read with nothing else done."""
OBJECTIVES = {"allow": "99%", "block": "99.9%"}
"""By verdict: 0.15% of the requests of the history failed."""


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


def check(policy: Path) -> list[str]:
    """Return the command that judges a canary by a policy at the end of the history.

    A dry run, since what was allowed at another time lets nothing ship now.
    """
    arguments = ("--change", "canary", "--at", END.isoformat(), "--dry-run")
    return gate("check", str(policy), *arguments)


def record(policy: Path, objective: str, target: str, verdict: str) -> Path:
    """Write a policy of one SLO; keep the queries of its check, which must have this verdict."""
    slos = [{**availability("peak"), "objective": objective}]
    said, recorded = policy.with_suffix(".said.json"), policy.with_suffix(".bodies.json")
    with counting_proxy(target) as proxy:
        write_policy(policy, {"type": "prometheus", "url": proxy.url}, slos)
        run([*check(policy), "--format", "json"], output=said)
    decided = json.loads(said.read_text())["policies"][0]["verdict"]
    if decided != verdict:
        raise RuntimeError(f"{policy.name}: {decided} instead of {verdict}")
    recorded.write_text(json.dumps([body.decode() for body in proxy.traffic.bodies]))
    write_policy(policy, {"type": "prometheus", "url": target}, slos)
    return recorded


def compare(commands: Mapping[str, Sequence[str]], references: Mapping[str, str]) -> None:
    """Print wall and processor times of all, and how many times their reference's that is."""
    runs = take_turns(commands, ROUNDS)
    measures = {"wall": (median, fastest), "processor": (median_busy, least_busy)}
    for name, taken in runs.items():
        reference = runs[references.get(name, IMPORTED)]
        print(name)
        for label, (middle, least) in measures.items():
            ratio, of_least = (of(taken) / of(reference) for of in (middle, least))
            print(
                f"  {label:9} median {middle(taken) * 1000:6.1f} ms, least"
                f" {least(taken) * 1000:6.1f} ms; ratio {ratio:4.2f}, of the least {of_least:4.2f}"
            )


def main() -> None:
    """Run the comparison."""
    print(f"{machine()}, {ROUNDS} rounds in turns")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        static, policies = write_static(folder), {v: folder / f"{v}.yaml" for v in OBJECTIVES}
        write_history(folder / "history.om")
        backfill(folder / "history.om", folder / "data")
        with prometheus(folder / "server", folder / "data") as server:
            recorded = {
                verdict: record(policies[verdict], objective, server.url, verdict)
                for verdict, objective in OBJECTIVES.items()
            }
            commit(folder, static, *policies.values())
            python, references = [sys.executable, "-c"], dict[str, str]()
            commands = {
                "python -c pass": [*python, "pass"],
                IMPORTED: [*python, IMPORTS],
                "gate --version": gate("--version"),
                "gate --help": gate("--help"),
                "gate check, static": gate("check", str(static), "--change", "canary"),
            }
            for verdict, bodies in recorded.items():
                reference, checked = f"{IMPORTED}, answers of {verdict}", f"gate check, {verdict}"
                commands[reference] = [*python, FETCH, server.url, str(bodies)]
                commands[checked] = check(policies[verdict])
                references |= {reference: reference, checked: reference}
            compare(commands, references)


if __name__ == "__main__":
    main()
