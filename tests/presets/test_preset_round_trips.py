"""A policy with 40 SLOs over six servers: what it costs the user in round trips."""

import json
from pathlib import Path

import pytest

from tests.command import gate
from tests.presets.pages import END
from tests.presets.test_presets_live import CASES, write_policy
from tests.servers.metrics import Server
from tests.servers.proxy import counting_proxy

pytestmark = [pytest.mark.real, pytest.mark.slow]

SERVERS = ("vllm", "sglang", "tgi", "litellm", "triton", "llm-d")
LATENCY = 0.5


def test_forty_slos_over_six_servers_take_at_most_five_rounds_of_eight_requests(
    pages_prometheus: Server, tmp_path: Path
) -> None:
    cases = [case for case in CASES if case.server in SERVERS][:40]
    assert len(cases) == 40
    assert sum("threshold" in case.says for case in cases) > 10
    policy = tmp_path / "gate.yaml"
    with counting_proxy(pages_prometheus.url, LATENCY) as proxy:
        write_policy(policy, proxy.url, cases)
        when = ("--at", END.isoformat(), "--format", "json")
        done = gate("check", str(policy), "--change", "canary", *when)

    (decided,) = json.loads(done.stdout)["policies"]
    assert [slo["name"] for slo in decided["slos"] if slo.get("cause")] == []
    # More batches than may be under way at once: with the evidence, some 3 kB an SLO are asked.
    # How many of these follow one another depends on how long a busy machine takes for each.
    assert proxy.traffic.most_at_once == 8
    assert proxy.traffic.requests <= 36
    assert proxy.traffic.round_trips >= 2
