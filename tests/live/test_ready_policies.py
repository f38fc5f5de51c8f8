"""The policies that are ready to use, as they are, against a real Prometheus with their metrics."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.live.command import check
from tests.servers.metrics import Server, backfill, prometheus
from tests.servers.series import LAST, Counter, write_openmetrics

pytestmark = pytest.mark.slow

POLICIES = Path(__file__).parent.parent.parent / "policies"
ALLOW, BLOCK = 0, 10
TICKS = range(LAST + 1)


def requests(code: str, *, at_minute: int, every: int) -> Counter:
    events = [at_minute if tick % every == 0 else 0 for tick in TICKS]
    return Counter(name="http_requests_total", labels=f'code="{code}"', events=events)


def durations(name: str, labels: str, each: int) -> Counter:
    return Counter(
        name=f"http_request_duration_seconds_{name}", labels=labels, events=[each] * len(TICKS)
    )


SERVED = requests("200", at_minute=100, every=1)
FAILED = requests("503", at_minute=6, every=100)  # 0.06%: 60% of a budget of 0.1%
FAST = durations("bucket", 'le="2"', 97)
ALL = durations("bucket", 'le="+Inf"', 100)
TIMED = durations("count", "", 100)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Run a Prometheus with a month of these series."""
    folder = tmp_path_factory.mktemp("ready")
    text = folder / "history.om"
    with text.open("w", encoding="utf-8") as file:
        write_openmetrics([SERVED, FAILED, FAST, ALL, TIMED], file)
    backfill(text, folder / "data")
    with prometheus(folder / "server", folder / "data") as running:
        yield running


@pytest.fixture(autouse=True)
def _prometheus_url(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROMETHEUS_URL", server.url)


def consumed(bad: int, total: int, budget: float) -> float:
    return bad / total / budget


@pytest.mark.variants(1)
@pytest.mark.parametrize(
    ("name", "days", "change", "code", "tier"),
    [
        ("availability", 30, "canary", ALLOW, "caution"),
        ("availability", 30, "model-update", BLOCK, "caution"),
        ("google-error-budget", 28, "full-rollout", ALLOW, "within-budget"),
    ],
)
def test_an_availability_policy_decides_by_the_true_count(
    name: str,
    days: int,
    change: str,
    code: int,
    tier: str,
) -> None:
    outcome = check(POLICIES / f"{name}.yaml", change=change)
    month = timedelta(days=days)
    bad, good = FAILED.happened(month), SERVED.happened(month)
    assert (outcome.code, outcome.decision["policies"][0]["tier"]) == (code, tier)
    assert outcome.slos["availability"]["consumed"] == pytest.approx(
        consumed(bad, bad + good, 0.001), rel=1e-6
    )


def test_googles_policy_asks_for_a_postmortem_only_where_an_incident_was_costly() -> None:
    (decided,) = check(POLICIES / "google-error-budget.yaml", change="canary").decision["policies"]
    (finding,) = [one for one in decided["findings"] if one["rule"] == "postmortem"]
    # 6 of 106 fail in a minute, every 100 minutes: of 15 minutes 0.4%, which burns at 4.
    assert finding["reason"] == "no incident took more than 20% of the budget of availability"


def test_the_latency_policy_counts_the_requests_that_took_longer() -> None:
    outcome = check(POLICIES / "latency-p95.yaml", change="canary")
    # 3 of 100 are slow, 5 may be.
    assert (outcome.code, outcome.decision["policies"][0]["tier"]) == (ALLOW, "healthy")
    assert outcome.slos["p95-within-2s"]["consumed"] == pytest.approx(0.6, rel=1e-6)
