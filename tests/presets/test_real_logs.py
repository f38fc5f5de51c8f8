"""The presets on logs that real servers wrote: LiteLLM 1.106.12 payloads, Envoy 1.40.0 access log.

LiteLLM: ``litellm --config config.yaml`` with a callback that writes each StandardLoggingPayload;
what the preset reads of it is kept. Envoy: ``envoy -c envoy.yaml`` with a JSON access log, in front
of a llama-server, with a route timeout of 2 s. Expected are the counts of plain Python.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from tests.command import gate
from tests.presets.test_real_pages import PAGES

pytestmark = pytest.mark.real
AT: Final = "2026-11-29T00:00:00Z"
Row = dict[str, Any]
Is = Callable[[Row], bool]


def measured(folder: Path, records: str, log: str, sli: Row, **promise: str) -> Row:
    """Return what ``gate status`` counts of one indicator over the day of the log."""
    document = {
        "version": 1,
        "service": "chat",
        "backend": {"type": "logs", "path": str(PAGES / log), "records": records},
        "slos": [{"name": "it", "window": "1d", "sli": sli, **(promise or {"objective": "95%"})}],
        "tiers": [{"name": "any", "otherwise": True, "allow": "all"}],
    }
    policy = folder / "gate.yaml"
    policy.write_text(yaml.safe_dump(document), encoding="utf-8")
    done = gate("status", str(policy), "--at", AT, "--format", "json")
    (slo,) = json.loads(done.stdout)["policies"][0]["slos"]
    return dict(slo)


def rows(log: str) -> list[Row]:
    return [json.loads(line) for line in (PAGES / log).read_text(encoding="utf-8").splitlines()]


PAYLOAD: Final = "litellm-1.106.12-payload.jsonl"
ACCESS: Final = "envoy-1.40.0-access.jsonl"


def code(row: Row) -> str:
    return str(row["error_information"]["error_code"])


def left(row: Row) -> bool:
    return code(row) == "499"


def keyless(row: Row) -> bool:
    return not row["metadata"]["user_api_key_hash"]


def failed(row: Row) -> bool:
    return bool(row["status"] == "failure")


def streamed(row: Row) -> bool:
    return row["model_parameters"].get("stream") is True


def seconds(row: Row) -> float:
    return float(round(row["endTime"] - row["startTime"], 6))


def first_token(row: Row) -> float:
    return float(round(row["completionStartTime"] - row["startTime"], 6))


CASES: Final[list[tuple[str, Row, Is, Is]]] = [
    # kind, what the policy says, which rows count, which of them are bad
    ("errors", {}, lambda r: code(r) not in {"400", "429", "499"} and not keyless(r), failed),
    (
        "errors",
        {"options": {"keyless": "bad"}},
        lambda r: code(r) not in {"400", "429", "499"},
        failed,
    ),
    (
        "errors",
        {"options": {"client_errors": "bad", "rate_limited": "bad"}},
        lambda r: not keyless(r),
        lambda r: failed(r) or left(r),
    ),
    (
        "latency",
        {"threshold": "500ms"},
        lambda r: not failed(r) and not left(r),
        lambda r: seconds(r) > 0.5,
    ),
    (
        "time-to-first-token",
        {"threshold": "200ms", "options": {"failures": "bad"}},
        lambda r: streamed(r) and not left(r),
        lambda r: failed(r) or first_token(r) > 0.2,
    ),
    (
        "cost-per-query",
        {"threshold": "0.0002"},
        lambda r: not failed(r),
        lambda r: not 0 < r["response_cost"] <= 0.0002,
    ),
    (
        "cost-per-query",
        {"threshold": "0.0002", "options": {"unpriced": "excluded"}},
        lambda r: not failed(r) and r["response_cost"] > 0,
        lambda r: bool(r["response_cost"] > 0.0002),
    ),
    ("inference-failures", {}, lambda r: not keyless(r), lambda r: code(r) == "500"),
]


@pytest.mark.variants(3)
@pytest.mark.parametrize(("kind", "says", "counts", "bad"), CASES)
def test_litellms_payloads_are_counted_as_by_hand(
    tmp_path: Path, kind: str, says: Row, counts: Is, bad: Is
) -> None:
    counted = [row for row in rows(PAYLOAD) if counts(row)]
    expected = {"bad": sum(map(bad, counted)), "total": len(counted)}
    assert 0 < expected["bad"] < expected["total"]

    slo = measured(
        tmp_path, "litellm-payload", PAYLOAD, {"preset": f"litellm-payload/{kind}", **says}
    )

    assert {role: float(slo[role]) for role in expected} == expected


def test_spend_says_of_how_many_requests_the_price_is_not_known(tmp_path: Path) -> None:
    priced = [row["response_cost"] for row in rows(PAYLOAD) if row["response_cost"] > 0]
    unpriced = [
        row for row in rows(PAYLOAD) if row["completion_tokens"] and not row["response_cost"]
    ]
    assert len(unpriced) == 34

    sli = {"preset": "litellm-payload/spend"}
    slo = measured(tmp_path, "litellm-payload", PAYLOAD, sli, allowance="10 USD")

    assert float(slo["spent"]) == pytest.approx(sum(priced))
    assert f"spent is NULL in 34 of {len(rows(PAYLOAD))} rows" in slo["notes"]


CUT: Final = {"UT", "UC", "UF"}


def test_envoys_access_log_is_counted_as_by_hand(tmp_path: Path) -> None:
    counted = [row for row in rows(ACCESS) if row["response_code"] != 400]
    bad = [r for r in counted if r["response_code"] >= 500 or r["response_flags"] in CUT]
    cut = [row for row in bad if row["response_code"] == 200]
    assert (len(bad), len(counted), len(cut)) == (23, 119, 2)

    slo = measured(tmp_path, "envoy", ACCESS, {"preset": "envoy/errors"})

    assert (float(slo["bad"]), float(slo["total"])) == (23, 119)
