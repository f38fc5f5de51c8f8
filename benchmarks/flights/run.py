"""Hold what the gate says of the past against numpy's, on every flight of a year.

python -m benchmarks.flights.run path/to/flights.csv.zip
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from benchmarks.flights.history import END, read_flights, write_counters, write_logs
from benchmarks.flights.independent import Flights, FoundIncident
from benchmarks.measuring import gate, machine
from benchmarks.policies import write_policy
from tests.servers.metrics import backfill, prometheus

OBJECTIVE: Final = 0.88
WINDOW: Final = timedelta(days=28)
THRESHOLD: Final = 3.0
LAST: Final = timedelta(days=92)
UNTIL: Final = datetime(2014, 1, 1, tzinfo=UTC)
TIERS: Final = [
    {"name": "healthy", "remaining": "> 50%", "allow": "all"},
    {"name": "caution", "remaining": "> 10%", "allow": ["canary", "rollback", "security-patch"]},
    {"name": "exhausted", "otherwise": True, "allow": ["rollback", "security-patch"]},
]
FAST: Final = [{"long": "6h", "short": "1h", "rate": THRESHOLD, "effect": "block"}]
SLIS: Final[dict[str, dict[str, str]]] = {
    "logs": {"bad": "status = 'late'"},
    "prometheus": {"bad": 'flights_total{status="late"}', "total": "flights_total"},
}


def answer(*arguments: str) -> Any:
    """Return the JSON of a command."""
    command = [*gate(*arguments), "--format", "json"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode not in (0, 3, 10):
        raise RuntimeError(done.stderr)
    return json.loads(done.stdout)


def differences(policy: Path, flights: Flights, folder: Path) -> Iterator[str]:
    """Yield a line for everything on which the gate and numpy do not agree, and one in all."""
    expected = flights.incidents(UNTIL - LAST, UNTIL, 1 - OBJECTIVE, THRESHOLD)
    yield from _incident_differences(policy, expected)
    instants = [UNTIL - timedelta(days=day, minutes=37 * day) for day in range(0, 92, 4)]
    yield from _budget_differences(policy, flights, instants)
    yield from _backtest_differences(policy, flights, expected, folder)


def _incident_differences(policy: Path, expected: Sequence[FoundIncident]) -> Iterator[str]:
    options = ["--last", "92d", "--threshold", f"{THRESHOLD:g}", "--min-share", "0%"]
    document = answer("incidents", str(policy), *options, "--at", UNTIL.isoformat())
    told = [_told(incident) for incident in document["services"][0]["incidents"]]
    wanted = [(incident.start, incident.end, incident.bad) for incident in expected]
    for incident in wanted:
        if incident not in told:
            yield f"  not told: {incident}"
    for incident in told:
        if incident not in wanted:
            yield f"  told: {incident}"
    yield f"incidents: {len(set(wanted) & set(told))} of {len(wanted)} agree in start, end and bad"


def _told(incident: Any) -> tuple[datetime, datetime, int]:
    start, end = (datetime.fromisoformat(incident[key]) for key in ("start", "end"))
    return start, end, round(incident["slos"][0]["bad"])


def _budget_differences(
    policy: Path, flights: Flights, instants: Sequence[datetime]
) -> Iterator[str]:
    agreed = 0
    for at in instants:
        document = answer("status", str(policy), "--at", at.isoformat())
        slo = document["policies"][0]["slos"][0]
        total, bad = flights.counts(at, WINDOW)
        told = (round(slo["total"]), round(slo["bad"]))
        agreed += told == (total, bad)
        if told != (total, bad):
            yield f"  {at}: {told}, and numpy has {(total, bad)}"
    yield f"past budgets: {agreed} of {len(instants)} agree to the event"


def _deploys() -> list[datetime]:
    """Return when somebody deploys: at eleven in the morning, and once more in the evening."""
    days = [UNTIL - timedelta(days=day) for day in range(1, 92)]
    return [day + timedelta(hours=hour) for day in sorted(days) for hour in (16, 23)]


def _verdict(flights: Flights, at: datetime) -> str:
    """Return what the policy says of a full rollout, by the rules as they are written."""
    budget = 1 - OBJECTIVE
    fast = all(flights.burn(at, timedelta(hours=hours), budget) >= THRESHOLD for hours in (6, 1))
    return "allow" if flights.left(at, WINDOW, budget) > 0.5 and not fast else "block"


def _backtest_differences(
    policy: Path, flights: Flights, incidents: Sequence[FoundIncident], folder: Path
) -> Iterator[str]:
    deploys = _deploys()
    lines = [{"time": at.isoformat(), "revision": f"{at:%m%d%H}"} for at in deploys]
    file = folder / "deploys.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    options = ["--last", "92d", "--threshold", f"{THRESHOLD:g}", "--min-share", "0%"]
    options += ["--deploys", str(file), "--at", UNTIL.isoformat()]
    document = answer("backtest", str(policy), *options)
    results = document["services"][0]["policy"]["results"]
    told = {datetime.fromisoformat(result["at"]): result["verdict"] for result in results}
    agreed = 0
    for at in deploys:
        expected = _verdict(flights, at)
        agreed += told.get(at) == expected
        if told.get(at) != expected:
            yield f"  {at}: {told.get(at)}, and numpy has {expected}"
    blocked = [at for at in deploys if _verdict(flights, at) == "block"]
    before = [
        at
        for at in blocked
        if any(at <= incident.start <= at + timedelta(hours=1) for incident in incidents)
    ]
    yield f"backtest: {agreed} of {len(deploys)} verdicts agree"
    blocks = document["services"][0]["policy"]["verdicts"]["block"]
    yield (
        f"blocked {blocks['count']}, of these before an incident {blocks['before_incident']}; numpy"
        f" has {len(blocked)} and {len(before)}"
    )


@contextmanager
def _policies(archive: Path, folder: Path) -> Iterator[tuple[Flights, dict[str, Path]]]:
    """Write the flights for both backends, and a policy for each."""
    flights = read_flights(archive)
    write_logs(flights, folder / "logs")
    write_counters(flights, folder / "flights.om")
    backfill(folder / "flights.om", folder / "data", seconds=600)
    with prometheus(folder / "server", folder / "data") as server:
        blocks = {
            "logs": {"type": "logs", "path": "logs/*.jsonl", "timestamp": "time"},
            "prometheus": {"type": "prometheus", "url": server.url},
        }
        slo = {"name": "punctuality", "objective": f"{OBJECTIVE:.0%}", "window": "28d"}
        yield (
            Flights(flights),
            {
                kind: write_policy(
                    folder / f"{kind}.yaml",
                    block,
                    [{**slo, "sli": SLIS[kind]}],
                    tiers=TIERS,
                    burn_rates=FAST,
                )
                for kind, block in blocks.items()
            },
        )


def main() -> None:
    """Compare both backends with numpy."""
    print(f"{machine()}; flights up to {END:%Y-%m-%d}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with _policies(Path(sys.argv[1]), folder) as (flights, policies):
            for kind, policy in policies.items():
                print(kind)
                for line in differences(policy, flights, folder):
                    print(f"  {line}")


if __name__ == "__main__":
    main()
