"""8 SLOs x 4 windows on one Prometheus: the gate beside slo-generator 2.6.0.

python -m benchmarks.batching --slo-generator VENV/bin/slo-generator
"""

import argparse
import statistics
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import yaml

from benchmarks.measuring import gate, machine, run
from benchmarks.policies import FOUR_WINDOWS, SERVICES, availability, write_policy
from tests.servers.metrics import backfill, prometheus, write_history
from tests.servers.proxy import counting_proxy
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
            "description": "99.9 %",
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


def compare(target: str, folder: Path, other: list[str], latency: float, rounds: int) -> None:
    """Print both tools' wall times and requests at one latency."""
    medians = []
    for name in ("gate", "slo-generator"):
        seconds = []
        for _ in range(rounds):
            with counting_proxy(target, latency) as proxy:
                backend = {"type": "prometheus", "url": proxy.url}
                slos = [availability(service) for service in SERVICES]
                policy = write_policy(
                    folder / "policy.yaml", backend, slos, burn_rates=FOUR_WINDOWS
                )
                ours = name == "gate"
                command = gate("check", str(policy), "--change", "canary") if ours else other
                environment = {"PROMETHEUS_URL": proxy.url, "PYTHONWARNINGS": "ignore"}
                seconds.append(run(command, environment, folder / f"{name}.out").seconds)
        medians.append(statistics.median(seconds))
        traffic = proxy.traffic
        print(
            f"{latency * 1000:4.0f} ms  {name:14} {medians[-1]:7.2f} s"
            f"  {traffic.requests:3} requests, {traffic.round_trips:3} one after another,"
            f" at most {traffic.most_at_once} at once"
        )
    print(f"{latency * 1000:4.0f} ms  ratio {medians[1] / medians[0]:.1f} x")


def main() -> None:
    """Run the comparison without latency and with half a second."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slo-generator", type=Path, required=True, help="its executable")
    options = parser.parse_args()
    print(machine())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        # slo-generator always asks for now, so the month must end now.
        now = datetime.now(UTC).replace(second=0, microsecond=0)
        write_history(folder / "history.om", later=now - END)
        backfill(folder / "history.om", folder / "data")
        other = [str(options.slo_generator), *write_slo_generator(folder)]
        with prometheus(folder / "server", folder / "data") as server:
            compare(server.url, folder, other, latency=0.0, rounds=5)
            compare(server.url, folder, other, latency=0.5, rounds=1)


if __name__ == "__main__":
    main()
