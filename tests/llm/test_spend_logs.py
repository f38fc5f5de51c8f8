"""LiteLLM's own store: what a real proxy writes into a real PostgreSQL is what the driver sent.

The tables are made by LiteLLM's own migrations, the rows by its own logger. Only the last step is
another (`tests.servers.litellm`): Prisma's engine, which LiteLLM sends rows with, is a program that
is downloaded when it is first used.
"""

import json
import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from tests.command import gate
from tests.llm.driver import PLAN, Kind, send
from tests.llm.test_litellm import HEALTH, IN_THE_LOG, Is, of_a_user
from tests.servers.litellm import litellm, program
from tests.servers.postgres import OWNER, PASSWORD, READER, Postgres

pytestmark = pytest.mark.slow

SENT: Final = {kind: times for kind, times in PLAN.items() if not kind.route.endswith("/messages")}
"""Answers to /v1/messages that are made up have all the same id, and with it one row."""
THRESHOLDS: Final = {"latency": "10s", "time-to-first-token": "2s"}
TABLE: Final = '"LiteLLM_SpendLogs"'


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """The requests sent in the window that ends at ``at``, and where they were written down."""

    server: Postgres
    payloads: list[dict[str, Any]]
    sent: Counter[Kind]
    at: datetime
    window: int
    """Seconds."""

    def number(self, counts: Callable[[Kind], bool]) -> int:
        """Return how many requests were sent of the kinds for which this is true."""
        return sum(times for kind, times in self.sent.items() if counts(kind))


def is_written(kind: Kind) -> bool:
    """Return whether LiteLLM writes a row: of calls of a model, and of callers without a key."""
    return kind.asks_a_model or (kind.keyless and kind.route != "/metrics")


@pytest.fixture(scope="module")
def stored(postgres_server: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Stored:
    """Put a LiteLLM with its store under load."""
    folder = tmp_path_factory.mktemp("spend-logs")
    installed = Path(program("GATE_LITELLM", "litellm", "bin/litellm")).parents[1]
    (migrations,) = installed.glob("lib/python*/site-packages/litellm_proxy_extras/migrations")
    scripts = sorted(migrations.glob("*/migration.sql"))
    assert len(scripts) > 100
    postgres_server.run("CREATE DATABASE litellm")
    server = replace(postgres_server, database="litellm")
    server.run(*(script.read_text(encoding="utf-8") for script in scripts))
    server.run(f"GRANT SELECT ON {TABLE} TO {READER}")
    with litellm(folder, server.url.replace("//", f"//{OWNER}@")) as proxy:
        since = time.time()
        kinds = [kind for kind, times in SENT.items() for _ in range(times)]
        random.Random(17).shuffle(kinds)
        sent = send(proxy.url, kinds)
        expected = sum(times for kind, times in sent.items() if is_written(kind))
        deadline = time.monotonic() + 60
        while (rows := _rows(server)) < expected:
            assert time.monotonic() < deadline, f"{rows} of {expected} rows were written"
            time.sleep(0.5)
        at = datetime.now(UTC)
        payloads = [json.loads(line) for line in proxy.payloads.read_text().splitlines()]
    return Stored(
        server=server, payloads=payloads, sent=sent, at=at, window=int(at.timestamp() - since) + 60
    )


def _rows(server: Postgres) -> int:
    condition = f"""NOT request_tags @> '["{HEALTH}"]'"""
    ((number,),) = server.run(f"SELECT count(*) FROM {TABLE} WHERE {condition}")
    return int(number)


def measured(folder: Path, stored: Stored, indicator: str, **options: str) -> dict[str, Any]:
    """Return what ``gate status`` says of one indicator."""
    objective = {"allowance": "1000 USD"} if indicator == "spend" else {"objective": "95%"}
    sli: dict[str, object] = {"preset": f"litellm-postgres/{indicator}", "options": options}
    if indicator in THRESHOLDS:
        sli["threshold"] = THRESHOLDS[indicator]
    document = {
        "version": 1,
        "service": "chat",
        "backend": {
            "type": "postgres",
            "url": stored.server.url,
            "user": READER,
            "password": "${PASSWORD}",
            "records": "litellm-postgres",
        },
        "slos": [{"name": "it", **objective, "window": f"{stored.window}s", "sli": sli}],
        "tiers": [{"name": "any", "otherwise": True, "allow": "all"}],
        "on": {"mostly_uncovered": "warn"},
    }
    policy = folder / "gate.yaml"
    policy.write_text(yaml.safe_dump(document), encoding="utf-8")
    words = ("status", str(policy), "--at", stored.at.isoformat(), "--format", "json")
    done = gate(*words, env={"PASSWORD": PASSWORD})
    assert done.stdout, done.stderr
    (slo,) = json.loads(done.stdout)["policies"][0]["slos"]
    assert slo.get("cause") is None, slo
    return dict(slo)


def counts(slo: dict[str, Any]) -> tuple[float, float]:
    return float(slo["bad"]), float(slo["total"])


@pytest.mark.parametrize("case", IN_THE_LOG, ids=lambda case: str(case[0]))
def test_the_store_has_what_the_driver_sent(
    tmp_path: Path, stored: Stored, case: tuple[dict[str, str], Is, Is]
) -> None:
    options, counted, bad = case
    total = stored.number(counted)
    failures = stored.number(lambda kind: counted(kind) and bad(kind))
    assert total > failures > 0

    assert counts(measured(tmp_path, stored, "errors", **options)) == (failures, total)


def test_the_store_has_callers_without_a_key(tmp_path: Path, stored: Stored) -> None:
    bad, total = counts(measured(tmp_path, stored, "errors"))
    keyless = stored.number(lambda kind: kind.keyless and is_written(kind))

    counted = counts(measured(tmp_path, stored, "errors", keyless="bad"))

    assert counted == (bad + keyless, total + keyless)


def test_the_store_has_the_money_of_the_payloads(tmp_path: Path, stored: Stored) -> None:
    ids = {row[0] for row in stored.server.run(f"SELECT request_id FROM {TABLE}")}
    costs = [row["response_cost"] for row in stored.payloads if row["id"] in ids]

    spent = float(measured(tmp_path, stored, "spend")["spent"])

    assert spent == pytest.approx(sum(costs), rel=1e-9)
    assert spent > 0


def test_the_store_has_how_long_a_stream_took(tmp_path: Path, stored: Stored) -> None:
    # The slow upstream sends its parts over five seconds, the first of them at once.
    slow = stored.number(lambda kind: kind.model == "slow" and not kind.leaves)
    served = stored.number(lambda kind: of_a_user(kind) and kind.status == 200 and not kind.leaves)

    late, answered = counts(measured(tmp_path, stored, "latency", failures="excluded"))
    streamed = measured(tmp_path, stored, "time-to-first-token")

    assert late == 0
    assert answered == served
    assert streamed["total"] >= slow
