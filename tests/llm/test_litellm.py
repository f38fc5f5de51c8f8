"""A real LiteLLM proxy under load: what the presets count is what the driver sent.

A real Prometheus scrapes the proxy, with its key and without, while the proxy checks its own models
in the background; the payloads of the same requests are a log. The driver has its own count.
Where LiteLLM tells less than the driver knows, the preset's notes say so, and so does a test here.
"""

import json
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import pytest
import requests
import yaml

from tests.command import gate
from tests.llm.driver import PLAN, WITH_KEY, Kind, send
from tests.servers.litellm import KEY, Proxy, litellm
from tests.servers.metrics import prometheus

pytestmark = pytest.mark.slow
pytest.importorskip("duckdb", reason="the extra `logs` is not installed")

INTERVAL: Final = 2.0
"""Seconds between two scrapes."""
QUIET: Final = 8.0
"""Seconds without requests before the load, and after it."""
CONFIG: Final = """
global: {{scrape_interval: {interval:.0f}s, scrape_timeout: {interval:.0f}s}}
scrape_configs:
- job_name: litellm
  metrics_path: /metrics/
  authorization: {{credentials: {key}}}
  static_configs: [{{targets: ["{target}"]}}]
- job_name: without-key
  metrics_path: /metrics
  static_configs: [{{targets: ["{target}"]}}]
"""
NAMES: Final = (
    "litellm_proxy_total_requests_metric_total",
    "litellm_proxy_failed_requests_metric_total",
)
HEALTH: Final = "litellm-internal-health-check"


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """The requests sent in the window that ends at ``at``, and where they were counted."""

    prometheus: str
    payloads: Path
    sent: Counter[Kind]
    at: datetime
    window: int
    """Seconds."""

    def number(self, counts: Callable[[Kind], bool]) -> int:
        """Return how many requests were sent of the kinds for which this is true."""
        return sum(times for kind, times in self.sent.items() if counts(kind))

    def rows(self) -> list[dict[str, Any]]:
        """Return the payloads of the window, as plain Python reads them."""
        lines = self.payloads.read_text(encoding="utf-8").splitlines()
        since = self.at.timestamp() - self.window
        return [row for row in map(json.loads, lines) if row["startTime"] > since]


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loaded]:
    """Put a LiteLLM under load, with a Prometheus that scrapes it."""
    folder = tmp_path_factory.mktemp("litellm")
    with litellm(folder) as proxy:
        target = proxy.url.removeprefix("http://")
        config = CONFIG.format(interval=INTERVAL, key=KEY, target=target)
        with prometheus(folder / "prometheus", folder / "data", config) as server:
            # An increase does not see a series' first value, so each series is there before.
            send(proxy.url, PLAN)
            _wait_for_series(server.url, proxy)
            since = time.time() + QUIET / 2
            time.sleep(QUIET)
            kinds = [kind for kind, times in PLAN.items() for _ in range(times)]
            random.Random(13).shuffle(kinds)
            sent = send(proxy.url, kinds)
            time.sleep(QUIET)
            at = datetime.now(UTC)
            kept = folder / "kept.jsonl"
            kept.write_bytes(proxy.payloads.read_bytes())
            window = int(at.timestamp() - since)
            yield Loaded(prometheus=server.url, payloads=kept, sent=sent, at=at, window=window)


def _wait_for_series(url: str, proxy: Proxy) -> None:
    """Wait until Prometheus has all series that the proxy's page has after the first requests."""
    time.sleep(QUIET)
    page = requests.get(f"{proxy.url}/metrics/", headers=WITH_KEY, timeout=30).text
    deadline = time.monotonic() + 60
    for name in NAMES:
        listed = sum(line.startswith(f"{name}{{") for line in page.splitlines())
        while _seen(url, name) < listed:
            assert time.monotonic() < deadline, f"Prometheus has not all {listed} of {name}"
            time.sleep(0.5)


def _seen(url: str, name: str) -> int:
    form = {"query": f"count({name})"}
    result = requests.get(f"{url}/api/v1/query", params=form, timeout=30).json()["data"]["result"]
    return int(result[0]["value"][1]) if result else 0


def measured(
    folder: Path, loaded: Loaded, preset: str, **options: str
) -> tuple[Fraction, Fraction]:
    """Return how many requests ``gate status`` counts as bad, and of how many."""
    server = {"type": "prometheus", "url": loaded.prometheus}
    log = {"type": "logs", "path": str(loaded.payloads), "records": preset.partition("/")[0]}
    document = {
        "version": 1,
        "service": "chat",
        "backend": server if preset.startswith("litellm/") else log,
        "slos": [
            {
                "name": "it",
                "objective": "95%",
                "window": f"{loaded.window}s",
                "sli": {"preset": preset, "options": options},
            }
        ],
        "tiers": [{"name": "any", "otherwise": True, "allow": "all"}],
    }
    policy = folder / "gate.yaml"
    policy.write_text(yaml.safe_dump(document), encoding="utf-8")
    done = gate("status", str(policy), "--at", loaded.at.isoformat(), "--format", "json")
    assert done.stdout, done.stderr
    (slo,) = json.loads(done.stdout)["policies"][0]["slos"]
    assert slo.get("cause") is None, slo
    return Fraction(str(slo["bad"])), Fraction(str(slo["total"]))


def failed(kind: Kind) -> bool:
    return kind.status >= 500 and not kind.keyless


def of_a_user(kind: Kind) -> bool:
    return kind.asks_a_model and not kind.keyless


def test_every_outcome_was_there(loaded: Loaded) -> None:
    assert loaded.sent == Counter(PLAN)
    assert {200, 400, 401, 429, 500} == {kind.status for kind in loaded.sent}
    assert any(HEALTH in (row["request_tags"] or ()) for row in loaded.rows())


Is = Callable[[Kind], bool]
ON_PROMETHEUS: Final[list[tuple[dict[str, str], Is, Is]]] = [
    # options, which requests count, which of them are bad
    ({}, of_a_user, failed),
    ({"rate_limited": "bad"}, of_a_user, lambda k: failed(k) or k.status == 429),
    ({"rate_limited": "excluded"}, lambda k: of_a_user(k) and k.status != 429, failed),
    ({"keyless": "bad"}, lambda k: k.asks_a_model, lambda k: k.status >= 500),
    (
        {"routes": "completions"},
        lambda k: of_a_user(k) and k.route != "/v1/embeddings",
        failed,
    ),
    # A note of the preset: who hangs up in mid-stream is a success on LiteLLM's page.
    ({"cancelled": "bad"}, of_a_user, failed),
]


@pytest.mark.parametrize(("options", "counts", "bad"), ON_PROMETHEUS)
def test_prometheus_has_what_the_driver_sent(
    tmp_path: Path, loaded: Loaded, options: dict[str, str], counts: Is, bad: Is
) -> None:
    total = loaded.number(counts)
    failures = loaded.number(lambda kind: counts(kind) and bad(kind))

    counted_bad, counted = measured(tmp_path, loaded, "litellm/errors", **options)

    # Both are stretched alike, as all series of a page have the same samples.
    assert float(counted_bad / counted) == pytest.approx(failures / total, rel=1e-9)
    stretch = loaded.window / (loaded.window - 2 * INTERVAL)
    assert total <= counted <= total * stretch, (float(counted), total)
    _, whole = measured(tmp_path, loaded, "litellm/errors")
    assert float(counted / whole) == pytest.approx(total / loaded.number(of_a_user), rel=1e-9)


def test_prometheus_has_the_health_checks_that_succeeded(tmp_path: Path, loaded: Loaded) -> None:
    checks = [row for row in loaded.rows() if HEALTH in (row["request_tags"] or ())]
    succeeded = sum(row["status"] == "success" for row in checks)
    bad, total = measured(tmp_path, loaded, "litellm/errors")

    checked_bad, checked = measured(tmp_path, loaded, "litellm/errors", health_checks="included")

    assert checked_bad == bad
    assert float(checked - total) == pytest.approx(succeeded, abs=2)
    assert succeeded > 2


def excused(kind: Kind) -> bool:
    """Return whether the caller is to blame."""
    return kind.status in {400, 401, 429} or kind.leaves


IN_THE_LOG: Final[list[tuple[dict[str, str], Is, Is]]] = [
    ({}, lambda k: of_a_user(k) and not excused(k), failed),
    (
        {"rate_limited": "bad"},
        lambda k: of_a_user(k) and (not excused(k) or k.status == 429),
        lambda k: failed(k) or k.status == 429,
    ),
    (
        {"client_errors": "bad"},
        lambda k: of_a_user(k) and k.status != 429,
        lambda k: failed(k) or k.status == 400 or k.leaves,
    ),
    (
        {"client_errors": "good", "rate_limited": "good"},
        of_a_user,
        failed,
    ),
]


@pytest.mark.parametrize("preset", ["litellm-payload", "litellm-payload-traces"])
@pytest.mark.parametrize("case", IN_THE_LOG, ids=lambda case: str(case[0]))
def test_the_payloads_have_what_the_driver_sent(
    tmp_path: Path, loaded: Loaded, preset: str, case: tuple[dict[str, str], Is, Is]
) -> None:
    options, counts, bad = case
    total = loaded.number(counts)
    failures = loaded.number(lambda kind: counts(kind) and bad(kind))
    if preset == "litellm-payload":
        # A note of the preset: a model that a fallback stood in for has a payload of its own.
        saved = loaded.number(lambda kind: kind.model == "saved")
        total, failures = total + saved, failures + saved

    counted = measured(tmp_path, loaded, f"{preset}/errors", **options)

    assert counted == (Fraction(failures), Fraction(total))


@pytest.mark.parametrize("preset", ["litellm-payload", "litellm-payload-traces"])
def test_the_payloads_have_callers_without_a_key_but_for_scrapes(
    tmp_path: Path, loaded: Loaded, preset: str
) -> None:
    bad, total = measured(tmp_path, loaded, f"{preset}/errors")
    keyless = loaded.number(lambda kind: kind.keyless and kind.route != "/metrics")

    counted = measured(tmp_path, loaded, f"{preset}/errors", keyless="bad")

    assert counted == (bad + keyless, total + keyless)


@pytest.mark.parametrize("preset", ["litellm-payload", "litellm-payload-traces"])
def test_the_payloads_have_every_health_check(tmp_path: Path, loaded: Loaded, preset: str) -> None:
    checks = [row for row in loaded.rows() if HEALTH in (row["request_tags"] or ())]
    codes = Counter(row["error_information"]["error_code"] for row in checks)
    bad, total = measured(tmp_path, loaded, f"{preset}/errors")

    counted = measured(tmp_path, loaded, f"{preset}/errors", health_checks="included")

    assert counted == (bad + codes["500"], total + len(checks) - codes["429"])
    assert codes["500"] > 0
    assert codes["429"] > 0
