"""SLO files of other tools, counted on real servers: what comes out is what truly happened."""

from datetime import timedelta
from pathlib import Path

import pytest

from tests.hosts.repository import begin, commit, git
from tests.live.command import Outcome, check, policy
from tests.servers.history import probe_values, truth
from tests.servers.metrics import Server
from tests.servers.series import LAST, STEP

pytestmark = pytest.mark.slow

ALLOW, BLOCK = 0, 10
MONTH, FOUR_WEEKS = timedelta(days=30), timedelta(days=28)
EXACT = 1e-9

SLOTH = """\
version: prometheus/v1
service: llm
slos:
  - name: availability
    objective: 99.9
    sli:
      events:
        error_query: sum(rate(llm_requests_total{service="peak",code=~"5.."}[{{.window}}]))
        total_query: sum(rate(llm_requests_total{service="peak"}[{{.window}}]))
    alerting: {page_alert: {disable: true}, ticket_alert: {disable: true}}
  - name: up
    objective: 99.5
    sli:
      raw:
        error_ratio_query: |
          1 - (
            sum(sum_over_time(llm_up{service="probe"}[{{.window}}]))
            /
            sum(count_over_time(llm_up{service="probe"}[{{.window}}]))
          )
  - name: up-now-and-then
    objective: 99.5
    sli:
      events:
        error_query: sum_over_time((count(llm_up == 0))[{{.window}}:5m]) OR on() vector(0)
        total_query: sum_over_time((count(llm_up))[{{.window}}:5m])
"""
PYRRA = """\
apiVersion: pyrra.dev/v1alpha1
kind: ServiceLevelObjective
metadata: {name: errors}
spec:
  target: "99.9"
  window: 4w
  indicator:
    ratio:
      errors: {metric: 'llm_requests_total{service="trough",code="500"}'}
      total: {metric: 'llm_requests_total{service="trough"}'}
---
apiVersion: pyrra.dev/v1alpha1
kind: ServiceLevelObjective
metadata: {name: latency}
spec:
  target: "95"
  window: 4w
  indicator:
    latency:
      success: {metric: 'llm_request_duration_seconds_bucket{service="latency",le="2.0"}'}
      total: {metric: 'llm_request_duration_seconds_count{service="latency"}'}
---
apiVersion: pyrra.dev/v1alpha1
kind: ServiceLevelObjective
metadata: {name: up}
spec:
  target: "99.5"
  window: 4w
  indicator: {bool_gauge: {metric: 'llm_up{service="probe"}'}}
"""
GENERATOR = """\
apiVersion: sre.google.com/v2
kind: ServiceLevelObjective
metadata: {name: ratio}
spec:
  backend: prometheus
  method: good_bad_ratio
  service_level_indicator:
    filter_good: llm_requests_total{service="peak",code!="500"}
    filter_bad: llm_requests_total{service="peak",code="500"}
  goal: 0.999
---
apiVersion: sre.google.com/v2
kind: ServiceLevelObjective
metadata: {name: query}
spec:
  backend: prometheus
  method: query_sli
  service_level_indicator:
    expression: >
      sum(rate(llm_requests_total{service="peak",code!="500"}[window]))
      / sum(rate(llm_requests_total{service="peak"}[window]))
  goal: 0.999
---
apiVersion: sre.google.com/v2
kind: ServiceLevelObjective
metadata: {name: cut}
spec:
  backend: prometheus
  method: distribution_cut
  service_level_indicator:
    expression: llm_request_duration_seconds_bucket{service="latency"}
    threshold_bucket: 2
  goal: 0.95
"""
OPENSLO = """\
apiVersion: openslo/v1
kind: SLO
metadata: {name: requests}
spec:
  service: llm
  timeWindow: [{duration: 30d, isRolling: true}]
  budgetingMethod: Occurrences
  objectives:
    - {displayName: Peak, targetPercent: 99.9, indicatorRef: peak, compositeWeight: 0.5}
    - {displayName: Trough, target: 0.999, indicatorRef: trough}
---
apiVersion: openslo/v1
kind: SLO
metadata: {name: up}
spec:
  service: llm
  indicator:
    metadata: {name: up}
    spec:
      thresholdMetric:
        metricSource: {type: Prometheus, spec: {query: 'llm_up{service="probe"}'}}
  timeWindow: [{duration: 30d, isRolling: true}]
  budgetingMethod: Timeslices
  objectives: [{op: gte, value: 1, target: 0.999, timeSliceTarget: 1, timeSliceWindow: 1m}]
"""
OPENSLO_SLIS = "---\n".join(
    f"""\
apiVersion: openslo/v1
kind: SLI
metadata: {{name: {name}}}
spec:
  ratioMetric:
    counter: true
    bad:
      metricSource:
        metricSourceRef: main
        spec: {{query: 'sum(llm_requests_total{{service="{name}",code="500"}})'}}
    total:
      metricSource:
        metricSourceRef: main
        spec: {{query: 'sum(llm_requests_total{{service="{name}"}})'}}
"""
    for name in ("peak", "trough")
)
DATA_SOURCE = "apiVersion: openslo/v1\nkind: DataSource\nmetadata: {name: main}\n"
DATA_SOURCE += "spec: {type: Prometheus, connectionDetails: {url: elsewhere}}\n"


def judged(folder: Path, url: str, *texts: str, **more: str) -> Outcome:
    (folder / "slos").mkdir()
    for number, text in enumerate(texts):
        (folder / "slos" / f"{number}.yaml").write_text(text)
    return check(policy(folder, url, [{"from": "slos/*.yaml", **more}]))


def assert_events(outcome: Outcome, name: str, service: str, window: timedelta) -> None:
    """Assert that the counts are the events that happened to a service."""
    slo, true = outcome.slos[name], truth(service, window)
    assert slo["status"] == "measured"
    assert slo["total"] == pytest.approx(true.total, rel=EXACT)
    assert slo["bad"] == pytest.approx(true.bad, rel=EXACT)


def assert_samples(outcome: Outcome, name: str, window: timedelta, every: int = 1) -> None:
    """Assert that the counts are the samples of the probe, and those of its outages."""
    values = probe_values()[LAST : LAST - window // STEP : -every]  # the newest first
    slo = outcome.slos[name]
    assert slo["status"] == "measured"
    # Whether a window's first instant belongs to it differs between servers.
    assert slo["total"] == pytest.approx(len(values), abs=1)
    assert slo["bad"] == pytest.approx(values.count(0), abs=1e-6)


def test_sloth_is_counted_in_events_over_its_period(url: str, tmp_path: Path) -> None:
    outcome = judged(tmp_path, url, SLOTH)

    assert outcome.code == BLOCK
    assert_events(outcome, "llm-availability", "peak", MONTH)
    assert_samples(outcome, "llm-up", MONTH)
    assert_samples(outcome, "llm-up-now-and-then", MONTH, every=5)


def test_pyrra_is_counted_as_pyrra_counts(url: str, tmp_path: Path) -> None:
    outcome = judged(tmp_path, url, PYRRA)

    assert_events(outcome, "errors", "trough", FOUR_WEEKS)
    assert_events(outcome, "latency", "latency", FOUR_WEEKS)
    assert_samples(outcome, "up", FOUR_WEEKS)


def test_slo_generator_is_counted_over_the_policys_window(url: str, tmp_path: Path) -> None:
    outcome = judged(tmp_path, url, GENERATOR, window="28d")

    assert_events(outcome, "ratio", "peak", FOUR_WEEKS)
    assert_events(outcome, "query", "peak", FOUR_WEEKS)
    assert_events(outcome, "cut", "latency", FOUR_WEEKS)


def test_openslo_is_counted_in_events_and_slices_and_summed_up(url: str, tmp_path: Path) -> None:
    outcome = judged(tmp_path, url, OPENSLO, OPENSLO_SLIS, DATA_SOURCE)

    assert_events(outcome, "requests/Peak", "peak", MONTH)
    assert_events(outcome, "requests/Trough", "trough", MONTH)
    peak, trough = truth("peak", MONTH), truth("trough", MONTH)
    consumed = (peak.bad / peak.total * 0.5 + trough.bad / trough.total) / 0.001
    assert outcome.slos["requests"]["consumed"] == pytest.approx(consumed, rel=1e-6)
    # 43 of 43.2 minutes, as with a gauge of the policy's own.
    assert 43 / 43.2 - 1e-4 <= outcome.slos["up"]["consumed"] <= 45 / 43.2


def test_a_change_cannot_loosen_its_gate_by_an_slo_file(
    history_prometheus: Server, tmp_path: Path
) -> None:
    folder = begin(tmp_path / "chat")
    path = policy(folder, history_prometheus.url, [{"from": "slos/*.yaml"}])
    first, _, _ = SLOTH.partition("  - name: up\n")
    base = commit(folder, "gate", {"slos/a.yaml": first})
    commit(folder, "loosen", {"slos/a.yaml": first.replace("99.9", "90")})

    assert check(path).code == ALLOW
    pinned = check(path, "--policy-ref", base)
    (decided,) = pinned.decision["policies"]
    assert pinned.code == BLOCK
    assert pinned.slos["llm-availability"]["objective"] == 0.999
    assert decided["source"]["revision"] == base
    assert decided["proposed_policy"]["verdict"] == "allow"
    assert decided["proposed_policy"]["sha256"] != decided["source"]["sha256"]

    commit(folder, "empty", {"slos/a.yaml": "x: 1\n"})
    broken = check(path, "--policy-ref", base)
    assert broken.code == BLOCK
    assert broken.decision["policies"][0]["proposed_policy"]["verdict"] is None

    git(folder, "revert", "--no-edit", "HEAD", "HEAD~1")
    assert check(path, "--policy-ref", base).decision["policies"][0]["proposed_policy"] is None
