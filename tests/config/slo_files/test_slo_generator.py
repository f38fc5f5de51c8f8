"""Files in the shapes that slo-generator documents (docs/providers/prometheus.md)."""

from fractions import Fraction
from pathlib import Path

import pytest

from gate.slo.indicator import Sli
from tests.config.slo_files.writing import WINDOW, assert_refused, only

GOOD_BAD = """\
method: good_bad_ratio
  service_level_indicator:
    filter_good: requests_total{job="chat",code!="500"}
    filter_bad: requests_total{job="chat",code="500"}[window]"""


def file(method: str = GOOD_BAD, *, goal: str = "0.995", backend: str = "prometheus") -> str:
    return f"""\
apiVersion: sre.google.com/v2
kind: ServiceLevelObjective
metadata:
  name: chat-availability
  labels: {{service_name: chat, feature_name: http, slo_name: availability}}
spec:
  description: Requests that do not fail.
  backend: {backend}
  exporters: [bigquery]
  error_budget_policy: default
  goal: {goal}
  {method}
"""


def sli(folder: Path, method: str, indicator: str) -> Sli:
    text = f"method: {method}\n  service_level_indicator: {indicator}"
    return only(folder, file(text), more=WINDOW).sli


def test_good_and_bad_are_sums_of_increases(tmp_path: Path) -> None:
    slo = only(tmp_path, file(backend="prometheus/eu"), more=WINDOW)

    assert (slo.name, slo.objective) == ("chat-availability", Fraction(199, 200))
    assert str(slo.window) == "28d"
    assert slo.sli == Sli(
        good='sum(increase(requests_total{job="chat",code!="500"}[$window]))',
        bad='sum(increase(requests_total{job="chat",code="500"}[$window]))',
    )


def test_valid_events_are_all_events(tmp_path: Path) -> None:
    assert sli(tmp_path, "good_bad_ratio", "{filter_good: g, filter_valid: v}") == Sli(
        good="sum(increase(g[$window]))", total="sum(increase(v[$window]))"
    )


def test_operators_go_around_the_query_the_first_one_innermost(tmp_path: Path) -> None:
    indicator = "{filter_good: g, filter_valid: v, operators: [rate, sum]}"

    assert sli(tmp_path, "good_bad_ratio", indicator) == Sli(
        good="sum(increase(g[$window]))", total="sum(increase(v[$window]))"
    )


def test_a_query_that_is_one_count_by_another_is_taken_apart(tmp_path: Path) -> None:
    indicator = "{expression: 'sum(rate(g[window])) / sum(rate(v[window]))'}"

    assert sli(tmp_path, "query_sli", indicator) == Sli(
        good="sum(increase(g[$window]))", total="sum(increase(v[$window]))"
    )


@pytest.mark.parametrize(("threshold", "matcher"), [("0.25", 'le="0.25"'), ("1", 'le=~"1([.]0)?"')])
def test_a_cut_takes_one_bucket_of_all(tmp_path: Path, threshold: str, matcher: str) -> None:
    labels = '{path="/chat"}'
    indicator = f"{{expression: 's_bucket{labels}[window]', threshold_bucket: {threshold}}}"

    assert sli(tmp_path, "distribution_cut", indicator) == Sli(
        good=f's_bucket{{path="/chat",{matcher}}}', total=f"s_count{labels}"
    )


def test_a_cut_of_a_metric_without_labels_takes_one_bucket_too(tmp_path: Path) -> None:
    indicator = "{expression: s_bucket, threshold_bucket: 0.25}"

    assert sli(tmp_path, "distribution_cut", indicator) == Sli(
        good='s_bucket{le="0.25"}', total="s_count"
    )


@pytest.mark.parametrize(
    ("method", "indicator", "words"),
    [
        ("good_bad_ratio", "¦{filter_good: g}", "exactly one of filter_bad and filter_valid"),
        ("good_bad_ratio", "¦{filter_good: g, filter_bad: b, filter_valid: v}", "filter_bad and"),
        (
            "good_bad_ratio",
            "{filter_good: ¦g, filter_valid: v, operators: [max]}",
            "leaves the others out",
        ),
        (
            "good_bad_ratio",
            "{filter_good: 'increase(g[window])',"
            " filter_bad: 'increase(b[window]) ¦+ increase(c[window])', operators: [sum]}",
            "one of which may be absent",
        ),
        ("query_sli", "{expression: ¦my_availability}", "use good_bad_ratio"),
        (
            "query_sli",
            "{expression: 'sum(rate(g[window])) ¦or vector(0) / sum(rate(v[window]))'}",
            "write (sum(rate(g[window])) or vector(0)) / sum(rate(v[window]))",
        ),
        ("query_sli", "{expression: '¦a[window] / b[window]'}", "`a[window]` has samples"),
        ("distribution_cut", "{expression: ¦s_sum, threshold_bucket: 1}", "buckets of a histogram"),
        (
            "distribution_cut",
            "{expression: ¦'sum(s_bucket)', threshold_bucket: 1}",
            "one metric was expected",
        ),
        (
            "distribution_cut",
            "{expression: s_bucket, threshold_bucket: ¦fast}",
            "is not a valid number",
        ),
        ("¦cut", "{}", "'cut' is not a valid value"),
    ],
)
def test_an_indicator_that_is_not_a_count_is_refused_at_its_place(
    tmp_path: Path, method: str, indicator: str, words: str
) -> None:
    marked = file(f"method: {method}\n  service_level_indicator: {indicator}")
    assert_refused(tmp_path, marked, words, more=WINDOW)


def test_a_rate_and_a_count_are_not_a_ratio(tmp_path: Path) -> None:
    indicator = (
        "¦{filter_good: 'rate(g[window])', filter_valid: 'increase(v[window])', operators: [sum]}"
    )
    marked = file(f"method: good_bad_ratio\n  service_level_indicator: {indicator}")
    assert_refused(tmp_path, marked, "one side is a rate", more=WINDOW)


@pytest.mark.parametrize(
    ("goal", "words"),
    [("¦99.5", "not between 0 and 1, as 0.999 is"), ("¦1", "at 1 there is no budget to spend")],
)
def test_a_goal_is_a_share_that_leaves_a_budget(tmp_path: Path, goal: str, words: str) -> None:
    assert_refused(tmp_path, file(goal=goal), words, more=WINDOW)


def test_other_backends_are_refused_by_name_and_only_that_is_reported(tmp_path: Path) -> None:
    marked = file("method: query_sli\n  service_level_indicator: {query: x}", backend="¦datadog")
    assert_refused(tmp_path, marked, "SLOs of the backend 'datadog' cannot be read", more=WINDOW)


def test_a_backend_must_be_named(tmp_path: Path) -> None:
    marked = (
        file().replace("  backend: prometheus\n", "").replace("  description", "  ¦description")
    )
    assert_refused(tmp_path, marked, "the key 'backend' is missing", more=WINDOW)


def test_the_window_is_elsewhere_so_the_policy_must_say_it(tmp_path: Path) -> None:
    marked = file().replace("name: chat-availability", "name: ¦chat-availability")
    assert_refused(tmp_path, marked, "add it to the policy, beside 'from': window: 30d")
