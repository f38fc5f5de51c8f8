"""Files written in the shapes that Pyrra documents (kubernetes/api/v1alpha1 of pyrra-dev/pyrra)."""

from datetime import timedelta
from fractions import Fraction
from pathlib import Path

import pytest

from gate.slo.indicator import Sli
from gate.slo.objective import RatioSlo, RollingWindow
from tests.config.slo_files.writing import assert_refused, imported, mistakes_of, only

RATIO = """\
ratio:
      errors: {metric: 'requests_total{code=~"5.."}'}
      total: {metric: requests_total}"""


def file(indicator: str = RATIO, *, target: str = "'99.0'", window: str = "4w") -> str:
    return f"""\
apiVersion: pyrra.dev/v1alpha1
kind: ServiceLevelObjective
metadata:
  name: chat-errors
  namespace: monitoring
  labels: {{pyrra.dev/team: llm, prometheus: k8s}}
spec:
  description: Requests that do not fail.
  target: {target}
  window: {window}
  performanceOverAccuracy: true
  alerting: {{burnrates: false}}
  indicator:
    {indicator}
status: {{type: PrometheusRule}}
"""


def test_a_ratio_is_the_increase_of_its_two_metrics(tmp_path: Path) -> None:
    slo = only(tmp_path, file())

    assert (slo.name, slo.objective) == ("chat-errors", Fraction(99, 100))
    assert slo.window == RollingWindow(timedelta(days=28))
    assert slo.sli == Sli(bad='requests_total{code=~"5.."}', total="requests_total")


@pytest.mark.parametrize(
    ("target", "objective"),
    [("'99.0'", "0.99"), ("99.95", "0.9995"), ('"99"', "0.99"), ('"50"', "0.5")],
)
def test_a_target_is_a_percentage_with_or_without_quotes(
    tmp_path: Path, target: str, objective: str
) -> None:
    assert only(tmp_path, file(target=target)).objective == Fraction(objective)


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("¦'100'", "at 100 there is no budget to spend"),
        ("¦'0.99'", "this is in percent: 0.99 is 0.99%"),
        ("¦'0'", "not between 0 and 100"),
    ],
)
def test_a_target_without_a_budget_or_in_shares_is_refused(
    tmp_path: Path, target: str, words: str
) -> None:
    assert_refused(tmp_path, file(target=target), words)


@pytest.mark.parametrize(
    ("boundary", "found"), [("0.5", 'le="0.5"'), ("2", 'le=~"2([.]0)?"'), ("2.0", 'le=~"2([.]0)?"')]
)
def test_latency_is_judged_by_a_bucket_however_the_server_writes_its_boundary(
    tmp_path: Path, boundary: str, found: str
) -> None:
    indicator = f"""\
latency:
      success: {{metric: 'seconds_bucket{{job="chat",le="{boundary}"}}'}}
      total: {{metric: 'seconds_count{{job="chat"}}'}}
      grouping: []"""

    assert only(tmp_path, file(indicator)).sli == Sli(
        good=f'seconds_bucket{{job="chat",{found}}}', total='seconds_count{job="chat"}'
    )


def test_native_latency_is_the_fraction_of_a_histogram_times_its_count(tmp_path: Path) -> None:
    indicator = "latencyNative: {latency: 250ms, total: {metric: 'seconds{job=\"chat\"}'}}"

    histogram = 'sum(increase(seconds{job="chat"}[$window]))'
    count = f"histogram_count({histogram})"
    assert only(tmp_path, file(indicator)).sli == Sli(
        good=f"histogram_fraction(0, 0.250, {histogram}) * {count}", total=count
    )


def test_a_bool_gauge_counts_its_samples_as_pyrra_does(tmp_path: Path) -> None:
    assert only(tmp_path, file("bool_gauge: {metric: probe_success}")).sli == Sli(
        good="sum(sum_over_time(probe_success[$window]))",
        total="sum(count_over_time(probe_success[$window]))",
    )


@pytest.mark.parametrize(
    ("indicator", "words"),
    [
        (f"{RATIO}\n      grouping: ¦[handler]", "each group has a budget of its own"),
        ("bool_gauge: {metric: up, grouping: ¦[job]}", "each group has a budget of its own"),
        ("ratio: {errors: {metric: ¦sum(e)}, total: {metric: t}}", "one metric was expected"),
        ("ratio: {errors: {metric: 'e¦{'}, total: {metric: t}}", "closing } is missing"),
        ("latency: {success: ¦{metric: s_bucket}, total: {metric: s_count}}", "no boundary"),
        ("¦{}", "exactly one of ratio, latency, latencyNative, bool_gauge"),
        ("latencyNative: {latency: ¦fast, total: {metric: s}}", "'fast' is not a valid duration"),
        ("{ratio: {errors: {metric: e}, ¦totals: {metric: t}, total: {metric: t}}}", "'total'?"),
    ],
)
def test_what_has_no_one_budget_is_refused_at_its_place(
    tmp_path: Path, indicator: str, words: str
) -> None:
    assert_refused(tmp_path, file(indicator), words)


PINNED = """\
ratio:
      errors: {metric: 'requests_total{job="a",code=~"5.."}'}
      total: {metric: 'requests_total{job="a"}'}
      grouping: [job]"""
GROUPED = f"{RATIO}\n      grouping: [handler]"


def test_a_label_that_every_metric_fixes_makes_one_group(tmp_path: Path) -> None:
    slo = only(tmp_path, file(PINNED))

    assert slo.name == "chat-errors"
    assert slo.sli.total == 'requests_total{job="a"}'


@pytest.mark.parametrize(
    ("indicator", "parts"),
    [
        (
            GROUPED,
            {
                "chat-errors/chat": (
                    'requests_total{code=~"5..",handler="/chat"}',
                    'requests_total{handler="/chat"}',
                ),
                "chat-errors/GET-/v1": (
                    'requests_total{code=~"5..",handler="GET /v1"}',
                    'requests_total{handler="GET /v1"}',
                ),
                "chat-errors/other": (
                    'requests_total{code=~"5..",handler!~"/chat|GET /v1"}',
                    'requests_total{handler!~"/chat|GET /v1"}',
                ),
            },
        ),
    ],
)
def test_each_group_that_the_policy_lists_has_a_budget_and_the_others_one(
    tmp_path: Path, indicator: str, parts: dict[str, tuple[str, str]]
) -> None:
    more = ', groups: {handler: [/chat, GET /v1, "*"]}'

    slos = imported(tmp_path, file(indicator), more=more)

    counted = {s.name: (s.sli.bad, s.sli.total) for s in slos if isinstance(s, RatioSlo)}
    assert counted == parts


@pytest.mark.parametrize(
    ("indicator", "total"),
    [
        ("bool_gauge: {metric: up, grouping: [job]}", 'count_over_time(up{job="a"}[$window])'),
        (
            "latencyNative: {latency: 1s, total: {metric: s}, grouping: [job]}",
            'histogram_count(sum(increase(s{job="a"}[$window])))',
        ),
        (
            "latency: {success: {metric: 's_bucket{le=\"1\"}'}, total: {metric: s_count},"
            " grouping: [job]}",
            's_count{job="a"}',
        ),
    ],
)
def test_every_kind_of_indicator_can_be_grouped(tmp_path: Path, indicator: str, total: str) -> None:
    slos = imported(tmp_path, file(indicator), more=', groups: {job: [a, "*"]}')

    assert [slo.name for slo in slos] == ["chat-errors/a", "chat-errors/other"]
    assert isinstance(slos[0], RatioSlo)
    assert total in (slos[0].sli.total or "")


def test_groups_that_are_not_listed_draw_a_warning(tmp_path: Path) -> None:
    (mistake,) = mistakes_of(tmp_path, file(GROUPED), more=", groups: {handler: [/chat]}")

    assert "warning: only /chat of handler have an SLO" in mistake
    assert "unless '*' is listed" in mistake


@pytest.mark.parametrize(
    ("grouping", "more", "words"),
    [
        ("¦[handler, job]", ", groups: {handler: [a]}", "only one of handler, job can be listed"),
        ("¦[handler]", ', groups: {handler: ["*"]}', "list at least one value"),
        ("¦[handler]", ", groups: {job: [a]}", "beside 'from': groups: {handler: [a, b, '*']}"),
    ],
)
def test_groups_that_the_policy_does_not_list_are_refused_with_what_to_write(
    tmp_path: Path, grouping: str, more: str, words: str
) -> None:
    assert_refused(tmp_path, file(f"{RATIO}\n      grouping: {grouping}"), words, more=more)


def test_a_window_beside_a_file_that_has_its_own_is_a_mistake(tmp_path: Path) -> None:
    (mistake,) = mistakes_of(tmp_path, file(), more=", window: 30d")
    assert mistake == (
        "gate.yaml:5:33: error: all SLOs of these files have windows of their own; remove this key"
    )
