"""Documents written in the shapes of OpenSLO v1 (README.md of OpenSLO/OpenSLO)."""

from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from pathlib import Path

import pytest

from gate.slo.indicator import Sli, Slices
from gate.slo.objective import CompositeSlo, Member, RatioSlo
from tests.config.slo_files.writing import assert_refused, imported, mistakes_of, only
from tests.config.texts import HERE

ROLLING = "[{duration: 4w, isRolling: true}]"
COUNTED = "sum(increase({}[$window]))"


def source(query: str, kind: str = "type: Prometheus") -> str:
    return f"{{metricSource: {{{kind}, spec: {{query: '{query}'}}}}}}"


def ratio(good: str = 'sum(requests_total{code!="500"})', counter: str = "true") -> str:
    total = source("sum(requests_total)")
    return f"{{ratioMetric: {{counter: {counter}, good: {source(good)}, total: {total}}}}}"


def slo(
    objectives: str = "[{target: 0.999}]",
    *,
    sli: str | None = None,
    method: str = "Occurrences",
    window: str = ROLLING,
) -> str:
    indicator = f"{{metadata: {{name: i}}, spec: {ratio() if sli is None else sli}}}"
    where = f"indicator: {indicator}" if sli != "" else "alertPolicies:"
    return f"""\
apiVersion: openslo/v1
kind: SLO
metadata: {{name: chat, displayName: Chat}}
spec:
  description: Requests that do not fail.
  service: chat
  {where}
  timeWindow: {window}
  budgetingMethod: {method}
  objectives: {objectives}
"""


def document(kind: str, name: str, spec: str) -> str:
    return f"---\napiVersion: openslo/v1\nkind: {kind}\nmetadata: {{name: {name}}}\nspec: {spec}\n"


def test_counters_are_counted_over_the_window(tmp_path: Path) -> None:
    one = only(tmp_path, slo())

    assert (one.name, one.objective, str(one.window)) == ("chat", Fraction(999, 1000), "28d")
    assert one.sli == Sli(
        good=COUNTED.format('requests_total{code!="500"}'), total=COUNTED.format("requests_total")
    )
    assert one.slices is None


def test_bad_and_total_and_whole_queries_with_a_window_are_read(tmp_path: Path) -> None:
    bad, total = (
        source("sum(rate(e[{{.window}}]))"),
        source("sum(rate(t[$window]))", "type: thanos"),
    )
    sli = f"{{ratioMetric: {{bad: {bad}, total: {total}}}}}"

    assert only(tmp_path, slo(sli=sli)).sli == Sli(
        bad=COUNTED.format("e"), total=COUNTED.format("t")
    )


def test_a_query_may_stand_under_promql(tmp_path: Path) -> None:
    text = slo().replace("spec: {query: 'sum(requests_total)'}", "spec: {promql: requests_total}")

    assert only(tmp_path, text).sli.total == "requests_total"


@pytest.mark.parametrize(
    ("objective", "share"),
    [("target: 0.95", "0.95"), ("targetPercent: 99.95", "0.9995"), ('target: "0.5"', "0.5")],
)
def test_targets_are_shares_or_said_to_be_percent(
    tmp_path: Path, objective: str, share: str
) -> None:
    assert only(tmp_path, slo(f"[{{{objective}}}]")).objective == Fraction(share)


@pytest.mark.parametrize(
    ("window", "written"),
    [
        ("{duration: 5m, isRolling: true}", "5m"),
        ("{duration: 30d}", "30d"),
        ("{duration: 1d, calendar: C}", "calendar day (America/New_York)"),
        ("{duration: 1w, calendar: C, isRolling: false}", "calendar week (America/New_York)"),
        ("{duration: 1M, calendar: C}", "calendar month (America/New_York)"),
        ("{duration: 3M, calendar: C}", "calendar quarter (America/New_York)"),
        ("{duration: 1Q, calendar: C}", "calendar quarter (America/New_York)"),
        ("{duration: 1Y, calendar: C}", "calendar year (America/New_York)"),
    ],
)
def test_windows_roll_or_follow_the_calendar(tmp_path: Path, window: str, written: str) -> None:
    # Monday, 1 January 2024: every period begins there.
    calendar = "{startTime: 2024-01-01 00:00:00, timeZone: America/New_York}"
    text = slo(window=f"[{window.replace('C', calendar)}]")

    assert str(only(tmp_path, text).window) == written


@pytest.mark.parametrize(
    ("duration", "start", "written"),
    [
        # The example of OpenSLO's own SDK: 2022-01-01 is a Saturday.
        ("1w", "2022-01-01 12:00:00", "calendar week from 2022-01-01 12:00"),
        ("7d", "2022-01-01T12:00", "calendar week from 2022-01-01 12:00"),
        ("1d", "2020-01-21 12:30:00", "calendar day from 2020-01-21 12:30"),
        ("1M", "2021-05-01 00:00:00", "calendar month"),
        ("1Q", "2024-02-01", "calendar quarter from 2024-02-01 00:00"),
        ("12M", "2024-04-01 00:00:00", "calendar year from 2024-04-01 00:00"),
    ],
)
def test_a_calendar_window_begins_where_it_says(
    tmp_path: Path, duration: str, start: str, written: str
) -> None:
    calendar = f'{{startTime: "{start}", timeZone: America/New_York}}'
    text = slo(window=f"[{{duration: {duration}, isRolling: false, calendar: {calendar}}}]")

    assert str(only(tmp_path, text).window) == f"{written} (America/New_York)"


def test_the_policy_says_the_window_of_an_slo_without_one(tmp_path: Path) -> None:
    text = slo().replace(f"  timeWindow: {ROLLING}\n", "")

    assert str(only(tmp_path, text, more=", window: 7d").window) == "7d"
    assert_refused(tmp_path, text.replace("  desc", f"  {HERE}desc"), "beside 'from': window: 30d")


@pytest.mark.parametrize(
    ("window", "words"),
    [
        ("[{duration: ¦1M, isRolling: true}]", "a rolling window has no fixed length"),
        ("[{duration: ¦1m, calendar: C}]", "M is for months, m for minutes"),
        ("[{duration: ¦2w, calendar: C}]", "2w is not a calendar period"),
        ("[{duration: ¦1month}]", "'1month' is not a valid duration of OpenSLO"),
        ("[{duration: 1M, isRolling: ¦true, calendar: C}]", "goes without calendar"),
        ("[{duration: 1M, isRolling: ¦false}]", "isRolling: false with it"),
        ("¦[]", "exactly one window"),
        ("¦[{duration: 1d}, {duration: 1w}]", "exactly one window"),
        (
            "[{duration: 1M, calendar: {startTime: ¦2024-01-31 12:00:00, timeZone: UTC}}]",
            "not every month has a day 31 to begin on; write day 28 or earlier",
        ),
        (
            "[{duration: 1M, calendar: {startTime: ¦soon, timeZone: UTC}}]",
            "'soon' is not a valid local time",
        ),
        (
            "[{duration: 1M, calendar: {startTime: ¦2024-01-01T00:00:00Z, timeZone: UTC}}]",
            "is not a valid local time",
        ),
    ],
)
def test_a_window_that_is_not_ours_is_refused_at_its_place(
    tmp_path: Path, window: str, words: str
) -> None:
    calendar = "{startTime: 2024-01-01 00:00:00, timeZone: UTC}"
    assert_refused(tmp_path, slo(window=window.replace(": C}", f": {calendar}}}")), words)


SLICED = "[{target: 0.99, timeSliceTarget: 0.95, timeSliceWindow: 5m}]"


@pytest.mark.parametrize(("written", "minutes"), [("5m", 5), ("5", 5), ("1h", 60)])
def test_timeslices_are_judged_by_the_events_in_each(
    tmp_path: Path, written: str, minutes: int
) -> None:
    text = slo(SLICED.replace("5m", written), method="Timeslices")

    assert only(tmp_path, text).slices == Slices(
        length=timedelta(minutes=minutes), target=Fraction(19, 20)
    )


@pytest.mark.parametrize(("op", "sign"), [("lt", "<"), ("lte", "<="), ("gt", ">"), ("gte", ">=")])
def test_a_threshold_is_a_gauge_of_being_on_the_good_side(
    tmp_path: Path, op: str, sign: str
) -> None:
    objectives = SLICED.replace("{target", f"{{op: {op}, value: 1.5, target")
    sli = f"{{thresholdMetric: {source('max(queue)')}}}"
    one = only(tmp_path, slo(objectives, sli=sli, method="Timeslices"))

    assert one.sli == Sli(gauge=f"((max(queue)) >= -Inf) {sign} bool 1.5")


RAW = "{{ratioMetric: {{rawType: {}, raw: {}}}}}"
MINUTES = SLICED.replace("5m", "1m")


@pytest.mark.parametrize(
    ("share", "query", "sli"),
    [
        ("success", "avg(ok_ratio)", Sli(gauge="avg(ok_ratio)")),
        ("failure", "avg(bad_ratio)", Sli(gauge="1 - (avg(bad_ratio))")),
        (
            "failure",
            "rate(e[$window]) / rate(t[$window])",
            Sli(bad="increase(e[$window])", total="increase(t[$window])"),
        ),
    ],
)
def test_a_ratio_alone_can_be_judged_by_the_minute(
    tmp_path: Path, share: str, query: str, sli: Sli
) -> None:
    text = slo(MINUTES, sli=RAW.format(share, source(query)), method="Timeslices")

    assert only(tmp_path, text).sli == sli


def test_a_raw_ratio_of_counts_has_events(tmp_path: Path) -> None:
    query = source("1 - sum(rate(e[$window])) / sum(rate(t[$window]))")

    assert only(tmp_path, slo(sli=RAW.format("success", query))).sli == Sli(
        bad=COUNTED.format("e"), total=COUNTED.format("t")
    )


MEAN = "[{target: 0.99, timeSliceWindow: 5m}]"
SEEN = "sum_over_time(((sum(increase(t[5m]))) > bool 0)[$window:5m])"
ALIKE = (
    "timeslice mean (RatioTimeslices): every 5m count equally, whatever their traffic; so an"
    " outage at the peak counts for less than it cost, and one at night for more",
    "slices without traffic are neither good nor bad",
)


@pytest.mark.parametrize(
    ("part", "query", "counted"),
    [
        (
            "bad",
            "sum(e)",
            "sum_over_time(((sum(increase(e[5m])) or on () vector(0))"
            " / on () ((sum(increase(t[5m]))) > 0))[$window:5m])",
        ),
        (
            "bad",
            "sum(rate(e[$window])) + sum(rate(f[{{.window}}]))",
            "sum_over_time((((sum(increase(e[5m])) or vector(0)) + (sum(increase(f[5m])) or"
            " vector(0)) or on () vector(0)) / on () ((sum(increase(t[5m]))) > 0))[$window:5m])",
        ),
        (
            "good",
            "g",
            "sum_over_time(((sum(increase(g[5m])))"
            " / on () ((sum(increase(t[5m]))) > 0))[$window:5m])",
        ),
    ],
)
def test_a_mean_of_ratios_counts_slices_by_how_much_of_each_was_bad(
    tmp_path: Path, part: str, query: str, counted: str
) -> None:
    every = "sum(rate(t[$window]))" if "rate" in query else "t"
    sli = f"{{ratioMetric: {{counter: true, {part}: {source(query)}, total: {source(every)}}}}}"
    one = only(tmp_path, slo(MEAN, sli=sli, method="RatioTimeslices"))

    expected = {"bad": Sli(bad=counted), "good": Sli(good=counted)}[part]
    assert one.sli == replace(expected, total=SEEN, sliced=True, notes=ALIKE)
    assert one.slices is None


RATIOS = ALIKE[0].replace("every 5m", "the ratios of every 5m")
NO_RATIO = "slices without a ratio (no traffic: NaN) are neither good nor bad"


@pytest.mark.parametrize(
    ("share", "query", "failed"),
    [
        ("failure", "avg(bad_ratio) # now", "(avg(bad_ratio))"),
        ("success", "ok:ratio{a='b'}", "(1 - (ok:ratio{a='b'}))"),
        ("failure", "avg(rate(e[$window]))", "(avg(rate(e[5m])))"),
    ],
)
def test_a_mean_of_ratios_alone_is_requested_once_a_slice(
    tmp_path: Path, share: str, query: str, failed: str
) -> None:
    sli = RAW.format(share, source(query.replace("'", "''")))
    one = only(tmp_path, slo(MEAN, sli=sli, method="RatioTimeslices"))

    assert one.sli == Sli(
        bad=f"sum_over_time(({failed} >= 0)[$window:5m])",
        total=f"sum_over_time(({failed} >= bool 0)[$window:5m])",
        sliced=True,
        notes=(RATIOS, NO_RATIO),
    )


def test_a_mean_of_quotients_of_counts_is_that_of_the_counts(tmp_path: Path) -> None:
    query = source("1 - sum(rate(g[$window])) / sum(rate(t[$window]))")
    sli = RAW.format("failure", query)
    one = only(tmp_path, slo(MEAN, sli=sli, method="RatioTimeslices"))

    assert one.sli.total == SEEN
    assert one.sli.good is not None
    assert "(sum(increase(g[5m]))) / on ()" in one.sli.good


def test_a_mean_of_a_threshold_is_that_of_the_slices_minutes(tmp_path: Path) -> None:
    objectives = MEAN.replace("{target", "{op: lt, value: 1.5, target").replace("5m", "1h")
    one = only(tmp_path, slo(objectives, sli=metric("queue"), method="RatioTimeslices"))

    minutes = "avg_over_time((((queue) >= -Inf) < bool 1.5)[3599999ms:1m])"
    assert one.sli.bad == f"sum_over_time(((1 - ({minutes})) >= 0)[$window:1h])"


def metric(query: str) -> str:
    return f"{{thresholdMetric: {source(query)}}}"


@pytest.mark.parametrize(
    ("method", "objectives", "sli", "words"),
    [
        ("RatioTimeslices", SLICED.replace("0.95", "¦0.95"), ratio(), "does not go"),
        ("RatioTimeslices", "[¦{target: 0.99}]", ratio(), "RatioTimeslices need timeSliceWindow"),
        ("RatioTimeslices", MEAN.replace("5m", "¦5w"), ratio(), "longer than the window"),
        (
            "RatioTimeslices",
            MEAN,
            RAW.format("success", source("ok[").replace("'ok", "'ok¦")),
            "closing ] is missing",
        ),
        (
            "RatioTimeslices",
            MEAN,
            RAW.format("success", source("rate(e[$window]) / increase(t[$window])")).replace(
                "'rate", "¦'rate"
            ),
            "one side is a rate and the other a count",
        ),
        ("¦Timeslice", SLICED, ratio(), "did you mean 'Timeslices'?"),
        ("Timeslices", "[¦{target: 0.99}]", ratio(), "need timeSliceTarget and timeSliceWindow"),
        ("Occurrences", "[{target: 0.9, timeSliceWindow: ¦1m}]", ratio(), "does not go with Occ"),
        ("Occurrences", "[¦{target: 0.9, targetPercent: 90}]", ratio(), "exactly one of target"),
        ("Occurrences", "[¦{displayName: a}]", ratio(), "exactly one of target"),
        ("Occurrences", "[{target: ¦99.9}]", ratio(), "not between 0 and 1, as 0.999"),
        ("Occurrences", "[{targetPercent: ¦0.999}]", ratio(), "in percent: 0.999 is 0.999%"),
        ("Occurrences", "[{target: 0.9, value: ¦1}]", ratio(), "does not take op or value"),
        ("Occurrences", "[{target: 0.9, compositeWeight: ¦2}]", ratio(), "a weight needs"),
        (
            "Occurrences",
            "[{target: 0.9, op: lt, value: 1}]",
            f"{{thresholdMetric: ¦{source('x')}}}",
            "the indicator does not count events",
        ),
        ("Timeslices", f"[¦{SLICED[1:]}", metric("x"), "needs op and value"),
        (
            "Timeslices",
            SLICED.replace("{target", "{op: lt, value: 1, target"),
            metric("max(rate(x[$window]))").replace("'max", "¦'max"),
            "without a window",
        ),
        (
            "Timeslices",
            SLICED.replace("{target", "{op: lt, value: 1, target"),
            metric("max(").replace("'max", "'max¦"),
            "closing ) is missing",
        ),
        (
            "Timeslices",
            SLICED,
            RAW.format("success", source("ok").replace("'ok", "¦'ok")),
            "a ratio alone does not show",
        ),
        (
            "Occurrences",
            "[{target: 0.9}]",
            RAW.format("success", source("ok").replace("'ok", "¦'ok")),
            "give good or bad, and total",
        ),
        (
            "Occurrences",
            "[{target: 0.9}]",
            "{ratioMetric: ¦{counter: true}}",
            "a ratio has good and total",
        ),
        ("Occurrences", "[{target: 0.9}]", f"{{ratioMetric: ¦{{raw: {source('x')}}}}}", "rawType"),
        ("Occurrences", "[{target: 0.9}]", "¦{}", "either ratioMetric or thresholdMetric"),
    ],
)
def test_what_cannot_be_counted_is_refused_at_its_place(
    tmp_path: Path, method: str, objectives: str, sli: str, words: str
) -> None:
    assert_refused(tmp_path, slo(objectives, sli=sli, method=method), words)


@pytest.mark.parametrize(
    ("good", "counter", "words"),
    [
        ("¦'sum(x)'", "false", "this query has no window; write counter: true"),
        ("'¦max(x)'", "true", "neither a counter such as"),
        ("'sum(¦rate(x[5m]))'", "true", "neither a counter such as"),
        ("'¦max(rate(x[$window]))'", "true", "leaves the others out; write sum(...)"),
        ("'sum(¦rate(x{a=\"{{.window}}\"}[5m]))'", "false", "write [{{.window}}]"),
        (
            "¦'sum(x[{{.interval}}])'",
            "true",
            "`{{.interval}}` is not filled in here, only {{.window}}",
        ),
    ],
)
def test_a_query_that_counts_nothing_is_refused_at_its_place(
    tmp_path: Path, good: str, counter: str, words: str
) -> None:
    marked = ratio("GOOD", counter).replace("'GOOD'", good)
    assert_refused(tmp_path, slo(sli=marked), words)


def test_bad_events_that_may_hide_each_other_are_refused_where_they_are_added(
    tmp_path: Path,
) -> None:
    marked = ratio("GOOD", "true").replace("good:", "bad:").replace("GOOD", "sum(x ¦+ y)")
    assert_refused(tmp_path, slo(sli=marked), "one of which may be absent")


def test_a_rate_by_a_count_is_not_a_share_of_events(tmp_path: Path) -> None:
    marked = ratio("rate(x[$window])").replace("good: ", f"good: {HERE}")
    assert_refused(tmp_path, slo(sli=marked), "one side is a rate and the other a count")


def test_several_objectives_are_several_slos_named_by_what_they_are_called(tmp_path: Path) -> None:
    objectives = (
        "[{displayName: Good (95%), target: 0.95}, {displayName: SLA, target: 0.9},"
        " {target: 0.8}, {displayName: SLA, target: 0.7}, {displayName: 好, target: 0.6}]"
    )
    names = [one.name for one in imported(tmp_path, slo(objectives))]

    assert names == ["chat/Good-95", "chat/2", "chat/3", "chat/4", "chat/5"]


def own(name: str, target: str, more: str = "") -> str:
    return f"{{displayName: {name}, target: {target}, indicator: {{spec: {ratio()}}}{more}}}"


def test_objectives_with_indicators_of_their_own_are_a_composite(tmp_path: Path) -> None:
    objectives = f"[{own('API', '0.999')}, {own('UI', '0.9', ', compositeWeight: 0.5')}]"
    api, ui, whole = imported(tmp_path, slo(objectives, sli=""))

    assert isinstance(api, RatioSlo)
    assert isinstance(ui, RatioSlo)
    assert (api.objective, ui.objective) == (Fraction(999, 1000), Fraction(9, 10))
    assert whole == CompositeSlo(
        name="chat",
        members=(
            Member(slo="chat/API", weight=Fraction(1)),
            Member(slo="chat/UI", weight=Fraction(1, 2)),
        ),
    )


def test_a_composite_is_reported_where_an_indicator_is_missing_or_too_many(tmp_path: Path) -> None:
    both = f"[{own('API', '0.9')}, {HERE}{{target: 0.9}}]"
    assert_refused(tmp_path, slo(both, sli=""), "exactly one of indicator and indicatorRef")
    marked = slo(f"[{HERE}{own('API', '0.9')}]")
    assert_refused(tmp_path, marked, "here, or in every objective")


def test_a_composite_of_timeslices_does_not_follow_from_its_members(tmp_path: Path) -> None:
    objectives = f"[{own('API', '0.9', ', timeSliceTarget: 0.9, timeSliceWindow: 1m')}]"
    marked = slo(objectives, sli="", method=f"{HERE}Timeslices")
    assert_refused(tmp_path, marked, "bad if it misses any objective")


def test_a_composite_of_means_adds_up_what_is_missing_of_one_target(tmp_path: Path) -> None:
    more = ", timeSliceWindow: 1m"
    objectives = f"[{own('API', '0.9', more)}, {own('UI', '0.90', more + ', compositeWeight: 2')}]"
    text = slo(objectives, sli="", method="RatioTimeslices")
    *_, whole = imported(tmp_path, text)

    assert isinstance(whole, CompositeSlo)
    assert [member.weight for member in whole.members] == [1, 2]
    marked = text.replace("RatioT", f"{HERE}RatioT").replace("0.90", "0.95")
    assert_refused(
        tmp_path, marked, "adds up what its objectives miss; give all of them the same target"
    )


def test_references_are_found_in_all_the_files_of_the_policy(tmp_path: Path) -> None:
    text = slo(sli="").replace("alertPolicies:", "indicatorRef: errors")
    other = (
        document("SLI", "errors", ratio().replace("type: Prometheus", "metricSourceRef: main"))
        + document("DataSource", "main", "{type: Prometheus, connectionDetails: {url: x}}")
        + document("Service", "chat", "{description: Chat.}") * 2
        + document("AlertPolicy", "page", "{alertWhenBreaching: true}")
    )

    (one,) = imported(tmp_path, text, other)
    assert isinstance(one, RatioSlo)
    assert one.sli.total == COUNTED.format("requests_total")


def test_a_reference_to_nothing_is_refused(tmp_path: Path) -> None:
    text = slo(sli="").replace("alertPolicies:", f"indicatorRef: {HERE}errors")
    assert_refused(tmp_path, text, "no SLI 'errors' is in the files that the policy reads")


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("type: ¦Datadog", "metrics of the type 'Datadog' cannot be read"),
        ("type: ¦Any", "metrics of the type 'Any' cannot be read"),
        ("metricSourceRef: ¦other", "metrics of the type 'Datadog' cannot be read"),
        ("metricSourceRef: ¦unknown", "no DataSource 'unknown' is in the files"),
    ],
)
def test_other_metric_sources_are_refused_by_name(tmp_path: Path, kind: str, words: str) -> None:
    total = source("sum(requests_total)", kind)
    sli = f"{{ratioMetric: {{counter: true, good: {source('sum(x)')}, total: {total}}}}}"
    assert_refused(
        tmp_path, slo(sli=sli), words, document("DataSource", "other", "{type: Datadog}")
    )


def test_a_metric_source_says_its_type_or_refers_to_one_that_does(tmp_path: Path) -> None:
    known = slo().replace("type: Prometheus", "type: Prometheus, metricSourceRef: elsewhere")
    assert only(tmp_path, known).name == "chat"
    (mistake,) = mistakes_of(tmp_path, slo().replace("type: Prometheus, ", ""))
    assert "the key 'type' is missing; add the type of the metric source, or its ref" in mistake


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("¦{}", "exactly one of query and promql"),
        ("¦{query: a, promql: b}", "exactly one of query and promql"),
        ("{query: x, ¦step: 1m}", "unknown key 'step'"),
    ],
)
def test_the_query_of_a_source_is_in_one_place(tmp_path: Path, spec: str, words: str) -> None:
    marked = slo().replace("{query: 'sum(requests_total)'}", spec)
    assert_refused(tmp_path, marked, words)


def test_a_mistake_in_one_objective_does_not_hide_those_in_others(tmp_path: Path) -> None:
    objectives = "[{target: 0.9, value: 1}, {target: 0.9}, {target: 0.9, compositeWeight: 1}]"
    found = mistakes_of(tmp_path, slo(objectives))

    assert ["not take op or value" in found[0], "a weight needs" in found[1], len(found)] == [
        True,
        True,
        2,
    ]


def test_a_slice_may_not_be_longer_than_the_window(tmp_path: Path) -> None:
    marked = slo(f"[{HERE}{SLICED[1:].replace('5m', '29d')}", method="Timeslices")
    assert_refused(tmp_path, marked, "a slice must not be longer than the window")


def test_two_documents_of_one_name_cannot_be_distinguished(tmp_path: Path) -> None:
    text = slo(sli="").replace("alertPolicies:", "indicatorRef: errors")
    first, second = document("SLI", "errors", ratio()), document("SLI", "errors", ratio("sum(x)"))

    assert mistakes_of(tmp_path, text, first, second) == [
        "slos/2.yaml:4:18: error: another SLI in the files that the policy reads has this name"
    ]


def test_dimensions_draw_a_warning_since_the_query_is_counted_as_it_is(tmp_path: Path) -> None:
    text = slo().replace("requests_total)'}}}}", "requests_total)', dimensions: [model]}}}}")
    mistakes = mistakes_of(tmp_path, text)

    (warning,) = mistakes
    assert ": warning: the query alone says what is counted" in warning
