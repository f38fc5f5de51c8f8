"""An export as OpenSLO or for Sloth is read back as the same SLO."""

from dataclasses import replace
from pathlib import Path

import pytest

from gate.config.load import load
from gate.exporters import export_policy
from gate.policy.policy import Policy
from gate.promql.expression import read_expression
from gate.slo.objective import RatioSlo
from tests.exporters.policies import AVAILABILITY, HEAD, read_policy

SLOS = {
    "bad": AVAILABILITY,
    "good": "{name: one, objective: 99.95%, window: 12h, sli: {good: a_total, total: b_total}}",
    "good and bad": "{name: one, objective: 0.95, window: 90m, sli: {good: a, bad: b}}",
    "written out": (
        "{name: one, objective: 99%, window: 7d, sli: {labels: {job: x},"
        " bad: 'sum(increase(a{$labels}[$window]))', total: 'sum(increase(b[$window]))'}}"
    ),
    "histogram": (
        "{name: one, objective: 95%, window: {calendar: month, time_zone: Europe/Berlin},"
        " sli: {histogram: d_seconds, threshold: 2s}}"
    ),
    "quarter": AVAILABILITY.replace("30d", "{calendar: quarter}"),
    "week": AVAILABILITY.replace("30d", "{calendar: week, time_zone: Asia/Kolkata}"),
    "week from Saturday noon": AVAILABILITY.replace(
        "30d", "{calendar: week, begins: 2026-01-03T12:00, time_zone: Asia/Kolkata}"
    ),
    "slices": (
        "{name: one, objective: 99%, window: 30d, timeslices: {length: 5m, target: 95%},"
        " sli: {bad: e_total, total: r_total}}"
    ),
    "gauge": "{name: one, objective: 99.9%, window: 30d, sli: {gauge: max(up)}}",
}


def read_back(folder: Path, text: str) -> Policy:
    (folder / "exported.yaml").write_text(text, encoding="utf-8")
    path = folder / "back.yaml"
    path.write_text(f"{HEAD}  - from: exported.yaml\n", encoding="utf-8")
    return load(str(path), {}).policy


def asked(slo: RatioSlo) -> dict[str, str]:
    """Return the indicator as it is sent over an hour."""
    texts = {"good": slo.sli.good, "bad": slo.sli.bad, "total": slo.sli.total}
    return {
        role: read_expression(text, slo.sli.labels).over("1h")
        for role, text in texts.items()
        if text is not None
    }


@pytest.mark.parametrize("kind", SLOS)
def test_openslo_keeps_the_budget(tmp_path: Path, kind: str) -> None:
    policy = read_policy(tmp_path, SLOS[kind])
    (before,) = policy.slos
    text = export_policy("openslo", policy).text

    assert text is not None
    (after,) = read_back(tmp_path, text).slos
    assert isinstance(before, RatioSlo)
    assert isinstance(after, RatioSlo)
    assert replace(after, sli=before.sli) == before
    assert (after.sli.gauge is None) == (kind != "gauge")
    if kind in {"bad", "good", "written out", "quarter", "week", "slices"}:
        assert asked(after) == asked(before)


def test_openslo_counts_a_histogram_up_to_either_spelling_of_its_boundary(tmp_path: Path) -> None:
    text = export_policy("openslo", read_policy(tmp_path, SLOS["histogram"])).text

    assert text is not None
    (after,) = read_back(tmp_path, text).slos
    assert isinstance(after, RatioSlo)
    assert asked(after) == {
        "good": r'sum(increase(d_seconds_bucket{le=~"2|2\\.0"}[1h]))',
        "total": "sum(increase(d_seconds_count[1h]))",
    }


IN_SLOTH = {
    "bad": {
        "bad": 'sum(increase(http_requests_total{code=~"5.."}[1h])) or vector(0)',
        "total": "sum(increase(http_requests_total[1h]))",
    },
    # Written as total - good, which the reader of Sloth's files takes for what it is.
    "good": {"good": "sum(increase(a_total[1h]))", "total": "sum(increase(b_total[1h]))"},
    "good and bad": {
        "bad": "sum(increase(b[1h])) or vector(0)",
        "total": "sum(increase(a[1h])) + (sum(increase(b[1h])) or vector(0))",
    },
    "added up": {
        "bad": "(sum(increase(a[1h])) or vector(0)) + (sum(increase(b[1h])) or vector(0))",
        "total": "sum(increase(c[1h]))",
    },
}
ADDED_UP = (
    "{name: one, objective: 99%, window: 30d, sli: {total: c,"
    " bad: '(sum(increase(a[$window])) or vector(0)) + (sum(increase(b[$window])) or vector(0))'}}"
)


@pytest.mark.parametrize("kind", IN_SLOTH)
def test_sloth_counts_the_same_events_over_its_30_days(tmp_path: Path, kind: str) -> None:
    slo = SLOS.get(kind, ADDED_UP).replace("12h", "30d").replace("90m", "30d")
    policy = read_policy(tmp_path, slo)
    (before,) = policy.slos
    text = export_policy("sloth", policy).text

    assert text is not None
    assert isinstance(before, RatioSlo)
    (after,) = read_back(tmp_path, text).slos
    assert isinstance(after, RatioSlo)
    assert after.name == f"chat-{before.name}"
    assert replace(after, sli=before.sli, name=before.name) == before
    assert asked(after) == IN_SLOTH[kind]
