"""A real Envoy under load: what the preset counts in its access log is what the driver sent."""

import json
import random
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Final

import pytest
import requests
import yaml

from tests.command import gate
from tests.servers.envoy import DEAD, DO, TIMEOUT, Mesh, envoy

pytestmark = pytest.mark.slow
pytest.importorskip("duckdb", reason="the extra `logs` is not installed")

CHAT: Final = "/v1/chat/completions"
PLAN: Final = {
    # what the upstream does, the path, and when the client leaves; what the client sees; how often
    ("200", CHAT, None): (200, 60),
    ("200", "/v1/messages", None): (200, 5),
    ("stream", CHAT, None): (200, 4),
    ("500", CHAT, None): (500, 6),
    ("503", CHAT, None): (503, 11),
    ("400", CHAT, None): (400, 8),
    ("429", CHAT, None): (429, 9),
    (DEAD, CHAT, None): (503, 3),
    ("never", CHAT, None): (504, 4),
    ("cut", CHAT, None): (None, 7),
    ("cut", CHAT, "midway"): (200, 2),
    ("never", CHAT, "before"): (None, 5),
    ("503", "/health", None): (503, 13),
}
"""None: the client sees an error and not a whole answer."""


def send(url: str, do: str, path: str, leaves: str | None) -> int | None:
    """Send one request; return the status that came back, or None where no whole answer came."""
    patience = TIMEOUT / 4 if leaves == "before" else 60
    try:
        with requests.post(
            url + path, json={}, headers={DO: do}, timeout=patience, stream=True
        ) as answer:
            if leaves is None:
                assert answer.content
            return answer.status_code
    except requests.RequestException:
        return None


@pytest.fixture(scope="module")
def mesh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mesh]:
    """Run an Envoy, and put it under load."""
    with envoy(tmp_path_factory.mktemp("envoy")) as server:
        cases = [case for case, (_, times) in PLAN.items() for _ in range(times)]
        random.Random(5).shuffle(cases)
        with ThreadPoolExecutor(8) as pool:
            statuses = list(pool.map(lambda case: send(server.url, *case), cases))
        assert Counter(zip(cases, statuses, strict=True)) == {
            (case, status): times for case, (status, times) in PLAN.items()
        }
        deadline = time.monotonic() + 20
        while len(lines(server)) < len(cases):
            assert time.monotonic() < deadline, "Envoy has not written its log"
            time.sleep(0.1)
        yield server


def lines(mesh: Mesh) -> list[str]:
    return mesh.log.read_text(encoding="utf-8").splitlines()


def number(*cases: tuple[str, str, str | None]) -> int:
    return sum(PLAN[case][1] for case in cases)


SERVED: Final = number(("200", CHAT, None), ("200", "/v1/messages", None), ("stream", CHAT, None))
MIDWAY: Final = number(("cut", CHAT, "midway"))
BEFORE: Final = number(("never", CHAT, "before"))
FAILED: Final = number(
    ("500", CHAT, None), ("503", CHAT, None), (DEAD, CHAT, None), ("never", CHAT, None)
)
CUT: Final = number(("cut", CHAT, None))
LIMITED, REFUSED = number(("429", CHAT, None)), number(("400", CHAT, None))
BAD: Final = FAILED + CUT
GOOD: Final = SERVED + MIDWAY
HEALTH: Final = number(("503", "/health", None))
CASES: Final[list[tuple[dict[str, str], int, int]]] = [
    # options, bad, total
    ({}, BAD, GOOD + BAD),
    ({"rate_limited": "bad"}, BAD + LIMITED, GOOD + BAD + LIMITED),
    ({"client_errors": "good"}, BAD, GOOD + BAD + REFUSED),
    ({"cancelled": "bad"}, BAD + BEFORE, GOOD + BAD + BEFORE),
    ({"routes": "all"}, BAD + HEALTH, GOOD + BAD + HEALTH),
]


def test_envoy_tells_the_cut_streams_by_a_flag_alone(mesh: Mesh) -> None:
    rows = Counter(
        (row["response_code"], row["response_flags"]) for row in map(json.loads, lines(mesh))
    )
    assert rows[200, "UT"] == CUT
    assert rows[504, "UT"] == number(("never", CHAT, None))
    assert rows[503, "UF"] == number((DEAD, CHAT, None))
    assert rows[200, "DC"] == MIDWAY
    assert rows[0, "DC"] == BEFORE


@pytest.mark.parametrize(("options", "bad", "total"), CASES)
def test_the_log_has_what_the_driver_sent(
    tmp_path: Path, mesh: Mesh, options: dict[str, str], bad: int, total: int
) -> None:
    sli = {"preset": "envoy/errors", "options": options}
    document = {
        "version": 1,
        "service": "chat",
        "backend": {"type": "logs", "path": str(mesh.log), "records": "envoy"},
        "slos": [{"name": "it", "objective": "95%", "window": "10m", "sli": sli}],
        "tiers": [{"name": "any", "otherwise": True, "allow": "all"}],
    }
    policy = tmp_path / "gate.yaml"
    policy.write_text(yaml.safe_dump(document), encoding="utf-8")
    at = datetime.now(UTC).isoformat()
    done = gate("status", str(policy), "--at", at, "--format", "json")
    assert done.stdout, done.stderr
    (slo,) = json.loads(done.stdout)["policies"][0]["slos"]

    assert [Fraction(str(slo["bad"])), Fraction(str(slo["total"]))] == [bad, total]
