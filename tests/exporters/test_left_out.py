"""What a format cannot say is left out and named; what it says loosely is remarked upon."""

from pathlib import Path

import pytest

from gate.exporters import EXPORTERS, export_policy
from tests.exporters.policies import AVAILABILITY, SPEND, gate_export, read_policy, write_policy

COMPOSITE = "{name: both, composite: [{slo: availability}]}"
SLICES = (
    "{name: slices, objective: 99%, window: 30d, timeslices: {length: 5m, target: 95%},"
    " sli: {bad: e_total, total: r_total}}"
)
TO_DATE = (
    "{name: to-date, objective: 99%, window: {calendar: month, denominator: to-date},"
    " sli: {bad: e_total, total: r_total}}"
)
RECORDED = (
    "{name: recorded, objective: 99%, window: 30d,"
    " sli: {recorded: sloth, labels: {sloth_service: a, sloth_slo: b}}}"
)
UNREADABLE = "{name: unreadable, objective: 99%, window: 30d, sli: {bad: 'e_total{', total: r}}"
LAXER = (
    "{name: laxer, objective: 99%, window: 30d,"
    " sli: {histogram: d_seconds, threshold: 3s, bucket: laxer}}"
)
EMPTY = SLICES.replace("target: 95%", "target: 95%, empty: good").replace("slices,", "empty,")
GAUGE = "{name: up, objective: 99.9%, window: 30d, sli: {gauge: max(up)}}"
LONG_GAUGE = GAUGE.replace("sli:", "timeslices: {length: 5m, target: 90%}, sli:")
SECONDS = "{name: short, objective: 99%, window: 90s, sli: {bad: e_total, total: r_total}}"
WEEK = "{name: week, objective: 99%, window: 7d, sli: {bad: e_total, total: r_total}}"
UNSUMMED = (
    "{name: unsummed, objective: 99%, window: 30d,"
    " sli: {bad: 'max(increase(e_total[$window]))', total: r_total}}"
)
SAMPLES = (
    "{name: samples, objective: 99%, window: 30d,"
    " sli: {bad: e_total, total: 'sum(count_over_time(r[$window]))'}}"
)


@pytest.mark.parametrize("format_", EXPORTERS)
@pytest.mark.parametrize(
    ("slo", "remark"),
    [
        (SPEND, "spend is left out: an allowance is no share of events"),
        (COMPOSITE, "both is left out: a composite has no indicator of its own"),
        (TO_DATE, "to-date is left out: a budget to date cannot be said there"),
        (RECORDED, "recorded is left out: it is a mean of the ratios of timeslices"),
        (UNREADABLE, "unreadable is left out: its expression cannot be read: a closing }"),
        (LAXER, "laxer is left out: which boundary stands for its threshold is known by the live"),
    ],
)
def test_what_no_format_can_say_is_named(
    tmp_path: Path, format_: str, slo: str, remark: str
) -> None:
    exported = export_policy(format_, read_policy(tmp_path, AVAILABILITY, slo))

    assert [said for said in exported.remarks if said.startswith(remark)]
    assert exported.text is not None
    assert "availability" in exported.text


@pytest.mark.parametrize(
    ("format_", "slo", "remark"),
    [
        ("openslo", EMPTY, "empty is left out: what a slice without events counts as"),
        ("openslo", LONG_GAUGE, "up is left out: a gauge can be said for slices of a minute only"),
        ("openslo", SECONDS, "short is left out: 1m30s is no duration of OpenSLO"),
        ("sloth", SLICES, "slices is left out: Sloth counts no timeslices"),
        ("sloth", GAUGE, "up is left out: Sloth counts no timeslices"),
        ("sloth", WEEK, "week is left out: a file of Sloth says no window, and Sloth's own is 30d"),
        ("prometheus-rules", SLICES, "slices is left out: timeslices are no events"),
        ("prometheus-rules", UNSUMMED, "unsummed is left out: its count over a window is no sum"),
        ("prometheus-rules", SAMPLES, "samples is left out: its count over a window is no sum"),
        ("grafana-dashboard", SLICES, "slices is left out: timeslices cannot be shown"),
    ],
)
def test_what_one_format_cannot_say_is_named(
    tmp_path: Path, format_: str, slo: str, remark: str
) -> None:
    exported = export_policy(format_, read_policy(tmp_path, slo))

    assert [said for said in exported.remarks if said.startswith(remark)]
    assert exported.text is None


def test_what_only_the_gate_knows_of_an_slo_is_named(tmp_path: Path) -> None:
    slo = AVAILABILITY.replace("window", "sla: 99%, sampled: true, advisory: true, window")
    exported = export_policy("openslo", read_policy(tmp_path, slo, WEEK))

    assert exported.remarks == ("availability: there is no place for sla, sampled, advisory",)


def test_of_several_names_of_a_metric_the_newest_is_written(tmp_path: Path) -> None:
    slo = (
        "{name: itl, objective: 95%, window: 30d,"
        " sli: {preset: vllm/inter-token-latency, threshold: 100ms}}"
    )
    exported = export_policy("sloth", read_policy(tmp_path, slo))

    (names,) = [remark for remark in exported.remarks if "newest" in remark]
    assert "vllm:inter_token_latency_seconds_count" in names
    assert "vllm:time_per_output_token_seconds" not in str(exported.text)


@pytest.mark.parametrize("format_", ["openslo", "sloth", "prometheus-rules"])
def test_the_command_writes_what_it_can_and_names_the_rest_on_stderr(
    tmp_path: Path, format_: str
) -> None:
    done = gate_export(format_, write_policy(tmp_path, AVAILABILITY, SPEND))

    assert done.exit_code == 0
    assert "availability" in done.stdout
    assert "gate.yaml: spend is left out: an allowance is no share of events" in done.stderr


def test_the_command_fails_where_nothing_can_be_written(tmp_path: Path) -> None:
    done = gate_export("sloth", write_policy(tmp_path, SPEND))

    assert (done.exit_code, done.stdout) == (2, "")
    assert "no SLO can be written as sloth" in done.stderr


@pytest.mark.parametrize("format_", EXPORTERS)
def test_other_backends_have_nothing_to_export(tmp_path: Path, format_: str) -> None:
    path = write_policy(tmp_path, "{name: availability, objective: 99.9%, window: 30d}")
    (tmp_path / "counts.yaml").write_text("counts: {availability: {total: 10, bad: 1}}\n")
    backend = 'type: prometheus, url: "http://127.0.0.1:9"'
    path.write_text(path.read_text().replace(backend, "type: static, path: counts.yaml"))

    done = gate_export(format_, path)

    assert (done.exit_code, done.stdout) == (2, "")
    assert "only SLOs of a Prometheus backend can be exported" in done.stderr
