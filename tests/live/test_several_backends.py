"""A real Prometheus and request logs in one decision, each budget that of its own source."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.live.command import TIERS, Outcome, availability, check
from tests.servers.history import truth
from tests.servers.series import END

MONTH = timedelta(days=30)
JUDGED, WRONG = 4320, 54
"""Answers of a month, one every ten minutes."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    lines = (
        json.dumps(
            {
                "ts": (END - place * timedelta(minutes=10)).isoformat(),
                "score": 0.1 if place % (JUDGED // WRONG) == 0 else 0.9,
            }
        )
        for place in range(JUDGED)
    )
    (tmp_path / "judge.jsonl").write_text("\n".join(lines), encoding="utf-8")
    return tmp_path


def write(folder: Path, url: str, judge: str = "judge.jsonl", **more: Any) -> Path:
    document = {
        "version": 1,
        "service": "chat",
        "backends": {
            "prom": {"type": "prometheus", "url": url, "retries": 0},
            "judge": {"type": "logs", "path": judge, "timestamp": "ts", "max_age": "1h"},
        },
        "slos": [
            availability("trough", backend="prom"),
            {
                "name": "faithfulness",
                "objective": "95%",
                "window": "30d",
                "backend": "judge",
                "sli": {"bad": "score < 0.5"},
            },
            {"name": "both", "composite": [{"slo": "trough"}, {"slo": "faithfulness"}]},
        ],
        "tiers": TIERS,
        **more,
    }
    path = folder / "gate.yaml"
    path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    return path


def remaining(outcome: Outcome) -> dict[str, float | None]:
    return {name: slo["remaining"] for name, slo in outcome.slos.items()}


def test_one_decision_reads_both_at_one_instant(url: str, folder: Path) -> None:
    outcome = check(write(folder, url))
    true = truth("trough", MONTH)

    consumed = {name: slo["consumed"] for name, slo in outcome.slos.items()}
    of_trough, of_judged = true.bad / true.total / 0.001, WRONG / JUDGED / 0.05
    assert outcome.code == 0
    assert consumed["trough"] == pytest.approx(of_trough, rel=1e-6)
    assert consumed["faithfulness"] == pytest.approx(of_judged)
    assert consumed["both"] == pytest.approx(of_trough + of_judged, rel=1e-6)
    (policy,) = outcome.decision["policies"]
    assert [backend["answered"] for backend in policy["backends"]] == [True, True]


@pytest.mark.parametrize(
    ("broken", "slo"), [("prom", "trough"), ("judge", "faithfulness")], ids=["prom", "judge"]
)
def test_where_one_is_gone_the_other_is_measured(
    url: str, folder: Path, broken: str, slo: str
) -> None:
    whole = remaining(check(write(folder, url)))
    if broken == "prom":
        path = write(folder, "http://127.0.0.1:9")
    else:
        path = write(folder, url, judge="nowhere/*.jsonl")

    outcome = check(path)

    assert outcome.code == 3
    assert remaining(outcome) == whole | {slo: None, "both": None}
