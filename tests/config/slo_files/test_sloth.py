"""Files written in the shapes that Sloth documents (pkg/prometheus/api/v1 of slok/sloth)."""

from datetime import timedelta
from fractions import Fraction
from pathlib import Path

import pytest

from gate.slo.calendar import Period
from gate.slo.indicator import Sli
from gate.slo.objective import CalendarWindow, Denominator, RollingWindow
from tests.config.slo_files.writing import (
    assert_refused,
    imported,
    importing,
    mistakes_of,
    only,
    write,
)
from tests.config.texts import read

EVENTS = """\
events:
        error_query: sum(rate(requests_total{job="chat",code=~"5.."}[{{.window}}]))
        total_query: sum(rate(requests_total{job="chat"}[{{ .window }}]))"""


def file(sli: str = EVENTS, *, objective: str = "99.9", more: str = "") -> str:
    return f"""\
version: prometheus/v1
service: chat
labels: {{team: llm}}
slos:
  - name: availability
    objective: {objective}
    description: Requests that do not fail.
    labels: {{tier: "1"}}
    sli:
      {sli}
    alerting:
      name: ChatErrors
      page_alert: {{labels: {{severity: page}}}}
      ticket_alert: {{disable: true}}
{more}"""


RESOURCE = """\
---
# Two services in one file.
apiVersion: sloth.slok.dev/v1
kind: PrometheusServiceLevel
metadata: {name: chat, namespace: monitoring}
spec:
  service: chat
  sloPlugins: {chain: [{id: sloth.dev/core/debug/v1, priority: 10, config: {msg: hello}}]}
  slos:
    - name: availability
      objective: 99.5
      sli:
        events:
          errorQuery: sum(rate(requests_total{code="500"}[{{.window}}]))
          totalQuery: sum(rate(requests_total[{{.window}}]))
      alerting: {pageAlert: {disable: true}}
---
apiVersion: sloth.slok.dev/v1
kind: PrometheusServiceLevel
metadata: {name: search}
spec:
  service: search
  slos:
    - name: availability
      objective: 99
      sli:
        raw:
          errorRatioQuery: |
            sum(rate(failures_total[{{.window}}]))
            /
            sum(rate(searches_total[{{.window}}]))
---
"""


def test_events_are_counted_where_sloth_takes_rates(tmp_path: Path) -> None:
    slo = only(tmp_path, file())

    assert slo.name == "chat-availability"
    assert slo.objective == Fraction(999, 1000)
    assert slo.window == RollingWindow(timedelta(days=30))
    assert slo.sli.bad == 'sum(increase(requests_total{job="chat",code=~"5.."}[$window]))'
    assert slo.sli.total == 'sum(increase(requests_total{job="chat"}[$window]))'
    assert slo.slices is None


def events(errors: str, total: str = "sum(rate(t[{{.window}}]))") -> str:
    return f"events: {{error_query: '{errors}', total_query: '{total}'}}"


def test_all_but_the_good_events_are_reported_by_the_good_ones(tmp_path: Path) -> None:
    """A boundary that is misspelt is then absent good, and not a month without an error."""
    errors = '(sum(rate(t[{{.window}}])) - sum(rate(b{le="0.4"}[{{.window}}])))'

    assert only(tmp_path, file(events(errors))).sli == Sli(
        good='sum(increase(b{le="0.4"}[$window]))', total="sum(increase(t[$window]))"
    )


def test_one_kind_of_error_that_never_happened_does_not_hide_the_others(tmp_path: Path) -> None:
    errors = "sum(rate(a[{{.window}}])) + sum(rate(b[{{.window}}]))"

    assert only(tmp_path, file(events(errors))).sli.bad == (
        "(sum(increase(a[$window])) or vector(0)) + (sum(increase(b[$window])) or vector(0))"
    )


UP, SEEN = (f'{name}_over_time(up{{job="chat"}}[{{{{.window}}}}])' for name in ("sum", "count"))


def test_samples_that_are_not_1_are_reported_by_those_that_are(tmp_path: Path) -> None:
    slo = only(tmp_path, file(events(f"sum({SEEN} - {UP}) by (a)", f"sum({SEEN}) by (a)")))

    assert slo.sli == Sli(
        good='sum(sum_over_time(up{job="chat"}[$window]))',
        total='sum(count_over_time(up{job="chat"}[$window])) by (a)',
    )


def test_a_ratio_of_means_is_averaged_over_slices_as_sloth_does(tmp_path: Path) -> None:
    slo = only(
        tmp_path,
        file(events("sum(avg_over_time(e[{{.window}}]))", "sum(avg_over_time(t[{{.window}}]))")),
    )

    total = "(sum(avg_over_time(t[5m])))"
    assert slo.sli == Sli(
        bad=f"sum_over_time(((sum(avg_over_time(e[5m])) or on () vector(0)) / on () ({total} > 0))"
        "[$window:5m])",
        total=f"sum_over_time(({total} > bool 0)[$window:5m])",
        sliced=True,
        notes=slo.sli.notes,
    )
    assert "timeslice mean (Sloth): every 5m" in slo.sli.notes[0]


def test_an_offset_of_all_parts_is_kept_and_reported(tmp_path: Path) -> None:
    errors, total = (f"sum(rate({name}[{{{{.window}}}}] offset 5m))" for name in "et")

    assert only(tmp_path, file(events(errors, total))).sli == Sli(
        bad="sum(increase(e[$window] offset 5m))",
        total="sum(increase(t[$window] offset 5m))",
        notes=("counted over the window that ended 5m earlier (offset)",),
    )


def test_the_policy_may_say_another_period(tmp_path: Path) -> None:
    assert only(tmp_path, file(), more=", window: 28d").window == RollingWindow(timedelta(days=28))
    calendar = ", window: {calendar: month, denominator: to-date}"
    slo = only(tmp_path, file(), more=calendar)
    assert isinstance(slo.window, CalendarWindow)
    assert (slo.window.period, slo.denominator) == (Period.MONTH, Denominator.TO_DATE)


def test_resources_and_several_documents_are_read_alike(tmp_path: Path) -> None:
    chat, search = imported(tmp_path, RESOURCE)

    assert (chat.name, search.name) == ("chat-availability", "search-availability")


@pytest.mark.parametrize(
    ("query", "good", "bad", "total"),
    [
        (
            "sum(rate(e[{{.window}}])) / sum(rate(t[{{.window}}]))",
            None,
            "sum(increase(e[$window]))",
            "sum(increase(t[$window]))",
        ),
        (
            "1 - (sum(sum_over_time(up[{{.window}}])) / sum(count_over_time(up[{{.window}}])))",
            "sum(sum_over_time(up[$window]))",
            None,
            "sum(count_over_time(up[$window]))",
        ),
        (
            "(sum(rate(e[{{.window}}])) / (sum(rate(t[{{.window}}])) > 0)) or vector(0)",
            None,
            "sum(increase(e[$window]))",
            "(sum(increase(t[$window])))",
        ),
        (
            "clamp_min(sum(rate(t[{{.window}}])) - sum(rate(g[{{.window}}])), 0)"
            " / sum(rate(t[{{.window}}]))",
            "sum(increase(g[$window]))",
            None,
            "sum(increase(t[$window]))",
        ),
    ],
)
def test_a_raw_ratio_of_counts_is_taken_apart(
    tmp_path: Path, query: str, good: str | None, bad: str | None, total: str
) -> None:
    sli = only(tmp_path, file(f'raw: {{error_ratio_query: "{query}"}}')).sli

    assert (sli.good, sli.bad, sli.total) == (good, bad, total)


@pytest.mark.parametrize(
    ("query", "failed"),
    [
        ("my_error_ratio", "(my_error_ratio)"),
        (
            "avg(rate(e[{{.window}}])) / avg(rate(t[{{.window}}])) # all",
            "(avg(rate(e[5m])) / avg(rate(t[5m])))",
        ),
    ],
)
def test_a_raw_ratio_of_no_counts_is_averaged_as_sloth_does(
    tmp_path: Path, query: str, failed: str
) -> None:
    sli = only(tmp_path, file(f'raw: {{error_ratio_query: "{query}"}}')).sli

    assert sli == Sli(
        bad=f"sum_over_time(({failed} >= 0)[$window:5m])",
        total=f"sum_over_time(({failed} >= bool 0)[$window:5m])",
        sliced=True,
        notes=(
            "timeslice mean (Sloth): the ratios of every 5m count equally, whatever their traffic;"
            " so an outage at the peak counts for less than it cost, and one at night for more",
            "slices without a ratio (no traffic: NaN) are neither good nor bad",
        ),
    )


@pytest.mark.parametrize(
    ("sli", "words"),
    [
        ('raw: {error_ratio_query: "avg¦(rate(e[{{.window}}])"}', "closing ) is missing"),
        ('raw: {error_ratio_query: "rate¦(e[{{.window}}]"}', "closing ) is missing"),
        (
            'raw: {error_ratio_query: ¦"rate(e[{{.window}}]) / increase(t[{{.window}}])"}',
            "one side is a rate and the other a count",
        ),
        (
            'events: ¦{error_query: "sum(rate(e[{{.window}}]))",'
            ' total_query: "sum(increase(t[{{.window}}]))"}',
            "one side is a rate and the other a count",
        ),
        (
            'events: {error_query: "sum(¦rate(e[5m]))", total_query: "sum(rate(t[{{.window}}]))"}',
            "`rate(e[5m])` is over 5m, not over the window",
        ),
        (
            'events: {error_query: ¦"sum(rate(e[{{.win}}]))", total_query: "rate(t[{{.window}}])"}',
            "`{{.win}}` is not filled in here, only {{.window}}",
        ),
        (
            'events: {error_query: "sum¦(rate(e[{{.window}}])",'
            ' total_query: "rate(t[{{.window}}])"}',
            "a closing ) is missing",
        ),
        (
            "events: {error_query: 'sum(rate(a[{{.window}}]) ¦+ rate(b[{{.window}}]))',"
            " total_query: 'sum(rate(t[{{.window}}]))'}",
            "one of which may be absent",
        ),
        ("plugin: {id: ¦acme/availability, options: {job: chat}}", "`sloth generate` prints"),
        (
            'raw: {error_ratio_query: ¦"sum(rate(e[{{.window}}])) +"}',
            "the expression ends too early",
        ),
        (
            'raw: {error_ratio_query: "sum(rate(e[{{.window}}])) ¦or vector(0)'
            ' / sum(rate(t[{{.window}}]))"}',
            "`or` binds less than `/`, so that only one side of it is divided; write"
            " (sum(rate(e[{{.window}}])) or vector(0)) / sum(rate(t[{{.window}}]))",
        ),
        ('raw: {error_ratio_query: "¦sum(rate(e[{{.window}}]))"}', "no share of them"),
        (
            "events: ¦{error_query: 'sum(rate(e[{{.window}}] offset 5m))',"
            " total_query: 'sum(rate(t[{{.window}}]))'}",
            "counted over different times; give both one offset",
        ),
        (
            "events: ¦{error_query: 'sum(avg_over_time(e[{{.window}}]))',"
            " total_query: 'sum(count_over_time(t[{{.window}}]))'}",
            "write sum_over_time(...) for avg_over_time(...)",
        ),
        ("¦{}", "exactly one of events, raw, plugin"),
        (
            'events: {¦errorQuery: x, error_query: "rate(e[{{.window}}])",'
            ' total_query: "rate(t[{{.window}}])"}',
            "did you mean 'error_query'?",
        ),
    ],
)
def test_an_sli_that_is_not_a_count_is_refused_at_its_place(
    tmp_path: Path, sli: str, words: str
) -> None:
    assert_refused(tmp_path, file(sli), words)


@pytest.mark.parametrize(
    ("objective", "words"),
    [
        ("¦100", "at 100 there is no budget to spend"),
        ("¦101", "not between 0 and 100"),
        ("¦0.999", "in percent: 0.999 is 0.999%"),
        ("¦99.9%", "'99.9%' is not a valid number; write digits"),
        ('¦""', "the value is empty"),
    ],
)
def test_an_objective_is_in_percent_and_leaves_a_budget(
    tmp_path: Path, objective: str, words: str
) -> None:
    assert_refused(tmp_path, file(objective=objective), words)


def test_a_plugin_of_somebody_else_draws_a_warning(tmp_path: Path) -> None:
    plugins = (
        "slo_plugins:\n  overridePrevious: true\n  chain:\n"
        "    - {id: sloth.dev/contrib/info_labels/v1}\n    - {id: acme/weights}\n"
    )
    write(tmp_path, file(more=plugins))
    contents, mistakes = read(importing(), folder=tmp_path)

    assert contents is not None
    (warning,) = mistakes
    assert "slos/0.yaml:21:12: warning: the plugin 'acme/weights' is not run here" in warning


def test_other_kinds_of_the_same_version_are_named(tmp_path: Path) -> None:
    windows = "apiVersion: sloth.slok.dev/v1\nkind: ¦AlertWindows\nspec: {sloPeriod: 7d}\n"
    assert_refused(tmp_path, windows, "'AlertWindows' has no SLO; leave this file out, and write")


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        ("sum(rate(e[¦$__rate_interval]))", "`$__rate_interval` is not filled in here"),
        ("¦RATE(e[W])", "is not PromQL, where functions have small letters; write rate(...)"),
        ("sum(rate(e[W])) ¦default 0", "for VictoriaMetrics' `default 0`, write `or vector(0)`"),
        ("sum(rate(e[W])) ¦keep_metric_names", "leave it out: a sum has no name"),
        ("sum(rate(e[W])) or ¦0", "`0` is a number, not a series; write vector(0)"),
        ("¦increase_pure(e[W])", "is VictoriaMetrics' own; write increase(...)"),
        ("¦changes(e[W])", "counts samples that differ, and one of them may mean many events"),
        ("sum(rate(a[W]) ¦- rate(b[W]))", "(sum(...) or vector(0)) - (sum(...) or vector(0))"),
    ],
)
def test_each_part_that_cannot_be_counted_is_named_with_what_to_write(
    tmp_path: Path, bad: str, words: str
) -> None:
    errors = 'sum(rate(requests_total{job="chat",code=~"5.."}[{{.window}}]))'
    text = file().replace(errors, bad.replace("[W]", "[{{.window}}]"))
    assert_refused(tmp_path, text, words)


def test_another_template_is_named(tmp_path: Path) -> None:
    (mistake,) = mistakes_of(tmp_path, file().replace('code=~"5.."', 'job="{{.job}}"'))
    assert "`{{.job}}` is not filled in here, only {{.window}}; write its value" in mistake


def test_events_of_native_histograms_are_counted(tmp_path: Path) -> None:
    text = file().replace("sum(rate(", "histogram_count(sum(rate(").replace("]))", "])))")
    slo = only(tmp_path, text)

    assert slo.sli.total is not None
    assert slo.sli.total.startswith("histogram_count(sum(increase(")


def test_unknown_keys_are_reported_their_nearest(tmp_path: Path) -> None:
    found = mistakes_of(tmp_path, file().replace("objective:", "objectiv:"))

    assert any("unknown key 'objectiv'; did you mean 'objective'?" in one for one in found)
