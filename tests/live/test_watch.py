"""The same canaries through request logs, a Prometheus and a VictoriaMetrics: the same verdict."""

import json
import random
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from tests.command import Result, gate
from tests.live.command import TIERS
from tests.servers.metrics import backfill, prometheus, victoria

START: Final = datetime(2026, 10, 20, 14, tzinfo=UTC)
"""The deploy."""
SCRAPE: Final = timedelta(seconds=15)
MINUTES: Final = 60
PER_SCRAPE: Final = {"canary": 25, "stable": 75}
FAILING: Final[Mapping[str, Mapping[str, float]]] = {
    "healthy": {"canary": 0.02, "stable": 0.02},
    "worse": {"canary": 0.2, "stable": 0.02},
    "perfect": {"canary": 0.0, "stable": 0.0},
    "idle": {"canary": 0.02, "stable": 0.02},
    "gone": {"canary": 0.0, "stable": 0.0},
}
"""By service and version, the share of the requests that fail. The canary of ``idle`` has none, and
that of ``gone`` is taken away after a quarter of an hour."""
VERDICTS: Final = {"healthy": 0, "worse": 10, "perfect": 0, "idle": 3, "gone": 3}


def events() -> Iterator[tuple[datetime, str, str, int]]:
    """Yield the number of failures between two scrapes, by service and version."""
    for service, shares in FAILING.items():
        draw = random.Random(service)
        for scrape in range(-4 * MINUTES, 4 * MINUTES):
            for track, share in shares.items():
                bad = sum(draw.random() < share for _ in range(PER_SCRAPE[track]))
                last = {"idle": 0, "gone": MINUTES}.get(service, 4 * MINUTES)
                if track == "stable" or 0 <= scrape < last:
                    yield START + scrape * SCRAPE, service, track, bad


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Run both servers with the two hours; return their addresses."""
    folder = tmp_path_factory.mktemp("canaries")
    text = folder / "canaries.om"
    counters: dict[tuple[str, str, str], list[tuple[datetime, int]]] = {}
    for at, service, track, bad in events():
        counts = {"200": PER_SCRAPE[track] - bad, "500": bad}
        for code, count in counts.items() if service != "perfect" else [("200", counts["200"])]:
            samples = counters.setdefault((service, track, code), [(at, 0)])
            samples.append((at + SCRAPE, samples[-1][1] + count))
    lines = ["# TYPE requests counter"]
    for (service, track, code), samples in counters.items():
        labels = f'service="{service}",track="{track}",code="{code}"'
        lines += [f"requests_total{{{labels}}} {n} {at.timestamp():.0f}" for at, n in samples]
    text.write_text("\n".join([*lines, "# EOF", ""]), encoding="utf-8")
    backfill(text, folder / "blocks")
    with (
        prometheus(folder / "prometheus", folder / "blocks") as first,
        victoria(folder / "victoria", text) as second,
    ):
        yield {"prometheus": first.url, "victoria": second.url}


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("rows") / "log.jsonl"
    with path.open("w", encoding="utf-8") as log:
        for at, service, track, bad in events():
            for number in range(PER_SCRAPE[track]):
                moment = at + (number + 1) * SCRAPE / PER_SCRAPE[track]
                row = {
                    "ts": moment.isoformat().replace("+00:00", "Z"),
                    "service": service,
                    "track": track,
                    "status": 500 if number < bad else 200,
                }
                log.write(json.dumps(row) + "\n")
    return path


def watched(folder: Path, backend: dict[str, str], service: str) -> Result:
    if backend["type"] == "logs":
        sli = {"bad": "status >= 500", "total": f"service = '{service}'"}
    else:
        metric = f'requests_total{{service="{service}"'
        sli = {"bad": f'{metric},code="500"}}', "total": f"{metric}}}"}
    slo = {"name": "availability", "objective": "95%", "window": "1h", "sli": sli}
    document = {"version": 1, "service": "chat", "backend": backend, "slos": [slo], "tiers": TIERS}
    (folder / "gate.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    return gate(
        *("watch", "--canary", "track=canary", "--baseline", "track=stable", "--for", "30m"),
        *("--at", START.isoformat(), "--max-spend", "80%", "--format", "json"),
        cwd=folder,
    )


def report(done: Result) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(done.stdout)
    return document


@pytest.mark.variants(2)
@pytest.mark.parametrize("service", VERDICTS)
def test_every_backend_gives_the_same_verdict_after_the_same_steps(
    servers: dict[str, str], rows: Path, tmp_path: Path, service: str
) -> None:
    backends = {
        "logs": {"type": "logs", "path": str(rows), "timestamp": "ts"},
        **{name: {"type": "prometheus", "url": url} for name, url in servers.items()},
    }

    done = {name: watched(tmp_path, backend, service) for name, backend in backends.items()}

    assert {name: result.exit_code for name, result in done.items()} == dict.fromkeys(
        backends, VERDICTS[service]
    ), {name: result.stderr for name, result in done.items()}
    reports = {name: report(result) for name, result in done.items()}
    (counted,) = reports["logs"]["slos"]
    for name, document in reports.items():
        (slo,) = document["slos"]
        assert document["to"] == reports["logs"]["to"], name
        for arm in ("canary", "baseline"):
            for key in ("total", "bad"):
                assert slo[arm][key] == pytest.approx(counted[arm][key], rel=0.02), (name, arm)
    if service not in {"idle", "gone"}:
        minutes = len(counted["steps"])
        assert counted["canary"]["total"] == 4 * minutes * PER_SCRAPE["canary"]
        assert counted["baseline"]["total"] == 4 * minutes * PER_SCRAPE["stable"]
    if service == "gone":
        reason = "availability: track=canary has had no traffic since 2026-10-20 14:15 UTC"
        assert all(reason in document["reasons"] for document in reports.values())
