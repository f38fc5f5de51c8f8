"""The exported rules, held against the real promtool."""

import subprocess
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import yaml

from gate.exporters import counted, export_policy
from gate.promql.buckets import Buckets, choose
from gate.promql.expression import fingerprint, read_expression, rule_expressions
from gate.slo.objective import RatioSlo
from tests.exporters.policies import AVAILABILITY, read_policy
from tests.servers.processes import binary

HISTOGRAM = (
    "{name: ttft, objective: 95%, window: {calendar: month},"
    " sli: {histogram: ttft_seconds, threshold: 2s, labels: {job: x}}}"
)
GOOD_AND_BAD = (
    "{name: answers, objective: 99%, window: 7d,"
    """ sli: {good: 'answers_total{ok="yes"}', bad: 'answers_total{ok="no"}'}}"""
)
LABELS = 'service="chat",slo="availability"'


def rules_text(folder: Path, *slos: str) -> str:
    text = export_policy("prometheus-rules", read_policy(folder, *slos)).text
    assert text is not None
    return text


def promtool(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [binary("promtool"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def unit_test(folder: Path, rules: str, series: dict[str, str], **expected: Any) -> None:
    """Play series, one sample a minute, to the rules, and hold what comes of it to promtool."""
    (folder / "rules.yml").write_text(rules, encoding="utf-8")
    played = [{"series": name, "values": values} for name, values in series.items()]
    document = {
        "rule_files": ["rules.yml"],
        "evaluation_interval": "1m",
        "tests": [{"interval": "1m", "input_series": played, **expected}],
    }
    (folder / "test.yml").write_text(yaml.safe_dump(document), encoding="utf-8")
    done = promtool("test", "rules", str(folder / "test.yml"))
    assert done.returncode == 0, done.stdout + done.stderr


def sample(query: str, labels: str, value: float, at: str = "6h") -> dict[str, Any]:
    return {
        "expr": query,
        "eval_time": at,
        "exp_samples": [{"labels": labels, "value": value}],
    }


def alerts(at: str, *windows: tuple[str, str, str]) -> dict[str, Any]:
    """Expect the alerts with these severities and windows, and no other."""
    expected = [
        {
            "exp_labels": {
                "service": "chat",
                "slo": "availability",
                "severity": severity,
                "long": long,
                "short": short,
                "window": long,
            },
        }
        for severity, long, short in windows
    ]
    return {"eval_time": at, "alertname": "GateBudgetBurn", "exp_alerts": expected}


def test_promtool_finds_nothing_wrong_with_them(tmp_path: Path) -> None:
    (tmp_path / "rules.yml").write_text(
        rules_text(tmp_path, AVAILABILITY, HISTOGRAM, GOOD_AND_BAD), encoding="utf-8"
    )
    done = promtool("check", "rules", str(tmp_path / "rules.yml"))

    assert done.returncode == 0, done.stderr
    assert "SUCCESS" in done.stdout


@pytest.mark.slow
def test_counts_are_added_up_and_ratios_are_those_of_the_counts(tmp_path: Path) -> None:
    # 3 hours of 100 requests a minute, all fine, then 3 hours of 10 a minute, half of them bad:
    # of 19,800 events 900 are bad, 4.55%; the newest 25 of them are not yet counted in full, and
    # that makes 4.5%. A mean of the ratios of 5 minutes would be about 25%.
    series = {
        'http_requests_total{code="200"}': "0+100x180 18005+5x180",
        'http_requests_total{code="500"}': "0x180 5+5x180",
    }
    recorded = f"round(gate:slo_errors:ratio{{{LABELS},window='6h'}}, 0.0005)"
    unit_test(
        tmp_path,
        rules_text(tmp_path, AVAILABILITY),
        series,
        promql_expr_test=[
            sample(recorded, f'{{{LABELS},window="6h"}}', 0.045),
            sample(
                f"gate:slo_objective:ratio{{{LABELS}}}",
                f"gate:slo_objective:ratio{{{LABELS}}}",
                0.999,
            ),
            sample(
                f"round(gate:slo_budget_remaining:ratio{{{LABELS}}})",
                f'{{{LABELS},window="30d"}}',
                -44,
            ),
        ],
    )


@pytest.mark.slow
def test_where_nothing_has_failed_yet_the_errors_are_0_and_not_missing(tmp_path: Path) -> None:
    series = {'http_requests_total{code="200"}': "0+100x360"}
    ratio = f"gate:slo_errors:ratio{{{LABELS},window='6h'}}"
    unit_test(
        tmp_path,
        rules_text(tmp_path, AVAILABILITY),
        series,
        promql_expr_test=[
            sample(ratio, f'gate:slo_errors:ratio{{{LABELS},window="6h"}}', 0),
            sample(
                f"gate:slo_budget_remaining:ratio{{{LABELS}}}",
                f'gate:slo_budget_remaining:ratio{{{LABELS},window="30d"}}',
                1,
            ),
        ],
        alert_rule_test=[alerts("6h")],
    )


@pytest.mark.slow
def test_without_traffic_there_is_no_ratio_and_no_alert(tmp_path: Path) -> None:
    series = {
        'http_requests_total{code="200"}': "5x360",
        'http_requests_total{code="500"}': "5x360",
    }
    nothing = {"expr": f"gate:slo_errors:ratio{{{LABELS}}}", "eval_time": "6h", "exp_samples": []}
    unit_test(
        tmp_path,
        rules_text(tmp_path, AVAILABILITY),
        series,
        promql_expr_test=[nothing],
        alert_rule_test=[alerts("6h")],
    )


@pytest.mark.slow
def test_alerts_fire_at_the_policys_rates_and_end_with_the_short_window(tmp_path: Path) -> None:
    # After six fine hours 2% fail for one: a burn rate of 20 over this hour, of 3.3 over 6 hours,
    # and of 2.86 (1,200 of 420,000 at 99.9%) over all there is, which is below 3.
    series = {
        'http_requests_total{code="200"}': "0+1000x360 360980+980x60 419800+1000x60",
        'http_requests_total{code="500"}': "0x360 20+20x60 1220x60",
    }
    document = yaml.safe_load(rules_text(tmp_path, AVAILABILITY))
    for rule in document["groups"][0]["rules"]:
        summary = rule.pop("annotations", {}).get("summary", "")
        assert summary.startswith("availability of chat burns its budget") == ("alert" in rule)
    unit_test(
        tmp_path,
        yaml.safe_dump(document),
        series,
        alert_rule_test=[
            alerts("6h"),
            alerts("7h", ("page", "1h", "5m"), ("ticket", "3d", "6h")),
            alerts("7h20m", ("ticket", "3d", "6h")),
        ],
    )


@pytest.mark.parametrize("written", [("2",), ("2.0",)])
def test_the_gate_finds_the_rules_of_a_histogram_however_the_server_writes_its_boundary(
    tmp_path: Path, written: tuple[str, ...]
) -> None:
    (slo,) = read_policy(tmp_path, HISTOGRAM).slos
    assert isinstance(slo, RatioSlo)
    assert slo.sli.histogram is not None
    _, offline = counted(slo)
    buckets = Buckets.of(slo.sli.histogram, slo.sli.labels)
    found = choose(slo.sli.histogram, dict.fromkeys((*written, "+Inf"), Fraction(3))).boundaries
    live = buckets.up_to(found)
    roles = {
        "good": read_expression(live.good or "", None),
        "total": read_expression(live.total or "", None),
    }

    lacking = [buckets.lacking(boundary) for boundary in found]
    texts = rule_expressions(roles, lacking)
    assert texts == rule_expressions(offline.roles, offline.lacking)
    assert fingerprint(texts["good"]) != fingerprint(texts["total"])


def test_good_events_are_not_recorded_while_a_histogram_lacks_their_boundary(
    tmp_path: Path,
) -> None:
    series = {
        'ttft_seconds_count{job="x",pod="a"}': "0+10x60",
        'ttft_seconds_bucket{job="x",pod="a",le="2"}': "0+9x60",
        'ttft_seconds_bucket{job="x",pod="a",le="+Inf"}': "0+10x60",
        'ttft_seconds_count{job="x",pod="b"}': "_x30 0+10x30",
        'ttft_seconds_bucket{job="x",pod="b",le="+Inf"}': "_x30 0+10x30",
    }
    counted_good = "gate:sli_good:increase5m"
    unit_test(
        tmp_path,
        rules_text(tmp_path, HISTOGRAM),
        series,
        promql_expr_test=[
            sample(f"sum({counted_good})", "{}", 45, "20m"),
            {"expr": counted_good, "eval_time": "50m", "exp_samples": []},
        ],
    )
