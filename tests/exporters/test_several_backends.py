"""Indicators in PromQL are exported, and the rest of several backends is named."""

from pathlib import Path

import pytest

from gate.exporters import EXPORTERS
from tests.exporters.policies import HEAD, gate_export

PROM = '{type: prometheus, url: "http://127.0.0.1:9"}'
LOGS = "{type: logs, path: judge.jsonl, timestamp: ts}"
BAD = """{bad: 'http_requests_total{code=~"5.."}', total: http_requests_total}"""
UP = f"  - {{name: up, objective: 99.9%, window: 30d, backend: prom, sli: {BAD}}}\n"
OTHER = f"  - {{name: other, objective: 99.9%, window: 30d, backend: second, sli: {BAD}}}\n"
JUDGED = (
    "  - {name: judged, objective: 98%, window: 30d, backend: judge, sli: {bad: score < 0.5}}\n"
)
WHOLE = "  - {name: whole, composite: [{slo: up}, {slo: judged}]}\n"
PART = "  - {name: part, composite: [{slo: up}]}\n"


def write(folder: Path, backends: str, slos: str) -> Path:
    head = HEAD.replace(f"backend: {PROM}\n", f"backends: {{{backends}}}\n")
    assert "backends" in head
    path = folder / "gate.yaml"
    path.write_text(head + slos, encoding="utf-8")
    return path


@pytest.mark.parametrize("format_", EXPORTERS)
def test_what_has_no_promql_is_left_out_and_named(tmp_path: Path, format_: str) -> None:
    path = write(tmp_path, f"prom: {PROM}, judge: {LOGS}", UP + JUDGED + WHOLE + PART)

    done = gate_export(format_, path)

    assert done.exit_code == 0
    assert "judged" not in done.stdout
    left_out = [line for line in done.stderr.splitlines() if "judged" in line or "whole" in line]
    assert left_out == [
        f"gate: {path}: judged is left out: its backend judge (logs) has no PromQL",
        f"gate: {path}: whole is left out: its member judged is left out",
    ]
    assert f"gate: {path}: part is left out: a composite has no indicator of its own" in done.stderr


def test_rules_of_two_servers_are_not_for_one_of_them(tmp_path: Path) -> None:
    path = write(tmp_path, f"prom: {PROM}, second: {PROM}", UP + OTHER)

    done = gate_export("prometheus-rules", path)

    assert done.exit_code == 0
    assert "its SLOs are counted by several servers (prom, second); give each its own part" in (
        done.stderr
    )


def test_without_any_promql_nothing_is_exported(tmp_path: Path) -> None:
    done = gate_export("sloth", write(tmp_path, f"judge: {LOGS}", JUDGED))

    assert done.exit_code == 2
    assert "only SLOs of a Prometheus backend can be exported" in done.stderr
