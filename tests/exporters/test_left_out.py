"""Parts that a format cannot express are left out and named; loose ones have a remark."""

from dataclasses import replace
from pathlib import Path

import pytest

from gate.exporters import EXPORTERS, NotExportableError, counted, export_policy
from gate.slo.indicator import Sli
from gate.slo.objective import PlatformSlo, RatioSlo
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
        (SPEND, "spend is left out: an allowance is not a share of events"),
        (COMPOSITE, "both is left out: a composite has no indicator of its own"),
        (TO_DATE, "to-date is left out: the format cannot express a budget to date"),
        (RECORDED, "recorded is left out: it is a mean of the ratios of timeslices"),
        (LAXER, "laxer is left out: only the live server knows which boundary"),
    ],
)
def test_what_no_format_can_say_is_named(
    tmp_path: Path, format_: str, slo: str, remark: str
) -> None:
    exported = export_policy(format_, read_policy(tmp_path, AVAILABILITY, slo))

    assert [said for said in exported.remarks if said.startswith(remark)]
    assert exported.text is not None
    assert "availability" in exported.text


@pytest.mark.parametrize("format_", EXPORTERS)
def test_an_expression_that_cannot_be_read_is_named(tmp_path: Path, format_: str) -> None:
    policy = read_policy(tmp_path, AVAILABILITY, WEEK.replace("7d", "30d"))
    available, week = policy.slos
    assert isinstance(week, RatioSlo)
    odd = replace(week, sli=replace(week.sli, bad="e_total{"))

    remarks = export_policy(format_, replace(policy, slos=(available, odd))).remarks

    said = "week is left out: its expression cannot be read: a closing }"
    assert [remark for remark in remarks if remark.startswith(said)]


@pytest.mark.parametrize(
    ("format_", "slo", "remark"),
    [
        ("openslo", EMPTY, "empty is left out: the format cannot express what a slice without"),
        (
            "openslo",
            LONG_GAUGE,
            "up is left out: the format can express a gauge only with slices of a minute",
        ),
        ("openslo", SECONDS, "short is left out: 1m30s is not a duration that OpenSLO has"),
        ("sloth", SLICES, "slices is left out: Sloth does not count timeslices"),
        ("sloth", GAUGE, "up is left out: Sloth does not count timeslices"),
        ("sloth", WEEK, "week is left out: a Sloth file has no window, and Sloth uses 30d"),
        (
            "prometheus-rules",
            SLICES,
            "slices is left out: a recording rule cannot add up timeslices",
        ),
        (
            "prometheus-rules",
            UNSUMMED,
            "unsummed is left out: its count over a window is not the sum",
        ),
        (
            "prometheus-rules",
            SAMPLES,
            "samples is left out: its count over a window is not the sum",
        ),
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

    assert exported.remarks == ("availability: the format has no field for sla, sampled, advisory",)


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
    assert "gate.yaml: spend is left out: an allowance is not a share of events" in done.stderr


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


def test_what_only_a_platform_knows_cannot_be_written() -> None:
    slo = PlatformSlo(name="chat", sli=Sli(slo="Chat"))

    with pytest.raises(NotExportableError, match="only known to its platform"):
        counted(slo)
