"""8 SLOs x 4 windows on one Prometheus: the gate beside slo-generator 2.6.0.

python -m benchmarks.batching --slo-generator VENV/bin/slo-generator
"""

import argparse
import json
import re
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import yaml

from benchmarks.measuring import Run, gate, machine, median, run
from benchmarks.policies import FOUR_WINDOWS, SERVICES, availability, write_policy
from tests.servers.metrics import backfill, prometheus, write_history
from tests.servers.proxy import Traffic, counting_proxy
from tests.servers.series import END

WINDOWS = {"30d": 2_592_000, "6h": 21_600, "1h": 3_600, "5m": 300}


def write_slo_generator(folder: Path) -> list[str]:
    """Write its configuration, of the same SLOs and windows; return its arguments."""
    steps = [
        {
            "name": name,
            "burn_rate_threshold": 1,
            "alert": False,
            "message_alert": "Freeze",
            "message_ok": "Unfreeze",
            "window": seconds,
        }
        for name, seconds in WINDOWS.items()
    ]
    config = {
        "backends": {"prometheus": {"url": "${PROMETHEUS_URL}"}},
        "exporters": {},
        "error_budget_policies": {"default": {"steps": steps}},
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    slos = folder / "slos"
    slos.mkdir()
    for name in SERVICES:
        (slos / f"{name}.yaml").write_text(yaml.safe_dump(_slo(name), sort_keys=False))
    return ["compute", "-f", str(slos), "-c", str(folder / "config.yaml")]


def _slo(name: str) -> dict[str, object]:
    labels = {"service_name": name, "feature_name": "http", "slo_name": "availability"}
    return {
        "apiVersion": "sre.google.com/v2",
        "kind": "ServiceLevelObjective",
        "metadata": {"name": f"{name}-availability", "labels": labels},
        "spec": {
            "description": "99.9%",
            "backend": "prometheus",
            "method": "good_bad_ratio",
            "exporters": [],
            "service_level_indicator": {
                "filter_good": f'llm_requests_total{{service="{name}",code!="500"}}',
                "filter_bad": f'llm_requests_total{{service="{name}",code="500"}}',
            },
            "goal": 0.999,
        },
    }


def bad_by_service(output: str) -> dict[str, int]:
    """Return the failures of thirty days as slo-generator printed them."""
    found = re.finditer(r"INFO - (\w+)-availability +\| 30d .*\| Bad: (\d+)", output)
    return {match[1]: int(match[2]) for match in found}


def check_agreement(ours: Path, theirs: Path) -> None:
    """Make sure that both answered every SLO, and the same; theirs looked a moment later."""
    counts = bad_by_service(theirs.read_text())
    for one in json.loads(ours.read_text())["policies"][0]["slos"]:
        other = counts[one["name"]]
        if abs(one["bad"] - other) > max(5, other / 1000):
            raise RuntimeError(f"{one['name']}: {one['bad']} bad here and {other} there")
    print(f"{len(counts)} SLOs, the same failures in thirty days from both")


def compare(target: str, folder: Path, other: list[str], latency: float, rounds: int) -> None:
    """Print both tools' wall times and requests at one latency, and the ratio."""
    policy, ours, theirs = folder / "policy.yaml", folder / "gate.json", folder / "other.txt"
    command = gate("check", str(policy), "--change", "canary", "--write", f"json={ours}")
    runs: dict[str, list[Run]] = {"gate": [], "slo-generator": []}
    traffic: dict[str, Traffic] = {}
    for _ in range(rounds):
        with counting_proxy(target, latency) as proxy:
            write_ours(policy, proxy.url)
            runs["gate"].append(run(command))
            traffic["gate"] = proxy.traffic
        with counting_proxy(target, latency) as proxy:
            environment = {"PROMETHEUS_URL": proxy.url, "PYTHONWARNINGS": "ignore"}
            runs["slo-generator"].append(run(other, environment, theirs))
            traffic["slo-generator"] = proxy.traffic
    check_agreement(ours, theirs)
    for name, seen in traffic.items():
        print(
            f"{latency * 1000:4.0f} ms  {name:14} {median(runs[name]):7.2f} s"
            f"  {seen.requests:3} requests, {seen.round_trips:3} one after another,"
            f" at most {seen.most_at_once} at once"
        )
    ratio = median(runs["slo-generator"]) / median(runs["gate"])
    print(f"{latency * 1000:4.0f} ms  the gate is {ratio:.1f} times as fast ({rounds} rounds)")


def write_ours(path: Path, url: str) -> None:
    """Write the gate's policy, of the same SLOs and windows."""
    slos = [availability(service) for service in SERVICES]
    write_policy(path, {"type": "prometheus", "url": url}, slos, burn_rates=FOUR_WINDOWS)


def main() -> None:
    """Run the comparison without latency and with half a second."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slo-generator", type=Path, required=True, help="its executable")
    options = parser.parse_args()
    print(machine())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        # slo-generator always asks for now, so the month must go on until the last round has ended.
        end = datetime.now(UTC).replace(second=0, microsecond=0) + timedelta(minutes=10)
        write_history(folder / "history.om", later=end - END)
        backfill(folder / "history.om", folder / "data")
        other = [str(options.slo_generator.absolute()), *write_slo_generator(folder)]
        with prometheus(folder / "server", folder / "data") as server:
            run(other, {"PROMETHEUS_URL": server.url, "PYTHONWARNINGS": "ignore"})  # warm-up
            compare(server.url, folder, other, latency=0.0, rounds=11)
            compare(server.url, folder, other, latency=0.5, rounds=3)


if __name__ == "__main__":
    main()
